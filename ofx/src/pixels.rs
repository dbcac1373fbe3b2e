//! Pixels as OpenFX has them, and one pixel at a time for what is done beside the engine: other
//! components, premultiplied alpha, mattes, overlays.

use half::f16;
use stylelipsync::frame::{FrameRef, PixelFormat};

use crate::abi::RectI;
use crate::abi::names::*;
use crate::fault::{Fault, Result};
use crate::image::Image;

/// How a sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Byte,
    Short,
    Half,
    Float,
}

/// What a pixel is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    Rgba,
    Rgb,
    Alpha,
}

impl Depth {
    pub fn named(name: &str) -> Option<Self> {
        [
            (BIT_DEPTH_BYTE, Self::Byte),
            (BIT_DEPTH_SHORT, Self::Short),
            (BIT_DEPTH_HALF, Self::Half),
            (BIT_DEPTH_FLOAT, Self::Float),
        ]
        .into_iter()
        .find_map(|(known, depth)| (known.to_bytes() == name.as_bytes()).then_some(depth))
    }

    pub fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Short | Self::Half => 2,
            Self::Float => 4,
        }
    }

    /// The engine's format of such pixels, where it has one.
    pub fn format(self, channels: Channels) -> Option<PixelFormat> {
        match (self, channels) {
            (Self::Byte, Channels::Rgba) => Some(PixelFormat::Rgba8),
            (Self::Byte, Channels::Rgb) => Some(PixelFormat::Rgb8),
            (Self::Short, Channels::Rgba) => Some(PixelFormat::Rgba16),
            (Self::Half, Channels::Rgba) => Some(PixelFormat::RgbaF16),
            (Self::Float, Channels::Rgba) => Some(PixelFormat::RgbaF32),
            _ => None,
        }
    }

    /// A sample as a number, 1 for white.
    pub fn read(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::Byte, [v, ..]) => f32::from(*v) / 255.0,
            (Self::Short, [a, b, ..]) => f32::from(u16::from_ne_bytes([*a, *b])) / 65535.0,
            (Self::Half, [a, b, ..]) => f16::from_ne_bytes([*a, *b]).to_f32(),
            (Self::Float, [a, b, c, d, ..]) => f32::from_ne_bytes([*a, *b, *c, *d]),
            _ => 0.0,
        }
    }

    pub fn write(self, bytes: &mut [u8], value: f32) {
        let level = |top: f32| (value.clamp(0.0, 1.0) * top).round();
        match self {
            Self::Byte => bytes[0] = level(255.0) as u8,
            Self::Short => bytes[..2].copy_from_slice(&(level(65535.0) as u16).to_ne_bytes()),
            Self::Half => bytes[..2].copy_from_slice(&f16::from_f32(value).to_ne_bytes()),
            Self::Float => bytes[..4].copy_from_slice(&value.to_ne_bytes()),
        }
    }
}

impl Channels {
    pub fn named(name: &str) -> Option<Self> {
        [
            (IMAGE_COMPONENT_RGBA, Self::Rgba),
            (IMAGE_COMPONENT_RGB, Self::Rgb),
            (IMAGE_COMPONENT_ALPHA, Self::Alpha),
        ]
        .into_iter()
        .find_map(|(known, channels)| (known.to_bytes() == name.as_bytes()).then_some(channels))
    }

    pub fn count(self) -> usize {
        match self {
            Self::Rgba => 4,
            Self::Rgb => 3,
            Self::Alpha => 1,
        }
    }
}

/// A packed RGBA copy of an image, top row first.
pub fn packed(image: &Image<'_>) -> Vec<u8> {
    let (width, height) = image.size();
    let (sample, channels) = (image.depth.bytes(), image.channels.count());
    let mut out = vec![0; width * height * 4 * sample];
    let RectI { x1, x2, y2, .. } = image.bounds;
    for (k, row) in out.chunks_exact_mut(width * 4 * sample).enumerate() {
        let source = image.row(y2 - 1 - k as i32, x1, x2);
        let pixels = row
            .chunks_exact_mut(4 * sample)
            .zip(source.chunks_exact(channels * sample));
        for (to, from) in pixels {
            to[..from.len()].copy_from_slice(from);
            if channels < 4 {
                image.depth.write(&mut to[3 * sample..], 1.0);
            }
        }
    }
    out
}

/// Writes a packed RGBA picture that lies at `bounds`, top row first, into the part `window` of an
/// image of the same depth. What the picture does not cover becomes transparent black.
pub fn unpack(packed: &[u8], bounds: RectI, image: &mut Image<'_>, window: RectI) {
    let (sample, channels) = (image.depth.bytes(), image.channels.count());
    let width = (bounds.x2 - bounds.x1).max(0) as usize;
    for y in window.y1..window.y2 {
        let from = window.x1.max(image.bounds.x1);
        let above = (y >= bounds.y1 && y < bounds.y2).then(|| (bounds.y2 - 1 - y) as usize);
        let row = image.row_mut(y, window.x1, window.x2);
        for (k, to) in row.chunks_exact_mut(channels * sample).enumerate() {
            let x = from + k as i32;
            let inside = above.filter(|_| x >= bounds.x1 && x < bounds.x2);
            let at = inside.map(|above| (above * width + (x - bounds.x1) as usize) * 4 * sample);
            match (at.and_then(|at| packed.get(at..at + 4 * sample)), channels) {
                (Some(pixel), 1) => to.copy_from_slice(&pixel[3 * sample..]),
                (Some(pixel), _) => to.copy_from_slice(&pixel[..to.len()]),
                (None, _) => to.fill(0),
            }
        }
    }
}

/// A packed picture of the engine's as packed RGBA: RGB of bytes gets an alpha of 1.
pub fn widened(packed: Vec<u8>, format: PixelFormat) -> Vec<u8> {
    if format != PixelFormat::Rgb8 {
        return packed;
    }
    let pixels = packed.as_chunks::<3>().0.iter();
    pixels.flat_map(|[r, g, b]| [*r, *g, *b, u8::MAX]).collect()
}

/// Copies an image into the part `window` of another one of the same depth and components; black
/// where there is none.
pub fn copy(source: Option<&Image<'_>>, target: &mut Image<'_>, window: RectI) {
    let bytes = target.pixel_bytes();
    for y in window.y1..window.y2 {
        let (left, right) = (
            window.x1.max(target.bounds.x1),
            window.x2.min(target.bounds.x2),
        );
        let row = target.row_mut(y, left, right);
        let Some(source) = source else {
            row.fill(0);
            continue;
        };
        let from = source.row(y, left, right);
        if from.len() == row.len() {
            row.copy_from_slice(from);
            continue;
        }
        row.fill(0);
        let offset = (source.bounds.x1.max(left) - left) as usize * bytes;
        if let Some(part) = row.get_mut(offset..offset + from.len()) {
            part.copy_from_slice(from);
        }
    }
}

/// An image as the engine reads it: in place where it can, else a packed copy.
pub struct Picture<'i> {
    image: &'i Image<'i>,
    packed: Option<Vec<u8>>,
}

impl<'i> Picture<'i> {
    pub fn of(image: &'i Image<'i>) -> Self {
        let direct = image.depth.format(image.channels).is_some();
        Self {
            image,
            packed: (!direct).then(|| packed(image)),
        }
    }

    /// # Errors
    /// As the engine has it.
    pub fn view(&self) -> Result<FrameRef<'_>> {
        let Some(packed) = &self.packed else {
            let none = || Fault::Image("this image cannot be read".into());
            return self.image.view().ok_or_else(none)?;
        };
        let (width, height) = self.image.size();
        let none = || Fault::Image("this image cannot be read".into());
        let format = self.image.depth.format(Channels::Rgba).ok_or_else(none)?;
        Ok(FrameRef::packed(
            packed,
            width as u32,
            height as u32,
            format,
        )?)
    }
}
