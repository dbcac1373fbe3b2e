//! The face model that a bundle holds.

use super::Bundle;
use crate::Result;
use crate::face::FaceModel;
use crate::face::model::FaceModelParts;

impl Bundle {
    /// The linear face model (paper, section 3.1).
    ///
    /// # Errors
    /// [`Error::Bundle`](crate::Error::Bundle) when a tensor is missing or of another shape.
    pub fn face_model(&self) -> Result<FaceModel> {
        let sizes = self.manifest().face_model;
        let (v, i, e) = (sizes.vertices, sizes.identity, sizes.expression);
        FaceModel::new(FaceModelParts {
            mean: self.floats("face_model.mean", &[v, 3])?,
            identity: self.floats("face_model.identity", &[i, v, 3])?,
            expression: self.floats("face_model.expression", &[e, v, 3])?,
            mouth: sizes.mouth,
            open: self.floats("face_model.open", &[e])?,
            closed: self.floats("face_model.closed", &[e])?,
            ring: self.indices("face_model.ring", v)?,
            lips: self.indices("face_model.lips", v)?,
        })
    }
}
