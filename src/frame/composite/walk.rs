//! How the pixels of a frame see a patch.

use crate::frame::area::add;
use crate::frame::bilinear::bilinear;
use crate::frame::colour::Curve;
use crate::frame::cubic;
use crate::frame::detail::DetailLayer;
use crate::frame::format::FrameRef;
use crate::frame::similarity::Similarity;
use crate::frame::table::unit;
use crate::frame::tone::ToneMap;

/// Pixels of border around a patch, so that samples need no bounds test.
pub(super) const BORDER: usize = 3;
/// Frame pixels of a row that are sampled at once.
pub(super) const BLOCK: usize = 32;

/// A rectangle of a frame in pixels: columns `left..right`, rows `top..bottom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Column after the last one.
    pub right: usize,
    /// Row after the last one.
    pub bottom: usize,
}

/// The size of a frame in pixels, and their aspect ratio.
#[derive(Clone, Copy)]
pub(super) struct FrameShape {
    width: usize,
    height: usize,
    aspect: f64,
}

impl FrameShape {
    pub(super) fn of(frame: &FrameRef<'_>) -> Self {
        Self {
            width: frame.width(),
            height: frame.height(),
            aspect: frame.pixel_aspect(),
        }
    }
}

/// The frame pixels that a mask can reach, and how each sees the crop.
pub(super) struct Walk {
    pub(super) bounds: Bounds,
    /// The box of the crop where alpha is above 0: left, top, right, bottom.
    pub(super) inside: [usize; 4],
    to_crop: Similarity,
    size: usize,
    /// A frame pixel's width divided by its height.
    aspect: f64,
    /// Samples across and down a frame pixel: above 1 where the face is smaller than the crop.
    samples: [usize; 2],
}

impl Walk {
    pub(super) fn new(
        shape: FrameShape,
        map: &Similarity,
        size: usize,
        alpha: &[f32],
    ) -> Option<Self> {
        let FrameShape {
            width,
            height,
            aspect,
        } = shape;
        let inside = support(alpha, size)?;
        let [left, top, right, bottom] = inside.map(|v| v as f64);
        // A bilinear sample of alpha is above 0 up to half a pixel beyond it.
        let frame = map.bounds([left - 0.5, top - 0.5, right + 0.5, bottom + 0.5]);
        let low = |v: f64, side: usize| (v - 1.0).floor().clamp(0.0, side as f64) as usize;
        let high = |v: f64, side: usize| (v + 1.0).ceil().clamp(0.0, side as f64) as usize;
        let bounds = Bounds {
            left: low(frame[0] / aspect, width),
            top: low(frame[1], height),
            right: high(frame[2] / aspect, width),
            bottom: high(frame[3], height),
        };
        let samples =
            [aspect, 1.0].map(|side| (side / map.scale() - 1e-6).ceil().clamp(1.0, 32.0) as usize);
        let seen = bounds.left < bounds.right && bounds.top < bounds.bottom;
        seen.then(|| Self {
            bounds,
            inside,
            to_crop: map.inverse(),
            size,
            aspect,
            samples,
        })
    }

    /// A sample as the generated picture's colour at a frame pixel, in the frame's encoding.
    #[inline(always)]
    pub(super) fn generated(
        &self,
        [r, g, b, _]: [f32; 4],
        detail: &[DetailLayer<'_>],
        (curve, tone): (&Curve, ToneMap),
        (x, y): (usize, usize),
    ) -> [f32; 3] {
        let added = self.detail(detail, x, y);
        let mut rgb = [r, g, b];
        for v in &mut rgb {
            if added != 0.0 {
                *v = unit(*v + added);
            }
            if !curve.is_wide() {
                *v = tone.invert(curve.from_srgb(*v));
            }
        }
        match curve.is_wide() {
            true => curve.pixel_from_srgb(rgb).map(|v| tone.invert(v)),
            false => rgb,
        }
    }

    /// Calls `see` with the column, the row and the sample of each frame pixel whose alpha is above 0.
    pub(super) fn each_pixel(
        &self,
        cells: &[[f32; 4]],
        mut see: impl FnMut(usize, usize, [f32; 4]),
    ) {
        let Bounds {
            left,
            top,
            right,
            bottom,
        } = self.bounds;
        for y in top..bottom {
            for left in (left..right).step_by(BLOCK) {
                let mut samples = [[0.0; 4]; BLOCK];
                self.sample(cells, left, y, &mut samples);
                for (x, sample) in (left..right).zip(samples) {
                    if sample[3] > 0.0 {
                        see(x, y, sample);
                    }
                }
            }
        }
    }

    /// sRGB and alpha at frame pixels of a row, the first of them in column `left`. Samples start as 0; where
    /// alpha is 0, they stay so.
    #[inline(always)]
    pub(super) fn sample(
        &self,
        cells: &[[f32; 4]],
        left: usize,
        y: usize,
        samples: &mut [[f32; 4]; BLOCK],
    ) {
        if self.samples == [1; 2] {
            return self.sample_once(cells, left, y, samples);
        }
        let [across, down] = self.samples;
        let step = self.samples.map(|count| 1.0 / count as f64);
        for (x, sample) in (left..).zip(samples) {
            let mut sum = [0.0f32; 4];
            for j in 0..down {
                for i in 0..across {
                    let (dx, dy) = ((i as f64 + 0.5) * step[0], (j as f64 + 0.5) * step[1]);
                    if let Some((at, fx, fy)) = self.place([x as f64 + dx, y as f64 + dy]) {
                        let below = &cells[at + self.width()..][..2];
                        let [r, g, b, a] = bilinear(&cells[at..][..2], below, fx, fy);
                        // Weighted by alpha, so that what the mask hides takes no part.
                        for (s, v) in sum.iter_mut().zip([r * a, g * a, b * a, a]) {
                            *s += v;
                        }
                    }
                }
            }
            let [r, g, b, a] = sum;
            if a > 0.0 {
                *sample = [r / a, g / a, b / a, a / (across * down) as f32];
            }
        }
    }

    /// [`sample`](Self::sample) where a frame pixel is no larger than a crop pixel: one sample each, sharper
    /// than bilinear.
    #[inline(always)]
    fn sample_once(
        &self,
        cells: &[[f32; 4]],
        left: usize,
        y: usize,
        samples: &mut [[f32; 4]; BLOCK],
    ) {
        // At the edge of these limits and beyond, alpha is 0.
        let border = BORDER as f32 - 0.5;
        let [low_u, low_v, high_u, high_v] = self.inside.map(|v| v as f32);
        let begin = self.crop_point([left as f64 + 0.5, y as f64 + 0.5]);
        let begin = begin.map(|v| v as f32);
        let step = [self.to_crop.a, self.to_crop.b].map(|v| (v * self.aspect) as f32);
        let width = self.width();
        let mut at = [0i32; BLOCK];
        let (mut across, mut down) = ([0.0; BLOCK], [0.0; BLOCK]);
        for k in 0..BLOCK {
            let u = (begin[0] + step[0] * k as f32)
                .max(low_u - 0.5)
                .min(high_u + 0.5)
                + border;
            let v = (begin[1] + step[1] * k as f32)
                .max(low_v - 0.5)
                .min(high_v + 0.5)
                + border;
            let (i, j) = (u as i32, v as i32);
            at[k] = j * width as i32 + i;
            (across[k], down[k]) = (u - i as f32, v - j as f32);
        }
        let (columns, rows) = (cubic(&across), cubic(&down));
        for (k, sample) in samples.iter_mut().enumerate() {
            // The four rows of cells around the point.
            let near = &cells[at[k] as usize - width - 1..][..3 * width + 4];
            let (above, below) = (&near[width + 1..][..2], &near[2 * width + 1..][..2]);
            let [.., alpha] = bilinear(above, below, across[k], down[k]);
            if alpha <= 0.0 {
                continue;
            }
            let mut sum = [0.0f32; 4];
            for (j, row_weight) in rows.iter().enumerate() {
                let row = &near[j * width..][..4];
                let mut along = [0.0f32; 4];
                for (cell, column_weight) in row.iter().zip(&columns) {
                    add(&mut along, *cell, column_weight[k]);
                }
                add(&mut sum, along, row_weight[k]);
            }
            *sample = [sum[0], sum[1], sum[2], alpha];
        }
    }

    /// What the layers add at a frame pixel, in sRGB.
    #[inline(always)]
    fn detail(&self, layers: &[DetailLayer<'_>], x: usize, y: usize) -> f32 {
        if self.samples != [1; 2] || layers.iter().all(|layer| layer.band.is_none()) {
            return 0.0;
        }
        let [u, v] = self.crop_point([x as f64 + 0.5, y as f64 + 0.5]);
        let last = (self.size - 1) as f64;
        let (u, v) = ((u - 0.5).clamp(0.0, last), (v - 0.5).clamp(0.0, last));
        let (i, j) = (
            (u as i32 as usize).min(self.size - 2),
            (v as i32 as usize).min(self.size - 2),
        );
        let (fx, fy) = ((u - i as f64) as f32, (v - j as f64) as f32);
        let at = j * self.size + i;
        let mut sum = 0.0;
        for layer in layers {
            let Some(band) = layer.band else { continue };
            let below = &layer.places[at + self.size..][..2];
            let [x, y, share, _] = bilinear(&layer.places[at..][..2], below, fx, fy);
            if share > 0.0 {
                sum += share * band.sample(x, y);
            }
        }
        sum
    }

    /// The point of the crop that is seen at a point of the frame, in pixels.
    #[inline(always)]
    pub(super) fn crop_point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.to_crop.apply([x * self.aspect, y])
    }

    fn width(&self) -> usize {
        self.size + 2 * BORDER
    }

    /// The cell up and left of a frame point and the point's place between it and its neighbours;
    /// `None` where alpha must be 0.
    #[inline(always)]
    fn place(&self, point: [f64; 2]) -> Option<(usize, f32, f32)> {
        let [u, v] = self.crop_point(point);
        let [left, top, right, bottom] = self.inside;
        let seen = u > left as f64 - 0.5
            && u < right as f64 + 0.5
            && v > top as f64 - 0.5
            && v < bottom as f64 + 0.5;
        if !seen {
            return None;
        }
        // Not negative: u > -0.5.
        let (u, v) = (u - 0.5 + BORDER as f64, v - 0.5 + BORDER as f64);
        let (i, j) = (u as i32 as usize, v as i32 as usize);
        Some((
            j * self.width() + i,
            (u - i as f64) as f32,
            (v - j as f64) as f32,
        ))
    }
}

/// The box of the pixels above 0: left, top, right, bottom.
fn support(alpha: &[f32], size: usize) -> Option<[usize; 4]> {
    let mut found: Option<[usize; 4]> = None;
    for (y, row) in alpha.chunks_exact(size).enumerate() {
        let Some(left) = row.iter().position(|a| *a > 0.0) else {
            continue;
        };
        let right = row.iter().rposition(|a| *a > 0.0).map_or(left, |x| x) + 1;
        let b = found.get_or_insert([left, y, right, y + 1]);
        *b = [b[0].min(left), b[1], b[2].max(right), y + 1];
    }
    found
}

/// Weights of the four neighbours of points `t` beyond the second.
#[inline(always)]
fn cubic(t: &[f32; BLOCK]) -> [[f32; BLOCK]; 4] {
    let mut weights = [[0.0; BLOCK]; 4];
    for (k, &t) in t.iter().enumerate() {
        for (weights, weight) in weights.iter_mut().zip(cubic::weights(t)) {
            weights[k] = weight;
        }
    }
    weights
}
