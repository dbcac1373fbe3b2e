//! One network: its pool of sessions, and the checks around a run.

use super::runtime::thread_count;
use super::session::{Pool, Recipe};
use super::signature::{Signature, signatures};
use super::{Bundle, Manifest, Provider, ProviderReport, Runtime};
use crate::{Error, Result};
use ort::value::{DynValue, Tensor, TensorRef};
use parking_lot::Mutex;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// One network: what it takes and gives, and its sessions from the first use on.
pub(super) struct Network {
    pub(super) signature: Signature,
    loader: Arc<Loader>,
    pool: OnceLock<Pool>,
    building: Mutex<()>,
}

/// Which providers the nodes of a network were given to. What a GPU's provider does not implement
/// runs on the CPU; this is how that is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Name of the network.
    pub network: &'static str,
    /// ONNX Runtime's name of a provider, and the number of nodes that it runs.
    pub nodes: Vec<(String, usize)>,
}

impl Network {
    /// `None` before its first session is built.
    pub(super) fn placement(&self) -> Option<Placement> {
        Some(Placement {
            network: self.signature.network,
            nodes: self.pool.get()?.placement().to_vec(),
        })
    }

    pub(super) fn is_built(&self) -> bool {
        self.pool.get().is_some()
    }

    /// Builds its first session, where that was not done before.
    pub(super) fn build(&self) -> Result<()> {
        self.pool().map(drop)
    }

    /// After a failure a later call tries again.
    fn pool(&self) -> Result<&Pool> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let _one_at_a_time = self.building.lock();
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let pool = self.loader.checked(&self.signature, &BTreeMap::new())?;
        Ok(self.pool.get_or_init(|| pool))
    }

    pub(super) fn failure(&self, reason: String) -> Error {
        Error::Network {
            network: self.signature.network,
            reason,
        }
    }

    /// Runs it. Inputs and outputs in the signature's order; lengths are checked both ways.
    pub(super) fn run<const I: usize, const O: usize>(
        &self,
        inputs: [&[f32]; I],
    ) -> Result<[Vec<f32>; O]> {
        let failed = |error: ort::Error| self.failure(error.to_string());
        let mut values = Vec::with_capacity(I);
        for ((name, shape), input) in self.signature.inputs.iter().zip(inputs) {
            let length = shape.iter().product::<usize>();
            if input.len() != length {
                let reason = format!("has {} values, not {length}: {shape:?}", input.len());
                return Err(Error::Argument {
                    field: name,
                    reason,
                });
            }
            let tensor = TensorRef::from_array_view((shape.as_slice(), input)).map_err(failed)?;
            values.push((
                Cow::Borrowed(*name),
                ort::session::SessionInputValue::from(tensor),
            ));
        }
        self.pool()?.run(|seat| {
            seat.run(values, failed, |outputs| {
                let mut answer = [const { Vec::new() }; O];
                for ((name, shape), slot) in self.signature.outputs.iter().zip(&mut answer) {
                    let Some(output) = outputs.get(*name) else {
                        return Err(self.failure(format!("it has no output {name}")));
                    };
                    let (found, data) = output.try_extract_tensor::<f32>().map_err(failed)?;
                    if data.len() != shape.iter().product::<usize>() {
                        let reason = format!("its {name} has shape {found}, not {shape:?}");
                        return Err(self.failure(reason));
                    }
                    *slot = data.to_vec();
                }
                Ok(answer)
            })
        })
    }
}

/// Loads networks of one bundle onto one provider.
pub(super) struct Loader {
    bundle: Bundle,
    runtime: &'static Runtime,
    pub(super) report: ProviderReport,
    pub(super) threads: Threads,
}

/// How the processor's cores are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// The most calls of one network that run at once, and the threads that they all share.
    pub most: usize,
    /// Threads of one call. 1 is the fastest where as many calls as there are cores run at once.
    pub each: usize,
}

impl From<usize> for Threads {
    /// Calls that use all `threads` (0: one for each core), where others leave them.
    fn from(threads: usize) -> Self {
        let most = thread_count(threads);
        Self { most, each: most }
    }
}

impl Loader {
    pub(super) fn new(
        bundle: &Bundle,
        provider: Provider,
        threads: impl Into<Threads>,
    ) -> Result<Arc<Self>> {
        let threads = threads.into();
        let runtime = Runtime::start(threads.most)?;
        let report = runtime.choose(provider)?;
        Ok(Arc::new(Loader {
            bundle: bundle.clone(),
            runtime,
            report,
            threads,
        }))
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.bundle.manifest()
    }

    /// A network; its sessions are built when they are needed.
    pub(super) fn network(self: &Arc<Self>, name: &'static str) -> Result<Network> {
        Ok(Network {
            signature: self.signature(name)?,
            loader: self.clone(),
            pool: OnceLock::new(),
            building: Mutex::default(),
        })
    }

    /// A network some of whose tensors are others than the bundle's, by their names in the graph. Its first
    /// session is built.
    pub(super) fn network_with(
        self: &Arc<Self>,
        name: &'static str,
        others: &BTreeMap<String, Vec<f32>>,
    ) -> Result<Network> {
        let network = self.network(name)?;
        let pool = self.checked(&network.signature, others)?;
        Ok(Network {
            pool: OnceLock::from(pool),
            ..network
        })
    }

    fn signature(&self, name: &'static str) -> Result<Signature> {
        let known = signatures(self.bundle.manifest());
        known
            .into_iter()
            .find(|known| known.network == name)
            .ok_or_else(|| Error::Network {
                network: name,
                reason: "the manifest gives no sizes for it".into(),
            })
    }

    /// The sessions of a network whose graph has the inputs and outputs of the signature.
    fn checked(&self, signature: &Signature, others: &BTreeMap<String, Vec<f32>>) -> Result<Pool> {
        let name = signature.network;
        // A GPU runs one call at a time anyway; further sessions would only take its memory.
        let gpu = self.report.used.for_network(name).is_gpu();
        let pool = self.pool(name, others, if gpu { 1 } else { self.threads.most })?;
        pool.run(|session| {
            let sides = [
                ("inputs", session.inputs(), &signature.inputs),
                ("outputs", session.outputs(), &signature.outputs),
            ];
            sides.into_iter().try_for_each(|(side, found, expected)| {
                agree(found, expected).map_err(|(tensor, reason)| {
                    self.bundle
                        .refuse(format!("graphs.{name}.{side}.{tensor}"), reason)
                })
            })
        })?;
        Ok(pool)
    }

    /// The sessions of a graph, at most `limit`, with `others` in the place of the bundle's tensors.
    pub(super) fn pool(
        &self,
        name: &'static str,
        others: &BTreeMap<String, Vec<f32>>,
        limit: usize,
    ) -> Result<Pool> {
        let failed = |reason: String| Error::Network {
            network: name,
            reason,
        };
        let (graph, tensors) = self.bundle.graph(name)?;
        let mut weights: Vec<(String, Arc<DynValue>)> = Vec::with_capacity(tensors.len());
        for (tensor, shape, mut values) in tensors {
            if let Some(other) = others.get(&tensor) {
                if other.len() != values.len() {
                    let reason =
                        format!("{tensor} has {} values, not {}", other.len(), values.len());
                    return Err(failed(reason));
                }
                values.clone_from(other);
            }
            let value =
                Tensor::from_array((shape, values)).map_err(|error| failed(error.to_string()))?;
            weights.push((tensor, Arc::new(value.into_dyn())));
        }
        let recipe = Recipe {
            graph,
            weights: &weights,
            provider: self.report.used.for_network(name),
            threads: self.threads.each,
            strict: false,
        };
        Pool::new(name, self.runtime, &recipe, limit)
    }
}

/// Whether a graph really has the tensors that its manifest promises. Gives the first that it has
/// not, and why.
fn agree(
    found: &[ort::value::Outlet],
    expected: &[(&'static str, Vec<usize>)],
) -> std::result::Result<(), (String, String)> {
    for (name, shape) in expected {
        let Some(outlet) = found.iter().find(|outlet| outlet.name() == *name) else {
            return Err(((*name).to_owned(), "is not in the graph".into()));
        };
        let dims = outlet.dtype().tensor_shape();
        let free_or = |dim: i64, size: usize| dim < 0 || usize::try_from(dim) == Ok(size);
        let same = dims.is_some_and(|dims| {
            dims.len() == shape.len() && dims.iter().zip(shape).all(|(&d, &s)| free_or(d, s))
        });
        if !same {
            let found = dims.map_or("no tensor".into(), |dims| format!("{:?}", &dims[..]));
            return Err((
                (*name).to_owned(),
                format!("is {found} in the graph, not {shape:?}"),
            ));
        }
    }
    match found
        .iter()
        .find(|outlet| expected.iter().all(|(name, _)| outlet.name() != *name))
    {
        Some(extra) => Err((
            extra.name().to_owned(),
            "is in the graph but not in the manifest".into(),
        )),
        None => Ok(()),
    }
}
