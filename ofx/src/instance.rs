//! An instance of the effect: the host's handles, and what it last showed. Everything costly is
//! shared between instances (`shared`).

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use stylelipsync::provenance::FrameSet;

use crate::abi::names::*;
use crate::abi::{ClipHandle, EffectHandle};
use crate::controls::OnProblem;
use crate::error::Result;
use crate::host::{Host, Properties};
use crate::known_references::KnownReferences;
use crate::parameters::Parameters;

/// The optional second input: a matte of what is in front of the face.
pub const OCCLUSION: &CStr = c"Occlusion";

/// The OpenFX context of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Filter,
    General,
}

/// An instance of the effect.
pub struct Instance {
    pub effect: EffectHandle,
    pub source: ClipHandle,
    pub output: ClipHandle,
    pub occlusion: Option<ClipHandle>,
    pub parameters: Parameters,
    /// The persistent message that the host shows now; empty for none.
    shown_error: Mutex<String>,
    /// What the last render reported, for the status line.
    pub last_render: Mutex<Option<RenderReport>>,
    /// The frames in which the mouth was changed since a control was edited.
    pub changed: Mutex<FrameSet>,
    /// Whether the host renders a sequence that is no preview: an export, a render job.
    pub in_output_render: AtomicBool,
    /// The references found in the current source.
    pub references: KnownReferences,
}

/// What a render reports for the status line.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderReport {
    pub frame: i64,
    /// The model and the device.
    pub engine: String,
    /// Of the selected face, 0 to 1; `None` where the frame does not show it.
    pub confidence: Option<f32>,
    /// The number of faces in the frame.
    pub faces: usize,
    /// Where the frame lies against the audio.
    pub audio: AudioCover,
    /// The frame's time in the audio and the audio's length, seconds.
    pub audio_time: [f64; 2],
    /// `None`: the frame itself.
    pub reference: Option<ReferenceReport>,
}

/// The frame that was chosen as the reference, and the first and the last of those among which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceReport {
    pub chosen: i64,
    pub among: [i64; 2],
}

/// Where a frame lies against the audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCover {
    NotBegun,
    Playing,
    Over,
}

impl Instance {
    /// # Errors
    /// [`ActionError::Host`](crate::error::ActionError::Host) where the host lacks a clip or a
    /// parameter that was described.
    pub fn new(host: &Host, effect: EffectHandle, context: Context) -> Result<Self> {
        Ok(Self {
            effect,
            source: host.clip(effect, EFFECT_SIMPLE_SOURCE_CLIP_NAME)?,
            output: host.clip(effect, EFFECT_OUTPUT_CLIP_NAME)?,
            occlusion: match context {
                Context::General => host.clip(effect, OCCLUSION).ok(),
                Context::Filter => None,
            },
            parameters: Parameters::of(host, effect)?,
            shown_error: Mutex::default(),
            last_render: Mutex::default(),
            changed: Mutex::default(),
            in_output_render: AtomicBool::new(false),
            references: KnownReferences::default(),
        })
    }

    /// Whether a problem that the user can fix fails a render now, in place of letting the source pass.
    /// `responding`: whether the host renders in response to the user.
    pub fn fails(&self, host: &Host, on_problem: OnProblem, responding: bool) -> bool {
        match on_problem {
            OnProblem::Automatic => {
                let output = self.in_output_render.load(Ordering::Acquire);
                host.background || (output && !responding)
            }
            OnProblem::PassThrough => false,
            OnProblem::Fail => true,
        }
    }

    /// Shows a persistent error message in place of the current one. The same message is not set
    /// twice, since hosts append.
    pub fn show_error(&self, host: &Host, text: &str) {
        let mut shown = self.shown_error.lock();
        if *shown != text {
            if !shown.is_empty() {
                host.clear_persistent_message(self.effect);
            }
            log::warn!("{text}");
            text.clone_into(&mut shown);
            host.set_persistent_message(self.effect, MESSAGE_ERROR, text);
        }
    }

    /// Removes the error message.
    pub fn clear_error(&self, host: &Host) {
        let mut shown = self.shown_error.lock();
        if !shown.is_empty() {
            shown.clear();
            host.clear_persistent_message(self.effect);
        }
    }

    /// The error message that is shown now; empty for none.
    pub fn shown_error(&self) -> String {
        self.shown_error.lock().clone()
    }

    /// The occlusion matte; `None` where none is connected.
    ///
    /// # Errors
    /// [`ActionError::Host`](crate::error::ActionError::Host) where the host does not know its own clip.
    pub fn connected_occlusion(&self, host: &Host) -> Result<Option<ClipHandle>> {
        let Some(clip) = self.occlusion else {
            return Ok(None);
        };
        let connected = host
            .clip_properties(clip)?
            .int(IMAGE_CLIP_PROP_CONNECTED, 0);
        Ok((connected.unwrap_or(0) != 0).then_some(clip))
    }

    /// First and last frame of the source; `None` where the host does not report a finite range.
    pub fn frame_range(&self, host: &Host) -> Option<[i64; 2]> {
        let about = host.clip_properties(self.source).ok()?;
        let at = |index| about.double(EFFECT_PROP_FRAME_RANGE, index);
        let (first, last) = (at(0)?, at(1)?);
        // Hosts report an unbounded range with very large numbers.
        let finite = last >= first && first > -1e9 && last < 1e9;
        finite.then_some([first.round() as i64, last.round() as i64])
    }

    /// Frames per second: of the source, else of the effect; `None` where the host reports neither.
    pub fn frame_rate(&self, host: &Host) -> Option<f64> {
        let of = |about: Properties<'_>| about.double(EFFECT_PROP_FRAME_RATE, 0);
        let clip = host.clip_properties(self.source).ok().and_then(of);
        let effect = || host.effect(self.effect).ok().and_then(of);
        clip.filter(|rate| *rate >= 1.0)
            .or_else(effect)
            .filter(|rate| *rate >= 1.0)
    }
}
