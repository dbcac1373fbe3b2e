//! The pictures of references, warped to the target mouth shape and mixed
//! (`models/networks/reference_warp.py`).
//!
//! Latent codes hold no spatial detail, but reference frames show the person's own skin, beard, lips
//! and teeth. Their crops are warped from their own mouth shape to the target one, and what comes of
//! it is passed to the generator, which only has to synthesise what the references do not show. Not in
//! the paper.
//!
//! Points are [`mouth_points`](super::lips::mouth_points) of the reference and of the frame.

use super::reference_picture::{LEVELS, ReferencePicture, value};
use super::warp_field::{ReferenceWarpProtocol, WarpField};

/// References that can be mixed in one picture.
pub const MOST_LAYERS: usize = 3;

#[inline]
fn blend<const N: usize>(a: &[f32; N], b: &[f32; N], share: f32) -> [f32; N] {
    std::array::from_fn(|k| a[k] + share * (b[k] - a[k]))
}

/// The two cells of a row or column of `grid` around a pixel of `size`, and the weight of the second.
fn cells_around(pixel: usize, grid: usize, size: usize) -> (usize, usize, f32) {
    let at = ((pixel as f32 + 0.5) * grid as f32 / size as f32 - 0.5).max(0.0);
    let cell = (at as usize).min(grid - 1);
    (cell, (cell + 1).min(grid - 1), at - cell as f32)
}

/// A reference to be warped.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Its crop.
    pub picture: &'a ReferencePicture,
    /// The points of the mouth that it shows.
    pub points: &'a [f32],
    /// Its share of the picture, above 0. Each pixel takes it the less the more it is stretched or
    /// squeezed there; the shares of a pixel need not sum to 1.
    pub share: f32,
}

/// Warps images. Owns its buffers: after the first image of a size, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct ReferenceWarp {
    fields: [WarpField; MOST_LAYERS],
    /// The rows of each field, interpolated to the width of the picture.
    wide: [Vec<f32>; MOST_LAYERS],
    /// For each pixel of a row or column the two cells around it, and the weight of the second.
    between: Vec<(usize, usize, f32)>,
    row: RowBuffers,
}

/// One row of pixels.
#[derive(Clone, Debug, Default)]
struct RowBuffers {
    /// Fixed-point positions in the picture.
    x: Vec<u32>,
    y: Vec<u32>,
    weight: Vec<f32>,
    /// The weighted sum of the layers' pixels: red, green, blue, weight.
    sums: Vec<[f32; 4]>,
}

impl ReferenceWarp {
    /// Writes to `out` the image `[3, size, size]` in [-1, 1]: `picture` warped so that its points
    /// `seen` lie at `wanted`. Points are x and y in [-1, 1] of their crops, both lists in the same
    /// order. The old content of `out` is replaced.
    ///
    /// # Panics
    /// If `seen` and `wanted` differ in length.
    pub fn draw(
        &mut self,
        picture: &ReferencePicture,
        seen: &[f32],
        wanted: &[f32],
        protocol: ReferenceWarpProtocol,
        out: &mut Vec<f32>,
    ) {
        let layer = Layer {
            picture,
            points: seen,
            share: 1.0,
        };
        self.mix(&[layer], wanted, protocol, out);
    }

    /// As [`draw`](Self::draw), of one to [`MOST_LAYERS`] pictures of one size: each is warped so that
    /// its points lie at `wanted`, and each pixel is their weighted mean. One layer alone is drawn
    /// whatever its share.
    ///
    /// # Panics
    /// If the lists of points differ in length, the pictures in size, or there are no layers or too
    /// many.
    pub fn mix(
        &mut self,
        layers: &[Layer<'_>],
        wanted: &[f32],
        protocol: ReferenceWarpProtocol,
        out: &mut Vec<f32>,
    ) {
        let size = match layers {
            [first, ..] if layers.len() <= MOST_LAYERS => first.picture.size(),
            _ => panic!("{} layers", layers.len()),
        };
        for (field, layer) in self.fields.iter_mut().zip(layers) {
            assert_eq!(
                layer.points.len(),
                wanted.len(),
                "the two lists of points differ in length"
            );
            assert_eq!(layer.picture.size(), size, "the pictures differ in size");
            let (seen, wanted) = (layer.points.as_chunks::<2>().0, wanted.as_chunks::<2>().0);
            field.settle(seen, wanted, protocol);
            if layers.len() > 1 {
                field.weigh(protocol.grid, layer.share);
            }
        }
        self.sample(layers, size, protocol.grid, out);
    }

    /// The places in the first `count` pictures of the last [`mix`](Self::mix), for each pixel of a crop
    /// `[size, size]`: x and y in [-1, 1], the picture's weight, and an unused number.
    pub fn places(
        &self,
        grid: usize,
        size: usize,
        count: usize,
        out: &mut [Vec<[f32; 4]>; MOST_LAYERS],
    ) {
        let between = |pixel: usize| cells_around(pixel, grid, size);
        for (field, out) in self.fields.iter().zip(out).take(count) {
            out.clear();
            for (top, below, down) in (0..size).map(between) {
                let row = |cell: usize| &field.cells()[cell * grid..][..grid];
                let (top, below) = (row(top), row(below));
                out.extend((0..size).map(between).map(|(left, right, across)| {
                    let above = blend(&top[left], &top[right], across);
                    blend(&above, &blend(&below[left], &below[right], across), down)
                }));
            }
        }
    }

    /// Samples the pictures at their fields' positions; the fields are interpolated bilinearly.
    fn sample(&mut self, layers: &[Layer<'_>], size: usize, grid: usize, out: &mut Vec<f32>) {
        let Self {
            fields,
            wide,
            between,
            row,
        } = self;
        between.clear();
        between.extend((0..size).map(|pixel| cells_around(pixel, grid, size)));
        for (field, wide) in fields.iter().zip(wide.iter_mut()).take(layers.len()) {
            widen(field.cells(), grid, between, layers[0].picture, wide);
        }
        let area = size * size;
        out.resize(3 * area, 0.0);
        let (red, rest) = out.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        let planes = red.chunks_exact_mut(size).zip(green.chunks_exact_mut(size));
        let planes = planes.zip(blue.chunks_exact_mut(size));
        for (((red, green), blue), &(top, below, fy)) in planes.zip(between.iter()) {
            row.sums.clear();
            row.sums.resize(size, [0.0; 4]);
            for (wide, layer) in wide.iter().zip(layers) {
                let rows = [top, below].map(|cell| &wide[3 * size * cell..][..3 * size]);
                row.add(layer.picture, rows, fy);
            }
            let pixels = red.iter_mut().zip(green).zip(blue);
            for (((red, green), blue), [r, g, b, weight]) in pixels.zip(&row.sums) {
                let scale = 1.0 / (weight * LEVELS);
                *red = value(r * scale);
                *green = value(g * scale);
                *blue = value(b * scale);
            }
        }
    }
}

/// Interpolates each row of a field to the width of the picture: x, then y, both scaled for `picture`, then
/// the weight of all pixels.
fn widen(
    cells: &[[f32; 4]],
    grid: usize,
    between: &[(usize, usize, f32)],
    picture: &ReferencePicture,
    wide: &mut Vec<f32>,
) {
    let size = between.len();
    wide.resize(3 * size * grid, 0.0);
    let rows = wide.chunks_exact_mut(3 * size);
    for (row, cells) in rows.zip(cells.chunks_exact(grid)) {
        for (pixel, &(left, right, share)) in between.iter().enumerate() {
            let [x, y, weight, _] = blend(&cells[left], &cells[right], share);
            row[pixel] = picture.scaled(x);
            row[size + pixel] = picture.scaled(y);
            row[2 * size + pixel] = weight;
        }
    }
}

impl RowBuffers {
    /// Adds the pixels of a picture at the positions between two [widened](widen) rows.
    fn add(&mut self, picture: &ReferencePicture, [above, below]: [&[f32]; 2], share: f32) {
        let size = picture.size();
        let lane = |k: usize| {
            let pair = above[k * size..][..size]
                .iter()
                .zip(&below[k * size..][..size]);
            pair.map(|(a, b)| a + share * (b - a))
        };
        self.x.clear();
        self.x.extend(lane(0).map(|x| picture.fixed(x)));
        self.y.clear();
        self.y.extend(lane(1).map(|y| picture.fixed(y)));
        self.weight.clear();
        self.weight.extend(lane(2));
        let places = self.x.iter().zip(&self.y).zip(&self.weight);
        for (sum, ((x, y), weight)) in self.sums.iter_mut().zip(places) {
            let [red, green, blue] = picture.sample(*x, *y);
            sum[0] += weight * red;
            sum[1] += weight * green;
            sum[2] += weight * blue;
            sum[3] += weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOL: ReferenceWarpProtocol = ReferenceWarpProtocol {
        grid: 16,
        sigma: 0.1,
    };

    /// A picture whose red is x and whose green is y of the pixel, in [-1, 1].
    fn ramps(size: usize) -> ReferencePicture {
        let place = |i: usize| (i as f32 + 0.5) / size as f32 * 2.0 - 1.0;
        let x = (0..size * size).map(|i| place(i % size));
        let y = (0..size * size).map(|i| place(i / size));
        let planar: Vec<f32> = x.chain(y).chain(vec![0.25; size * size]).collect();
        ReferencePicture::new(&planar, size)
    }

    /// Red, green and blue of the pixel nearest to a place.
    fn at(out: &[f32], size: usize, place: [f32; 2]) -> [f32; 3] {
        let [x, y] = place.map(|v| ((v + 1.0) / 2.0 * size as f32) as usize);
        [0, 1, 2].map(|plane| out[plane * size * size + y * size + x])
    }

    fn near(found: [f32; 3], expected: [f32; 2], within: f32) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < within, "{found}, not {expected}");
        }
        assert!((found[2] - 0.25).abs() < 4e-3, "{found:?}");
    }

    #[test]
    fn the_same_points_leave_the_picture_as_it_is() {
        let points = [-0.5, -0.5, 0.5, -0.4, 0.5, 0.5, -0.4, 0.5];
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        warp.draw(&ramps(64), &points, &points, PROTOCOL, &mut out);
        for place in [[0.0, 0.0], [-0.9, 0.7], [0.6, -0.2]] {
            near(at(&out, 64, place), place, 0.02);
        }
    }

    #[test]
    fn an_affine_change_is_followed_everywhere() {
        let seen = [-0.5, -0.5, 0.5, -0.5, 0.5, 0.5, -0.5, 0.5];
        let wanted = seen.map(|v| v * 0.5 + 0.1);
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        warp.draw(&ramps(64), &seen, &wanted, PROTOCOL, &mut out);
        for place in [[0.1, 0.1], [0.3, -0.1], [-0.2, 0.4]] {
            near(
                at(&out, 64, place),
                place.map(|v: f32| (v - 0.1) * 2.0),
                0.05,
            );
        }
        // Beyond the picture its edge is repeated.
        near(at(&out, 64, [0.95, 0.95]), [1.0, 1.0], 0.02);
    }

    #[test]
    fn a_point_that_moves_alone_takes_its_surroundings_along() {
        let mut seen: Vec<f32> = Vec::new();
        for step in 0..12 {
            let angle = step as f32 / 12.0 * std::f32::consts::TAU;
            seen.extend([0.7 * angle.cos(), 0.7 * angle.sin()]);
        }
        let mut wanted = seen.clone();
        seen.extend([0.0, 0.2]);
        wanted.extend([0.0, 0.3]);
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        warp.draw(&ramps(128), &seen, &wanted, PROTOCOL, &mut out);
        near(at(&out, 128, [0.0, 0.3]), [0.0, 0.2], 0.02);
        near(at(&out, 128, [0.0, -0.35]), [0.0, -0.35], 0.03);
    }

    /// A grey picture of one level.
    fn flat(size: usize, level: f32) -> ReferencePicture {
        ReferencePicture::new(&vec![level; 3 * size * size], size)
    }

    #[test]
    fn layers_are_mixed_by_share_and_by_how_far_they_are_stretched() {
        let wanted = [-0.5, 0.0, 0.5, 0.0, 0.0, -0.5, 0.0, 0.5, 0.0, 0.1];
        let mut stretched = wanted;
        stretched[9] = 0.6;
        let (light, dark) = (flat(64, 1.0), flat(64, -1.0));
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        let mut mixed = |light_share: f32, points: &[f32]| {
            let layers = [
                Layer {
                    picture: &light,
                    points,
                    share: light_share,
                },
                Layer {
                    picture: &dark,
                    points: &wanted,
                    share: 1.0,
                },
            ];
            warp.mix(&layers, &wanted, PROTOCOL, &mut out);
            [[0.0, 0.1], [0.9, -0.9]].map(|place| at(&out, 64, place)[0])
        };
        let [near, far] = mixed(1.0, &wanted);
        assert!(near.abs() < 1e-3 && far.abs() < 1e-3, "{near} {far}");
        let [near, far] = mixed(3.0, &wanted);
        assert!((near - 0.5).abs() < 1e-3 && (far - 0.5).abs() < 1e-3);
        // Where the light one is stretched, the other one takes over.
        let [near, far] = mixed(1.0, &stretched);
        assert!(near < far - 0.1 && far < 0.05, "{near} {far}");
        // A share that vanishes changes nothing: no switch is seen.
        let [near, _] = mixed(1e-7, &wanted);
        assert!((near + 1.0).abs() < 1e-5, "{near}");
    }

    #[test]
    fn one_layer_is_drawn_whatever_its_share() {
        let (mut warp, mut one, mut other) = (ReferenceWarp::default(), Vec::new(), Vec::new());
        let (picture, points) = (ramps(32), [-0.5, 0.0, 0.5, 0.1, 0.0, 0.5]);
        let wanted = points.map(|v| v * 1.1);
        warp.draw(&picture, &points, &wanted, PROTOCOL, &mut one);
        let layer = Layer {
            picture: &picture,
            points: &points,
            share: 0.3,
        };
        warp.mix(&[layer], &wanted, PROTOCOL, &mut other);
        assert_eq!(one, other);
    }

    #[test]
    fn points_that_coincide_or_are_not_numbers_give_a_picture() {
        let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
        let heap = [0.1; 8];
        warp.draw(&ramps(16), &heap, &heap, PROTOCOL, &mut out);
        assert!(out.iter().all(|v| v.is_finite()));
        warp.draw(&ramps(16), &heap, &[f32::NAN; 8], PROTOCOL, &mut out);
        assert!(out.iter().all(|v| v.is_finite()));
        warp.draw(&ramps(16), &[], &[], PROTOCOL, &mut out);
        assert_eq!(out.len(), 3 * 16 * 16);
    }
}
