//! What a clip knows of its pictures, for whoever measures or compares instead of rendering.

use std::sync::Arc;

use super::Clip;
use super::reference::is_shown;
use crate::face::Face;
use crate::track::quality::fade;

/// The frame that a clip chose as its reference.
#[derive(Debug, Clone)]
pub struct ReferenceFrame {
    /// Its index.
    pub index: i64,
    /// Its aligned crop, planar RGB `[3, 256, 256]` in [-1, 1].
    pub crop: Arc<[f32]>,
    /// Identity coefficients of the face model, which masks and lips are drawn with.
    pub identity: Vec<f32>,
}

impl Clip {
    /// The speaking face of an analysed frame, smoothed over the analysed frames within two of it:
    /// what [`render`](Self::render) places its crop and its mask by. `None` where `render` would
    /// leave the frame alone: not analysed, no such face, or one too uncertain.
    pub fn speaker(&self, index: i64) -> Option<Face> {
        let window = self.numbered(|analysis| analysis.window(index))?;
        let (own, face, _) = window.speaking(self.options.selection, self.engine.crop())?;
        (is_shown(own) && fade(f64::from(face.confidence)) > 0.0).then_some(face)
    }

    /// The reference among the frames analysed so far; `None` while no face was seen that may be
    /// it. It is settled once all frames before
    /// [`reference_settled_at`](Self::reference_settled_at) are analysed. A reference that the
    /// caller set does not count.
    pub fn reference_frame(&self) -> Option<ReferenceFrame> {
        let (index, candidate) = self.analysis.read().reference()?;
        Some(ReferenceFrame {
            index,
            crop: candidate.crop,
            identity: candidate.identity,
        })
    }
}
