//! What is done to a frame after the engine has rendered it: premultiplied alpha, the occlusion
//! matte, the matte output, and the overlays.

use std::sync::Arc;

use stylelipsync::Engine;
use stylelipsync::Matte;
use stylelipsync::face::Face;
use stylelipsync::frame::{FrameMut, FrameRef};

use crate::abi::RectI;
use crate::controls::Output;
use crate::image::Image;
use crate::overlay::{Pen, mix};
use crate::pixel_format::BitDepth;
use crate::waveform::Waveform;

/// The colour and the opacity of the mask overlay.
const MASK_COLOUR: [f32; 3] = [1.0, 0.1, 0.1];
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
    /// The encoded value of white.
    pub white: f32,
    pub face: Option<&'a Face>,
    /// For the track overlay: the audio, and the frame's position in it, samples.
    pub audio: Option<(Arc<Waveform>, i64)>,
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
                    let colour = MASK_COLOUR.map(|v| v * process.white);
                    mix(process.depth, to, colour, MASK_OPACITY * *share)
                }
                _ => {}
            }
        }
    }
    if process.output == Output::TrackOverlay {
        let mut pen = Pen {
            target,
            depth: process.depth,
            pixel_aspect: process.pixel_aspect,
            white: process.white,
        };
        if let Some(face) = process.face {
            pen.track(process.engine, face);
        }
        if let Some((waveform, at)) = &process.audio {
            pen.audio(waveform, *at);
        }
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
