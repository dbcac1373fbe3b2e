//! The W+ codes of a clip: a mouth shape per instant of the audio, its code, and the smoothing of
//! codes over time.
//!
//! The networks are trained at 25 frames a second, so codes live on a grid of 40 ms around the
//! instant of a frame, whatever the host's frame rate: the frame at sample position `p` uses the
//! codes at `p + k * STEP`, `k = -CODE_REACH..=CODE_REACH`. At 25 frames a second neighbouring frames share
//! them. Everything here is a pure function of the audio and of the position.

mod features;
mod gate;
mod movement;
mod shapes;
mod smooth;

pub(crate) use movement::Movement;
pub(crate) use shapes::{MouthShape, ShapeBuffers, ShapeSource, Shapes};
pub(crate) use smooth::{mouth_shape, move_shapes, smooth_code, window_positions};

pub use crate::audio::STEP;
pub use movement::MAX_ARTICULATION;

use crate::model::manifest::{MALS_REACH, MALS_WINDOW};

/// How far MaLS looks to each side, in codes.
pub const CODE_REACH: i64 = MALS_REACH as i64;

/// Codes that one smoothed code is made of.
pub const CODE_WINDOW: usize = MALS_WINDOW;
