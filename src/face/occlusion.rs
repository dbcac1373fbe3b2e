//! What lies in front of the face: hands, microphones, food. There the matte is 0 and the source stays. Not
//! in the paper.

use super::crop::IMAGE;
use crate::numeric::smoothstep;

/// Side of the segmenter's output: half of the crop's.
pub(crate) const OCCLUSION: usize = IMAGE / 2;
/// Logits up to which nothing lies in front, and from which nothing of the face is visible.
const LOGITS: (f32, f32) = (-1.0, 1.0);

/// How much of each pixel of a crop is hidden. Its memory is reused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Occlusion {
    hidden: Vec<f32>,
}

impl Occlusion {
    /// Takes the segmenter's answer, `[128, 128]`.
    ///
    /// # Panics
    /// When `logits` has another length.
    pub fn set(&mut self, logits: &[f32]) {
        assert_eq!(logits.len(), OCCLUSION * OCCLUSION, "not [128, 128] logits");
        self.hidden.clear();
        self.hidden.extend((0..IMAGE * IMAGE).map(|pixel| {
            let [above, below] = neighbours(pixel / IMAGE);
            let [left, right] = neighbours(pixel % IMAGE);
            let row = |y: usize| {
                let at = |x: usize| logits[y * OCCLUSION + x];
                0.75 * at(left) + 0.25 * at(right)
            };
            smoothstep(LOGITS.0, LOGITS.1, 0.75 * row(above) + 0.25 * row(below))
        }));
    }

    /// `[256, 256]` in [0, 1]: the hidden share of each pixel.
    pub fn hidden(&self) -> &[f32] {
        &self.hidden
    }

    /// The hidden share of what `alpha`, `[256, 256]`, covers: 0 to 1.
    pub fn share(&self, alpha: &[f32]) -> f32 {
        let all: f32 = alpha.iter().sum();
        let hidden = self.hidden.iter().zip(alpha).map(|(h, a)| h * a);
        if all > 0.0 {
            hidden.sum::<f32>() / all
        } else {
            0.0
        }
    }
}

/// The nearest cell of a row or column of the segmenter's output to a pixel of the crop, and the next
/// nearest one: bilinear, a quarter of a cell apart from the middle.
fn neighbours(pixel: usize) -> [usize; 2] {
    let cell = pixel / 2;
    let next = match pixel % 2 {
        0 => cell.saturating_sub(1),
        _ => (cell + 1).min(OCCLUSION - 1),
    };
    [cell, next]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something in front of the right half.
    fn half() -> Occlusion {
        let mut occlusion = Occlusion::default();
        let logits: Vec<f32> = (0..OCCLUSION * OCCLUSION)
            .map(|i| if i % OCCLUSION < 64 { -8.0 } else { 8.0 })
            .collect();
        occlusion.set(&logits);
        occlusion
    }

    #[test]
    fn it_lies_where_the_segmenter_sees_it() {
        let occlusion = half();
        for row in occlusion.hidden().chunks(IMAGE) {
            assert!(row[..127].iter().all(|v| *v == 0.0), "{:?}", &row[120..136]);
            assert!(row[129..].iter().all(|v| *v == 1.0), "{:?}", &row[120..136]);
            // The edge is between the two columns in the middle.
            assert!((row[127] + row[128] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn unsure_answers_hide_nothing_and_nan_neither() {
        let mut occlusion = Occlusion::default();
        for value in [-1.0, f32::NAN] {
            occlusion.set(&vec![value; OCCLUSION * OCCLUSION]);
            assert!(occlusion.hidden().iter().all(|v| *v == 0.0));
        }
    }

    #[test]
    fn the_share_is_of_what_alpha_covers() {
        let left: Vec<f32> = (0..IMAGE * IMAGE)
            .map(|i| f32::from(u8::from(i % IMAGE < 64)))
            .collect();
        assert_eq!(half().share(&left), 0.0);
        assert!((half().share(&vec![0.5; IMAGE * IMAGE]) - 0.5).abs() < 1e-3);
        assert_eq!(half().share(&vec![0.0; IMAGE * IMAGE]), 0.0);
    }
}
