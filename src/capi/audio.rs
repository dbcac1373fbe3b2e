//! The words: whole, from a file, or pushed.

use std::ffi::c_char;
use std::path::Path;

use super::clip::sls_clip;
use super::handle::on;
use super::status::{Failure, sls_status};
use super::text;
use crate::audio::decode_below;

/// Samples that C handed over.
///
/// # Safety
/// `samples` is NULL or leads to `frames * channels` floats that nobody changes for `'a`.
unsafe fn interleaved<'a>(
    samples: *const f32,
    frames: u64,
    channels: i32,
) -> Result<(&'a [f32], u16), Failure> {
    let channels = u16::try_from(channels)
        .ok()
        .filter(|channels| (1..=64).contains(channels))
        .ok_or_else(|| {
            Failure::argument("channels", format!("{channels} is not between 1 and 64"))
        })?;
    if frames == 0 {
        return Ok((&[], channels));
    }
    if samples.is_null() {
        return Err(Failure::Null("samples"));
    }
    let bytes = u128::from(frames) * u128::from(channels) * size_of::<f32>() as u128;
    if bytes > isize::MAX as u128 {
        return Err(Failure::argument(
            "frames",
            format!("{frames} is beyond all memory"),
        ));
    }
    if !samples.is_aligned() {
        return Err(Failure::argument(
            "samples",
            "the address is not aligned for float",
        ));
    }
    let count = bytes as usize / size_of::<f32>();
    // SAFETY: not NULL, aligned, and `count` floats long by the caller's promise.
    Ok((
        unsafe { std::slice::from_raw_parts(samples, count) },
        channels,
    ))
}

/// Sets all of the clip's audio. Where the clip is longer there is silence; where it is shorter the
/// rest is not heard. It may be called in the middle of a stream: the frames that are pulled from
/// then on say it.
///
/// @param clip      not NULL.
/// @param samples   interleaved, nominally -1 to 1, frames * channels of them; copied. Samples that
///                  are not a number, or infinite, read as silence. NULL only if frames is 0.
/// @param frames    samples of one channel.
/// @param rate      samples of one channel a second, 1000 to 768000.
/// @param channels  1 to 64; mixed to mono (3 to 8: left, right, centre, low effects from 6 on,
///                  surround).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO for no sample at all;
/// SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure the audio stays what it was.
///
/// Any thread; blocks while it resamples (a minute of audio takes a fraction of a second).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_audio(
    clip: *mut sls_clip,
    samples: *const f32,
    frames: u64,
    rate: u32,
    channels: i32,
) -> sls_status {
    // SAFETY: the header demands a live clip, and samples as described.
    unsafe {
        on(clip, |clip| {
            let (samples, channels) = interleaved(samples, frames, channels)?;
            Ok(clip.clip.write().set_audio(samples, rate, channels)?)
        })
    }
}

/// Sets all of the clip's audio from a file: wav, aiff, mp3, m4a or mp4 (aac, alac), flac, ogg
/// vorbis; of any rate and channels.
///
/// @param clip  not NULL.
/// @param path  not NULL; UTF-8; relative to the working folder of the process.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_READ when the file cannot be
/// opened; SLS_ERROR_AUDIO when it is no audio file, is truncated, or its codec is not supported;
/// SLS_ERROR_NO_AUDIO when it holds no sample; SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure the
/// audio stays what it was.
///
/// Any thread; blocks while it reads and decodes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_load_audio(
    clip: *mut sls_clip,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header demands a live clip, and a string.
    unsafe {
        on(clip, |clip| {
            let path = Path::new(text::read(path, "path")?);
            let limit = clip.clip.read().options().memory;
            let sound = decode_below(path, limit.map(|bytes| bytes / size_of::<f32>() as u64))?;
            Ok(clip.clip.write().set_audio(&sound.samples, sound.rate, 1)?)
        })
    }
}

/// Appends audio to the stream, in chunks of any size: no frame depends on how the audio was cut.
/// A clip whose audio is pushed is a stream; sls_clip_render() needs all of it.
///
/// @param clip, samples, frames, rate, channels  as for sls_clip_set_audio(); rate and channels
/// must stay what they were in the first call.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_MEMORY; SLS_ERROR_STATE after
/// sls_clip_finish_audio(), sls_clip_set_audio() or sls_clip_load_audio(). On failure nothing was
/// appended.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_push_audio(
    clip: *mut sls_clip,
    samples: *const f32,
    frames: u64,
    rate: u32,
    channels: i32,
) -> sls_status {
    // SAFETY: the header demands a live clip, and samples as described.
    unsafe {
        on(clip, |clip| {
            let (samples, channels) = interleaved(samples, frames, channels)?;
            Ok(clip.clip.write().push_audio(samples, rate, channels)?)
        })
    }
}

/// States that no more audio comes: what follows is silence.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_NO_AUDIO when none was pushed.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_finish_audio(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().finish_audio()?)) }
}

/// Takes back what was pushed: samples from a position on are forgotten, and what is pushed next is
/// heard from there, for instance when a speaker is interrupted. It may be of another rate and
/// other channels. Frames that wait say it. Beyond the last sample there is silence up to the
/// position.
///
/// @param clip      not NULL.
/// @param position  on the clip's clock, in 1/16000 s.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE when no audio was pushed; SLS_ERROR_ARGUMENT for
/// a position before what the next frame hears, SLS_ERROR_MEMORY for one too far ahead. On failure
/// the audio stays what it was.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_cut_audio(clip: *mut sls_clip, position: i64) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().cut_audio(position)?)) }
}
