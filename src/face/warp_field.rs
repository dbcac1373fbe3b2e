//! The field of a warp: for each cell of a coarse grid, where in the reference's crop its pixels come
//! from (`models/networks/reference_warp.py`).
//!
//! It is the affine map that fits the points best, plus the residual of each point, which is spread
//! around it by a normalised Gaussian. It is smooth, does not fold at the crop's edge, and far from
//! the face it is the affine map alone.

use serde::Deserialize;

/// Weight of a zero residual: far from all points the residual is 0.
const LEAST: f32 = 1e-3;
/// Ridge term: keeps the fit solvable if all points coincide.
const RIDGE: f64 = 1e-6;
/// Standard deviations beyond which a Gaussian no longer counts: 3e-8 of its height.
const CUTOFF: f32 = 5.9;
/// The deviation of the field's derivative from the identity (Frobenius norm) at which a reference
/// counts half.
const STRETCH: f32 = 0.5;

/// Parameters of the warp; part of a bundle's manifest (`carry`).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct ReferenceWarpProtocol {
    /// Cells per side of the grid that the displacement is computed on.
    pub grid: usize,
    /// Standard deviation of a point's Gaussian, in half-sides of the crop.
    pub sigma: f32,
}

/// The field of one reference. Owns its buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct WarpField {
    /// A point's Gaussian at the columns and at the rows within its reach.
    across: Vec<f32>,
    down: Vec<f32>,
    /// For each cell the source position x, y in [-1, 1], and the weight of the reference there;
    /// during computation: displacement x, y, weight of the Gaussians.
    cells: Vec<[f32; 4]>,
}

impl WarpField {
    /// The cells, row by row: x, y, weight, unused.
    pub fn cells(&self) -> &[[f32; 4]] {
        &self.cells
    }

    /// Computes the field that moves the points `seen` to `wanted`, with weight 1 everywhere.
    pub fn settle(
        &mut self,
        seen: &[[f32; 2]],
        wanted: &[[f32; 2]],
        protocol: ReferenceWarpProtocol,
    ) {
        let ReferenceWarpProtocol { grid, sigma } = protocol;
        let affine = fit(seen, wanted);
        let centre = |cell: usize| (cell as f32 + 0.5) / grid as f32 * 2.0 - 1.0;
        let sharpness = 0.5 / (sigma * sigma);
        let reach = CUTOFF * sigma;
        // The cells whose centres a point reaches; none if its position is NaN.
        let cell = |at: f32| ((at + 1.0) * 0.5 * grid as f32 - 0.5).clamp(-1.0, grid as f32);
        let span = |at: f32| {
            let first = cell(at - reach).ceil().max(0.0) as usize;
            first
                ..((cell(at + reach).floor() + 1.0).max(0.0) as usize)
                    .min(grid)
                    .max(first)
        };
        self.cells.clear();
        self.cells.resize(grid * grid, [0.0, 0.0, LEAST, 0.0]);
        for (from, to) in seen.iter().zip(wanted) {
            let [x, y] = moved(&affine, *to);
            let left = [from[0] - x, from[1] - y, 1.0, 0.0];
            let bells = |bells: &mut Vec<f32>, at: f32| {
                let bell = |cell| (-sharpness * (at - centre(cell)).powi(2)).exp();
                bells.clear();
                bells.extend(span(at).map(bell));
            };
            bells(&mut self.across, to[0]);
            bells(&mut self.down, to[1]);
            let (columns, rows) = (span(to[0]), span(to[1]));
            for (row, down) in rows.zip(&self.down) {
                let cells = &mut self.cells[row * grid..][columns.clone()];
                for (cell, across) in cells.iter_mut().zip(&self.across) {
                    let weight = down * across;
                    for (sum, part) in cell.iter_mut().zip(left) {
                        *sum += weight * part;
                    }
                }
            }
        }
        for (i, cell) in self.cells.iter_mut().enumerate() {
            let [dx, dy, weight, _] = *cell;
            let [x, y] = moved(&affine, [centre(i % grid), centre(i / grid)]);
            *cell = [x + dx / weight, y + dy / weight, 1.0, 0.0];
        }
    }

    /// Sets the weight of each cell: `share`, less where the picture is stretched or squeezed.
    pub fn weigh(&mut self, grid: usize, share: f32) {
        let last = grid - 1;
        for row in 0..grid {
            let (above, below) = (row.saturating_sub(1), (row + 1).min(last));
            for column in 0..grid {
                let (left, right) = (column.saturating_sub(1), (column + 1).min(last));
                // Differences over the cells between, whose side is 2 / grid.
                let slope = |from: [f32; 4], to: [f32; 4], cells: usize| {
                    let scale = grid as f32 / (2.0 * cells.max(1) as f32);
                    [0, 1].map(|k| (to[k] - from[k]) * scale)
                };
                let at = |row: usize, column: usize| self.cells[row * grid + column];
                let across = slope(at(row, left), at(row, right), right - left);
                let down = slope(at(above, column), at(below, column), below - above);
                let off = [across[0] - 1.0, across[1], down[0], down[1] - 1.0];
                let square: f32 = off.iter().map(|v| v * v).sum();
                self.cells[row * grid + column][2] = share / (1.0 + square / STRETCH.powi(2));
            }
        }
    }
}

/// An affine map: rows for x, y and 1, columns for the new x and y.
type Affine = [[f64; 2]; 3];

fn moved(affine: &Affine, [x, y]: [f32; 2]) -> [f32; 2] {
    let (x, y) = (f64::from(x), f64::from(y));
    [0, 1].map(|k| (x * affine[0][k] + y * affine[1][k] + affine[2][k]) as f32)
}

/// The least-squares affine map from `wanted` to `seen`; solves the three normal equations by
/// Cramer's rule.
fn fit(seen: &[[f32; 2]], wanted: &[[f32; 2]]) -> Affine {
    let mut normal = [[0.0f64; 3]; 3];
    let mut right = [[0.0f64; 2]; 3];
    for (from, to) in seen.iter().zip(wanted) {
        let row = [f64::from(to[0]), f64::from(to[1]), 1.0];
        for i in 0..3 {
            for j in 0..3 {
                normal[i][j] += row[i] * row[j];
            }
            for k in 0..2 {
                right[i][k] += row[i] * f64::from(from[k]);
            }
        }
    }
    for (i, row) in normal.iter_mut().enumerate() {
        row[i] += RIDGE;
    }
    let whole = determinant(&normal);
    std::array::from_fn(|unknown| {
        std::array::from_fn(|k| {
            let mut replaced = normal;
            for (row, value) in replaced.iter_mut().zip(&right) {
                row[unknown] = value[k];
            }
            determinant(&replaced) / whole
        })
    })
}

fn determinant(m: &[[f64; 3]; 3]) -> f64 {
    let minor = |a: usize, b: usize| m[1][a] * m[2][b] - m[1][b] * m[2][a];
    m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)
}
