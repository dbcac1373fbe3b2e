//! What is done to a rendered frame beside the mouth: alpha, occlusion, mattes, and looks at the
//! mask and the track.

use stylelipsync::Engine;
use stylelipsync::Matte;
use stylelipsync::evaluate::lips;
use stylelipsync::face::Face;
use stylelipsync::frame::{FrameMut, FrameRef};

use crate::abi::RectI;
use crate::controls::Output;
use crate::image::Image;
use crate::pixels::Depth;

/// Colours of the mask and of the track, and how much of the mask's covers the picture.
const MASK: [f32; 3] = [1.0, 0.1, 0.1];
const TRACK: [f32; 3] = [0.1, 1.0, 0.3];
const COVER: f32 = 0.5;

/// What is to be done.
pub struct Finish<'a> {
    pub output: Output,
    pub premultiplied: bool,
    pub occlusion: Option<&'a Image<'a>>,
    /// Where the frame lies among the host's pixels.
    pub bounds: RectI,
    pub face: Option<&'a Face>,
    pub engine: &'a Engine,
    pub depth: Depth,
}

/// Finishes a frame; `matte` is the share of each pixel that was painted, and becomes the share that
/// is left of it.
pub fn finish(
    target: &mut FrameMut<'_>,
    source: &FrameRef<'_>,
    matte: &mut Matte,
    finish: &Finish<'_>,
) {
    let (width, bytes) = (target.width(), target.format().bytes());
    let sample = finish.depth.bytes();
    let has_alpha = bytes == 4 * sample;
    for y in 0..target.height() {
        let (from, to) = (source.row(y), target.row(y));
        let shares = &mut matte.alpha[y * width..(y + 1) * width];
        let hidden = finish
            .occlusion
            .map(|image| Hidden::row(image, finish.bounds, y));
        let pixels = to.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes));
        for (x, ((to, from), share)) in pixels.zip(shares).enumerate() {
            if *share > 0.0 {
                let alpha = if has_alpha && finish.premultiplied {
                    opacity(finish.depth, from)
                } else {
                    1.0
                };
                let left = 1.0 - hidden.as_ref().map_or(0.0, |hidden| hidden.at(x));
                if alpha < 1.0 || left < 1.0 {
                    for (to, from) in to
                        .chunks_exact_mut(sample)
                        .zip(from.chunks_exact(sample))
                        .take(3)
                    {
                        let (was, is) = (finish.depth.read(from), finish.depth.read(to));
                        // The engine mixed an opaque mouth in; the pixel lets through so much of it.
                        let kept = was * (1.0 - *share);
                        let is = kept + (is - kept) * alpha;
                        finish.depth.write(to, was + (is - was) * left);
                    }
                    *share *= left;
                }
            }
            match finish.output {
                Output::Matte if has_alpha => finish.depth.write(&mut to[3 * sample..], *share),
                Output::MaskOverlay if *share > 0.0 => mix(finish.depth, to, MASK, COVER * *share),
                _ => {}
            }
        }
    }
    if let (Output::TrackOverlay, Some(face)) = (finish.output, finish.face) {
        draw_track(target, finish, face);
    }
}

/// A pixel's alpha. Hosts call pictures premultiplied whose alpha is empty: one that holds colour
/// and no alpha is not, and is taken for opaque.
fn opacity(depth: Depth, pixel: &[u8]) -> f32 {
    let sample = depth.bytes();
    match depth.read(&pixel[3 * sample..]) {
        alpha if alpha > 0.0 => alpha.min(1.0),
        _ => 1.0,
    }
}

/// A row of the occlusion matte.
struct Hidden<'a> {
    row: &'a [u8],
    /// Where its first pixel lies in the frame.
    first: i64,
    depth: Depth,
    bytes: usize,
}

impl<'a> Hidden<'a> {
    /// The row of the frame's row `y`, the top one 0.
    fn row(image: &'a Image<'_>, bounds: RectI, y: usize) -> Self {
        let host = i64::from(bounds.y2) - 1 - y as i64;
        Self {
            row: image.row(host as i32, bounds.x1, bounds.x2),
            first: (i64::from(image.bounds.x1) - i64::from(bounds.x1)).max(0),
            depth: image.depth,
            bytes: image.pixel_bytes(),
        }
    }

    /// How much of a pixel is hidden; nothing where the matte does not reach.
    fn at(&self, x: usize) -> f32 {
        let pixel = usize::try_from(x as i64 - self.first).ok();
        // The last channel: alpha of RGBA, all there is of a matte.
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

fn mix(depth: Depth, pixel: &mut [u8], colour: [f32; 3], share: f32) {
    for (sample, colour) in pixel.chunks_exact_mut(depth.bytes()).zip(colour) {
        let was = depth.read(sample);
        let was = if was.is_finite() { was } else { 0.0 };
        depth.write(sample, was + (colour - was) * share);
    }
}

/// The crop's outline and the lips.
fn draw_track(target: &mut FrameMut<'_>, finish: &Finish<'_>, face: &Face) {
    let size = finish.engine.bundle().manifest().image as f64;
    let thick = (target.height() / 360).max(1) as i64;
    let mut dot = |[x, y]: [f64; 2]| {
        let bytes = target.format().bytes();
        for dy in 0..thick {
            for dx in 0..thick {
                let (x, y) = (x.round() as i64 + dx, y.round() as i64 + dy);
                let inside =
                    x >= 0 && y >= 0 && x < target.width() as i64 && y < target.height() as i64;
                if inside {
                    let at = x as usize * bytes;
                    mix(
                        finish.depth,
                        &mut target.row(y as usize)[at..at + bytes],
                        TRACK,
                        1.0,
                    );
                }
            }
        }
    };
    let map = finish.engine.crop().place(&face.pose);
    let steps = 256;
    for step in 0..=steps {
        let at = size * f64::from(step) / f64::from(steps);
        for corner in [[at, 0.0], [at, size], [0.0, at], [size, at]] {
            dot(map.apply(corner));
        }
    }
    for point in lips::points(finish.engine.face_model(), face) {
        dot(point);
    }
}
