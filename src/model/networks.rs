//! The networks as typed calls.
//!
//! Images are planar RGB, sRGB-encoded, in [-1, 1]; tensors are row-major. Every call may be made
//! from any thread: it takes a session from the network's pool (`session`) and waits only when all
//! of them are at work. On one provider a result depends on the arguments alone, not on threads,
//! not on the order of calls, not on how many windows are given at once.

use super::manifest::Manifest;
use super::session::{Pool, Recipe};
use super::{Bundle, Provider, ProviderReport, Runtime, runtime};
use crate::{Error, Result};
use ort::value::{DynValue, Tensor, TensorRef};
use std::{borrow::Cow, sync::Arc};

/// All networks of a bundle, ready to run.
pub struct Networks {
    pub detector: Detector,
    pub mesh: MeshPredictor,
    pub audio: AudioEncoder,
    pub reference: ReferenceEncoder,
    pub mals: Mals,
    pub generator: Generator,
    report: ProviderReport,
    threads: usize,
}

impl Networks {
    /// Starts ONNX Runtime where it is not running yet, chooses the provider and builds the first
    /// session of each network.
    ///
    /// `threads` (0: one for each core) bounds both the threads of one call and the number of calls
    /// of one network that run at once on the CPU. A GPU runs one at a time.
    ///
    /// # Errors
    /// [`Error::Runtime`] without ONNX Runtime; [`Error::Provider`] when the wanted provider cannot
    /// be used; [`Error::Network`] or [`Error::Bundle`] when a graph cannot be loaded.
    pub fn load(bundle: &Bundle, provider: Provider, threads: usize) -> Result<Networks> {
        let runtime = Runtime::start(threads)?;
        let report = runtime.choose(provider)?;
        let threads = runtime::thread_count(threads);
        let mut loader = Loader {
            bundle,
            runtime,
            provider: report.used,
            threads,
            signatures: signatures(bundle.manifest()),
        };
        Ok(Networks {
            detector: Detector(loader.network("detector")?),
            mesh: MeshPredictor(loader.network("mesh")?),
            audio: AudioEncoder(loader.network("audio_encoder")?),
            reference: ReferenceEncoder(loader.network("reference_encoder")?),
            mals: Mals(loader.network("mals")?),
            generator: Generator(loader.network("generator")?),
            report,
            threads,
        })
    }

    /// The provider really in use, and why others are not.
    pub fn provider(&self) -> &ProviderReport {
        &self.report
    }

    /// Threads of one call on the CPU.
    pub fn threads(&self) -> usize {
        self.threads
    }
}

/// Finds faces in a letterboxed frame.
pub struct Detector(Network);

/// A grid of cells, row-major: `size / stride` squared.
#[derive(Debug, Clone, PartialEq)]
pub struct Detections {
    /// One logit for each cell.
    pub scores: Vec<f32>,
    /// Three planes: dx and dy of the face's centre from the cell's centre, in cells, and the
    /// logarithm of the face's side in cells.
    pub boxes: Vec<f32>,
}

impl Detector {
    /// `frame`: [3, size, size].
    pub fn run(&self, frame: &[f32]) -> Result<Detections> {
        let [scores, boxes] = self.0.run([frame])?;
        Ok(Detections { scores, boxes })
    }
}

/// Predicts the parametric mesh and its pose from a crop round a face (paper, section 3.1).
pub struct MeshPredictor(Network);

/// Coefficients and pose of one face, in the crop's units.
#[derive(Debug, Clone, PartialEq)]
pub struct MeshParameters {
    /// Identity coefficients.
    pub identity: Vec<f32>,
    /// Expression coefficients.
    pub expression: Vec<f32>,
    /// Rotation as a Rodrigues vector.
    pub rotation: [f32; 3],
    /// Position in half-sides of the crop, [-1, 1].
    pub translation: [f32; 2],
    /// Logarithm of the face's scale in sides of the crop.
    pub log_scale: f32,
    /// Logit of "this is a face that can be followed".
    pub confidence: f32,
}

impl MeshPredictor {
    /// `crop`: [3, size, size].
    pub fn run(&self, crop: &[f32]) -> Result<MeshParameters> {
        let [
            identity,
            expression,
            rotation,
            translation,
            scale,
            confidence,
        ] = self.0.run([crop])?;
        let fixed = |values: Vec<f32>| values.into_iter();
        let mut numbers = fixed(rotation)
            .chain(translation)
            .chain(scale)
            .chain(confidence);
        let mut next = || {
            numbers
                .next()
                .ok_or_else(|| self.0.pool.failure("its pose is cut short".into()))
        };
        Ok(MeshParameters {
            rotation: [next()?, next()?, next()?],
            translation: [next()?, next()?],
            log_scale: next()?,
            confidence: next()?,
            identity,
            expression,
        })
    }
}

/// E_aud: a mel window to a latent code and a mouth shape (paper, section 3.2).
pub struct AudioEncoder(Network);

/// What the audio encoder says about some windows, one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AudioCodes {
    /// [N, codes, dim].
    pub codes: Vec<f32>,
    /// [N, mouth]: coefficients of the mouth's expression.
    pub shapes: Vec<f32>,
}

impl AudioEncoder {
    /// `mel`: any number N of windows, [N, mels, frames].
    ///
    /// Each window is run by itself: a matrix product of another height may round differently, and
    /// then a code would depend on its neighbours in the call.
    pub fn run(&self, mel: &[f32]) -> Result<AudioCodes> {
        let window = self.0.signature.input_length(0);
        if mel.is_empty() || !mel.len().is_multiple_of(window) {
            let reason = format!("has {} values, not a multiple of {window}", mel.len());
            return Err(Error::Argument {
                field: "mel",
                reason,
            });
        }
        let mut all = AudioCodes::default();
        for one in mel.chunks_exact(window) {
            let [codes, shapes] = self.0.run([one])?;
            all.codes.extend(codes);
            all.shapes.extend(shapes);
        }
        Ok(all)
    }
}

/// E_ref: a face to its W+ code (paper, section 3.2).
pub struct ReferenceEncoder(Network);

impl ReferenceEncoder {
    /// `face`: [3, image, image], unmasked. Gives [codes, dim].
    pub fn run(&self, face: &[f32]) -> Result<Vec<f32>> {
        let [code] = self.0.run([face])?;
        Ok(code)
    }
}

/// Moving-average based latent smoothing (paper, section 3.3).
pub struct Mals(Network);

impl Mals {
    /// `codes`: the seven codes round a frame, [7, codes, dim], the oldest first; `reference`:
    /// [codes, dim]. Gives the smoothed code, [codes, dim].
    pub fn run(&self, codes: &[f32], reference: &[f32]) -> Result<Vec<f32>> {
        let [code] = self.0.run([codes, reference])?;
        Ok(code)
    }
}

/// E_face and the decoder G with style-aware masked fusion, as one graph (paper, section 3.4).
pub struct Generator(Network);

impl Generator {
    /// `face`: the masked crop, [3, image, image]; `lips`: [P, 2] in [-1, 1]; `code`: [codes, dim].
    /// Gives the image, [3, image, image].
    pub fn run(&self, face: &[f32], lips: &[f32], code: &[f32]) -> Result<Vec<f32>> {
        let [image] = self.0.run([face, lips, code])?;
        Ok(image)
    }
}

/// What a network takes and gives: names and shapes, in the order of the typed calls.
pub(super) struct Signature {
    pub network: &'static str,
    pub required: bool,
    pub inputs: Vec<(&'static str, Vec<usize>)>,
    pub outputs: Vec<(&'static str, Vec<usize>)>,
}

impl Signature {
    fn input_length(&self, index: usize) -> usize {
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
                ("scores", vec![1, 1, cells, cells]),
                ("boxes", vec![1, 3, cells, cells]),
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
                ("codes", code.clone()),
                ("shapes", vec![1, manifest.face_model.mouth]),
            ],
        ),
        needed(
            "reference_encoder",
            vec![("face", image.clone())],
            vec![("code", code.clone())],
        ),
        needed(
            "mals",
            vec![
                (
                    "codes",
                    vec![1, 7, manifest.latent.codes, manifest.latent.dim],
                ),
                ("reference", code.clone()),
            ],
            vec![("code", code.clone())],
        ),
        needed(
            "generator",
            vec![
                ("face", image.clone()),
                ("lips", vec![1, manifest.lips, 2]),
                ("code", code),
            ],
            vec![("image", image)],
        ),
    ]
}

/// One network: its pool and what it takes and gives.
struct Network {
    pool: Pool,
    signature: Signature,
}

impl Network {
    /// Runs it. Inputs and outputs in the signature's order; lengths are checked both ways.
    fn run<const I: usize, const O: usize>(&self, inputs: [&[f32]; I]) -> Result<[Vec<f32>; O]> {
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
        self.pool.run(|session| {
            let outputs = session.run(values).map_err(failed)?;
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
    }
}

struct Loader<'a> {
    bundle: &'a Bundle,
    runtime: &'static Runtime,
    provider: Provider,
    threads: usize,
    signatures: Vec<Signature>,
}

impl Loader<'_> {
    fn network(&mut self, name: &'static str) -> Result<Network> {
        let Some(at) = self
            .signatures
            .iter()
            .position(|known| known.network == name)
        else {
            return Err(Error::Network {
                network: name,
                reason: "it is unknown".into(),
            });
        };
        let signature = self.signatures.swap_remove(at);
        let (graph, tensors) = self.bundle.graph(name)?;
        let weights = tensors
            .into_iter()
            .map(|(tensor, shape, values)| {
                let value =
                    Tensor::from_array((shape, values)).map_err(|error| Error::Network {
                        network: name,
                        reason: error.to_string(),
                    })?;
                Ok((tensor, Arc::new(value.into_dyn())))
            })
            .collect::<Result<Vec<(String, Arc<DynValue>)>>>()?;
        let (provider, threads) = (self.provider, self.threads);
        let recipe = Recipe {
            graph,
            weights: &weights,
            provider,
            threads,
            strict: false,
        };
        // A GPU runs one call at a time anyway; further sessions would only take its memory.
        let limit = if provider.is_gpu() { 1 } else { threads };
        let pool = Pool::new(name, self.runtime, &recipe, limit)?;
        Ok(Network { pool, signature })
    }
}
