//! The geometry of a face: the linear face model and its pose, the pose-aware mask and the aligned
//! crop (paper, section 3.1).
//!
//! ```text
//! Face -> crop (similarity), mask (hole and alpha), lips (points)
//! reference's crop and points, lips -> reference_warp (the reference's picture with the target mouth)
//! ```
//!
//! Everything here is a pure function of one face.

pub mod crop;
pub mod detail;
pub mod embedding;
pub mod fit;
pub mod lips;
pub mod mask;
pub mod model;
pub mod mouth_interior;
mod occlusion;
pub mod pose;
mod reference_picture;
pub mod reference_warp;
mod warp_field;

#[cfg(test)]
mod golden;

pub use crop::CropProtocol;
pub use detail::DetailGate;
pub use embedding::FaceEmbedding;
pub use fit::Face;
pub use mask::{Mask, MaskProtocol, MaskTrim};
pub use model::FaceModel;
pub use mouth_interior::MouthInterior;
pub(crate) use occlusion::Occlusion;
pub use pose::Pose;
pub use reference_picture::ReferencePicture;
pub use reference_warp::{Layer, ReferenceWarp};
pub use warp_field::ReferenceWarpProtocol;
