//! The analysis: the results of face detection that random access stores before rendering.

use std::sync::Arc;

use parking_lot::RwLock;

use super::faces::{FrameFaces, Neighbours};
use super::reference::{EncodedReference, Reference, ReferenceFrame};
use super::renderer::Renderer;
use super::tracks::Tracks;
use crate::frame::FrameRef;
use crate::track::Selection;
use crate::{Error, Result};

/// The faces of a clip's frames, their numbers, and the reference among them. It takes some hundred
/// bytes for each frame, and the crops of at most 25 candidates for the reference.
///
/// All calls may be made from any number of threads at once. Frames may be added in any order; what
/// is gathered does not depend on it.
#[derive(Default)]
pub struct Analysis {
    tracks: RwLock<Tracks>,
    encoded: EncodedReference,
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
        let (known, near) = {
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
            (tracks.faces(index).cloned(), tracks.is_near(index))
        };
        if let Some(faces) = known.filter(|_| near)
            && let Some(candidate) = renderer.candidate_of(&faces, frame)?
        {
            self.tracks.write().nominate(index, candidate);
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

    /// The reference among the frames added so far; `None` while there is no candidate.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub fn reference(&self, renderer: &Renderer) -> Result<Option<Arc<Reference>>> {
        let Some((index, candidate)) = self.tracks.read().reference() else {
            return Ok(None);
        };
        self.encoded
            .get(index, || renderer.encode(&candidate))
            .map(Some)
    }

    /// The frame that [`reference`](Self::reference) is made from.
    pub fn reference_frame(&self) -> Option<ReferenceFrame> {
        let (index, candidate) = self.tracks.read().reference()?;
        Some(ReferenceFrame {
            index,
            crop: candidate.crop,
            identity: candidate.identity,
        })
    }

    /// The frame before which all frames must be added for the reference to be the same as if the
    /// whole clip were; `None` while there is no candidate.
    pub fn reference_settled_at(&self) -> Option<i64> {
        self.tracks.read().settled_at()
    }

    /// The indices of the added frames, in rising order.
    pub fn indices(&self) -> Vec<i64> {
        self.tracks.read().indices()
    }

    /// Frames added.
    pub(super) fn len(&self) -> usize {
        self.tracks.read().len()
    }

    /// Crops held as candidates for the reference.
    pub(super) fn candidates(&self) -> usize {
        self.tracks.read().candidates()
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
