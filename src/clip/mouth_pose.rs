//! The shape of a mouth and the pose of its head, as far as they decide how well one frame's mouth
//! stands in for another's.

use serde::{Deserialize, Serialize};

use crate::face::{FaceModel, Pose};
use crate::frame::Similarity;

/// Weight of the pose against the shape, `POSE_WEIGHT` of the training (`models/data/dataset.py`).
const POSE_WEIGHT: f32 = 3.0;
/// Sides of a [`Cell`]: of the mouth's height and width (standard deviations of the lip points, units
/// of the face model), and of yaw and pitch (radians, small angles). Three times as coarse, three seconds of
/// speech have 4 to 11 cells, too few for a mouth that is near; so fine, 7 to 31.
const CELL: [f32; 4] = [0.004, 0.004, 0.05, 0.05];

/// A cell of the space of mouths: height, width, yaw and pitch, in steps.
pub(super) type Cell = [i32; 4];

/// A mouth shape in a pose.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MouthPose {
    /// Lip and jaw points of the shape on the person's face, face-model units.
    lips: Vec<[f32; 3]>,
    /// What moves a point of the crop by a vector of the face model: rows x and y, half-sides of the
    /// crop.
    turn: [[f32; 3]; 2],
}

impl MouthPose {
    /// Replaces it by the mouth `shape` on the face of `identity` in `pose`, whose crop is at `crop` (crop to
    /// frame). Its memory is reused.
    ///
    /// In a single frame the tracker cannot tell an open mouth from lips that are apart at rest, and gives a
    /// part of the opening to the identity. So the frames of a person are compared with the identity of each.
    pub fn set(
        &mut self,
        model: &FaceModel,
        (identity, shape): (&[f32], &[f32]),
        pose: &Pose,
        crop: &Similarity,
    ) {
        let lip = |&index: &usize| model.vertex(index, identity, shape, &[]);
        self.lips.clear();
        self.lips.extend(model.lips().iter().map(lip));
        let to_crop = crop.inverse();
        let place = |at: [f32; 3]| to_crop.apply(pose.project(at));
        let origin = place([0.0; 3]);
        let half = crate::face::crop::IMAGE as f64 / 2.0;
        for axis in 0..3 {
            let mut unit = [0.0; 3];
            unit[axis] = 1.0;
            let moved = place(unit);
            for row in 0..2 {
                self.turn[row][axis] = ((moved[row] - origin[row]) / half) as f32;
            }
        }
    }

    /// How unlike two mouths are: the mean distance of their lip points in face-model units, plus the
    /// weighted mean difference of their poses. Both must be of one face model.
    pub fn distance(&self, other: &Self) -> f32 {
        let square = |a: &[f32; 3], b: &[f32; 3]| -> f32 {
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let lips = self.lips.iter().zip(&other.lips);
        let lips: f32 = lips.map(|(a, b)| square(a, b).sqrt()).sum();
        let turn = self.turn.as_flattened().iter();
        let turn = turn.zip(other.turn.as_flattened());
        let turn: f32 = turn.map(|(a, b)| (a - b).abs()).sum();
        lips / self.lips.len().max(1) as f32 + POSE_WEIGHT * turn / 6.0
    }

    /// Whether it can be a mouth of this model: one that was read from a file.
    pub fn is_valid(&self, model: &FaceModel) -> bool {
        let numbers = self.lips.as_flattened().iter();
        let mut numbers = numbers.chain(self.turn.as_flattened());
        self.lips.len() == model.lips().len() && numbers.all(|number| number.is_finite())
    }

    /// The cell that it lies in.
    pub fn cell(&self) -> Cell {
        let count = self.lips.len().max(1) as f32;
        let spread = |axis: usize| {
            let mean = self.lips.iter().map(|lip| lip[axis]).sum::<f32>() / count;
            let squares = self.lips.iter().map(|lip| (lip[axis] - mean).powi(2));
            (squares.sum::<f32>() / count).sqrt()
        };
        let [across, down] = self.turn;
        // The projection of the depth axis over that of the others: the tangent of the angle.
        let size = across[0].hypot(down[0]).max(1e-6);
        let place = [spread(1), spread(0), across[2] / size, down[2] / size];
        // The conversion to an integer limits its range and makes NaN 0.
        std::array::from_fn(|k| (place[k] / CELL[k]).floor() as i32)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::face::model::FaceModelParts;
    use crate::face::model::tests::square;
    use crate::face::pose::rotation_from_vector;

    /// A mouth of an upper and a lower point this far open, on a head turned by this many radians.
    pub fn mouth(open: f32, yaw: f64) -> MouthPose {
        let model = FaceModel::new(FaceModelParts {
            lips: vec![1, 2],
            ..square()
        });
        let model = model.unwrap();
        let pose = Pose {
            rotation: rotation_from_vector([0.0, yaw, 0.0]),
            translation: [70.0, 80.0],
            scale: 50.0,
        };
        let mut mouth = MouthPose::default();
        let crop = Similarity::square([70.0, 80.0], 100.0, 0.0, 256);
        mouth.set(&model, (&[], &[open]), &pose, &crop);
        mouth
    }

    #[test]
    fn the_distance_is_that_of_the_training_side() {
        let (still, open, turned) = (mouth(0.0, 0.0), mouth(0.2, 0.0), mouth(0.0, 0.1));
        assert_eq!(still.distance(&still), 0.0);
        // One of the two points moves down by 0.2.
        assert!((still.distance(&open) - 0.1).abs() < 1e-6);
        assert_eq!(open.distance(&still), still.distance(&open));
        // The crop's half-side is one unit: x goes to cos, z to sin.
        let expected = 3.0 * (0.1f64.sin() + 1.0 - 0.1f64.cos()) / 6.0;
        let distance = still.distance(&turned);
        assert!((f64::from(distance) - expected).abs() < 1e-6, "{distance}");
    }

    #[test]
    fn an_opening_counts_wherever_the_tracker_puts_it() {
        // The model's identity and expression move the same vertex.
        let parts = square();
        let same = FaceModelParts {
            identity: parts.expression[..parts.mean.len()].to_vec(),
            lips: vec![1, 2],
            ..parts
        };
        let model = FaceModel::new(same).unwrap();
        let pose = Pose {
            rotation: rotation_from_vector([0.0; 3]),
            translation: [70.0, 80.0],
            scale: 50.0,
        };
        let crop = Similarity::square([70.0, 80.0], 100.0, 0.0, 256);
        let of = |identity: f32, shape: f32| {
            let mut mouth = MouthPose::default();
            mouth.set(&model, (&[identity], &[shape]), &pose, &crop);
            mouth
        };
        assert!(of(0.05, 0.1).distance(&of(0.1, 0.05)) < 1e-6);
        assert!(of(0.0, 0.1).distance(&of(0.1, 0.1)) > 0.01);
    }

    #[test]
    fn like_mouths_share_a_cell() {
        assert_eq!(mouth(0.1, 0.02).cell(), mouth(0.1, 0.03).cell());
        assert_ne!(mouth(0.1, 0.02).cell(), mouth(0.1, 0.3).cell());
        assert_ne!(mouth(0.1, 0.02).cell(), mouth(0.2, 0.02).cell());
        assert_eq!(MouthPose::default().cell(), [0; 4]);
    }
}
