//! The message suite and the progress suite.

use std::ffi::CStr;

use super::functions::{ProgressFunctions, StartProgress};
use super::loaded::Host;
use super::text;
use crate::abi::{EffectHandle, status};

/// The id of every message; hosts use it to group them.
const MESSAGE_ID: &CStr = c"stylelipsync";

impl Host {
    /// Shows a message until it is cleared. `kind` is one of the message types. Does nothing where
    /// the host has no persistent messages.
    pub fn set_persistent_message(&self, effect: EffectHandle, kind: &CStr, message: &str) {
        let message = text::to_c_string(message);
        if let Some(set) = self.messages.set_persistent {
            let (id, format) = (MESSAGE_ID.as_ptr(), c"%s".as_ptr());
            // SAFETY: the current instance, and NUL-terminated strings; the format takes one string.
            unsafe { set(effect.0, kind.as_ptr(), id, format, message.as_ptr()) };
        }
    }

    /// Removes the persistent message.
    pub fn clear_persistent_message(&self, effect: EffectHandle) {
        if let Some(clear) = self.messages.clear_persistent {
            // SAFETY: the current instance.
            unsafe { clear(effect.0) };
        }
    }

    /// Shows a message once, in answer to something that the user did.
    pub fn show_message(&self, effect: EffectHandle, kind: &CStr, message: &str) {
        let message = text::to_c_string(message);
        if let Some(show) = self.messages.show {
            let (id, format) = (MESSAGE_ID.as_ptr(), c"%s".as_ptr());
            // SAFETY: as in `set_persistent_message`.
            unsafe { show(effect.0, kind.as_ptr(), id, format, message.as_ptr()) };
        }
    }

    /// Opens a progress bar, which closes when the value is dropped.
    pub fn progress(&self, effect: EffectHandle, label: &str) -> Progress {
        let label = text::to_c_string(label);
        let started = self.progress.filter(|functions| {
            // SAFETY: the current instance, and NUL-terminated strings.
            let status = unsafe {
                match functions.start {
                    StartProgress::V1(start) => start(effect.0, label.as_ptr()),
                    StartProgress::V2(start) => {
                        start(effect.0, label.as_ptr(), MESSAGE_ID.as_ptr())
                    }
                }
            };
            status == status::OK
        });
        Progress { started, effect }
    }
}

/// An open progress bar.
pub struct Progress {
    /// `None` where the host shows no progress.
    started: Option<ProgressFunctions>,
    effect: EffectHandle,
}

impl Progress {
    /// Shows the completed share, 0 to 1; false where the user cancels.
    pub fn update(&self, share: f64) -> bool {
        match self.started {
            // SAFETY: between start and end.
            Some(functions) => unsafe {
                (functions.update)(self.effect.0, share.clamp(0.0, 1.0)) != status::REPLY_NO
            },
            None => true,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(functions) = self.started {
            // SAFETY: once, after start.
            unsafe { (functions.end)(self.effect.0) };
        }
    }
}
