//! The pose-aware mask (paper, section 3.1): the region of the crop that the mouth of this face in
//! this pose can cover, open or closed.
//!
//! The lower frontal outlines of two meshes (the face with its mouth open, and with it closed) are
//! posed, projected into the crop, filled and joined. The mouth that the frame shows has no part in
//! them: an outline that followed it would tell the generator what the source says. Grown by a few
//! pixels that is the inpainting mask, here *hole*: the pixels hidden from the network. *Alpha* rises
//! from 0 at the hole's edge to 1 a few pixels inside: the opacity of the generated picture in the
//! result. The old mouth is hidden completely, and the seam lies on skin.

use super::crop::IMAGE;
use super::fit::Face;
use super::model::FaceModel;
use crate::frame::Similarity;
use crate::numeric::smoothstep;
use serde::Deserialize;

/// Pixels along the crop's edge that are never in the hole.
const BORDER: usize = 2;
/// A squared distance beyond any in the crop.
const FAR: f32 = 1e9;

/// Sizes of the mask, crop pixels; part of a bundle's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct MaskProtocol {
    /// The hole extends this far beyond the outlines.
    pub grow: f32,
    /// Alpha rises over this many pixels.
    pub feather: f32,
    /// Where in the hole alpha begins to rise.
    #[serde(default)]
    pub inset: Inset,
}

/// Distance from the hole's edge at which alpha begins to rise, crop pixels. Beside the jaw nothing moves
/// with speech, so hair, ears and the outline of the cheek are the source's own; below the chin the
/// generated jaw needs the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Inset {
    /// Beside and above the mouth.
    pub beside: f32,
    /// Below the chin.
    pub below: f32,
}

impl Inset {
    /// The inset of a pixel at `[x, y]` from the middle of the outlines, the head upright.
    fn at(self, [x, y]: [f32; 2]) -> f32 {
        // The cosine of the angle to straight down: the chin lies within some 35 degrees of it.
        let down = y / (x * x + y * y).sqrt().max(1.0);
        self.beside + (self.below - self.beside) * smoothstep(0.4, 0.8, down)
    }
}

/// The user's adjustment of alpha. The hole stays as the network was trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskTrim {
    /// Moves the edge of alpha by this many crop pixels, -20 to 20: outwards above 0, never beyond the
    /// hole.
    pub grow: f32,
    /// Multiplies the bundle's feather, 0 (a hard edge) to 4.
    pub feather: f32,
}

impl Default for MaskTrim {
    /// The bundle's own mask.
    fn default() -> Self {
        Self {
            grow: 0.0,
            feather: 1.0,
        }
    }
}

/// A mask, with the buffers to draw the next one: after the first one, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    hole: Vec<bool>,
    alpha: Vec<f32>,
    trim: MaskTrim,
    polygon: Vec<[f64; 2]>,
    /// Sum of the outlines' points, and their number.
    sum: ([f64; 2], usize),
    crossings: Vec<(f64, i32)>,
    distance: Distance,
}

impl Mask {
    /// `[256, 256]`: the pixels hidden from the network.
    pub fn hole(&self) -> &[bool] {
        &self.hole
    }

    /// `[256, 256]` in [0, 1]: the share of the generated picture. Above 0 only in the hole; everywhere
    /// in it without an inset and a trim.
    pub fn alpha(&self) -> &[f32] {
        &self.alpha
    }

    /// Sets the trim of the masks drawn from now on.
    pub fn trim(&mut self, trim: MaskTrim) {
        self.trim = trim;
    }

    /// Draws the mask of a face. `crop` is its crop (crop to frame); `identity` may differ from
    /// the frame's own (a clip uses one for all frames).
    pub fn draw(
        &mut self,
        model: &FaceModel,
        face: &Face,
        identity: &[f32],
        crop: &Similarity,
        protocol: MaskProtocol,
    ) {
        let (_, rest) = model.split_expression(&face.expression);
        let to_crop = crop.inverse();
        self.begin();
        for mouth in [model.open(), model.closed()] {
            self.polygon.clear();
            self.polygon.extend(model.ring().iter().map(|&index| {
                to_crop.apply(
                    face.pose
                        .project(model.vertex(index, identity, mouth, rest)),
                )
            }));
            self.fill_polygon();
        }
        self.finish(protocol);
    }

    /// Draws the mask of outlines that are given in crop pixels.
    pub fn draw_polygons(&mut self, polygons: &[Vec<[f64; 2]>], protocol: MaskProtocol) {
        self.begin();
        for polygon in polygons {
            self.polygon.clear();
            self.polygon.extend_from_slice(polygon);
            self.fill_polygon();
        }
        self.finish(protocol);
    }

    /// Fills the hole of a planar `[3, 256, 256]` picture with -1, as in training.
    ///
    /// # Panics
    /// When `picture` has another length.
    pub fn cut(&self, picture: &mut [f32]) {
        assert_eq!(
            picture.len(),
            3 * IMAGE * IMAGE,
            "the picture is not [3, 256, 256]"
        );
        for plane in picture.chunks_exact_mut(IMAGE * IMAGE) {
            for (v, hole) in plane.iter_mut().zip(&self.hole) {
                if *hole {
                    *v = -1.0;
                }
            }
        }
    }

    /// Takes what is `hidden`, `[256, 256]` in [0, 1], out of alpha. The hole stays.
    ///
    /// # Panics
    /// When `hidden` has another length than alpha.
    pub(crate) fn uncover(&mut self, hidden: &[f32]) {
        assert_eq!(hidden.len(), self.alpha.len(), "a picture of another size");
        for (alpha, hidden) in self.alpha.iter_mut().zip(hidden) {
            *alpha *= 1.0 - hidden;
        }
    }

    fn begin(&mut self) {
        self.hole.clear();
        self.hole.resize(IMAGE * IMAGE, false);
        self.alpha.clear();
        self.alpha.resize(IMAGE * IMAGE, 0.0);
        self.sum = Default::default();
    }

    /// Adds the pixels whose centres are in `polygon` (non-zero winding).
    fn fill_polygon(&mut self) {
        if self.polygon.iter().flatten().any(|v| !v.is_finite()) {
            return;
        }
        for [x, y] in &self.polygon {
            self.sum.0[0] += x;
            self.sum.0[1] += y;
        }
        self.sum.1 += self.polygon.len();
        for row in 0..IMAGE {
            let y = row as f64 + 0.5;
            self.crossings.clear();
            for (i, &[x0, y0]) in self.polygon.iter().enumerate() {
                let [x1, y1] = self.polygon[(i + 1) % self.polygon.len()];
                if y >= y0.min(y1) && y < y0.max(y1) {
                    let x = x0 + (y - y0) * (x1 - x0) / (y1 - y0);
                    self.crossings.push((x, if y1 > y0 { 1 } else { -1 }));
                }
            }
            self.crossings
                .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut winding = 0;
            for pair in self.crossings.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    // Centres beyond the left crossing, up to and with the right one.
                    let first =
                        |x: f64| ((x - 0.5).floor() + 1.0).clamp(0.0, IMAGE as f64) as usize;
                    let (from, to) = (first(pair[0].0), first(pair[1].0));
                    self.hole[row * IMAGE + from..row * IMAGE + to.max(from)].fill(true);
                }
            }
        }
    }

    /// Grows the hole and ramps alpha.
    fn finish(&mut self, protocol: MaskProtocol) {
        let MaskProtocol {
            grow,
            feather,
            inset,
        } = protocol;
        let Some(inside) = support(&self.hole) else {
            return;
        };
        // A negative growth removes nothing: the outlines themselves are always inside.
        let reach = grow.max(0.0).ceil() as usize;
        let zone = inside.padded(reach);
        self.distance.measure(zone, |x, y| self.hole[y * IMAGE + x]);
        let limit = grow.max(0.0) * grow.max(0.0);
        for y in zone.top..zone.bottom {
            for x in zone.left..zone.right {
                let edge = x.min(y) < BORDER || x.max(y) >= IMAGE - BORDER;
                self.hole[y * IMAGE + x] = !edge && self.distance.squared(zone, x, y) <= limit;
            }
        }
        let Some(inside) = support(&self.hole) else {
            return;
        };
        // The pixels next to the hole are outside it, and inside the crop because of its border.
        let zone = inside.padded(1);
        let feather = feather * self.trim.feather;
        let middle = self.sum.0.map(|v| (v / self.sum.1 as f64) as f32);
        self.distance
            .measure(zone, |x, y| !self.hole[y * IMAGE + x]);
        for y in inside.top..inside.bottom {
            for x in inside.left..inside.right {
                if self.hole[y * IMAGE + x] {
                    let depth = self.distance.squared(zone, x, y).sqrt() - 0.5;
                    let place = [x as f32 + 0.5 - middle[0], y as f32 + 0.5 - middle[1]];
                    let depth = depth - inset.at(place) + self.trim.grow;
                    self.alpha[y * IMAGE + x] = if feather > 0.0 {
                        smoothstep(0.0, feather, depth)
                    } else {
                        f32::from(depth > 0.0)
                    };
                }
            }
        }
    }
}

/// A box of the crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zone {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Zone {
    fn padded(self, by: usize) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: (self.right + by).min(IMAGE),
            bottom: (self.bottom + by).min(IMAGE),
        }
    }
}

/// The box of the pixels that are set.
fn support(set: &[bool]) -> Option<Zone> {
    let mut found: Option<Zone> = None;
    for (y, row) in set.chunks_exact(IMAGE).enumerate() {
        let Some(left) = row.iter().position(|v| *v) else {
            continue;
        };
        let right = row.iter().rposition(|v| *v).map_or(left, |x| x) + 1;
        let zone = found.get_or_insert(Zone {
            left,
            top: y,
            right,
            bottom: y + 1,
        });
        zone.left = zone.left.min(left);
        zone.right = zone.right.max(right);
        zone.bottom = y + 1;
    }
    found
}

/// Exact Euclidean distances from pixel centre to the nearest centre of a set, within a box:
/// Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions" (2012).
#[derive(Clone, Debug, Default)]
struct Distance {
    /// Squared, row by row of the box.
    squares: Vec<f32>,
    line: Vec<f32>,
    feet: Vec<f32>,
    hull: Vec<usize>,
    breaks: Vec<f32>,
}

impl Distance {
    fn squared(&self, zone: Zone, x: usize, y: usize) -> f32 {
        self.squares[(y - zone.top) * (zone.right - zone.left) + x - zone.left]
    }

    fn measure(&mut self, zone: Zone, in_set: impl Fn(usize, usize) -> bool) {
        let (width, height) = (zone.right - zone.left, zone.bottom - zone.top);
        self.squares.clear();
        for y in zone.top..zone.bottom {
            let cost = |x| if in_set(x, y) { 0.0 } else { FAR };
            self.squares.extend((zone.left..zone.right).map(cost));
        }
        for x in 0..width {
            self.line.clear();
            self.line
                .extend((0..height).map(|y| self.squares[y * width + x]));
            self.envelope();
            for y in 0..height {
                self.squares[y * width + x] = self.line[y];
            }
        }
        for y in 0..height {
            self.line.clear();
            self.line
                .extend_from_slice(&self.squares[y * width..][..width]);
            self.envelope();
            self.squares[y * width..][..width].copy_from_slice(&self.line);
        }
    }

    /// Replaces `line` by the lower envelope of the parabolas that stand on it.
    fn envelope(&mut self) {
        let count = self.line.len();
        self.hull.clear();
        self.breaks.clear();
        for q in 0..count {
            if self.line[q] >= FAR {
                continue;
            }
            // Heights are whole numbers up to 2 * 256^2 and exact in f32.
            let height = |p: usize| self.line[p] + (p * p) as f32;
            let mut from = f32::NEG_INFINITY;
            while let Some(&p) = self.hull.last() {
                from = (height(q) - height(p)) / (2.0 * (q - p) as f32);
                if from > self.breaks[self.hull.len() - 1] {
                    break;
                }
                self.hull.pop();
                self.breaks.pop();
                from = f32::NEG_INFINITY;
            }
            self.hull.push(q);
            self.breaks.push(from);
        }
        if self.hull.is_empty() {
            return;
        }
        self.feet.clear();
        self.feet.extend_from_slice(&self.line);
        let mut k = 0;
        for (q, out) in self.line.iter_mut().enumerate() {
            while k + 1 < self.breaks.len() && self.breaks[k + 1] < q as f32 {
                k += 1;
            }
            let p = self.hull[k];
            let away = q.abs_diff(p);
            *out = (away * away) as f32 + self.feet[p];
        }
    }
}

#[cfg(test)]
mod tests;
