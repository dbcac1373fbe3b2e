//! Sessions: one graph with its weights on one provider, and pools of them.

use super::{Provider, Runtime};
use crate::cancel::{self, Interrupt};
use crate::{Error, Result};
use ort::{
    AsPointer,
    session::{
        NoSelectedOutputs, RunOptions, Session, SessionInputs, SessionOutputs,
        builder::{AutoDevicePolicy, GraphOptimizationLevel, SessionBuilder},
    },
    value::{DynValue, Outlet},
};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{sync::Arc, time::Duration};

/// Asks ONNX Runtime to remember which provider got which node.
const RECORD_PLACEMENT: &str = "session.record_ep_graph_assignment_info";

/// How often a call that waits for a session checks whether it was cancelled.
const GLANCE: Duration = Duration::from_millis(10);

/// Everything that a session is made from.
pub(crate) struct Recipe<'a> {
    /// An ONNX file's bytes. Its external initialisers must all be in `weights`: from memory there
    /// is no folder in which ONNX Runtime could look for them.
    pub graph: &'a [u8],
    /// Initialisers by name; shared between sessions.
    pub weights: &'a [(String, Arc<DynValue>)],
    pub provider: Provider,
    /// Threads for one run, the calling one included.
    pub threads: usize,
    /// Refuse the session where the provider cannot take every node, instead of giving the rest to
    /// the CPU.
    pub strict: bool,
}

/// Builds a session. The reason for a failure is ONNX Runtime's own message.
pub(crate) fn build(
    runtime: &Runtime,
    recipe: &Recipe<'_>,
) -> std::result::Result<Session, String> {
    let say = |error: ort::Error<SessionBuilder>| error.to_string();
    let mut builder = Session::builder(runtime.environment())
        .map_err(|error| error.to_string())?
        // ort's default lets ONNX Runtime pick a device by itself.
        .with_auto_device(AutoDevicePolicy::PreferCPU)
        .map_err(say)?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(say)?
        .with_deterministic_compute(true)
        .map_err(say)?
        .with_env_allocators()
        .map_err(say)?
        .with_config_entry(RECORD_PLACEMENT, "1")
        .map_err(say)?;
    if recipe.threads != runtime.shared_threads() {
        builder = builder
            .with_independent_thread_pool()
            .map_err(say)?
            .with_intra_threads(recipe.threads)
            .map_err(say)?
            .with_intra_op_spinning(false)
            .map_err(say)?;
    }
    builder = runtime.add_provider(builder, recipe.provider, recipe.threads)?;
    if recipe.strict && recipe.provider.has_fallback() {
        builder = builder.with_disable_cpu_fallback().map_err(say)?;
    }
    for (name, value) in recipe.weights {
        // Not `with_initializer`: that keeps the old value wherever a constant was folded.
        builder = builder
            .with_external_initializer(name, value.clone())
            .map_err(say)?;
    }
    let _alone = run_lock(recipe.provider);
    builder
        .commit_from_memory(recipe.graph)
        .map_err(|error| error.to_string())
}

/// Which providers the nodes of a session's graph were given to, after all optimisations. Empty
/// where ONNX Runtime does not tell.
fn placement(session: &Session) -> Vec<(String, usize)> {
    let mut nodes = std::collections::BTreeMap::new();
    let (mut groups, mut count) = (std::ptr::null(), 0);
    let told = |status: ort::sys::OrtStatusPtr| {
        // SAFETY: `status` comes straight from a call of ONNX Runtime and is used once.
        unsafe { ort::Error::result_from_status(status) }.is_ok()
    };
    let (session, api) = (session.inner(), ort::api());
    // SAFETY: `session` is alive, and with it everything that it hands out here; out-pointers are
    // valid for writes and are read only after the call reported success.
    unsafe {
        if !told((api.Session_GetEpGraphAssignmentInfo)(
            session.ptr(),
            &mut groups,
            &mut count,
        )) {
            return Vec::new();
        }
        for index in 0..count {
            let group = *groups.add(index);
            let (mut name, mut list, mut length) = (std::ptr::null(), std::ptr::null(), 0);
            if told((api.EpAssignedSubgraph_GetEpName)(group, &mut name))
                && told((api.EpAssignedSubgraph_GetNodes)(
                    group,
                    &mut list,
                    &mut length,
                ))
            {
                let name = std::ffi::CStr::from_ptr(name)
                    .to_string_lossy()
                    .into_owned();
                *nodes.entry(name).or_insert(0) += length;
            }
        }
    }
    nodes.into_iter().collect()
}

/// The WebGPU provider keeps one device and one command queue for all its sessions and does not
/// guard them against several threads, so its sessions take turns. Other providers need no lock.
pub(crate) fn run_lock(provider: Provider) -> Option<MutexGuard<'static, ()>> {
    static WEBGPU: Mutex<()> = Mutex::new(());
    (provider == Provider::WebGpu).then(|| WEBGPU.lock())
}

/// Sessions of one network. A session runs one call at a time, so as many calls run at once as the
/// pool has sessions; a further one waits. Sessions are made when they are first needed.
pub(crate) struct Pool {
    network: &'static str,
    runtime: &'static Runtime,
    graph: Vec<u8>,
    weights: Vec<(String, Arc<DynValue>)>,
    provider: Provider,
    threads: usize,
    limit: usize,
    placement: Vec<(String, usize)>,
    state: Mutex<State>,
    changed: Condvar,
}

/// A session in exclusive use.
pub(crate) struct Seat {
    session: Session,
    run: Arc<RunOptions<NoSelectedOutputs>>,
}

/// ONNX Runtime ends a run between two of its nodes.
impl Interrupt for RunOptions<NoSelectedOutputs> {
    fn interrupt(&self) {
        if let Err(error) = self.terminate() {
            log::debug!("a network run cannot be ended early: {error}");
        }
    }

    fn reset(&self) {
        if let Err(error) = self.unterminate() {
            log::debug!("a network run's settings cannot be used again: {error}");
        }
    }
}

impl Seat {
    /// What the graph takes.
    pub(crate) fn inputs(&self) -> &[Outlet] {
        self.session.inputs()
    }

    /// What the graph gives.
    pub(crate) fn outputs(&self) -> &[Outlet] {
        self.session.outputs()
    }

    /// Runs the graph, and hands what it gave to `read`.
    pub(crate) fn run<'i, 'v: 'i, const N: usize, R>(
        &mut self,
        inputs: impl Into<SessionInputs<'i, 'v, N>>,
        failed: impl FnOnce(ort::Error) -> Error,
        read: impl FnOnce(&SessionOutputs<'_>) -> Result<R>,
    ) -> Result<R> {
        let Self { session, run } = self;
        let interrupt: Arc<dyn Interrupt> = run.clone();
        cancel::ending(&interrupt, || {
            let outputs = session.run_with_options(inputs, &**run).map_err(failed)?;
            read(&outputs)
        })
    }
}

struct State {
    idle: Vec<Seat>,
    /// Idle, running and being made.
    sessions: usize,
}

impl Pool {
    /// Makes a pool of at most `limit` sessions, and its first session, so that a graph that cannot
    /// be loaded is known at once.
    pub(crate) fn new(
        network: &'static str,
        runtime: &'static Runtime,
        recipe: &Recipe<'_>,
        limit: usize,
    ) -> Result<Pool> {
        let mut pool = Pool {
            network,
            runtime,
            graph: recipe.graph.to_vec(),
            weights: recipe.weights.to_vec(),
            provider: recipe.provider,
            threads: recipe.threads,
            limit: limit.max(1),
            placement: Vec::new(),
            state: Mutex::new(State {
                idle: Vec::new(),
                sessions: 0,
            }),
            changed: Condvar::new(),
        };
        pool.placement = pool.run(|seat| Ok(placement(&seat.session)))?;
        Ok(pool)
    }

    /// Runs `call` on a session in exclusive use.
    ///
    /// [`Error::Cancelled`] when the thread's work was cancelled while it waited or ran.
    pub(crate) fn run<R>(&self, call: impl FnOnce(&mut Seat) -> Result<R>) -> Result<R> {
        let mut lent = self.lend()?;
        let _alone = run_lock(self.provider);
        // There is always one: only `drop` takes it away.
        match lent.seat.as_mut() {
            Some(seat) => call(seat),
            None => Err(self.failure("its session is missing".into())),
        }
    }

    /// Providers of the first session, and how many nodes each runs.
    pub(crate) fn placement(&self) -> &[(String, usize)] {
        &self.placement
    }

    pub(crate) fn failure(&self, reason: String) -> Error {
        Error::Network {
            network: self.network,
            reason,
        }
    }

    fn lend(&self) -> Result<Lent<'_>> {
        let mut state = self.state.lock();
        loop {
            cancel::check()?;
            if let Some(seat) = state.idle.pop() {
                return Ok(Lent {
                    pool: self,
                    seat: Some(seat),
                });
            }
            if state.sessions < self.limit {
                state.sessions += 1;
                break;
            }
            match cancel::is_watched() {
                true => _ = self.changed.wait_for(&mut state, GLANCE),
                false => self.changed.wait(&mut state),
            }
        }
        drop(state);
        // Counted already: `Lent` takes the count back when making it fails.
        let mut lent = Lent {
            pool: self,
            seat: None,
        };
        let recipe = Recipe {
            graph: &self.graph,
            weights: &self.weights,
            provider: self.provider,
            threads: self.threads,
            strict: false,
        };
        let failed = |reason| self.failure(reason);
        let session = build(self.runtime, &recipe).map_err(failed)?;
        let run = RunOptions::new().map_err(|error| failed(error.to_string()))?;
        lent.seat = Some(Seat {
            session,
            run: Arc::new(run),
        });
        Ok(lent)
    }
}

/// A seat taken from the pool. It returns even if the call panics.
struct Lent<'a> {
    pool: &'a Pool,
    seat: Option<Seat>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        match self.seat.take() {
            Some(seat) => state.idle.push(seat),
            None => state.sessions -= 1,
        }
        drop(state);
        self.pool.changed.notify_one();
    }
}
