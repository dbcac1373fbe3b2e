//! A picture in a layout for sampling.

use serde::{Deserialize, Serialize};

/// Fixed-point unit of a position in pixels.
const UNIT: u32 = 1 << BITS;
const BITS: u32 = 12;
/// The value of a sample of the highest level.
pub(super) const LEVELS: f32 = (255 * UNIT) as f32;
const ROUND: f32 = 8_388_608.0;
/// Bits of each of the three sums of a sample: 255 * [`UNIT`] fits.
const LANE: u32 = 21;
const LANE_MASK: u64 = (1 << LANE) - 1;

/// A square image in a layout for sampling: RGB and an unused lane, 8 bits each as in the training.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReferencePicture {
    size: usize,
    /// `[size + 1, size + 1]`: the last row and column are there twice, so that every sample has four
    /// pixels.
    pixels: Vec<[u8; 4]>,
}

impl ReferencePicture {
    /// From planar RGB `[3, size, size]` in [-1, 1]; values outside are limited to it.
    ///
    /// # Panics
    /// When `planar` has another length, or `size` is not in 1 to 4096.
    pub fn new(planar: &[f32], size: usize) -> Self {
        let area = size * size;
        assert!(
            (1..=2048).contains(&size) && planar.len() == 3 * area,
            "the length of the picture does not fit its size"
        );
        // The conversion to an integer limits to 0..=255 and makes NaN 0.
        let byte = |value: f32| ((value + 1.0) * 127.5).round() as u8;
        let pixel = |i: usize| [planar[i], planar[area + i], planar[2 * area + i], -1.0].map(byte);
        let inside = |at: usize| at.min(size - 1);
        let row = |y: usize| (0..=size).map(move |x| pixel(inside(y) * size + inside(x)));
        Self {
            size,
            pixels: (0..=size).flat_map(row).collect(),
        }
    }

    /// Whether it is whole and of this size: one that was read from a file.
    pub fn is_valid(&self, size: usize) -> bool {
        self.size == size && self.pixels.len() == (size + 1) * (size + 1)
    }

    /// Its side in pixels.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Writes planar RGB `[3, size, size]` in [-1, 1] to `out`. The old content of `out` is replaced.
    pub fn planar(&self, out: &mut Vec<f32>) {
        out.clear();
        for plane in 0..3 {
            let rows = self.pixels.chunks_exact(self.size + 1).take(self.size);
            let pixels = rows.flat_map(|row| &row[..self.size]);
            out.extend(pixels.map(|pixel| value(f32::from(pixel[plane]) / 255.0)));
        }
    }

    /// A position in [-1, 1] along one axis, in fixed-point pixels from the middle of the first one.
    #[inline]
    pub(super) fn scaled(&self, place: f32) -> f32 {
        ((place + 1.0) * self.size as f32 - 1.0) * (0.5 * UNIT as f32)
    }

    /// A [scaled](Self::scaled) position as an integer for [`sample`](Self::sample). Positions beyond the
    /// edge, and NaN, are moved to it.
    #[inline]
    pub(super) fn fixed(&self, scaled: f32) -> u32 {
        // Compared so that NaN gives 0, as one instruction for several numbers.
        let at = if scaled > 0.0 { scaled } else { 0.0 };
        let last = ((self.size - 1) as u32 * UNIT) as f32;
        let at = if at < last { at } else { last };
        // At 2^23 and above the last bit of a number is 1: the addition rounds to an integer.
        (at + ROUND).to_bits() - ROUND.to_bits()
    }

    /// The bilinear sample at a position of [`fixed`](Self::fixed) numbers, in [`LEVELS`]. The sums are
    /// those of integers, all three channels at once in lanes of 21 bits.
    #[inline]
    pub(super) fn sample(&self, x: u32, y: u32) -> [f32; 3] {
        let width = self.size + 1;
        let first = (y >> BITS) as usize * width + (x >> BITS) as usize;
        let (across, down) = (x % UNIT, y % UNIT);
        let both = (across * down) >> BITS;
        let lanes = |pixel: [u8; 4]| {
            let pixel = u64::from(u32::from_le_bytes(pixel));
            (pixel & 0xff)
                | ((pixel & 0xff00) << (LANE - 8))
                | ((pixel & 0xff_0000) << (2 * LANE - 16))
        };
        let pair = |at: usize, [one, other]: [u32; 2]| {
            let [left, right] = self.pixels[at..at + 2] else {
                unreachable!("a slice of two pixels");
            };
            lanes(left) * u64::from(one) + lanes(right) * u64::from(other)
        };
        let sum = pair(first, [UNIT + both - across - down, across - both])
            + pair(first + width, [down - both, both]);
        let lane = |shift: u32| ((sum >> shift) & LANE_MASK) as i32 as f32;
        [lane(0), lane(LANE), lane(2 * LANE)]
    }
}

/// From [0, 1] to [-1, 1].
#[inline]
pub(super) fn value(level: f32) -> f32 {
    level * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_levels() {
        let levels: Vec<f32> = (0..=255u8).map(|v| f32::from(v) / 127.5 - 1.0).collect();
        let planar = [levels.clone(), levels.clone(), levels].concat();
        let mut out = vec![7.0];
        let picture = ReferencePicture::new(&planar, 16);
        picture.planar(&mut out);
        assert_eq!(out.len(), planar.len());
        assert!(out.iter().zip(&planar).all(|(a, b)| (a - b).abs() < 1e-6));
        // At the middle of a pixel the sample is the pixel.
        let places = (0..16).flat_map(|y| (0..16).map(move |x| (x, y)));
        for (level, (x, y)) in out.iter().zip(places) {
            let sample = picture.sample(x * UNIT, y * UNIT);
            assert!(
                sample
                    .iter()
                    .all(|v| (value(*v / LEVELS) - level).abs() < 1e-6)
            );
        }
        ReferencePicture::new(&[9.0, -9.0, f32::NAN], 1).planar(&mut out);
        assert_eq!(out, [1.0, -1.0, -1.0]);
    }

    #[test]
    fn samples_are_bilinear_and_edges_are_repeated() {
        let corners = [-1.0, 1.0, -1.0, 1.0];
        let planar = [corners, [-1.0, -1.0, 1.0, 1.0], [0.2; 4]].concat();
        let picture = ReferencePicture::new(&planar, 2);
        let at = |x: f32, y: f32| {
            let [x, y] = [x, y].map(|place| picture.fixed(picture.scaled(place)));
            picture.sample(x, y).map(|level| value(level / LEVELS))
        };
        for (place, expected) in [
            ([0.0, 0.0], [0.0, 0.0]),
            ([-0.25, 0.125], [-0.5, 0.25]),
            ([-9.0, 3.0], [-1.0, 1.0]),
            ([1.0, f32::NAN], [1.0, -1.0]),
        ] {
            let found = at(place[0], place[1]);
            assert!((found[0] - expected[0]).abs() < 1e-3, "{found:?}");
            assert!((found[1] - expected[1]).abs() < 1e-3, "{found:?}");
            assert!((found[2] - 0.2).abs() < 4e-3, "{found:?}");
        }
    }
}
