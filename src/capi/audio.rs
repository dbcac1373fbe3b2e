//! A clip's audio: whole, from a file, or pushed.

use std::ffi::c_char;
use std::path::Path;

use super::clip::sls_clip;
use super::failure::Failure;
use super::handle::on;
use super::status::sls_status;
use super::text;
use crate::audio::decode_below;

/// C's samples as a slice, and the number of channels.
///
/// # Safety
/// `samples` is NULL, or points to `frames * channels` floats that do not change during `'a`.
pub(super) unsafe fn interleaved<'a>(
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
            format!("{frames} is larger than the address space"),
        ));
    }
    if !samples.is_aligned() {
        return Err(Failure::argument(
            "samples",
            "the address is not aligned to 4 bytes",
        ));
    }
    let count = bytes as usize / size_of::<f32>();
    // SAFETY: not NULL, aligned, and the caller guarantees `count` floats.
    Ok((
        unsafe { std::slice::from_raw_parts(samples, count) },
        channels,
    ))
}

/// Sets all of the clip's audio. If it is shorter than the clip, silence follows; if it is longer,
/// the rest is ignored. It may be called in the middle of a stream: frames pulled after it use the
/// new audio.
///
/// @param clip      not NULL.
/// @param samples   frames * channels interleaved samples, nominally -1 to 1; they are copied.
///                  Infinite and NaN samples count as silence. NULL is allowed only if frames is 0.
/// @param frames    number of samples per channel.
/// @param rate      sample rate in Hz, 1000 to 768000.
/// @param channels  number of channels, 1 to 64. They are mixed down to mono; 3 to 8 channels are
///                  read as left, right, centre, then (from 6 channels on) low-frequency effects,
///                  then surround.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO if there are no samples;
/// SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure the previous audio stays in use.
///
/// Threads: any; exclusive. Blocks: while it resamples, a fraction of a second per minute of audio.
/// Allocates: the audio as 16 kHz mono float, held by the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_audio(
    clip: *mut sls_clip,
    samples: *const f32,
    frames: u64,
    rate: u32,
    channels: i32,
) -> sls_status {
    // SAFETY: the header requires a live clip, and samples as described.
    unsafe {
        on(clip, |clip| {
            let (samples, channels) = interleaved(samples, frames, channels)?;
            Ok(clip.clip.write().set_audio(samples, rate, channels)?)
        })
    }
}

/// Sets all of the clip's audio from a file, as sls_clip_set_audio() does. Containers: WAV, RF64, W64,
/// AIFF, CAF, FLAC, MP3, ADTS, Ogg, MP4 (M4A, MOV), Matroska (WebM). Codecs: PCM, FLAC, ALAC, MP3,
/// AAC-LC, Vorbis, Opus, at any sample rate and with any number of channels. Padding of the encoder is
/// dropped, and silence stands where a track begins late or has a gap.
///
/// @param clip  not NULL.
/// @param path  not NULL; UTF-8; relative to the working directory of the process.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_READ if the file cannot be opened;
/// SLS_ERROR_AUDIO if it is not an audio file, is truncated, or uses an unsupported codec;
/// SLS_ERROR_NO_AUDIO if it contains no samples; SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure
/// the previous audio stays in use.
///
/// Threads: any; exclusive. Blocks: while it reads and decodes. Allocates: as sls_clip_set_audio().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_load_audio(
    clip: *mut sls_clip,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header requires a live clip, and a string.
    unsafe {
        on(clip, |clip| {
            let path = Path::new(text::read(path, "path")?);
            let limit = clip.clip.read().options().memory;
            let sound = decode_below(path, limit.map(|bytes| bytes / size_of::<f32>() as u64))?;
            Ok(clip.clip.write().set_audio(&sound.samples, sound.rate, 1)?)
        })
    }
}

/// Appends audio to the stream, in chunks of any size; the size does not affect the result. Once
/// audio was pushed, the clip is a stream and sls_clip_render() is not available: it needs all of
/// the audio.
///
/// @param clip      not NULL.
/// @param samples   as for sls_clip_set_audio().
/// @param frames    as for sls_clip_set_audio().
/// @param rate      as for sls_clip_set_audio(); the same in every call.
/// @param channels  as for sls_clip_set_audio(); the same in every call.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_MEMORY; SLS_ERROR_STATE after
/// sls_clip_finish_audio(), sls_clip_set_audio() or sls_clip_load_audio(). On failure nothing is
/// appended.
///
/// Threads: any; exclusive. Blocks: while another call runs. Allocates: the chunk as 16 kHz mono
/// float, held by the clip until no later frame needs it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_push_audio(
    clip: *mut sls_clip,
    samples: *const f32,
    frames: u64,
    rate: u32,
    channels: i32,
) -> sls_status {
    // SAFETY: the header requires a live clip, and samples as described.
    unsafe {
        on(clip, |clip| {
            let (samples, channels) = interleaved(samples, frames, channels)?;
            Ok(clip.clip.write().push_audio(samples, rate, channels)?)
        })
    }
}

/// Marks the end of pushed audio: silence follows.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_NO_AUDIO if none was pushed.
///
/// Threads: any; exclusive. Blocks: while another call runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_finish_audio(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().finish_audio()?)) }
}

/// Discards the pushed audio from a clip time on, for instance when a live speaker is interrupted.
/// Audio pushed next starts at that time, and may have another rate and number of channels. Queued
/// frames use the new audio. If the time lies after the last sample, silence fills the gap.
///
/// @param clip      not NULL.
/// @param position  clip time in 1/16000 s.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if no audio was pushed; SLS_ERROR_ARGUMENT if
/// the position lies before the audio that the next frame needs; SLS_ERROR_MEMORY if it lies so far
/// ahead that the silence does not fit in memory. On failure the audio is unchanged.
///
/// Threads: any; exclusive. Blocks: while another call runs. Allocates: the silence, if any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_cut_audio(clip: *mut sls_clip, position: i64) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().cut_audio(position)?)) }
}
