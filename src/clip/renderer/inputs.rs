//! What a frame is rendered from.

use std::sync::Arc;

use super::super::faces::Neighbours;
use super::super::shot_profile::ShotProfile;
use super::super::speech::Speech;
use crate::face::Face;
use crate::latent::Movement;

/// What a frame is rendered from, in addition to its pixels and the reference.
#[derive(Clone, Copy)]
pub struct FrameInputs<'a> {
    /// The frame's index; [`Rendered::index`](crate::Rendered::index) repeats it.
    pub index: i64,
    /// The frame's time on the clip's clock, in samples at 16 kHz.
    pub position: i64,
    /// The clip's audio.
    pub speech: &'a Speech,
    /// The faces of this frame and of those next to it.
    pub faces: &'a Neighbours,
}

/// A frame with a face that is to be changed.
pub(super) struct Change<'a> {
    pub inputs: &'a FrameInputs<'a>,
    /// The speaking face, smoothed over the neighbouring frames.
    pub face: &'a Face,
    pub profile: &'a Arc<ShotProfile>,
    pub movement: Movement,
    /// How much of the fine detail is used, of [`FrameOptions`](crate::FrameOptions).
    pub detail: f32,
}
