//! Compositing: the generated face inside the mask's feathered edge, with every byte outside
//! unchanged.

use multiversion::multiversion;

use super::colour::Curve;
use super::detail::DetailLayer;
use super::format::{FrameMut, FrameRef, Transfer};
use super::pixel::{Pixel, with_pixel};
use super::similarity::Similarity;
use super::table::unit;
use super::tone::ToneMap;
use crate::parallel::Parallel;
use crate::{Error, Result};

mod colour_match;
mod layers;
mod walk;

pub use colour_match::{ColourMatch, Gains};
pub use layers::Layers;
pub use walk::Bounds;
use walk::{BLOCK, BORDER, FrameShape, Walk};

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

/// Blends patches into frames. Owns its buffers: after the first frame, nothing is allocated.
#[derive(Debug, Default)]
pub struct Compositor {
    /// sRGB in [0, 1] and alpha, with a border of `BORDER`.
    cells: Vec<[f32; 4]>,
    parallel: Parallel,
}

/// Rows of a frame that are not worth another thread.
const LEAST_ROWS: usize = 64;

impl Compositor {
    /// A compositor that blends on several threads.
    pub(crate) fn on(parallel: Parallel) -> Self {
        Self {
            parallel,
            ..Self::default()
        }
    }

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
        let (colour, seen) = ((Curve::of(transfer), patch.tone), (&walk, &*self.cells));
        let Bounds {
            left,
            right,
            top,
            bottom,
        } = walk.bounds;
        let parts = self.parallel.parts(top..bottom, LEAST_ROWS);
        let split = parts.iter().cloned().zip(frame.split(&parts));
        self.parallel.each(split.collect(), &|(part, mut rows)| {
            with_pixel!(rows.format(), P => {
                for (row, y) in part.enumerate() {
                    let row = &mut rows.row(row)[left * P::BYTES..right * P::BYTES];
                    blend_row::<P>(row, y, seen, patch.detail, colour, strength);
                }
            });
        });
        Ok(Some(walk.bounds))
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
        walk.each_pixel(&self.cells, |x, y, [.., alpha]| {
            let (over, share) = ((alpha * strength).clamp(0.0, 1.0), &mut out[y * width + x]);
            *share = over + *share * (1.0 - over);
        });
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
        let (rows, columns) = (range(top, bottom), range(left, right));
        let cells = &mut self.cells[rows.start * width..];
        let split = self.parallel.split(rows, LEAST_ROWS, cells, width);
        self.parallel.each(split, &|(rows, cells)| {
            for (row, cells) in rows.zip(cells.chunks_exact_mut(width)) {
                let y = row.saturating_sub(BORDER).min(size - 1);
                for column in columns.clone() {
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
                    cells[column] = cell;
                }
            }
        });
    }
}

/// Blends a row of the frame, from the first column of the walk on.
#[multiversion(targets("x86_64+avx2"))]
fn blend_row<P: Pixel>(
    row: &mut [u8],
    y: usize,
    (walk, cells): (&Walk, &[[f32; 4]]),
    detail: &[DetailLayer<'_>],
    colour: (&Curve, ToneMap),
    strength: f32,
) {
    for (block, pixels) in row.chunks_mut(BLOCK * P::BYTES).enumerate() {
        let left = walk.bounds.left + block * BLOCK;
        let mut samples = [[0.0; 4]; BLOCK];
        walk.sample(cells, left, y, &mut samples);
        for (i, pixel) in pixels.chunks_exact_mut(P::BYTES).enumerate() {
            let weight = samples[i][3] * strength;
            if weight <= 0.0 {
                continue;
            }
            let rgb = walk.generated(samples[i], detail, colour, (left + i, y));
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

#[cfg(test)]
mod tests;
