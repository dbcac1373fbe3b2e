//! What the user does: buttons, and the status line. Parameters are written here and nowhere else:
//! hosts crash on an effect that writes one while it renders or is made.

use crate::abi::names::*;
use crate::controls::*;
use crate::fault::Result;
use crate::host::{Host, Properties};
use crate::instance::Instance;
use crate::render::moment;
use crate::{adapting, shared};

/// Something changed: a parameter, a clip, the time.
///
/// # Errors
/// When the host refuses to write a parameter.
pub fn changed(host: &Host, instance: &Instance, arguments: &Properties<'_>) -> Result<()> {
    let kind = arguments.text(PROP_TYPE).unwrap_or_default();
    if kind.as_bytes() == TYPE_CLIP.to_bytes() {
        instance.forget();
        return Ok(());
    }
    let reason = arguments.text(PROP_CHANGE_REASON).unwrap_or_default();
    if kind.as_bytes() != TYPE_PARAMETER.to_bytes()
        || reason.as_bytes() != CHANGE_USER_EDITED.to_bytes()
    {
        return Ok(());
    }
    let name = arguments.text(PROP_NAME).unwrap_or_default();
    let is = |control: &std::ffi::CStr| control.to_bytes() == name.as_bytes();
    // The frame of this action; where the host does not say, the one under the playhead.
    let here = || {
        let told = moment(arguments).map(|moment| moment.frame);
        told.or_else(|| {
            host.playhead(instance.effect)
                .map(|time| time.round() as i64)
        })
        .and_then(|frame| i32::try_from(frame).ok())
    };
    if is(AUDIO_START_HERE) {
        if let Some(frame) = here() {
            host.set_int(instance.parameter(AUDIO_START)?, frame)?;
        }
    } else if is(REFERENCE_HERE) {
        if let Some(frame) = here() {
            host.set_int(instance.parameter(REFERENCE_FRAME)?, frame)?;
            host.set_int(instance.parameter(REFERENCE)?, 1)?;
        }
    } else if is(ADAPT) {
        adapting::press(host, instance, moment(arguments));
    } else if is(STATUS) {
        return Ok(());
    }
    show_status(host, instance)
}

/// Writes the status line.
///
/// # Errors
/// When the host refuses.
pub fn show_status(host: &Host, instance: &Instance) -> Result<()> {
    let settings = Settings::read(host, instance, 0.0)?;
    let mut parts = Vec::new();
    match settings.audio.as_deref() {
        None => parts.push("no audio file chosen: the picture passes through".into()),
        Some(path) => match shared::FileKey::of(path) {
            Ok(_) => {}
            Err(fault) => parts.push(fault.to_string()),
        },
    }
    let told = instance.told();
    if !told.is_empty() && !parts.contains(&told) {
        parts.push(told);
    }
    if let Some(seen) = instance.seen.lock().clone() {
        parts.push(seen.engine);
        parts.push(match seen.confidence {
            Some(confidence) => format!("face {:.0} %", 100.0 * confidence),
            None => "no face in the last frame".into(),
        });
    } else if settings.audio.is_some() {
        parts.push("ready".into());
    }
    if !host.temporal {
        parts.push("this host gives no neighbouring frames: each is tracked alone".into());
    }
    host.set_text(instance.parameter(STATUS)?, &parts.join(" - "))
}
