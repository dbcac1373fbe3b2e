//! Lip and jaw points of a mouth shape.

use super::crop::IMAGE;
use super::model::FaceModel;
use super::pose::Pose;
use crate::frame::Similarity;

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
