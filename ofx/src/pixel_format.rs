//! Pixel formats of OpenFX: bit depths and components, and single samples as numbers.

use half::f16;
use stylelipsync::frame::PixelFormat;

use crate::abi::names::*;

/// How a sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitDepth {
    Byte,
    Short,
    Half,
    Float,
}

/// The components of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Components {
    Rgba,
    Rgb,
    Alpha,
}

impl BitDepth {
    /// The depth of an OpenFX name; `None` for one that the effect does not support.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            (BIT_DEPTH_BYTE, Self::Byte),
            (BIT_DEPTH_SHORT, Self::Short),
            (BIT_DEPTH_HALF, Self::Half),
            (BIT_DEPTH_FLOAT, Self::Float),
        ]
        .into_iter()
        .find_map(|(known, depth)| (known.to_bytes() == name.as_bytes()).then_some(depth))
    }

    /// Bytes of a sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Short | Self::Half => 2,
            Self::Float => 4,
        }
    }

    /// The engine's format of such pixels; `None` where the engine has none.
    pub fn format(self, components: Components) -> Option<PixelFormat> {
        match (self, components) {
            (Self::Byte, Components::Rgba) => Some(PixelFormat::Rgba8),
            (Self::Byte, Components::Rgb) => Some(PixelFormat::Rgb8),
            (Self::Short, Components::Rgba) => Some(PixelFormat::Rgba16),
            (Self::Half, Components::Rgba) => Some(PixelFormat::RgbaF16),
            (Self::Float, Components::Rgba) => Some(PixelFormat::RgbaF32),
            _ => None,
        }
    }

    /// The sample at the start of `bytes`, 1 for white; 0 where `bytes` is too short.
    pub fn read(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::Byte, [v, ..]) => f32::from(*v) / 255.0,
            (Self::Short, [a, b, ..]) => f32::from(u16::from_ne_bytes([*a, *b])) / 65535.0,
            (Self::Half, [a, b, ..]) => f16::from_ne_bytes([*a, *b]).to_f32(),
            (Self::Float, [a, b, c, d, ..]) => f32::from_ne_bytes([*a, *b, *c, *d]),
            _ => 0.0,
        }
    }

    /// Writes a sample to the start of `bytes`; integer depths clip it to 0..1.
    pub fn write(self, bytes: &mut [u8], value: f32) {
        let quantized = |white: f32| (value.clamp(0.0, 1.0) * white).round();
        match self {
            Self::Byte => bytes[0] = quantized(255.0) as u8,
            Self::Short => bytes[..2].copy_from_slice(&(quantized(65535.0) as u16).to_ne_bytes()),
            Self::Half => bytes[..2].copy_from_slice(&f16::from_f32(value).to_ne_bytes()),
            Self::Float => bytes[..4].copy_from_slice(&value.to_ne_bytes()),
        }
    }
}

impl Components {
    /// The components of an OpenFX name; `None` for those that the effect does not support.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            (IMAGE_COMPONENT_RGBA, Self::Rgba),
            (IMAGE_COMPONENT_RGB, Self::Rgb),
            (IMAGE_COMPONENT_ALPHA, Self::Alpha),
        ]
        .into_iter()
        .find_map(|(known, components)| (known.to_bytes() == name.as_bytes()).then_some(components))
    }

    /// Samples of a pixel.
    pub fn count(self) -> usize {
        match self {
            Self::Rgba => 4,
            Self::Rgb => 3,
            Self::Alpha => 1,
        }
    }
}
