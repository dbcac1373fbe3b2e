//! Reduces a part of a frame to cells, by means over areas along the frame's own axes.
//!
//! Here and in the other pixel loops, `multiversion` compiles a function twice and takes the version for
//! AVX2 where the processor has it. Both give the same bytes: neither joins a product and a sum.

use std::ops::Range;

use multiversion::multiversion;

use super::colour::Curve;
use super::format::FrameRef;
use super::pixel::Pixel;
use super::similarity::Similarity;
use super::table::colour;
use super::tone::ToneMap;
use crate::parallel::Parallel;

/// The value of crop pixels outside the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorderMode {
    /// The frame's nearest pixel.
    Edge,
    /// Mid-grey: 0 in [-1, 1].
    Grey,
}

/// The part of a frame that a crop needs, and the cells it is reduced to.
pub(super) struct Region {
    pub left: usize,
    pub top: usize,
    right: usize,
    bottom: usize,
    /// Frame pixels to a cell, across and down; at least 1.
    pub pitch: [f64; 2],
    pub columns: usize,
    pub rows: usize,
}

impl Region {
    /// For some rows of a crop with `size` columns.
    pub fn new(frame: &FrameRef<'_>, map: &Similarity, size: usize, rows: &Range<usize>) -> Self {
        let aspect = frame.pixel_aspect();
        let pitch = [map.scale() / aspect, map.scale()].map(|scale| (scale / 2.0).max(1.0));
        let [x0, y0, x1, y1] = map.bounds([0.0, rows.start as f64, size as f64, rows.end as f64]);
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

/// A region's cells. Owns its buffers: after the first region of a size, nothing is allocated.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// `[rows + 2, columns + 2]`: the cells with a border of one cell; the fourth lane is padding.
    values: Vec<[f32; 4]>,
    /// For each thread, rows of the frame, summed downwards.
    sums: Vec<Vec<[f32; 4]>>,
    bins: Vec<(u32, f32)>,
    /// How much of each column of cells the frame covers.
    covers: Vec<f32>,
    parallel: Parallel,
}

/// Rows of cells that are not worth another thread.
const LEAST_ROWS: usize = 32;

impl Cells {
    /// Cells that are read on several threads.
    pub fn on(parallel: Parallel) -> Self {
        Self {
            parallel,
            ..Self::default()
        }
    }

    /// The cells, row after row, with the border.
    pub fn values(&self) -> &[[f32; 4]] {
        &self.values
    }

    /// Reads a region of `frame`: means in [-1, 1], sRGB-encoded.
    pub fn read<P: Pixel>(
        &mut self,
        frame: &FrameRef<'_>,
        curve: (&Curve, &ToneMap),
        region: &Region,
        border: BorderMode,
    ) {
        self.reduce::<P>(frame, curve, region);
        self.finish(region, border);
    }

    /// Fills `values` with sums over areas, of sRGB in [0, 1].
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
        self.values.clear();
        self.values.resize(width * (rows + 2), [0.0; 4]);
        let cells = &mut self.values[width..];
        let split = self.parallel.split(0..rows, LEAST_ROWS, cells, width);
        let bytes = |y: usize| &frame.row(y)[left * P::BYTES..right * P::BYTES];
        if pitch == [1.0; 2] {
            self.parallel.each(split, &|(part, cells)| {
                for (y, cells) in part.zip(cells.chunks_exact_mut(width)) {
                    add_row::<P>(bytes(top + y), curve, 1.0, &mut cells[1..=columns]);
                }
            });
            return;
        }
        let length = right - left;
        self.bins.clear();
        self.bins
            .extend((0..length).map(|i| bin(i, pitch[0], columns)));
        let bins = &self.bins;
        self.sums.resize_with(split.len(), Vec::new);
        let split = split.into_iter().zip(&mut self.sums);
        self.parallel
            .each(split.collect(), &|((part, cells), sums)| {
                for (row, cells) in part.zip(cells.chunks_exact_mut(width)) {
                    // Downwards first, over whole rows; then across.
                    sums.clear();
                    sums.resize(length, [0.0; 4]);
                    let [first, end] = [row, row + 1].map(|row| row as f64 * pitch[1]);
                    let (first, end) = (first as usize, end.ceil() as usize + 1);
                    for y in top + first.saturating_sub(1)..bottom.min(top + end) {
                        let (at, share) = bin(y - top, pitch[1], rows);
                        match at as usize {
                            at if at == row => add_row::<P>(bytes(y), curve, share, sums),
                            // What the row before leaves of a pixel.
                            at if at + 1 == row && share < 1.0 => {
                                add_row::<P>(bytes(y), curve, 1.0 - share, sums);
                            }
                            _ => {}
                        }
                    }
                    sum_across(sums, bins, &mut cells[1..=columns]);
                }
            });
    }

    /// Turns sums into means in [-1, 1] and gives the cells their border.
    fn finish(&mut self, region: &Region, border: BorderMode) {
        let (columns, rows) = (region.columns, region.rows);
        let width = columns + 2;
        let pitch = region.pitch;
        // How much of a cell the frame covers, along one axis.
        let covered = |k: usize, pitch: f64, length: usize| {
            (((k + 1) as f64 * pitch).min(length as f64) - k as f64 * pitch) as f32
        };
        let length = region.right - region.left;
        self.covers.clear();
        self.covers
            .extend((0..columns).map(|x| covered(x, pitch[0], length)));
        let area = (pitch[0] * pitch[1]) as f32;
        for y in 0..rows {
            let down = covered(y, pitch[1], region.bottom - region.top);
            let row = &mut self.values[(y + 1) * width + 1..][..columns];
            finish_row(
                row,
                &self.covers,
                down,
                (border == BorderMode::Grey).then_some(area),
            );
        }
        if border == BorderMode::Edge {
            for y in 1..=rows {
                self.values[y * width] = self.values[y * width + 1];
                self.values[y * width + columns + 1] = self.values[y * width + columns];
            }
            self.values.copy_within(width..2 * width, 0);
            self.values
                .copy_within(rows * width..(rows + 1) * width, (rows + 1) * width);
        }
    }
}

/// Sums a row of sums across, to the cells in which they lie. What the last pixels spill over the end belongs
/// to no cell.
fn sum_across(sums: &[[f32; 4]], bins: &[(u32, f32)], cells: &mut [[f32; 4]]) {
    let mut current = 0;
    let mut sum = [0.0; 4];
    for (pixel, &(at, share)) in sums.iter().zip(bins) {
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
    }
    if let Some(cell) = cells.get_mut(current) {
        *cell = sum;
    }
}

/// Adds `share` times each pixel of a row, as sRGB in [0, 1], to `sums`; their fourth lanes mean nothing.
#[multiversion(targets("x86_64+avx2"))]
fn add_row<P: Pixel>(
    bytes: &[u8],
    (curve, tone): (&Curve, &ToneMap),
    share: f32,
    sums: &mut [[f32; 4]],
) {
    // Several loops, so that the plain ones carry no choice and are done several numbers at a time.
    if curve.is_wide() {
        for (pixel, sum) in bytes.chunks_exact(P::BYTES).zip(sums) {
            let rgb = curve.pixel_to_srgb(P::read(pixel).map(|v| tone.apply(v)));
            for (sum, v) in sum.iter_mut().zip(rgb) {
                *sum += v * share;
            }
        }
    } else if !tone.is_none() {
        P::each_number(bytes, sums, |sum, v| {
            *sum += curve.to_srgb(tone.apply(v)) * share
        });
    } else if !curve.is_identity() {
        P::each_number(bytes, sums, |sum, v| *sum += curve.to_srgb(v) * share);
    } else if !P::COLOURS {
        P::each_number(bytes, sums, |sum, v| *sum += colour(v) * share);
    } else {
        P::each_number(bytes, sums, |sum, v| *sum += v * share);
    }
}

/// Turns sums into means over what the frame covers of each cell, or over the whole of it, its `area`, what
/// is not covered being grey.
#[multiversion(targets("x86_64+avx2"))]
fn finish_row(row: &mut [[f32; 4]], covers: &[f32], down: f32, area: Option<f32>) {
    for (cell, across) in row.iter_mut().zip(covers) {
        let cover = down * across;
        for v in cell {
            *v = match area {
                None => *v * (2.0 / cover) - 1.0,
                Some(area) => (*v * 2.0 - cover) / area,
            };
        }
    }
}

#[inline(always)]
pub(in crate::frame) fn add(sum: &mut [f32; 4], value: [f32; 4], weight: f32) {
    for (s, v) in sum.iter_mut().zip(value) {
        *s += v * weight;
    }
}
