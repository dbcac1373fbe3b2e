//! A host image as the engine reads it.

use stylelipsync::frame::{FrameRef, PixelFormat};

use crate::aces;
use crate::controls::InputColour;
use crate::error::{ActionError, Result};
use crate::image::Image;
use crate::pixel_format::{BitDepth, Components};
use crate::pixels::to_packed_rgba;

/// An image as a frame of the engine: in place where the engine has its format and colour space, else
/// a packed copy (rows without padding, top row first).
pub struct InputFrame<'i> {
    image: &'i Image<'i>,
    copy: Option<Copy>,
}

struct Copy {
    bytes: Vec<u8>,
    depth: BitDepth,
    format: PixelFormat,
}

impl<'i> InputFrame<'i> {
    /// # Errors
    /// [`ActionError::Image`] where the engine has no format for the image.
    pub fn of(image: &'i Image<'i>, colour: InputColour) -> Result<Self> {
        let format = |depth: BitDepth| {
            let none = || ActionError::Image("the engine has no format for this image".into());
            depth.format(Components::Rgba).ok_or_else(none)
        };
        let copy = if colour == InputColour::AcesCg {
            Some(Copy {
                bytes: aces::to_rec709(image),
                depth: BitDepth::Float,
                format: format(BitDepth::Float)?,
            })
        } else if image.depth.format(image.components).is_none() {
            Some(Copy {
                bytes: to_packed_rgba(image),
                depth: image.depth,
                format: format(image.depth)?,
            })
        } else {
            None
        };
        Ok(Self { image, copy })
    }

    /// # Errors
    /// As [`FrameRef::new`].
    pub fn view(&self) -> Result<FrameRef<'_>> {
        let none = || ActionError::Image("the engine has no format for this image".into());
        let Some(copy) = &self.copy else {
            return self.image.view().ok_or_else(none)?;
        };
        let (width, height) = self.image.size();
        let (width, height) = (width as u32, height as u32);
        let frame = FrameRef::packed(&copy.bytes, width, height, copy.format)?;
        Ok(frame.with_pixel_aspect(self.image.aspect)?)
    }

    /// The bit depth of the frame, which may differ from the image's.
    pub fn depth(&self) -> BitDepth {
        self.copy
            .as_ref()
            .map_or(self.image.depth, |copy| copy.depth)
    }

    /// The packed copy, where the frame is one.
    pub fn copy(&self) -> Option<&[u8]> {
        self.copy.as_ref().map(|copy| copy.bytes.as_slice())
    }
}
