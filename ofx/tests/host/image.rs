//! Pictures as tests think of them: RGBA floats from the top row down; and how hosts encode them.

use std::ffi::CStr;

use half::f16;
use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Byte,
    Short,
    Half,
    Float,
}

impl Depth {
    pub const ALL: [Depth; 4] = [Depth::Byte, Depth::Short, Depth::Half, Depth::Float];

    pub fn name(self) -> &'static CStr {
        match self {
            Depth::Byte => kOfxBitDepthByte,
            Depth::Short => kOfxBitDepthShort,
            Depth::Half => kOfxBitDepthHalf,
            Depth::Float => kOfxBitDepthFloat,
        }
    }

    pub fn named(name: &str) -> Option<Depth> {
        Depth::ALL
            .into_iter()
            .find(|depth| depth.name().to_str() == Ok(name))
    }

    pub fn bytes(self) -> usize {
        match self {
            Depth::Byte => 1,
            Depth::Short | Depth::Half => 2,
            Depth::Float => 4,
        }
    }

    /// Adds one component; the integer depths clamp and round.
    pub fn encode(self, value: f32, to: &mut Vec<u8>) {
        let integer = |most: f32| (value.clamp(0.0, 1.0) * most).round();
        match self {
            Depth::Byte => to.push(integer(255.0) as u8),
            Depth::Short => to.extend((integer(65535.0) as u16).to_ne_bytes()),
            Depth::Half => to.extend(f16::from_f32(value).to_ne_bytes()),
            Depth::Float => to.extend(value.to_ne_bytes()),
        }
    }

    /// Reads one component from exactly `self.bytes()` bytes.
    pub fn decode(self, bytes: &[u8]) -> f32 {
        match *bytes {
            [a] => f32::from(a) / 255.0,
            [a, b] if self == Depth::Short => f32::from(u16::from_ne_bytes([a, b])) / 65535.0,
            [a, b] => f16::from_ne_bytes([a, b]).to_f32(),
            [a, b, c, d] => f32::from_ne_bytes([a, b, c, d]),
            _ => panic!("no component has {} bytes", bytes.len()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Components {
    Rgba,
    Rgb,
    Alpha,
}

impl Components {
    pub const ALL: [Components; 3] = [Components::Rgba, Components::Rgb, Components::Alpha];

    pub fn name(self) -> &'static CStr {
        match self {
            Components::Rgba => kOfxImageComponentRGBA,
            Components::Rgb => kOfxImageComponentRGB,
            Components::Alpha => kOfxImageComponentAlpha,
        }
    }

    pub fn named(name: &str) -> Option<Components> {
        Components::ALL
            .into_iter()
            .find(|components| components.name().to_str() == Ok(name))
    }

    /// Where the components of a pixel are in RGBA.
    pub fn channels(self) -> &'static [usize] {
        match self {
            Components::Rgba => &[0, 1, 2, 3],
            Components::Rgb => &[0, 1, 2],
            Components::Alpha => &[3],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Premultiplication {
    Opaque,
    Premultiplied,
    Unpremultiplied,
}

impl Premultiplication {
    pub fn name(self) -> &'static CStr {
        match self {
            Premultiplication::Opaque => kOfxImageOpaque,
            Premultiplication::Premultiplied => kOfxImagePreMultiplied,
            Premultiplication::Unpremultiplied => kOfxImageUnPreMultiplied,
        }
    }
}

/// Pixels from `x1` and `y1` up to but without `x2` and `y2`; y grows upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    pub x1: i32,
    pub y1: i32,
    pub x2: i32,
    pub y2: i32,
}

impl Rect {
    pub fn new(x1: i32, y1: i32, x2: i32, y2: i32) -> Rect {
        Rect { x1, y1, x2, y2 }
    }

    pub fn sized(width: usize, height: usize) -> Rect {
        Rect::new(0, 0, width as i32, height as i32)
    }

    pub fn width(self) -> usize {
        usize::try_from(self.x2 - self.x1).unwrap_or(0)
    }

    pub fn height(self) -> usize {
        usize::try_from(self.y2 - self.y1).unwrap_or(0)
    }

    pub fn array(self) -> [i32; 4] {
        [self.x1, self.y1, self.x2, self.y2]
    }

    /// The pixels touched by this rectangle when images are rendered at `scale`.
    pub fn scaled(self, scale: [f64; 2]) -> Rect {
        let down = |value: i32, by: f64| (f64::from(value) * by).floor() as i32;
        let up = |value: i32, by: f64| (f64::from(value) * by).ceil() as i32;
        let [sx, sy] = scale;
        Rect::new(
            down(self.x1, sx),
            down(self.y1, sy),
            up(self.x2, sx),
            up(self.y2, sy),
        )
    }

    /// In canonical coordinates, where a pixel is as wide as its aspect ratio says.
    pub fn canonical(self, pixel_aspect: f64) -> [f64; 4] {
        let [x1, y1, x2, y2] = self.array().map(f64::from);
        [x1 * pixel_aspect, y1, x2 * pixel_aspect, y2]
    }
}

/// RGBA from the top left pixel on, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgba: Vec<[f32; 4]>,
}

impl Picture {
    pub fn from_fn(
        width: usize,
        height: usize,
        pixel: impl Fn(usize, usize) -> [f32; 4],
    ) -> Picture {
        let row = |y| (0..width).map(move |x| (x, y));
        let rgba = (0..height)
            .flat_map(row)
            .map(|(x, y)| pixel(x, y))
            .collect();
        Picture {
            width,
            height,
            rgba,
        }
    }

    pub fn from_rgba8(width: usize, height: usize, bytes: &[u8]) -> Picture {
        assert_eq!(bytes.len(), width * height * 4, "four bytes a pixel");
        let pixel = |x: usize, y: usize| {
            let at = (y * width + x) * 4;
            [0, 1, 2, 3].map(|channel| f32::from(bytes[at + channel]) / 255.0)
        };
        Picture::from_fn(width, height, pixel)
    }

    /// The nearest pixel each; hosts make proxies like this.
    pub fn resized(&self, width: usize, height: usize) -> Picture {
        Picture::from_fn(width, height, |x, y| {
            self.rgba[y * self.height / height * self.width + x * self.width / width]
        })
    }

    pub fn is_finite(&self) -> bool {
        self.rgba.iter().flatten().all(|value| value.is_finite())
    }

    /// The rows without padding, top down: what `Rendered::bytes` holds if nothing is changed.
    pub fn encode(&self, depth: Depth, components: Components) -> Vec<u8> {
        let channels = components.channels();
        let mut bytes = Vec::with_capacity(self.rgba.len() * channels.len() * depth.bytes());
        for pixel in &self.rgba {
            channels
                .iter()
                .for_each(|&channel| depth.encode(pixel[channel], &mut bytes));
        }
        bytes
    }
}
