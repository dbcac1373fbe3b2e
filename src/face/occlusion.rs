//! What lies in front of the face: hands, microphones, food. There the matte is 0 and the source stays. Not
//! in the paper.
//!
//! Such a thing comes from outside the inpainting mask, since something holds it. What the segmenter sees
//! within the mask alone is a part of the face: teeth, a tongue, the shadow of a beard.

use super::crop::IMAGE;
use crate::numeric::smoothstep;

/// Side of the segmenter's output: half of the crop's.
const SIDE: usize = IMAGE / 2;
/// Logits up to which nothing lies in front, and from which nothing of the face is visible.
const LOGITS: (f32, f32) = (-1.0, 1.0);

/// How much of each pixel of a crop is hidden. Its memory is reused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Occlusion {
    hidden: Vec<f32>,
    /// The segmenter's answer, without what does not come from outside the mask.
    logits: Vec<f32>,
    /// The cells of what does, and those of them whose neighbours are still to be visited.
    found: Vec<bool>,
    open: Vec<usize>,
}

impl Occlusion {
    /// Takes the segmenter's answer, `[128, 128]`, and the inpainting mask, `[256, 256]`.
    ///
    /// # Panics
    /// When one of them has another length.
    pub fn set(&mut self, logits: &[f32], hole: &[bool]) {
        assert_eq!(logits.len(), SIDE * SIDE, "not [128, 128] logits");
        assert_eq!(hole.len(), IMAGE * IMAGE, "not a [256, 256] mask");
        self.attach(logits, hole);
        let logits = &self.logits;
        self.hidden.clear();
        self.hidden.extend((0..IMAGE * IMAGE).map(|pixel| {
            let [above, below] = nearest_cells(pixel / IMAGE);
            let [left, right] = nearest_cells(pixel % IMAGE);
            let row = |y: usize| 0.75 * logits[y * SIDE + left] + 0.25 * logits[y * SIDE + right];
            smoothstep(LOGITS.0, LOGITS.1, 0.75 * row(above) + 0.25 * row(below))
        }));
    }

    /// Keeps what is connected with a sure answer outside the mask.
    fn attach(&mut self, logits: &[f32], hole: &[bool]) {
        let (unsure, sure) = LOGITS;
        let outside = |cell: usize| !hole[2 * (cell / SIDE * IMAGE + cell % SIDE)];
        self.found.clear();
        let seeds = logits.iter().enumerate();
        self.found
            .extend(seeds.map(|(cell, logit)| *logit > sure && outside(cell)));
        self.open.clear();
        self.open
            .extend((0..logits.len()).filter(|cell| self.found[*cell]));
        while let Some(cell) = self.open.pop() {
            let x = cell % SIDE;
            let sides = [
                cell.checked_sub(1).filter(|_| x > 0),
                Some(cell + 1).filter(|_| x + 1 < SIDE),
                cell.checked_sub(SIDE),
                Some(cell + SIDE).filter(|below| *below < logits.len()),
            ];
            for side in sides.into_iter().flatten() {
                if logits[side] > unsure && !self.found[side] {
                    self.found[side] = true;
                    self.open.push(side);
                }
            }
        }
        self.logits.clear();
        let kept = logits.iter().zip(&self.found);
        self.logits.extend(kept.map(|(logit, found)| match found {
            true => *logit,
            false => logit.min(unsure),
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
/// nearest one: their middles are a quarter and three quarters of a cell away.
fn nearest_cells(pixel: usize) -> [usize; 2] {
    let cell = pixel / 2;
    let next = match pixel % 2 {
        0 => cell.saturating_sub(1),
        _ => (cell + 1).min(SIDE - 1),
    };
    [cell, next]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask: a square in the middle.
    fn hole() -> Vec<bool> {
        let inside = |v: usize| (64..192).contains(&v);
        (0..IMAGE * IMAGE)
            .map(|i| inside(i % IMAGE) && inside(i / IMAGE))
            .collect()
    }

    /// Something in front of the cells `[x, y]` for which `covers` is true.
    fn in_front(covers: impl Fn([usize; 2]) -> bool) -> Occlusion {
        let cells = (0..SIDE * SIDE).map(|i| [i % SIDE, i / SIDE]);
        let logits: Vec<f32> = cells.map(|c| if covers(c) { 8.0 } else { -8.0 }).collect();
        let mut occlusion = Occlusion::default();
        occlusion.set(&logits, &hole());
        occlusion
    }

    #[test]
    fn it_lies_where_the_segmenter_sees_it() {
        let occlusion = in_front(|[x, _]| x >= 64);
        for row in occlusion.hidden().chunks(IMAGE) {
            assert!(row[..127].iter().all(|v| *v == 0.0), "{:?}", &row[120..136]);
            assert!(row[129..].iter().all(|v| *v == 1.0), "{:?}", &row[120..136]);
            // The edge is between the two columns in the middle.
            assert!((row[127] + row[128] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn what_does_not_come_from_outside_the_mask_belongs_to_the_face() {
        // A square of cells around the middle: within the mask, as large as it, and larger.
        let hidden = |half: usize| -> f32 {
            let inside = |v: usize| (64 - half..64 + half).contains(&v);
            let occlusion = in_front(|[x, y]| inside(x) && inside(y));
            occlusion.hidden().iter().sum()
        };
        assert_eq!([hidden(20), hidden(32)], [0.0, 0.0]);
        assert!((hidden(34) - 136.0 * 136.0).abs() < 600.0, "{}", hidden(34));
    }

    #[test]
    fn unsure_answers_hide_nothing_and_nan_neither() {
        let mut occlusion = Occlusion::default();
        for value in [-1.0, f32::NAN] {
            occlusion.set(&vec![value; SIDE * SIDE], &hole());
            assert!(occlusion.hidden().iter().all(|v| *v == 0.0));
        }
    }

    #[test]
    fn the_share_is_of_what_alpha_covers() {
        let occlusion = in_front(|[x, _]| x >= 64);
        let left: Vec<f32> = (0..IMAGE * IMAGE)
            .map(|i| f32::from(u8::from(i % IMAGE < 64)))
            .collect();
        assert_eq!(occlusion.share(&left), 0.0);
        assert!((occlusion.share(&vec![0.5; IMAGE * IMAGE]) - 0.5).abs() < 1e-3);
        assert_eq!(occlusion.share(&vec![0.0; IMAGE * IMAGE]), 0.0);
    }
}
