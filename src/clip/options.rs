//! What a caller says about a clip and a frame, and what it is told.

use super::Timing;
use crate::audio::Rate;
use crate::face::MaskTrim;
use crate::frame::{ColourMatch, Transfer};
use crate::track::Selection;
use crate::{Error, Result, memory};

/// How a clip is rendered. Every frame of one clip is rendered with the same options.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipOptions {
    /// When the frames are.
    pub timing: Timing,
    /// Where the audio's first sample lies on the clip's clock, in samples at 16 kHz: positive
    /// starts the words later, negative drops their beginning.
    pub audio_offset: i64,
    /// Which face speaks.
    pub selection: Selection,
    /// How the numbers of the frames relate to light.
    pub transfer: Transfer,
    /// How much of the new mouth is shown, 0 (the source, untouched) to 1.
    pub strength: f32,
    /// How far the new mouth may be matched to the light round it.
    pub colour_match: ColourMatch,
    /// How the rim of what is painted is trimmed.
    pub mask: MaskTrim,
    /// The most bytes of frames, audio and crops that the clip may hold; `None`: as many as there
    /// are. What would hold more is refused with [`Error::Memory`].
    pub memory: Option<u64>,
}

impl Default for ClipOptions {
    /// 25 frames a second, the audio from frame 0 on, the largest face, display-referred pixels.
    fn default() -> Self {
        Self {
            timing: Timing::Constant(Rate { num: 25, den: 1 }),
            audio_offset: 0,
            selection: Selection::default(),
            transfer: Transfer::Display,
            strength: 1.0,
            colour_match: ColourMatch::default(),
            mask: MaskTrim::default(),
            memory: None,
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
        check_strength(self.strength)
    }
}

pub(crate) fn check_strength(strength: f32) -> Result<()> {
    if (0.0..=1.0).contains(&strength) {
        return Ok(());
    }
    Err(Error::Argument {
        field: "strength",
        reason: format!("{strength} is not in 0 to 1"),
    })
}

/// What one frame asks for beyond its pixels.
#[derive(Debug)]
pub struct FrameOptions<'a> {
    /// Multiplies the clip's strength, for hosts that animate it; 0 to 1.
    pub strength: f32,
    /// Receives the matte, where there is one.
    pub matte: Option<&'a mut Matte>,
}

impl Default for FrameOptions<'_> {
    fn default() -> Self {
        Self {
            strength: 1.0,
            matte: None,
        }
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
    /// A matte of the given size that lets nothing through; its memory is used again.
    pub(crate) fn clear(&mut self, width: usize, height: usize) -> Result<()> {
        (self.width, self.height) = (width, height);
        self.alpha.clear();
        memory::reserve(&mut self.alpha, width * height, "matte")?;
        self.alpha.resize(width * height, 0.0);
        Ok(())
    }
}

/// What was done to a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rendered {
    /// Index of the frame.
    pub index: i64,
    /// The face that speaks, as numbered in this clip; `None` when no face was found.
    pub face: Option<u32>,
    /// How sure the face is, 0 to 1; 0 without a face.
    pub confidence: f32,
    /// The share of the new mouth that was blended in: strength times the fade.
    pub strength: f32,
    /// Whether any pixel may differ from the source. A frame that is not changed is its source,
    /// bit for bit.
    pub changed: bool,
}

impl Rendered {
    /// A frame that passed through.
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

/// A face that was seen in an analysed frame, for choosing one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenFace {
    /// Its number in the clip: what [`Selection::Id`] takes.
    pub id: u32,
    /// Middle of its crop, frame pixels, row 0 on top.
    pub centre: [f64; 2],
    /// Side of its crop, frame pixels.
    pub side: f64,
    /// How sure it is, 0 to 1.
    pub confidence: f32,
}

/// How far a stream must be ahead of the frame that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookAhead {
    /// Frames after the one given, for the smoothing of tracks.
    pub frames: usize,
    /// Samples at 16 kHz after the instant of the frame given: three codes of MaLS and the part of
    /// a mel window that lies after its own instant. With audio of another rate, the few
    /// milliseconds that the resampler holds back come on top.
    pub audio: i64,
    /// Frames, from the first one with a face on, that are looked at for the reference where none
    /// was set. It is waited for once, at the beginning.
    pub reference: usize,
}

/// What a clip holds in memory. None of it grows with the length of a stream; `analysed` grows with
/// the frames given to [`analyze`](super::Clip::analyze), some hundred bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Codes of instants.
    pub codes: usize,
    /// Frames waiting in the stream.
    pub frames: usize,
    /// Tracks of frames in the stream.
    pub tracks: usize,
    /// Crops that may become the reference, of the stream or of the analysis.
    pub candidates: usize,
    /// Samples of audio at 16 kHz.
    pub audio: usize,
    /// Frames whose tracks were analysed for random access.
    pub analysed: usize,
    /// Bytes of the frames, the audio and the crops: what [`ClipOptions::memory`] limits.
    pub bytes: u64,
}
