//! Where the lips and the jaw go for a mouth shape: the hint that the generator is given.

use super::crop::IMAGE;
use super::model::FaceModel;
use super::pose::Pose;
use crate::frame::Similarity;

/// Writes the lip points of `shape` (the expression's mouth block) on the face of `identity` in
/// `pose` to `out`: x and y of each point, crop pixels / 128 - 1, so [-1, 1] spans the crop. `crop`
/// is the crop's similarity (crop to frame). Whatever `out` held is gone.
pub fn lip_points(
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
    for &index in model.lips() {
        let at = to_crop.apply(pose.project(model.vertex(index, identity, shape, &[])));
        out.extend(at.map(|v| (v / half - 1.0) as f32));
    }
}
