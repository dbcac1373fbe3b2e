//! The reference's crop, warped to the target mouth shape (`models/networks/reference_warp.py`).
//!
//! Latent codes hold no spatial detail, but the reference frame shows the person's own skin, beard
//! and lips. Its crop is warped from its own mouth shape to the target one and passed to the
//! generator, which only has to synthesise what the reference does not show. Not in the paper.
//!
//! Points are [`mouth_points`](super::lips::mouth_points) of the reference and of the frame. The
//! warp is the affine map that fits them best, plus the residual of each point, which is spread
//! around it by a normalised Gaussian on a coarse grid. It is smooth, does not fold at the crop's
//! edge, and far from the face it is the affine map alone.

use serde::Deserialize;

/// Weight of a zero residual: far from all points the residual is 0.
const LEAST: f32 = 1e-3;
/// Ridge term: keeps the fit solvable if all points coincide.
const RIDGE: f64 = 1e-6;
/// Standard deviations beyond which a Gaussian no longer counts: 3e-8 of its height.
const CUTOFF: f32 = 5.9;

/// Parameters of the warp; part of a bundle's manifest (`carry`).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct ReferenceWarpProtocol {
    /// Cells per side of the grid that the displacement is computed on.
    pub grid: usize,
    /// Standard deviation of a point's Gaussian, in half-sides of the crop.
    pub sigma: f32,
}

/// A square image in a layout for sampling: RGB and an unused lane.
#[derive(Clone, Debug)]
pub struct ReferencePicture {
    size: usize,
    pixels: Vec<[f32; 4]>,
}

impl ReferencePicture {
    /// From planar RGB `[3, size, size]`.
    ///
    /// # Panics
    /// When `planar` has another length, or `size` is 0.
    pub fn new(planar: &[f32], size: usize) -> Self {
        let area = size * size;
        assert!(
            area > 0 && planar.len() == 3 * area,
            "the length of the picture does not fit its size"
        );
        let pixels = (0..area)
            .map(|i| [planar[i], planar[area + i], planar[2 * area + i], 0.0])
            .collect();
        Self { size, pixels }
    }

    /// The bilinear sample at a position in [-1, 1]; edges are repeated.
    #[inline]
    fn sample(&self, place: [f32; 2]) -> [f32; 4] {
        let last = (self.size - 1) as f32;
        // NaN ends at 0: `max` prefers the number.
        let pixel = |v: f32| {
            (((v + 1.0) * self.size as f32 - 1.0) * 0.5)
                .max(0.0)
                .min(last)
        };
        let [x, y] = place.map(pixel);
        let (left, top) = (x as usize, y as usize);
        let (right, below) = ((left + 1).min(self.size - 1), (top + 1).min(self.size - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |x: usize, y: usize| &self.pixels[y * self.size + x];
        let rows = [top, below].map(|y| blend(at(left, y), at(right, y), fx));
        blend(&rows[0], &rows[1], fy)
    }
}

#[inline]
fn blend<const N: usize>(a: &[f32; N], b: &[f32; N], share: f32) -> [f32; N] {
    std::array::from_fn(|k| a[k] + share * (b[k] - a[k]))
}

/// Warps images. Owns its buffers: after the first image of a size, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct ReferenceWarp {
    /// A point's Gaussian at the columns and at the rows within its reach.
    across: Vec<f32>,
    down: Vec<f32>,
    /// For each cell the source position in [-1, 1]; during computation: displacement x, y, weight.
    field: Vec<[f32; 4]>,
    /// The field interpolated to one row of pixels, as wide as the grid.
    row: Vec<[f32; 4]>,
    /// For each pixel of a row or column the two cells around it, and the weight of the second.
    between: Vec<(usize, usize, f32)>,
}

impl ReferenceWarp {
    /// Writes to `out` the image `[3, size, size]`: `picture` warped so that its points `seen` lie at
    /// `wanted`. Points are x and y in [-1, 1] of their crops, both lists in the same order. The old
    /// content of `out` is replaced.
    ///
    /// # Panics
    /// If `seen` and `wanted` differ in length.
    pub fn draw(
        &mut self,
        picture: &ReferencePicture,
        seen: &[f32],
        wanted: &[f32],
        protocol: ReferenceWarpProtocol,
        out: &mut Vec<f32>,
    ) {
        assert_eq!(
            seen.len(),
            wanted.len(),
            "the two lists of points differ in length"
        );
        let (seen, wanted) = (seen.as_chunks::<2>().0, wanted.as_chunks::<2>().0);
        self.settle(seen, wanted, protocol);
        self.sample(picture, protocol.grid, out);
    }

    /// Fills `field`.
    fn settle(&mut self, seen: &[[f32; 2]], wanted: &[[f32; 2]], protocol: ReferenceWarpProtocol) {
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
        self.field.clear();
        self.field.resize(grid * grid, [0.0, 0.0, LEAST, 0.0]);
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
                let cells = &mut self.field[row * grid..][columns.clone()];
                for (cell, across) in cells.iter_mut().zip(&self.across) {
                    let weight = down * across;
                    for (sum, part) in cell.iter_mut().zip(left) {
                        *sum += weight * part;
                    }
                }
            }
        }
        for (i, cell) in self.field.iter_mut().enumerate() {
            let [dx, dy, weight, _] = *cell;
            let [x, y] = moved(&affine, [centre(i % grid), centre(i / grid)]);
            *cell = [x + dx / weight, y + dy / weight, 0.0, 0.0];
        }
    }

    /// Samples the picture at the field's positions; the field is interpolated bilinearly.
    fn sample(&mut self, picture: &ReferencePicture, grid: usize, out: &mut Vec<f32>) {
        let size = picture.size;
        let area = size * size;
        out.resize(3 * area, 0.0);
        let (red, rest) = out.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        self.between.clear();
        self.between.extend((0..size).map(|pixel| {
            let at = ((pixel as f32 + 0.5) * grid as f32 / size as f32 - 0.5).max(0.0);
            let cell = (at as usize).min(grid - 1);
            (cell, (cell + 1).min(grid - 1), at - cell as f32)
        }));
        let planes = red.chunks_exact_mut(size).zip(green.chunks_exact_mut(size));
        let planes = planes.zip(blue.chunks_exact_mut(size));
        for (((red, green), blue), &(top, below, fy)) in planes.zip(&self.between) {
            let above = self.field[top * grid..].iter();
            let pairs = above.zip(&self.field[below * grid..][..grid]);
            self.row.clear();
            self.row.extend(pairs.map(|(a, b)| blend(a, b, fy)));
            let pixels = red.iter_mut().zip(green).zip(blue);
            for (((red, green), blue), &(left, right, fx)) in pixels.zip(&self.between) {
                let [x, y, ..] = blend(&self.row[left], &self.row[right], fx);
                [*red, *green, *blue, _] = picture.sample([x, y]);
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

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOL: ReferenceWarpProtocol = ReferenceWarpProtocol {
        grid: 16,
        sigma: 0.1,
    };

    /// A picture whose red is x and whose green is y of the pixel, in [-1, 1].
    fn ramps(size: usize) -> ReferencePicture {
        let place = |i: usize| (i as f32 + 0.5) / size as f32 * 2.0 - 1.0;
        let x = (0..size * size).map(|i| place(i % size));
        let y = (0..size * size).map(|i| place(i / size));
        let planar: Vec<f32> = x.chain(y).chain(vec![0.25; size * size]).collect();
        ReferencePicture::new(&planar, size)
    }

    /// Red, green and blue of the pixel nearest to a place.
    fn at(out: &[f32], size: usize, place: [f32; 2]) -> [f32; 3] {
        let [x, y] = place.map(|v| ((v + 1.0) / 2.0 * size as f32) as usize);
        [0, 1, 2].map(|plane| out[plane * size * size + y * size + x])
    }

    fn near(found: [f32; 3], expected: [f32; 2], within: f32) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < within, "{found}, not {expected}");
        }
        assert!((found[2] - 0.25).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn the_same_points_leave_the_picture_as_it_is() {
        let points = [-0.5, -0.5, 0.5, -0.4, 0.5, 0.5, -0.4, 0.5];
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        warp.draw(&ramps(64), &points, &points, PROTOCOL, &mut out);
        for place in [[0.0, 0.0], [-0.9, 0.7], [0.6, -0.2]] {
            near(at(&out, 64, place), place, 0.02);
        }
    }

    #[test]
    fn an_affine_change_is_followed_everywhere() {
        let seen = [-0.5, -0.5, 0.5, -0.5, 0.5, 0.5, -0.5, 0.5];
        let wanted = seen.map(|v| v * 0.5 + 0.1);
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        warp.draw(&ramps(64), &seen, &wanted, PROTOCOL, &mut out);
        for place in [[0.1, 0.1], [0.3, -0.1], [-0.2, 0.4]] {
            near(
                at(&out, 64, place),
                place.map(|v: f32| (v - 0.1) * 2.0),
                0.05,
            );
        }
        // Beyond the picture its edge is repeated.
        near(at(&out, 64, [0.95, 0.95]), [1.0, 1.0], 0.02);
    }

    #[test]
    fn a_point_that_moves_alone_takes_its_surroundings_along() {
        let mut seen: Vec<f32> = Vec::new();
        for step in 0..12 {
            let angle = step as f32 / 12.0 * std::f32::consts::TAU;
            seen.extend([0.7 * angle.cos(), 0.7 * angle.sin()]);
        }
        let mut wanted = seen.clone();
        seen.extend([0.0, 0.2]);
        wanted.extend([0.0, 0.3]);
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        warp.draw(&ramps(128), &seen, &wanted, PROTOCOL, &mut out);
        near(at(&out, 128, [0.0, 0.3]), [0.0, 0.2], 0.02);
        near(at(&out, 128, [0.0, -0.35]), [0.0, -0.35], 0.03);
    }

    #[test]
    fn points_that_coincide_or_are_not_numbers_give_a_picture() {
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        let heap = [0.1; 8];
        warp.draw(&ramps(16), &heap, &heap, PROTOCOL, &mut out);
        assert!(out.iter().all(|v| v.is_finite()));
        warp.draw(&ramps(16), &heap, &[f32::NAN; 8], PROTOCOL, &mut out);
        assert!(out.iter().all(|v| v.is_finite()));
        warp.draw(&ramps(16), &[], &[], PROTOCOL, &mut out);
        assert_eq!(out.len(), 3 * 16 * 16);
    }
}
