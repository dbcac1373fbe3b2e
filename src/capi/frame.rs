//! Frames in the host's memory.

use std::ffi::c_void;

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::failure::Failure;
use super::sized::{self, SizedStruct};
use super::status::sls_status;
use crate::frame::{FrameMut, FrameRef, PixelFormat, copy_pixels};
use crate::{Error, memory};

/// 8-bit red, green, blue, alpha.
pub const SLS_FORMAT_RGBA8: i32 = 1;
/// 8-bit blue, green, red, alpha.
pub const SLS_FORMAT_BGRA8: i32 = 2;
/// 8-bit red, green, blue.
pub const SLS_FORMAT_RGB8: i32 = 3;
/// 16-bit red, green, blue, alpha in native byte order; 65535 represents 1.0.
pub const SLS_FORMAT_RGBA16: i32 = 4;
/// 16-bit IEEE half-precision red, green, blue, alpha.
pub const SLS_FORMAT_RGBA_HALF: i32 = 5;
/// 32-bit IEEE float red, green, blue, alpha.
pub const SLS_FORMAT_RGBA_FLOAT: i32 = 6;

/// The pixels are in the process's own memory (not on a GPU).
pub const SLS_MEMORY_HOST: i32 = 0;

/// Describes a frame in the caller's memory. The library does not keep the pointer after a call
/// returns.
///
/// Pixels need no alignment. Alpha is copied from source to destination and otherwise ignored.
/// Infinite and NaN samples are allowed: outside the mouth they are copied unchanged, and the
/// networks treat them as black.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_frame {
    /// sizeof(sls_frame); set by sls_frame_init().
    pub struct_size: u32,
    /// Pixel format: one of SLS_FORMAT_*.
    pub format: i32,
    /// Width in pixels, 1 to 65536.
    pub width: i32,
    /// Height in pixels, 1 to 65536.
    pub height: i32,
    /// Bytes from the start of one row to the start of the row below it. Its magnitude must be at
    /// least the size of a row. Negative for frames stored bottom-up. Padding bytes between rows
    /// are never read or written.
    pub stride: i64,
    /// First pixel of the top row. If stride is negative, the top row is the last row in memory.
    pub data: *mut c_void,
    /// SLS_MEMORY_HOST.
    pub memory: i32,
    /// Must be 0.
    pub reserved0: i32,
    /// Width of a pixel divided by its height, as shown, 0.1 to 10: 2 for anamorphic footage that is
    /// squeezed to half its width. 0: square pixels, as 1. Of a source; a destination's is not used.
    /// Positions in the frame (sls_face, point_x, point_y) are in units of a pixel's height: columns are
    /// multiplied by the aspect ratio.
    pub pixel_aspect: f64,
    /// Must be 0.
    pub reserved: [u64; 3],
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_frame {
    const NAME: &'static str = "sls_frame";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 3]
    }
}

/// Initialises a frame: sets struct_size, and every other field to 0.
///
/// @param frame        not NULL.
/// @param struct_size  sizeof(sls_frame).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_frame_init(frame: *mut sls_frame, struct_size: usize) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(frame, struct_size, "frame", Zeroable::zeroed()) })
}

/// The description of a frame that has no memory yet, with the minimum stride.
pub(super) fn unplaced(width: u32, height: u32, format: PixelFormat) -> sls_frame {
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    sls_frame {
        struct_size: size_of::<sls_frame>() as u32,
        format: match format {
            PixelFormat::Rgba8 => SLS_FORMAT_RGBA8,
            PixelFormat::Bgra8 => SLS_FORMAT_BGRA8,
            PixelFormat::Rgb8 => SLS_FORMAT_RGB8,
            PixelFormat::Rgba16 => SLS_FORMAT_RGBA16,
            PixelFormat::RgbaF16 => SLS_FORMAT_RGBA_HALF,
            PixelFormat::RgbaF32 => SLS_FORMAT_RGBA_FLOAT,
        },
        width: side(width),
        height: side(height),
        stride: i64::from(width) * format.bytes() as i64,
        ..Zeroable::zeroed()
    }
}

/// The memory that a frame's rows occupy, validated as far as possible without accessing it.
#[derive(Clone, Copy)]
struct Span {
    /// Lowest address.
    start: *mut u8,
    /// Bytes from `start` to the end of the last row in memory.
    length: usize,
    /// Offset of the top row from `start`.
    origin: usize,
    stride: isize,
    width: u32,
    height: u32,
    format: PixelFormat,
    pixel_aspect: f64,
}

impl Span {
    fn new(frame: &sls_frame) -> Result<Self, Failure> {
        let wrong = |field, reason: String| Err(Failure::Error(Error::Frame { field, reason }));
        let format = match frame.format {
            SLS_FORMAT_RGBA8 => PixelFormat::Rgba8,
            SLS_FORMAT_BGRA8 => PixelFormat::Bgra8,
            SLS_FORMAT_RGB8 => PixelFormat::Rgb8,
            SLS_FORMAT_RGBA16 => PixelFormat::Rgba16,
            SLS_FORMAT_RGBA_HALF => PixelFormat::RgbaF16,
            SLS_FORMAT_RGBA_FLOAT => PixelFormat::RgbaF32,
            other => return wrong("format", format!("{other} is not an SLS_FORMAT_ value")),
        };
        if frame.memory != SLS_MEMORY_HOST {
            return wrong("memory", format!("{} is not SLS_MEMORY_HOST", frame.memory));
        }
        if frame.data.is_null() {
            return Err(Failure::Null("frame.data"));
        }
        let side = |field, value: i32| match u32::try_from(value) {
            Ok(side @ 1..=crate::frame::format::MAX_SIDE) => Ok(side),
            _ => Err(Failure::Error(Error::Frame {
                field,
                reason: format!(
                    "{value} is not between 1 and {}",
                    crate::frame::format::MAX_SIDE
                ),
            })),
        };
        let (width, height) = (side("width", frame.width)?, side("height", frame.height)?);
        let row = width as usize * format.bytes();
        let magnitude = u128::from(frame.stride.unsigned_abs());
        let below = magnitude * u128::from(height - 1);
        let length = below + row as u128;
        let first = if frame.stride < 0 { below } else { 0 };
        let address = frame.data as usize as u128;
        let (Ok(stride), true) = (
            isize::try_from(frame.stride),
            magnitude >= row as u128
                && length <= isize::MAX as u128
                && first <= address
                && address - first + length <= usize::MAX as u128,
        ) else {
            let stride = frame.stride;
            return wrong(
                "stride",
                format!("{stride} is not possible for a row of {row} bytes at this address"),
            );
        };
        Ok(Self {
            start: frame.data.cast::<u8>().wrapping_sub(first as usize),
            length: length as usize,
            origin: first as usize,
            stride,
            width,
            height,
            format,
            pixel_aspect: match frame.pixel_aspect {
                0.0 => 1.0,
                aspect => aspect,
            },
        })
    }

    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.start as usize, other.start as usize);
        a < b + other.length && b < a + self.length
    }

    /// # Safety
    /// The frame that C described exists, and nobody writes to it during `'a`.
    unsafe fn frame<'a>(&self) -> Result<FrameRef<'a>, Failure> {
        // SAFETY: the caller guarantees that `length` bytes from `start` belong to the frame.
        let bytes = unsafe { std::slice::from_raw_parts(self.start, self.length) };
        let (width, height) = (self.width, self.height);
        Ok(
            FrameRef::new(bytes, self.origin, self.stride, width, height, self.format)?
                .with_pixel_aspect(self.pixel_aspect)?,
        )
    }

    /// # Safety
    /// The frame that C described exists, and nobody else accesses it during `'a`.
    unsafe fn frame_mut<'a>(&self) -> Result<FrameMut<'a>, Failure> {
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.start, self.length) };
        let (width, height) = (self.width, self.height);
        Ok(FrameMut::new(
            bytes,
            self.origin,
            self.stride,
            width,
            height,
            self.format,
        )?)
    }
}

/// Adds the name of the parameter to the message: a call may have several frames.
fn of<T>(field: &'static str, outcome: Result<T, Failure>) -> Result<T, Failure> {
    outcome.map_err(|failure| match failure {
        Failure::Error(Error::Frame {
            field: part,
            reason,
        }) => Failure::Error(Error::Frame {
            field: part,
            reason: format!("{reason} ({field})"),
        }),
        other => other,
    })
}

/// A view of a frame to read.
///
/// # Safety
/// `frame` is NULL, or a frame whose memory is as described and does not change during `'a`.
pub(super) unsafe fn read<'a>(
    frame: *const sls_frame,
    field: &'static str,
) -> Result<FrameRef<'a>, Failure> {
    // SAFETY: guaranteed by the caller.
    of(
        field,
        unsafe { sized::read(frame, field) }.and_then(|frame| Span::new(&frame)),
    )
    .and_then(|span| unsafe { span.frame() })
}

/// A view of a frame to write.
///
/// # Safety
/// As for [`read`], and nobody else accesses the memory during `'a`.
pub(super) unsafe fn write<'a>(
    frame: *const sls_frame,
    field: &'static str,
) -> Result<FrameMut<'a>, Failure> {
    // SAFETY: guaranteed by the caller.
    of(
        field,
        unsafe { sized::read(frame, field) }.and_then(|frame| Span::new(&frame)),
    )
    .and_then(|span| unsafe { span.frame_mut() })
}

/// Runs `body` on a source and a destination. If their memory overlaps, `body` gets a copy of the
/// source.
///
/// # Safety
/// Both are NULL, or frames whose memory is as described. During the call nobody else accesses the
/// destination's memory, and nobody writes to the source's.
pub(super) unsafe fn pair<T>(
    source: *const sls_frame,
    destination: *const sls_frame,
    body: impl FnOnce(&FrameRef<'_>, &mut FrameMut<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let span = |frame, field| {
        // SAFETY: guaranteed by the caller.
        of(
            field,
            unsafe { sized::read(frame, field) }.and_then(|frame| Span::new(&frame)),
        )
    };
    let (source, destination) = (span(source, "source")?, span(destination, "destination")?);
    if !source.overlaps(&destination) {
        // SAFETY: guaranteed by the caller; the two do not overlap.
        let (source, mut destination) = unsafe { (source.frame()?, destination.frame_mut()?) };
        return body(&source, &mut destination);
    }
    let size = source.width as usize * source.height as usize * source.format.bytes();
    let mut bytes = memory::filled(0, size, "source")?;
    let (width, height, format) = (source.width, source.height, source.format);
    let mut copy = FrameMut::packed(&mut bytes, width, height, format)?;
    // SAFETY: guaranteed by the caller; this view ends before the destination's begins.
    copy_pixels(&unsafe { source.frame()? }, &mut copy)?;
    // SAFETY: guaranteed by the caller.
    body(&copy.as_ref(), &mut unsafe { destination.frame_mut()? })
}

#[cfg(test)]
mod tests {
    use super::super::status::{SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_NULL};
    use super::*;

    fn whole(data: &mut [u8]) -> sls_frame {
        sls_frame {
            struct_size: size_of::<sls_frame>() as u32,
            format: SLS_FORMAT_RGB8,
            width: 2,
            height: 3,
            stride: 8,
            data: data.as_mut_ptr().cast(),
            ..Zeroable::zeroed()
        }
    }

    fn status(change: impl FnOnce(&mut sls_frame)) -> sls_status {
        let mut data = [0; 24];
        let mut frame = whole(&mut data);
        change(&mut frame);
        // SAFETY: frames that exceed the buffer are refused before it is accessed.
        match unsafe { read(&frame, "source") } {
            Ok(_) => 0,
            Err(failure) => failure.status(),
        }
    }

    #[test]
    fn frames_that_cannot_be_are_refused() {
        assert_eq!(status(|_| ()), 0);
        assert_eq!(status(|f| f.stride = 6), 0);
        for format in [0, -1, 7, i32::MIN] {
            assert_eq!(status(|f| f.format = format), SLS_ERROR_FRAME);
        }
        for side in [0, -1, i32::MIN, i32::MAX] {
            assert_eq!(status(|f| f.width = side), SLS_ERROR_FRAME);
            assert_eq!(status(|f| f.height = side), SLS_ERROR_FRAME);
        }
        for stride in [0, 5, -5, i64::MIN, i64::MAX, i64::MAX / 2] {
            assert_eq!(status(|f| f.stride = stride), SLS_ERROR_FRAME, "{stride}");
        }
        for aspect in [-1.0, 0.09, 11.0, f64::NAN, f64::INFINITY] {
            assert_eq!(status(|f| f.pixel_aspect = aspect), SLS_ERROR_FRAME);
        }
        assert_eq!(status(|f| f.pixel_aspect = 2.0), 0);
        assert_eq!(status(|f| f.memory = 1), SLS_ERROR_FRAME);
        assert_eq!(status(|f| f.data = std::ptr::null_mut()), SLS_ERROR_NULL);
        assert_eq!(status(|f| f.struct_size = 8), SLS_ERROR_ABI);
        assert_eq!(status(|f| f.reserved0 = 1), SLS_ERROR_ABI);
        assert_eq!(status(|f| f.reserved[2] = 1), SLS_ERROR_ABI);
        // A bottom-up frame whose rows would begin below address 0.
        assert_eq!(
            status(|f| (f.data, f.stride) = (8 as *mut c_void, -8)),
            SLS_ERROR_FRAME
        );
        // SAFETY: NULL is allowed.
        let null = unsafe { read(std::ptr::null(), "source") };
        assert!(matches!(null, Err(Failure::Null("source"))));
    }

    #[test]
    fn rows_run_down_from_the_top_whatever_the_stride() {
        let mut data: Vec<u8> = (0..24).collect();
        let mut frame = whole(&mut data);
        // SAFETY: the frame lies within `data`.
        assert_eq!(unsafe { read(&frame, "source") }.unwrap().row(2)[0], 16);
        frame.stride = -8;
        frame.data = data[16..].as_mut_ptr().cast();
        // SAFETY: as above.
        let up = unsafe { read(&frame, "source") }.unwrap();
        assert_eq!((up.row(0)[0], up.row(2)[0]), (16, 0));
    }

    #[test]
    fn source_and_destination_may_be_the_same() {
        let mut data: Vec<u8> = (0..24).collect();
        let frame = whole(&mut data);
        let flip = |source: &FrameRef<'_>, destination: &mut FrameMut<'_>| {
            for y in 0..3 {
                destination.row(y).copy_from_slice(source.row(2 - y));
            }
            Ok(())
        };
        // SAFETY: the frame lies within `data`, which nobody else uses.
        unsafe { pair(&frame, &frame, flip) }.unwrap();
        assert_eq!(
            (data[0], data[16], data[6]),
            (16, 0, 6),
            "row padding stays"
        );
    }
}
