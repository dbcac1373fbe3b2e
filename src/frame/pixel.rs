//! Reads and writes one pixel of each format as three numbers in the frame's colour encoding.

use super::format::PixelFormat;
use half::f16;

/// A pixel format at compile time, so that the loops over rows carry no branch on it.
pub trait Pixel {
    /// Bytes of a pixel.
    const BYTES: usize;
    /// Whether every value that can be read is in [0, 1].
    const COLOURS: bool;
    /// Red, green and blue; integer formats in [0, 1].
    fn read(bytes: &[u8]) -> [f32; 3];
    /// Calls `with` for the numbers of a row of pixels, each together with its own of `out`; the fourth of
    /// a pixel may be left out, and means nothing. Made for loops that do several numbers at a time.
    #[inline(always)]
    fn each_number(bytes: &[u8], out: &mut [[f32; 4]], with: impl Fn(&mut f32, f32)) {
        for (pixel, out) in bytes.chunks_exact(Self::BYTES).zip(out) {
            for (out, v) in out.iter_mut().zip(Self::read(pixel)) {
                with(out, v);
            }
        }
    }
    /// Writes red, green and blue; alpha stays as it is.
    fn write(bytes: &mut [u8], rgb: [f32; 3]);
}

/// [`PixelFormat::Rgba8`].
pub struct Rgba8;
/// [`PixelFormat::Bgra8`].
pub struct Bgra8;
/// [`PixelFormat::Rgb8`].
pub struct Rgb8;
/// [`PixelFormat::Rgba16`].
pub struct Rgba16;
/// [`PixelFormat::RgbaF16`].
pub struct RgbaF16;
/// [`PixelFormat::RgbaF32`].
pub struct RgbaF32;

/// Runs `$body` with `$P` as the type of `$format`.
macro_rules! with_pixel {
    ($format:expr, $P:ident => $body:expr) => {
        match $format {
            $crate::frame::PixelFormat::Rgba8 => {
                type $P = $crate::frame::pixel::Rgba8;
                $body
            }
            $crate::frame::PixelFormat::Bgra8 => {
                type $P = $crate::frame::pixel::Bgra8;
                $body
            }
            $crate::frame::PixelFormat::Rgb8 => {
                type $P = $crate::frame::pixel::Rgb8;
                $body
            }
            $crate::frame::PixelFormat::Rgba16 => {
                type $P = $crate::frame::pixel::Rgba16;
                $body
            }
            $crate::frame::PixelFormat::RgbaF16 => {
                type $P = $crate::frame::pixel::RgbaF16;
                $body
            }
            $crate::frame::PixelFormat::RgbaF32 => {
                type $P = $crate::frame::pixel::RgbaF32;
                $body
            }
        }
    };
}
pub(crate) use with_pixel;

const BYTE: f32 = 1.0 / 255.0;
const WORD: f32 = 1.0 / 65535.0;

// `as` saturates and takes NaN to 0, so neither can leave the range.
fn to_byte(v: f32) -> u8 {
    (v * 255.0 + 0.5) as u8
}

fn to_word(v: f32) -> u16 {
    (v * 65535.0 + 0.5) as u16
}

/// A half's value, without branches, so that rows of them are read several at a time.
#[inline(always)]
fn half_to_float(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let rest = u32::from(bits & 0x7fff);
    // The exponent's bias changes by 112; the largest exponent (infinity, NaN) becomes the largest.
    let normal = f32::from_bits((rest << 13) + (0xe0 << 23)) * f32::from_bits(0x0780_0000);
    let tiny = f32::from_bits(rest | (126 << 23)) - 0.5;
    let value = if rest < 0x0400 { tiny } else { normal };
    f32::from_bits(value.to_bits() | sign)
}

impl Pixel for Rgba8 {
    const BYTES: usize = PixelFormat::Rgba8.bytes();
    const COLOURS: bool = true;
    #[inline(always)]
    fn read(b: &[u8]) -> [f32; 3] {
        [
            f32::from(b[0]) * BYTE,
            f32::from(b[1]) * BYTE,
            f32::from(b[2]) * BYTE,
        ]
    }
    #[inline(always)]
    fn each_number(bytes: &[u8], out: &mut [[f32; 4]], with: impl Fn(&mut f32, f32)) {
        for (out, b) in out.as_flattened_mut().iter_mut().zip(bytes.chunks_exact(1)) {
            with(out, f32::from(b[0]) * BYTE);
        }
    }
    #[inline(always)]
    fn write(b: &mut [u8], rgb: [f32; 3]) {
        b[..3].copy_from_slice(&rgb.map(to_byte));
    }
}

impl Pixel for Bgra8 {
    const BYTES: usize = PixelFormat::Bgra8.bytes();
    const COLOURS: bool = true;
    #[inline(always)]
    fn read(b: &[u8]) -> [f32; 3] {
        [
            f32::from(b[2]) * BYTE,
            f32::from(b[1]) * BYTE,
            f32::from(b[0]) * BYTE,
        ]
    }
    #[inline(always)]
    fn write(b: &mut [u8], [r, g, blue]: [f32; 3]) {
        b[..3].copy_from_slice(&[blue, g, r].map(to_byte));
    }
}

impl Pixel for Rgb8 {
    const BYTES: usize = PixelFormat::Rgb8.bytes();
    const COLOURS: bool = true;
    #[inline(always)]
    fn read(b: &[u8]) -> [f32; 3] {
        Rgba8::read(b)
    }
    #[inline(always)]
    fn write(b: &mut [u8], rgb: [f32; 3]) {
        Rgba8::write(b, rgb);
    }
}

impl Pixel for Rgba16 {
    const BYTES: usize = PixelFormat::Rgba16.bytes();
    const COLOURS: bool = true;
    #[inline(always)]
    fn read(b: &[u8]) -> [f32; 3] {
        [0, 2, 4].map(|i| f32::from(u16::from_ne_bytes([b[i], b[i + 1]])) * WORD)
    }
    #[inline(always)]
    fn each_number(bytes: &[u8], out: &mut [[f32; 4]], with: impl Fn(&mut f32, f32)) {
        for (out, b) in out.as_flattened_mut().iter_mut().zip(bytes.chunks_exact(2)) {
            with(out, f32::from(u16::from_ne_bytes([b[0], b[1]])) * WORD);
        }
    }
    #[inline(always)]
    fn write(b: &mut [u8], rgb: [f32; 3]) {
        for (bytes, v) in b.chunks_exact_mut(2).zip(rgb) {
            bytes.copy_from_slice(&to_word(v).to_ne_bytes());
        }
    }
}

impl Pixel for RgbaF16 {
    const BYTES: usize = PixelFormat::RgbaF16.bytes();
    const COLOURS: bool = false;
    #[inline(always)]
    fn read(b: &[u8]) -> [f32; 3] {
        [0, 2, 4].map(|i| half_to_float(u16::from_ne_bytes([b[i], b[i + 1]])))
    }
    #[inline(always)]
    fn each_number(bytes: &[u8], out: &mut [[f32; 4]], with: impl Fn(&mut f32, f32)) {
        for (out, b) in out.as_flattened_mut().iter_mut().zip(bytes.chunks_exact(2)) {
            with(out, half_to_float(u16::from_ne_bytes([b[0], b[1]])));
        }
    }
    #[inline(always)]
    fn write(b: &mut [u8], rgb: [f32; 3]) {
        for (bytes, v) in b.chunks_exact_mut(2).zip(rgb) {
            bytes.copy_from_slice(&f16::from_f32(v).to_ne_bytes());
        }
    }
}

impl Pixel for RgbaF32 {
    const BYTES: usize = PixelFormat::RgbaF32.bytes();
    const COLOURS: bool = false;
    #[inline(always)]
    fn read(b: &[u8]) -> [f32; 3] {
        [0, 4, 8].map(|i| f32::from_ne_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]))
    }
    #[inline(always)]
    fn each_number(bytes: &[u8], out: &mut [[f32; 4]], with: impl Fn(&mut f32, f32)) {
        for (out, b) in out.as_flattened_mut().iter_mut().zip(bytes.chunks_exact(4)) {
            with(out, f32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
        }
    }
    #[inline(always)]
    fn write(b: &mut [u8], rgb: [f32; 3]) {
        for (bytes, v) in b.chunks_exact_mut(4).zip(rgb) {
            bytes.copy_from_slice(&v.to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_survive_a_round_trip() {
        for v in 0..=255u8 {
            let mut out = [9u8; 4];
            Bgra8::write(&mut out, Rgba8::read(&[v, 255 - v, v / 2, 7]));
            assert_eq!(out, [v / 2, 255 - v, v, 9]);
        }
        for v in 0..=u16::MAX {
            let mut bytes = [3u8; 8];
            bytes[2..4].copy_from_slice(&v.to_ne_bytes());
            let mut out = [3u8; 8];
            Rgba16::write(&mut out, Rgba16::read(&bytes));
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn halves_are_read_exactly() {
        for bits in 0..=u16::MAX {
            let (got, want) = (half_to_float(bits), f16::from_bits(bits).to_f32());
            assert!(
                got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
                "{bits}"
            );
        }
    }

    #[test]
    fn integers_saturate() {
        let mut out = [9u8; 4];
        Rgba8::write(&mut out, [-4.0, 7.0, f32::NAN]);
        assert_eq!(out, [0, 255, 0, 9]);
        let mut out = [1u8; 8];
        Rgba16::write(&mut out, [f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
        assert_eq!(out, [255, 255, 0, 0, 0, 0, 1, 1]);
    }
}
