//! Copies between the host's images and packed pictures (rows without padding, top row first), for
//! pixels that the engine cannot use in place.

use stylelipsync::frame::PixelFormat;

use crate::abi::RectI;
use crate::image::Image;
use crate::window::Window;

/// A packed RGBA copy of an image; alpha is 1 where the image has none.
pub fn to_packed_rgba(image: &Image<'_>) -> Vec<u8> {
    let (width, height) = image.size();
    let (sample, channels) = (image.depth.bytes(), image.components.count());
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

/// Writes a packed RGBA picture, which covers `bounds`, into the region `window` of an image of the
/// same depth. Pixels of the window outside `bounds` become transparent black.
pub fn write_packed_rgba(packed: &[u8], bounds: RectI, image: &mut Image<'_>, window: Window) {
    let (sample, channels) = (image.depth.bytes(), image.components.count());
    let width = (bounds.x2 - bounds.x1).max(0) as usize;
    for y in window.rows() {
        let from = window.x1().max(image.bounds.x1);
        let above = (y >= bounds.y1 && y < bounds.y2).then(|| (bounds.y2 - 1 - y) as usize);
        let row = image.row_mut(y, window.x1(), window.x2());
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

/// A packed picture in a format of the engine as packed RGBA: RGB gets an alpha of 1.
pub fn add_alpha(packed: Vec<u8>, format: PixelFormat) -> Vec<u8> {
    if format != PixelFormat::Rgb8 {
        return packed;
    }
    let pixels = packed.as_chunks::<3>().0.iter();
    pixels.flat_map(|[r, g, b]| [*r, *g, *b, u8::MAX]).collect()
}

/// Copies an image into the region `window` of another image of the same depth and components;
/// black where the source has no pixels.
pub fn copy(source: Option<&Image<'_>>, target: &mut Image<'_>, window: Window) {
    let bytes = target.pixel_bytes();
    for y in window.rows() {
        let left = window.x1().max(target.bounds.x1);
        let right = window.x2().min(target.bounds.x2);
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
