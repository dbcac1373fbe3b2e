//! Options of a clip.

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::sized::{self, SizedStruct, switch};
use super::status::sls_status;
use crate::Engine;
use crate::audio::Rate;
use crate::clip::{ClipOptions, Timing};
use crate::face::MaskTrim;
use crate::frame::{Corner, Label, Transfer};
use crate::model::SpeechContext;
use crate::track::Selection;

/// The largest face in the frame.
pub const SLS_SELECT_LARGEST: i32 = 0;
/// The face whose centre is nearest to a point of the frame; none if the point is further away than
/// the side of that face's crop (sls_face.side).
pub const SLS_SELECT_POINT: i32 = 1;
/// The face with a given id; see sls_clip_face().
pub const SLS_SELECT_FACE: i32 = 2;
/// The face at a given position in the frame, counted from the left; 0 is the leftmost. The choice
/// depends on this frame only, so it switches to another face when two faces swap positions.
pub const SLS_SELECT_FROM_LEFT: i32 = 3;
/// The face that looks most like the person in a picture; none if no face looks like that person. It needs
/// no other frames, and follows the person through cuts.
pub const SLS_SELECT_PICTURE: i32 = 4;

/// Display-referred values, as in ordinary video: used without conversion.
pub const SLS_TRANSFER_DISPLAY: i32 = 0;
/// The sRGB transfer function (IEC 61966-2-1).
pub const SLS_TRANSFER_SRGB: i32 = 1;
/// The ITU-R BT.709 camera transfer function.
pub const SLS_TRANSFER_REC709: i32 = 2;
/// Linear light; 1.0 is diffuse white.
pub const SLS_TRANSFER_LINEAR: i32 = 3;
/// The perceptual quantiser of ITU-R BT.2100 with its primaries (those of BT.2020); 203 cd/m² are
/// diffuse white.
pub const SLS_TRANSFER_PQ: i32 = 4;
/// The hybrid log-gamma of ITU-R BT.2100 with its primaries, for a display of 1,000 cd/m².
pub const SLS_TRANSFER_HLG: i32 = 5;
/// As SLS_TRANSFER_PQ, with the primaries of ITU-R BT.709.
pub const SLS_TRANSFER_PQ_REC709: i32 = 6;
/// As SLS_TRANSFER_HLG, with the primaries of ITU-R BT.709.
pub const SLS_TRANSFER_HLG_REC709: i32 = 7;
/// As SLS_TRANSFER_PQ, with the primaries P3-D65.
pub const SLS_TRANSFER_PQ_P3: i32 = 8;

/// The audio encoder hears little of the audio after a frame, for streams that are shown as they
/// arrive; see sls_clip_look_ahead().
pub const SLS_CONTEXT_NEAR: i32 = 0;
/// The audio encoder hears more of the audio after a frame, and the mouth follows the speech better.
/// For clips whose audio is known in advance.
pub const SLS_CONTEXT_FAR: i32 = 1;

/// No label.
pub const SLS_LABEL_NONE: i32 = 0;
/// A label in the top left corner of the frame.
pub const SLS_LABEL_TOP_LEFT: i32 = 1;
/// A label in the top right corner of the frame.
pub const SLS_LABEL_TOP_RIGHT: i32 = 2;
/// A label in the bottom left corner of the frame.
pub const SLS_LABEL_BOTTOM_LEFT: i32 = 3;
/// A label in the bottom right corner of the frame.
pub const SLS_LABEL_BOTTOM_RIGHT: i32 = 4;

/// Options of a clip. Initialise them with sls_clip_options_init(), then set fields.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_clip_options {
    /// sizeof(sls_clip_options).
    pub struct_size: u32,
    /// Frame rate in frames per second is rate_num / rate_den, for instance 30000 / 1001; from 1 to
    /// 1000. Default 25 / 1.
    pub rate_num: u32,
    /// Denominator of the frame rate; see rate_num.
    pub rate_den: u32,
    /// Which face is lip-synced: one of SLS_SELECT_*; default SLS_SELECT_LARGEST.
    pub selection: i32,
    /// For SLS_SELECT_POINT: pixels from the left edge of the frame, times sls_frame.pixel_aspect; finite.
    pub point_x: f32,
    /// For SLS_SELECT_POINT: pixels from the top edge of the frame; finite.
    pub point_y: f32,
    /// For SLS_SELECT_FACE: the id of the face. For SLS_SELECT_FROM_LEFT: the number of faces to
    /// its left.
    pub face: u32,
    /// Transfer function of the frames' pixel values: one of SLS_TRANSFER_*; default
    /// SLS_TRANSFER_DISPLAY.
    pub transfer: i32,
    /// Opacity of the new mouth, 0 (unchanged source) to 1; default 1.
    pub strength: f32,
    /// How far ahead of a frame its audio is heard: one of SLS_CONTEXT_*; default SLS_CONTEXT_NEAR.
    pub speech_context: i32,
    /// Clip time of the first audio sample, in 1/16000 s. Positive values delay the audio, negative
    /// values skip its beginning. Default 0.
    pub audio_offset: i64,
    /// For a variable frame rate: the clip time of each frame, starting with frame 0, in 1/16000 s,
    /// never decreasing. It is copied. Default NULL: the rate is constant, rate_num / rate_den.
    pub times: *const i64,
    /// Number of frames in times; at least 1 if times is not NULL.
    pub time_count: u64,
    /// Maximum number of bytes that the clip holds in queued frames, audio and pictures of the
    /// face. A call that would exceed it returns SLS_ERROR_MEMORY; the pictures of the analysis take
    /// about a quarter of it. Default 0: no limit. The memory of the networks belongs to the
    /// engine, is not counted, and does not grow with the clip.
    pub memory_limit: u64,
    /// Moves the edge of the replaced region outwards (above 0) or inwards (below 0), in pixels of
    /// the 256x256 face crop, -20 to 20; default 0. The region never extends beyond the generated
    /// pixels.
    pub mask_grow: f32,
    /// Width of the feathered edge as a multiple of the width that the bundle sets, at most 4. The
    /// default 0 means 1.
    pub mask_feather: f32,
    /// 1: sls_clip_render() and the functions that pull frames return SLS_ERROR_CONSENT unless the clip
    /// (sls_clip_load_consent()) or its person file has consent, and all that there is holds today (UTC).
    /// Default 0.
    pub require_consent: i32,
    /// A visible label, the letters "AI", drawn over every rendered frame, also where the mouth was not
    /// changed: one of SLS_LABEL_*; default SLS_LABEL_NONE. It is the one thing that changes pixels outside
    /// the mask.
    pub label: i32,
    /// Height of the label as a share of the frame's height, 0.01 to 0.5. The default 0 means 0.06.
    pub label_size: f32,
    /// Opacity of the label, at most 1. The default 0 means 0.8.
    pub label_opacity: f32,
    /// 1: the mouth is painted over what lies in front of it. 0, the default: hands, microphones and food stay
    /// visible, where the bundle can find them.
    pub ignore_occlusion: i32,
    /// Must be 0.
    pub reserved0: i32,
    /// For SLS_SELECT_PICTURE: a picture whose largest face is the person's, with the transfer function of the
    /// frames. It is not used after the call. Default NULL.
    pub picture: *const sls_frame,
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_clip_options {
    const NAME: &'static str = "sls_clip_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0
    }
}

/// A transfer function of the C API.
pub(super) fn transfer(value: i32, field: &'static str) -> Result<Transfer, Failure> {
    match value {
        SLS_TRANSFER_DISPLAY => Ok(Transfer::Display),
        SLS_TRANSFER_SRGB => Ok(Transfer::Srgb),
        SLS_TRANSFER_REC709 => Ok(Transfer::Rec709),
        SLS_TRANSFER_LINEAR => Ok(Transfer::Linear),
        SLS_TRANSFER_PQ => Ok(Transfer::Pq),
        SLS_TRANSFER_HLG => Ok(Transfer::Hlg),
        SLS_TRANSFER_PQ_REC709 => Ok(Transfer::PqRec709),
        SLS_TRANSFER_HLG_REC709 => Ok(Transfer::HlgRec709),
        SLS_TRANSFER_PQ_P3 => Ok(Transfer::PqP3),
        other => {
            let reason = format!("{other} is not an SLS_TRANSFER_ value");
            Err(Failure::argument(field, reason))
        }
    }
}

/// The library's defaults as a C struct.
pub(super) fn defaults() -> sls_clip_options {
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

/// Initialises clip options with the default values.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_clip_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_options_init(
    options: *mut sls_clip_options,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults()) })
}

fn label(options: &sls_clip_options) -> Result<Option<Label>, Failure> {
    let corner = match options.label {
        SLS_LABEL_NONE => return Ok(None),
        SLS_LABEL_TOP_LEFT => Corner::TopLeft,
        SLS_LABEL_TOP_RIGHT => Corner::TopRight,
        SLS_LABEL_BOTTOM_LEFT => Corner::BottomLeft,
        SLS_LABEL_BOTTOM_RIGHT => Corner::BottomRight,
        other => {
            let reason = format!("{other} is not an SLS_LABEL_ value");
            return Err(Failure::argument("options.label", reason));
        }
    };
    let usual = Label::default();
    // 0 is what older programs pass here: the fields used to be reserved.
    let or_usual = |value: f32, usual: f32| if value == 0.0 { usual } else { value };
    Ok(Some(Label {
        corner,
        size: or_usual(options.label_size, usual.size),
        opacity: or_usual(options.label_opacity, usual.opacity),
    }))
}

/// # Safety
/// `options.times` is NULL or points to `time_count` numbers, `options.picture` is NULL or points to a frame.
pub(super) unsafe fn clip_options(
    options: &sls_clip_options,
    engine: &Engine,
) -> Result<ClipOptions, Failure> {
    let timing = if options.times.is_null() {
        Timing::Constant(Rate::new(options.rate_num, options.rate_den)?)
    } else {
        let count = usize::try_from(options.time_count)
            .ok()
            .filter(|&count| count <= isize::MAX as usize / size_of::<i64>())
            .ok_or_else(|| {
                Failure::argument("options.time_count", "larger than the address space")
            })?;
        // SAFETY: guaranteed by the caller; read one by one, because they may be unaligned.
        let time = |index| unsafe { options.times.add(index).read_unaligned() };
        Timing::Variable((0..count).map(time).collect())
    };
    let context = match options.speech_context {
        // 0 is what older programs pass here: the field used to be reserved.
        SLS_CONTEXT_NEAR => SpeechContext::Near,
        SLS_CONTEXT_FAR => SpeechContext::Far,
        other => {
            let reason = format!("{other} is not an SLS_CONTEXT_ value");
            return Err(Failure::argument("options.speech_context", reason));
        }
    };
    let transfer = transfer(options.transfer, "options.transfer")?;
    let wanted = Selected {
        selection: options.selection,
        face: options.face,
        point: [options.point_x, options.point_y],
        picture: options.picture,
        fields: ["options.selection", "options.point_x", "options.picture"],
    };
    // SAFETY: guaranteed by the caller.
    let selection = unsafe { wanted.read(engine, transfer)? };
    Ok(ClipOptions {
        timing,
        audio_offset: options.audio_offset,
        context,
        selection,
        transfer,
        strength: options.strength,
        mask: MaskTrim {
            grow: options.mask_grow,
            // 0 is what older programs pass here: the field used to be reserved.
            feather: match options.mask_feather {
                0.0 => MaskTrim::default().feather,
                feather => feather,
            },
        },
        label: label(options)?,
        require_consent: switch(options.require_consent, "options.require_consent")?,
        ignore_occlusion: switch(options.ignore_occlusion, "options.ignore_occlusion")?,
        memory: (options.memory_limit > 0).then_some(options.memory_limit),
        ..ClipOptions::default()
    })
}

/// Which face C selects.
pub(super) struct Selected {
    pub selection: i32,
    pub face: u32,
    pub point: [f32; 2],
    pub picture: *const sls_frame,
    /// The names of selection, point_x and picture.
    pub fields: [&'static str; 3],
}

impl Selected {
    /// # Safety
    /// `picture` is NULL or points to a frame as the header describes.
    pub unsafe fn read(&self, engine: &Engine, transfer: Transfer) -> Result<Selection, Failure> {
        let [selection, point_x, picture] = self.fields;
        let [x, y] = self.point;
        if !(x.is_finite() && y.is_finite()) {
            let reason = "point_x and point_y must be finite";
            return Err(Failure::argument(point_x, reason));
        }
        match self.selection {
            SLS_SELECT_LARGEST => Ok(Selection::Largest),
            SLS_SELECT_POINT => Ok(Selection::Point {
                x: x.into(),
                y: y.into(),
            }),
            SLS_SELECT_FACE => Ok(Selection::Id(self.face)),
            SLS_SELECT_FROM_LEFT => Ok(Selection::FromLeft(self.face)),
            SLS_SELECT_PICTURE => {
                // SAFETY: guaranteed by the caller.
                let frame = unsafe { frame::read(self.picture, picture)? };
                Ok(Selection::Like(engine.recognize(&frame, transfer)?))
            }
            other => {
                let reason = format!("{other} is not an SLS_SELECT_ value");
                Err(Failure::argument(selection, reason))
            }
        }
    }
}
