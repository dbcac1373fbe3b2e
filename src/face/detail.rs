//! The fine detail of references: where it is shown in a crop, and how much of it.
//!
//! A generator that was trained on pixels gives smooth skin. Where what it generated agrees with the
//! pictures that were carried but for their detail, the person's own detail replaces its own; in the crop,
//! and for large faces at the frame's resolution. It does not suit the inside of the mouth, where a tooth
//! would get the edges of another. Not in the paper.

use crate::frame::blur::blur;
use crate::frame::detail::FINE;
use crate::numeric::smoothstep;

/// Differences of luma, which spans -1 to 1, up to which the pictures agree and from which they do not.
const AGREE: (f32, f32) = (0.04, 0.12);
/// Differences over this many pixels to each side are light, not shape.
const LIGHT: usize = 8;
/// Pixels around the inside of the mouth that fade in.
const FADE: usize = 2;

/// Decides where bands are shown. Owns its buffers: after the first crop, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct DetailGate {
    share: Vec<f32>,
    /// Detail of luma: of what was generated less that of what was carried, and the latter.
    difference: Vec<f32>,
    own: Vec<f32>,
    coarse: Vec<f32>,
    inside: Vec<f32>,
    smooth: Vec<f32>,
    padded: Vec<f32>,
    crossings: Vec<f32>,
}

impl DetailGate {
    /// Replaces the detail of `generated` by that of `carried`, both planar RGB `[3, size, size]` in [-1, 1],
    /// where they agree, but not in the mouth of [`close_mouth`](Self::close_mouth); with `amount` 1 all of it, and
    /// more of it above 1.
    ///
    /// Where bands of the pictures that were carried suit the frame, their detail is shown instead of that of
    /// `carried`: `suits` tells how much, 0 to 1, for each of the first layers of `places`, which are those of
    /// [`ReferenceWarp::places`](super::ReferenceWarp::places); their third number becomes how much of a band is
    /// shown. Without layers, `places` is not read.
    ///
    /// # Panics
    /// When the pictures, or that of the mouth, have other lengths.
    pub fn replace(
        &mut self,
        generated: &mut [f32],
        carried: &[f32],
        (size, amount): (usize, f32),
        (suits, places): (&[f32], &mut [Vec<[f32; 4]>]),
    ) {
        let area = size * size;
        assert!(
            [generated.len(), carried.len(), 3 * self.inside.len()] == [3 * area; 3],
            "pictures of another size"
        );
        self.compare(generated, carried, size);
        let layers = &mut places[..suits.len()];
        for i in 0..area {
            let share = self.share[i];
            let in_bands = weigh(layers, suits, i, amount * share);
            if share > 0.0 {
                let (apart, own) = (self.difference[i], self.own[i]);
                let theirs = amount * share * (apart + in_bands * own);
                let less = theirs - share * (amount - 1.0).max(0.0) * (apart + own);
                for plane in 0..3 {
                    generated[plane * area + i] -= less;
                }
            }
        }
    }

    /// Where two pictures agree, and the detail of both: `share`, `difference` and `own`.
    fn compare(&mut self, generated: &[f32], carried: &[f32], size: usize) {
        let Self {
            share,
            difference,
            own,
            coarse,
            smooth,
            padded,
            ..
        } = self;
        luma(carried, own);
        luma(generated, difference);
        let pair = difference.iter_mut().zip(own.iter());
        pair.for_each(|(generated, carried)| *generated -= carried);
        smooth.clone_from(own);
        blur(smooth, size, FINE, padded);
        let pair = own.iter_mut().zip(smooth.iter());
        pair.for_each(|(own, smooth)| *own -= smooth);
        coarse.clone_from(difference);
        blur(coarse, size, FINE, padded);
        smooth.clone_from(difference);
        blur(smooth, size, LIGHT, padded);
        share.clear();
        let apart = coarse.iter().zip(smooth.iter());
        share.extend(apart.map(|(near, light)| (near - light).abs()));
        blur(share, size, FINE, padded);
        let (agree, differ) = AGREE;
        let details = difference.iter_mut().zip(coarse.iter()).zip(own.iter());
        let shares = share.iter_mut().zip(&self.inside);
        for ((share, inside), ((difference, coarse), own)) in shares.zip(details) {
            let shown = (1.0 - smoothstep(agree, differ, *share)) * (1.0 - inside);
            *difference -= coarse;
            // Where a value is not a number, nothing is shown.
            let finite = share.is_finite() && difference.is_finite() && own.is_finite();
            *share = if finite && shown > 0.0 { shown } else { 0.0 };
        }
    }

    /// The inside of the mouth of [`close_mouth`](Self::close_mouth), `[size, size]`, 0 to 1.
    pub fn mouth(&self) -> &[f32] {
        &self.inside
    }

    /// Draws the inside of the mouth, wider than it is and with a soft edge, where no detail is shown. `inner`
    /// is the inner edge of the lips, x and y in [-1, 1] of a crop of `size` pixels a side.
    pub fn close_mouth(&mut self, inner: &[[f32; 2]], size: usize) {
        let Self {
            inside,
            padded,
            crossings,
            ..
        } = self;
        inside.clear();
        inside.resize(size * size, 0.0);
        fill(inside, size, inner, crossings);
        blur(inside, size, FADE, padded);
        for value in inside.iter_mut() {
            *value = f32::from(*value > 1e-3);
        }
        blur(inside, size, FADE, padded);
    }
}

/// Turns the weights of layers at a pixel into how much of each one's band is shown, `amount` in all; gives the
/// share of the pixel whose detail is in bands.
///
/// Detail differs from picture to picture by light, noise and place, so a mean of pictures has less of it than
/// each of them. Hence the picture with most weight gets most of the fourth powers; and what the mean still
/// takes is given back half, since some detail is the same in all.
fn weigh(layers: &mut [Vec<[f32; 4]>], suits: &[f32], pixel: usize, amount: f32) -> f32 {
    let most = layers
        .iter()
        .fold(0.0, |most: f32, places| most.max(places[pixel][2]));
    if most == 0.0 || amount <= 0.0 {
        layers.iter_mut().for_each(|places| places[pixel][2] = 0.0);
        return 0.0;
    }
    let (mut sum, mut squares) = (0.0, 0.0);
    for places in layers.iter_mut() {
        let weight = &mut places[pixel][2];
        *weight = (*weight / most).powi(4);
        sum += *weight;
        squares += *weight * *weight;
    }
    let lost = sum * sum / squares;
    let mut in_bands = 0.0;
    for (places, suits) in layers.iter_mut().zip(suits) {
        let share = places[pixel][2] / sum * suits;
        in_bands += share;
        places[pixel][2] = share * amount * lost.sqrt().sqrt();
    }
    in_bands
}

/// Luma of planar RGB.
fn luma(picture: &[f32], luma: &mut Vec<f32>) {
    let area = picture.len() / 3;
    let (red, rest) = picture.split_at(area);
    let (green, blue) = rest.split_at(area);
    let colours = red.iter().zip(green).zip(blue);
    luma.clear();
    luma.extend(colours.map(|((r, g), b)| 0.299 * r + 0.587 * g + 0.114 * b));
}

/// Sets the pixels whose centres lie in a polygon to 1 (even-odd rule).
fn fill(picture: &mut [f32], size: usize, polygon: &[[f32; 2]], crossings: &mut Vec<f32>) {
    let half = size as f32 / 2.0;
    for (y, row) in picture.chunks_exact_mut(size).enumerate() {
        let height = (y as f32 + 0.5) / half - 1.0;
        crossings.clear();
        for (k, from) in polygon.iter().enumerate() {
            let to = polygon[(k + 1) % polygon.len()];
            if (from[1] > height) != (to[1] > height) {
                let at = (height - from[1]) / (to[1] - from[1]);
                crossings.push((from[0] + (to[0] - from[0]) * at + 1.0) * half - 0.5);
            }
        }
        crossings.sort_by(f32::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let [first, last] =
                [pair[0].ceil(), pair[1].floor() + 1.0].map(|at| (at.max(0.0) as usize).min(size));
            row[first..last.max(first)].fill(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 64;
    const MOUTH: [[f32; 2]; 4] = [[-0.25, 0.25], [0.25, 0.25], [0.25, 0.5], [-0.25, 0.5]];

    fn at(gate: &DetailGate, x: f32, y: f32) -> f32 {
        let [x, y] = [x, y].map(|v| ((v + 1.0) / 2.0 * SIZE as f32) as usize);
        gate.share[y * SIZE + x]
    }

    #[test]
    fn the_gate_is_open_where_pictures_agree_but_not_inside_the_mouth() {
        let carried = vec![0.1f32; 3 * SIZE * SIZE];
        // A change of light alone leaves the gate open.
        let mut generated = vec![0.2f32; 3 * SIZE * SIZE];
        for plane in 0..3 {
            for y in 4..10 {
                for x in 4..10 {
                    generated[(plane * SIZE + y) * SIZE + x] = 0.9;
                }
            }
        }
        let mut gate = DetailGate::default();
        gate.close_mouth(&MOUTH, SIZE);
        gate.replace(&mut generated, &carried, (SIZE, 1.0), (&[], &mut []));
        assert_eq!(at(&gate, 0.0, 0.4), 0.0);
        assert_eq!(at(&gate, 0.24, 0.4), 0.0);
        assert_eq!(at(&gate, -0.8, -0.8), 0.0);
        assert_eq!(at(&gate, 0.7, -0.5), 1.0);
        assert_eq!(at(&gate, 0.0, 0.9), 1.0);
        assert!(gate.share.iter().all(|share| (0.0..=1.0).contains(share)));
        generated[0] = f32::NAN;
        gate.close_mouth(&[], SIZE);
        gate.replace(&mut generated, &carried, (SIZE, 1.0), (&[], &mut []));
        assert!(gate.share.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn detail_is_that_of_the_nearest_picture_and_not_much_more_in_all() {
        let layers = |weights: &[f32]| -> Vec<Vec<[f32; 4]>> {
            weights.iter().map(|w| vec![[0.0, 0.0, *w, 0.0]]).collect()
        };
        let shown = |weights: &[f32], suits: &[f32], amount| {
            let mut places = layers(weights);
            let in_bands = weigh(&mut places, suits, 0, amount);
            (
                places.iter().map(|places| places[0][2]).collect::<Vec<_>>(),
                in_bands,
            )
        };
        assert_eq!(shown(&[0.3], &[1.0], 0.5), (vec![0.5], 1.0));
        let (two, in_bands) = shown(&[1e-12, 2e-12], &[1.0, 1.0], 1.0);
        assert!(
            two[1] > 15.9 * two[0] && two[1] < 1.0 && in_bands == 1.0,
            "{two:?}"
        );
        let (even, _) = shown(&[0.2, 0.2], &[1.0, 1.0], 1.0);
        let most = even.iter().map(|share| share * share).sum::<f32>().sqrt();
        assert!((most - 0.5f32.powf(0.25)).abs() < 1e-6, "{even:?}");
        // A picture without a band leaves its share to what was carried.
        let (half, in_bands) = shown(&[0.2, 0.2], &[1.0, 0.0], 1.0);
        assert_eq!((half[1], in_bands), (0.0, 0.5));
        assert_eq!(shown(&[0.0, 0.0], &[1.0, 1.0], 1.0), (vec![0.0; 2], 0.0));
        assert_eq!(shown(&[1.0, 1.0], &[1.0, 1.0], 0.0), (vec![0.0; 2], 0.0));
    }

    #[test]
    fn in_a_band_is_what_the_crop_would_have_carried() {
        // Where a band stands for all detail, the crop is left with none of its own; elsewhere it has that
        // of the picture that was carried.
        let stripes = |step: usize| -> Vec<f32> {
            (0..3 * SIZE * SIZE)
                .map(|i| [0.02, -0.02][i / step % 2])
                .collect()
        };
        let (carried, generated) = (stripes(1), vec![0.1; 3 * SIZE * SIZE]);
        let detail = |suits: &[f32]| {
            let (mut gate, mut picture) = (DetailGate::default(), generated.clone());
            let mut places = vec![vec![[0.0, 0.0, 1.0, 0.0]; SIZE * SIZE]; suits.len()];
            gate.close_mouth(&[], SIZE);
            gate.replace(&mut picture, &carried, (SIZE, 1.0), (suits, &mut places));
            let middle = SIZE * SIZE / 2 + SIZE / 2;
            (picture[middle] - picture[middle + 1]) / 2.0
        };
        // The mean over seven pixels of the stripes is a seventh of them.
        let whole = 0.02 * 8.0 / 7.0;
        for (suits, left) in [(vec![], 1.0), (vec![0.5], 0.5), (vec![1.0], 0.0)] {
            let found = detail(&suits);
            assert!((found - left * whole).abs() < 1e-4, "{suits:?}: {found}");
        }
    }

    #[test]
    fn a_mouth_that_is_closed_is_skin() {
        let mut picture = vec![0.0; 3 * SIZE * SIZE];
        let mut gate = DetailGate::default();
        let carried = picture.clone();
        gate.close_mouth(&MOUTH.map(|[x, _]| [x, 0.3]), SIZE);
        gate.replace(&mut picture, &carried, (SIZE, 1.0), (&[], &mut []));
        assert!(gate.share.iter().all(|share| *share == 1.0));
    }
}
