//! Lip and jaw points of a mouth shape.

use super::crop::IMAGE;
use super::model::FaceModel;
use super::pose::Pose;
use crate::frame::Similarity;

/// Where the inner edge of the lips begins among the lip points, and where it ends.
const INNER: std::ops::Range<usize> = 20..40;

/// How far the inner lips of a face are apart: the mean over nine pairs of points one above the other,
/// in units of the face model (the outer eye corners are one apart), in the neutral pose, so that a
/// turned head does not close its mouth. The coefficients are those of
/// [`vertex`](FaceModel::vertex). `None` for a model without 40 lip points.
pub fn opening(model: &FaceModel, identity: &[f32], mouth: &[f32], rest: &[f32]) -> Option<f64> {
    let inner = model.lips().get(INNER)?;
    let height = |index: usize| f64::from(model.vertex(index, identity, mouth, rest)[1]);
    let gaps = (1..10).map(|k| height(inner[20 - k]) - height(inner[k]));
    Some(gaps.sum::<f64>() / 9.0)
}

/// The inner edge of the lips among [`mouth_points`]; empty for a model without 40 lip points.
pub fn inner_lips(points: &[f32]) -> &[[f32; 2]] {
    points.as_chunks::<2>().0.get(INNER).unwrap_or_default()
}

/// Writes the points of `shape` (the expression's mouth block) on the face of `identity` in `pose`
/// to `out`: x and y of each [control vertex](FaceModel::control_vertices), so those of the lips and the jaw
/// first, which are the generator's hint. Crop pixels / 128 - 1: [-1, 1] spans the crop, whose
/// similarity (crop to frame) is `crop`. The old content of `out` is
/// replaced.
pub fn mouth_points(
    model: &FaceModel,
    pose: &Pose,
    identity: &[f32],
    shape: &[f32],
    crop: &Similarity,
    out: &mut Vec<f32>,
) {
    let to_crop = crop.inverse();
    let half = IMAGE as f64 / 2.0;
    out.clear();
    for &index in model.control_vertices() {
        let at = to_crop.apply(pose.project(model.vertex(index, identity, shape, &[])));
        out.extend(at.map(|v| (v / half - 1.0) as f32));
    }
}
