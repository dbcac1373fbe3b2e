//! The W+ codes of a clip: one per instant of the audio, and their smoothing over time.
//!
//! The networks are trained at 25 frames a second, so codes live on a grid of 40 ms around the
//! instant of a frame, whatever the host's frame rate: the frame at sample position `p` uses the
//! codes at `p + k * STEP`, `k = -CODE_REACH..=CODE_REACH`. At 25 frames a second neighbouring frames share
//! them. Everything here is a pure function of the audio and of the position.

mod codes;
mod gate;
mod smooth;

pub(crate) use codes::{AudioCode, CodeSource, Codes};
pub(crate) use smooth::{mouth_shape, smooth_code, window_positions};

pub use crate::audio::STEP;

use crate::model::manifest::{MALS_REACH, MALS_WINDOW};

/// How far MaLS looks to each side, in codes.
pub const CODE_REACH: i64 = MALS_REACH as i64;

/// Codes that one smoothed code is made of.
pub const CODE_WINDOW: usize = MALS_WINDOW;
