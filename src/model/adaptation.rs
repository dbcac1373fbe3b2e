//! The network of adaptation (paper, section 4), its training step; and the bank of unpaired speech.

use super::network::Loader;
use super::session::Pool;
use super::{Bundle, Provider};
use crate::{Error, Result};
use ort::value::TensorRef;
use std::{borrow::Cow, collections::BTreeMap};

/// The decoder's tensors among the weights.
const DECODER: &str = "generator.decoder.";

/// A tensor of the synthesis network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the decoder, for instance `blocks.0.first.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// The inputs of a step in addition to the parameters. T is five frames; pictures are planar RGB in
/// [-1, 1].
#[derive(Debug, Clone, Default)]
pub struct StepInputs {
    /// [T, 3, image, image]: the person's crops.
    pub target: Vec<f32>,
    /// [T, 1, image, image]: the inpainting mask, 1 in the hole.
    pub hole: Vec<f32>,
    /// The person's own speech.
    pub own: Condition,
    /// Speech of somebody else, for the sync regulariser (equation 9).
    pub unpaired: Condition,
}

/// Speech, and the inputs of the generator that belong to it.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// [T, P, 2]: lip points in [-1, 1].
    pub lips: Vec<f32>,
    /// [T, codes, dim]: smoothed codes.
    pub code: Vec<f32>,
    /// [T, 3, image, image]: the reference's picture, warped to these lips.
    pub carried: Vec<f32>,
    /// [1, dim of SyncNet]: the audio's embedding, a unit vector.
    pub sound: Vec<f32>,
}

/// Losses before their weights, and gradients of their weighted sum.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// Picture (equation 6), sync (equation 7), regulariser (equation 9).
    pub terms: [f32; 3],
    /// In the order of [`Step::parameters`].
    pub gradients: Vec<Vec<f32>>,
}

/// One step of adaptation: equation 10 and its gradients for the synthesis network, on any
/// provider. It holds one session; a run uses all of its threads.
pub struct Step {
    pool: Pool,
    /// Names and shapes of the inputs other than the parameters, in `StepInputs`' order.
    inputs: Vec<(&'static str, Vec<usize>)>,
    parameters: Vec<Parameter>,
}

impl Step {
    /// # Errors
    /// [`Error::Bundle`] where the bundle cannot be adapted, or its step does not fit it;
    /// [`Error::Network`] when the graph cannot be loaded.
    pub fn load(bundle: &Bundle, provider: Provider, threads: usize) -> Result<Step> {
        const NAME: &str = "adaptation";
        let manifest = bundle.manifest();
        let (Some(entry), Some(sync)) = (manifest.graphs.get(NAME), manifest.syncnet) else {
            return Err(bundle.refuse(
                format!("graphs.{NAME}"),
                "is missing: this bundle cannot be adapted to a person".into(),
            ));
        };
        let (frames, image) = (sync.frames, manifest.image);
        let picture = vec![frames, 3, image, image];
        let lips = vec![frames, manifest.lips, 2];
        let code = vec![frames, manifest.latent.codes, manifest.latent.dim];
        let sound = vec![1, sync.dim];
        let inputs = vec![
            ("target", picture.clone()),
            ("hole", vec![frames, 1, image, image]),
            ("lips", lips.clone()),
            ("code", code.clone()),
            ("carried", picture.clone()),
            ("sound", sound.clone()),
            ("other_lips", lips),
            ("other_code", code),
            ("other_carried", picture),
            ("other_sound", sound),
            ("weights", vec![3]),
        ];
        let mut parameters = Vec::new();
        for name in entry.inputs.keys() {
            let Some(name) = name.strip_prefix("theta.") else {
                if inputs.iter().all(|(known, _)| known != name) {
                    let field = format!("graphs.{NAME}.inputs.{name}");
                    return Err(bundle.refuse(field, "is not an input of a step".into()));
                }
                continue;
            };
            let stored = format!("{DECODER}{name}");
            let Some(shape) = bundle.shape(&stored) else {
                let field = format!("graphs.{NAME}.inputs.theta.{name}");
                return Err(bundle.refuse(field, format!("is not among the weights: {stored}")));
            };
            parameters.push(Parameter {
                name: name.to_owned(),
                shape: shape.to_vec(),
            });
        }
        let loader = Loader::new(bundle, provider, threads)?;
        let pool = loader.pool(NAME, &BTreeMap::new(), 1)?;
        let step = Step {
            pool,
            inputs,
            parameters,
        };
        step.check(bundle)?;
        Ok(step)
    }

    /// Compares the inputs and outputs of the graph itself with what is expected.
    fn check(&self, bundle: &Bundle) -> Result<()> {
        let same = |found: &ort::value::Outlet, shape: &[usize]| {
            found.dtype().tensor_shape().is_some_and(|dims| {
                dims.len() == shape.len()
                    && dims
                        .iter()
                        .zip(shape)
                        .all(|(&d, &s)| usize::try_from(d) == Ok(s))
            })
        };
        self.pool.run(|session| {
            let theta = |p: &Parameter| (format!("theta.{}", p.name), p.shape.clone());
            let fixed = |(name, shape): &(&str, Vec<usize>)| ((*name).to_owned(), shape.clone());
            let grad = |p: &Parameter| (format!("grad.{}", p.name), p.shape.clone());
            let takes = self.parameters.iter().map(theta);
            let takes: Vec<_> = takes.chain(self.inputs.iter().map(fixed)).collect();
            let gives: Vec<_> = self.parameters.iter().map(grad).collect();
            for (side, found, expected) in [
                ("inputs", session.inputs(), takes),
                ("outputs", session.outputs(), gives),
            ] {
                for (name, shape) in expected {
                    let outlet = found.iter().find(|outlet| outlet.name() == name);
                    if !outlet.is_some_and(|outlet| same(outlet, &shape)) {
                        return Err(bundle.refuse(
                            format!("graphs.adaptation.{side}.{name}"),
                            format!("is not in the graph with shape {shape:?}"),
                        ));
                    }
                }
            }
            Ok(())
        })
    }

    /// The synthesis network's tensors, in the order of every list of them.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The bundle's own values of the parameters.
    ///
    /// # Errors
    /// [`Error::Bundle`] where the weights cannot be read.
    pub fn initial(&self, bundle: &Bundle) -> Result<Vec<Vec<f32>>> {
        let read = |p: &Parameter| bundle.floats(&format!("{DECODER}{}", p.name), &p.shape);
        self.parameters.iter().map(read).collect()
    }

    /// Runs a step with the parameters `theta`; `weights` are lambda_1, lambda_2 and lambda_R of
    /// equations 8 and 10.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the input of another length; [`Error::Network`] when it fails.
    pub fn run(
        &self,
        theta: &[Vec<f32>],
        inputs: &StepInputs,
        weights: [f32; 3],
    ) -> Result<StepResult> {
        let failed = |error: ort::Error| self.pool.failure(error.to_string());
        let (own, unpaired) = (&inputs.own, &inputs.unpaired);
        let fixed: [&[f32]; 11] = [
            &inputs.target,
            &inputs.hole,
            &own.lips,
            &own.code,
            &own.carried,
            &own.sound,
            &unpaired.lips,
            &unpaired.code,
            &unpaired.carried,
            &unpaired.sound,
            &weights,
        ];
        let mut values = Vec::with_capacity(fixed.len() + theta.len());
        for ((name, shape), data) in self.inputs.iter().zip(fixed) {
            let length: usize = shape.iter().product();
            if data.len() != length {
                let reason = format!("has {} values, not {length}: {shape:?}", data.len());
                return Err(Error::Argument {
                    field: name,
                    reason,
                });
            }
            let tensor = TensorRef::from_array_view((shape.as_slice(), data)).map_err(failed)?;
            let value = ort::session::SessionInputValue::from(tensor);
            values.push((Cow::Borrowed(*name), value));
        }
        for (parameter, data) in self.parameters.iter().zip(theta) {
            let shape = parameter.shape.as_slice();
            let tensor = TensorRef::from_array_view((shape, data.as_slice())).map_err(failed)?;
            let value = ort::session::SessionInputValue::from(tensor);
            values.push((Cow::Owned(format!("theta.{}", parameter.name)), value));
        }
        self.pool.run(|seat| {
            seat.run(values, failed, |outputs| {
                let read = |name: &str, length: usize| -> Result<Vec<f32>> {
                    let Some(output) = outputs.get(name) else {
                        return Err(self.pool.failure(format!("it has no output {name}")));
                    };
                    let (found, data) = output.try_extract_tensor::<f32>().map_err(failed)?;
                    if data.len() != length {
                        return Err(self.pool.failure(format!("its {name} has shape {found}")));
                    }
                    Ok(data.to_vec())
                };
                let mut terms = [0.0; 3];
                for (term, name) in terms.iter_mut().zip(["picture", "sync", "regulariser"]) {
                    *term = read(name, 1)?[0];
                }
                let gradient =
                    |p: &Parameter| read(&format!("grad.{}", p.name), p.shape.iter().product());
                let gradients = self
                    .parameters
                    .iter()
                    .map(gradient)
                    .collect::<Result<_>>()?;
                Ok(StepResult { terms, gradients })
            })
        })
    }
}

/// Speech of other people from the training data: mouth shapes of the audio encoder, embeddings of
/// SyncNet.
pub struct Bank {
    shapes: Vec<f32>,
    sounds: Vec<f32>,
    streams: usize,
    frames: usize,
}

impl Bank {
    /// # Errors
    /// [`Error::Bundle`] where the bundle has none, or an incomplete one.
    pub fn load(bundle: &Bundle) -> Result<Bank> {
        let manifest = bundle.manifest();
        let (Some(bank), Some(sync)) = (manifest.bank, manifest.syncnet) else {
            let reason = "is missing: this bundle cannot be adapted to a person";
            return Err(bundle.refuse("manifest.bank".into(), reason.into()));
        };
        let (streams, frames) = (bank.streams, bank.frames);
        let mouth = manifest.face_model.mouth;
        Ok(Bank {
            shapes: bundle.floats("bank.shape", &[streams, frames, mouth])?,
            sounds: bundle.floats("bank.sound", &[streams, frames, sync.dim])?,
            streams,
            frames,
        })
    }

    /// Number of utterances in the bank.
    pub fn streams(&self) -> usize {
        self.streams
    }

    /// Frames, of 40 ms, of each stream.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The mouth's shape in a frame, `[mouth]`.
    ///
    /// # Panics
    /// If there is no such stream or frame.
    pub fn shape(&self, stream: usize, frame: usize) -> &[f32] {
        row(
            &self.shapes,
            self.streams * self.frames,
            stream * self.frames + frame,
        )
    }

    /// SyncNet's vector of the audio of the five frames around a frame, `[dim]`.
    ///
    /// # Panics
    /// If there is no such stream or frame.
    pub fn sound(&self, stream: usize, frame: usize) -> &[f32] {
        row(
            &self.sounds,
            self.streams * self.frames,
            stream * self.frames + frame,
        )
    }
}

fn row(values: &[f32], rows: usize, index: usize) -> &[f32] {
    let width = values.len() / rows;
    &values[index * width..][..width]
}
