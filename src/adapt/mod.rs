//! Unseen face adaptation (paper, section 4): the decoder is trained on a few seconds of a person,
//! on this machine, by any provider of ONNX Runtime.
//!
//! ```text
//! clip (analysed, with audio) -> plan: windows of five frames -> crop, mask, codes of each frame
//! frames + bank of unpaired speech -> step (losses of eq. 10, gradients) -> Adam -> person
//! ```
//!
//! Encoders, fusions and codes are frozen and computed once; only the synthesis network changes.
//! Training is deterministic: the same clip, options (with their seed) and machine give the same
//! person, whether or not the training was interrupted and resumed. With a time limit or the
//! plateau criterion, an interruption may change the last step, because both start anew with each
//! run.

mod adam;
mod checkpoint;
mod data;
mod job;
mod options;
mod plan;
mod plateau;
mod trainer;
mod training_frame;

pub use crate::model::{Person, PersonInfo};
pub use job::Adaptation;
pub use options::{AdaptOptions, Found, Progress, Weights};

/// Frames of a window, 40 ms apart: T of the paper, and the input of SyncNet.
pub const SYNC_FRAMES: usize = 5;
