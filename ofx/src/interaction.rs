//! The InstanceChanged and SyncPrivateData actions: the buttons and the status line.
//!
//! Parameters are written here and nowhere else: Nuke crashes when an effect sets one in a render or
//! while an instance is created.

use std::ffi::CStr;

use crate::abi::names::*;
use crate::controls::*;
use crate::error::Result;
use crate::frame_time::FrameTime;
use crate::host::{Host, Properties};
use crate::instance::{AudioCover, Instance, ReferenceReport};
use crate::settings::Settings;
use crate::{adapt_button, presets, report_button, shared};

/// Handles a change of a parameter or a clip.
///
/// # Errors
/// [`ActionError::Host`](crate::error::ActionError::Host) where the host refuses a parameter.
pub fn changed(host: &Host, instance: &Instance, arguments: &Properties<'_>) -> Result<()> {
    let kind = arguments.text(PROP_TYPE).unwrap_or_default();
    if kind.as_bytes() == TYPE_CLIP.to_bytes() {
        instance.references.clear();
        return Ok(());
    }
    let reason = arguments.text(PROP_CHANGE_REASON).unwrap_or_default();
    if kind.as_bytes() != TYPE_PARAMETER.to_bytes()
        || reason.as_bytes() != CHANGE_USER_EDITED.to_bytes()
    {
        return Ok(());
    }
    let name = arguments.text(PROP_NAME).unwrap_or_default();
    let is = |control: &CStr| control.to_bytes() == name.as_bytes();
    // The frame of this action; where the host gives none, the frame at the playhead.
    let here = || {
        let current = FrameTime::of(arguments).map(|current| current.frame);
        current
            .or_else(|| {
                host.playhead(instance.effect)
                    .map(|time| time.round() as i64)
            })
            .and_then(|frame| i32::try_from(frame).ok())
    };
    let parameters = &instance.parameters;
    if is(AUDIO_START_HERE) {
        if let Some(frame) = here() {
            parameters.edit(host, c"Audio Starts At Frame", || {
                parameters.set_int(host, AUDIO_START, frame)?;
                parameters.set_int(host, AUDIO_FROM, 1)
            })?;
        }
    } else if is(REFERENCE_HERE) {
        if let Some(frame) = here() {
            parameters.edit(host, c"Reference Frame", || {
                parameters.set_int(host, REFERENCE_FRAME, frame)?;
                parameters.set_int(host, REFERENCE, 1)
            })?;
        }
    } else if is(ADAPT) {
        let current = FrameTime::of(arguments).unwrap_or_default();
        adapt_button::run(host, instance, current);
    } else if is(WRITE_REPORT) {
        report_button::run(host, instance);
    } else if is(STATUS) || is(REPORT) {
        return Ok(());
    } else {
        if is(PRESET) {
            presets::apply(host, parameters)?;
        } else if is(RESET) {
            presets::reset(host, parameters)?;
        }
        presets::show(host, parameters)?;
        // What was rendered before is no result any more.
        instance.changed.lock().clear();
    }
    show_status(host, instance)
}

/// Writes the status line.
///
/// # Errors
/// [`ActionError::Host`](crate::error::ActionError::Host) where the host refuses a parameter.
pub fn show_status(host: &Host, instance: &Instance) -> Result<()> {
    let settings = Settings::read(host, &instance.parameters, 0.0)?;
    let mut parts = Vec::new();
    match settings.audio.as_deref() {
        None => parts.push("no audio file: the picture passes through unchanged".into()),
        Some(path) => parts.extend(shared::audio_key(path).err().map(|error| error.to_string())),
    }
    let error = instance.shown_error();
    if !error.is_empty() && !parts.contains(&error) {
        parts.push(error);
    }
    if settings.audio.is_some() && !parts.is_empty() {
        let fails = instance.fails(host, settings.on_problem, false);
        parts.push(match fails {
            true => "the render fails".into(),
            false => "the picture passes through unchanged".into(),
        });
    }
    if let Some(report) = instance.last_render.lock().clone() {
        parts.push(report.engine);
        parts.push(format!("colour: {}", settings.input_colour.name()));
        let face = match (report.confidence, report.faces) {
            (Some(confidence), _) => format!("face {:.0} %", 100.0 * confidence),
            (None, 0) => "no face".into(),
            (None, 1) => "the selected face is not in it, which shows 1 face".into(),
            (None, faces) => format!("the selected face is not in it, which shows {faces} faces"),
        };
        parts.push(format!("frame {}: {face}", report.frame));
        let [at, length] = report.audio_time;
        parts.push(match report.audio {
            AudioCover::NotBegun => "the audio has not begun there".into(),
            AudioCover::Over => "the audio is over there".into(),
            AudioCover::Playing => format!("audio at {at:.2} of {length:.2} s"),
        });
        parts.push(match report.reference {
            Some(ReferenceReport { chosen, among }) if among[0] == among[1] => {
                format!("reference: frame {chosen}")
            }
            Some(ReferenceReport { chosen, among }) => {
                let [first, last] = among;
                format!("reference: frame {chosen}, among frames {first} to {last}")
            }
            None => "reference: each frame itself".into(),
        });
    } else if settings.audio.is_some() {
        parts.push("ready".into());
    }
    if !host.temporal {
        parts.push("the host gives no neighbouring frames: no temporal smoothing".into());
    }
    instance
        .parameters
        .set_text(host, STATUS, &parts.join(" - "))
}
