//! `manifest.json`: the description of a bundle, and the sizes that the rest of the engine reads
//! from it.

use crate::Error;
use crate::audio::MelParameters;
use crate::face::crop::IMAGE;
use crate::face::{CropProtocol, MaskProtocol, ReferenceWarpProtocol};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The format of bundles that this library reads.
pub const FORMAT: u64 = 2;

// Constants of the format: the same in every bundle.

/// How far MaLS looks to each side, in codes of 40 ms: one of the moving average (paper, equation
/// 4) and two of its convolutions.
pub const MALS_REACH: usize = 3;
/// Codes in the window of one smoothed code.
pub const MALS_WINDOW: usize = 2 * MALS_REACH + 1;
/// Weights of the moving average (paper, section 4.1: alpha).
pub const MALS_WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];

/// The content of `manifest.json`. Every number was checked when the bundle was opened.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// Name of the bundle, for instance `lite`.
    pub name: String,
    /// The bundle's own version.
    pub version: String,
    /// The latent space.
    pub latent: Latent,
    /// Side of the generator's image in pixels: 256.
    pub image: usize,
    /// Parameters of the mel spectrogram.
    pub mel: MelParameters,
    /// Sizes of the phonetic encoder.
    pub phonetic: PhoneticSizes,
    /// How the face crop is placed.
    pub crop: CropProtocol,
    /// Sizes of the face model.
    pub face_model: FaceModelSizes,
    /// Parameters of the pose-aware mask.
    pub mask: MaskProtocol,
    /// Number of lip points that the generator is given.
    pub lips: usize,
    /// Absent where the generator is not given the reference's picture (as in the paper).
    #[serde(default)]
    pub carry: Option<ReferenceWarpProtocol>,
    /// Input and grid of the face detector.
    pub detector: DetectorSizes,
    /// Input of the mesh predictor.
    pub mesh: MeshSizes,
    /// Absent where the bundle has no SyncNet.
    #[serde(default)]
    pub syncnet: Option<SyncNetSizes>,
    /// Absent where the bundle cannot be adapted to a person.
    #[serde(default)]
    pub bank: Option<Bank>,
    /// Absent where a person's range of movement is not to be used.
    #[serde(default)]
    pub range: Option<RangeProtocol>,
    /// The graphs, by the names of their networks.
    pub graphs: BTreeMap<String, GraphEntry>,
    /// The file with the weights of all graphs.
    pub weights: FileEntry,
    /// Where the weights come from: training data, recipe, dates. Free form, for people.
    #[serde(default)]
    pub provenance: serde_json::Value,
}

/// The latent space W+ (paper, section 3.2).
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Latent {
    /// Width of one code.
    pub dim: usize,
    /// Codes per frame: 14 at 256x256.
    pub codes: usize,
}

/// How far ahead of a frame its audio is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SpeechContext {
    /// Little of the future, for streams that are shown as they arrive.
    #[default]
    Near,
    /// More of the future: the mouth follows the speech better.
    Far,
}

impl SpeechContext {
    /// Every context.
    pub const ALL: [SpeechContext; 2] = [SpeechContext::Near, SpeechContext::Far];

    /// Name of its phonetic encoder.
    pub(super) fn phonetic(self) -> &'static str {
        match self {
            SpeechContext::Near => "phonetic",
            SpeechContext::Far => "phonetic_far",
        }
    }

    /// Name of its audio encoder.
    pub(super) fn audio_encoder(self) -> &'static str {
        match self {
            SpeechContext::Near => "audio_encoder",
            SpeechContext::Far => "audio_encoder_far",
        }
    }
}

/// The phonetic encoder and the windows of the audio encoder.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct PhoneticSizes {
    /// Mel columns from one feature column to the next.
    pub step: usize,
    /// Feature columns that are computed in one run.
    pub block: usize,
    /// Values of a feature column.
    pub components: usize,
    /// The context [`SpeechContext::Near`].
    pub near: ContextSizes,
    /// The context [`SpeechContext::Far`].
    pub far: ContextSizes,
}

impl PhoneticSizes {
    /// The sizes of one context.
    pub fn context(&self, context: SpeechContext) -> ContextSizes {
        match context {
            SpeechContext::Near => self.near,
            SpeechContext::Far => self.far,
        }
    }

    /// Mel columns that one block of features depends on.
    pub fn block_columns(&self, context: SpeechContext) -> usize {
        let ContextSizes { past, future, .. } = self.context(context);
        past + future + 1 + self.step * (self.block - 1)
    }
}

/// What features, and codes made from them, depend on.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ContextSizes {
    /// Mel columns before its own that a feature column depends on.
    pub past: usize,
    /// Mel columns after its own that a feature column depends on.
    pub future: usize,
    /// Feature columns before a frame's time that the audio encoder takes.
    pub before: usize,
    /// Feature columns after a frame's time that the audio encoder takes.
    pub after: usize,
}

/// Sizes of the linear face model (paper, section 3.1).
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct FaceModelSizes {
    /// Vertices of the mesh.
    pub vertices: usize,
    /// Identity coefficients.
    pub identity: usize,
    /// Expression coefficients: 64.
    pub expression: usize,
    /// This many expression coefficients, the first ones, move the lower face only.
    pub mouth: usize,
}

/// The face detector's grid.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct DetectorSizes {
    /// Side of its input in pixels.
    pub size: usize,
    /// Pixels of a cell.
    pub stride: usize,
    /// A cell holds a face when the sigmoid of its score is at least this.
    pub threshold: f32,
}

/// The mesh predictor's input.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct MeshSizes {
    /// Side of its input in pixels.
    pub size: usize,
    /// Side of its crop in units of the detected face's side.
    pub margin: f32,
}

/// SyncNet, for evaluation.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct SyncNetSizes {
    /// Video frames (of 40 ms) that it sees at once.
    pub frames: usize,
    /// Length of its vectors.
    pub dim: usize,
}

/// How the range of a person's mouth changes the movement that the audio gives.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct RangeProtocol {
    /// The range of the lips' opening that the mesh predictor sees in typical people who speak, from
    /// the 10th to the 90th percentile, in units of the face model.
    pub typical: f32,
    /// The range of the opening that E_aud gives for the speech of such people.
    pub speech: f32,
    /// The gain is the person's range over the typical one, divided by that of the speech where all of it is
    /// known, to this power, 0 to 1.
    pub power: f32,
    /// This many frames make half of the gain's logarithm.
    pub frames: f32,
}

/// The unpaired speech that adaptation needs (paper, section 4): tensors `bank.shape` [streams,
/// frames, face_model.mouth] and `bank.sound` [streams, frames, syncnet.dim].
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Bank {
    /// Utterances.
    pub streams: usize,
    /// Of 40 ms, in each stream.
    pub frames: usize,
}

/// A file of the bundle.
#[derive(Debug, Clone, Deserialize)]
pub struct FileEntry {
    /// Its name; the bundle is one flat folder.
    pub file: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A graph without weights.
#[derive(Debug, Clone, Deserialize)]
pub struct GraphEntry {
    /// Its file name.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Names and shapes of its inputs.
    pub inputs: BTreeMap<String, Vec<Dimension>>,
    /// Names and shapes of its outputs.
    pub outputs: BTreeMap<String, Vec<Dimension>>,
    /// Its tensors are those of other graphs, by their whole names.
    #[serde(default)]
    pub shares: bool,
}

/// One dimension of a tensor: a number, or anything else (-1, null, a symbol) where it is free.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "serde_json::Value")]
pub struct Dimension(pub Option<usize>);

impl From<serde_json::Value> for Dimension {
    fn from(value: serde_json::Value) -> Self {
        Dimension(
            value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok()),
        )
    }
}

/// Why a manifest is refused: the field and the reason.
pub(super) type Refusal = (String, String);

impl Manifest {
    /// Reads and checks a manifest.
    pub(super) fn parse(bytes: &[u8]) -> Result<Manifest, Refusal> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u64,
        }
        let broken = |error: serde_json::Error| ("manifest.json".to_owned(), error.to_string());
        // The format first: a later one may have other fields altogether.
        let Versioned { format } = serde_json::from_slice(bytes).map_err(broken)?;
        if format != FORMAT {
            let reason = format!("is {format}; this library reads format {FORMAT}");
            return Err(("manifest.format".into(), reason));
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(broken)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Refusal> {
        if let Err(Error::Argument { field, reason }) = self.mel.check() {
            return Err((format!("manifest.{field}"), reason));
        }
        let sync = self.syncnet.unwrap_or(SyncNetSizes { frames: 1, dim: 1 });
        let bank = self.bank.unwrap_or(Bank {
            streams: 1,
            frames: 64,
        });
        let carry = self.carry.unwrap_or(ReferenceWarpProtocol {
            grid: 2,
            sigma: 1.0,
        });
        let range = self.range.unwrap_or(RangeProtocol {
            typical: 1.0,
            speech: 1.0,
            power: 0.0,
            frames: 0.0,
        });
        let PhoneticSizes { near, far, .. } = self.phonetic;
        let sizes = [
            ("carry.grid", carry.grid, 2, 256),
            ("bank.streams", bank.streams, 1, 65_536),
            ("bank.frames", bank.frames, 16, 65_536),
            ("syncnet.frames", sync.frames, 1, 256),
            ("syncnet.dim", sync.dim, 1, 4096),
            ("phonetic.step", self.phonetic.step, 1, 16),
            ("phonetic.block", self.phonetic.block, 1, 128),
            ("phonetic.components", self.phonetic.components, 1, 1024),
            ("phonetic.near.past", near.past, 0, 400),
            ("phonetic.near.future", near.future, 0, 400),
            ("phonetic.near.before", near.before, 0, 64),
            ("phonetic.near.after", near.after, 0, 64),
            ("phonetic.far.past", far.past, 0, 400),
            ("phonetic.far.future", far.future, 0, 400),
            ("phonetic.far.before", far.before, 0, 64),
            ("phonetic.far.after", far.after, 0, 64),
            ("latent.dim", self.latent.dim, 1, 4096),
            ("latent.codes", self.latent.codes, 14, 14),
            ("image", self.image, IMAGE, IMAGE),
            ("face_model.vertices", self.face_model.vertices, 3, 100_000),
            ("face_model.identity", self.face_model.identity, 1, 1024),
            ("face_model.expression", self.face_model.expression, 1, 1024),
            (
                "face_model.mouth",
                self.face_model.mouth,
                1,
                self.face_model.expression,
            ),
            ("lips", self.lips, 1, self.face_model.vertices),
            ("detector.size", self.detector.size, 32, 4096),
            (
                "detector.stride",
                self.detector.stride,
                1,
                self.detector.size,
            ),
            ("mesh.size", self.mesh.size, 32, 4096),
        ];
        for (field, value, least, most) in sizes {
            if !(least..=most).contains(&value) {
                let reason = format!("is {value}, outside {least} to {most}");
                return Err((format!("manifest.{field}"), reason));
            }
        }
        for context in SpeechContext::ALL {
            // The limit of `MelParameters`; steps of 16 and blocks of 128 would exceed it.
            let columns = self.phonetic.block_columns(context);
            if columns > 1024 {
                let reason = format!("makes blocks of {columns} mel columns, above 1024");
                return Err(("manifest.phonetic.block".into(), reason));
            }
        }
        if !self.detector.size.is_multiple_of(self.detector.stride) {
            let reason = format!(
                "is not a multiple of detector.stride {}",
                self.detector.stride
            );
            return Err(("manifest.detector.size".into(), reason));
        }
        let [x, y, z] = self.crop.centre;
        let numbers = [
            ("crop.centre", x, -1e4, 1e4),
            ("crop.centre", y, -1e4, 1e4),
            ("crop.centre", z, -1e4, 1e4),
            ("crop.side", self.crop.side, 1e-4, 1e4),
            ("mask.grow", self.mask.grow, -128.0, 128.0),
            ("mask.feather", self.mask.feather, 0.0, 128.0),
            ("carry.sigma", carry.sigma, 1e-3, 4.0),
            ("range.typical", range.typical, 1e-4, 10.0),
            ("range.speech", range.speech, 1e-4, 10.0),
            ("range.power", range.power, 0.0, 1.0),
            ("range.frames", range.frames, 0.0, 1e6),
            ("detector.threshold", self.detector.threshold, 0.0, 1.0),
            ("mesh.margin", self.mesh.margin, 0.1, 10.0),
        ];
        for (field, value, least, most) in numbers {
            // Written so that NaN is refused.
            if !(value >= least && value <= most) {
                let reason = format!("is {value}, outside {least} to {most}");
                return Err((format!("manifest.{field}"), reason));
            }
        }
        Ok(())
    }
}
