//! The layers of a frame, for programs that composite by themselves.

use bytemuck::{NoUninit, Zeroable};

use super::boundary::boundary;
use super::failure::Failure;
use super::sized::{self, SizedStruct};
use super::status::sls_status;
use crate::frame::Layers;

/// Receives the layers of one frame: what its result is composited from. Initialise it with
/// sls_layers_init(), set the layers that are wanted, and pass it in sls_render_options.layers.
///
/// Each layer has the frame's size, with rows from the top. The operator "over" makes the result of mouth and
/// source, in the encoding of the source's numbers and before rounding: result = mouth.rgb + source.rgb *
/// (1 - mouth.alpha). Where a source value is not finite and mouth.alpha is above 0, the result is mouth.rgb / mouth.alpha. The
/// result has the source's alpha. sls_clip_options.label is not part of the layers. If the frame is not
/// changed, mouth is 0 everywhere and st is -1 everywhere.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_layers {
    /// sizeof(sls_layers); set by sls_layers_init().
    pub struct_size: u32,
    /// Must be 0.
    pub reserved0: u32,
    /// Receives the generated mouth: four floats per pixel, red, green and blue multiplied by alpha, and alpha,
    /// which is the matte. Points to the top row. Default NULL: not wanted.
    pub mouth: *mut f32,
    /// Bytes from a row of mouth to the row below it; negative if stored bottom-up.
    pub mouth_stride: i64,
    /// Receives the ST map: two floats per pixel, the position of the pixel in the upright square crop of the
    /// face. s is 0 at the left edge of the crop and 1 at the right, t is 0 at the bottom and 1 at the top;
    /// values beyond that lie outside the crop. Points to the top row. Default NULL: not wanted.
    pub st: *mut f32,
    /// Bytes from a row of st to the row below it; negative if stored bottom-up.
    pub st_stride: i64,
    /// Must be 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_layers {
    const NAME: &'static str = "sls_layers";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 4]
    }
}

/// Initialises an sls_layers: sets struct_size, and every other field to 0.
///
/// @param layers       not NULL.
/// @param struct_size  sizeof(sls_layers).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_layers_init(
    layers: *mut sls_layers,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(layers, struct_size, "layers", Zeroable::zeroed()) })
}

/// The layers of a frame, and where the caller wants them.
pub(super) struct LayersOut {
    wanted: sls_layers,
    layers: Layers,
}

impl LayersOut {
    /// `None` if C passed NULL, or wants no layer.
    ///
    /// # Safety
    /// `wanted` is NULL, or a struct of the size that it states.
    pub unsafe fn new(wanted: *const sls_layers) -> Result<Option<Self>, Failure> {
        if wanted.is_null() {
            return Ok(None);
        }
        // SAFETY: guaranteed by the caller.
        let wanted = unsafe { sized::read(wanted, "options.layers")? };
        let any = !wanted.mouth.is_null() || !wanted.st.is_null();
        Ok(any.then(|| Self {
            wanted,
            layers: Layers::default(),
        }))
    }

    /// For the engine to fill.
    pub fn layers(&mut self) -> &mut Layers {
        &mut self.layers
    }

    /// Writes the layers to the caller's memory.
    ///
    /// # Safety
    /// The layers have the frame's size and the strides that they state.
    pub unsafe fn write(self) {
        let Self { wanted, layers } = self;
        if !wanted.mouth.is_null() {
            let target = (wanted.mouth, wanted.mouth_stride);
            // SAFETY: guaranteed by the caller.
            unsafe { write_rows(&layers.mouth, layers.width, target) };
        }
        if !wanted.st.is_null() {
            let target = (wanted.st, wanted.st_stride);
            // SAFETY: guaranteed by the caller.
            unsafe { write_rows(&layers.st, layers.width, target) };
        }
    }
}

/// Copies packed rows of `width` values to rows that lie `stride` bytes apart.
///
/// # Safety
/// `target` has room for them.
pub(super) unsafe fn write_rows<T: NoUninit>(
    values: &[T],
    width: usize,
    (target, stride): (*mut f32, i64),
) {
    for (y, row) in values.chunks_exact(width.max(1)).enumerate() {
        let offset = (stride as isize).wrapping_mul(y as isize);
        let target = target.wrapping_byte_offset(offset);
        // SAFETY: guaranteed by the caller.
        unsafe {
            std::ptr::copy_nonoverlapping(
                row.as_ptr().cast::<u8>(),
                target.cast(),
                size_of_val(row),
            );
        }
    }
}
