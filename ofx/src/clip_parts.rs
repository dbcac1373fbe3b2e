//! The parts of a clip that are cached.

use std::sync::Arc;

use stylelipsync::{Profile, Renderer, Speech};

/// What is the same for all frames of a clip. Hosts ask for frames in any order, so the frames' faces
/// are cached apart from it.
pub struct ClipParts {
    pub renderer: Renderer,
    pub speech: Speech,
    /// `None`: each frame is its own reference.
    pub profile: Option<Arc<Profile>>,
}
