//! Detail at the frame's own resolution: what a picture of the person shows and a crop is too coarse for.
//!
//! A large face is generated in a crop of fewer pixels than it has in the frame. The pictures that the
//! crop's references were sampled from have those pixels. Their fine band follows the same warp as the
//! references do, and is added to the generated picture. Not in the paper.

use serde::{Deserialize, Serialize};

use super::bilinear::bilinear;
use super::similarity::Similarity;
use crate::numeric::smoothstep;

/// Pixels of the frame to a pixel of the crop up to which a crop holds all that the frame shows.
const COARSE: f64 = 1.15;
/// Values of the band to a value of the picture, which spans 0 to 1.
const LEVELS: f32 = 508.0;
/// The rows of a crop that have a band begin after this share of them: the mask lies below.
const TOP: (usize, usize) = (3, 8);

/// The fine band of an aligned picture of a face: its luma without what a crop of fewer pixels holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FineBand {
    /// Pixels a side of the whole picture.
    side: usize,
    /// The rows before this one are left out.
    top: usize,
    values: Vec<i8>,
}

/// Bytes of the largest band of a crop with `size` pixels a side.
pub const fn most_bytes(size: usize) -> usize {
    16 * size * size * (TOP.1 - TOP.0) / TOP.1
}

impl FineBand {
    /// How many times as many pixels a side a band needs as a crop that is placed by `map` (crop to
    /// frame): 2 or 4; `None` where the crop shows all.
    pub fn factor(map: &Similarity) -> Option<usize> {
        let scale = map.scale();
        (scale > COARSE).then_some(if scale < 8f64.sqrt() { 2 } else { 4 })
    }

    /// Of a picture, planar RGB `[3, side, side]` in [-1, 1], `side` being `factor` times the crop's.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    pub fn new(planar: &[f32], side: usize, factor: usize) -> Self {
        let (area, size) = (side * side, side / factor);
        assert!(
            planar.len() == 3 * area && size * factor == side,
            "the length of the picture does not fit its side"
        );
        let luma: Vec<f32> = (0..area)
            .map(|i| {
                let [r, g, b] = [0, 1, 2].map(|plane| planar[plane * area + i]);
                0.5 * (0.299 * r + 0.587 * g + 0.114 * b)
            })
            .collect();
        let share = 1.0 / (factor * factor) as f32;
        let mut coarse = vec![[0.0f32; 4]; size * size];
        for (y, row) in luma.chunks_exact(side).enumerate() {
            for (x, value) in row.iter().enumerate() {
                coarse[y / factor * size + x / factor][0] += share * value;
            }
        }
        let top = side * TOP.0 / TOP.1;
        let between = |at: usize| {
            let at = ((at as f32 + 0.5) / factor as f32 - 0.5).clamp(0.0, (size - 1) as f32);
            let cell = (at as usize).min(size - 2);
            (cell, at - cell as f32)
        };
        let mut values = Vec::with_capacity((side - top) * side);
        for y in top..side {
            let (row, down) = between(y);
            for x in 0..side {
                let (column, across) = between(x);
                let at = row * size + column;
                let [above, below] = [at, at + size].map(|at| &coarse[at..][..2]);
                let [smooth, ..] = bilinear(above, below, across, down);
                // The conversion to an integer limits to -128..=127 and makes NaN 0.
                values.push(((luma[y * side + x] - smooth) * LEVELS).round() as i8);
            }
        }
        Self { side, top, values }
    }

    /// Whether it is whole and one of a crop with `size` pixels a side: one that was read from a file.
    pub fn is_valid(&self, size: usize) -> bool {
        [2, 4].iter().any(|factor| self.side == factor * size)
            && self.top == self.side * TOP.0 / TOP.1
            && self.values.len() == (self.side - self.top) * self.side
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.values.len()
    }

    /// How much of the band suits a frame that has `scale` pixels to one of a crop of `size` a side: none
    /// where the crop holds all, or where the band is so much finer than the frame that it would flicker.
    pub fn suits(&self, scale: f64, size: usize) -> f32 {
        let finer = scale * size as f64 / self.side as f64;
        (smoothstep(1.0, 1.25, scale) * smoothstep(0.45, 0.65, finer)) as f32
    }

    /// The band at a place in [-1, 1] of the picture, in values of the picture; 0 outside.
    #[inline]
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let half = self.side as f32 / 2.0;
        let (x, y) = (
            (x + 1.0) * half - 0.5,
            (y + 1.0) * half - 0.5 - self.top as f32,
        );
        let (columns, rows) = ((self.side - 1) as f32, (self.side - self.top - 1) as f32);
        // Written so that NaN gives 0.
        if !(x >= 0.0 && y >= 0.0 && x < columns && y < rows) {
            return 0.0;
        }
        let (i, j) = (x as usize, y as usize);
        let (across, down) = (x - i as f32, y - j as f32);
        let first = j * self.side + i;
        let row = |at: usize| {
            let [a, b] = [self.values[at], self.values[at + 1]].map(f32::from);
            a + (b - a) * across
        };
        let (above, below) = (row(first), row(first + self.side));
        (above + (below - above) * down) / LEVELS
    }
}

/// A band and where it is shown.
#[derive(Clone, Copy, Debug)]
pub struct DetailLayer<'a> {
    /// What is shown; `None`: nothing.
    pub band: Option<&'a FineBand>,
    /// For each pixel of the crop `[size, size]` the place in [-1, 1] of the band's picture, x and y, and
    /// how much of the band is shown, 0 or more. The fourth number is not used.
    pub places: &'a [[f32; 4]],
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 64;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        let plane: Vec<f32> = (0..SIDE * SIDE)
            .map(|i| value(i % SIDE, i / SIDE))
            .collect();
        plane.repeat(3)
    }

    fn place(pixel: usize) -> f32 {
        (pixel as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0
    }

    #[test]
    fn a_smooth_picture_has_no_band_and_stripes_are_all_band() {
        let ramp = FineBand::new(&picture(|x, y| (x + y) as f32 / 128.0 - 0.5), SIDE, 2);
        let stripes = FineBand::new(&picture(|x, _| [0.2, -0.2][x % 2]), SIDE, 2);
        for y in 26..60 {
            for x in 2..60 {
                assert!(ramp.sample(place(x), place(y)).abs() < 0.003);
                let found = stripes.sample(place(x), place(y));
                assert!(
                    (found - [0.1, -0.1][x % 2]).abs() < 0.002,
                    "{x} {y}: {found}"
                );
            }
        }
        assert_eq!(stripes.bytes(), SIDE * SIDE * 5 / 8);
        assert!(stripes.bytes() <= most_bytes(SIDE / 4));
    }

    #[test]
    fn outside_of_it_and_at_no_place_the_band_is_0() {
        let stripes = FineBand::new(&picture(|x, _| [0.2, -0.2][x % 2]), SIDE, 4);
        for (x, y) in [
            (0.0, -0.5),
            (-1.1, 0.5),
            (1.1, 0.5),
            (0.0, 1.1),
            (f32::NAN, 0.5),
            (0.1, f32::NAN),
        ] {
            assert_eq!(stripes.sample(x, y), 0.0, "{x} {y}");
        }
        let nothing = FineBand::new(&picture(|_, _| f32::NAN), SIDE, 2);
        assert_eq!(nothing.sample(0.3, 0.3), 0.0);
    }

    #[test]
    fn small_faces_need_no_band_and_a_band_far_too_fine_is_not_shown() {
        let placed = |scale: f64| Similarity {
            a: scale,
            b: 0.0,
            tx: 0.0,
            ty: 0.0,
        };
        let factors = [0.5, 1.1, 1.2, 2.5, 3.0, 9.0].map(|scale| FineBand::factor(&placed(scale)));
        assert_eq!(factors, [None, None, Some(2), Some(2), Some(4), Some(4)]);
        let band = FineBand::new(&picture(|_, _| 0.0), SIDE, 4);
        let suits = [1.0, 1.5, 3.0, 8.0].map(|scale| band.suits(scale, SIDE / 4));
        assert_eq!(suits, [0.0, 0.0, 1.0, 1.0]);
    }
}
