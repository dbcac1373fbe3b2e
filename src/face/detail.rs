//! Where the fine bands of references are shown in a crop, and how much of them.
//!
//! A band suits the generated picture only where that agrees with the pictures that were carried: on skin
//! and lips. It does not suit the inside of the mouth, where a tooth would get the edges of another.

use super::reference_warp::{MOST_LAYERS, ReferenceWarp};

/// Differences of luma up to which the pictures agree, and from which they do not, in 0 to 1.
const AGREE: (f32, f32) = (0.015, 0.05);
/// Differences over this many pixels to each side are light, not shape.
const LIGHT: usize = 8;
/// Differences are averaged over this many pixels to each side.
const NEAR: usize = 2;
/// Pixels around the inside of the mouth that fade in.
const FADE: usize = 3;

/// Decides where bands are shown. Owns its buffers: after the first crop, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct DetailGate {
    share: Vec<f32>,
    inside: Vec<f32>,
    smooth: Vec<f32>,
    row: Vec<f32>,
    crossings: Vec<f32>,
    places: [Vec<[f32; 4]>; MOST_LAYERS],
}

impl DetailGate {
    /// Computes the share of the bands at each pixel, 0 to 1, of `generated` and `carried`, planar RGB
    /// `[3, size, size]` in [-1, 1]. `inner` is the inner edge of the lips, x and y in [-1, 1].
    ///
    /// # Panics
    /// When the pictures have other lengths.
    pub fn open(&mut self, generated: &[f32], carried: &[f32], inner: &[[f32; 2]], size: usize) {
        let area = size * size;
        assert!(
            generated.len() == 3 * area && carried.len() == 3 * area,
            "pictures of another size"
        );
        let Self {
            share,
            inside,
            smooth,
            row,
            crossings,
            ..
        } = self;
        share.clear();
        share.extend((0..area).map(|i| {
            let [r, g, b] =
                [0, 1, 2].map(|plane| generated[plane * area + i] - carried[plane * area + i]);
            0.5 * (0.299 * r + 0.587 * g + 0.114 * b)
        }));
        smooth.clone_from(share);
        blur(smooth, size, LIGHT, row);
        for (share, light) in share.iter_mut().zip(smooth.iter()) {
            *share = (*share - light).abs();
        }
        blur(share, size, NEAR, row);
        inside.clear();
        inside.resize(area, 0.0);
        fill(inside, size, inner, crossings);
        // Twice: the first widens the region, the second fades its edge.
        blur(inside, size, FADE, row);
        for value in inside.iter_mut() {
            *value = f32::from(*value > 1e-3);
        }
        blur(inside, size, FADE, row);
        let (agree, differ) = AGREE;
        for (share, inside) in share.iter_mut().zip(inside.iter()) {
            let apart = crate::numeric::smoothstep(agree, differ, *share);
            // A value that is not a number shows nothing.
            let shown = (1.0 - apart) * (1.0 - inside);
            *share = if share.is_finite() && shown > 0.0 {
                shown
            } else {
                0.0
            };
        }
    }

    /// Finds the places of the crop's pixels in each of the pictures that `warp` mixed last. `amounts`: how
    /// much of each picture's band is shown where the gate is open.
    pub fn place(&mut self, warp: &ReferenceWarp, grid: usize, amounts: &[f32], size: usize) {
        warp.places(grid, size, amounts.len(), &mut self.places);
        let layers = &mut self.places[..amounts.len()];
        for (i, open) in self.share.iter().enumerate() {
            let sum: f32 = layers.iter().map(|places| places[i][2]).sum();
            for (places, amount) in layers.iter_mut().zip(amounts) {
                places[i][2] *= open * amount / sum;
            }
        }
    }

    /// What [`place`](Self::place) found, one list `[size, size]` per picture, as
    /// [`DetailLayer::places`](crate::frame::DetailLayer::places).
    pub fn places(&self) -> &[Vec<[f32; 4]>; MOST_LAYERS] {
        &self.places
    }
}

/// Means over the squares that reach `reach` pixels to each side; smaller at the picture's edge.
fn blur(picture: &mut [f32], size: usize, reach: usize, line: &mut Vec<f32>) {
    let mut pass = |first: usize, step: usize| {
        line.clear();
        line.extend((0..size).map(|i| picture[first + i * step]));
        for i in 0..size {
            let window = &line[i.saturating_sub(reach)..(i + reach + 1).min(size)];
            picture[first + i * step] = window.iter().sum::<f32>() / window.len() as f32;
        }
    };
    for i in 0..size {
        pass(i * size, 1);
    }
    for i in 0..size {
        pass(i, size);
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
        // A change of light is no disagreement.
        let mut generated = vec![0.2f32; 3 * SIZE * SIZE];
        for plane in 0..3 {
            for y in 4..10 {
                for x in 4..10 {
                    generated[(plane * SIZE + y) * SIZE + x] = 0.9;
                }
            }
        }
        let mut gate = DetailGate::default();
        gate.open(&generated, &carried, &MOUTH, SIZE);
        assert_eq!(at(&gate, 0.0, 0.4), 0.0);
        assert_eq!(at(&gate, 0.24, 0.4), 0.0);
        assert_eq!(at(&gate, -0.8, -0.8), 0.0);
        assert_eq!(at(&gate, 0.7, -0.5), 1.0);
        assert_eq!(at(&gate, 0.0, 0.9), 1.0);
        assert!(gate.share.iter().all(|share| (0.0..=1.0).contains(share)));
        generated[0] = f32::NAN;
        gate.open(&generated, &carried, &[], SIZE);
        assert!(gate.share.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn a_mouth_that_is_closed_is_skin() {
        let picture = vec![0.0; 3 * SIZE * SIZE];
        let mut gate = DetailGate::default();
        gate.open(&picture, &picture, &MOUTH.map(|[x, _]| [x, 0.3]), SIZE);
        assert!(gate.share.iter().all(|share| *share == 1.0));
    }
}
