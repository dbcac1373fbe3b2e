//! From a frame to its faces: detection, the fit of the face model, and how faces are selected,
//! tracked and smoothed over time.
//!
//! ```text
//! frame -> detect -> boxes -> mesh predictor, twice -> Face { pose, identity, expression }
//! frame -> Look: where it changes at once, the film was cut; where it turns into another one, it was dissolved
//! Face of t-2..t+2 -> select (the same person) -> smooth -> Face
//! ```
//!
//! Everything here is a pure function of one frame, or of a window of tracked frames: no result
//! depends on the order in which frames were seen.

pub mod detect;
mod dissolve;
mod linker;
pub mod look;
pub mod quality;
mod same;
pub mod select;
pub mod smooth;
pub mod tracker;

pub use dissolve::Dissolve;
pub use linker::Linker;
pub use look::Look;
pub use select::Selection;
pub use tracker::Tracker;
