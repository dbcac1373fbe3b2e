//! Unseen face adaptation (paper, section 4): a few seconds of a person make the decoder that
//! person's, on the machine at hand, by any provider that ONNX Runtime has.
//!
//! ```text
//! clip (analysed, with its words) -> plan: windows of five frames -> moments: crop, mask, codes
//! moments + bank of foreign words -> step (losses of eq. 10, gradients) -> Adam -> person
//! ```
//!
//! Encoders, fusions and codes are frozen and computed once; only the synthesis network changes.
//! What is learnt goes by the seed alone: the same clip, options and machine give the same person,
//! whether or not the work was interrupted and taken up again. Where a time or a plateau ends the
//! work, an interruption may move that end: both begin anew with each run.

mod checkpoint;
mod descent;
mod job;
mod plan;
mod trainer;
mod training_frame;

pub use crate::model::{Person, PersonInfo};
pub use job::{AdaptOptions, Adaptation, Found, Progress, Weights};

/// Frames of a window, 40 ms apart: T of the paper, what SyncNet sees at once.
pub const WINDOW: usize = 5;
