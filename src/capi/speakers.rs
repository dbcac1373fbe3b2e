//! Further speakers of a clip.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Zeroable;

use super::audio::interleaved;
use super::boundary::boundary;
use super::clip::sls_clip;
use super::clip_options::selection;
use super::handle::on;
use super::person::sls_person;
use super::sized::{self, SizedStruct};
use super::status::sls_status;
use super::text;
use crate::audio::{decode_below, to_16k};

/// Another face of a clip, with its own audio. Initialise it with sls_speaker_init(), then set which face it is,
/// and either samples or path.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_speaker {
    /// sizeof(sls_speaker); set by sls_speaker_init().
    pub struct_size: u32,
    /// Which face it is: one of SLS_SELECT_*; default SLS_SELECT_LARGEST.
    pub selection: i32,
    /// For SLS_SELECT_POINT: as sls_clip_options.point_x.
    pub point_x: f32,
    /// For SLS_SELECT_POINT: as sls_clip_options.point_y.
    pub point_y: f32,
    /// For SLS_SELECT_FACE: the id of the face. For SLS_SELECT_FROM_LEFT: the number of faces to its left.
    pub face: u32,
    /// Sample rate of samples in Hz, 1000 to 768000.
    pub rate: u32,
    /// All of its audio: frames * channels interleaved samples, nominally -1 to 1; they are copied. Default NULL:
    /// from a file.
    pub samples: *const f32,
    /// Number of samples per channel.
    pub frames: u64,
    /// Number of channels of samples, 1 to 64; they are mixed down to mono.
    pub channels: i32,
    /// Must be 0.
    pub reserved0: u32,
    /// The audio file, UTF-8, if samples is NULL; see sls_clip_load_audio(). Default NULL.
    pub path: *const c_char,
    /// The person that this face is rendered with. Default NULL: the bundle's own decoder. It may be destroyed
    /// after the call.
    pub person: *const sls_person,
    /// Must be 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_speaker {
    const NAME: &'static str = "sls_speaker";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 4]
    }
}

/// Initialises a speaker: sets struct_size, and every other field to 0.
///
/// @param speaker      not NULL.
/// @param struct_size  sizeof(sls_speaker).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_speaker_init(
    speaker: *mut sls_speaker,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(speaker, struct_size, "speaker", Zeroable::zeroed()) })
}

/// Adds a speaker to a clip: another face of its frames, with its own audio and person. The clip itself is
/// speaker 0, with the face of sls_clip_options, the audio of sls_clip_set_audio() and the person of
/// sls_clip_set_person(); all other options of the clip apply to every speaker. Frames are analysed once for all
/// speakers, and sls_clip_render() paints all of them. If two speakers select the same face of a frame, the one
/// that was added first paints it. A clip has at most 16 speakers.
///
/// Add all speakers before the first frame is analysed. A clip with several speakers has no stream
/// (sls_clip_push_frame() returns SLS_ERROR_STATE), and its analysis cannot be saved or loaded.
///
/// @param clip     not NULL.
/// @param speaker  not NULL.
/// @param number   may be NULL; receives the number of the speaker: 1, 2 and so on. See
///                 sls_render_options.speakers.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT; SLS_ERROR_READ, SLS_ERROR_AUDIO,
/// SLS_ERROR_NO_AUDIO as sls_clip_load_audio(); SLS_ERROR_STATE if frames were analysed or pushed, or the person
/// was made from another bundle; SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the clip
/// stays as it was.
///
/// Threads: any; exclusive. Blocks: while audio is decoded and resampled, and while a network of the person is
/// built. Allocates: the audio as 16 kHz mono float, held by the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_add_speaker(
    clip: *mut sls_clip,
    speaker: *const sls_speaker,
    number: *mut i32,
) -> sls_status {
    // SAFETY: the header requires a live clip, a struct of the size that it states with a live person, and NULL or a
    // writable number.
    unsafe {
        on(clip, |clip| {
            let speaker = sized::read(speaker, "speaker")?;
            let selection = selection(
                (speaker.selection, speaker.face),
                [speaker.point_x, speaker.point_y],
                ["speaker.selection", "speaker.point_x"],
            )?;
            let person = speaker.person.as_ref().map(|person| &person.person);
            let samples = if speaker.samples.is_null() {
                let path = Path::new(text::read(speaker.path, "speaker.path")?);
                let limit = clip.clip.read().options().memory;
                let sound = decode_below(path, limit.map(|bytes| bytes / size_of::<f32>() as u64))?;
                to_16k(&sound.samples, sound.rate, 1)?
            } else {
                let (samples, channels) =
                    interleaved(speaker.samples, speaker.frames, speaker.channels)?;
                to_16k(samples, speaker.rate, channels)?
            };
            let mut clip = clip.clip.write();
            let added = clip.add_speaker(selection, Arc::new(samples), person)?;
            if let Some(number) = number.as_mut() {
                *number = i32::try_from(added).unwrap_or(i32::MAX);
            }
            Ok(())
        })
    }
}
