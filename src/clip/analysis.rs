//! The analysis: the results of face detection that random access stores before rendering.

use std::sync::Arc;

use parking_lot::RwLock;

use super::bank_frame::Held;
use super::faces::{FrameFaces, Neighbours};
use super::profile::{LastProfile, Profile};
use super::reference::ReferenceFrame;
use super::renderer::Renderer;
use super::tracks::Tracks;
use crate::frame::FrameRef;
use crate::track::Selection;
use crate::{Error, Result};

/// The faces of a clip's frames, their numbers, and the frames that the profile is made from. It takes
/// some hundred bytes for each frame, and 256 KiB for each of at most some hundred pictures.
///
/// All calls may be made from any number of threads at once. Frames may be added in any order; what
/// is gathered does not depend on it.
#[derive(Default)]
pub struct Analysis {
    tracks: RwLock<Tracks>,
    /// The profile of the first second.
    early: LastProfile,
    /// The profile of all frames, once [`finish`](Self::finish) was called.
    finished: RwLock<Option<Arc<Profile>>>,
}

impl Analysis {
    /// Finds and adds the faces of the frame `index`; returns how many there are. A frame that was
    /// added already is not looked at again.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails; nothing is added then. [`Error::State`] when a face
    /// is selected by its number and a later frame was added already: numbers are assigned in order.
    pub fn add(&self, renderer: &Renderer, index: i64, frame: &FrameRef<'_>) -> Result<usize> {
        if let Some(known) = self.tracks.read().faces(index) {
            return Ok(known.faces.len());
        }
        // No lock is held while the networks run.
        self.add_faces(renderer, index, renderer.find_faces(frame)?, frame)
    }

    /// As [`add`](Self::add), with the faces that [`Renderer::find_faces`] found in `frame`.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_faces(
        &self,
        renderer: &Renderer,
        index: i64,
        FrameFaces { faces, .. }: FrameFaces,
        frame: &FrameRef<'_>,
    ) -> Result<usize> {
        let count = faces.len();
        let by_number = matches!(renderer.options().selection, Selection::Id(_));
        let room = renderer.room();
        let (known, wanted) = {
            let mut tracks = self.tracks.write();
            if let Some(known) = tracks.faces(index) {
                return Ok(known.faces.len());
            }
            if by_number && !tracks.is_next(index) {
                return Err(Error::State(format!(
                    "frame {index} was analysed after a later one: choosing a face by its number \
                     needs the frames in rising order"
                )));
            }
            tracks.add(index, faces.to_vec());
            let wanted = room.cells > 0 || tracks.profile.is_near(index);
            (tracks.faces(index).cloned(), wanted && !self.is_finished())
        };
        let position = renderer.options().timing.position(index).ok();
        if let Some(faces) = known.filter(|_| wanted)
            && let Some(candidate) = renderer.candidate_of(&faces, frame, (index, position))?
        {
            let mut tracks = self.tracks.write();
            if !self.is_finished() {
                tracks.profile.add(index, candidate, room);
            }
        }
        Ok(count)
    }

    /// The faces of the frame `index`, numbered in the clip; `None` when it was not added.
    pub fn faces(&self, index: i64) -> Option<FrameFaces> {
        self.numbered(|tracks| tracks.faces(index).cloned())
    }

    /// The faces of the frame `index` and of the added ones next to it; `None` when it was not added.
    pub fn neighbours(&self, index: i64) -> Option<Neighbours> {
        self.numbered(|tracks| tracks.neighbours(index))
    }

    /// The added frames next to the frame `index`, which was not added and whose faces are `middle`.
    pub fn neighbours_of(&self, index: i64, middle: FrameFaces) -> Neighbours {
        self.tracks.read().neighbours_of(index, middle)
    }

    /// Freezes the profile: it is made from all frames added so far, and frames that are added later do
    /// not change it. A call after the first one changes nothing. Frames that other threads add during
    /// the call may or may not be in it.
    ///
    /// # Errors
    /// [`Error::State`] when no frame was added, [`Error::NoFace`] when none shows the face well enough,
    /// [`Error::Network`]; it is not frozen then.
    pub fn finish(&self, renderer: &Renderer) -> Result<()> {
        if self.is_finished() {
            return Ok(());
        }
        let (anchor, frames, gain) = {
            let tracks = self.tracks.read();
            if tracks.len() == 0 {
                return Err(Error::State("no frame was analysed".into()));
            }
            let anchor = tracks.profile.reference().cloned();
            let anchor = anchor.ok_or(Error::NoFace("the analysed frames"))?;
            let frames: Vec<_> = tracks.profile.all().cloned().collect();
            (anchor, frames, tracks.gain(renderer, None))
        };
        // No lock is held while the network runs.
        let profile = Profile::choose(renderer.engine(), &anchor, frames.iter(), gain)?;
        profile.encode(renderer.engine())?;
        let mut tracks = self.tracks.write();
        let mut finished = self.finished.write();
        if finished.is_none() {
            *finished = Some(Arc::new(profile));
            tracks.profile.release();
            self.early.clear();
        }
        Ok(())
    }

    /// Whether the profile is frozen.
    pub fn is_finished(&self) -> bool {
        self.finished.read().is_some()
    }

    /// The frozen profile; before [`finish`](Self::finish) the one of the first 25 frames from the first
    /// face on, as far as they were added. `None` before a frame with the face was added.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub fn profile(&self, renderer: &Renderer) -> Result<Option<Arc<Profile>>> {
        if let Some(profile) = &*self.finished.read() {
            return Ok(Some(profile.clone()));
        }
        let early = {
            let tracks = self.tracks.read();
            if let Some(profile) = self.early.find(&tracks.profile) {
                return Ok(Some(profile));
            }
            tracks.early(renderer)
        };
        let make = |frames| self.early.make(renderer.engine(), &frames);
        early.map(make).transpose()
    }

    /// The frame that the reference is.
    pub fn reference_frame(&self) -> Option<ReferenceFrame> {
        if let Some(profile) = &*self.finished.read() {
            let (index, anchor) = (profile.reference_index()?, profile.anchor());
            return Some(ReferenceFrame::new(index, &anchor.image, &anchor.identity));
        }
        let tracks = self.tracks.read();
        let candidate = tracks.profile.reference()?;
        let frame = &candidate.frame;
        Some(ReferenceFrame::new(
            frame.index,
            &frame.image,
            &candidate.identity,
        ))
    }

    /// The frame before which all frames must be added for the reference to be the same as if the
    /// whole clip were; `None` before a frame with the face was added.
    pub fn reference_settled_at(&self) -> Option<i64> {
        self.tracks.read().profile.end()
    }

    /// The indices of the added frames, in rising order.
    pub fn indices(&self) -> Vec<i64> {
        self.tracks.read().indices()
    }

    /// Frames added.
    pub(super) fn len(&self) -> usize {
        self.tracks.read().len()
    }

    /// Candidates for the reference.
    pub(super) fn candidates(&self) -> usize {
        self.tracks.read().profile.candidates()
    }

    /// The pictures held for the profile.
    pub(super) fn held(&self) -> Held {
        let gathered = self.tracks.read().profile.held();
        let finished = self.finished.read();
        gathered
            + finished
                .as_ref()
                .map_or(Held::default(), |profile| profile.held())
    }

    /// Asks for something that needs the faces' numbers, and assigns them first where a frame was
    /// added out of order.
    fn numbered<T>(&self, ask: impl FnOnce(&Tracks) -> T) -> T {
        let tracks = self.tracks.read();
        if tracks.is_numbered() {
            return ask(&tracks);
        }
        drop(tracks);
        let mut tracks = self.tracks.write();
        tracks.renumber();
        ask(&tracks)
    }
}
