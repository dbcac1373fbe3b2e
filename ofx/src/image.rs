//! The host's images: bounds, padding and rows in either direction are its own affair; here a row 0
//! on top, like everywhere else.

use std::ffi::CStr;

use stylelipsync::frame::{FrameMut, FrameRef, PixelFormat};

use crate::abi::names::*;
use crate::abi::{ClipHandle, PropertySetHandle, RectI};
use crate::fault::{Fault, Result};
use crate::host::Host;
use crate::pixels::{Channels, Depth};

/// An image that the host lends; given back when it is dropped.
pub struct Image<'h> {
    host: &'h Host,
    handle: PropertySetHandle,
    data: *mut u8,
    /// Bytes from a row to the one above it; negative where the host stores the top row first.
    row_bytes: isize,
    pub bounds: RectI,
    pub depth: Depth,
    pub channels: Channels,
    pub premultiplied: bool,
    /// Width of a pixel over its height.
    pub aspect: f64,
    /// Whether it is for a thumbnail.
    pub thumbnail: bool,
}

impl<'h> Image<'h> {
    /// The image of a clip at a time; `None` where the host has none.
    ///
    /// # Errors
    /// [`Fault::Image`] for one that cannot be read: no data, a depth or components unknown here,
    /// rows that overlap.
    pub fn fetch(host: &'h Host, clip: ClipHandle, time: f64) -> Result<Option<Self>> {
        let Some(handle) = host.image(clip, time) else {
            return Ok(None);
        };
        let properties = host.properties(handle);
        // Made first, so that whatever is wrong with it, it is given back.
        let mut image = Self {
            host,
            handle,
            data: properties.pointer(IMAGE_PROP_DATA).cast(),
            row_bytes: properties.int(IMAGE_PROP_ROW_BYTES, 0).unwrap_or(0) as isize,
            bounds: properties.rect(IMAGE_PROP_BOUNDS).unwrap_or_default(),
            depth: Depth::Float,
            channels: Channels::Rgba,
            premultiplied: false,
            aspect: properties
                .double(IMAGE_PROP_PIXEL_ASPECT_RATIO, 0)
                .filter(|aspect| *aspect > 0.0)
                .unwrap_or(1.0),
            thumbnail: properties.int(RESOLVE_THUMBNAIL, 0).unwrap_or(0) != 0,
        };
        let text = |name: &CStr| properties.text(name).unwrap_or_default();
        let refuse = |reason: String| Err(Fault::Image(reason));
        let depth = text(EFFECT_PROP_PIXEL_DEPTH);
        let Some(known) = Depth::named(&depth) else {
            return refuse(format!(
                "images of the depth \"{depth}\" are not known here"
            ));
        };
        image.depth = known;
        let channels = text(EFFECT_PROP_COMPONENTS);
        let Some(known) = Channels::named(&channels) else {
            return refuse(format!("images of \"{channels}\" are not known here"));
        };
        image.channels = known;
        image.premultiplied =
            text(EFFECT_PROP_PREMULTIPLICATION).as_bytes() == IMAGE_PREMULTIPLIED.to_bytes();
        let (width, height) = image.size();
        if image.data.is_null() || width == 0 || height == 0 {
            return refuse("the host gave an image without pixels".into());
        }
        let row = width * image.pixel_bytes();
        if image.row_bytes.unsigned_abs() < row && height > 1 {
            return refuse(format!(
                "rows of {width} pixels in {} bytes",
                image.row_bytes
            ));
        }
        if image.row_bytes == 0 {
            image.row_bytes = row as isize;
        }
        Ok(Some(image))
    }

    /// Width and height, pixels; nothing where the bounds are inside out.
    pub fn size(&self) -> (usize, usize) {
        let side =
            |from: i32, to: i32| usize::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        (
            side(self.bounds.x1, self.bounds.x2),
            side(self.bounds.y1, self.bounds.y2),
        )
    }

    pub fn pixel_bytes(&self) -> usize {
        self.channels.count() * self.depth.bytes()
    }

    /// The pixels' bytes from the lowest address on, and where in them row 0, the top one, begins.
    fn span(&self) -> (*mut u8, usize, usize) {
        let (width, height) = self.size();
        let reach = (height - 1) * self.row_bytes.unsigned_abs();
        let length = reach + width * self.pixel_bytes();
        match self.row_bytes < 0 {
            // The bottom row, which the host points to, lies last.
            true => (self.data.wrapping_sub(reach), length, 0),
            false => (self.data, length, reach),
        }
    }

    /// The format that the engine reads without a copy.
    fn format(&self) -> Option<PixelFormat> {
        self.depth.format(self.channels)
    }

    /// The engine's view of it; `None` where the engine has no such pixels.
    ///
    /// # Errors
    /// As the engine has it.
    pub fn view(&self) -> Option<Result<FrameRef<'_>>> {
        let format = self.format()?;
        let (width, height) = self.size();
        let (data, length, origin) = self.span();
        // SAFETY: the host promises these rows until the image is released, which `self` does; it
        // does not write to its inputs meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(data, length) };
        let frame = FrameRef::new(
            bytes,
            origin,
            -self.row_bytes,
            width as u32,
            height as u32,
            format,
        );
        Some(frame.map_err(Fault::from))
    }

    /// As [`view`](Self::view), to be written: the output alone.
    ///
    /// # Errors
    /// As the engine has it.
    pub fn view_mut(&mut self) -> Option<Result<FrameMut<'_>>> {
        let format = self.format()?;
        let (width, height) = self.size();
        let (data, length, origin) = self.span();
        // SAFETY: as above; tiles are declined, so that nobody else writes to the output.
        let bytes = unsafe { std::slice::from_raw_parts_mut(data, length) };
        let frame = FrameMut::new(
            bytes,
            origin,
            -self.row_bytes,
            width as u32,
            height as u32,
            format,
        );
        Some(frame.map_err(Fault::from))
    }

    /// The bytes of the pixels `x1..x2` of the row `y`, in the host's coordinates; cut to the bounds.
    pub fn row(&self, y: i32, x1: i32, x2: i32) -> &[u8] {
        let Some((data, length)) = self.part(y, x1, x2) else {
            return &[];
        };
        // SAFETY: within the image, as `part` cuts it.
        unsafe { std::slice::from_raw_parts(data, length) }
    }

    /// As [`row`](Self::row), to be written.
    pub fn row_mut(&mut self, y: i32, x1: i32, x2: i32) -> &mut [u8] {
        let Some((data, length)) = self.part(y, x1, x2) else {
            return &mut [];
        };
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(data, length) }
    }

    fn part(&self, y: i32, x1: i32, x2: i32) -> Option<(*mut u8, usize)> {
        let RectI {
            x1: left,
            x2: right,
            y1,
            y2,
        } = self.bounds;
        let (from, to) = (x1.max(left), x2.min(right));
        if y < y1 || y >= y2 || from >= to {
            return None;
        }
        let bytes = self.pixel_bytes();
        let up = (i64::from(y) - i64::from(y1)) as isize;
        let along = (i64::from(from) - i64::from(left)) as usize * bytes;
        let data = self
            .data
            .wrapping_offset(up * self.row_bytes)
            .wrapping_add(along);
        Some((data, (i64::from(to) - i64::from(from)) as usize * bytes))
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        self.host.release(self.handle);
    }
}
