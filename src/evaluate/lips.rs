//! Metrics of a mesh's lips: landmark distance and opening.
//!
//! The points are the first [`LIPS`] of the face model's lip points: 20 along the outer edge of the
//! lips from the mouth's left corner (in the picture) over the upper lip and back, then 20 along the
//! inner edge likewise. Jaw points follow them and do not count here.

use crate::face::{Face, FaceModel, lips};
use crate::frame::Similarity;

/// How many of the lip points are on the lips themselves.
pub const LIPS: usize = 40;

/// The lip and jaw points of a face in frame pixels, in the model's order.
pub fn points(model: &FaceModel, face: &Face) -> Vec<[f64; 2]> {
    let (mouth, rest) = model.split_expression(&face.expression);
    let at = |&index: &usize| {
        let vertex = model.vertex(index, &face.identity, mouth, rest);
        face.pose.project(vertex)
    };
    model.lips().iter().map(at).collect()
}

/// The same points in pixels of the 256x256 crop (crop to frame).
pub fn in_crop(points: &[[f64; 2]], crop: &Similarity) -> Vec<[f64; 2]> {
    let to_crop = crop.inverse();
    points.iter().map(|point| to_crop.apply(*point)).collect()
}

/// How far the inner lips of a face are apart ([`lips::opening`]). `None` for a model without 40 lip
/// points.
pub fn opening(model: &FaceModel, face: &Face) -> Option<f64> {
    let (mouth, rest) = model.split_expression(&face.expression);
    lips::opening(model, &face.identity, mouth, rest)
}

/// Landmark distance of one frame: both sets' first 40 points centred on their own mean, the mean
/// Euclidean distance over the points, in the points' unit. `None` with fewer points.
///
/// ATVG's LMD sums over 20 points of another landmark set; the two do not compare.
pub fn lmd(a: &[[f64; 2]], b: &[[f64; 2]]) -> Option<f64> {
    let (a, b) = (centred(a)?, centred(b)?);
    super::mean(
        a.iter()
            .zip(&b)
            .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])),
    )
}

/// The lips' points about their mean; `None` with fewer than 40.
pub fn centred(points: &[[f64; 2]]) -> Option<Vec<[f64; 2]>> {
    let lips = points.get(..LIPS)?;
    let middle = [0, 1].map(|i| lips.iter().map(|p| p[i]).sum::<f64>() / LIPS as f64);
    let moved = lips.iter().map(|p| [p[0] - middle[0], p[1] - middle[1]]);
    Some(moved.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Pose;
    use crate::face::model::FaceModelParts;
    use crate::face::pose::rotation_from_vector;

    #[test]
    fn a_moved_mouth_is_the_same_and_an_open_one_is_not() {
        let mouth: Vec<[f64; 2]> = (0..LIPS).map(|k| [k as f64, (k % 7) as f64]).collect();
        let moved: Vec<[f64; 2]> = mouth.iter().map(|p| [p[0] + 5.0, p[1] - 3.0]).collect();
        assert!(lmd(&mouth, &moved).unwrap() < 1e-12);
        // Half of the points 2 lower: about the mean each is 1 away.
        let mut open = moved;
        open[..LIPS / 2].iter_mut().for_each(|p| p[1] += 2.0);
        assert!((lmd(&mouth, &open).unwrap() - 1.0).abs() < 1e-12);
        // What follows the lips does not count.
        let mut jaw = mouth.clone();
        jaw.push([1e6, 1e6]);
        assert_eq!(lmd(&mouth, &jaw), Some(0.0));
        assert_eq!(lmd(&mouth, &jaw[..39]), None);
    }

    /// Forty vertices: all at height 0, the one mouth coefficient moves the lower inner lip (places
    /// 31 to 39) down by 0.1 a unit.
    fn model() -> FaceModel {
        let mut down = vec![0.0; 3 * LIPS];
        (31..40).for_each(|v| down[3 * v + 1] = 0.1);
        FaceModel::new(FaceModelParts {
            mean: vec![0.0; 3 * LIPS],
            identity: vec![],
            expression: down,
            mouth: 1,
            open: vec![1.0],
            closed: vec![0.0],
            ring: vec![0, 1, 2],
            lips: (0..LIPS).collect(),
        })
        .unwrap()
    }

    #[test]
    fn the_opening_does_not_depend_on_the_pose() {
        let model = model();
        for (turn, scale) in [([0.0; 3], 1.0), ([0.9, 0.5, -0.3], 80.0)] {
            let face = Face {
                pose: Pose {
                    rotation: rotation_from_vector(turn),
                    translation: [50.0, 60.0],
                    scale,
                },
                identity: vec![],
                expression: vec![3.0],
                confidence: 1.0,
                centre: [0.0; 2],
                side: 1.0,
                embedding: None,
            };
            assert!((opening(&model, &face).unwrap() - 0.3).abs() < 1e-6);
            let found = points(&model, &face);
            assert_eq!((found.len(), found[0]), (LIPS, [50.0, 60.0]));
            let crop = Similarity::square([50.0, 60.0], 64.0, 0.0, 256);
            let placed = in_crop(&found, &crop)[0];
            assert!((placed[0] - 128.0).abs() < 1e-9 && (placed[1] - 128.0).abs() < 1e-9);
        }
    }
}
