//! The geometry of a face: the linear face model and its pose, the pose-aware mask and the aligned
//! crop (paper, section 3.1).
//!
//! ```text
//! Face -> crop (similarity), mask (hole and alpha), lips (points)
//! reference's crop and points, lips -> carry (the reference's picture with the wanted mouth)
//! ```
//!
//! Everything here is a pure function of one face.

pub mod carry;
pub mod crop;
pub mod fit;
pub mod lips;
pub mod mask;
pub mod model;
pub mod pose;

#[cfg(test)]
mod golden;

pub use carry::{Carry, CarryProtocol, Picture};
pub use crop::CropProtocol;
pub use fit::Face;
pub use mask::{Mask, MaskProtocol, MaskTrim};
pub use model::FaceModel;
pub use pose::Pose;
