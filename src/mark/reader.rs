//! Reads the mark from crops of a face.

use super::LEVELS;
use super::LUMINANCE;
use super::code::{Code, Reading};
use super::lapped::{BLOCKS, COEFFICIENTS, Lapped, PAIRS, inside};
use crate::face::crop::IMAGE;

/// A coefficient of one frame counts up to this size, 8-bit levels: edges of lips and teeth do not.
const CLIPPED: f32 = 12.0;
/// The same for the mean of all frames, in standard deviations.
const MEAN_CLIPPED: f32 = 2.0;

/// The coefficients of one crop.
pub(crate) struct Seen {
    coefficients: [f32; COEFFICIENTS],
    inside: [bool; BLOCKS],
}

/// The buffers of one crop, reused by later ones.
#[derive(Default)]
pub(crate) struct Reader {
    lapped: Lapped,
    plane: Vec<f32>,
}

impl Reader {
    /// Reads a crop, planar RGB `[3, IMAGE, IMAGE]` in [-1, 1], whose generated region is `alpha`
    /// `[IMAGE, IMAGE]`.
    pub fn read(&mut self, crop: &[f32], alpha: &[f32]) -> Seen {
        let (plane, area) = (&mut self.plane, IMAGE * IMAGE);
        plane.clear();
        plane.resize(area, 0.0);
        for (channel, weight) in crop.chunks_exact(area).zip(LUMINANCE) {
            for (sum, value) in plane.iter_mut().zip(channel) {
                *sum += LEVELS * weight * value;
            }
        }
        let mut coefficients = [0.0; COEFFICIENTS];
        self.lapped.forward(plane, &mut coefficients);
        Seen {
            coefficients,
            inside: inside(alpha),
        }
    }
}

/// Coefficients summed over frames.
#[derive(Clone)]
pub(crate) struct Sum {
    values: Vec<f64>,
    /// Frames in which a block lay inside the generated region.
    counts: Vec<u32>,
    /// Crops added.
    pub frames: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            values: vec![0.0; COEFFICIENTS],
            counts: vec![0; BLOCKS],
            frames: 0,
        }
    }
}

impl Sum {
    /// Adds a crop.
    pub fn add(&mut self, seen: &Seen) {
        let Seen {
            coefficients,
            inside,
        } = seen;
        for (at, (sum, value)) in self.values.iter_mut().zip(coefficients).enumerate() {
            if inside[at / PAIRS] {
                *sum += f64::from(value.clamp(-CLIPPED, CLIPPED));
            }
        }
        for (count, inside) in self.counts.iter_mut().zip(inside) {
            *count += u32::from(*inside);
        }
        self.frames += 1;
    }

    /// What a key reads from the mean.
    pub fn read(&self, code: &Code) -> Reading {
        code.read(&self.whitened())
    }

    /// The mean coefficients, with the same power in every block and at every frequency.
    fn whitened(&self) -> [f32; COEFFICIENTS] {
        let mut values: [f32; COEFFICIENTS] =
            std::array::from_fn(|at| match self.counts[at / PAIRS] {
                0 => 0.0,
                count => (self.values[at] / f64::from(count)) as f32,
            });
        let inverse = |square: f32, count: usize| match square {
            square if square > 0.0 => (count as f32 / square).sqrt(),
            _ => 0.0,
        };
        let blocks = self.counts.iter().filter(|count| **count > 0).count();
        for _ in 0..3 {
            for pair in 0..PAIRS {
                let square = values.iter().skip(pair).step_by(PAIRS).map(|v| v * v).sum();
                let scale = inverse(square, blocks);
                values
                    .iter_mut()
                    .skip(pair)
                    .step_by(PAIRS)
                    .for_each(|v| *v *= scale);
            }
            for block in values.chunks_exact_mut(PAIRS) {
                let scale = inverse(block.iter().map(|v| v * v).sum(), PAIRS);
                block.iter_mut().for_each(|v| *v *= scale);
            }
        }
        values.map(|value| value.clamp(-MEAN_CLIPPED, MEAN_CLIPPED))
    }
}
