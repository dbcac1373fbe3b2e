//! Compositing: the generated face inside the mask's feathered edge, with every byte outside
//! unchanged.

use super::bilinear::bilinear;
use super::colour::{Curve, unit};
use super::detail::DetailLayer;
use super::format::{FrameMut, FrameRef, Transfer};
use super::pixel::{Pixel, with_pixel};
use super::similarity::Similarity;
use super::tone::ToneMap;
use crate::{Error, Result};

mod colour_match;
mod layers;

pub use colour_match::{ColourMatch, Gains};
pub use layers::Layers;

/// A generated face with its mask, both in the crop.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'a> {
    /// Side of the crop, pixels.
    pub size: usize,
    /// Planar RGB `[3, size, size]` in [-1, 1], sRGB-encoded.
    pub generated: &'a [f32],
    /// `[size, size]` in [0, 1]: the generated picture's share.
    pub alpha: &'a [f32],
    /// From [`ColourMatch::gains`]; the default for none.
    pub gains: &'a Gains,
    /// What the crop was sampled with: the generated picture is given back in the frame's range.
    pub tone: ToneMap,
    /// What is added to the generated picture at the frame's resolution, where a pixel of the crop covers
    /// more than one of the frame.
    pub detail: &'a [DetailLayer<'a>],
}

/// Pixels of border around a patch, so that samples need no bounds test.
const BORDER: usize = 3;

/// Blends patches into frames. Owns its buffers: after the first frame, nothing is allocated.
#[derive(Debug, Default)]
pub struct Compositor {
    /// sRGB in [0, 1] and alpha, with a border of `BORDER`.
    cells: Vec<[f32; 4]>,
}

/// A rectangle of a frame in pixels: columns `left..right`, rows `top..bottom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Column after the last one.
    pub right: usize,
    /// Row after the last one.
    pub bottom: usize,
}

impl Compositor {
    /// Blends `patch`, placed by `map` (crop to frame), into `frame`, which holds the source.
    /// `strength` in [0, 1] scales the mask.
    ///
    /// A pixel is written only where the mask, resampled at it, is above 0; every other byte, and
    /// alpha everywhere, is unchanged. Within the mask a source value that is not finite (NaN,
    /// infinite) is replaced by the generated picture. Returns the box that may have changed,
    /// `None` when nothing can have.
    ///
    /// # Errors
    /// [`Error::Argument`] when a length does not fit, `strength` is outside [0, 1] or `map` is not
    /// valid; nothing is written then.
    pub fn blend(
        &mut self,
        frame: &mut FrameMut<'_>,
        transfer: Transfer,
        map: &Similarity,
        patch: &Patch<'_>,
        strength: f32,
    ) -> Result<Option<Bounds>> {
        check_patch(map, patch, strength)?;
        let shape = FrameShape::of(&frame.as_ref());
        let Some(walk) = Walk::new(shape, map, patch.size, patch.alpha) else {
            return Ok(None);
        };
        if strength == 0.0 {
            return Ok(None);
        }
        self.fill(&walk, Some(patch), patch.size, patch.alpha);
        let curve = Curve::of(transfer);
        with_pixel!(frame.format(), P => {
            self.blend_rows::<P>(frame, (curve, patch.tone), &walk, patch.detail, strength);
        });
        Ok(Some(walk.bounds))
    }

    fn blend_rows<P: Pixel>(
        &self,
        frame: &mut FrameMut<'_>,
        (curve, tone): (&Curve, ToneMap),
        walk: &Walk,
        detail: &[DetailLayer<'_>],
        strength: f32,
    ) {
        let Bounds {
            left,
            top,
            right,
            bottom,
        } = walk.bounds;
        for y in top..bottom {
            let row = &mut frame.row(y)[left * P::BYTES..right * P::BYTES];
            for (i, pixel) in row.chunks_exact_mut(P::BYTES).enumerate() {
                let at = (left + i, y);
                let Some((rgb, alpha)) = self.generated(walk, detail, (curve, tone), at) else {
                    continue;
                };
                let weight = alpha * strength;
                if weight <= 0.0 {
                    continue;
                }
                let mut out = P::read(pixel);
                for (v, generated) in out.iter_mut().zip(rgb) {
                    *v = if v.is_finite() {
                        *v + (generated - *v) * weight
                    } else {
                        generated
                    };
                }
                P::write(pixel, out);
            }
        }
    }

    /// The generated picture at a frame pixel, in the frame's encoding, and the mask there; `None` where the
    /// mask is 0.
    #[inline(always)]
    fn generated(
        &self,
        walk: &Walk,
        detail: &[DetailLayer<'_>],
        (curve, tone): (&Curve, ToneMap),
        (x, y): (usize, usize),
    ) -> Option<([f32; 3], f32)> {
        let (rgb, alpha) = walk.at(&self.cells, x, y)?;
        let added = walk.detail(detail, x, y);
        let encoded = rgb.map(|generated| {
            let detailed = if added == 0.0 {
                generated
            } else {
                unit(generated + added)
            };
            tone.invert(curve.from_srgb(detailed))
        });
        Some((encoded, alpha))
    }

    /// Adds the generated picture's share of each pixel, as [`Compositor::blend`] would use it, to the shares
    /// in `out`, `[height, width]` in [0, 1], over which it lies: 0 before the first face. Of `frame` only the
    /// size and the pixel aspect ratio are used.
    ///
    /// # Errors
    /// As [`Compositor::blend`], and when `out` has another length.
    pub fn matte(
        &mut self,
        frame: &FrameRef<'_>,
        map: &Similarity,
        (size, alpha): (usize, &[f32]),
        strength: f32,
        out: &mut [f32],
    ) -> Result<()> {
        check(map, size, alpha, strength)?;
        let (width, height) = (frame.width(), frame.height());
        if Some(out.len()) != width.checked_mul(height) {
            let reason = format!("{} numbers for {width} x {height} pixels", out.len());
            return Err(Error::Argument {
                field: "matte",
                reason,
            });
        }
        let Some(walk) = Walk::new(FrameShape::of(frame), map, size, alpha) else {
            return Ok(());
        };
        self.fill(&walk, None, size, alpha);
        for y in walk.bounds.top..walk.bounds.bottom {
            for x in walk.bounds.left..walk.bounds.right {
                if let Some((_, alpha)) = walk.at(&self.cells, x, y) {
                    let (over, share) =
                        ((alpha * strength).clamp(0.0, 1.0), &mut out[y * width + x]);
                    *share = over + *share * (1.0 - over);
                }
            }
        }
        Ok(())
    }

    /// Interleaves what the mask lets through, colour matched.
    fn fill(&mut self, walk: &Walk, patch: Option<&Patch<'_>>, size: usize, alpha: &[f32]) {
        let width = size + 2 * BORDER;
        self.cells.clear();
        self.cells.resize(width * width, [0.0; 4]);
        let light = Curve::of(Transfer::Linear);
        let matched = patch.is_some_and(|p| !p.gains.is_none());
        let [left, top, right, bottom] = walk.inside;
        // Samples at the mask's edge read up to two pixels outside it.
        let range = |low: usize, high: usize| {
            (low + BORDER).saturating_sub(2)..(high + BORDER + 2).min(width)
        };
        for row in range(top, bottom) {
            let y = row.saturating_sub(BORDER).min(size - 1);
            for column in range(left, right) {
                let x = column.saturating_sub(BORDER).min(size - 1);
                let at = y * size + x;
                let mut cell = [0.0; 4];
                if let Some(patch) = patch {
                    let gains = if matched {
                        patch.gains.at(x, y, size)
                    } else {
                        [1.0; 3]
                    };
                    for (c, v) in cell[..3].iter_mut().enumerate() {
                        let value = patch.generated[c * size * size + at] * 0.5 + 0.5;
                        *v = unit(value);
                        if matched {
                            *v = light.to_srgb(light.from_srgb(*v) * gains[c]);
                        }
                    }
                }
                if (x + BORDER, y + BORDER) == (column, row) {
                    cell[3] = unit(alpha[at]);
                }
                self.cells[row * width + column] = cell;
            }
        }
    }
}

fn check_patch(map: &Similarity, patch: &Patch<'_>, strength: f32) -> Result<()> {
    check(map, patch.size, patch.alpha, strength)?;
    if patch.generated.len() != 3 * patch.size * patch.size {
        let reason = format!(
            "{} numbers for [3, {1}, {1}]",
            patch.generated.len(),
            patch.size
        );
        return Err(Error::Argument {
            field: "generated",
            reason,
        });
    }
    Ok(())
}

fn check(map: &Similarity, size: usize, alpha: &[f32], strength: f32) -> Result<()> {
    map.check()?;
    if size == 0 || alpha.len() != size * size {
        let reason = format!("{} numbers for [{size}, {size}]", alpha.len());
        return Err(Error::Argument {
            field: "alpha",
            reason,
        });
    }
    if !(0.0..=1.0).contains(&strength) {
        let reason = format!("{strength} is not in [0, 1]");
        return Err(Error::Argument {
            field: "strength",
            reason,
        });
    }
    Ok(())
}

/// The size of a frame in pixels, and their aspect ratio.
#[derive(Clone, Copy)]
struct FrameShape {
    width: usize,
    height: usize,
    aspect: f64,
}

impl FrameShape {
    fn of(frame: &FrameRef<'_>) -> Self {
        Self {
            width: frame.width(),
            height: frame.height(),
            aspect: frame.pixel_aspect(),
        }
    }
}

/// The frame pixels that a mask can reach, and how each sees the crop.
struct Walk {
    bounds: Bounds,
    /// The box of the crop where alpha is above 0: left, top, right, bottom.
    inside: [usize; 4],
    to_crop: Similarity,
    size: usize,
    /// A frame pixel's width divided by its height.
    aspect: f64,
    /// Samples across and down a frame pixel: above 1 where the face is smaller than the crop.
    samples: [usize; 2],
}

impl Walk {
    fn new(shape: FrameShape, map: &Similarity, size: usize, alpha: &[f32]) -> Option<Self> {
        let FrameShape {
            width,
            height,
            aspect,
        } = shape;
        let inside = support(alpha, size)?;
        let [left, top, right, bottom] = inside.map(|v| v as f64);
        // A bilinear sample of alpha is above 0 up to half a pixel beyond it.
        let frame = map.bounds([left - 0.5, top - 0.5, right + 0.5, bottom + 0.5]);
        let low = |v: f64, side: usize| (v - 1.0).floor().clamp(0.0, side as f64) as usize;
        let high = |v: f64, side: usize| (v + 1.0).ceil().clamp(0.0, side as f64) as usize;
        let bounds = Bounds {
            left: low(frame[0] / aspect, width),
            top: low(frame[1], height),
            right: high(frame[2] / aspect, width),
            bottom: high(frame[3], height),
        };
        let samples =
            [aspect, 1.0].map(|side| (side / map.scale() - 1e-6).ceil().clamp(1.0, 32.0) as usize);
        let seen = bounds.left < bounds.right && bounds.top < bounds.bottom;
        seen.then(|| Self {
            bounds,
            inside,
            to_crop: map.inverse(),
            size,
            aspect,
            samples,
        })
    }

    /// sRGB and alpha at a frame pixel; `None` where alpha is 0.
    #[inline(always)]
    fn at(&self, cells: &[[f32; 4]], x: usize, y: usize) -> Option<([f32; 3], f32)> {
        let [across, down] = self.samples;
        if (across, down) == (1, 1) {
            let (at, fx, fy) = self.place([x as f64 + 0.5, y as f64 + 0.5])?;
            let alpha = self.bilinear(cells, at, fx, fy)[3];
            return (alpha > 0.0).then(|| (catmull_rom(cells, self.width(), at, fx, fy), alpha));
        }
        let step = self.samples.map(|count| 1.0 / count as f64);
        let mut sum = [0.0f32; 4];
        for j in 0..down {
            for i in 0..across {
                let (dx, dy) = ((i as f64 + 0.5) * step[0], (j as f64 + 0.5) * step[1]);
                if let Some((at, fx, fy)) = self.place([x as f64 + dx, y as f64 + dy]) {
                    let [r, g, b, a] = self.bilinear(cells, at, fx, fy);
                    // Weighted by alpha, so that what the mask hides takes no part.
                    for (s, v) in sum.iter_mut().zip([r * a, g * a, b * a, a]) {
                        *s += v;
                    }
                }
            }
        }
        let [r, g, b, a] = sum;
        let count = (across * down) as f32;
        (a > 0.0).then(|| ([r / a, g / a, b / a], a / count))
    }

    /// What the layers add at a frame pixel, in sRGB.
    #[inline(always)]
    fn detail(&self, layers: &[DetailLayer<'_>], x: usize, y: usize) -> f32 {
        if self.samples != [1; 2] || layers.iter().all(|layer| layer.band.is_none()) {
            return 0.0;
        }
        let [u, v] = self.crop_point([x as f64 + 0.5, y as f64 + 0.5]);
        let last = (self.size - 1) as f64;
        let (u, v) = ((u - 0.5).clamp(0.0, last), (v - 0.5).clamp(0.0, last));
        let (i, j) = (
            (u as usize).min(self.size - 2),
            (v as usize).min(self.size - 2),
        );
        let (fx, fy) = ((u - i as f64) as f32, (v - j as f64) as f32);
        let at = j * self.size + i;
        let mut sum = 0.0;
        for layer in layers {
            let Some(band) = layer.band else { continue };
            let below = &layer.places[at + self.size..][..2];
            let [x, y, share, _] = bilinear(&layer.places[at..][..2], below, fx, fy);
            if share > 0.0 {
                sum += share * band.sample(x, y);
            }
        }
        sum
    }

    /// The point of the crop that is seen at a point of the frame, in pixels.
    #[inline(always)]
    fn crop_point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.to_crop.apply([x * self.aspect, y])
    }

    fn width(&self) -> usize {
        self.size + 2 * BORDER
    }

    #[inline(always)]
    fn bilinear(&self, cells: &[[f32; 4]], at: usize, fx: f32, fy: f32) -> [f32; 4] {
        let below = &cells[at + self.width()..][..2];
        bilinear(&cells[at..][..2], below, fx, fy)
    }

    /// The cell up and left of a frame point and the point's place between it and its neighbours;
    /// `None` where alpha must be 0.
    #[inline(always)]
    fn place(&self, point: [f64; 2]) -> Option<(usize, f32, f32)> {
        let [u, v] = self.crop_point(point);
        let [left, top, right, bottom] = self.inside;
        let seen = u > left as f64 - 0.5
            && u < right as f64 + 0.5
            && v > top as f64 - 0.5
            && v < bottom as f64 + 0.5;
        if !seen {
            return None;
        }
        // Not negative: u > -0.5.
        let (u, v) = (u - 0.5 + BORDER as f64, v - 0.5 + BORDER as f64);
        let (i, j) = (u as usize, v as usize);
        Some((
            j * self.width() + i,
            (u - i as f64) as f32,
            (v - j as f64) as f32,
        ))
    }
}

/// The box of the pixels above 0: left, top, right, bottom.
fn support(alpha: &[f32], size: usize) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for (y, row) in alpha.chunks_exact(size).enumerate() {
        let Some(left) = row.iter().position(|a| *a > 0.0) else {
            continue;
        };
        let right = row.iter().rposition(|a| *a > 0.0).map_or(left, |x| x) + 1;
        let b = found.get_or_insert([left, y, right, y + 1]);
        *b = [b[0].min(left), b[1], b[2].max(right), y + 1];
    }
    found
}

/// Sharper than bilinear where the face is larger than the crop.
#[inline(always)]
fn catmull_rom(cells: &[[f32; 4]], width: usize, at: usize, fx: f32, fy: f32) -> [f32; 3] {
    let (wx, wy) = (cubic(fx), cubic(fy));
    let first = at - width - 1;
    let mut sum = [0.0f32; 4];
    for (j, wy) in wy.into_iter().enumerate() {
        let row = &cells[first + j * width..][..4];
        let mut across = [0.0f32; 4];
        for (cell, wx) in row.iter().zip(wx) {
            for (s, v) in across.iter_mut().zip(cell) {
                *s += v * wx;
            }
        }
        for (s, v) in sum.iter_mut().zip(across) {
            *s += v * wy;
        }
    }
    [sum[0], sum[1], sum[2]]
}

/// Catmull-Rom weights of the four neighbours of a point `t` beyond the second.
#[inline(always)]
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t3 + 2.0 * t2 - t),
        0.5 * (3.0 * t3 - 5.0 * t2 + 2.0),
        0.5 * (-3.0 * t3 + 4.0 * t2 + t),
        0.5 * (t3 - t2),
    ]
}

#[cfg(test)]
mod tests;
