//! A frame's pixels in memory of their own.

use super::format::{FrameMut, FrameRef, PixelFormat, copy_pixels};
use crate::{Result, memory};

/// A copy of a frame, its rows without padding.
#[derive(Debug)]
pub(crate) struct OwnedFrame {
    bytes: Vec<u8>,
    width: u32,
    height: u32,
    format: PixelFormat,
    pixel_aspect: f64,
}

impl OwnedFrame {
    /// Copies a frame into `bytes`, whose memory is reused.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn copy_of(frame: &FrameRef<'_>, mut bytes: Vec<u8>) -> Result<Self> {
        let size = Self::size_of(frame);
        let more = size.saturating_sub(bytes.len());
        memory::reserve(&mut bytes, more, "frame")?;
        bytes.resize(size, 0);
        let (width, height) = (frame.width() as u32, frame.height() as u32);
        let mut copy = FrameMut::packed(&mut bytes, width, height, frame.format())?;
        copy_pixels(frame, &mut copy)?;
        Ok(Self {
            bytes,
            width,
            height,
            format: frame.format(),
            pixel_aspect: frame.pixel_aspect(),
        })
    }

    /// Bytes that a copy of `frame` takes.
    pub fn size_of(frame: &FrameRef<'_>) -> usize {
        frame.width() * frame.height() * frame.format().bytes()
    }

    /// The frame.
    ///
    /// # Errors
    /// None in practice: the copied frame was valid.
    pub fn view(&self) -> Result<FrameRef<'_>> {
        FrameRef::packed(&self.bytes, self.width, self.height, self.format)?
            .with_pixel_aspect(self.pixel_aspect)
    }

    /// Width, height and format.
    pub fn kind(&self) -> (u32, u32, PixelFormat) {
        (self.width, self.height, self.format)
    }

    /// Bytes allocated.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The memory, for the next copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
