//! The inside of the mouth: what it takes from the person's own pictures.
//!
//! What a generator paints of teeth and tongue is right in its coarse brightness. But teeth have no edges, and
//! for people unlike those that it was trained on a cast: blue teeth. The person's own pictures, warped to the
//! same mouth, have the right colours and edges, partly at a wrong place. Hence the coarse part of the colour and
//! the fine part of luma are taken from them, the latter where the coarse parts agree. Not in the paper.

use crate::frame::blur::blur;
use crate::numeric::smoothstep;

/// Pixels of a crop to each side over which the colour is taken.
const COLOUR: usize = 6;
/// How much of the difference of colour is taken. On 24 `dev` clips the error was least with .5 to .75: the
/// pictures have errors of their own, where a tooth lies on a lip.
const SHARE: f32 = 0.6;
/// Differences of luma over less than this many pixels to each side are fine: a tooth is wider.
const FINE: usize = 4;
/// Differences of coarse luma, which spans -1 to 1, up to which all fine luma is taken, and from which none is:
/// there the pictures show a tooth and the generator none, or the reverse.
const AGREE: (f32, f32) = (0.2, 0.6);

/// Corrects crops. Owns its buffers: after the first mouth of a size, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct MouthInterior {
    /// Red less green and blue less green, weighted, and the weight itself.
    colours: [Vec<f32>; 3],
    /// Luma of what was carried less that of what was generated; its coarse part, and the size of that.
    apart: Vec<f32>,
    coarse: Vec<f32>,
    differ: Vec<f32>,
    padded: Vec<f32>,
}

impl MouthInterior {
    /// Brings `generated` where `inside` is above 0 towards `carried`; both are planar RGB `[3, size, size]` in
    /// [-1, 1]. `detail`: how much of the fine luma is taken, 0 to 1. Pixels that are not numbers stay as they are.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    pub fn correct(
        &mut self,
        generated: &mut [f32],
        carried: &[f32],
        (size, detail): (usize, f32),
        inside: &[f32],
    ) {
        let area = size * size;
        assert!(
            [generated.len(), carried.len(), 3 * inside.len()] == [3 * area; 3],
            "pictures of another size"
        );
        if let Some(bounds) = bounds(inside, size) {
            self.take_fine_luma(generated, carried, (size, detail), inside, bounds);
            self.take_colour(generated, carried, size, inside, bounds);
        }
    }

    /// The coarse part of the colour. Luma stays.
    fn take_colour(
        &mut self,
        generated: &mut [f32],
        carried: &[f32],
        size: usize,
        inside: &[f32],
        bounds: [usize; 4],
    ) {
        let area = size * size;
        let Self {
            colours, padded, ..
        } = self;
        let apart = |plane: usize, i: usize| {
            let of = |picture: &[f32]| picture[plane * area + i] - picture[area + i];
            finite(of(carried) - of(generated))
        };
        for (values, plane) in colours.iter_mut().zip([Some(0), Some(2), None]) {
            values.clear();
            values.extend(
                places(bounds, size)
                    .map(|i| inside[i] * plane.map_or(1.0, |plane| apart(plane, i))),
            );
            blur(values, bounds[2] - bounds[0], COLOUR, padded);
        }
        let [reds, blues, weights] = &*colours;
        for (((i, red), blue), weight) in places(bounds, size).zip(reds).zip(blues).zip(weights) {
            if inside[i] > 0.0 {
                let [red, blue] = [red, blue].map(|sum| SHARE * inside[i] * sum / weight);
                let green = -(0.299 * red + 0.114 * blue);
                generated[i] += red + green;
                generated[area + i] += green;
                generated[2 * area + i] += blue + green;
            }
        }
    }

    /// The fine part of luma, where the coarse parts agree. Colour stays.
    fn take_fine_luma(
        &mut self,
        generated: &mut [f32],
        carried: &[f32],
        (size, detail): (usize, f32),
        inside: &[f32],
        bounds: [usize; 4],
    ) {
        if detail <= 0.0 {
            return;
        }
        // As many pixels around it as a mean over a mean reaches.
        let [left, top, right, bottom] = bounds;
        let bounds = [
            left.saturating_sub(2 * FINE),
            top.saturating_sub(2 * FINE),
            (right + 2 * FINE).min(size),
            (bottom + 2 * FINE).min(size),
        ];
        let Self {
            apart,
            coarse,
            differ,
            padded,
            ..
        } = self;
        let (area, width) = (size * size, bounds[2] - bounds[0]);
        let luma = |picture: &[f32], i: usize| {
            0.299 * picture[i] + 0.587 * picture[area + i] + 0.114 * picture[2 * area + i]
        };
        apart.clear();
        apart.extend(places(bounds, size).map(|i| finite(luma(carried, i) - luma(generated, i))));
        coarse.clone_from(apart);
        blur(coarse, width, FINE, padded);
        differ.clear();
        differ.extend(coarse.iter().map(|value| value.abs()));
        blur(differ, width, FINE, padded);
        for (((i, apart), coarse), differ) in places(bounds, size)
            .zip(&*apart)
            .zip(&*coarse)
            .zip(&*differ)
        {
            if inside[i] > 0.0 {
                let agree = 1.0 - smoothstep(AGREE.0, AGREE.1, *differ);
                let fine = inside[i] * detail.min(1.0) * agree * (apart - coarse);
                for plane in 0..3 {
                    generated[plane * area + i] += fine;
                }
            }
        }
    }
}

/// 0 instead of what is not a number.
fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

/// The pixels of a picture between left, top, right and bottom, row by row.
fn places([left, top, right, bottom]: [usize; 4], size: usize) -> impl Iterator<Item = usize> {
    (top..bottom).flat_map(move |y| (left..right).map(move |x| y * size + x))
}

/// Left, top, right and bottom of the pixels above 0.
fn bounds(picture: &[f32], size: usize) -> Option<[usize; 4]> {
    let shown = |value: &f32| *value > 0.0;
    let row = |y: &usize| picture[y * size..][..size].iter().any(shown);
    let column = |x: &usize| picture[*x..].iter().step_by(size).any(shown);
    let top = (0..size).find(row)?;
    let bottom = (top..size).rev().find(row)? + 1;
    let left = (0..size).find(column)?;
    Some([left, top, (left..size).rev().find(column)? + 1, bottom])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 32;
    const AREA: usize = SIZE * SIZE;

    fn inside() -> Vec<f32> {
        let pixel =
            |i: usize| f32::from((8..24).contains(&(i % SIZE)) && (12..20).contains(&(i / SIZE)));
        (0..AREA).map(pixel).collect()
    }

    fn colour(rgb: [f32; 3]) -> Vec<f32> {
        rgb.iter().flat_map(|v| vec![*v; AREA]).collect()
    }

    fn luma(picture: &[f32], i: usize) -> f32 {
        0.299 * picture[i] + 0.587 * picture[AREA + i] + 0.114 * picture[2 * AREA + i]
    }

    #[test]
    fn the_inside_of_the_mouth_takes_colour_and_keeps_its_luma() {
        let (mut blue, warm) = (colour([0.1, 0.2, 0.4]), colour([0.4, 0.2, 0.1]));
        blue[16 * SIZE + 16] = 0.3; // a bright line between teeth
        let before = blue.clone();
        MouthInterior::default().correct(&mut blue, &warm, (SIZE, 0.0), &inside());
        for (i, inside) in inside().into_iter().enumerate() {
            let cast = |picture: &[f32]| picture[i] - picture[2 * AREA + i];
            if inside == 0.0 {
                assert_eq!(cast(&blue), cast(&before));
            } else {
                assert!(
                    (cast(&blue) - cast(&before) - SHARE * 0.6).abs() < 0.01,
                    "{i}"
                );
                assert!((luma(&blue, i) - luma(&before, i)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn no_mouth_and_no_number_change_nothing_else() {
        let (mut picture, warm) = (colour([0.1, 0.2, 0.4]), colour([0.4, 0.2, 0.1]));
        let before = picture.clone();
        let mut interior = MouthInterior::default();
        interior.correct(&mut picture, &warm, (SIZE, 1.0), &vec![0.0; AREA]);
        assert_eq!(picture, before);
        picture[14 * SIZE + 10] = f32::NAN;
        interior.correct(&mut picture, &warm, (SIZE, 1.0), &inside());
        assert_eq!(picture.iter().filter(|v| v.is_nan()).count(), 1);
    }

    /// Vertical stripes, one pixel wide, around a level.
    fn stripes(level: f32, height: f32) -> Vec<f32> {
        (0..3 * AREA)
            .map(|i| level + [height, -height][i % 2])
            .collect()
    }

    #[test]
    fn edges_of_teeth_are_taken_where_the_coarse_pictures_agree() {
        let teeth = stripes(0.2, 0.1);
        // How high the stripes are in the middle of the mouth.
        let taken = |level: f32, detail: f32| {
            let mut picture = colour([level; 3]);
            let before = picture.clone();
            MouthInterior::default().correct(&mut picture, &teeth, (SIZE, detail), &inside());
            for (i, inside) in inside().into_iter().enumerate() {
                assert!(inside > 0.0 || picture[i] == before[i], "{i}");
            }
            let middle = 16 * SIZE + 16;
            let mean = (picture[middle] + picture[middle + 1]) / 2.0;
            assert!((mean - level).abs() < 0.01, "{mean}");
            (picture[middle] - picture[middle + 1]) / 2.0
        };
        // The mean over nine pixels of the stripes is a ninth of them.
        let whole = 0.1 * 8.0 / 9.0;
        for (level, detail, share) in [
            (0.1, 1.0, 1.0),
            (0.2, 0.5, 0.5),
            (0.2, 1.5, 1.0),
            (0.2, 0.0, 0.0),
            (-0.5, 1.0, 0.0),
        ] {
            let found = taken(level, detail);
            assert!(
                (found - share * whole).abs() < 1e-3,
                "{level} {detail}: {found}"
            );
        }
    }
}
