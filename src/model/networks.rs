//! The networks as typed calls.
//!
//! Images are planar RGB, sRGB-encoded, in [-1, 1]; tensors are row-major. Every call may be made
//! from any thread: it takes a session from the network's pool (`session`) and waits only when all
//! sessions are in use. On one provider a result depends on the arguments only, not on threads, the
//! order of calls or the batch size.

use super::network::{Loader, Network};
use super::{Bundle, PhoneticEncoder, Provider, ProviderReport, SpeechContext};
use crate::Result;
use crate::face::FaceEmbedding;
use crate::parallel::Parallel;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

pub use super::network::{Placement, Threads};

/// All networks of a bundle. The sessions of each are built when they are needed.
pub struct Networks {
    /// Finds faces.
    pub detector: Detector,
    /// Fits the face mesh.
    pub mesh: MeshPredictor,
    /// E_aud, from audio to mouth shapes: with little of the future.
    pub near: SpeechNetworks,
    /// The same with more of the future.
    pub far: SpeechNetworks,
    /// E_aud, from mouth shapes to latent codes.
    pub shape_code: ShapeCode,
    /// E_ref: reference crop to a latent code.
    pub reference: ReferenceEncoder,
    /// Moving-average latent smoothing.
    pub mals: Mals,
    /// E_face and the generator.
    pub generator: Generator,
    /// What lies in front of the face, where the bundle has a segmenter for it.
    pub occlusion: Option<OcclusionSegmenter>,
    /// Who a face is, where the bundle has a network for it.
    pub recognition: Option<Recognition>,
    loader: Arc<Loader>,
}

impl Networks {
    /// Starts ONNX Runtime where it is not running yet and chooses the provider. The sessions of a network
    /// are built when it is first run, or by [`prepare`](Self::prepare).
    ///
    /// `threads` bounds the threads of one call and the number of calls of one network that run at once on
    /// the CPU. A GPU runs one at a time.
    ///
    /// # Errors
    /// [`Error::Runtime`](crate::Error::Runtime) without ONNX Runtime;
    /// [`Error::Provider`](crate::Error::Provider) when the wanted provider cannot be used. A graph that
    /// cannot be loaded fails the first run: [`Error::Network`](crate::Error::Network) or
    /// [`Error::Bundle`](crate::Error::Bundle).
    pub fn open(
        bundle: &Bundle,
        provider: Provider,
        threads: impl Into<Threads>,
    ) -> Result<Networks> {
        let loader = Loader::new(bundle, provider, threads)?;
        let optional = |name: &'static str| {
            let known = bundle.has(name);
            known.then(|| loader.network(name)).transpose()
        };
        Ok(Networks {
            detector: Detector(loader.network("detector")?),
            mesh: MeshPredictor(loader.network("mesh")?),
            near: SpeechNetworks::new(&loader, SpeechContext::Near)?,
            far: SpeechNetworks::new(&loader, SpeechContext::Far)?,
            shape_code: ShapeCode(loader.network("shape_code")?),
            reference: ReferenceEncoder(loader.network("reference_encoder")?),
            mals: Mals(loader.network("mals")?),
            generator: Generator(loader.network("generator")?),
            occlusion: optional("occlusion")?.map(OcclusionSegmenter),
            recognition: optional("recognition")?.map(Recognition),
            loader,
        })
    }

    /// As [`open`](Self::open), and builds the first session of each network.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::Network`](crate::Error::Network) or
    /// [`Error::Bundle`](crate::Error::Bundle) when a graph cannot be loaded.
    pub fn load(
        bundle: &Bundle,
        provider: Provider,
        threads: impl Into<Threads>,
    ) -> Result<Networks> {
        let networks = Self::open(bundle, provider, threads)?;
        networks.build(&networks.all())?;
        Ok(networks)
    }

    /// Builds the first sessions of the networks that each rendered frame needs, several at once, so that the
    /// first frame does not wait for one after the other.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) or [`Error::Bundle`](crate::Error::Bundle) when a graph
    /// cannot be loaded.
    pub fn prepare(&self, context: SpeechContext) -> Result<()> {
        let SpeechNetworks { phonetic, audio } = self.speech(context);
        self.build(&[
            &self.generator.0,
            phonetic.network(),
            &self.mals.0,
            &audio.0,
            &self.shape_code.0,
        ])
    }

    fn build(&self, networks: &[&Network]) -> Result<()> {
        let missing: Vec<_> = networks.iter().filter(|known| !known.is_built()).collect();
        let threads = self.threads().most.min(missing.len());
        let next = Mutex::new(missing.into_iter());
        let take = || next.lock().next();
        let build = |()| {
            while let Some(network) = take() {
                // A failure is reported below: the first in order, whichever thread was faster.
                _ = network.build();
            }
        };
        Parallel::new(threads).each(vec![(); threads], &build);
        networks.iter().try_for_each(|network| network.build())
    }

    fn all(&self) -> Vec<&Network> {
        let always = [
            &self.generator.0,
            &self.detector.0,
            &self.mesh.0,
            self.near.phonetic.network(),
            &self.near.audio.0,
            self.far.phonetic.network(),
            &self.far.audio.0,
            &self.shape_code.0,
            &self.reference.0,
            &self.mals.0,
        ];
        always
            .into_iter()
            .chain(self.occlusion.iter().map(|segmenter| &segmenter.0))
            .chain(self.recognition.iter().map(|recognition| &recognition.0))
            .collect()
    }

    /// The networks from audio to mouth shapes.
    pub fn speech(&self, context: SpeechContext) -> &SpeechNetworks {
        match context {
            SpeechContext::Near => &self.near,
            SpeechContext::Far => &self.far,
        }
    }

    /// The provider really in use, and why others are not.
    pub fn provider(&self) -> &ProviderReport {
        &self.loader.report
    }

    /// How the processor's cores are used.
    pub fn threads(&self) -> Threads {
        self.loader.threads
    }

    /// For each network whose sessions were built, which providers its nodes were given to.
    pub fn placements(&self) -> Vec<Placement> {
        let networks = self.all().into_iter();
        networks.filter_map(Network::placement).collect()
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

/// Predicts the parametric mesh and its pose from a crop around a face (paper, section 3.1).
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
    /// Logarithm of one model unit in half-sides of the crop.
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
                .ok_or_else(|| self.0.failure("its pose is incomplete".into()))
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

/// The networks from audio to mouth shapes, of one context.
pub struct SpeechNetworks {
    /// Audio to phonetic features.
    pub phonetic: PhoneticEncoder,
    /// Phonetic features to a mouth shape.
    pub audio: AudioEncoder,
}

impl SpeechNetworks {
    fn new(loader: &Arc<Loader>, context: SpeechContext) -> Result<Self> {
        Ok(Self {
            phonetic: PhoneticEncoder::new(loader, context)?,
            audio: AudioEncoder(loader.network(context.audio_encoder())?),
        })
    }
}

/// The first part of E_aud: phonetic features to a mouth shape (paper, section 3.2).
pub struct AudioEncoder(Network);

impl AudioEncoder {
    /// `features`: the columns around a frame's time, [components, before + 1 + after]. Gives
    /// coefficients of the mouth's expression, `[mouth]`.
    pub fn run(&self, features: &[f32]) -> Result<Vec<f32>> {
        let [shape] = self.0.run([features])?;
        Ok(shape)
    }
}

/// The second part of E_aud: mouth shapes to the latent codes `a_t` (paper, section 3.2).
pub struct ShapeCode(Network);

impl ShapeCode {
    /// `shapes`: [[`MALS_WINDOW`](super::manifest::MALS_WINDOW), mouth]. Gives [`MALS_WINDOW`, codes,
    /// dim].
    ///
    /// Always as many shapes as MaLS takes: a matrix product of another height may round
    /// differently, and then a code would depend on its neighbours in the call.
    pub fn run(&self, shapes: &[f32]) -> Result<Vec<f32>> {
        let [codes] = self.0.run([shapes])?;
        Ok(codes)
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
    /// `codes`: the codes around a frame, [[`MALS_WINDOW`](super::manifest::MALS_WINDOW), codes,
    /// dim], the oldest first; `reference`: [codes, dim]. Gives the smoothed code, [codes, dim].
    pub fn run(&self, codes: &[f32], reference: &[f32]) -> Result<Vec<f32>> {
        let [code] = self.0.run([codes, reference])?;
        Ok(code)
    }
}

/// Finds hands, microphones and food in front of the mouth. Not in the paper.
pub struct OcclusionSegmenter(Network);

impl OcclusionSegmenter {
    /// `face`: the crop, [3, image, image], unmasked. Gives logits, [image / 2, image / 2]: above 0 where
    /// something lies in front of the face.
    pub fn run(&self, face: &[f32]) -> Result<Vec<f32>> {
        let [logits] = self.0.run([face])?;
        Ok(logits)
    }
}

/// Tells people apart. Not in the paper.
pub struct Recognition(Network);

impl Recognition {
    /// `face`: the crop that the mesh predictor takes, upright, [3, size, size]. `None` where the network gives
    /// no direction.
    pub fn run(&self, face: &[f32]) -> Result<Option<FaceEmbedding>> {
        let [embedding] = self.0.run([face])?;
        Ok(FaceEmbedding::new(&embedding))
    }
}

/// E_face and the decoder G with style-aware masked fusion, as one graph (paper, section 3.4).
pub struct Generator(Network);

impl Generator {
    /// A generator whose synthesis network has a person's tensors, by their names in the decoder,
    /// where they are given. One session, not one model: the rest is the bundle's.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when a tensor does not fit or the graph cannot be
    /// loaded.
    pub fn adapted(
        bundle: &Bundle,
        provider: Provider,
        threads: impl Into<Threads>,
        tensors: &BTreeMap<String, Vec<f32>>,
    ) -> Result<Generator> {
        let others = tensors
            .iter()
            .map(|(name, values)| (format!("decoder.{name}"), values.clone()))
            .collect();
        let loader = Loader::new(bundle, provider, threads)?;
        loader.network_with("generator", &others).map(Generator)
    }

    /// `face`: the masked crop, [3, image, image]; `lips`: [P, 2] in [-1, 1]; `code`: [codes, dim];
    /// `carried`: the reference's picture with the wanted mouth, [3, image, image], which a bundle
    /// without `carry` in its manifest ignores. Gives the image, [3, image, image].
    pub fn run(
        &self,
        face: &[f32],
        lips: &[f32],
        code: &[f32],
        carried: &[f32],
    ) -> Result<Vec<f32>> {
        let [image] = match self.0.signature.inputs.len() {
            3 => self.0.run([face, lips, code])?,
            _ => self.0.run([face, lips, code, carried])?,
        };
        Ok(image)
    }
}
