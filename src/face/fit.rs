//! A face in a frame: the pose and coefficients of the fitted face model.

use serde::{Deserialize, Serialize};

use super::embedding::FaceEmbedding;
use super::pose::Pose;

/// A face in a frame, as the mesh predictor measured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Position, orientation and scale.
    pub pose: Pose,
    /// Identity coefficients (alpha).
    pub identity: Vec<f32>,
    /// Expression coefficients (delta), the mouth's first.
    pub expression: Vec<f32>,
    /// Confidence in [0, 1]: the network's own times the visible share (`track::quality::visibility`).
    pub confidence: f32,
    /// Centre of its crop, frame pixels.
    pub centre: [f64; 2],
    /// Side of its crop, frame pixels.
    pub side: f64,
    /// Who it is; `None` where the bundle has no network for it, or it was not computed.
    pub embedding: Option<FaceEmbedding>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::face::CropProtocol;
    use crate::face::pose::rotation_from_vector;

    pub(crate) const PROTOCOL: CropProtocol = CropProtocol {
        centre: [0.0, 0.2, 0.25],
        side: 2.0,
    };

    /// A face from the front whose crop has this centre and side.
    pub(crate) fn face(x: f64, y: f64, side: f64) -> Face {
        let scale = side / 2.0;
        let pose = Pose {
            rotation: rotation_from_vector([0.0; 3]),
            translation: [x, y - f64::from(PROTOCOL.centre[1]) * scale],
            scale,
        };
        Face {
            pose,
            identity: vec![0.0; 2],
            expression: vec![0.0; 4],
            confidence: 1.0,
            centre: [x, y],
            side,
            embedding: None,
        }
    }
}
