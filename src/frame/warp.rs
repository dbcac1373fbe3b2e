//! Sampling a rotated and scaled square of a frame.

use super::bilinear::bilinear;
use super::colour::Curve;
use super::format::{FrameRef, Transfer};
use super::pixel::{Pixel, with_pixel};
use super::similarity::Similarity;
use super::tone::ToneMap;
use crate::{Error, Result};

/// The value of crop pixels outside the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorderMode {
    /// The frame's nearest pixel.
    Edge,
    /// Mid-grey: 0 in [-1, 1].
    Grey,
}

/// Samples crops. Owns its buffers: after the first crop of a size, nothing is allocated.
///
/// Enlarging is bilinear. Shrinking averages areas: the frame is first reduced by box filter to
/// twice the crop's resolution, along its own axes, and each crop pixel then takes the mean of four
/// bilinear samples of that. The change from one to the other is continuous in the scale, so that a
/// face that grows slowly does not change its sharpness at once.
#[derive(Debug, Default)]
pub struct Sampler {
    /// The reduced part of the frame with a border of one cell; the fourth lane is padding.
    cells: Vec<[f32; 4]>,
    /// A row of the frame.
    row: Vec<[f32; 4]>,
    /// Rows of the frame, summed downwards.
    sums: Vec<[f32; 4]>,
    bins: Vec<(u32, f32)>,
}

/// The part of a frame that a crop needs, and the cells it is reduced to.
struct Region {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    /// Frame pixels to a cell, across and down; at least 1.
    pitch: [f64; 2],
    columns: usize,
    rows: usize,
}

impl Region {
    fn new(frame: &FrameRef<'_>, map: &Similarity, size: usize) -> Self {
        let aspect = frame.pixel_aspect();
        let pitch = [map.scale() / aspect, map.scale()].map(|scale| (scale / 2.0).max(1.0));
        let side = size as f64;
        let [x0, y0, x1, y1] = map.bounds([0.0, 0.0, side, side]);
        // A bilinear sample reaches one cell beyond its point.
        let span = |low: f64, high: f64, pitch: f64, length: usize| {
            let low = (low - pitch - 1.0).floor().clamp(0.0, length as f64 - 1.0) as usize;
            let high = (high + pitch + 1.0).ceil().clamp(0.0, length as f64) as usize;
            (low, high.max(low + 1))
        };
        let (left, right) = span(x0 / aspect, x1 / aspect, pitch[0], frame.width());
        let (top, bottom) = span(y0, y1, pitch[1], frame.height());
        let cells = |pixels: usize, pitch: f64| (pixels as f64 / pitch).ceil() as usize;
        Self {
            left,
            top,
            right,
            bottom,
            pitch,
            columns: cells(right - left, pitch[0]),
            rows: cells(bottom - top, pitch[1]),
        }
    }
}

/// The cell in which pixel `i` begins and the share of the pixel that lies in it.
fn bin(i: usize, pitch: f64, cells: usize) -> (u32, f32) {
    let begin = i as f64 / pitch;
    let cell = (begin.floor() as usize).min(cells - 1);
    let inside = ((cell + 1) as f64 - begin) * pitch;
    // A rounding error short of the next cell is in the next cell.
    if inside < 1e-6 && cell + 1 < cells {
        return (cell as u32 + 1, 1.0);
    }
    (cell as u32, inside.min(1.0) as f32)
}

impl Sampler {
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
        if size == 0 || out.len() != 3 * size * size {
            let reason = format!("{} numbers for [3, {size}, {size}]", out.len());
            return Err(Error::Argument {
                field: "crop",
                reason,
            });
        }
        map.check()?;
        let region = Region::new(frame, map, size);
        let curve = (Curve::of(transfer), tone);
        with_pixel!(frame.format(), P => self.reduce::<P>(frame, curve, &region));
        self.finish_cells(&region, border);
        self.resample(map, frame.pixel_aspect(), size, &region, out);
        Ok(())
    }

    /// Fills `cells` with sums over areas, of sRGB in [0, 1].
    fn reduce<P: Pixel>(
        &mut self,
        frame: &FrameRef<'_>,
        curve: (&Curve, &ToneMap),
        region: &Region,
    ) {
        let Region {
            left,
            top,
            right,
            bottom,
            pitch,
            columns,
            rows,
        } = *region;
        let width = columns + 2;
        self.cells.clear();
        self.cells.resize(width * (rows + 2), [0.0; 4]);
        let bytes = |y: usize| &frame.row(y)[left * P::BYTES..right * P::BYTES];
        if pitch == [1.0; 2] {
            for y in top..bottom {
                let start = (y - top + 1) * width + 1;
                decode::<P>(bytes(y), curve, &mut self.cells[start..start + columns]);
            }
            return;
        }
        let length = right - left;
        self.bins.clear();
        self.bins
            .extend((0..length).map(|i| bin(i, pitch[0], columns)));
        self.row.resize(length, [0.0; 4]);
        self.sums.clear();
        self.sums.resize(length, [0.0; 4]);
        // Downwards first, over whole rows; across once for each row of cells.
        let mut current = 0;
        for y in top..bottom {
            decode::<P>(bytes(y), curve, &mut self.row);
            let (at, share) = bin(y - top, pitch[1], rows);
            if at as usize > current {
                self.flush(current, width);
                current = at as usize;
            }
            accumulate(&mut self.sums, &self.row, share);
            if share < 1.0 {
                self.flush(current, width);
                current += 1;
                accumulate(&mut self.sums, &self.row, 1.0 - share);
            }
        }
        // What the last pixels spill over the end belongs to no cell.
        if current < rows {
            self.flush(current, width);
        }
    }

    /// Sums a row of cells across and makes room for the next one.
    fn flush(&mut self, row: usize, width: usize) {
        let cells = &mut self.cells[(row + 1) * width + 1..][..width - 1];
        let mut current = 0;
        let mut sum = [0.0; 4];
        for (pixel, &(at, share)) in self.sums.iter_mut().zip(&self.bins) {
            if at as usize > current {
                cells[current] = sum;
                (current, sum) = (at as usize, [0.0; 4]);
            }
            add(&mut sum, *pixel, share);
            if share < 1.0 {
                cells[current] = sum;
                (current, sum) = (current + 1, [0.0; 4]);
                add(&mut sum, *pixel, 1.0 - share);
            }
            *pixel = [0.0; 4];
        }
        if current < width - 2 {
            cells[current] = sum;
        }
    }

    /// Turns sums into means in [-1, 1] and gives the cells their border.
    fn finish_cells(&mut self, region: &Region, border: BorderMode) {
        let (columns, rows) = (region.columns, region.rows);
        let width = columns + 2;
        let pitch = region.pitch;
        // How much of a cell the frame covers, along one axis.
        let covered = |k: usize, pitch: f64, length: usize| {
            (((k + 1) as f64 * pitch).min(length as f64) - k as f64 * pitch) as f32
        };
        let area = (pitch[0] * pitch[1]) as f32;
        for y in 0..rows {
            let down = covered(y, pitch[1], region.bottom - region.top);
            let row = &mut self.cells[(y + 1) * width + 1..][..columns];
            for (x, cell) in row.iter_mut().enumerate() {
                let cover = down * covered(x, pitch[0], region.right - region.left);
                *cell = match border {
                    BorderMode::Edge => cell.map(|v| v * 2.0 / cover - 1.0),
                    BorderMode::Grey => cell.map(|v| (v * 2.0 - cover) / area),
                };
            }
        }
        if border == BorderMode::Edge {
            for y in 1..=rows {
                self.cells[y * width] = self.cells[y * width + 1];
                self.cells[y * width + columns + 1] = self.cells[y * width + columns];
            }
            self.cells.copy_within(width..2 * width, 0);
            self.cells
                .copy_within(rows * width..(rows + 1) * width, (rows + 1) * width);
        }
    }

    fn resample(
        &self,
        map: &Similarity,
        aspect: f64,
        size: usize,
        region: &Region,
        out: &mut [f32],
    ) {
        // Half the distance between the four samples of a crop pixel, in crop pixels. Up to a
        // scale of 2 it makes the spread of the samples that of the area they stand for.
        let spread = |scale: f64| {
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
        let offsets = [
            [-across, -down],
            [across, -down],
            [-across, down],
            [across, down],
        ];
        let offsets = offsets.map(|offset: [f64; 2]| offset.map(|v| v as f32));
        let offsets = if across == 0.0 && down == 0.0 {
            &offsets[..1]
        } else {
            &offsets[..]
        };
        let share = 1.0 / offsets.len() as f32;
        let plane = size * size;
        let grid = Grid {
            cells: &self.cells,
            columns: region.columns,
            rows: region.rows,
        };
        // From crop pixels to cells. Rows begin in f64; along them f32 is exact enough.
        let to_cells = region.pitch.map(|pitch| 1.0 / pitch);
        let columns = [map.a, -map.b].map(|v| (v / aspect * to_cells[0]) as f32);
        let rows = [map.b, map.a].map(|v| (v * to_cells[1]) as f32);
        for j in 0..size {
            let [x, y] = map.apply([0.5, j as f64 + 0.5]);
            let begin = [
                ((x / aspect - region.left as f64) * to_cells[0]) as f32,
                ((y - region.top as f64) * to_cells[1]) as f32,
            ];
            for i in 0..size {
                let mut sum = [0.0; 4];
                for &[dx, dy] in offsets {
                    let i = i as f32;
                    let u = begin[0] + columns[0] * (i + dx) + columns[1] * dy;
                    let v = begin[1] + rows[0] * (i + dx) + rows[1] * dy;
                    add(&mut sum, grid.sample(u, v), share);
                }
                for (channel, &v) in sum[..3].iter().enumerate() {
                    out[channel * plane + j * size + i] = v;
                }
            }
        }
    }
}

/// Cells with a border of one cell.
struct Grid<'a> {
    cells: &'a [[f32; 4]],
    columns: usize,
    rows: usize,
}

impl Grid<'_> {
    /// The bilinear sample at (u, v), cell (i, j) covering `[i, i+1) x [j, j+1)`.
    #[inline(always)]
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let width = self.columns + 2;
        let u = (u + 0.5).clamp(0.0, self.columns as f32 + 1.0);
        let v = (v + 0.5).clamp(0.0, self.rows as f32 + 1.0);
        let (i, j) = (
            (u as u32 as usize).min(self.columns),
            (v as u32 as usize).min(self.rows),
        );
        let (fx, fy) = (u - i as f32, v - j as f32);
        let above = &self.cells[j * width + i..][..2];
        let below = &self.cells[(j + 1) * width + i..][..2];
        bilinear(above, below, fx, fy)
    }
}

/// A row of pixels as sRGB in [0, 1].
fn decode<P: Pixel>(bytes: &[u8], (curve, tone): (&Curve, &ToneMap), out: &mut [[f32; 4]]) {
    let pixels = bytes.chunks_exact(P::BYTES).zip(out);
    // Several loops, so that the plain one carries no choice and is done several pixels at a time.
    if P::COLOURS && curve.is_identity() {
        pixels.for_each(|(bytes, out)| {
            let [r, g, b] = P::read(bytes);
            *out = [r, g, b, 0.0];
        });
    } else if !tone.is_none() {
        pixels.for_each(|(bytes, out)| {
            let [r, g, b] = P::read(bytes).map(|v| curve.to_srgb(tone.apply(v)));
            *out = [r, g, b, 0.0];
        });
    } else {
        pixels.for_each(|(bytes, out)| {
            let [r, g, b] = P::read(bytes).map(|v| curve.to_srgb(v));
            *out = [r, g, b, 0.0];
        });
    }
}

fn accumulate(sums: &mut [[f32; 4]], row: &[[f32; 4]], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(row) {
        add(sum, *value, weight);
    }
}

#[inline(always)]
fn add(sum: &mut [f32; 4], value: [f32; 4], weight: f32) {
    for (s, v) in sum.iter_mut().zip(value) {
        *s += v * weight;
    }
}

#[cfg(test)]
mod tests;
