//! Analysis of a clip's frames, and the faces found in them.

use std::ffi::c_char;

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::clip::sls_clip;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::handle::on;
use super::sized::{self, Out, SizedStruct};
use super::status::sls_status;
use super::text;
use crate::Error;

/// Discards the results of all sls_clip_analyze() calls and of sls_clip_finish_analysis(). Use it when
/// the frames of the clip have changed.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_forget_analysis(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe {
        on(clip, |clip| {
            clip.clip.write().forget_analysis();
            Ok(())
        })
    }
}

/// Detects the faces in a frame and stores them in the clip. sls_clip_render() smooths the position
/// of a face over the analysed frames up to two before and two after it, and makes the profile of the
/// person in each shot, if no reference is set, from the first 25 frames from the first face on, or from
/// all frames after sls_clip_finish_analysis(). So analyse the whole clip, or at least its first second and the
/// neighbours of the frames to be rendered. Any order is allowed. A frame that
/// is already analysed is not analysed again, even if its pixels changed; call
/// sls_clip_forget_analysis() first.
///
/// @param clip   not NULL.
/// @param index  index of the frame.
/// @param frame  not NULL.
/// @param faces  may be NULL; receives the number of faces found.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_NETWORK,
/// SLS_ERROR_CANCELLED; SLS_ERROR_STATE if SLS_SELECT_FACE is used and a later frame was analysed
/// before this one, because ids are assigned in frame order. On failure nothing is stored.
///
/// Threads: any; concurrent. Blocks: while networks run. Allocates: about 800 bytes per frame and
/// face, and pictures of the face, held by the clip. A picture takes 256 KiB, or up to 896 KiB if the face
/// is larger in the frame than the model's 256 pixels and sls_clip_options.memory_limit leaves room. A
/// clip of one shot holds at most 121 of them and some candidates for the reference; a film of many
/// shots fewer for each, and none for the shots after the first 1000. Under a memory limit they take
/// about a quarter of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_analyze(
    clip: *mut sls_clip,
    index: i64,
    frame: *const sls_frame,
    faces: *mut i32,
) -> sls_status {
    // SAFETY: the header requires a live clip, a frame as described, and a writable pointer.
    unsafe {
        on(clip, |clip| {
            let frame = frame::read(frame, "frame")?;
            let seen = clip.clip.read().analyze(index, &frame)?;
            if let Some(faces) = faces.as_mut() {
                *faces = i32::try_from(seen).unwrap_or(i32::MAX);
            }
            Ok(())
        })
    }
}

/// Freezes the profile of the person: for each shot the reference, and a bank of at most 48 analysed
/// frames that cover the mouth shapes and poses of the person, of all shots together at most 96 and two
/// for each shot. Each frame is rendered from the one to three frames
/// of the bank whose mouth shape and pose are nearest, so mouth and teeth are the person's own. Call it
/// when all frames of the clip are analysed, before sls_clip_render() or the stream. Clips with equal
/// profiles render equal bytes.
///
/// Where the whole audio is set, the mouth then moves as far as the person's did in these frames: their
/// range over that of the speech, 0.45 to 2.2. Audio that is pushed counts as typical speech.
///
/// Without this call the profile of each shot is made from its first 25 frames from the first face on: of
/// the analysed frames, or if there are none, of the stream. Frames that are analysed after it do not
/// change the profile. A further call changes nothing and returns SLS_OK; call
/// sls_clip_forget_analysis() to begin again. The profile is not used while a reference is set.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if no frame was analysed; SLS_ERROR_NO_FACE if no
/// analysed frame shows the face well enough; SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the
/// profile is not frozen.
///
/// Threads: any; exclusive. Blocks: while networks run. Allocates: the pictures of the bank, of
/// 256 to 896 KiB as sls_clip_analyze() states, held by the clip; frees those that it was chosen from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_finish_analysis(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe { on(clip, |clip| Ok(clip.clip.write().finish_analysis()?)) }
}

/// Writes the finished analysis of the clip to a file: the faces of its frames, its shots, and the
/// pictures of the bank. A clip that loads it needs no sls_clip_analyze(): other audio, other processes
/// and other machines render from one analysis. A frame takes about 800 bytes for each face, and a
/// picture of the bank 256 to 896 KiB. The file holds pictures of the person's face: treat it like the footage.
///
/// @param clip  not NULL.
/// @param path  not NULL; UTF-8. An existing file is replaced once the new one is complete.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_WRITE; SLS_ERROR_STATE before
/// sls_clip_finish_analysis().
///
/// Threads: any; concurrent. Blocks: while it writes the file. Allocates: the file's size, until it
/// returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_save_analysis(
    clip: *const sls_clip,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header requires a live clip and a string.
    unsafe {
        on(clip, |clip| {
            let path = text::read(path, "path")?;
            Ok(clip.clip.read().save_analysis(path)?)
        })
    }
}

/// Replaces the analysis of the clip by one from a file. It is finished, and renders the same bytes as
/// the one that was saved. The clip must have the same face selection and transfer function, and its
/// engine the same bundle. sls_clip_render() returns SLS_ERROR_STATE if the frame of an analysed index is
/// not the picture that was analysed; it compares samples of its rows, its size and its pixel format.
/// Frames of other indices are rendered as frames that were not analysed.
///
/// @param clip  not NULL.
/// @param path  not NULL; UTF-8.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_READ, SLS_ERROR_NETWORK;
/// SLS_ERROR_ANALYSIS if the file is not an analysis file, is damaged, or was made with another bundle,
/// face selection or transfer function; SLS_ERROR_MEMORY if the pictures of its bank exceed
/// sls_clip_options.memory_limit. On failure the analysis stays as it was.
///
/// Threads: any; exclusive. Blocks: while it reads the file and networks run. Allocates: the analysis,
/// held by the clip, and the file's size until it returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_load_analysis(
    clip: *mut sls_clip,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header requires a live clip and a string.
    unsafe {
        on(clip, |clip| {
            let path = text::read(path, "path")?;
            Ok(clip.clip.write().load_analysis(path)?)
        })
    }
}

/// Returns the shot of a frame: the frames between two cuts. A cut is found where two analysed frames
/// that follow each other do not look alike; frames that were not analysed are taken for frames of the
/// shot before them. Smoothing and the profile of the person end at a cut; a person who is recognised after it
/// keeps the id of the face. The flash of a camera counts as a cut. A dissolve of at least six frames is found by
/// sls_clip_finish_analysis(): a shot ends in its middle, where the mouth is left unchanged, and is changed more and
/// more weakly towards it.
///
/// @param clip   not NULL.
/// @param index  index of the frame.
/// @param first  may be NULL; receives the index of the shot's first analysed frame.
/// @param next   may be NULL; receives the index of the first frame of the next shot, or INT64_MAX if no
///               later cut was found.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if no frame was analysed.
///
/// Threads: any; concurrent. Blocks: while an exclusive call runs. Allocates: nothing that it keeps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_shot(
    clip: *const sls_clip,
    index: i64,
    first: *mut i64,
    next: *mut i64,
) -> sls_status {
    // SAFETY: the header requires a live clip, and pointers that are NULL or writable.
    unsafe {
        on(clip, |clip| {
            let shot = clip.clip.read().analysis().shot(index);
            let shot =
                shot.ok_or_else(|| Failure::Error(Error::State("no frame was analysed".into())))?;
            if let Some(first) = first.as_mut() {
                *first = shot.start;
            }
            if let Some(next) = next.as_mut() {
                *next = shot.end;
            }
            Ok(())
        })
    }
}

/// A detected face. Set struct_size before the call, or call sls_face_init().
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_face {
    /// sizeof(sls_face).
    pub struct_size: u32,
    /// Id of the face in the clip, for SLS_SELECT_FACE. Clips that analysed the same frames assign
    /// the same ids.
    pub id: u32,
    /// Centre of the face crop, in pixels from the left edge of the frame, times sls_frame.pixel_aspect.
    pub x: f32,
    /// Centre of the face crop, in pixels from the top edge of the frame.
    pub y: f32,
    /// Side of the square face crop, in rows of the frame.
    pub side: f32,
    /// Confidence of the detection, 0 to 1.
    pub confidence: f32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers, reserved last.
unsafe impl SizedStruct for sls_face {
    const NAME: &'static str = "sls_face";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// Initialises an sls_face: sets struct_size, and every other field to 0.
///
/// @param face         not NULL.
/// @param struct_size  sizeof(sls_face).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_face_init(face: *mut sls_face, struct_size: usize) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(face, struct_size, "face", Zeroable::zeroed()) })
}

/// Returns a face that was found in an analysed frame.
///
/// @param clip     not NULL.
/// @param index    index of the frame.
/// @param ordinal  0 to the number of faces that sls_clip_analyze() returned, minus 1.
/// @param face     not NULL, with struct_size set; receives the face.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_STATE if the frame was not analysed;
/// SLS_ERROR_ARGUMENT if ordinal is out of range.
///
/// Threads: any; concurrent. Blocks: while an exclusive call runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_face(
    clip: *const sls_clip,
    index: i64,
    ordinal: i32,
    face: *mut sls_face,
) -> sls_status {
    // SAFETY: the header requires a live clip, and a struct of the size that it states.
    unsafe {
        on(clip, |clip| {
            let out = Out::new(face, "face")?.ok_or(Failure::Null("face"))?;
            let faces = clip.clip.read().faces(index).ok_or_else(|| {
                Failure::Error(Error::State(format!("frame {index} was not analysed")))
            })?;
            let seen = usize::try_from(ordinal).ok().and_then(|at| faces.get(at));
            let seen = seen.ok_or_else(|| {
                let count = faces.len();
                Failure::argument(
                    "ordinal",
                    format!("{ordinal} is out of range: the frame has {count} faces"),
                )
            })?;
            out.write(sls_face {
                id: seen.id,
                x: seen.centre[0] as f32,
                y: seen.centre[1] as f32,
                side: seen.side as f32,
                confidence: seen.confidence,
                ..Zeroable::zeroed()
            });
            Ok(())
        })
    }
}
