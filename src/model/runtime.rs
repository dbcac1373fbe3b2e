//! The one ONNX Runtime environment of the process.
//!
//! ONNX Runtime allows only one environment in the lifetime of a process, so it is kept in a static
//! and never released. Its log goes to the `log` crate at warning level and above. A plug-in that
//! is unloaded while the environment lives would leave the logger's address dangling, so the module
//! that contains this code is not unloaded after ONNX Runtime was loaded.

use super::locate::{Component, Found, locate};
use super::module;
use crate::{Error, Result};
use ort::{
    AsPointer,
    environment::{Environment, GlobalThreadPoolOptions},
    logging::LogLevel,
    memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType},
};
use parking_lot::Mutex;
use std::{ffi::c_int, path::Path, sync::Arc, sync::OnceLock};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// ONNX Runtime, loaded. One for the process; every method may be called from any thread.
pub struct Runtime {
    environment: Environment,
    library: Found,
    workers: usize,
    /// The plug-ins that are registered. Registration cannot be undone.
    plugins: Mutex<Vec<(Component, Found)>>,
}

impl Runtime {
    /// Loads ONNX Runtime, or gives the one that is loaded. It looks where [`locate`]
    /// does and never goes to the network.
    ///
    /// `threads` (0: one for each core) sizes the pool of worker threads that all sessions of the
    /// process share. The first caller decides; a session that is to run on another number of
    /// threads gets workers of its own.
    ///
    /// # Errors
    /// [`Error::Runtime`]: the library is missing, too old, or not ONNX Runtime. A later call
    /// tries again.
    pub fn start(threads: usize) -> Result<&'static Runtime> {
        let _one_at_a_time = STARTING.lock();
        if let Some(runtime) = RUNTIME.get() {
            return Ok(runtime);
        }
        let library = locate(Component::OnnxRuntime)?;
        let workers = thread_count(threads);
        let environment = load(&library.path, workers)?;
        log::info!(
            "ONNX Runtime from {} ({})",
            library.path.display(),
            library.source
        );
        let runtime = Runtime {
            environment,
            library,
            workers,
            plugins: Mutex::default(),
        };
        Ok(RUNTIME.get_or_init(|| runtime))
    }

    /// The library that was loaded.
    pub fn library(&self) -> &Found {
        &self.library
    }

    /// Version, commit and compiler flags, as ONNX Runtime reports them.
    pub fn build_information(&self) -> &'static str {
        ort::info()
    }

    /// Threads that the shared pool uses for one run, the calling thread included.
    pub fn shared_threads(&self) -> usize {
        self.workers
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Registers a provider's plug-in, once, and says which file it is.
    ///
    /// # Errors
    /// [`Error::Runtime`]: it is missing or ONNX Runtime refuses it. A later call tries again.
    pub(super) fn register(&self, plugin: Component) -> Result<Found> {
        let mut registered = self.plugins.lock();
        if let Some((_, found)) = registered.iter().find(|(known, _)| *known == plugin) {
            return Ok(found.clone());
        }
        let found = locate(plugin)?;
        let name = format!("stylelipsync.{plugin:?}").to_lowercase();
        self.environment
            .register_ep_library(&name, module::for_loader(&found.path))
            .map_err(|error| {
                Error::Runtime(format!("{} is refused: {error}", found.path.display()))
            })?;
        registered.push((plugin, found.clone()));
        Ok(found)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("library", &self.library)
            .finish_non_exhaustive()
    }
}

/// 0 means every core that this process may use.
pub(crate) fn thread_count(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get()),
        n => n,
    }
}

fn load(library: &Path, workers: usize) -> Result<Environment> {
    let refused = |error: &dyn std::fmt::Display| {
        Error::Runtime(format!("{} cannot be used: {error}", library.display()))
    };
    let builder = ort::init_from(module::for_loader(library)).map_err(|error| match &error {
        // The loader's own message is one level further in.
        ort::LoadDynamicError::Dlopen { error, .. } => match std::error::Error::source(error) {
            Some(cause) => refused(&format!("{cause}{}", advice(cause))),
            None => refused(error),
        },
        other => refused(other),
    })?;
    module::keep_loaded();
    // Workers that spin would take the cores of the host's own threads while they wait.
    let pool = GlobalThreadPoolOptions::default()
        .with_intra_threads(workers)
        .and_then(|pool| pool.with_inter_threads(1))
        .and_then(|pool| pool.with_spin_control(false))
        .map_err(|error| refused(&error))?;
    let environment = builder
        .with_name("stylelipsync")
        .with_telemetry(false)
        .with_global_thread_pool(pool)
        .with_logger(Arc::new(forward_log))
        .build()
        .map_err(|error| refused(&error))?;
    // With a logger of one's own the level starts at "everything".
    environment.set_log_level(LogLevel::Warning);
    share_memory(&environment).map_err(|error| refused(&error))?;
    Ok(environment)
}

/// Registers the memory on the processor that all sessions use between and during their runs. An arena for each
/// session, as ONNX Runtime has it otherwise, keeps the most that this session ever needed; and it doubles each
/// time it grows.
fn share_memory(environment: &Environment) -> ort::Result<()> {
    /// ONNX Runtime's own values for what is not set.
    const DEFAULT: c_int = -1;
    const SAME_AS_REQUESTED: c_int = 1;
    let memory = MemoryInfo::new(
        AllocationDevice::CPU,
        0,
        AllocatorType::Arena,
        MemoryType::Default,
    )?;
    let (api, mut settings) = (ort::api(), std::ptr::null_mut());
    // SAFETY: the environment and the description of the memory are alive; the settings are read only after
    // the call that makes them succeeded, and are released once. ONNX Runtime copies what it is given.
    unsafe {
        let made = (api.CreateArenaCfg)(0, SAME_AS_REQUESTED, DEFAULT, DEFAULT, &mut settings);
        ort::Error::result_from_status(made)?;
        let registered =
            (api.CreateAndRegisterAllocator)(environment.ptr().cast_mut(), memory.ptr(), settings);
        (api.ReleaseArenaCfg)(settings);
        ort::Error::result_from_status(registered)
    }
}

/// Windows does not report which DLL is missing. ONNX Runtime's needs Microsoft's C++ runtime.
fn advice(cause: &dyn std::error::Error) -> &'static str {
    match cfg!(windows) && cause.to_string().contains("os error 126") {
        true => "; install the Microsoft Visual C++ Redistributable (x64), which it needs",
        false => "",
    }
}

fn forward_log(level: LogLevel, _category: &str, _id: &str, place: &str, message: &str) {
    let level = match level {
        LogLevel::Verbose | LogLevel::Info => return,
        LogLevel::Warning => log::Level::Warn,
        LogLevel::Error | LogLevel::Fatal => log::Level::Error,
    };
    log::log!(target: "onnxruntime", level, "{message} ({place})");
}
