//! A coarse picture of a frame: where two frames that follow each other do not look alike, the film was
//! cut between them. Not in the paper.

use serde::{Deserialize, Serialize};

/// Cells per side.
const CELLS: usize = 8;
/// Values: three channels.
const VALUES: usize = 3 * CELLS * CELLS;
/// Least correlation of two frames of one shot. Of 32,203 pairs of successive frames of talking people one
/// in 2,000 is below .978; of pairs of frames of clips from different sources .7 % are above this.
const ALIKE: f32 = 0.93;
/// Variance (squared levels of 0 to 255) below which a frame counts as flat: two blank frames are alike.
const FLAT: f32 = 4.0;

/// The mean colours of the cells of a grid, each of 0 to 255.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look(#[serde(with = "values")] [u8; VALUES]);

impl Look {
    /// Of planar RGB in [-1, 1], `[3, side, side]`, whose upper left `width` by `height` pixels show the
    /// frame.
    pub fn new(picture: &[f32], side: usize, (width, height): (usize, usize)) -> Self {
        let cell = |channel: usize, row: usize, column: usize| {
            let rows = span(row, height.min(side));
            let columns = span(column, width.min(side));
            let count = rows.len() * columns.len();
            let sum: f32 = rows
                .map(|y| {
                    let start = (channel * side + y) * side;
                    picture[start + columns.start..start + columns.end]
                        .iter()
                        .sum::<f32>()
                })
                .sum();
            // The conversion to an integer limits its range and makes NaN 0.
            (127.5 * (sum / count as f32 + 1.0)).round() as u8
        };
        Self(std::array::from_fn(|k| {
            cell(k / (CELLS * CELLS), k / CELLS % CELLS, k % CELLS)
        }))
    }

    /// Whether two frames may follow each other in one shot.
    pub fn is_like(&self, other: &Self) -> bool {
        self.correlation(other) >= ALIKE
    }

    /// How the cells correlate: a change of brightness or contrast does not matter. Two blank frames are alike.
    pub(super) fn correlation(&self, other: &Self) -> f32 {
        let [mut one, mut two, mut both] = [0.0; 3];
        for (a, b) in self.channels().zip(other.channels()) {
            let (mean_a, mean_b) = (mean(a), mean(b));
            for (a, b) in a.iter().zip(b) {
                let (a, b) = (f32::from(*a) - mean_a, f32::from(*b) - mean_b);
                one += a * a;
                two += b * b;
                both += a * b;
            }
        }
        let flat = FLAT * VALUES as f32;
        (both + flat) / ((one + flat) * (two + flat)).sqrt()
    }

    /// The variance of the cells, squared levels.
    pub(super) fn variance(&self) -> f32 {
        let of = |channel: &[u8]| {
            let mean = mean(channel);
            let squares = channel.iter().map(|v| (f32::from(*v) - mean).powi(2));
            squares.sum::<f32>()
        };
        self.channels().map(of).sum::<f32>() / VALUES as f32
    }

    /// The root mean square difference, levels.
    pub(super) fn distance(&self, other: &Self) -> f32 {
        let pairs = self.0.iter().zip(&other.0);
        let squares = pairs.map(|(a, b)| (f32::from(*a) - f32::from(*b)).powi(2));
        (squares.sum::<f32>() / VALUES as f32).sqrt()
    }

    /// The mixture of two others that it is nearest to: the share of `to`, and the distance from it.
    pub(super) fn between(&self, from: &Self, to: &Self) -> (f32, f32) {
        let all = || self.0.iter().zip(&from.0).zip(&to.0);
        let steps = all().map(|((own, from), to)| {
            let [own, from, to] = [own, from, to].map(|v| f32::from(*v));
            (own - from, to - from)
        });
        let (mut along, mut whole) = (0.0, 0.0);
        for (own, to) in steps.clone() {
            along += own * to;
            whole += to * to;
        }
        let share = along / whole.max(1.0);
        let squares = steps.map(|(own, to)| (own - share * to).powi(2));
        (share, (squares.sum::<f32>() / VALUES as f32).sqrt())
    }

    fn channels(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chunks_exact(CELLS * CELLS)
    }
}

/// Serde knows no arrays of this length.
mod values {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::VALUES;

    pub fn serialize<S: Serializer>(values: &[u8; VALUES], out: S) -> Result<S::Ok, S::Error> {
        values.as_slice().serialize(out)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<[u8; VALUES], D::Error> {
        let values = Vec::<u8>::deserialize(from)?;
        let count = values.len();
        values
            .try_into()
            .map_err(|_| D::Error::invalid_length(count, &"192 cells"))
    }
}

/// The pixels of a cell along one side of `pixels` pixels; at least one.
fn span(cell: usize, pixels: usize) -> std::ops::Range<usize> {
    let start = (cell * pixels / CELLS).min(pixels.saturating_sub(1));
    let end = (cell + 1) * pixels / CELLS;
    start..end.max(start + 1)
}

fn mean(values: &[u8]) -> f32 {
    values.iter().map(|v| f32::from(*v)).sum::<f32>() / values.len() as f32
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Of a frame of one colour.
    pub fn flat() -> Look {
        Look([128; VALUES])
    }

    /// Of one of many frames that are not alike.
    pub fn scene(number: u32) -> Look {
        let mut state = number.wrapping_mul(0x9E37_79B9) | 1;
        Look(std::array::from_fn(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8
        }))
    }

    impl Look {
        /// A mixture with another one.
        pub fn mixed(&self, other: &Self, share: f32) -> Self {
            let mix =
                |k: usize| f32::from(self.0[k]) * (1.0 - share) + f32::from(other.0[k]) * share;
            Look(std::array::from_fn(|k| mix(k).round() as u8))
        }
    }

    /// The look of a pattern that is shifted to the left by `pixels`.
    pub fn moved(pixels: f32) -> Look {
        Look::new(&picture(pixels, 1.0), 64, (64, 32))
    }

    /// A picture of 64x64 whose upper half shows a frame: bright at the left, dark at the right.
    fn picture(shift: f32, gain: f32) -> Vec<f32> {
        (0..3 * 64 * 64)
            .map(|k| match (k / 64 % 64, k % 64) {
                (32.., _) => 0.0,
                (_, x) => gain * (0.1 * (x as f32 + shift)).sin() * 0.8,
            })
            .collect()
    }

    #[test]
    fn a_shot_is_alike_and_another_is_not() {
        let look = |shift, gain| Look::new(&picture(shift, gain), 64, (64, 32));
        assert!(look(0.0, 1.0).is_like(&look(2.0, 1.0)), "a movement");
        assert!(look(0.0, 1.0).is_like(&look(0.0, 0.4)), "less light");
        assert!(!look(0.0, 1.0).is_like(&look(20.0, 1.0)), "another view");
        assert!(flat().is_like(&flat()));
        assert!(!look(0.0, 1.0).is_like(&flat()), "black before the picture");
        assert!(!scene(1).is_like(&scene(2)));
    }

    #[test]
    fn only_the_frame_counts_and_every_size_has_cells() {
        let mut other = picture(0.0, 1.0);
        for (at, value) in other.iter_mut().enumerate() {
            if at / 64 % 64 >= 32 {
                *value = 0.9;
            }
        }
        assert_eq!(
            Look::new(&other, 64, (64, 32)),
            Look::new(&picture(0.0, 1.0), 64, (64, 32))
        );
        for size in [(1, 64), (64, 1), (1, 1), (7, 9)] {
            assert_ne!(Look::new(&[0.5; 3 * 64 * 64], 64, size), flat());
        }
        assert_eq!(Look::new(&[f32::NAN; 3 * 16], 4, (4, 4)).0, [0; VALUES]);
    }
}
