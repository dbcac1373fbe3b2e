//! A clip: creation, reference, memory, cancellation.

use std::ffi::c_char;

use parking_lot::RwLock;

use super::boundary::Health;
use super::clip_options::{clip_options, defaults, sls_clip_options};
use super::engine::sls_engine;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::handle::{self, Handle, on};
use super::sized;
use super::status::sls_status;
use crate::Canceller;
use crate::clip::Clip;

/// A video clip to be lip-synced: its audio, its reference face, the analysis of its frames, and
/// the state of its stream.
///
/// Any thread may use a clip. Concurrent calls (see "Threads" at the top of this file) on one clip
/// run at the same time; an exclusive call waits for every other call to finish.
pub struct sls_clip {
    pub(super) clip: RwLock<Clip>,
    canceller: Canceller,
    health: Health,
}

impl Handle for sls_clip {
    const NAME: &'static str = "clip";

    fn health(&self) -> &Health {
        &self.health
    }

    fn canceller(&self) -> Option<&Canceller> {
        Some(&self.canceller)
    }
}

/// Creates a clip.
///
/// @param engine   not NULL. It may be destroyed before the clip.
/// @param options  NULL for the defaults.
/// @param clip     not NULL; receives the clip. The caller owns it and destroys it with
///                 sls_clip_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT; for SLS_SELECT_PICTURE SLS_ERROR_FRAME,
/// SLS_ERROR_NO_FACE, SLS_ERROR_STATE if the bundle cannot tell people apart, SLS_ERROR_NETWORK. On failure
/// *clip is not written.
///
/// Threads: any; concurrent. Blocks: while networks look at a picture. Allocates: the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_create(
    engine: *const sls_engine,
    options: *const sls_clip_options,
    clip: *mut *mut sls_clip,
) -> sls_status {
    // SAFETY: the header requires a live engine, and options whose times and picture are NULL or as described.
    unsafe {
        on(engine, |engine| {
            if clip.is_null() {
                return Err(Failure::Null("clip"));
            }
            let options = if options.is_null() {
                defaults()
            } else {
                sized::read(options, "options")?
            };
            let options = clip_options(&options, &engine.engine)?;
            let made = Clip::new(engine.engine.clone(), options)?;
            let handle = Box::new(sls_clip {
                clip: RwLock::new(made),
                canceller: Canceller::new(),
                health: Health::default(),
            });
            clip.write(Box::into_raw(handle));
            Ok(())
        })
    }
}

/// Destroys a clip.
///
/// @param clip  may be NULL. No other call may be using it.
///
/// Threads: any. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_destroy(clip: *mut sls_clip) {
    // SAFETY: the header requires a live clip that nobody uses.
    unsafe { handle::destroy(clip) }
}

/// Cancels the calls that other threads are making on a clip: they return SLS_ERROR_CANCELLED. A
/// running network stops between two of its operators, on the CPU within a few milliseconds. A call
/// that has just finished keeps its result. Calls that begin later are not affected. A cancelled
/// call leaves the clip unchanged and can be repeated.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; concurrent with every call. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_cancel(clip: *const sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe {
        on(clip, |clip| {
            clip.canceller.cancel();
            Ok(())
        })
    }
}

/// Returns the number of bytes that a clip holds in queued frames, audio and pictures of the face: what
/// sls_clip_options.memory_limit limits.
///
/// @param clip   not NULL.
/// @param bytes  not NULL; receives the number of bytes.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; concurrent. Blocks: while an exclusive call runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_memory(clip: *const sls_clip, bytes: *mut u64) -> sls_status {
    // SAFETY: the header requires a live clip and a writable pointer.
    unsafe {
        on(clip, |clip| {
            let bytes = bytes.as_mut().ok_or(Failure::Null("bytes"))?;
            *bytes = clip.clip.read().memory_use().bytes;
            Ok(())
        })
    }
}

/// Sets the reference: a frame that shows what the person looks like. Its largest face is used.
/// Choose a sharp frame in which the face looks towards the camera. The reference applies to all
/// frames, and is kept by sls_clip_reset(). It replaces all references that were set or added, and
/// the frames of the clip itself are not used then.
///
/// If none is set or added, the profile of the clip's own frames is used: see
/// sls_clip_finish_analysis().
///
/// @param clip   not NULL.
/// @param frame  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME; SLS_ERROR_NO_FACE;
/// SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the previous reference stays
/// in use.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: the reference, held by the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_reference(
    clip: *mut sls_clip,
    frame: *const sls_frame,
) -> sls_status {
    // SAFETY: the header requires a live clip, and a frame as described.
    unsafe {
        on(clip, |clip| {
            let frame = frame::read(frame, "frame")?;
            Ok(clip.clip.write().set_reference(&frame)?)
        })
    }
}

/// Adds a reference to those that were set or added: the same person with another mouth shape or
/// pose, for instance with open mouth and visible teeth. Each frame is rendered from the one to three
/// references whose mouth shape and pose are nearest. Masks and lips follow the first reference; if
/// none is set, this one is the first.
///
/// @param clip   not NULL.
/// @param frame  not NULL.
///
/// @return as sls_clip_set_reference(), and SLS_ERROR_STATE if the clip has 32 references. On failure
/// the previous references stay in use.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: the reference (256 to 896 KiB), held by
/// the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_add_reference(
    clip: *mut sls_clip,
    frame: *const sls_frame,
) -> sls_status {
    // SAFETY: the header requires a live clip, and a frame as described.
    unsafe {
        on(clip, |clip| {
            let frame = frame::read(frame, "frame")?;
            Ok(clip.clip.write().add_reference(&frame)?)
        })
    }
}

/// Removes all references that were set or added. The profile of the clip's own frames is then used.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_clear_reference(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe {
        on(clip, |clip| {
            clip.clip.write().clear_reference();
            Ok(())
        })
    }
}

/// Copies the error message of the last call on this clip, on any thread, that did not return
/// SLS_OK.
///
/// @param clip      may be NULL: the message is then empty.
/// @param buffer    may be NULL; receives NUL-terminated UTF-8, truncated if it does not fit.
/// @param capacity  size of buffer in bytes.
///
/// @return the size of the whole message in bytes, including its NUL.
///
/// Threads: any; concurrent with every call. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_last_error(
    clip: *const sls_clip,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the header requires a live clip and a buffer of that capacity.
    unsafe { handle::last_error(clip, buffer, capacity) }
}
