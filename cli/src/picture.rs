//! One frame in the command line's memory.

use std::sync::Arc;

use image::{DynamicImage, GrayImage, ImageBuffer, RgbaImage};
use stylelipsync::Transfer;
use stylelipsync::frame::{FrameMut, FrameRef, PIXEL_ASPECTS, PixelFormat};

use crate::failure::Result;
use crate::open_exr::{Decoded, Original};

/// Bytes of one colour component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Eight,
    Sixteen,
    /// 32-bit float, proportional to light: EXR.
    Float,
}

impl Depth {
    /// Bytes of one RGBA pixel.
    pub fn pixel_bytes(self) -> usize {
        match self {
            Self::Eight => 4,
            Self::Sixteen => 8,
            Self::Float => 16,
        }
    }

    /// ffmpeg's name of RGBA at this depth, in the machine's byte order.
    pub fn ffmpeg_name(self) -> &'static str {
        match self {
            Self::Eight => "rgba",
            // Movies are display-referred: light becomes 16 bits.
            Self::Sixteen | Self::Float if cfg!(target_endian = "big") => "rgba64be",
            Self::Sixteen | Self::Float => "rgba64le",
        }
    }

    /// The library's name of RGBA at this depth.
    pub fn format(self) -> PixelFormat {
        match self {
            Self::Eight => PixelFormat::Rgba8,
            Self::Sixteen => PixelFormat::Rgba16,
            Self::Float => PixelFormat::RgbaF32,
        }
    }
}

/// What all frames of a clip share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub width: u32,
    pub height: u32,
    pub depth: Depth,
    /// Whether the source had an alpha channel, to be written again.
    pub alpha: bool,
    /// Width to height of one pixel, as shown.
    pub pixel_aspect: [u32; 2],
}

/// The aspect of a pixel that is as wide as high.
pub const SQUARE: [u32; 2] = [1, 1];

impl Layout {
    /// Bytes of a row: rows are packed.
    pub fn stride(&self) -> usize {
        self.width as usize * self.depth.pixel_bytes()
    }

    /// The width of a pixel over its height, as far as the library accepts it.
    pub fn pixel_aspect(&self) -> f64 {
        let [width, height] = self.pixel_aspect.map(f64::from);
        (width / height).clamp(*PIXEL_ASPECTS.start(), *PIXEL_ASPECTS.end())
    }

    /// Of the frame in display-referred numbers.
    pub fn displayed(self) -> Self {
        match self.depth {
            Depth::Float => Self {
                depth: Depth::Sixteen,
                ..self
            },
            _ => self,
        }
    }

    /// Bytes of a frame.
    pub fn bytes(&self) -> usize {
        self.stride() * self.height as usize
    }
}

/// A frame: RGBA rows from the top, 16-bit components in the machine's byte order.
#[derive(Clone, Debug)]
pub struct Picture {
    pub layout: Layout,
    pub data: Vec<u8>,
    /// The EXR file that it came from.
    pub original: Option<Arc<Original>>,
}

impl Picture {
    /// Takes over a decoded picture: 16-bit ones stay so, all others become 8-bit.
    pub fn from_image(image: DynamicImage) -> Self {
        let (width, height) = (image.width(), image.height());
        let alpha = image.color().has_alpha();
        let deep = image.color().bytes_per_pixel() > image.color().channel_count();
        let (depth, data) = if deep {
            (
                Depth::Sixteen,
                bytemuck::cast_slice(image.into_rgba16().as_raw()).to_vec(),
            )
        } else {
            (Depth::Eight, image.into_rgba8().into_raw())
        };
        Self {
            layout: Layout {
                width,
                height,
                depth,
                alpha,
                pixel_aspect: SQUARE,
            },
            data,
            original: None,
        }
    }

    /// Takes over a decoded EXR picture.
    pub fn from_exr(decoded: Decoded) -> Self {
        let Decoded {
            width,
            height,
            alpha,
            data,
            original,
        } = decoded;
        let layout = Layout {
            width,
            height,
            depth: Depth::Float,
            alpha,
            pixel_aspect: original.pixel_aspect().unwrap_or(SQUARE),
        };
        Self {
            layout,
            data,
            original: Some(Arc::new(original)),
        }
    }

    /// The frame in display-referred numbers: light becomes 16 bits of sRGB, and what exceeds 1 is clipped.
    pub fn displayed(self) -> Self {
        if self.layout.depth != Depth::Float {
            return self;
        }
        let values = bytemuck::pod_collect_to_vec::<u8, f32>(&self.data);
        let encoded = values.iter().enumerate().map(|(place, value)| {
            let value = match place % 4 {
                3 => *value,
                _ => encoded(*value),
            };
            (value.clamp(0.0, 1.0) * 65535.0).round() as u16
        });
        let encoded: Vec<u16> = encoded.collect();
        Self {
            layout: self.layout.displayed(),
            data: bytemuck::cast_slice(&encoded).to_vec(),
            original: None,
        }
    }

    /// The frame for the library.
    ///
    /// # Errors
    /// From the library when the size is one that it refuses.
    pub fn view(&self) -> Result<FrameRef<'_>> {
        let Layout {
            width,
            height,
            depth,
            ..
        } = self.layout;
        let frame = FrameRef::packed(&self.data, width, height, depth.format())?;
        Ok(frame.with_pixel_aspect(self.layout.pixel_aspect())?)
    }

    /// The frame for the library to write to.
    ///
    /// # Errors
    /// From the library when the size is one that it refuses.
    pub fn view_mut(&mut self) -> Result<FrameMut<'_>> {
        let Layout {
            width,
            height,
            depth,
            ..
        } = self.layout;
        let frame = FrameMut::packed(&mut self.data, width, height, depth.format())?;
        Ok(frame.with_pixel_aspect(self.layout.pixel_aspect())?)
    }

    /// The frame as one of a clip of this layout: pictures beside the clip may be of another depth, and one of the
    /// clip's size has the clip's pixels, of which few picture formats state the shape.
    pub fn like(mut self, clip: Layout) -> Self {
        if (self.layout.width, self.layout.height) == (clip.width, clip.height) {
            self.layout.pixel_aspect = clip.pixel_aspect;
        }
        let depth = clip.depth;
        if depth != Depth::Float || self.layout.depth == Depth::Float {
            return if depth == Depth::Float {
                self
            } else {
                self.displayed()
            };
        }
        let level: Vec<f32> = match self.layout.depth {
            Depth::Eight => self.data.iter().map(|v| f32::from(*v) / 255.0).collect(),
            _ => {
                let values = bytemuck::pod_collect_to_vec::<u8, u16>(&self.data);
                values.iter().map(|v| f32::from(*v) / 65535.0).collect()
            }
        };
        let light = level
            .iter()
            .enumerate()
            .map(|(place, value)| match place % 4 {
                3 => *value,
                _ => Transfer::Srgb.light((*value).into()) as f32,
            });
        let light: Vec<f32> = light.collect();
        Self {
            layout: Layout {
                depth,
                ..self.layout
            },
            data: bytemuck::cast_slice(&light).to_vec(),
            original: None,
        }
    }

    /// The frame as a picture to encode, alpha only where the source had one.
    pub fn into_image(self) -> Option<DynamicImage> {
        let Layout {
            width,
            height,
            depth,
            alpha,
            ..
        } = self.layout;
        if depth == Depth::Float {
            return self.displayed().into_image();
        }
        let image = match depth {
            Depth::Eight => {
                DynamicImage::ImageRgba8(ImageBuffer::from_raw(width, height, self.data)?)
            }
            Depth::Sixteen | Depth::Float => {
                let components = bytemuck::pod_collect_to_vec::<u8, u16>(&self.data);
                DynamicImage::ImageRgba16(ImageBuffer::from_raw(width, height, components)?)
            }
        };
        Some(match (depth, alpha) {
            (_, true) => image,
            (Depth::Eight, false) => DynamicImage::ImageRgb8(image.into_rgb8()),
            (_, false) => DynamicImage::ImageRgb16(image.into_rgb16()),
        })
    }

    /// An 8-bit copy, for looking at.
    pub fn to_rgba8(&self) -> Option<RgbaImage> {
        Some(self.clone().into_image()?.into_rgba8())
    }

    /// A matte (one byte a pixel) as an opaque grey frame.
    pub fn from_matte(matte: &GrayImage) -> Self {
        let (width, height) = matte.dimensions();
        let data = matte
            .as_raw()
            .iter()
            .flat_map(|&v| [v, v, v, u8::MAX])
            .collect();
        let layout = Layout {
            width,
            height,
            depth: Depth::Eight,
            alpha: false,
            pixel_aspect: SQUARE,
        };
        Self {
            layout,
            data,
            original: None,
        }
    }
}

/// Light as sRGB shows it (IEC 61966-2-1).
fn encoded(light: f32) -> f32 {
    match light {
        ..=0.003_130_8 => 12.92 * light.max(0.0),
        _ => 1.055 * light.powf(1.0 / 2.4) - 0.055,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_become_light_and_levels_again() {
        let levels: Vec<u8> = (0..=255)
            .flat_map(|level| [level, 255 - level, level, level])
            .collect();
        let layout = Layout {
            width: 256,
            height: 1,
            depth: Depth::Eight,
            alpha: true,
            pixel_aspect: SQUARE,
        };
        let picture = Picture {
            layout,
            data: levels.clone(),
            original: None,
        };
        let light = picture.like(Layout {
            depth: Depth::Float,
            ..layout
        });
        let values = bytemuck::pod_collect_to_vec::<u8, f32>(&light.data);
        // Middle grey; alpha is not encoded light.
        assert!(
            (values[188 * 4] - 0.503).abs() < 0.001,
            "{}",
            values[188 * 4]
        );
        assert!((values[188 * 4 + 3] - 188.0 / 255.0).abs() < 1e-6);
        let again = light.displayed();
        assert_eq!(again.layout.depth, Depth::Sixteen);
        let again = bytemuck::pod_collect_to_vec::<u8, u16>(&again.data);
        let exact = levels.iter().map(|level| u16::from(*level) * 257);
        assert!(again.iter().zip(exact).all(|(a, b)| a.abs_diff(b) <= 1));
    }
}
