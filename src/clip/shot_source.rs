//! What the profile of a shot is made from, once all its frames were added.

use std::sync::Arc;

use super::bank_frame::BankFrame;
use super::range::Measured;
use super::reference::Candidate;
use super::renderer::Renderer;
use super::shot_profile::{Dissolves, ShotProfile};
use super::shots::Shot;
use super::tracks::Tracks;
use crate::Result;
use crate::engine::Engine;
use crate::track::Dissolve;

/// The frames of a shot that its profile is made from, and how it begins and ends.
pub(super) struct ShotSource {
    anchor: Candidate,
    frames: Vec<Arc<BankFrame>>,
    measured: Measured,
    dissolves: Dissolves,
}

impl ShotSource {
    /// Of a shot, where `all` are the dissolves of the clip; `None` where no frame shows the face well enough.
    /// Frames of a dissolve show two people, or one twice, and are left out.
    pub fn of(
        tracks: &Tracks,
        shot: &Shot<'_>,
        renderer: &Renderer,
        all: &[Dissolve],
    ) -> Option<Self> {
        let dissolves = Dissolves::of(&shot.range, all);
        let clear = dissolves.clear(&shot.range);
        let frames = shot
            .frames
            .all()
            .filter(|frame| clear.contains(&frame.index));
        let frames: Vec<_> = frames.cloned().collect();
        let reference = shot.frames.reference();
        let anchor = reference
            .filter(|it| clear.contains(&it.frame.index))
            .cloned();
        Some(Self {
            anchor: match anchor {
                Some(anchor) => anchor,
                None => best(&frames, tracks, renderer)?,
            },
            frames,
            measured: tracks.measure(renderer, clear),
            dissolves,
        })
    }

    /// Its profile, encoded.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub fn profile(self, engine: &Engine) -> Result<ShotProfile> {
        let frames = self.frames.iter();
        let profile = ShotProfile::choose(engine, &self.anchor, frames, &self.measured)?;
        let profile = profile.finished().dissolving(self.dissolves);
        profile.encode(engine)?;
        Ok(profile)
    }
}

/// The frame of the highest quality, the earliest of equals: of a shot that was known to be one only when its first
/// second had been seen.
fn best(frames: &[Arc<BankFrame>], tracks: &Tracks, renderer: &Renderer) -> Option<Candidate> {
    let by_quality = |a: &&Arc<BankFrame>, b: &&Arc<BankFrame>| {
        let order = a.quality.total_cmp(&b.quality);
        order.then(b.index.cmp(&a.index))
    };
    let frame = frames.iter().max_by(by_quality)?;
    let faces = tracks.faces(frame.index)?;
    let face = faces.chosen(renderer.options().selection)?;
    Some(Candidate {
        score: frame.quality,
        identity: face.identity.clone(),
        frame: frame.clone(),
    })
}
