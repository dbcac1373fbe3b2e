//! What is done to a frame after the engine has rendered it: premultiplied alpha, the occlusion
//! matte, the matte output, and the overlays of the mask and of the face track.

use stylelipsync::Engine;
use stylelipsync::Matte;
use stylelipsync::evaluate::lips;
use stylelipsync::face::Face;
use stylelipsync::frame::{FrameMut, FrameRef};

use crate::abi::RectI;
use crate::controls::Output;
use crate::image::Image;
use crate::pixel_format::BitDepth;

/// The colours of the overlays, and the opacity of the mask overlay.
const MASK_COLOUR: [f32; 3] = [1.0, 0.1, 0.1];
const TRACK_COLOUR: [f32; 3] = [0.1, 1.0, 0.3];
const MASK_OPACITY: f32 = 0.5;

/// What to do with a frame.
pub struct PostProcess<'a> {
    pub output: Output,
    /// Whether the source's colour is multiplied by its alpha.
    pub premultiplied: bool,
    pub occlusion: Option<&'a Image<'a>>,
    /// The frame's bounds in the host's pixels.
    pub bounds: RectI,
    /// A pixel's width divided by its height.
    pub pixel_aspect: f64,
    pub face: Option<&'a Face>,
    pub engine: &'a Engine,
    pub depth: BitDepth,
}

/// Processes a frame. `matte` is the engine's matte of it, and is multiplied by the visible share of
/// each pixel.
pub fn apply(
    process: &PostProcess<'_>,
    target: &mut FrameMut<'_>,
    source: &FrameRef<'_>,
    matte: &mut Matte,
) {
    let (width, bytes) = (target.width(), target.format().bytes());
    let sample = process.depth.bytes();
    let has_alpha = bytes == 4 * sample;
    for y in 0..target.height() {
        let (from, to) = (source.row(y), target.row(y));
        let shares = &mut matte.alpha[y * width..(y + 1) * width];
        let occlusion = process
            .occlusion
            .map(|image| OcclusionRow::of(image, process.bounds, y));
        let pixels = to.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes));
        for (x, ((to, from), share)) in pixels.zip(shares).enumerate() {
            if *share > 0.0 {
                let alpha = if has_alpha && process.premultiplied {
                    opacity(process.depth, from)
                } else {
                    1.0
                };
                let visible = 1.0 - occlusion.as_ref().map_or(0.0, |row| row.at(x));
                if alpha < 1.0 || visible < 1.0 {
                    for (to, from) in to
                        .chunks_exact_mut(sample)
                        .zip(from.chunks_exact(sample))
                        .take(3)
                    {
                        let (was, is) = (process.depth.read(from), process.depth.read(to));
                        // The engine mixed in an opaque mouth; premultiplied, its share is
                        // multiplied by alpha.
                        let kept = was * (1.0 - *share);
                        let is = kept + (is - kept) * alpha;
                        process.depth.write(to, was + (is - was) * visible);
                    }
                    *share *= visible;
                }
            }
            match process.output {
                Output::MatteInAlpha if has_alpha => {
                    process.depth.write(&mut to[3 * sample..], *share)
                }
                Output::MaskOverlay if *share > 0.0 => {
                    mix(process.depth, to, MASK_COLOUR, MASK_OPACITY * *share)
                }
                _ => {}
            }
        }
    }
    if let (Output::TrackOverlay, Some(face)) = (process.output, process.face) {
        draw_track(target, process, face);
    }
}

/// A pixel's alpha. Some hosts mark pictures as premultiplied although their alpha is empty: a pixel
/// with an alpha of 0 is treated as opaque.
pub fn opacity(depth: BitDepth, pixel: &[u8]) -> f32 {
    let sample = depth.bytes();
    match depth.read(&pixel[3 * sample..]) {
        alpha if alpha > 0.0 => alpha.min(1.0),
        _ => 1.0,
    }
}

/// A row of the occlusion matte.
struct OcclusionRow<'a> {
    row: &'a [u8],
    /// The frame's column of the first pixel.
    first: i64,
    depth: BitDepth,
    bytes: usize,
}

impl<'a> OcclusionRow<'a> {
    /// The matte's row at the frame's row `y`, counted from the top.
    fn of(image: &'a Image<'_>, bounds: RectI, y: usize) -> Self {
        let host_y = i64::from(bounds.y2) - 1 - y as i64;
        Self {
            row: image.row(host_y as i32, bounds.x1, bounds.x2),
            first: (i64::from(image.bounds.x1) - i64::from(bounds.x1)).max(0),
            depth: image.depth,
            bytes: image.pixel_bytes(),
        }
    }

    /// The occluded share of a pixel, 0 to 1; 0 outside the matte.
    fn at(&self, x: usize) -> f32 {
        let pixel = usize::try_from(x as i64 - self.first).ok();
        // The last component is alpha, of RGBA as of an alpha image.
        let end = pixel.and_then(|pixel| (pixel + 1).checked_mul(self.bytes));
        let sample = end.and_then(|end| self.row.get(end - self.depth.bytes()..end));
        let share = sample.map_or(0.0, |sample| self.depth.read(sample));
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// Mixes a colour into a pixel.
fn mix(depth: BitDepth, pixel: &mut [u8], colour: [f32; 3], share: f32) {
    for (sample, colour) in pixel.chunks_exact_mut(depth.bytes()).zip(colour) {
        let was = depth.read(sample);
        let was = if was.is_finite() { was } else { 0.0 };
        depth.write(sample, was + (colour - was) * share);
    }
}

/// Draws the outline of the face crop, and the points of the lips.
fn draw_track(target: &mut FrameMut<'_>, process: &PostProcess<'_>, face: &Face) {
    let size = process.engine.bundle().manifest().image as f64;
    let thickness = (target.height() / 360).max(1) as i64;
    let aspect = process.pixel_aspect;
    let mut dot = |[x, y]: [f64; 2]| {
        let bytes = target.format().bytes();
        for dy in 0..thickness {
            for dx in 0..thickness {
                let (x, y) = ((x / aspect).round() as i64 + dx, y.round() as i64 + dy);
                let inside =
                    x >= 0 && y >= 0 && x < target.width() as i64 && y < target.height() as i64;
                if inside {
                    let at = x as usize * bytes;
                    mix(
                        process.depth,
                        &mut target.row(y as usize)[at..at + bytes],
                        TRACK_COLOUR,
                        1.0,
                    );
                }
            }
        }
    };
    let map = process.engine.crop().place(&face.pose);
    let steps = 256;
    for step in 0..=steps {
        let at = size * f64::from(step) / f64::from(steps);
        for corner in [[at, 0.0], [at, size], [0.0, at], [size, at]] {
            dot(map.apply(corner));
        }
    }
    for point in lips::points(process.engine.face_model(), face) {
        dot(point);
    }
}
