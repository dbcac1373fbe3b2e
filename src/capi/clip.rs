//! A clip: creation, reference, analysis.

use std::ffi::c_char;

use bytemuck::Zeroable;
use parking_lot::RwLock;

use super::boundary::{Health, boundary};
use super::engine::sls_engine;
use super::frame::{self, sls_frame};
use super::handle::{self, Handle, on};
use super::sized::{self, Out, SizedStruct};
use super::status::{Failure, sls_status};
use crate::audio::Rate;
use crate::clip::{Clip, ClipOptions, Timing};
use crate::face::{MaskTrim, Selection};
use crate::frame::Transfer;
use crate::{Canceller, Error};

/// The largest face speaks.
pub const SLS_SELECT_LARGEST: i32 = 0;
/// The face at, or nearest to, a point of the picture speaks.
pub const SLS_SELECT_POINT: i32 = 1;
/// The face of a number speaks: see sls_clip_face().
pub const SLS_SELECT_FACE: i32 = 2;
/// The face with so many others to its left in the frame speaks: 0 is the leftmost. It needs no
/// other frame, and does not follow faces that change places.
pub const SLS_SELECT_FROM_LEFT: i32 = 3;

/// The numbers are as they are to be displayed, like those of ordinary video; they go through
/// untouched.
pub const SLS_TRANSFER_DISPLAY: i32 = 0;
/// IEC 61966-2-1 (sRGB).
pub const SLS_TRANSFER_SRGB: i32 = 1;
/// The camera curve of ITU-R BT.709.
pub const SLS_TRANSFER_REC709: i32 = 2;
/// Proportional to light; 1 is diffuse white.
pub const SLS_TRANSFER_LINEAR: i32 = 3;

/// One clip's state: its reference, its audio, what was learned about its frames, its stream.
///
/// Any thread may use it at any time. sls_clip_render() and sls_clip_analyze() run at once on any
/// number of threads; every other call has the clip for itself and waits for its turn.
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

/// How a clip is rendered. Initialise it by sls_clip_options_init(), then change what you need.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_clip_options {
    /// sizeof(sls_clip_options).
    pub struct_size: u32,
    /// Frames a second: rate_num / rate_den, from 1 to 1000 (30000 / 1001, ...); 25 / 1 by default.
    pub rate_num: u32,
    /// See rate_num.
    pub rate_den: u32,
    /// Which face speaks: one of SLS_SELECT_; SLS_SELECT_LARGEST by default.
    pub selection: i32,
    /// For SLS_SELECT_POINT: pixels from the left edge.
    pub point_x: f32,
    /// For SLS_SELECT_POINT: pixels from the top edge.
    pub point_y: f32,
    /// For SLS_SELECT_FACE: the face's number; for SLS_SELECT_FROM_LEFT: how many others lie to its
    /// left.
    pub face: u32,
    /// How the numbers of the frames relate to light: one of SLS_TRANSFER_; SLS_TRANSFER_DISPLAY by
    /// default.
    pub transfer: i32,
    /// How much of the new mouth is shown, 0 to 1; 1 by default.
    pub strength: f32,
    /// 0.
    pub reserved0: i32,
    /// Where the audio's first sample lies on the clip's clock, in 1/16000 s: positive starts the
    /// words later, negative drops their beginning; 0 by default.
    pub audio_offset: i64,
    /// For a variable rate: the time of each frame from 0 on, in 1/16000 s, never decreasing; it is
    /// copied. NULL, the default: the rate is rate_num / rate_den.
    pub times: *const i64,
    /// Frames at times.
    pub time_count: u64,
    /// The most bytes of frames that wait, of audio and of crops that the clip may hold; what would
    /// hold more is refused with SLS_ERROR_MEMORY. 0, the default: as many as there are. The
    /// networks' own memory is the engine's and does not grow with the clip.
    pub memory_limit: u64,
    /// Moves the rim of what is painted by so many pixels of the 256 that the network sees of the
    /// face, -20 to 20: outwards above 0, never beyond what was painted; 0 by default.
    pub mask_grow: f32,
    /// How wide the rim is, times the bundle's own, up to 4; 0, the default, reads as 1.
    pub mask_feather: f32,
    /// 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_clip_options {
    const NAME: &'static str = "sls_clip_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 4]
    }
}

/// The library's defaults, as C sees them.
fn defaults() -> sls_clip_options {
    let library = ClipOptions::default();
    sls_clip_options {
        rate_num: 25,
        rate_den: 1,
        selection: SLS_SELECT_LARGEST,
        transfer: SLS_TRANSFER_DISPLAY,
        strength: library.strength,
        audio_offset: library.audio_offset,
        ..Zeroable::zeroed()
    }
}

/// Fills the options with their defaults.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_clip_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_options_init(
    options: *mut sls_clip_options,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults()) })
}

/// Makes a clip.
///
/// @param engine   not NULL. It may be destroyed before the clip.
/// @param options  NULL for the defaults; read during the call only.
/// @param clip     not NULL; receives the clip, which is yours: sls_clip_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT. On failure *clip is not
/// written, and sls_last_error() tells the reason.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_create(
    engine: *const sls_engine,
    options: *const sls_clip_options,
    clip: *mut *mut sls_clip,
) -> sls_status {
    // SAFETY: the header demands a live engine.
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
            let made = Clip::new(engine.engine.clone(), clip_options(&options)?)?;
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

/// # Safety
/// `options.times` is NULL or leads to as many numbers as said.
unsafe fn clip_options(options: &sls_clip_options) -> Result<ClipOptions, Failure> {
    let timing = if options.times.is_null() {
        Timing::Constant(Rate::new(options.rate_num, options.rate_den)?)
    } else {
        let count = usize::try_from(options.time_count)
            .ok()
            .filter(|&count| count <= isize::MAX as usize / size_of::<i64>())
            .ok_or_else(|| Failure::argument("options.time_count", "it is beyond all memory"))?;
        // SAFETY: as promised by the caller; read one by one, since C need not have aligned them.
        let time = |index| unsafe { options.times.add(index).read_unaligned() };
        Timing::Variable((0..count).map(time).collect())
    };
    let selection = match options.selection {
        SLS_SELECT_LARGEST => Selection::Largest,
        SLS_SELECT_POINT => Selection::Point {
            x: options.point_x.into(),
            y: options.point_y.into(),
        },
        SLS_SELECT_FACE => Selection::Id(options.face),
        SLS_SELECT_FROM_LEFT => Selection::FromLeft(options.face),
        other => {
            let reason = format!("{other} is none of SLS_SELECT_");
            return Err(Failure::argument("options.selection", reason));
        }
    };
    if !(options.point_x.is_finite() && options.point_y.is_finite()) {
        return Err(Failure::argument(
            "options.point_x",
            "the point is not finite",
        ));
    }
    let transfer = match options.transfer {
        SLS_TRANSFER_DISPLAY => Transfer::Display,
        SLS_TRANSFER_SRGB => Transfer::Srgb,
        SLS_TRANSFER_REC709 => Transfer::Rec709,
        SLS_TRANSFER_LINEAR => Transfer::Linear,
        other => {
            let reason = format!("{other} is none of SLS_TRANSFER_");
            return Err(Failure::argument("options.transfer", reason));
        }
    };
    Ok(ClipOptions {
        timing,
        audio_offset: options.audio_offset,
        selection,
        transfer,
        strength: options.strength,
        mask: MaskTrim {
            grow: options.mask_grow,
            // Fields that took reserved bytes mean by 0 what programs knew before.
            feather: match options.mask_feather {
                0.0 => MaskTrim::default().feather,
                feather => feather,
            },
        },
        memory: (options.memory_limit > 0).then_some(options.memory_limit),
        ..ClipOptions::default()
    })
}

/// Destroys a clip.
///
/// @param clip  may be NULL; no other call may be using it.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_destroy(clip: *mut sls_clip) {
    // SAFETY: the header demands a live clip that nobody uses.
    unsafe { handle::destroy(clip) }
}

/// Ends the calls that are under way on a clip: they return SLS_ERROR_CANCELLED as soon as ONNX
/// Runtime is between two nodes of a network, on the CPU within a few milliseconds. A call that was
/// finished in that moment gives what it gives. Calls that begin later are not touched, and what was
/// cancelled can be called again: nothing was noted, and the stream is where it was.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_cancel(clip: *const sls_clip) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe {
        on(clip, |clip| {
            clip.canceller.cancel();
            Ok(())
        })
    }
}

/// Tells what a clip holds: bytes of frames that wait, of audio and of crops. It is what
/// sls_clip_options.memory_limit limits.
///
/// @param clip   not NULL.
/// @param bytes  not NULL; receives the bytes.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any number of threads at once; waits for calls that have the clip for themselves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_memory(clip: *const sls_clip, bytes: *mut u64) -> sls_status {
    // SAFETY: the header demands a live clip and a writable pointer.
    unsafe {
        on(clip, |clip| {
            let bytes = bytes.as_mut().ok_or(Failure::Null("bytes"))?;
            *bytes = clip.clip.read().held().bytes;
            Ok(())
        })
    }
}

/// Sets the picture that says who speaks: the largest face in it, best seen from the front and
/// sharp. It holds for all frames, after sls_clip_reset() too.
///
/// Without it, the best of the first frames with a face is taken.
///
/// @param clip   not NULL.
/// @param frame  not NULL; read during the call only.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME; SLS_ERROR_NO_FACE, and the
/// reference stays what it was; SLS_ERROR_NETWORK.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_reference(
    clip: *mut sls_clip,
    frame: *const sls_frame,
) -> sls_status {
    // SAFETY: the header demands a live clip, and a frame as described.
    unsafe {
        on(clip, |clip| {
            let frame = frame::read(frame, "frame")?;
            Ok(clip.clip.write().set_reference(&frame)?)
        })
    }
}

/// Goes back to a reference that is chosen among the frames.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_clear_reference(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe {
        on(clip, |clip| {
            clip.clip.write().clear_reference();
            Ok(())
        })
    }
}

/// Forgets what was analysed, for instance when the clip's pictures changed.
///
/// @param clip  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_forget_analysis(clip: *mut sls_clip) -> sls_status {
    // SAFETY: the header demands a live clip.
    unsafe {
        on(clip, |clip| {
            clip.clip.write().forget_analysis();
            Ok(())
        })
    }
}

/// Notes the faces of a frame, for random access: a frame is smoothed over the analysed frames
/// within two of it. Analyse the whole clip, or at least the first second and the frames within two
/// of those to be rendered; the order is free. A frame that was analysed is not looked at again:
/// sls_clip_forget_analysis() first.
///
/// @param clip   not NULL.
/// @param index  of the frame.
/// @param frame  not NULL; read during the call only.
/// @param faces  may be NULL; receives how many faces were seen.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_NETWORK;
/// SLS_ERROR_STATE with SLS_SELECT_FACE when a later frame was analysed already, since numbers are
/// given in order. On failure nothing was noted.
///
/// Any number of threads at once; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_analyze(
    clip: *mut sls_clip,
    index: i64,
    frame: *const sls_frame,
    faces: *mut i32,
) -> sls_status {
    // SAFETY: the header demands a live clip, a frame as described, and a writable pointer.
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

/// A face that was seen in a frame. Set struct_size before the call, or use sls_face_init().
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_face {
    /// sizeof(sls_face).
    pub struct_size: u32,
    /// Its number in the clip, for SLS_SELECT_FACE. Clips that analysed the same frames number
    /// them alike.
    pub id: u32,
    /// Middle of the face, pixels from the left edge.
    pub x: f32,
    /// Middle of the face, pixels from the top edge.
    pub y: f32,
    /// Side of the square that is looked at, in pixels.
    pub side: f32,
    /// How sure the face is, 0 to 1.
    pub confidence: f32,
    /// 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers, reserved last.
unsafe impl SizedStruct for sls_face {
    const NAME: &'static str = "sls_face";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// Sets all fields of a face to 0 but its size.
///
/// @param face         not NULL.
/// @param struct_size  sizeof(sls_face).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_face_init(face: *mut sls_face, struct_size: usize) -> sls_status {
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(face, struct_size, "face", Zeroable::zeroed()) })
}

/// Tells a face that was seen in an analysed frame.
///
/// @param clip     not NULL.
/// @param index    of the frame.
/// @param ordinal  0 to the count that sls_clip_analyze() gave, less one.
/// @param face     not NULL, its struct_size set.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_STATE when the frame was not analysed;
/// SLS_ERROR_ARGUMENT when it has no such face.
///
/// Any number of threads at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_face(
    clip: *const sls_clip,
    index: i64,
    ordinal: i32,
    face: *mut sls_face,
) -> sls_status {
    // SAFETY: the header demands a live clip, and a struct of the size that it states.
    unsafe {
        on(clip, |clip| {
            let out = Out::new(face, "face")?.ok_or(Failure::Null("face"))?;
            let faces = clip.clip.read().faces(index).ok_or_else(|| {
                Failure::Error(Error::State(format!("frame {index} was not analysed")))
            })?;
            let seen = usize::try_from(ordinal).ok().and_then(|at| faces.get(at));
            let seen = seen.ok_or_else(|| {
                let count = faces.len();
                Failure::argument("ordinal", format!("{ordinal} of {count} faces"))
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

/// Copies the sentence that explains the clip's last call, on any thread, that returned something
/// else than SLS_OK.
///
/// @param clip      may be NULL: the sentence is empty then.
/// @param buffer    receives UTF-8 ended by a NUL, cut where it does not fit; may be NULL.
/// @param capacity  bytes at buffer.
///
/// @return the bytes that the whole sentence needs, its NUL included.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_last_error(
    clip: *const sls_clip,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the header demands a live clip and a buffer of that capacity.
    unsafe { handle::last_error(clip, buffer, capacity) }
}
