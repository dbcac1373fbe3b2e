//! The values of the controls at one time, each within its range.

use std::path::PathBuf;

use stylelipsync::model::Provider;
use stylelipsync::{Corner, Label};

use crate::controls::*;
use crate::error::{ActionError, Result};
use crate::host::Host;
use crate::parameters::Parameters;

/// The values of the controls at one time.
#[derive(Clone, Debug)]
pub struct Settings {
    pub audio: Option<PathBuf>,
    /// Milliseconds; positive is later.
    pub audio_offset: f64,
    /// The frame at which the audio starts; `None`: the first frame of the clip.
    pub audio_start: Option<i32>,
    /// Frames per second; `None`: the host's.
    pub frame_rate: Option<f64>,
    pub face: FaceChoice,
    /// The reference frame; `None`: found automatically.
    pub reference: Option<i32>,
    /// 0 (source) to 1.
    pub strength: f32,
    pub articulation: f32,
    /// Of the person's own pictures, 0 to 2.
    pub detail: f32,
    /// Pixels of the face crop, -20 to 20.
    pub mask_grow: f32,
    /// 0 to 4.
    pub mask_feather: f32,
    /// 0 (none) to 1.
    pub colour_match: f32,
    pub input_colour: InputColour,
    pub label: Option<Label>,
    pub watermark: bool,
    pub output: Output,
    pub on_problem: OnProblem,
    /// A model folder, empty where none was chosen; `None`: the built-in model.
    pub bundle: Option<PathBuf>,
    pub provider: Provider,
    pub person: Option<PathBuf>,
    pub consent: Option<PathBuf>,
    pub require_consent: bool,
}

impl Settings {
    /// Reads the parameters. A host or a saved project may hold any value: those out of range are
    /// clamped, and those that are not finite become the default.
    ///
    /// # Errors
    /// [`ActionError::Host`](crate::error::ActionError::Host) where the host refuses.
    pub fn read(host: &Host, parameters: &Parameters, time: f64) -> Result<Self> {
        let int = |name| parameters.int(host, name);
        let double = |name, low: f64, high: f64, default: f64| -> Result<f64> {
            let value = parameters.double(host, name, time)?;
            Ok(match value.is_finite() {
                true => value.clamp(low, high),
                false => default,
            })
        };
        let path = |name| -> Result<Option<PathBuf>> {
            let text = parameters.text(host, name)?;
            Ok((!text.is_empty()).then(|| PathBuf::from(text)))
        };
        let frame_rate = double(FRAME_RATE, 0.0, 1000.0, 0.0)?;
        Ok(Self {
            audio: path(AUDIO)?,
            audio_offset: double(AUDIO_OFFSET, -3.6e6, 3.6e6, 0.0)?,
            audio_start: match (int(AUDIO_FROM)?, int(AUDIO_START)?) {
                // Projects without Audio Begins keep the frame that they have set.
                (from, 0) if from != 1 => None,
                (_, frame) => Some(frame.clamp(-MAX_FRAME, MAX_FRAME)),
            },
            frame_rate: (frame_rate >= 1.0).then_some(frame_rate),
            face: match int(FACE)? {
                1 => FaceChoice::Point(parameters.point(host, FACE_POINT)?),
                2 => FaceChoice::FromLeft(int(FACE_NUMBER)?.clamp(1, 100) as u32 - 1),
                3 => FaceChoice::Picture(path(FACE_PICTURE)?),
                _ => FaceChoice::Largest,
            },
            reference: match int(REFERENCE)? {
                1 => Some(int(REFERENCE_FRAME)?.clamp(-MAX_FRAME, MAX_FRAME)),
                _ => None,
            },
            strength: double(STRENGTH, 0.0, 1.0, 1.0)? as f32,
            articulation: double(ARTICULATION, 0.0, 2.0, 1.0)? as f32,
            detail: double(DETAIL, 0.0, 2.0, 1.0)? as f32,
            mask_grow: double(MASK_GROW, -20.0, 20.0, 0.0)? as f32,
            mask_feather: double(MASK_FEATHER, 0.0, 4.0, 1.0)? as f32,
            colour_match: double(COLOUR_MATCH, 0.0, 1.0, 1.0)? as f32,
            input_colour: match int(INPUT_COLOUR)? {
                1 => InputColour::Srgb,
                2 => InputColour::Rec709,
                3 => InputColour::Linear,
                4 => InputColour::AcesCg,
                5 if host.linear => InputColour::Linear,
                6 => InputColour::Pq,
                7 => InputColour::Hlg,
                8 => InputColour::PqP3,
                9 => InputColour::PqRec709,
                10 => InputColour::HlgRec709,
                _ => InputColour::Display,
            },
            label: match int(LABEL)? {
                1 => Some(Corner::TopLeft),
                2 => Some(Corner::TopRight),
                3 => Some(Corner::BottomLeft),
                4 => Some(Corner::BottomRight),
                _ => None,
            }
            .map(|corner| {
                Ok::<_, ActionError>(Label {
                    corner,
                    size: double(LABEL_SIZE, 0.01, 0.5, 0.06)? as f32,
                    opacity: double(LABEL_OPACITY, 0.0, 1.0, 0.8)? as f32,
                })
            })
            .transpose()?,
            watermark: int(WATERMARK)? == 1,
            output: match int(OUTPUT)? {
                1 => Output::MatteInAlpha,
                2 => Output::MaskOverlay,
                3 => Output::TrackOverlay,
                4 => Output::Layer(Layer::Mouth),
                5 => Output::Layer(Layer::Matte),
                6 => Output::Layer(Layer::StMap),
                _ => Output::Result,
            },
            on_problem: match int(ON_PROBLEM)? {
                1 => OnProblem::PassThrough,
                2 => OnProblem::Fail,
                _ => OnProblem::Automatic,
            },
            bundle: match int(MODEL)? {
                1 => Some(path(MODEL_FOLDER)?.unwrap_or_default()),
                _ => None,
            },
            provider: match int(DEVICE)? {
                1 => Provider::Cpu,
                2 => Provider::WebGpu,
                3 => Provider::Cuda,
                4 => Provider::CoreMl,
                5 => Provider::DirectMl,
                6 => Provider::OpenVino,
                7 => Provider::OpenVinoBf16,
                8 => Provider::OpenVinoGpu,
                9 => Provider::OpenVinoNpu,
                _ => Provider::Auto,
            },
            person: path(PERSON)?,
            consent: path(CONSENT_FILE)?,
            require_consent: int(REQUIRE_CONSENT)? == 1,
        })
    }

    /// Whether the output is the source, whatever the picture shows.
    pub fn is_pass_through(&self) -> bool {
        self.output == Output::Result && (self.audio.is_none() || self.strength <= 0.0)
    }
}
