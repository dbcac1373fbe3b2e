//! What was done to a frame.

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::failure::Failure;
use super::sized::{self, Out, SizedStruct};
use super::status::sls_status;
use crate::clip::Rendered;

/// Describes what was done to a frame. If the clip has several speakers, face, confidence and strength are those
/// of speaker 0. Set struct_size before the call, or call
/// sls_render_result_init().
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_render_result {
    /// sizeof(sls_render_result).
    pub struct_size: u32,
    /// 0 if the destination is a bit-exact copy of the source, but for sls_clip_options.label; 1 if pixels of
    /// the mouth may differ.
    pub changed: i32,
    /// Index of the frame.
    pub index: i64,
    /// Id of the face that was lip-synced; -1 if no face was found.
    pub face: i64,
    /// Confidence of the detection, 0 to 1.
    pub confidence: f32,
    /// Opacity of the new mouth, 0 to 1: the product of the clip's strength, the frame's strength and
    /// a fade-out factor that falls if the face is turned away, small, partly outside the frame or
    /// uncertain.
    pub strength: f32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers, reserved last.
unsafe impl SizedStruct for sls_render_result {
    const NAME: &'static str = "sls_render_result";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

impl sls_render_result {
    /// For C.
    pub(super) fn of(rendered: &Rendered) -> Self {
        Self {
            changed: i32::from(rendered.changed),
            index: rendered.index,
            face: rendered.face.map_or(-1, i64::from),
            confidence: rendered.confidence,
            strength: rendered.strength,
            ..Zeroable::zeroed()
        }
    }
}

/// Initialises an sls_render_result: sets struct_size, and every other field to 0.
///
/// @param result       not NULL.
/// @param struct_size  sizeof(sls_render_result).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_render_result_init(
    result: *mut sls_render_result,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(result, struct_size, "result", Zeroable::zeroed()) })
}

/// Destinations of the results of all speakers: an array of structs of the same size.
pub(super) struct SpeakerResults {
    outs: Vec<Out<sls_render_result>>,
    results: Vec<Rendered>,
}

impl SpeakerResults {
    /// `None` if C passed NULL.
    ///
    /// # Safety
    /// `array` is NULL, or points to `count` structs of the size that the first one states, which stay writable
    /// until [`write`](Self::write).
    pub unsafe fn new(
        array: *mut sls_render_result,
        count: usize,
    ) -> Result<Option<Self>, Failure> {
        const FIELD: &str = "options.speakers";
        // SAFETY: guaranteed by the caller.
        let Some(first) = (unsafe { Out::new(array, FIELD)? }) else {
            return Ok(None);
        };
        let size = first.size();
        let mut outs = vec![first];
        for number in 1..count {
            // SAFETY: guaranteed by the caller.
            let out = unsafe { Out::new(array.byte_add(number * size), FIELD)? };
            match out.filter(|out| out.size() == size) {
                Some(out) => outs.push(out),
                None => {
                    let reason =
                        "options.speakers: the structs of the array have different struct_size";
                    return Err(Failure::Abi(reason.into()));
                }
            }
        }
        let results = Vec::new();
        Ok(Some(Self { outs, results }))
    }

    /// For the engine to fill.
    pub fn results(&mut self) -> &mut Vec<Rendered> {
        &mut self.results
    }

    /// Writes the results to the caller's memory.
    pub fn write(self) {
        for (out, rendered) in self.outs.into_iter().zip(&self.results) {
            out.write(sls_render_result::of(rendered));
        }
    }
}
