//! The fine detail of references: where it is shown in a crop, and how much of it.
//!
//! A generator that was trained on pixels gives smooth skin. Where what it generated agrees with the
//! pictures that were carried but for their detail, the person's own detail replaces its own; in the crop,
//! and for large faces at the frame's resolution. It does not suit the inside of the mouth, where a tooth
//! would get the edges of another. Not in the paper.

use multiversion::multiversion;

use crate::numeric::smoothstep;

/// Differences of luma, which spans -1 to 1, up to which the pictures agree and from which they do not.
const AGREE: (f32, f32) = (0.04, 0.12);
/// Differences over this many pixels to each side are light, not shape.
const LIGHT: usize = 8;
/// Differences over less than this many pixels to each side are detail.
const FINE: usize = 3;
/// Pixels around the inside of the mouth that fade in.
const FADE: usize = 2;

/// Decides where bands are shown. Owns its buffers: after the first crop, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct DetailGate {
    share: Vec<f32>,
    /// Luma of what was generated less that of what was carried, and its means over small and large squares.
    difference: Vec<f32>,
    coarse: Vec<f32>,
    inside: Vec<f32>,
    smooth: Vec<f32>,
    padded: Vec<f32>,
    crossings: Vec<f32>,
}

impl DetailGate {
    /// Replaces the detail of `generated` by that of `carried`, both planar RGB `[3, size, size]` in
    /// [-1, 1], where they agree, but not in the mouth of [`close_mouth`](Self::close_mouth); `amount` 1
    /// replaces it all.
    ///
    /// # Panics
    /// When the pictures, or that of the mouth, have other lengths.
    pub fn replace(&mut self, generated: &mut [f32], carried: &[f32], size: usize, amount: f32) {
        let area = size * size;
        assert!(
            [generated.len(), carried.len(), 3 * self.inside.len()] == [3 * area; 3],
            "pictures of another size"
        );
        let Self {
            share,
            difference,
            coarse,
            smooth,
            padded,
            ..
        } = self;
        difference.clear();
        difference.extend((0..area).map(|i| {
            let [r, g, b] =
                [0, 1, 2].map(|plane| generated[plane * area + i] - carried[plane * area + i]);
            0.299 * r + 0.587 * g + 0.114 * b
        }));
        coarse.clone_from(difference);
        blur(coarse, size, FINE, padded);
        smooth.clone_from(difference);
        blur(smooth, size, LIGHT, padded);
        share.clear();
        let apart = coarse.iter().zip(smooth.iter());
        share.extend(apart.map(|(near, light)| (near - light).abs()));
        blur(share, size, FINE, padded);
        let (agree, differ) = AGREE;
        let between = self.difference.iter().zip(&self.coarse);
        let shares = self.share.iter_mut().zip(&self.inside);
        for (i, ((share, inside), (all, coarse))) in shares.zip(between).enumerate() {
            let shown = (1.0 - smoothstep(agree, differ, *share)) * (1.0 - inside);
            // Where a value is not a number, nothing is shown.
            *share = if share.is_finite() && all.is_finite() && shown > 0.0 {
                shown
            } else {
                0.0
            };
            if *share > 0.0 {
                for plane in 0..3 {
                    generated[plane * area + i] -= amount * *share * (all - coarse);
                }
            }
        }
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

    /// Weighs the layers of a crop: `places` of [`ReferenceWarp::places`](super::ReferenceWarp::places) get as
    /// their third number how much of their picture's band is shown there. `amounts`: how much of it is shown
    /// where the gate is open. Layers without an amount are left as they are.
    pub fn open(&self, amounts: &[f32], places: &mut [Vec<[f32; 4]>]) {
        let layers = &mut places[..amounts.len()];
        for (i, open) in self.share.iter().enumerate() {
            let sum: f32 = layers.iter().map(|places| places[i][2]).sum();
            for (places, amount) in layers.iter_mut().zip(amounts) {
                places[i][2] *= open * amount / sum;
            }
        }
    }
}

/// Means over the squares that reach `reach` pixels to each side; smaller at the picture's edge.
fn blur(picture: &mut [f32], size: usize, reach: usize, padded: &mut Vec<f32>) {
    let inside = |i: usize| (i + reach).min(size - 1) - i.saturating_sub(reach) + 1;
    // Zeros around the picture change no sum.
    padded.clear();
    padded.resize(size + 2 * reach, 0.0);
    for row in picture.chunks_exact_mut(size) {
        padded[reach..reach + size].copy_from_slice(row);
        add_terms(row, padded, 1, 2 * reach + 1);
        for (i, sum) in row.iter_mut().enumerate() {
            *sum /= inside(i) as f32;
        }
    }
    padded.fill(0.0);
    padded.resize((size + 2 * reach) * size, 0.0);
    padded[reach * size..][..size * size].copy_from_slice(picture);
    padded[(reach + size) * size..].fill(0.0);
    for (i, row) in picture.chunks_exact_mut(size).enumerate() {
        add_terms(row, &padded[i * size..], size, 2 * reach + 1);
        let count = inside(i) as f32;
        row.iter_mut().for_each(|sum| *sum /= count);
    }
}

/// Sets `sums[i]` to the sum of `count` terms, the first of them `terms[i]`, the others `step` apart.
#[multiversion(targets("x86_64+avx2"))]
fn add_terms(sums: &mut [f32], terms: &[f32], step: usize, count: usize) {
    sums.fill(0.0);
    for k in 0..count {
        for (sum, term) in sums.iter_mut().zip(&terms[k * step..]) {
            *sum += term;
        }
    }
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
        gate.replace(&mut generated, &carried, SIZE, 1.0);
        assert_eq!(at(&gate, 0.0, 0.4), 0.0);
        assert_eq!(at(&gate, 0.24, 0.4), 0.0);
        assert_eq!(at(&gate, -0.8, -0.8), 0.0);
        assert_eq!(at(&gate, 0.7, -0.5), 1.0);
        assert_eq!(at(&gate, 0.0, 0.9), 1.0);
        assert!(gate.share.iter().all(|share| (0.0..=1.0).contains(share)));
        generated[0] = f32::NAN;
        gate.close_mouth(&[], SIZE);
        gate.replace(&mut generated, &carried, SIZE, 1.0);
        assert!(gate.share.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn a_mouth_that_is_closed_is_skin() {
        let mut picture = vec![0.0; 3 * SIZE * SIZE];
        let mut gate = DetailGate::default();
        let carried = picture.clone();
        gate.close_mouth(&MOUTH.map(|[x, _]| [x, 0.3]), SIZE);
        gate.replace(&mut picture, &carried, SIZE, 1.0);
        assert!(gate.share.iter().all(|share| *share == 1.0));
    }
}
