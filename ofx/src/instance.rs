//! One application of the effect. It holds the host's handles and what it last said; what is costly
//! is shared (`shared`).

use std::ffi::CStr;

use parking_lot::Mutex;

use crate::abi::names::*;
use crate::abi::{ClipHandle, EffectHandle, ParamHandle};
use crate::controls::{GROUPS, Kind};
use crate::fault::{Fault, Result};
use crate::host::Host;
use crate::reference::Found;

/// The optional second input: where something hides the face.
pub const OCCLUSION: &CStr = c"Occlusion";

/// How a host uses the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Filter,
    General,
}

/// One application of the effect to a clip.
pub struct Instance {
    pub effect: EffectHandle,
    pub source: ClipHandle,
    pub output: ClipHandle,
    pub occlusion: Option<ClipHandle>,
    parameters: Vec<(&'static CStr, ParamHandle)>,
    /// The message that the host shows now.
    told: Mutex<String>,
    /// What the last render saw, for the status line.
    pub seen: Mutex<Option<Seen>>,
    /// The references that were found in the source as it is.
    pub found: Mutex<Vec<Found>>,
}

/// What a render saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub engine: String,
    pub confidence: Option<f32>,
}

impl Instance {
    /// # Errors
    /// When the host lacks a clip or a parameter that was described.
    pub fn new(host: &Host, effect: EffectHandle, context: Context) -> Result<Self> {
        let set = host.param_set(effect)?;
        let controls = GROUPS.iter().flat_map(|group| group.controls);
        let held = controls.filter(|control| !matches!(control.kind, Kind::Button));
        let parameters = held
            .map(|control| Ok((control.name, host.parameter(set, control.name)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            effect,
            source: host.clip(effect, EFFECT_SIMPLE_SOURCE_CLIP_NAME)?,
            output: host.clip(effect, EFFECT_OUTPUT_CLIP_NAME)?,
            occlusion: match context {
                Context::General => host.clip(effect, OCCLUSION).ok(),
                Context::Filter => None,
            },
            parameters,
            told: Mutex::default(),
            seen: Mutex::default(),
            found: Mutex::default(),
        })
    }

    pub fn parameter(&self, name: &CStr) -> Result<ParamHandle> {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, handle)| *handle)
            .ok_or(Fault::Missing("parameter"))
    }

    /// Shows a message until another one or [`quiet`](Self::quiet). One that is shown already is not
    /// shown again: hosts append.
    pub fn tell(&self, host: &Host, text: &str) {
        let mut told = self.told.lock();
        if *told != text {
            if !told.is_empty() {
                host.stop_telling(self.effect);
            }
            text.clone_into(&mut told);
            host.tell(self.effect, MESSAGE_ERROR, text);
        }
    }

    /// Takes the message back.
    pub fn quiet(&self, host: &Host) {
        let mut told = self.told.lock();
        if !told.is_empty() {
            told.clear();
            host.stop_telling(self.effect);
        }
    }

    /// What is shown now.
    pub fn told(&self) -> String {
        self.told.lock().clone()
    }

    /// Forgets what was derived from the source.
    pub fn forget(&self) {
        self.found.lock().clear();
    }

    /// First and last frame of the source, where the host says.
    pub fn range(&self, host: &Host) -> Option<[i64; 2]> {
        let about = host.clip_properties(self.source).ok()?;
        let at = |k| about.double(EFFECT_PROP_FRAME_RANGE, k);
        let (first, last) = (at(0)?, at(1)?);
        // Hosts without an end say so with enormous numbers.
        let sane = last >= first && first > -1e9 && last < 1e9;
        sane.then_some([first.round() as i64, last.round() as i64])
    }

    /// Frames a second of the source.
    pub fn rate(&self, host: &Host) -> Option<f64> {
        let of = |about: crate::host::Properties<'_>| about.double(EFFECT_PROP_FRAME_RATE, 0);
        let clip = host.clip_properties(self.source).ok().and_then(of);
        let effect = || host.effect(self.effect).ok().and_then(of);
        clip.filter(|rate| *rate >= 1.0)
            .or_else(effect)
            .filter(|rate| *rate >= 1.0)
    }
}
