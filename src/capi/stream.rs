//! The stream: frames in, frames out a little later.

use std::ffi::c_void;

use super::boundary::boundary;
use super::clip::sls_clip;
use super::frame::{self, sls_frame};
use super::handle::on;
use super::render::{Wish, sls_render_options, sls_render_result};
use super::sized::Out;
use super::status::{Failure, sls_status};
use crate::Error;
use crate::audio::position_of;

/// Tells how far a stream must be ahead of the frame that it gives.
///
/// @param clip       not NULL.
/// @param frames     may be NULL; receives frames.
/// @param audio      may be NULL; receives 1/16000 s of audio after the frame's time. With audio of
///                   another rate than 16 kHz, up to 20 ms come on top.
/// @param reference  may be NULL; receives the frames that are looked at, once at the beginning,
///                   for the reference where none was set.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_look_ahead(
    clip: *const sls_clip,
    frames: *mut i32,
    audio: *mut i64,
    reference: *mut i32,
) -> sls_status {
    // SAFETY: the header demands a live clip and writable pointers.
    unsafe {
        on(clip, |clip| {
            let ahead = clip.clip.read().look_ahead();
            if let Some(frames) = frames.as_mut() {
                *frames = i32::try_from(ahead.frames).unwrap_or(i32::MAX);
            }
            if let Some(audio) = audio.as_mut() {
                *audio = ahead.audio;
            }
            if let Some(reference) = reference.as_mut() {
                *reference = i32::try_from(ahead.reference).unwrap_or(i32::MAX);
            }
            Ok(())
        })
    }
}

/// Gives the stream its next frame.
///
/// @param clip   not NULL.
/// @param frame  not NULL; it is copied.
/// @param index  may be NULL; receives the frame's index, counted from 0 or from where
///               sls_clip_seek() went.
///
/// @return SLS_OK; SLS_AGAIN when frames must be pulled first; SLS_ERROR_NULL, SLS_ERROR_ABI,
/// SLS_ERROR_FRAME, also when size or format are not those of the stream's first frame;
/// SLS_ERROR_ARGUMENT beyond the end of a variable rate; SLS_ERROR_STATE after sls_clip_flush();
/// SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. The frame was taken only with SLS_OK.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_push_frame(
    clip: *mut sls_clip,
    frame: *const sls_frame,
    index: *mut i64,
) -> sls_status {
    // SAFETY: the header demands a live clip, a frame as described, and a writable pointer.
    unsafe {
        on(clip, |clip| {
            let frame = frame::read(frame, "frame")?;
            let pushed = clip.clip.write().push_frame(&frame)?;
            if let Some(index) = index.as_mut() {
                *index = pushed;
            }
            Ok(())
        })
    }
}

/// As sls_clip_push_frame(), for streams whose rate is not known beforehand.
///
/// @param clip, frame, index  as for sls_clip_push_frame().
/// @param position  the frame's time on the clip's clock, in 1/16000 s; not before the last one's.
///
/// @return as sls_clip_push_frame(), and SLS_ERROR_ARGUMENT when the time goes back.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_push_frame_at(
    clip: *mut sls_clip,
    position: i64,
    frame: *const sls_frame,
    index: *mut i64,
) -> sls_status {
    // SAFETY: as above.
    unsafe {
        on(clip, |clip| {
            let frame = frame::read(frame, "frame")?;
            let pushed = clip.clip.write().push_frame_at(position, &frame)?;
            if let Some(index) = index.as_mut() {
                *index = pushed;
            }
            Ok(())
        })
    }
}

/// Turns a time stamp into a position: what sls_clip_push_frame_at(), sls_clip_cut_audio() and
/// sls_clip_options.times take.
///
/// @param ticks     the time stamp, in units of num / den seconds.
/// @param num       1 or more.
/// @param den       1 or more; 1 / 90000, 1001 / 30000, ...
/// @param position  not NULL; receives the time in 1/16000 s, rounded half up.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT for a base of 0 or a time beyond the range.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_position(
    ticks: i64,
    num: u32,
    den: u32,
    position: *mut i64,
) -> sls_status {
    boundary(|| {
        // SAFETY: the header demands NULL or a writable pointer.
        let position = unsafe { position.as_mut() }.ok_or(Failure::Null("position"))?;
        *position = position_of(ticks, num, den).ok_or_else(|| {
            let reason = format!("{ticks} of {num}/{den} s is no time that can be told");
            Failure::argument("ticks", reason)
        })?;
        Ok(())
    })
}

/// Renders the next frame of the stream.
///
/// @param clip         not NULL.
/// @param destination  not NULL; of the format, width and height of the frame that was pushed.
/// @param options      NULL for the defaults.
/// @param result       may be NULL.
///
/// @return SLS_OK; SLS_AGAIN when more frames or more audio must be pushed; SLS_END after the last
/// frame of a flushed stream; SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT;
/// SLS_ERROR_NO_AUDIO when the stream was flushed without any; SLS_ERROR_NETWORK. On failure the
/// frame can be pulled again, and nothing but the destination's pixels may have been written.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_pull_frame(
    clip: *mut sls_clip,
    destination: *const sls_frame,
    options: *const sls_render_options,
    result: *mut sls_render_result,
) -> sls_status {
    // SAFETY: the header demands a live clip, and frames and structs as described.
    unsafe {
        on(clip, |clip| {
            let mut wish = Wish::new(options, result)?;
            let mut destination = frame::write(destination, "destination")?;
            let mut stream = clip.clip.write();
            let rendered = stream.pull_frame_with(&mut destination, &mut wish.options())?;
            drop(stream);
            wish.grant(&rendered)
        })
    }
}

/// Gets memory for a frame that is about to be rendered.
///
/// @param user   what was given to sls_clip_pull_allocated().
/// @param frame  format, width and height are set, and stride to the least: set data, and stride to
/// what it is. Nothing else is read.
///
/// @return 0; anything else is refused with SLS_ERROR_MEMORY.
///
/// It is called on the thread of sls_clip_pull_allocated(), at most once. It must not throw, and
/// must not call a function on the same clip.
pub type sls_allocate_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, frame: *mut sls_frame) -> i32>;

/// As sls_clip_pull_frame(), into memory of yours that is asked for only when a frame is there to be
/// rendered: a host's pool, pinned memory, a file's mapping.
///
/// @param clip         not NULL.
/// @param allocate     not NULL.
/// @param user         handed to the callback as it is; may be NULL.
/// @param destination  not NULL, its struct_size set; receives the frame, in the memory that the
/// callback gave. That memory is yours in any case, also when rendering fails after the callback.
/// @param options      NULL for the defaults.
/// @param result       may be NULL.
///
/// @return as sls_clip_pull_frame(); SLS_ERROR_MEMORY when the callback has none; SLS_ERROR_FRAME
/// when its stride cannot be, SLS_ERROR_NULL when its data is NULL.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_pull_allocated(
    clip: *mut sls_clip,
    allocate: sls_allocate_callback,
    user: *mut c_void,
    destination: *mut sls_frame,
    options: *const sls_render_options,
    result: *mut sls_render_result,
) -> sls_status {
    // SAFETY: the header demands a live clip, a callback for this call and structs as described.
    unsafe {
        on(clip, |clip| {
            let allocate = allocate.ok_or(Failure::Null("allocate"))?;
            let out = Out::new(destination, "destination")?;
            let out = out.ok_or(Failure::Null("destination"))?;
            let mut wish = Wish::new(options, result)?;
            let mut stream = clip.clip.write();
            let (width, height, format) = stream.ready()?;
            let mut target = frame::unplaced(width, height, format);
            if allocate(user, &mut target) != 0 {
                let none = "the callback has none for the frame";
                return Err(Failure::Error(Error::Memory(none.into())));
            }
            let mut view = frame::write(&target, "destination")?;
            let rendered = stream.pull_frame_with(&mut view, &mut wish.options())?;
            drop(stream);
            wish.grant(&rendered)?;
            out.write(target);
            Ok(())
        })
    }
}

/// States that no more frames and no more audio come: every waiting frame can be pulled, until
/// SLS_END.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_flush(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().flush()?)) }
}

/// Begins the stream anew: the next frame is 0, and pushed audio begins at its beginning. Waiting
/// frames are dropped; the reference that was set, whole audio and what was analysed stay.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_reset(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe {
        on(clip, |clip| {
            clip.clip.write().reset();
            Ok::<(), Failure>(())
        })
    }
}

/// Goes on with another frame: as sls_clip_reset(), but the next frame is index, and audio that is
/// pushed next begins at the time of that frame.
///
/// @param clip   not NULL.
/// @param index  of the next frame.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT for an index outside a variable rate, and the
/// stream stays as it was.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_seek(clip: *mut sls_clip, index: i64) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().seek(index)?)) }
}
