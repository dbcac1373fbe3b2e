//! From a frame to a face: detection, the parametric mesh and its pose, the pose-aware mask and the
//! aligned crop (paper, section 3.1).
//!
//! ```text
//! frame -> detect -> boxes -> mesh predictor, twice -> Face { pose, identity, expression }
//! Face of t-2..t+2 -> smooth -> crop (similarity), mask (hole and alpha), lips (points)
//! reference's crop and points, lips -> carry (the reference's picture with the wanted mouth)
//! ```
//!
//! Everything here is a pure function of one frame, or of a window of tracked frames: no result
//! depends on the order in which frames were seen.

pub mod carry;
pub mod crop;
pub mod detect;
pub mod lips;
pub mod mask;
pub mod model;
pub mod pose;
pub mod quality;
pub mod select;
pub mod smooth;
pub mod track;

#[cfg(test)]
mod golden;

pub use carry::{Carry, CarryProtocol, Picture};
pub use crop::CropProtocol;
pub use mask::{Mask, MaskProtocol, MaskTrim};
pub use model::FaceModel;
pub use pose::Pose;
pub use select::{Linker, Selection};
pub use track::{Face, Tracker};
