//! A lapped cosine transform (MDCT with a sine window) of the region of the crop where the mark lies. Its
//! basis is orthonormal and smooth: it shows no edges of blocks.

use crate::face::crop::IMAGE;

/// Pixels from one block to the next; a block covers twice as many.
pub(super) const STEP: usize = 16;
/// Side of a block.
pub(super) const SIDE: usize = 2 * STEP;
/// Columns of blocks. They cover the columns 32 to 223 of the crop.
const COLUMNS: usize = 11;
/// Rows of blocks. They cover the rows 96 to 255 of the crop: the lower half of the face.
const ROWS: usize = 9;
const LEFT: usize = 32;
const TOP: usize = 96;
/// Columns that the blocks cover.
const WIDTH: usize = (COLUMNS + 1) * STEP;

/// Frequencies in each direction; number `k` has a wavelength of `32 / (k + 1/2)` pixels.
const WAVES: usize = 5;
/// Shortest and longest distance of a pair of frequencies from 0, both ends included. Below, the face's own
/// shading is much stronger than the mark; above, codecs and resizing remove it.
const BAND: (f64, f64) = (1.9, 4.3);

/// Blocks of the region.
pub(super) const BLOCKS: usize = ROWS * COLUMNS;
/// Pairs of frequencies of a block that carry the mark.
pub(super) const PAIRS: usize = 10;
/// Coefficients of the region, `[BLOCKS, PAIRS]`.
pub(super) const COEFFICIENTS: usize = BLOCKS * PAIRS;

/// The transform, with its tables and buffers.
#[derive(Debug)]
pub(super) struct Lapped {
    /// `[WAVES, SIDE]`.
    basis: [[f32; SIDE]; WAVES],
    /// Vertical and horizontal frequency of each coefficient of a block.
    pairs: [(usize, usize); PAIRS],
    /// One row of blocks after the first of its two one-dimensional transforms, `[WAVES, WIDTH]`.
    lines: [[f32; WIDTH]; WAVES],
}

impl Default for Lapped {
    fn default() -> Self {
        let wave = |k: usize, i: usize| {
            let (k, i, step) = (k as f64 + 0.5, i as f64 + 0.5, STEP as f64);
            let window = (std::f64::consts::PI * i / SIDE as f64).sin();
            let angle = std::f64::consts::PI / step * (i + step / 2.0) * k;
            ((2.0 / step).sqrt() * window * angle.cos()) as f32
        };
        let inside = |&(v, h): &(usize, usize)| {
            let distance = (v as f64 + 0.5).hypot(h as f64 + 0.5);
            (BAND.0..=BAND.1).contains(&distance)
        };
        let mut pairs = (0..WAVES * WAVES)
            .map(|at| (at / WAVES, at % WAVES))
            .filter(inside);
        Self {
            basis: std::array::from_fn(|k| std::array::from_fn(|i| wave(k, i))),
            pairs: std::array::from_fn(|_| pairs.next().unwrap_or_default()),
            lines: [[0.0; WIDTH]; WAVES],
        }
    }
}

/// The first pixel of a block in the crop: column, row.
fn corner(block: usize) -> (usize, usize) {
    (LEFT + block % COLUMNS * STEP, TOP + block / COLUMNS * STEP)
}

impl Lapped {
    /// The coefficients of a picture `[IMAGE, IMAGE]`.
    pub fn forward(&mut self, picture: &[f32], out: &mut [f32; COEFFICIENTS]) {
        for row in 0..ROWS {
            for (line, basis) in self.lines.iter_mut().zip(&self.basis) {
                line.fill(0.0);
                for (i, weight) in basis.iter().enumerate() {
                    let from = (TOP + row * STEP + i) * IMAGE + LEFT;
                    for (sum, value) in line.iter_mut().zip(&picture[from..from + WIDTH]) {
                        *sum += weight * value;
                    }
                }
            }
            for column in 0..COLUMNS {
                let block = (row * COLUMNS + column) * PAIRS;
                for (value, (v, h)) in out[block..block + PAIRS].iter_mut().zip(self.pairs) {
                    let line = &self.lines[v][column * STEP..column * STEP + SIDE];
                    *value = line.iter().zip(&self.basis[h]).map(|(a, b)| a * b).sum();
                }
            }
        }
    }

    /// The picture `[IMAGE, IMAGE]` of coefficients.
    pub fn inverse(&mut self, coefficients: &[f32; COEFFICIENTS], picture: &mut [f32]) {
        picture.fill(0.0);
        for row in 0..ROWS {
            self.lines = [[0.0; WIDTH]; WAVES];
            for column in 0..COLUMNS {
                let block = (row * COLUMNS + column) * PAIRS;
                for (value, (v, h)) in coefficients[block..block + PAIRS].iter().zip(self.pairs) {
                    let line = &mut self.lines[v][column * STEP..column * STEP + SIDE];
                    for (sum, weight) in line.iter_mut().zip(&self.basis[h]) {
                        *sum += weight * value;
                    }
                }
            }
            for (line, basis) in self.lines.iter().zip(&self.basis) {
                for (i, weight) in basis.iter().enumerate() {
                    let from = (TOP + row * STEP + i) * IMAGE + LEFT;
                    for (sum, value) in picture[from..from + WIDTH].iter_mut().zip(line) {
                        *sum += weight * value;
                    }
                }
            }
        }
    }
}

/// Whether the middle of each block lies in the generated region: the mean of `alpha` is above one half.
pub(super) fn inside(alpha: &[f32]) -> [bool; BLOCKS] {
    std::array::from_fn(|block| {
        let (left, top) = corner(block);
        let rows = (top..top + SIDE).map(|y| &alpha[y * IMAGE + left..y * IMAGE + left + SIDE]);
        let sum: f32 = rows.map(|row| row.iter().sum::<f32>()).sum();
        sum > 0.5 * (SIDE * SIDE) as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_is_orthonormal() {
        let mut lapped = Lapped::default();
        let mut picture = vec![0.0; IMAGE * IMAGE];
        let mut back = [0.0; COEFFICIENTS];
        let sent: [f32; COEFFICIENTS] =
            std::array::from_fn(|at| if at % 7 == 3 { 4.0 } else { -1.0 });
        lapped.inverse(&sent, &mut picture);
        lapped.forward(&picture, &mut back);
        for (at, (sent, back)) in sent.iter().zip(&back).enumerate() {
            assert!((sent - back).abs() < 1e-4, "{at}: {sent} {back}");
        }
        let energy = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>();
        assert!((energy(&picture) / energy(&sent) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_band_has_as_many_pairs_as_stated() {
        let Lapped { pairs, .. } = Lapped::default();
        assert_eq!((pairs[0], pairs[PAIRS - 1]), ((0, 2), (3, 1)));
        assert_eq!(pairs.iter().filter(|pair| **pair == (0, 0)).count(), 0);
        assert_eq!(BLOCKS, 99);
    }
}
