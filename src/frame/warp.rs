//! Sampling a rotated and scaled square of a frame.

use std::ops::Range;

use multiversion::multiversion;

pub use super::area::BorderMode;
use super::area::{Cells, Region, add};
use super::bilinear::bilinear;
use super::colour::Curve;
use super::cubic;
use super::format::{FrameRef, Transfer};
use super::pixel::with_pixel;
use super::similarity::Similarity;
use super::tone::ToneMap;
use crate::parallel::Parallel;
use crate::{Error, Result};

/// Scale up to which luma is sampled at one point a pixel.
const SHARP: f64 = 1.5;

/// Samples crops. Owns its buffers: after the first crop of a size, nothing is allocated.
///
/// Enlarging is bilinear; [`sample_luma`](Self::sample_luma) alone is cubic.
/// Shrinking averages areas: the frame is first reduced by box filter to
/// twice the crop's resolution, along its own axes, and each crop pixel then takes the mean of four
/// bilinear samples of that. The change from one to the other is continuous in the scale, so that a
/// face that grows slowly does not change its sharpness at once.
#[derive(Debug, Default)]
pub struct Sampler {
    cells: Cells,
    luma: Vec<f32>,
}

impl Sampler {
    /// A sampler that reads the frame on several threads.
    pub(crate) fn on(parallel: Parallel) -> Self {
        Self {
            cells: Cells::on(parallel),
            luma: Vec::new(),
        }
    }

    /// Cuts the square `[0, size]^2` that `map` places into `frame` and writes it to `out` as planar
    /// RGB `[3, size, size]` in [-1, 1], sRGB-encoded. NaN and infinite pixels read as 0 (black).
    ///
    /// # Errors
    /// [`Error::Argument`] when `out` has another length or `map` is not valid.
    pub fn sample(
        &mut self,
        frame: &FrameRef<'_>,
        transfer: Transfer,
        map: &Similarity,
        size: usize,
        border: BorderMode,
        out: &mut [f32],
    ) -> Result<()> {
        let tone = &ToneMap::NONE;
        self.sample_with(frame, (transfer, tone), map, size, border, out)
    }

    /// As [`sample`](Self::sample), with values above 1 brought into range instead of clipped.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_with(
        &mut self,
        frame: &FrameRef<'_>,
        (transfer, tone): (Transfer, &ToneMap),
        map: &Similarity,
        size: usize,
        border: BorderMode,
        out: &mut [f32],
    ) -> Result<()> {
        let plane = size * size;
        if size == 0 || out.len() != 3 * plane {
            let reason = format!("{} numbers for [3, {size}, {size}]", out.len());
            return Err(Error::Argument {
                field: "crop",
                reason,
            });
        }
        map.check()?;
        let region = Region::new(frame, map, size, &(0..size));
        let curve = (Curve::of(transfer), tone);
        with_pixel!(frame.format(), P => self.cells.read::<P>(frame, curve, &region, border));
        let steps = Steps::new(map, frame.pixel_aspect(), &region, 1.0);
        for row in 0..size {
            let begin = steps.begin(row);
            let mut planes = out.chunks_exact_mut(plane);
            let lines = [(); 3].map(|()| planes.next().map(|p| &mut p[row * size..][..size]));
            if let [Some(r), Some(g), Some(b)] = lines {
                sample_line(self.cells.values(), &steps, begin, [r, g, b]);
            }
        }
        Ok(())
    }

    /// Half the luma of some rows of the square, `[rows, size]`: the range of [-1, 1] becomes 1. Interpolation is
    /// cubic, and shrinking averages only from a scale of 1.5 on: sharper than [`sample`](Self::sample), and
    /// a pattern that fine may alias.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_luma(
        &mut self,
        frame: &FrameRef<'_>,
        (transfer, tone): (Transfer, &ToneMap),
        map: &Similarity,
        (size, rows): (usize, Range<usize>),
        out: &mut [f32],
    ) -> Result<()> {
        if rows.is_empty() || out.len() != size * rows.len() {
            let reason = format!("{} numbers for [{}, {size}]", out.len(), rows.len());
            return Err(Error::Argument {
                field: "crop",
                reason,
            });
        }
        map.check()?;
        let region = Region::new(frame, map, size, &rows);
        let (curve, border) = ((Curve::of(transfer), tone), BorderMode::Edge);
        with_pixel!(frame.format(), P => self.cells.read::<P>(frame, curve, &region, border));
        let width = region.columns + 2;
        self.luma.clear();
        self.luma.resize((width + 2) * (region.rows + 4), 0.0);
        let lines = self.luma.chunks_exact_mut(width + 2);
        // A cubic sample reaches one cell beyond the border.
        for (y, line) in lines.enumerate() {
            let row = y.saturating_sub(1).min(region.rows + 1);
            let cells = &self.cells.values()[row * width..][..width];
            for (luma, [r, g, b, _]) in line[1..=width].iter_mut().zip(cells) {
                *luma = 0.5 * (0.299 * r + 0.587 * g + 0.114 * b);
            }
            (line[0], line[width + 1]) = (line[1], line[width]);
        }
        let steps = Steps::new(map, frame.pixel_aspect(), &region, SHARP);
        for (j, line) in rows.zip(out.chunks_exact_mut(size)) {
            luma_line(&self.luma, &steps, steps.begin(j), line);
        }
        Ok(())
    }
}

/// How crop pixels lie on a region's cells, in cells.
struct Steps {
    map: Similarity,
    aspect: f64,
    corner: [f64; 2],
    to_cells: [f64; 2],
    /// From a crop pixel to its right neighbour.
    right: [f32; 2],
    /// From a crop pixel's centre to the samples whose mean it takes.
    samples: [[f32; 2]; 4],
    count: usize,
    /// Of the cells, without their border.
    columns: usize,
    rows: usize,
}

impl Steps {
    /// Pixels are samples of a point up to the scale `sharp`.
    fn new(map: &Similarity, aspect: f64, region: &Region, sharp: f64) -> Self {
        // Half the distance between the four samples of a crop pixel, in crop pixels. Up to a
        // scale of 2 it makes the spread of the samples that of the area they stand for.
        let spread = |scale: f64| {
            let scale = scale / sharp;
            if scale <= 1.0 {
                0.0
            } else if scale < 2.0 {
                ((scale * scale - 1.0) / 12.0).sqrt() / scale
            } else {
                0.25
            }
        };
        // Frame pixels to a step along each side of the crop.
        let across = spread((map.a / aspect).hypot(map.b));
        let down = spread(map.a.hypot(map.b / aspect));
        let to_cells = region.pitch.map(|pitch| 1.0 / pitch);
        let columns = [map.a, -map.b].map(|v| v / aspect * to_cells[0]);
        let rows = [map.b, map.a].map(|v| v * to_cells[1]);
        let offsets = [
            [-across, -down],
            [across, -down],
            [-across, down],
            [across, down],
        ];
        let one = across == 0.0 && down == 0.0;
        Self {
            map: *map,
            aspect,
            corner: [region.left as f64, region.top as f64],
            to_cells,
            right: [columns[0] as f32, rows[0] as f32],
            samples: offsets
                .map(|[dx, dy]| [columns, rows].map(|step| (step[0] * dx + step[1] * dy) as f32)),
            count: if one { 1 } else { offsets.len() },
            columns: region.columns,
            rows: region.rows,
        }
    }

    /// The centre of the first pixel of row `j` of the crop. Rows begin in f64; along them f32 is exact
    /// enough.
    fn begin(&self, j: usize) -> [f32; 2] {
        let [x, y] = self.map.apply([0.5, j as f64 + 0.5]);
        [
            ((x / self.aspect - self.corner[0]) * self.to_cells[0]) as f32,
            ((y - self.corner[1]) * self.to_cells[1]) as f32,
        ]
    }
}

/// Crop pixels that are placed at once.
const BLOCK: usize = 32;

/// Bilinear samples of `cells`, which have a border of one cell, along a row of the crop, to three planes.
#[multiversion(targets("x86_64+avx2"))]
fn sample_line(cells: &[[f32; 4]], steps: &Steps, begin: [f32; 2], lines: [&mut [f32]; 3]) {
    let width = steps.columns + 2;
    let share = 1.0 / steps.count as f32;
    let last = [steps.columns, steps.rows].map(|count| count as f32 + 1.0);
    let [red, green, blue] = lines;
    let blocks = red
        .chunks_mut(BLOCK)
        .zip(green.chunks_mut(BLOCK))
        .zip(blue.chunks_mut(BLOCK));
    for (block, ((red, green), blue)) in blocks.enumerate() {
        let mut sums = [[0.0f32; 4]; BLOCK];
        for [du, dv] in &steps.samples[..steps.count] {
            let (mut at, mut across, mut down) = ([0i32; BLOCK], [0.0f32; BLOCK], [0.0f32; BLOCK]);
            for k in 0..BLOCK {
                let i = (block * BLOCK + k) as f32;
                let u = begin[0] + steps.right[0] * i + du;
                let v = begin[1] + steps.right[1] * i + dv;
                // Cell (i, j) covers `[i, i + 1) x [j, j + 1)`; before it comes the border.
                let u = (u + 0.5).max(0.0).min(last[0]);
                let v = (v + 0.5).max(0.0).min(last[1]);
                let (column, row) = (
                    (u as i32).min(steps.columns as i32),
                    (v as i32).min(steps.rows as i32),
                );
                at[k] = row * width as i32 + column;
                (across[k], down[k]) = (u - column as f32, v - row as f32);
            }
            for (k, sum) in sums.iter_mut().enumerate().take(red.len()) {
                let four = &cells[at[k] as usize..][..width + 2];
                let (above, below) = (&four[..2], &four[width..]);
                add(sum, bilinear(above, below, across[k], down[k]), share);
            }
        }
        for (k, [r, g, b, _]) in sums.into_iter().enumerate().take(red.len()) {
            (red[k], green[k], blue[k]) = (r, g, b);
        }
    }
}

/// Cubic samples of luma, which has a border of two cells, along a row of the crop.
#[multiversion(targets("x86_64+avx2"))]
fn luma_line(luma: &[f32], steps: &Steps, begin: [f32; 2], line: &mut [f32]) {
    let width = steps.columns + 4;
    let share = 1.0 / steps.count as f32;
    let last = [steps.columns, steps.rows].map(|count| count as f32 + 1.0);
    for (i, out) in line.iter_mut().enumerate() {
        let mut sum = 0.0;
        for [du, dv] in &steps.samples[..steps.count] {
            let u = begin[0] + steps.right[0] * i as f32 + du;
            let v = begin[1] + steps.right[1] * i as f32 + dv;
            let u = (u + 0.5).max(0.0).min(last[0]);
            let v = (v + 0.5).max(0.0).min(last[1]);
            let (column, row) = (
                (u as i32 as usize).min(steps.columns),
                (v as i32 as usize).min(steps.rows),
            );
            let near = &luma[row * width + column..][..3 * width + 4];
            let across = cubic::weights(u - column as f32);
            let down = cubic::weights(v - row as f32);
            sum += cubic::mix(near, width, &across, &down);
        }
        *out = sum * share;
    }
}

#[cfg(test)]
mod tests;
