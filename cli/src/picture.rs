//! One frame in the command line's memory.

use image::{DynamicImage, GrayImage, ImageBuffer, RgbaImage};
use stylelipsync::frame::PixelFormat;

/// Bytes of one colour component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Eight,
    Sixteen,
}

impl Depth {
    /// Bytes of one RGBA pixel.
    pub fn pixel_bytes(self) -> usize {
        match self {
            Self::Eight => 4,
            Self::Sixteen => 8,
        }
    }

    /// ffmpeg's name of RGBA at this depth, in the machine's byte order.
    pub fn ffmpeg_name(self) -> &'static str {
        match self {
            Self::Eight => "rgba",
            Self::Sixteen if cfg!(target_endian = "big") => "rgba64be",
            Self::Sixteen => "rgba64le",
        }
    }

    /// The library's name of RGBA at this depth.
    pub fn format(self) -> PixelFormat {
        match self {
            Self::Eight => PixelFormat::Rgba8,
            Self::Sixteen => PixelFormat::Rgba16,
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
}

impl Layout {
    /// Bytes of a row: rows are packed.
    pub fn stride(&self) -> usize {
        self.width as usize * self.depth.pixel_bytes()
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
            },
            data,
        }
    }

    /// The frame as a picture to encode, alpha only where the source had one.
    pub fn into_image(self) -> Option<DynamicImage> {
        let Layout {
            width,
            height,
            depth,
            alpha,
        } = self.layout;
        let image = match depth {
            Depth::Eight => {
                DynamicImage::ImageRgba8(ImageBuffer::from_raw(width, height, self.data)?)
            }
            Depth::Sixteen => {
                let components = bytemuck::pod_collect_to_vec::<u8, u16>(&self.data);
                DynamicImage::ImageRgba16(ImageBuffer::from_raw(width, height, components)?)
            }
        };
        Some(match (depth, alpha) {
            (_, true) => image,
            (Depth::Eight, false) => DynamicImage::ImageRgb8(image.into_rgb8()),
            (Depth::Sixteen, false) => DynamicImage::ImageRgb16(image.into_rgb16()),
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
        };
        Self { layout, data }
    }
}
