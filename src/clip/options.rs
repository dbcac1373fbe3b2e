//! Options of a clip and of a frame, and the result of rendering one.

use super::Timing;
use crate::audio::Rate;
use crate::face::MaskTrim;
use crate::frame::{ColourMatch, Label, Layers, Transfer};
use crate::latent::MAX_ARTICULATION;
use crate::model::SpeechContext;
use crate::track::Selection;
use crate::{Error, Result, memory};

/// The largest [`detail`](FrameOptions::detail).
pub const MAX_DETAIL: f32 = 2.0;

/// How a clip is rendered. Every frame of one clip is rendered with the same options.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipOptions {
    /// When the frames are.
    pub timing: Timing,
    /// Where the audio's first sample lies on the clip's clock, in samples at 16 kHz: positive
    /// delays the audio, negative drops its beginning.
    pub audio_offset: i64,
    /// How far ahead of a frame its audio is heard.
    pub context: SpeechContext,
    /// Which face speaks.
    pub selection: Selection,
    /// How pixel values relate to light.
    pub transfer: Transfer,
    /// How much of the new mouth is shown, 0 (the source, untouched) to 1.
    pub strength: f32,
    /// How far the new mouth may be matched to the light around it.
    pub colour_match: ColourMatch,
    /// How the edge of the generated region is trimmed.
    pub mask: MaskTrim,
    /// Whether the mouth is painted over what lies in front of it. By default hands, microphones and food stay
    /// visible, where the bundle can find them.
    pub ignore_occlusion: bool,
    /// The most bytes of frames, audio and pictures of the person that the clip may hold; `None`: no
    /// limit. A call that would hold more fails with [`Error::Memory`]. The bank of an analysis takes
    /// about a quarter of it, and holds the detail of large faces from 672 MiB on.
    pub memory: Option<u64>,
    /// Frames of the bank less than this many samples at 16 kHz away from the frame that is rendered are
    /// not used: for evaluation only, so that no frame is shown its own picture. 0: all are used.
    pub reference_gap: i64,
    /// Whether frames are rendered only with consent that holds today: set for the clip, or in its person
    /// file. Without it, calls that render fail with [`Error::Consent`].
    pub require_consent: bool,
    /// A label that is drawn over every rendered frame, also where the mouth was not changed: the one thing
    /// that changes pixels outside the mask.
    pub label: Option<Label>,
}

impl Default for ClipOptions {
    /// 25 frames a second, the audio from frame 0 on, the largest face, display-referred pixels.
    fn default() -> Self {
        Self {
            timing: Timing::Constant(Rate { num: 25, den: 1 }),
            audio_offset: 0,
            context: SpeechContext::default(),
            selection: Selection::default(),
            transfer: Transfer::Display,
            strength: 1.0,
            colour_match: ColourMatch::default(),
            mask: MaskTrim::default(),
            ignore_occlusion: false,
            memory: None,
            reference_gap: 0,
            require_consent: false,
            label: None,
        }
    }
}

impl ClipOptions {
    /// [`Error::Argument`] naming the first field that is outside its range.
    pub(crate) fn check(&self) -> Result<()> {
        self.timing.check()?;
        for (field, value, range) in [
            ("mask.grow", self.mask.grow, -20.0..=20.0),
            ("mask.feather", self.mask.feather, 0.0..=4.0),
        ] {
            if !range.contains(&value) {
                let reason = format!("{value} is not in {} to {}", range.start(), range.end());
                return Err(Error::Argument { field, reason });
            }
        }
        if self.reference_gap < 0 {
            return Err(Error::Argument {
                field: "reference_gap",
                reason: format!("{} is negative", self.reference_gap),
            });
        }
        if let Some(label) = &self.label {
            label.check()?;
        }
        check_strength(self.strength)
    }
}

fn check_strength(strength: f32) -> Result<()> {
    if (0.0..=1.0).contains(&strength) {
        return Ok(());
    }
    Err(Error::Argument {
        field: "strength",
        reason: format!("{strength} is not in 0 to 1"),
    })
}

/// Options of one frame.
#[derive(Debug)]
pub struct FrameOptions<'a> {
    /// Multiplies the clip's strength, for hosts that animate it; 0 to 1.
    pub strength: f32,
    /// Multiplies the movement of the mouth, for hosts that animate it; 0 (at rest) to 2.
    pub articulation: f32,
    /// How much of the fine detail of the person's own pictures is used where the generated mouth agrees
    /// with them: 0 (none) to 2; 1 as they show it.
    pub detail: f32,
    /// Receives the matte, where one is given.
    pub matte: Option<&'a mut Matte>,
    /// Receives what the frame was composited from, where one is given.
    pub layers: Option<&'a mut Layers>,
    /// Receives what was done for each speaker of the clip, the first one first, where one is given.
    pub speakers: Option<&'a mut Vec<Rendered>>,
}

impl Default for FrameOptions<'_> {
    fn default() -> Self {
        Self {
            strength: 1.0,
            articulation: 1.0,
            detail: 1.0,
            matte: None,
            layers: None,
            speakers: None,
        }
    }
}

/// The numbers of [`FrameOptions`].
#[derive(Clone, Copy)]
pub(super) struct Levels {
    pub strength: f32,
    pub articulation: f32,
    pub detail: f32,
}

impl FrameOptions<'_> {
    pub(super) fn levels(&self) -> Levels {
        Levels {
            strength: self.strength,
            articulation: self.articulation,
            detail: self.detail,
        }
    }

    /// Empties matte and layers, where they are wanted.
    pub(crate) fn clear(&mut self, width: usize, height: usize) -> Result<()> {
        if let Some(matte) = &mut self.matte {
            matte.clear(width, height)?;
        }
        if let Some(layers) = &mut self.layers {
            layers.clear(width, height)?;
        }
        Ok(())
    }

    /// Every call that renders checks its options; this is for callers that have work to do first.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the first field that is outside its range.
    pub fn check(&self) -> Result<()> {
        check_strength(self.strength)?;
        for (field, value, most) in [
            ("articulation", self.articulation, MAX_ARTICULATION),
            ("detail", self.detail, MAX_DETAIL),
        ] {
            if !(0.0..=most).contains(&value) {
                let reason = format!("{value} is not in 0 to {most}");
                return Err(Error::Argument { field, reason });
            }
        }
        Ok(())
    }
}

/// How much of each pixel of a frame was generated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matte {
    /// Width in pixels, the frame's.
    pub width: usize,
    /// Height in pixels, the frame's.
    pub height: usize,
    /// `[height, width]`, top row first: 0 = the source's pixel, bit for bit; 1 = generated.
    pub alpha: Vec<f32>,
}

impl Matte {
    /// Makes the matte all 0 at the given size; its memory is reused.
    pub(crate) fn clear(&mut self, width: usize, height: usize) -> Result<()> {
        (self.width, self.height) = (width, height);
        self.alpha.clear();
        memory::reserve(&mut self.alpha, width * height, "matte")?;
        self.alpha.resize(width * height, 0.0);
        Ok(())
    }
}

/// What was done to a frame. Of several speakers, face, confidence and strength are those of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rendered {
    /// Index of the frame.
    pub index: i64,
    /// The number of the face that speaks in this clip; `None` when no face was found.
    pub face: Option<u32>,
    /// Confidence of the face, 0 to 1; 0 without a face.
    pub confidence: f32,
    /// The share of the new mouth that was blended in, 0 to 1: strength times the fade.
    pub strength: f32,
    /// Whether the mouth was changed. Otherwise the frame is its source, bit for bit, but for the
    /// [label](ClipOptions::label).
    pub changed: bool,
}

impl Rendered {
    /// A frame that is copied unchanged.
    pub(crate) fn untouched(index: i64) -> Self {
        Self {
            index,
            face: None,
            confidence: 0.0,
            strength: 0.0,
            changed: false,
        }
    }
}

/// A face that was found in a frame, for selecting one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenFace {
    /// Its number in the clip: what [`Selection::Id`] takes.
    pub id: u32,
    /// Middle of its crop, frame pixels, row 0 on top; columns times the pixel aspect ratio.
    pub centre: [f64; 2],
    /// Side of its crop, rows of the frame.
    pub side: f64,
    /// Its confidence, 0 to 1.
    pub confidence: f32,
}

/// How far a stream's input must be ahead of the frame that is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookAhead {
    /// Frames after the pulled one, for the smoothing of tracks.
    pub frames: usize,
    /// Samples at 16 kHz after the time of the pulled frame: three codes of MaLS and what the audio
    /// encoder hears of the future ([`ClipOptions::context`]). Frames that are pushed with times of
    /// their own may need up to 20 ms more. Audio of another rate needs a few milliseconds more,
    /// which the resampler holds back.
    pub audio: i64,
    /// Frames, from the first one with a face on, among which the reference is chosen where none
    /// was set. They delay the first frame of each shot.
    pub reference: usize,
}

/// What a clip holds in memory. None of it grows with the length of a stream; `analysed` grows with
/// the frames passed to [`analyze`](super::Clip::analyze), about 800 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Mouth shapes in the cache.
    pub shapes: usize,
    /// Frames waiting in the stream.
    pub frames: usize,
    /// Tracks of frames in the stream.
    pub tracks: usize,
    /// Frames that may become the reference, of the stream or of the analysis.
    pub candidates: usize,
    /// Pictures of the person, each of 256 to 896 KiB: those of profiles, and those that they are made from.
    pub pictures: usize,
    /// Samples of audio at 16 kHz.
    pub audio: usize,
    /// Frames analysed for random access.
    pub analysed: usize,
    /// Bytes of the frames, the audio and the pictures of the person: what [`ClipOptions::memory`] limits.
    pub bytes: u64,
}
