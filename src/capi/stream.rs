//! The stream: frames and audio are pushed, each rendered frame is pulled when its
//! look-ahead has been pushed.

use std::ffi::c_void;

use super::boundary::boundary;
use super::clip::sls_clip;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::handle::on;
use super::render::{RenderRequest, sls_render_options};
use super::render_result::sls_render_result;
use super::sized::Out;
use super::status::sls_status;
use crate::audio::position_of;
use crate::{Error, StreamNeed};

/// Returns how much input a stream needs beyond the frame that is pulled.
///
/// @param clip       not NULL.
/// @param frames     may be NULL; receives the number of later frames needed.
/// @param audio      may be NULL; receives the audio needed after the frame's time, in 1/16000 s.
///                   Up to 20 ms more if the sample rate is not 16 kHz, and up to 20 ms more for
///                   frames that are pushed with a time of their own.
/// @param reference  may be NULL; receives the number of frames of a shot needed before its first frame
///                   can be pulled, if no reference is set; fewer if the shot ends before that.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; concurrent. Blocks: while an exclusive call runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_look_ahead(
    clip: *const sls_clip,
    frames: *mut i32,
    audio: *mut i64,
    reference: *mut i32,
) -> sls_status {
    // SAFETY: the header requires a live clip and writable pointers.
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

/// Appends a frame to the stream. Its time follows from the clip's frame rate or times.
///
/// @param clip   not NULL.
/// @param frame  not NULL; it is copied.
/// @param index  may be NULL; receives the index of the frame: 0, or the index passed to
///               sls_clip_seek(), for the first frame, then rising by 1.
///
/// @return SLS_OK; SLS_AGAIN if the queue is full: pull frames first; SLS_ERROR_NULL,
/// SLS_ERROR_ABI; SLS_ERROR_FRAME, also if size or format differ from the first frame of the
/// stream; SLS_ERROR_ARGUMENT after the last frame of sls_clip_options.times; SLS_ERROR_STATE after
/// sls_clip_flush(); SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. The frame is
/// appended only if SLS_OK is returned.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: a copy of the frame, held by the
/// clip until it is pulled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_push_frame(
    clip: *mut sls_clip,
    frame: *const sls_frame,
    index: *mut i64,
) -> sls_status {
    // SAFETY: the header requires a live clip, a frame as described, and a writable pointer.
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

/// Appends a frame to the stream at a given time, for streams whose frame rate is not known in
/// advance.
///
/// @param clip      not NULL.
/// @param position  clip time of the frame in 1/16000 s; not before the previous frame.
/// @param frame     not NULL; it is copied.
/// @param index     may be NULL; receives the index of the frame.
///
/// @return as sls_clip_push_frame(), and SLS_ERROR_ARGUMENT if position lies before the previous
/// frame.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: as sls_clip_push_frame().
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

/// Converts a time stamp to a clip time in 1/16000 s, the unit of sls_clip_push_frame_at(),
/// sls_clip_cut_audio() and sls_clip_options.times.
///
/// @param ticks     time stamp in units of num / den seconds.
/// @param num       numerator of the time base, at least 1.
/// @param den       denominator of the time base, at least 1. Examples: 1 / 90000, 1001 / 30000.
/// @param position  not NULL; receives the clip time, rounded half up.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if num or den is 0, or the result is out of
/// range.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_position(
    ticks: i64,
    num: u32,
    den: u32,
    position: *mut i64,
) -> sls_status {
    boundary(|| {
        // SAFETY: the header requires NULL or a writable pointer.
        let position = unsafe { position.as_mut() }.ok_or(Failure::Null("position"))?;
        *position = position_of(ticks, num, den).ok_or_else(|| {
            let reason = format!("{ticks} * {num}/{den} s is not a valid time");
            Failure::argument("ticks", reason)
        })?;
        Ok(())
    })
}

/// Renders the next frame of the stream.
///
/// @param clip         not NULL.
/// @param destination  not NULL; same format, width and height as the pushed frames.
/// @param options      NULL for the defaults.
/// @param result       may be NULL.
///
/// @return SLS_OK; SLS_AGAIN if more frames or more audio must be pushed (sls_clip_stream_need()
/// tells which); SLS_END after the last
/// frame of a flushed stream; SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT;
/// SLS_ERROR_NO_AUDIO if the stream was flushed without any audio; SLS_ERROR_MEMORY,
/// SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the same frame can be pulled again; only the
/// pixels of destination may have been written, and their content is undefined.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: working memory, which the clip
/// reuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_pull_frame(
    clip: *mut sls_clip,
    destination: *const sls_frame,
    options: *const sls_render_options,
    result: *mut sls_render_result,
) -> sls_status {
    // SAFETY: the header requires a live clip, and frames and structs as described.
    unsafe {
        on(clip, |clip| {
            let mut request = RenderRequest::new(options, result, 1)?;
            let mut destination = frame::write(destination, "destination")?;
            let mut stream = clip.clip.write();
            let rendered = stream.pull_frame_with(&mut destination, &mut request.options())?;
            drop(stream);
            request.finish(&rendered)
        })
    }
}

/// Provides memory for a frame that is about to be rendered.
///
/// @param user   the pointer that was passed to sls_clip_pull_allocated().
/// @param frame  format, width and height are set, and stride to its minimum. Set data, and stride
///               if the memory has another one. Changes to other fields are ignored.
///
/// @return 0 on success; any other value makes the call return SLS_ERROR_MEMORY.
///
/// It is called on the thread that called sls_clip_pull_allocated(), at most once per call. It must
/// not throw exceptions and must not call a function on the same clip.
pub type sls_allocate_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, frame: *mut sls_frame) -> i32>;

/// Renders the next frame of the stream into memory from a callback, for instance a frame pool,
/// pinned memory or a mapped file. The callback is called only if a frame is ready to be rendered.
///
/// @param clip         not NULL.
/// @param allocate     not NULL.
/// @param user         passed to the callback unchanged; may be NULL.
/// @param destination  not NULL, with struct_size set; receives the description of the frame. Its
///                     memory belongs to the caller, also if rendering fails after the callback.
/// @param options      NULL for the defaults.
/// @param result       may be NULL.
///
/// @return as sls_clip_pull_frame(); SLS_ERROR_MEMORY if the callback fails; SLS_ERROR_NULL or
/// SLS_ERROR_FRAME if it sets an invalid data or stride.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: as sls_clip_pull_frame().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_pull_allocated(
    clip: *mut sls_clip,
    allocate: sls_allocate_callback,
    user: *mut c_void,
    destination: *mut sls_frame,
    options: *const sls_render_options,
    result: *mut sls_render_result,
) -> sls_status {
    // SAFETY: the header requires a live clip, a callback for this call and structs as described.
    unsafe {
        on(clip, |clip| {
            let allocate = allocate.ok_or(Failure::Null("allocate"))?;
            let out = Out::new(destination, "destination")?;
            let out = out.ok_or(Failure::Null("destination"))?;
            let mut request = RenderRequest::new(options, result, 1)?;
            let mut stream = clip.clip.write();
            let (width, height, format) = stream.ready()?;
            let mut target = frame::unplaced(width, height, format);
            if allocate(user, &mut target) != 0 {
                let reason = "the allocation callback failed";
                return Err(Failure::Error(Error::Memory(reason.into())));
            }
            let mut view = frame::write(&target, "destination")?;
            let rendered = stream.pull_frame_with(&mut view, &mut request.options())?;
            drop(stream);
            request.finish(&rendered)?;
            out.write(target);
            Ok(())
        })
    }
}

/// The next frame can be pulled.
pub const SLS_NEED_NOTHING: i32 = 0;
/// The next frame needs more frames: push some, or flush the stream after the last.
pub const SLS_NEED_FRAMES: i32 = 1;
/// The next frame needs more audio: push some, or finish the audio.
pub const SLS_NEED_AUDIO: i32 = 2;

/// Tells what the stream needs before the next frame can be pulled, for instance after SLS_AGAIN. If
/// sls_clip_push_frame() returned SLS_AGAIN, SLS_NEED_NOTHING means that frames must be pulled, and
/// SLS_NEED_AUDIO that the queued frames wait for audio.
///
/// @param clip  not NULL.
/// @param need  not NULL; receives one of SLS_NEED_*. If both are missing, SLS_NEED_FRAMES.
///
/// @return SLS_OK; SLS_END after the last frame of a flushed stream; SLS_ERROR_NULL;
/// SLS_ERROR_NO_AUDIO if the stream was flushed without any audio; SLS_ERROR_CONSENT,
/// SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED.
///
/// Threads: any; concurrent. Blocks: while an exclusive call runs, and while networks run, at most once
/// per shot. Allocates: what the frame is rendered from, held by the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_stream_need(clip: *const sls_clip, need: *mut i32) -> sls_status {
    // SAFETY: the header requires a live clip, and NULL or a writable pointer.
    unsafe {
        on(clip, |clip| {
            let need = need.as_mut().ok_or(Failure::Null("need"))?;
            *need = match clip.clip.read().ready() {
                Ok(_) => SLS_NEED_NOTHING,
                Err(Error::Again(StreamNeed::Frames)) => SLS_NEED_FRAMES,
                Err(Error::Again(StreamNeed::Audio)) => SLS_NEED_AUDIO,
                Err(error) => return Err(error.into()),
            };
            Ok(())
        })
    }
}

/// Marks the end of frames and audio: all queued frames can now be pulled, until SLS_END.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_MEMORY.
///
/// Threads: any; exclusive. Blocks: while another call runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_flush(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().flush()?)) }
}

/// Restarts the stream at frame 0. Queued frames and pushed audio are discarded, and so is the list of
/// changed frames (sls_clip_provenance()); audio set as a whole, the reference that was set, and the
/// analysis are kept.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_reset(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe {
        on(clip, |clip| {
            clip.clip.write().reset();
            Ok::<(), Failure>(())
        })
    }
}

/// Restarts the stream at another frame: as sls_clip_reset(), but the next frame pushed gets the
/// given index, the next audio pushed starts at the time of that frame, and the list of changed frames is
/// kept.
///
/// A mouth depends on up to two seconds of audio before its frame. With pushed audio, frames nearer
/// than that to index may therefore differ from random access: seek two seconds earlier and drop these
/// frames where that matters.
///
/// @param clip   not NULL.
/// @param index  index of the next frame.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if index is outside sls_clip_options.times.
/// On failure the stream is unchanged.
///
/// Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_seek(clip: *mut sls_clip, index: i64) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().seek(index)?)) }
}
