//! The colour of the inside of the mouth.
//!
//! What a generator paints of teeth and tongue is right in brightness, but for people unlike those that it was
//! trained on it may have a cast: blue teeth. The person's own pictures, warped to the same mouth, have the
//! right colours at a wrong place. Hence the coarse part of the colour is taken from them. Not in the paper.

use crate::frame::blur::blur;

/// Pixels of a crop to each side over which the colour is taken.
const REACH: usize = 6;
/// How much of the difference is taken. On 24 `dev` clips the error of colour was least with .5 to .75: the
/// pictures have errors of their own, where a tooth lies on a lip.
const SHARE: f32 = 0.6;

/// Corrects crops. Owns its buffers: after the first mouth of a size, nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct MouthColour {
    /// Red less green and blue less green, weighted, and the weight itself.
    planes: [Vec<f32>; 3],
    padded: Vec<f32>,
}

impl MouthColour {
    /// Brings the colour of `generated` where `inside` is above 0 towards that of `carried`; both are planar RGB
    /// `[3, size, size]`. Luma stays. Pixels that are not numbers stay as they are.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    pub fn correct(&mut self, generated: &mut [f32], carried: &[f32], inside: &[f32], size: usize) {
        let area = size * size;
        assert!(
            [generated.len(), carried.len(), 3 * inside.len()] == [3 * area; 3],
            "pictures of another size"
        );
        let Some([left, top, right, bottom]) = bounds(inside, size) else {
            return;
        };
        let Self { planes, padded } = self;
        let width = right - left;
        let places = || (top..bottom).flat_map(move |y| (left..right).map(move |x| y * size + x));
        let apart = |plane: usize, i: usize| {
            let of = |picture: &[f32]| picture[plane * area + i] - picture[area + i];
            let apart = of(carried) - of(generated);
            if apart.is_finite() { apart } else { 0.0 }
        };
        for (values, plane) in planes.iter_mut().zip([Some(0), Some(2), None]) {
            values.clear();
            values.extend(places().map(|i| inside[i] * plane.map_or(1.0, |plane| apart(plane, i))));
            blur(values, width, REACH, padded);
        }
        let [reds, blues, weights] = &*planes;
        for (((i, red), blue), weight) in places().zip(reds).zip(blues).zip(weights) {
            if inside[i] > 0.0 {
                let [red, blue] = [red, blue].map(|sum| SHARE * inside[i] * sum / weight);
                let green = -(0.299 * red + 0.114 * blue);
                generated[i] += red + green;
                generated[area + i] += green;
                generated[2 * area + i] += blue + green;
            }
        }
    }
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
        MouthColour::default().correct(&mut blue, &warm, &inside(), SIZE);
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
        let mut colour = MouthColour::default();
        colour.correct(&mut picture, &warm, &vec![0.0; AREA], SIZE);
        assert_eq!(picture, before);
        picture[14 * SIZE + 10] = f32::NAN;
        colour.correct(&mut picture, &warm, &inside(), SIZE);
        assert_eq!(picture.iter().filter(|v| v.is_nan()).count(), 1);
    }
}
