//! The invisible watermark: putting it in, and finding it.

use bytemuck::Zeroable;
use parking_lot::Mutex;

use super::boundary::{Health, boundary};
use super::clip::sls_clip;
use super::clip_options::transfer;
use super::engine::sls_engine;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::handle::{self, Handle, on};
use super::sized::{self, Out, SizedStruct};
use super::status::sls_status;
use crate::{Detector, MarkId};

/// For sls_clip_set_watermark(): an identifier made from the clip's bundle, person and audio, so that all
/// pieces of one render carry the same.
pub const SLS_WATERMARK_OF_INPUTS: u64 = u64::MAX;

/// Puts an invisible watermark into every frame that is changed after the call. It carries 64 bits: the
/// product, and an identifier of 32 bits, which sls_clip_provenance() reports. It changes generated pixels
/// only, by about 1 of 255 levels, and is a function of the frame and the identifier.
///
/// sls_detect_result() finds it in whole clips, also after common compression where the face is large; the
/// README has the figures. It can be removed: whoever has this library can find it and paint
/// over it.
///
/// @param clip  not NULL. With SLS_WATERMARK_OF_INPUTS, set audio and person first.
/// @param id    0 for no watermark, which is the default; 1 to 2^32 - 1; or SLS_WATERMARK_OF_INPUTS.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if id is out of range. On failure the clip keeps its
/// previous watermark.
///
/// Threads: any; exclusive. Blocks: with SLS_WATERMARK_OF_INPUTS it reads all of the audio. Allocates:
/// 4 KiB for the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_watermark(clip: *mut sls_clip, id: u64) -> sls_status {
    // SAFETY: the header requires a live clip.
    unsafe {
        on(clip, |clip| {
            let mut clip = clip.clip.write();
            let id = match id {
                0 => None,
                SLS_WATERMARK_OF_INPUTS => Some(MarkId::of_inputs(&clip.provenance())),
                id => Some(
                    MarkId::new(id).map_err(|error| Failure::argument("id", error.to_string()))?,
                ),
            };
            clip.set_watermark(id);
            Ok(())
        })
    }
}

/// Looks for the watermark in the frames of a video. It holds at most three frames, whatever the length.
pub struct sls_detector {
    detector: Mutex<Detector>,
    health: Health,
}

impl Handle for sls_detector {
    const NAME: &'static str = "detector";

    fn health(&self) -> &Health {
        &self.health
    }
}

/// Creates a detector.
///
/// @param engine         not NULL. It may be destroyed before the detector.
/// @param transfer_kind  transfer function of the frames' pixel values: one of SLS_TRANSFER_*.
/// @param detector       not NULL; receives the detector. The caller owns it and destroys it with
///                       sls_detect_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT. On failure *detector is not written.
///
/// Threads: any; concurrent. Blocks: no. Allocates: the detector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_detect_create(
    engine: *const sls_engine,
    transfer_kind: i32,
    detector: *mut *mut sls_detector,
) -> sls_status {
    // SAFETY: the header requires a live engine and a writable pointer.
    unsafe {
        on(engine, |engine| {
            if detector.is_null() {
                return Err(Failure::Null("detector"));
            }
            let transfer = transfer(transfer_kind, "transfer_kind")?;
            detector.write(Box::into_raw(Box::new(sls_detector {
                detector: Mutex::new(Detector::new(engine.engine.clone(), transfer)),
                health: Health::default(),
            })));
            Ok(())
        })
    }
}

/// Destroys a detector.
///
/// @param detector  may be NULL. No other call may be using it.
///
/// Threads: any. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_detect_destroy(detector: *mut sls_detector) {
    // SAFETY: the header requires a live detector that nobody uses.
    unsafe { handle::destroy(detector) }
}

/// Adds the next frame of the video. All frames in their order give the best result.
///
/// @param detector  not NULL.
/// @param frame     not NULL; its memory may be reused after the call.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_MEMORY, SLS_ERROR_NETWORK.
/// After a failure the frame is left out.
///
/// Threads: any; exclusive. Blocks: while the frame's faces are found. Allocates: copies of three frames.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_detect_add_frame(
    detector: *mut sls_detector,
    frame: *const sls_frame,
) -> sls_status {
    // SAFETY: the header requires a live detector and a frame as described.
    unsafe {
        on(detector, |detector| {
            let frame = frame::read(frame, "frame")?;
            Ok(detector.detector.lock().push(&frame)?)
        })
    }
}

/// What a detector found. Set struct_size before the call, or call sls_detection_init().
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_detection {
    /// sizeof(sls_detection).
    pub struct_size: u32,
    /// 1 if there is a watermark, 0 if none was found.
    pub found: i32,
    /// The identifier; 0 if none was found, or if it cannot be read with certainty: that needs a better copy
    /// than finding the mark.
    pub id: u64,
    /// How well the frames agree with a watermark, in standard deviations of chance.
    pub score: f64,
    /// Upper bound of the probability of that score without a watermark. Up to 1e-7, found is 1.
    pub chance: f64,
    /// Frames added.
    pub frames: u64,
    /// Faces in them.
    pub faces: u64,
    /// Must be 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers, reserved last.
unsafe impl SizedStruct for sls_detection {
    const NAME: &'static str = "sls_detection";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// Initialises an sls_detection: sets struct_size, and every other field to 0.
///
/// @param detection    not NULL.
/// @param struct_size  sizeof(sls_detection).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_detection_init(
    detection: *mut sls_detection,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(detection, struct_size, "detection", Zeroable::zeroed()) })
}

/// Returns what was found in the frames so far. More frames may be added afterwards.
///
/// @param detector   not NULL.
/// @param detection  not NULL, with struct_size set; receives the result.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_NETWORK. On failure nothing is written.
///
/// Threads: any; exclusive. Blocks: while the last frames are read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_detect_result(
    detector: *mut sls_detector,
    detection: *mut sls_detection,
) -> sls_status {
    // SAFETY: the header requires a live detector and a struct of the size that it states.
    unsafe {
        on(detector, |detector| {
            let out = Out::new(detection, "detection")?.ok_or(Failure::Null("detection"))?;
            let result = detector.detector.lock().detect()?;
            out.write(sls_detection {
                found: result.found.into(),
                id: result.id.map_or(0, MarkId::value),
                score: result.score,
                chance: result.chance,
                frames: result.frames,
                faces: result.faces,
                ..Zeroable::zeroed()
            });
            Ok(())
        })
    }
}
