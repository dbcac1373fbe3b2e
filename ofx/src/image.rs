//! The host's images. OpenFX puts the origin at the bottom left, and allows any bounds, row padding
//! and row order; the engine's frames have row 0 at the top.

use std::ffi::CStr;

use stylelipsync::frame::{FrameMut, FrameRef, PIXEL_ASPECTS, PixelFormat};

use crate::abi::names::*;
use crate::abi::{ClipHandle, PropertySetHandle, RectI};
use crate::error::{ActionError, Result};
use crate::host::Host;
use crate::pixel_format::{BitDepth, Components};

/// An image of the host, released when it is dropped.
pub struct Image<'h> {
    host: &'h Host,
    handle: PropertySetHandle,
    data: *mut u8,
    /// Bytes from a row to the row above it; negative where the host stores the top row first.
    row_bytes: isize,
    pub bounds: RectI,
    pub depth: BitDepth,
    pub components: Components,
    /// Whether colour is multiplied by alpha.
    pub premultiplied: bool,
    /// A pixel's width divided by its height, as shown. Proxies may be scaled more along one axis.
    pub aspect: f64,
    /// Whether Resolve asks for a thumbnail.
    pub thumbnail: bool,
}

impl<'h> Image<'h> {
    /// The image of a clip at a time; `None` where the host has none.
    ///
    /// # Errors
    /// [`ActionError::Image`] for an image without data, with an unsupported depth or components, or
    /// with rows that overlap.
    pub fn fetch(host: &'h Host, clip: ClipHandle, time: f64) -> Result<Option<Self>> {
        let Some(handle) = host.image(clip, time) else {
            return Ok(None);
        };
        let properties = host.properties(handle);
        let positive = |value: &f64| value.is_finite() && *value > 0.0;
        let aspect = properties
            .double(IMAGE_PROP_PIXEL_ASPECT_RATIO, 0)
            .filter(positive)
            .unwrap_or(1.0);
        let [across, down] = [0, 1].map(|axis| {
            let scale = properties.double(EFFECT_PROP_RENDER_SCALE, axis);
            scale.filter(positive).unwrap_or(1.0)
        });
        let aspect = aspect * down / across;
        // Made before the checks, so that a refused image is released too.
        let mut image = Self {
            host,
            handle,
            data: properties.pointer(IMAGE_PROP_DATA).cast(),
            row_bytes: properties.int(IMAGE_PROP_ROW_BYTES, 0).unwrap_or(0) as isize,
            bounds: properties.rect(IMAGE_PROP_BOUNDS).unwrap_or_default(),
            depth: BitDepth::Float,
            components: Components::Rgba,
            premultiplied: false,
            // What no footage has is not believed.
            aspect: match PIXEL_ASPECTS.contains(&aspect) {
                true => aspect,
                false => 1.0,
            },
            thumbnail: properties.int(RESOLVE_THUMBNAIL, 0).unwrap_or(0) != 0,
        };
        let text = |name: &CStr| properties.text(name).unwrap_or_default();
        let refuse = |reason: String| Err(ActionError::Image(reason));
        let depth = text(EFFECT_PROP_PIXEL_DEPTH);
        let Some(known) = BitDepth::from_name(&depth) else {
            return refuse(format!("unsupported bit depth \"{depth}\""));
        };
        image.depth = known;
        let components = text(EFFECT_PROP_COMPONENTS);
        let Some(known) = Components::from_name(&components) else {
            return refuse(format!("unsupported image components \"{components}\""));
        };
        image.components = known;
        image.premultiplied =
            text(EFFECT_PROP_PREMULTIPLICATION).as_bytes() == IMAGE_PREMULTIPLIED.to_bytes();
        let (width, height) = image.size();
        if image.data.is_null() || width == 0 || height == 0 {
            return refuse("the host's image has no pixels".into());
        }
        let row = width * image.pixel_bytes();
        if image.row_bytes.unsigned_abs() < row && height > 1 {
            return refuse(format!(
                "a row of {width} pixels needs {row} bytes, the host's image has {}",
                image.row_bytes
            ));
        }
        if image.row_bytes == 0 {
            image.row_bytes = row as isize;
        }
        Ok(Some(image))
    }

    /// Width and height, pixels; 0 where the bounds are inverted.
    pub fn size(&self) -> (usize, usize) {
        let side =
            |from: i32, to: i32| usize::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        (
            side(self.bounds.x1, self.bounds.x2),
            side(self.bounds.y1, self.bounds.y2),
        )
    }

    pub fn pixel_bytes(&self) -> usize {
        self.components.count() * self.depth.bytes()
    }

    /// The image's memory: its lowest address, its length in bytes, and the offset of the top row.
    fn memory(&self) -> (*mut u8, usize, usize) {
        let (width, height) = self.size();
        let rows = (height - 1) * self.row_bytes.unsigned_abs();
        let length = rows + width * self.pixel_bytes();
        match self.row_bytes < 0 {
            // The host points to the bottom row, which is the last one in memory.
            true => (self.data.wrapping_sub(rows), length, 0),
            false => (self.data, length, rows),
        }
    }

    /// The engine's format of the pixels, where it can use them without a copy.
    fn format(&self) -> Option<PixelFormat> {
        self.depth.format(self.components)
    }

    /// The image as a frame of the engine; `None` where the engine has no such pixel format.
    ///
    /// # Errors
    /// As [`FrameRef::new`].
    pub fn view(&self) -> Option<Result<FrameRef<'_>>> {
        let format = self.format()?;
        let (width, height) = self.size();
        let (data, length, origin) = self.memory();
        // SAFETY: the rows are valid until the image is released, which `self` does when it is
        // dropped; nobody writes to an input during an action.
        let bytes = unsafe { std::slice::from_raw_parts(data, length) };
        let frame = FrameRef::new(
            bytes,
            origin,
            -self.row_bytes,
            width as u32,
            height as u32,
            format,
        )
        .and_then(|frame| frame.with_pixel_aspect(self.aspect));
        Some(frame.map_err(ActionError::from))
    }

    /// As [`view`](Self::view), for writing; only for the output image.
    ///
    /// # Errors
    /// As [`FrameMut::new`].
    pub fn view_mut(&mut self) -> Option<Result<FrameMut<'_>>> {
        let format = self.format()?;
        let (width, height) = self.size();
        let (data, length, origin) = self.memory();
        // SAFETY: as in `view`; the effect declares no tile support, so that no other thread writes to
        // this output.
        let bytes = unsafe { std::slice::from_raw_parts_mut(data, length) };
        let frame = FrameMut::new(
            bytes,
            origin,
            -self.row_bytes,
            width as u32,
            height as u32,
            format,
        );
        Some(frame.map_err(ActionError::from))
    }

    /// The bytes of the pixels `x1..x2` of row `y`, in the host's coordinates, clipped to the bounds.
    pub fn row(&self, y: i32, x1: i32, x2: i32) -> &[u8] {
        let Some((data, length)) = self.row_span(y, x1, x2) else {
            return &[];
        };
        // SAFETY: `row_span` clips to the image, whose memory is valid as in `view`.
        unsafe { std::slice::from_raw_parts(data, length) }
    }

    /// As [`row`](Self::row), for writing.
    pub fn row_mut(&mut self, y: i32, x1: i32, x2: i32) -> &mut [u8] {
        let Some((data, length)) = self.row_span(y, x1, x2) else {
            return &mut [];
        };
        // SAFETY: as in `row` and `view_mut`.
        unsafe { std::slice::from_raw_parts_mut(data, length) }
    }

    /// The address of the pixels `x1..x2` of row `y` and their length in bytes; `None` outside the bounds.
    fn row_span(&self, y: i32, x1: i32, x2: i32) -> Option<(*mut u8, usize)> {
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
        self.host.release_image(self.handle);
    }
}
