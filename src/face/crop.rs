//! The aligned crop: the square that the generator reads and writes.

use super::pose::Pose;
use crate::frame::Similarity;
use serde::Deserialize;

/// Side of the generator's image in pixels. A manifest with another `image` is refused.
pub const IMAGE: usize = 256;

/// Placement of the crop. It depends on the pose only, so that speaking does not move it: the centre
/// is a fixed point of the model, the side a multiple of the face's scale, the roll that of the head.
/// Part of a bundle's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct CropProtocol {
    /// Model coordinates of the centre.
    pub centre: [f32; 3],
    /// Side of the square in model units.
    pub side: f32,
}

impl CropProtocol {
    /// The generator's crop of a face: from crop pixels `[0, 256]^2` to frame pixels.
    pub fn place(&self, pose: &Pose) -> Similarity {
        self.square(pose, 1.0, IMAGE)
    }

    /// The same square `margin` times as large, with `size` pixels a side.
    pub fn square(&self, pose: &Pose, margin: f64, size: usize) -> Similarity {
        Similarity::square(
            self.middle(pose),
            margin * self.length(pose),
            pose.roll(),
            size,
        )
    }

    /// Centre of the crop in frame pixels.
    pub fn middle(&self, pose: &Pose) -> [f64; 2] {
        pose.project(self.centre)
    }

    /// Side of the crop in frame pixels.
    pub fn length(&self, pose: &Pose) -> f64 {
        f64::from(self.side) * pose.scale
    }
}
