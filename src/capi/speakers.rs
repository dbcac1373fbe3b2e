//! Further speakers of a clip.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Zeroable;

use super::audio::interleaved;
use super::boundary::boundary;
use super::clip::sls_clip;
use super::clip_options::Selected;
use super::failure::Failure;
use super::frame::sls_frame;
use super::handle::on;
use super::person::sls_person;
use super::sized::{self, SizedStruct};
use super::status::sls_status;
use super::text;
use crate::Error;
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
    /// For SLS_SELECT_PICTURE: as sls_clip_options.picture.
    pub picture: *const sls_frame,
    /// Must be 0.
    pub reserved: [u64; 3],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_speaker {
    const NAME: &'static str = "sls_speaker";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 3]
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
/// Add all speakers before the first frame is analysed, or an analysis is loaded. A clip with several speakers
/// has no stream: sls_clip_push_frame() returns SLS_ERROR_STATE.
///
/// @param clip     not NULL.
/// @param speaker  not NULL.
/// @param number   may be NULL; receives the number of the speaker: 1, 2 and so on. See
///                 sls_render_options.speakers.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT; SLS_ERROR_READ, SLS_ERROR_AUDIO,
/// SLS_ERROR_NO_AUDIO as sls_clip_load_audio(); SLS_ERROR_FRAME, SLS_ERROR_NO_FACE for a picture; SLS_ERROR_STATE
/// if frames were analysed or pushed, or the person was made from another bundle; SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the clip
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
            let wanted = Selected {
                selection: speaker.selection,
                face: speaker.face,
                point: [speaker.point_x, speaker.point_y],
                picture: speaker.picture,
                fields: ["speaker.selection", "speaker.point_x", "speaker.picture"],
            };
            let (engine, transfer) = {
                let clip = clip.clip.read();
                (clip.engine().clone(), clip.options().transfer)
            };
            let selection = wanted.read(&engine, transfer)?;
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

/// Finds the face that speaks in the audio that was recorded with a clip's frames, among the faces of all
/// analysed frames. A face must be in sight for 1.4 seconds without a cut. To lip-sync it, make a clip with
/// SLS_SELECT_FACE and this id, and analyse the same frames in rising order.
///
/// @param clip      not NULL; its frames were analysed.
/// @param samples   not NULL; frames * channels interleaved samples, nominally -1 to 1. The first one belongs to
///                  the clip time 0.
/// @param frames    number of samples per channel, at least 1.
/// @param rate      sample rate in Hz, 1000 to 768000.
/// @param channels  1 to 64; they are mixed down to mono.
/// @param face      not NULL; receives the id of the face.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO; SLS_ERROR_NO_FACE if no face is in
/// sight for long enough; SLS_ERROR_BUNDLE if the bundle has no SyncNet; SLS_ERROR_NETWORK,
/// SLS_ERROR_CANCELLED. On failure *face is not written.
///
/// Threads: any; concurrent. Blocks: while networks run. Allocates: the audio
/// as 16 kHz mono float, during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_speaking_face(
    clip: *const sls_clip,
    samples: *const f32,
    frames: u64,
    rate: u32,
    channels: i32,
    face: *mut u32,
) -> sls_status {
    // SAFETY: the header requires a live clip, readable samples, and NULL or a writable id.
    unsafe {
        on(clip, |clip| {
            let face = face.as_mut().ok_or(Failure::Null("face"))?;
            let (samples, channels) = interleaved(samples, frames, channels)?;
            let own = Arc::new(to_16k(samples, rate, channels)?);
            let clip = clip.clip.read();
            let found = clip.analysis().audible_faces(clip.renderer(), &own)?;
            let first = found.first().ok_or(Error::NoFace("the analysed frames"))?;
            *face = first.id;
            Ok(())
        })
    }
}
