//! Views of frames in the host's memory. The layout is validated when the view is created; access is
//! safe afterwards.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest side of a frame, in pixels.
pub const MAX_SIDE: u32 = 1 << 16;

/// The pixel aspect ratios (a pixel's width divided by its height, as shown) that a frame may have.
pub const PIXEL_ASPECTS: std::ops::RangeInclusive<f64> = 0.1..=10.0;

/// How one pixel lies in memory. Integers and floats are in the machine's byte order; nothing needs
/// to be aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// 8-bit red, green, blue, alpha.
    Rgba8,
    /// 8-bit blue, green, red, alpha.
    Bgra8,
    /// 8-bit red, green, blue.
    Rgb8,
    /// 16-bit red, green, blue, alpha; 65535 is 1.
    Rgba16,
    /// IEEE half red, green, blue, alpha.
    RgbaF16,
    /// 32-bit float red, green, blue, alpha.
    RgbaF32,
}

impl PixelFormat {
    /// Every format, for tests and for tables.
    pub const ALL: [Self; 6] = [
        Self::Rgba8,
        Self::Bgra8,
        Self::Rgb8,
        Self::Rgba16,
        Self::RgbaF16,
        Self::RgbaF32,
    ];

    /// Bytes from one pixel of a row to the next.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Rgb8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
            Self::Rgba16 | Self::RgbaF16 => 8,
            Self::RgbaF32 => 16,
        }
    }
}

/// How the numbers of a frame relate to light. Where no other primaries are named, they are Rec.709's (sRGB's
/// too), which the networks know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Transfer {
    /// IEC 61966-2-1.
    Srgb,
    /// The camera curve of ITU-R BT.709.
    Rec709,
    /// Proportional to light; 1 is diffuse white.
    Linear,
    /// The perceptual quantiser of ITU-R BT.2100, with its primaries, those of BT.2020. 203 cd/m² are diffuse
    /// white; brighter values are compressed for the networks, and those above 8 times white are not told
    /// apart. The networks see colours outside of Rec.709 clipped.
    Pq,
    /// The hybrid log-gamma of ITU-R BT.2100, with its primaries, for a display of 1,000 cd/m². As `Pq`.
    Hlg,
    /// As it is to be displayed: the numbers go through untouched, like those of ordinary video.
    #[default]
    Display,
    /// As `Pq`, with the primaries of Rec.709.
    PqRec709,
    /// As `Hlg`, with the primaries of Rec.709.
    HlgRec709,
    /// As `Pq`, with the primaries P3-D65 of SMPTE EG 432-1.
    PqP3,
}

/// Where the rows of a picture lie in a slice of bytes.
#[derive(Clone, Copy, Debug)]
struct Layout {
    origin: usize,
    stride: isize,
    width: usize,
    height: usize,
    format: PixelFormat,
    pixel_aspect: f64,
}

impl Layout {
    fn new(
        len: usize,
        origin: usize,
        stride: isize,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self> {
        for (field, side) in [("width", width), ("height", height)] {
            if side == 0 || side > MAX_SIDE {
                return Err(wrong(field, format!("{side} is not in 1..={MAX_SIDE}")));
            }
        }
        let row = width as usize * format.bytes();
        if stride.unsigned_abs() < row {
            return Err(wrong(
                "stride",
                format!("{stride} bytes is less than the {row} of a row of {width} pixels"),
            ));
        }
        let last = origin as i128 + (i128::from(height) - 1) * stride as i128;
        let first = last.min(origin as i128);
        let end = last.max(origin as i128) + row as i128;
        if first < 0 {
            return Err(wrong(
                "data",
                format!(
                    "the rows begin {} bytes before the buffer",
                    first.unsigned_abs()
                ),
            ));
        }
        if end > len as i128 {
            return Err(wrong(
                "data",
                format!("{len} bytes, and the rows need {end}"),
            ));
        }
        Ok(Self {
            origin,
            stride,
            width: width as usize,
            height: height as usize,
            format,
            pixel_aspect: 1.0,
        })
    }

    fn with_pixel_aspect(self, pixel_aspect: f64) -> Result<Self> {
        if !PIXEL_ASPECTS.contains(&pixel_aspect) {
            let (least, most) = (PIXEL_ASPECTS.start(), PIXEL_ASPECTS.end());
            let reason = format!("{pixel_aspect} is not in {least}..={most}");
            return Err(wrong("pixel_aspect", reason));
        }
        Ok(Self {
            pixel_aspect,
            ..self
        })
    }

    /// The bytes of row `y`, its padding left out.
    fn row(&self, y: usize) -> Range<usize> {
        assert!(y < self.height, "row {y} of a frame of {}", self.height);
        // In range by the checks of `new`: the sum of row `y` lies between those of first and last.
        let start = self
            .origin
            .wrapping_add_signed(self.stride.wrapping_mul(y as isize));
        start..start + self.width * self.format.bytes()
    }
}

fn wrong(field: &'static str, reason: String) -> Error {
    Error::Frame { field, reason }
}

/// A frame to read.
///
/// Faces have the same shape whatever the pixels: all places in a frame (faces, poses, points) are in
/// units of a pixel's height, so that the column `x` lies at `x` times [`pixel_aspect`](Self::pixel_aspect).
#[derive(Clone, Copy, Debug)]
pub struct FrameRef<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

/// A frame to write. The bytes between its rows are never touched.
#[derive(Debug)]
pub struct FrameMut<'a> {
    bytes: &'a mut [u8],
    layout: Layout,
}

impl<'a> FrameRef<'a> {
    /// A view of `bytes`, the top row beginning at byte `origin`, each next one `stride` bytes on
    /// (negative for bottom-up pictures).
    ///
    /// # Errors
    /// [`Error::Frame`] with the field `width`, `height` (zero, or beyond [`MAX_SIDE`]), `stride`
    /// (shorter than a row) or `data` (rows that would leave the buffer).
    pub fn new(
        bytes: &'a [u8],
        origin: usize,
        stride: isize,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self> {
        let layout = Layout::new(bytes.len(), origin, stride, width, height, format)?;
        Ok(Self { bytes, layout })
    }

    /// A top-down view without padding.
    ///
    /// # Errors
    /// As [`FrameRef::new`].
    pub fn packed(bytes: &'a [u8], width: u32, height: u32, format: PixelFormat) -> Result<Self> {
        let stride = width as usize * format.bytes();
        Self::new(bytes, 0, stride as isize, width, height, format)
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.layout.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.layout.height
    }

    /// How a pixel lies in memory.
    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// The same frame with pixels that are not square: a pixel's width divided by its height, as shown.
    ///
    /// # Errors
    /// [`Error::Frame`] with the field `pixel_aspect` outside of [`PIXEL_ASPECTS`].
    pub fn with_pixel_aspect(self, pixel_aspect: f64) -> Result<Self> {
        let layout = self.layout.with_pixel_aspect(pixel_aspect)?;
        Ok(Self { layout, ..self })
    }

    /// A pixel's width divided by its height, as shown; 1 unless it was set.
    pub fn pixel_aspect(&self) -> f64 {
        self.layout.pixel_aspect
    }

    /// The bytes of row `y` (0 is the top one), without its padding.
    ///
    /// # Panics
    /// When `y` is not below the height.
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.bytes[self.layout.row(y)]
    }
}

impl<'a> FrameMut<'a> {
    /// As [`FrameRef::new`], to be written.
    ///
    /// # Errors
    /// As [`FrameRef::new`].
    pub fn new(
        bytes: &'a mut [u8],
        origin: usize,
        stride: isize,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self> {
        let layout = Layout::new(bytes.len(), origin, stride, width, height, format)?;
        Ok(Self { bytes, layout })
    }

    /// A top-down view without padding.
    ///
    /// # Errors
    /// As [`FrameRef::new`].
    pub fn packed(
        bytes: &'a mut [u8],
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self> {
        let stride = width as usize * format.bytes();
        Self::new(bytes, 0, stride as isize, width, height, format)
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.layout.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.layout.height
    }

    /// How a pixel lies in memory.
    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// The same frame with pixels that are not square: a pixel's width divided by its height, as shown.
    ///
    /// # Errors
    /// [`Error::Frame`] with the field `pixel_aspect` outside of [`PIXEL_ASPECTS`].
    pub fn with_pixel_aspect(self, pixel_aspect: f64) -> Result<Self> {
        let layout = self.layout.with_pixel_aspect(pixel_aspect)?;
        Ok(Self { layout, ..self })
    }

    /// A pixel's width divided by its height, as shown; 1 unless it was set.
    pub fn pixel_aspect(&self) -> f64 {
        self.layout.pixel_aspect
    }

    /// The same frame to read, for as long as it is not written.
    pub fn as_ref(&self) -> FrameRef<'_> {
        FrameRef {
            bytes: self.bytes,
            layout: self.layout,
        }
    }

    /// The bytes of row `y` (0 is the top one), without its padding.
    ///
    /// # Panics
    /// When `y` is not below the height.
    pub fn row(&mut self, y: usize) -> &mut [u8] {
        &mut self.bytes[self.layout.row(y)]
    }

    /// The rows of `parts`, which are in order and do not overlap, as frames of their own.
    ///
    /// # Panics
    /// When the parts overlap or go beyond the frame.
    pub(crate) fn split(&mut self, parts: &[Range<usize>]) -> Vec<FrameMut<'_>> {
        let layout = self.layout;
        // In the order in which the rows lie in memory.
        let upwards = layout.stride < 0;
        let ordered = |k: usize| if upwards { parts.len() - 1 - k } else { k };
        let (mut rest, mut begin) = (&mut *self.bytes, 0);
        let mut split: Vec<FrameMut<'_>> = Vec::with_capacity(parts.len());
        for part in (0..parts.len()).map(|k| &parts[ordered(k)]) {
            let (Some(last), false) = (part.end.checked_sub(1), part.is_empty()) else {
                panic!("an empty part")
            };
            let [first, last] = [part.start, last].map(|y| layout.row(y));
            let (low, high) = (first.start.min(last.start), first.end.max(last.end));
            let (mine, after) = rest[low - begin..].split_at_mut(high - low);
            (rest, begin) = (after, high);
            split.push(FrameMut {
                bytes: mine,
                layout: Layout {
                    origin: first.start - low,
                    height: part.len(),
                    ..layout
                },
            });
        }
        if upwards {
            split.reverse();
        }
        split
    }
}

/// Whether the pixels of `source` can be copied to `target`.
///
/// # Errors
/// [`Error::Frame`] when size or format differ.
pub(crate) fn check_alike(source: &FrameRef<'_>, target: &FrameMut<'_>) -> Result<()> {
    if source.format() != target.format() {
        let reason = format!(
            "{:?}, but the source is {:?}",
            target.format(),
            source.format()
        );
        return Err(wrong("format", reason));
    }
    for (field, here, there) in [
        ("width", target.width(), source.width()),
        ("height", target.height(), source.height()),
    ] {
        if here != there {
            return Err(wrong(field, format!("{here}, but the source has {there}")));
        }
    }
    Ok(())
}

/// Copies every pixel of `source` into `target`, byte for byte: NaN payloads and alpha included,
/// padding left alone. The target takes the source's pixel aspect ratio.
///
/// # Errors
/// [`Error::Frame`] when size or format differ; nothing is written then.
pub fn copy_pixels(source: &FrameRef<'_>, target: &mut FrameMut<'_>) -> Result<()> {
    check_alike(source, target)?;
    target.layout.pixel_aspect = source.layout.pixel_aspect;
    for y in 0..source.height() {
        target.row(y).copy_from_slice(source.row(y));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(result: Result<FrameRef<'_>>) -> &'static str {
        match result {
            Err(Error::Frame { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn impossible_frames_name_the_field() {
        let bytes = [0u8; 64];
        let view = |origin, stride, width, height| {
            FrameRef::new(&bytes, origin, stride, width, height, PixelFormat::Rgba8)
        };
        assert_eq!(field(view(0, 16, 0, 4)), "width");
        assert_eq!(field(view(0, 16, 4, 0)), "height");
        assert_eq!(field(view(0, 16, MAX_SIDE + 1, 1)), "width");
        assert_eq!(field(view(0, 15, 4, 4)), "stride");
        assert_eq!(field(view(0, -15, 4, 4)), "stride");
        assert_eq!(field(view(0, isize::MIN, 4, 4)), "data");
        assert_eq!(field(view(0, isize::MAX, 4, 4)), "data");
        assert_eq!(field(view(0, 17, 4, 4)), "data");
        assert_eq!(field(view(1, 16, 4, 4)), "data");
        assert_eq!(field(view(usize::MAX, 16, 4, 4)), "data");
        assert_eq!(field(view(47, -16, 4, 4)), "data");
        assert!(view(48, -16, 4, 4).is_ok());
        assert!(view(0, 16, 4, 4).is_ok());
        // The last row needs no padding behind it.
        assert!(view(0, 48, 4, 2).is_ok());
    }

    #[test]
    fn rows_run_downwards_whatever_the_stride() {
        let bytes: Vec<u8> = (0..24).collect();
        let down = FrameRef::new(&bytes, 0, 8, 2, 3, PixelFormat::Rgb8).unwrap();
        let up = FrameRef::new(&bytes, 16, -8, 2, 3, PixelFormat::Rgb8).unwrap();
        assert_eq!(down.row(0), &bytes[0..6]);
        assert_eq!(down.row(2), up.row(0));
        assert_eq!(up.row(2), &bytes[0..6]);
    }
}
