//! Random access: any frame, in any order, on any number of threads.

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::clip::sls_clip;
use super::frame::{self, sls_frame};
use super::handle::on;
use super::sized::{self, Out, SizedStruct};
use super::status::{Failure, sls_status};
use crate::clip::{FrameOptions, Matte, Rendered};

/// What one frame asks for beyond its pixels. Initialise it by sls_render_options_init().
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_render_options {
    /// sizeof(sls_render_options).
    pub struct_size: u32,
    /// Multiplies the clip's strength, for hosts that animate it, 0 to 1; 1 by default.
    pub strength: f32,
    /// Bytes from a row of the matte to the one below; negative for bottom-up.
    pub matte_stride: i64,
    /// Receives how much of each pixel was generated, when the call succeeds: one float a pixel, of
    /// the frame's size, the top row at this address. 0 is the source's pixel, bit for bit. NULL,
    /// the default: not wanted.
    pub matte: *mut f32,
    /// 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_render_options {
    const NAME: &'static str = "sls_render_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// What was done to a frame. Set struct_size before the call, or use sls_render_result_init().
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_render_result {
    /// sizeof(sls_render_result).
    pub struct_size: u32,
    /// Whether any pixel may differ from the source: 1 or 0. With 0, the destination is the source,
    /// bit for bit.
    pub changed: i32,
    /// Index of the frame.
    pub index: i64,
    /// Number of the face that speaks, in this clip; -1 when no face was found.
    pub face: i64,
    /// How sure the face is, 0 to 1.
    pub confidence: f32,
    /// The share of the new mouth that was blended in, 0 to 1.
    pub strength: f32,
    /// 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers, reserved last.
unsafe impl SizedStruct for sls_render_result {
    const NAME: &'static str = "sls_render_result";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// Fills the options with their defaults.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_render_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_render_options_init(
    options: *mut sls_render_options,
    struct_size: usize,
) -> sls_status {
    let defaults = sls_render_options {
        strength: 1.0,
        ..Zeroable::zeroed()
    };
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults) })
}

/// Sets all fields of a result to 0 but its size.
///
/// @param result       not NULL.
/// @param struct_size  sizeof(sls_render_result).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_render_result_init(
    result: *mut sls_render_result,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(result, struct_size, "result", Zeroable::zeroed()) })
}

/// Renders a frame, in any order. The same clip, audio, reference, analysed frames and pixels give
/// the same bytes, whatever was rendered before and on how many threads; and the same as the stream
/// gives (on one machine and one provider). Pixels outside the mouth's rim are the source's, bit
/// for bit.
///
/// @param clip         not NULL.
/// @param index        of the frame.
/// @param source       not NULL; read during the call only.
/// @param destination  not NULL; of the source's format, width and height. It may be the source's
///                     own memory.
/// @param options      NULL for the defaults.
/// @param result       may be NULL.
///
/// @return SLS_OK, also for a frame without a face, which is copied; SLS_ERROR_NULL, SLS_ERROR_ABI,
/// SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO before any was set; SLS_ERROR_STATE when
/// the audio was pushed; SLS_ERROR_NETWORK. On failure nothing but the destination's pixels may have
/// been written.
///
/// Any number of threads at once; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_render(
    clip: *const sls_clip,
    index: i64,
    source: *const sls_frame,
    destination: *const sls_frame,
    options: *const sls_render_options,
    result: *mut sls_render_result,
) -> sls_status {
    // SAFETY: the header demands a live clip, and frames and structs as described.
    unsafe {
        on(clip, |clip| {
            let mut wish = Wish::new(options, result)?;
            let rendered = frame::pair(source, destination, |source, destination| {
                let clip = clip.clip.read();
                Ok(clip.render_with(index, source, destination, &mut wish.options())?)
            })?;
            wish.grant(&rendered)
        })
    }
}

/// What a call that renders wants besides pixels.
pub(super) struct Wish {
    options: sls_render_options,
    matte: Option<Matte>,
    result: Option<Out<sls_render_result>>,
}

impl Wish {
    /// # Safety
    /// Both are NULL or structs of the size that they state; a matte is as large as the frame.
    pub(super) unsafe fn new(
        options: *const sls_render_options,
        result: *mut sls_render_result,
    ) -> Result<Self, Failure> {
        let options = if options.is_null() {
            sls_render_options {
                strength: 1.0,
                ..Zeroable::zeroed()
            }
        } else {
            // SAFETY: as promised by the caller.
            unsafe { sized::read(options, "options")? }
        };
        let matte = (!options.matte.is_null()).then(Matte::default);
        // SAFETY: as promised by the caller.
        Ok(Self {
            options,
            matte,
            result: unsafe { Out::new(result, "result")? },
        })
    }

    pub(super) fn options(&mut self) -> FrameOptions<'_> {
        FrameOptions {
            strength: self.options.strength,
            matte: self.matte.as_mut(),
        }
    }

    /// Hands out matte and result.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(super) unsafe fn grant(self, rendered: &Rendered) -> Result<(), Failure> {
        if let Some(matte) = self.matte {
            for (y, row) in matte.alpha.chunks_exact(matte.width).enumerate() {
                let offset = (self.options.matte_stride as isize).wrapping_mul(y as isize);
                let target = self.options.matte.wrapping_byte_offset(offset);
                // SAFETY: the host's matte has the frame's size and this stride.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        row.as_ptr().cast::<u8>(),
                        target.cast(),
                        size_of_val(row),
                    );
                }
            }
        }
        if let Some(result) = self.result {
            result.write(sls_render_result {
                changed: i32::from(rendered.changed),
                index: rendered.index,
                face: rendered.face.map_or(-1, i64::from),
                confidence: rendered.confidence,
                strength: rendered.strength,
                ..Zeroable::zeroed()
            });
        }
        Ok(())
    }
}
