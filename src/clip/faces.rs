//! The faces of a frame, and the frames next to it over which a face is smoothed.

use std::sync::Arc;

use super::SeenFace;
use crate::face::{CropProtocol, Face};
use crate::track::select::{choose, choose_like, follow};
use crate::track::smooth::{SMOOTHING_FRAMES, smooth};
use crate::track::tracker::Seen;
use crate::track::{Linker, Look, Selection};

/// How far smoothing looks to each side, in frames.
pub(crate) const SMOOTHING_REACH: usize = SMOOTHING_FRAMES / 2;

/// The faces found in one frame. Cheap to clone: the faces are shared.
#[derive(Clone, Debug)]
pub struct FrameFaces {
    pub(super) faces: Arc<[Face]>,
    /// The number of each face in the clip; empty while the clip's faces are not numbered.
    pub(super) ids: Arc<[u32]>,
    /// The frame as a whole.
    pub(super) look: Arc<Look>,
    /// Identifies the frame's picture.
    pub(super) fingerprint: u128,
}

impl FrameFaces {
    /// The faces of a frame, numbered within this frame alone.
    pub(crate) fn alone(seen: Seen) -> Self {
        let Seen {
            faces,
            look,
            fingerprint,
        } = seen;
        let ids = Linker::default().link(0, &faces, false);
        Self {
            faces: faces.into(),
            ids: ids.into(),
            look: look.into(),
            fingerprint,
        }
    }

    /// The faces, the largest first. Faces that [`Renderer::find_faces`](super::Renderer::find_faces)
    /// found are numbered within their frame alone, not within a clip.
    pub fn list(&self) -> Vec<SeenFace> {
        let seen = |(face, id): (&Face, &u32)| SeenFace {
            id: *id,
            centre: face.centre,
            side: face.side,
            confidence: face.confidence,
        };
        self.faces.iter().zip(self.ids.iter()).map(seen).collect()
    }

    /// The face that `selection` selects in this frame alone.
    pub fn chosen(&self, selection: Selection) -> Option<&Face> {
        choose(&self.faces, &self.ids, selection).map(|at| &self.faces[at])
    }

    /// The frame as a whole.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Whether the film was cut between this frame and another one shortly after it (or before it): they do
    /// not look alike.
    pub fn is_cut_to(&self, next: &Self) -> bool {
        !self.look.is_like(&next.look)
    }

    /// Every face with its number, where the faces are numbered.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (&Face, Option<u32>)> {
        let ids = self.ids.iter().copied().map(Some);
        self.faces.iter().zip(ids.chain(std::iter::repeat(None)))
    }
}

/// The faces of a frame and of the frames next to it. `None` where a frame does not exist or its
/// faces are not known.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// The frame itself.
    pub middle: FrameFaces,
    /// The two frames before it, the earlier one first.
    pub before: [Option<FrameFaces>; SMOOTHING_REACH],
    /// The two frames after it.
    pub after: [Option<FrameFaces>; SMOOTHING_REACH],
}

/// The face that speaks in a frame.
pub(crate) struct Speaker<'a> {
    /// As found in the frame itself.
    pub own: &'a Face,
    /// Smoothed over the neighbouring frames.
    pub smoothed: Face,
    /// Its number in the clip.
    pub id: u32,
}

impl Neighbours {
    /// How many frames before and after a frame take part in the smoothing.
    pub const REACH: usize = SMOOTHING_REACH;

    /// The speaking face of the middle frame; `None` where `selection` selects none.
    pub(crate) fn speaker(
        &self,
        selection: Selection,
        protocol: &CropProtocol,
    ) -> Option<Speaker<'_>> {
        let middle = std::iter::once(Some(&self.middle));
        let before = self.before.iter().map(Option::as_ref);
        let mut frames = before
            .chain(middle)
            .chain(self.after.iter().map(Option::as_ref));
        let mut frames: [Option<&FrameFaces>; SMOOTHING_FRAMES] =
            std::array::from_fn(|_| frames.next().flatten());
        end_at_cuts(&mut frames);
        let frames = frames.map(|frame| frame.map(|frame| &*frame.faces));
        let at = match selection {
            Selection::Like(wanted) => choose_like(frames, &wanted)?,
            other => choose(&self.middle.faces, &self.middle.ids, other)?,
        };
        Some(Speaker {
            own: &self.middle.faces[at],
            smoothed: smooth(follow(frames, at), protocol)?,
            id: *self.middle.ids.get(at)?,
        })
    }
}

/// Leaves out the frames beyond a cut, as seen from the middle.
fn end_at_cuts(frames: &mut [Option<&FrameFaces>; SMOOTHING_FRAMES]) {
    for step in 1..=SMOOTHING_REACH {
        for (near, far) in [
            (SMOOTHING_REACH + step - 1, SMOOTHING_REACH + step),
            (SMOOTHING_REACH + 1 - step, SMOOTHING_REACH - step),
        ] {
            frames[far] = match (frames[near], frames[far]) {
                (Some(near), Some(far)) if !near.is_cut_to(far) => Some(far),
                _ => None,
            };
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::track::look::tests::scene;

    /// The faces of a frame of one shot.
    pub fn frame(faces: Vec<Face>) -> FrameFaces {
        frame_of(faces, 1)
    }

    /// The faces of a frame of a shot.
    pub fn frame_of(faces: Vec<Face>, shot: u32) -> FrameFaces {
        FrameFaces::alone(Seen {
            faces,
            look: scene(shot),
            fingerprint: 0,
        })
    }
}
