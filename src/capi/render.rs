//! Random access: any frame, in any order, on any number of threads.

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::clip::sls_clip;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::handle::on;
use super::layers::{self, LayersOut, sls_layers};
use super::render_result::{SpeakerResults, sls_render_result};
use super::sized::{self, Out, SizedStruct};

use super::status::sls_status;
use crate::clip::{FrameOptions, Matte, Rendered};

/// Options of one rendered frame. Initialise them with sls_render_options_init(), then set fields.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_render_options {
    /// sizeof(sls_render_options).
    pub struct_size: u32,
    /// Multiplies sls_clip_options.strength, for effects that animate it; 0 to 1, default 1.
    pub strength: f32,
    /// Bytes from a row of the matte to the row below it; negative if stored bottom-up.
    pub matte_stride: i64,
    /// Receives the matte if the call succeeds: one float per pixel of the frame, the opacity of
    /// the generated pixel. Where it is 0, the output is the source pixel, bit for bit. Points to
    /// the top row. Default NULL: no matte.
    pub matte: *mut f32,
    /// The mouth's movement is multiplied by 1 + articulation_offset, for effects that animate it; -1
    /// (the mouth rests) to 1, default 0.
    pub articulation_offset: f32,
    /// Where the generated mouth agrees with the person's own pictures but for their fine detail, that
    /// detail replaces its own, multiplied by 1 + detail_offset; -1 (none) to 1, default 0. Detail finer
    /// than the model's crop (256 pixels a side) is used only if sls_clip_options.memory_limit is 0 or
    /// at least 672 MiB.
    pub detail_offset: f32,
    /// Receives the layers that the frame is composited from, if the call succeeds. Default NULL: none.
    pub layers: *const sls_layers,
    /// Receives what was done for each speaker, if the call succeeds: an array with an element for speaker 0 and
    /// for each one that sls_clip_add_speaker() added, initialised with sls_render_result_init(). Default NULL.
    pub speakers: *mut sls_render_result,
    /// Must be 0.
    pub reserved: [u64; 1],
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_render_options {
    const NAME: &'static str = "sls_render_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 1]
    }
}

/// Initialises render options with the default values.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_render_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_render_options_init(
    options: *mut sls_render_options,
    struct_size: usize,
) -> sls_status {
    let defaults = sls_render_options {
        strength: 1.0,
        ..Zeroable::zeroed()
    };
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults) })
}

/// Renders any frame of a clip, in any order. The output depends only on the clip's options, audio,
/// reference and analysed frames, and on the source pixels. It does not depend on which frames were
/// rendered before or on the number of threads, and equals the output of the stream (on the same
/// machine and execution provider). Pixels outside the feathered edge of the mouth region are
/// copied bit for bit.
///
/// @param clip         not NULL.
/// @param index        index of the frame.
/// @param source       not NULL; the frame's pixels.
/// @param destination  not NULL; same format, width and height as source. May be the memory of
///                     source: the library then works on a copy.
/// @param options      NULL for the defaults.
/// @param result       may be NULL.
///
/// @return SLS_OK, also for a frame without a face, which is copied; SLS_ERROR_NULL, SLS_ERROR_ABI,
/// SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO if no audio was set; SLS_ERROR_STATE if
/// audio was pushed; SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CONSENT, SLS_ERROR_CANCELLED. On failure only the
/// pixels of destination may have been written; their content is undefined.
///
/// Threads: any; concurrent. Blocks: while networks run. Allocates: working memory, which the clip
/// reuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_render(
    clip: *const sls_clip,
    index: i64,
    source: *const sls_frame,
    destination: *const sls_frame,
    options: *const sls_render_options,
    result: *mut sls_render_result,
) -> sls_status {
    // SAFETY: the header requires a live clip, and frames and structs as described.
    unsafe {
        on(clip, |clip| {
            let clip = clip.clip.read();
            let mut request = RenderRequest::new(options, result, clip.speakers())?;
            let rendered = frame::pair(source, destination, |source, destination| {
                Ok(clip.render_with(index, source, destination, &mut request.options())?)
            })?;
            request.finish(&rendered)
        })
    }
}

/// The optional parts of a call that renders: options, matte, layers, results.
pub(super) struct RenderRequest {
    options: sls_render_options,
    matte: Option<Matte>,
    layers: Option<LayersOut>,
    speakers: Option<SpeakerResults>,
    result: Option<Out<sls_render_result>>,
}

impl RenderRequest {
    /// `speakers` is how many the clip has.
    ///
    /// # Safety
    /// Both are NULL, or structs of the size that they state; matte and layers are as large as the frame,
    /// and there is a result for each speaker.
    pub(super) unsafe fn new(
        options: *const sls_render_options,
        result: *mut sls_render_result,
        speakers: usize,
    ) -> Result<Self, Failure> {
        let options = if options.is_null() {
            sls_render_options {
                strength: 1.0,
                ..Zeroable::zeroed()
            }
        } else {
            // SAFETY: guaranteed by the caller.
            unsafe { sized::read(options, "options")? }
        };
        for (field, offset) in [
            ("options.articulation_offset", options.articulation_offset),
            ("options.detail_offset", options.detail_offset),
        ] {
            if !(-1.0..=1.0).contains(&offset) {
                return Err(Failure::argument(
                    field,
                    format!("{offset} is not in -1 to 1"),
                ));
            }
        }
        let matte = (!options.matte.is_null()).then(Matte::default);
        // SAFETY: guaranteed by the caller.
        let layers = unsafe { LayersOut::new(options.layers)? };
        // SAFETY: guaranteed by the caller.
        let speakers = unsafe { SpeakerResults::new(options.speakers, speakers)? };
        // SAFETY: guaranteed by the caller.
        let result = unsafe { Out::new(result, "result")? };
        Ok(Self {
            options,
            matte,
            layers,
            speakers,
            result,
        })
    }

    pub(super) fn options(&mut self) -> FrameOptions<'_> {
        FrameOptions {
            strength: self.options.strength,
            articulation: 1.0 + self.options.articulation_offset,
            detail: 1.0 + self.options.detail_offset,
            matte: self.matte.as_mut(),
            layers: self.layers.as_mut().map(LayersOut::layers),
            speakers: self.speakers.as_mut().map(SpeakerResults::results),
        }
    }

    /// Writes matte, layers and result to the caller's memory.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(super) unsafe fn finish(self, rendered: &Rendered) -> Result<(), Failure> {
        if let Some(matte) = self.matte {
            let target = (self.options.matte, self.options.matte_stride);
            // SAFETY: the caller guarantees a matte of the frame's size and this stride.
            unsafe { layers::write_rows(&matte.alpha, matte.width, target) };
        }
        if let Some(layers) = self.layers {
            // SAFETY: guaranteed by the caller.
            unsafe { layers.write() };
        }
        if let Some(speakers) = self.speakers {
            speakers.write();
        }
        if let Some(result) = self.result {
            result.write(sls_render_result::of(rendered));
        }
        Ok(())
    }
}
