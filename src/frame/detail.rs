//! Detail at the frame's own resolution: what a picture of the person shows and a crop is too coarse for.
//!
//! A large face is generated in a crop of fewer pixels than it has in the frame. The pictures that the
//! crop's references were sampled from have those pixels. Their fine band follows the same warp as the
//! references do, and takes the place of the generated picture's ([`DetailGate`](crate::face::DetailGate)).
//! It is sampled twice on its way from frame to frame, and bilinear samples would leave a quarter of the
//! energy of its finest part: hence cubic ones. Not in the paper.

use std::ops::Range;

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::blur::blur;
use super::cubic;
use super::similarity::Similarity;
use crate::numeric::smoothstep;

/// Pixels of the frame to a pixel of the crop up to which a crop holds all that the frame shows.
const COARSE: f64 = 1.15;
/// Differences over less than this many pixels of a crop to each side are detail.
pub const FINE: usize = 3;
/// Values of the band to a value of the picture, which spans 0 to 1.
const LEVELS: f32 = 320.0;
/// The rows of a crop that have a band begin after this share of them: the mask lies below.
const TOP: (usize, usize) = (3, 8);

/// The fine band of an aligned picture of a face: its luma less the means over squares of a crop's pixels that
/// reach [`FINE`] to each side.
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

    /// The rows of a picture with `side` pixels a side, `factor` times the crop's, that a band is made of.
    pub fn rows(side: usize, factor: usize) -> Range<usize> {
        side * TOP.0 / TOP.1 - factor..side
    }

    /// Of [`rows`](Self::rows) of a picture's halved luma, `[rows, side]`, `side` being `factor` times the crop's.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    pub fn new(luma: &[f32], side: usize, factor: usize) -> Self {
        let rows = Self::rows(side, factor);
        assert!(
            luma.len() == rows.len() * side && side.is_multiple_of(factor),
            "the length of the picture does not fit its side"
        );
        let mut coarse = coarse(luma, side, factor);
        blur(&mut coarse, side / factor, FINE, &mut Vec::new());
        let size = side / factor;
        let top = rows.start + factor;
        let mut values = vec![0; (side - top) * side];
        // Where a pixel lies between the two coarse pixels next to it.
        let between = |at: usize, first: usize| {
            let at = ((at as f32 + 0.5) / factor as f32 - 0.5).clamp(0.0, (size - 1) as f32);
            let cell = (at as usize).min(size - 2);
            (cell - first, at - cell as f32)
        };
        let columns: Vec<(usize, f32)> = (0..side).map(|x| between(x, 0)).collect();
        let (mut mixed, mut smooth) = (vec![0.0f32; size], vec![0.0f32; side]);
        let lines = luma[factor * side..].chunks_exact(side);
        for (k, (line, values)) in lines.zip(values.chunks_exact_mut(side)).enumerate() {
            let (row, down) = between(top + k, rows.start / factor);
            let (above, below) = coarse[row * size..][..2 * size].split_at(size);
            for ((mixed, above), below) in mixed.iter_mut().zip(above).zip(below) {
                *mixed = above + (below - above) * down;
            }
            for (smooth, (cell, across)) in smooth.iter_mut().zip(&columns) {
                *smooth = mixed[*cell] + (mixed[cell + 1] - mixed[*cell]) * across;
            }
            to_levels(line, &smooth, values);
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
    #[inline(always)]
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let half = self.side as f32 / 2.0;
        let (x, y) = (
            (x + 1.0) * half - 0.5,
            (y + 1.0) * half - 0.5 - self.top as f32,
        );
        // Where a cubic sample has all its sixteen neighbours.
        let (columns, rows) = ((self.side - 2) as f32, (self.side - self.top - 2) as f32);
        // Written so that NaN gives 0.
        if !(x >= 1.0 && y >= 1.0 && x < columns && y < rows) {
            return 0.0;
        }
        let (i, j) = (x as i32 as usize, y as i32 as usize);
        let across = cubic::weights(x - i as f32);
        let down = cubic::weights(y - j as f32);
        let near = &self.values[(j - 1) * self.side + i - 1..][..3 * self.side + 4];
        cubic::mix(near, self.side, &across, &down) / LEVELS
    }
}

/// Means over squares of `factor` pixels a side.
fn coarse(luma: &[f32], side: usize, factor: usize) -> Vec<f32> {
    let share = 1.0 / (factor * factor) as f32;
    let size = side / factor;
    let mut coarse = vec![0.0; luma.len() / (factor * factor)];
    for (rows, coarse) in luma
        .chunks_exact(factor * side)
        .zip(coarse.chunks_exact_mut(size))
    {
        for row in rows.chunks_exact(side) {
            for (mean, pixels) in coarse.iter_mut().zip(row.chunks_exact(factor)) {
                *mean += share * pixels.iter().sum::<f32>();
            }
        }
    }
    coarse
}

/// The conversion to an integer limits to -128..=127 and makes NaN 0.
#[multiversion(targets("x86_64+avx2"))]
fn to_levels(luma: &[f32], smooth: &[f32], values: &mut [i8]) {
    for ((value, luma), smooth) in values.iter_mut().zip(luma).zip(smooth) {
        *value = ((luma - smooth) * LEVELS).round() as i8;
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

    fn band(factor: usize, value: impl Fn(usize, usize) -> f32) -> FineBand {
        let rows = FineBand::rows(SIDE, factor);
        let places = rows.flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        let plane: Vec<f32> = places.map(|(x, y)| value(x, y) / 2.0).collect();
        FineBand::new(&plane, SIDE, factor)
    }

    fn place(pixel: usize) -> f32 {
        (pixel as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0
    }

    #[test]
    fn a_smooth_picture_has_no_band_and_stripes_are_all_band() {
        let ramp = band(2, |x, y| (x + y) as f32 / 128.0 - 0.5);
        let stripes = band(2, |x, _| [0.2, -0.2][x % 2]);
        // At the edge of a picture the means are not centred.
        for y in 34..54 {
            for x in 10..54 {
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
    fn a_fine_wave_keeps_most_of_its_height_between_pixels() {
        // Four pixels long. A bilinear sample half-way between pixels leaves .71 of it.
        let turn = std::f32::consts::FRAC_PI_2;
        let wave = band(2, |x, _| 0.2 * (turn * x as f32).cos());
        let pixel = |x: f32| (x + 0.5) / SIDE as f32 * 2.0 - 1.0;
        let height = (0..8).map(|k| wave.sample(pixel(30.5 + k as f32), pixel(40.5)).abs());
        let mean = height.sum::<f32>() / 8.0;
        let all = 0.1 * turn.sin() * std::f32::consts::FRAC_1_SQRT_2;
        assert!((0.82..1.05).contains(&(mean / all)), "{mean} of {all}");
    }

    #[test]
    fn outside_of_it_and_at_no_place_the_band_is_0() {
        let stripes = band(4, |x, _| [0.2, -0.2][x % 2]);
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
        let nothing = band(2, |_, _| f32::NAN);
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
        let band = band(4, |_, _| 0.0);
        let suits = [1.0, 1.5, 3.0, 8.0].map(|scale| band.suits(scale, SIDE / 4));
        assert_eq!(suits, [0.0, 0.0, 1.0, 1.0]);
    }
}
