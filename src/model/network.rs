//! One network: its signature, its pool of sessions, and the checks round a run.

use super::manifest::{MALS_WINDOW, MEL_COLUMNS_PER_FRAME, Manifest, SyncNetSizes};
use super::runtime::thread_count;
use super::session::{Pool, Recipe};
use super::{Bundle, Provider, ProviderReport, Runtime};
use crate::{Error, Result};
use ort::value::{DynValue, Tensor, TensorRef};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// What a network takes and gives: names and shapes, in the order of the typed calls.
pub(super) struct Signature {
    pub network: &'static str,
    pub required: bool,
    pub inputs: Vec<(&'static str, Vec<usize>)>,
    pub outputs: Vec<(&'static str, Vec<usize>)>,
}

impl Signature {
    pub(super) fn input_length(&self, index: usize) -> usize {
        self.inputs
            .get(index)
            .map_or(0, |(_, shape)| shape.iter().product())
    }
}

/// The networks that this library knows, with the shapes that follow from the manifest's sizes.
pub(super) fn signatures(manifest: &Manifest) -> Vec<Signature> {
    let image = vec![1, 3, manifest.image, manifest.image];
    let code = vec![1, manifest.latent.codes, manifest.latent.dim];
    let square = |size: usize| vec![1, 3, size, size];
    let cells = manifest.detector.size / manifest.detector.stride;
    let mut painted = vec![
        ("face", image.clone()),
        ("lips", vec![1, manifest.lips, 2]),
        ("code", code.clone()),
    ];
    if manifest.carry.is_some() {
        painted.push(("carried", image.clone()));
    }
    let needed = |network, inputs, outputs| Signature {
        network,
        required: true,
        inputs,
        outputs,
    };
    vec![
        needed(
            "detector",
            vec![("frame", square(manifest.detector.size))],
            vec![
                ("score", vec![1, 1, cells, cells]),
                ("box", vec![1, 3, cells, cells]),
            ],
        ),
        needed(
            "mesh",
            vec![("crop", square(manifest.mesh.size))],
            vec![
                ("identity", vec![1, manifest.face_model.identity]),
                ("expression", vec![1, manifest.face_model.expression]),
                ("rotation", vec![1, 3]),
                ("translation", vec![1, 2]),
                ("log_scale", vec![1, 1]),
                ("confidence", vec![1, 1]),
            ],
        ),
        needed(
            "audio_encoder",
            vec![("mel", vec![1, manifest.mel.mels, manifest.mel.frames])],
            vec![
                ("code", code.clone()),
                ("shape", vec![1, manifest.face_model.mouth]),
            ],
        ),
        needed(
            "reference_encoder",
            vec![("reference", image.clone())],
            vec![("code", code.clone())],
        ),
        needed(
            "mals",
            vec![
                (
                    "codes",
                    vec![1, MALS_WINDOW, manifest.latent.codes, manifest.latent.dim],
                ),
                ("reference", code.clone()),
            ],
            vec![("code", code.clone())],
        ),
        needed("generator", painted, vec![("image", image)]),
        Signature {
            network: "shape_code",
            required: false,
            inputs: vec![("shape", vec![1, manifest.face_model.mouth])],
            outputs: vec![("code", code)],
        },
    ]
    .into_iter()
    .chain(
        manifest
            .syncnet
            .iter()
            .flat_map(|sync| sync_signatures(manifest, sync)),
    )
    .collect()
}

/// The towers of SyncNet, for evaluation: a bundle may lack them.
fn sync_signatures(manifest: &Manifest, sync: &SyncNetSizes) -> [Signature; 3] {
    let columns = MEL_COLUMNS_PER_FRAME * sync.frames;
    let shapes = vec![1, sync.frames, manifest.face_model.mouth];
    let tower = |network, input, output| Signature {
        network,
        required: false,
        inputs: vec![input],
        outputs: vec![(output, vec![1, sync.dim])],
    };
    [
        tower(
            "sync_sound",
            ("mel", vec![1, manifest.mel.mels, columns]),
            "sound",
        ),
        tower("sync_shape", ("shapes", shapes), "mouth"),
        // Lower halves of crops reduced to 128x128, the frames' colour planes one after the other.
        tower(
            "sync_face",
            ("mouths", vec![1, 3 * sync.frames, 64, 128]),
            "mouth",
        ),
    ]
}

/// One network: its pool and what it takes and gives.
pub(super) struct Network {
    pub(super) pool: Pool,
    pub(super) signature: Signature,
}

/// Which providers the nodes of a network were given to. What a GPU's provider does not implement
/// runs on the CPU; this is how that is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub network: &'static str,
    /// ONNX Runtime's name of a provider, and the number of nodes that it runs.
    pub nodes: Vec<(String, usize)>,
}

impl Network {
    pub(super) fn placement(&self) -> Placement {
        Placement {
            network: self.signature.network,
            nodes: self.pool.placement().to_vec(),
        }
    }

    /// Runs it. Inputs and outputs in the signature's order; lengths are checked both ways.
    pub(super) fn run<const I: usize, const O: usize>(
        &self,
        inputs: [&[f32]; I],
    ) -> Result<[Vec<f32>; O]> {
        let failed = |error: ort::Error| self.pool.failure(error.to_string());
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
        self.pool.run(|seat| {
            seat.run(values, failed, |outputs| {
                let mut answer = [const { Vec::new() }; O];
                for ((name, shape), slot) in self.signature.outputs.iter().zip(&mut answer) {
                    let Some(output) = outputs.get(*name) else {
                        return Err(self.pool.failure(format!("it gives no {name}")));
                    };
                    let (found, data) = output.try_extract_tensor::<f32>().map_err(failed)?;
                    if data.len() != shape.iter().product::<usize>() {
                        let reason = format!("its {name} has shape {found}, not {shape:?}");
                        return Err(self.pool.failure(reason));
                    }
                    *slot = data.to_vec();
                }
                Ok(answer)
            })
        })
    }
}

/// Loads networks of one bundle onto one provider.
pub(super) struct Loader<'a> {
    bundle: &'a Bundle,
    runtime: &'static Runtime,
    pub(super) report: ProviderReport,
    pub(super) threads: usize,
}

impl<'a> Loader<'a> {
    pub(super) fn new(bundle: &'a Bundle, provider: Provider, threads: usize) -> Result<Self> {
        let runtime = Runtime::start(threads)?;
        let report = runtime.choose(provider)?;
        Ok(Loader {
            bundle,
            runtime,
            report,
            threads: thread_count(threads),
        })
    }

    pub(super) fn network(&self, name: &'static str) -> Result<Network> {
        self.network_with(name, &BTreeMap::new())
    }

    /// A network some of whose tensors are others than the bundle's, by their names in the graph.
    pub(super) fn network_with(
        &self,
        name: &'static str,
        others: &BTreeMap<String, Vec<f32>>,
    ) -> Result<Network> {
        let known = signatures(self.bundle.manifest());
        let Some(signature) = known.into_iter().find(|known| known.network == name) else {
            return Err(Error::Network {
                network: name,
                reason: "the manifest gives no sizes for it".into(),
            });
        };
        // A GPU runs one call at a time anyway; further sessions would only take its memory.
        let gpu = self.report.used.is_gpu();
        let pool = self.pool(name, others, if gpu { 1 } else { self.threads })?;
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
        Ok(Network { pool, signature })
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
            provider: self.report.used,
            threads: self.threads,
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
        Some(extra) => Err((extra.name().to_owned(), "is in the graph alone".into())),
        None => Ok(()),
    }
}
