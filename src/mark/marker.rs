//! Puts the mark into a generated picture.

use super::code::{Code, MarkId};
use super::lapped::{COEFFICIENTS, Lapped, PAIRS, inside};
use super::{LEVELS, LUMINANCE};
use crate::face::crop::IMAGE;

/// What a marked coefficient should reach in its sign's direction, in 8-bit levels of the orthonormal
/// transform, on a face with little texture.
const WANTED: f32 = 10.0;
/// The most that a coefficient is changed by, for the same.
const MOST: f32 = 14.0;
/// Texture hides the mark and disturbs its detection, so both grow with the median of the coefficients:
/// from `WEAKEST` to `STRONGEST` times.
const TEXTURE: f32 = 0.12;
const WEAKEST: f32 = 0.5;
const STRONGEST: f32 = 1.1;

/// The mark of one clip.
#[derive(Debug)]
pub struct Marker {
    id: MarkId,
    chips: [f32; COEFFICIENTS],
}

/// The buffers of one frame, reused by later ones.
#[derive(Debug, Default)]
pub struct MarkBuffers {
    lapped: Lapped,
    /// `[IMAGE, IMAGE]`: the luminance, then the change.
    plane: Vec<f32>,
    /// Sizes of coefficients, for their median.
    sizes: Vec<f32>,
}

impl Marker {
    /// The mark that carries `id`.
    pub fn new(id: MarkId) -> Self {
        Self {
            id,
            chips: Code::default().chips(id),
        }
    }

    /// What it carries.
    pub fn id(&self) -> MarkId {
        self.id
    }

    /// Marks `generated`, planar RGB `[3, IMAGE, IMAGE]` in [-1, 1], where `alpha` `[IMAGE, IMAGE]` lets it
    /// be seen in front of `crop`.
    pub fn mark(
        &self,
        generated: &mut [f32],
        crop: &[f32],
        alpha: &[f32],
        buffers: &mut MarkBuffers,
    ) {
        let MarkBuffers {
            lapped,
            plane,
            sizes,
        } = buffers;
        let area = IMAGE * IMAGE;
        plane.clear();
        plane.resize(area, 0.0);
        for (channel, weight) in LUMINANCE.iter().enumerate() {
            let weight = LEVELS * weight;
            let range = channel * area..(channel + 1) * area;
            let pixels = generated[range.clone()].iter().zip(&crop[range]).zip(alpha);
            for (sum, ((new, old), alpha)) in plane.iter_mut().zip(pixels) {
                *sum += weight * (old + alpha * (new - old));
            }
        }
        let mut coefficients = [0.0; COEFFICIENTS];
        lapped.forward(plane, &mut coefficients);
        let inside = inside(alpha);
        let scale =
            (TEXTURE * median_size(&coefficients, &inside, sizes)).clamp(WEAKEST, STRONGEST);
        for (at, (value, chip)) in coefficients.iter_mut().zip(&self.chips).enumerate() {
            let amount = if inside[at / PAIRS] {
                change(*value * chip / scale)
            } else {
                0.0
            };
            *value = amount * scale * chip;
        }
        lapped.inverse(&coefficients, plane);
        for channel in generated.chunks_exact_mut(area) {
            for (value, change) in channel.iter_mut().zip(&*plane) {
                *value = (*value + change / LEVELS).clamp(-1.0, 1.0);
            }
        }
    }
}

/// The change of a coefficient with this value in its sign's direction: what it lacks, where that is cheap.
/// A coefficient far on the other side is left alone, because the person's features are there.
fn change(value: f32) -> f32 {
    let lacks = (WANTED - value).max(0.0);
    if lacks <= MOST {
        lacks
    } else {
        (2.0 * MOST - lacks).max(0.0)
    }
}

/// The median size of the coefficients inside; 0 where none is.
fn median_size(values: &[f32], inside: &[bool], sizes: &mut Vec<f32>) -> f32 {
    sizes.clear();
    let blocks = values
        .chunks_exact(PAIRS)
        .zip(inside)
        .filter(|(_, inside)| **inside);
    sizes.extend(blocks.flat_map(|(block, _)| block.iter().map(|value| value.abs())));
    if sizes.is_empty() {
        return 0.0;
    }
    let middle = sizes.len() / 2;
    *sizes.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_bounded_and_continuous() {
        for (value, wanted) in [
            (12.0, 0.0),
            (10.0, 0.0),
            (3.0, 7.0),
            (-4.0, 14.0),
            (-11.0, 7.0),
            (-40.0, 0.0),
        ] {
            assert_eq!(change(value), wanted, "{value}");
        }
    }

    #[test]
    fn only_the_generated_region_is_marked_and_little() {
        let area = IMAGE * IMAGE;
        let marker = Marker::new(MarkId::new(5).unwrap());
        let crop = vec![0.1; 3 * area];
        let mut alpha = vec![0.0; area];
        alpha[area / 2..].fill(1.0);
        let mut marked = crop.clone();
        let mut buffers = MarkBuffers::default();
        marker.mark(&mut marked, &crop, &alpha, &mut buffers);
        let square = |from: &[f32]| {
            let sum: f32 = from.iter().map(|v| (LEVELS * (v - 0.1)).powi(2)).sum();
            (sum / from.len() as f32).sqrt()
        };
        // The blocks that lie half inside reach 16 rows beyond.
        assert_eq!(square(&marked[..area / 2 - 16 * IMAGE]), 0.0);
        let change = square(&marked[area / 2..area]);
        assert!((0.5..2.5).contains(&change), "{change}");
        // Without texture all of it can be read back.
        let mut coefficients = [0.0; COEFFICIENTS];
        let plane: Vec<f32> = marked[..area].iter().map(|v| LEVELS * v).collect();
        buffers.lapped.forward(&plane, &mut coefficients);
        let reading = Code::default().read(&coefficients);
        assert_eq!(reading.id, MarkId::new(5).ok());
    }
}
