//! The analysis: the results of face detection that random access stores before rendering.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;

use super::analysis_file::{self, Parts};
use super::bank_frame::Held;
use super::faces::{FrameFaces, Neighbours};
use super::profile::{LastProfiles, Profile};
use super::reference::ReferenceFrame;
use super::renderer::Renderer;
use super::shot_profile::ShotProfile;
use super::shot_source::ShotSource;
use super::shots::Shot;
use super::tracks::Tracks;
use crate::frame::{FrameRef, fingerprint};
use crate::track::{Dissolve, Selection};
use crate::{Error, Result};

/// The faces of a clip's frames, their numbers, and the frames that the profile is made from. It takes
/// about 800 bytes for each frame and face, and 256 to 896 KiB for each picture of the person: some hundred
/// in a clip of one shot, fewer for each shot of a film, and none for those after the first 1000.
///
/// All calls may be made from any number of threads at once. Frames may be added in any order; what
/// is gathered does not depend on it.
#[derive(Default)]
pub struct Analysis {
    tracks: RwLock<Tracks>,
    /// Profiles of first seconds.
    early: LastProfiles,
    /// The profile of all frames, once [`finish`](Self::finish) was called.
    finished: RwLock<Option<Arc<Profile>>>,
    /// Whether it was read from a file: frames are compared with those that were analysed then.
    loaded: bool,
}

impl Analysis {
    /// Finds and adds the faces of the frame `index`; returns how many there are. A frame that was
    /// added already is not looked at again.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails; nothing is added then. [`Error::State`] when a face
    /// is selected by its number and a later frame was added already: numbers are assigned in order.
    pub fn add(&self, renderer: &Renderer, index: i64, frame: &FrameRef<'_>) -> Result<usize> {
        if let Some(known) = self.count(index) {
            return Ok(known);
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
        faces: FrameFaces,
        frame: &FrameRef<'_>,
    ) -> Result<usize> {
        let count = faces.faces.len();
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
            tracks.add(index, faces);
            let wanted = room.cells > 0 || tracks.shots.is_near(index);
            (tracks.faces(index).cloned(), wanted && !self.is_finished())
        };
        let position = renderer.options().timing.position(index).ok();
        if let Some(faces) = known.filter(|_| wanted)
            && let Some(candidate) = renderer.candidate_of(&faces, frame, (index, position))?
        {
            let mut tracks = self.tracks.write();
            if !self.is_finished() {
                tracks.shots.add(index, candidate, room);
            }
        }
        Ok(count)
    }

    /// How many faces the frame `index` has; `None` when it was not added.
    pub(super) fn count(&self, index: i64) -> Option<usize> {
        let tracks = self.tracks.read();
        Some(tracks.faces(index)?.faces.len())
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
        let dissolves = self.split_at_dissolves();
        let shots: Vec<_> = {
            let tracks = self.tracks.read();
            if tracks.len() == 0 {
                return Err(Error::State("no frame was analysed".into()));
            }
            let shots = tracks.shots.all();
            let source = |shot: Shot<'_>| {
                let source = ShotSource::of(&tracks, &shot, renderer, &dissolves);
                (shot.range.start, source)
            };
            shots.map(source).collect()
        };
        // No lock is held while the network runs.
        let make = |(start, source): (i64, Option<ShotSource>)| {
            let profile = source.map(|source| source.profile(renderer.engine()));
            Ok((start, profile.transpose()?.map(Arc::new)))
        };
        let shots = shots.into_iter().map(make).collect::<Result<_>>()?;
        let profile = Profile::of_shots(shots)?;
        let mut tracks = self.tracks.write();
        let mut finished = self.finished.write();
        if finished.is_none() {
            *finished = Some(Arc::new(profile));
            tracks.shots.release();
            self.early.clear();
        }
        Ok(())
    }

    /// The dissolves among the frames. Each is the end of a shot, as a cut is.
    fn split_at_dissolves(&self) -> Vec<Dissolve> {
        let dissolves = {
            let tracks = self.tracks.read();
            let looks = tracks.frames().map(|(index, faces)| (index, faces.look()));
            Dissolve::find(&looks.collect::<Vec<_>>())
        };
        let mut tracks = self.tracks.write();
        for dissolve in &dissolves {
            tracks.shots.split(dissolve.middle());
        }
        dissolves
    }

    /// Writes it to a file: once its profile was frozen by [`finish`](Self::finish), so that it can be used
    /// for other audio and by other processes. A frame takes about 800 bytes for each face.
    ///
    /// # Errors
    /// [`Error::State`] before [`finish`](Self::finish), [`Error::Write`]; no file is left half-written.
    pub fn save(&self, renderer: &Renderer, path: impl AsRef<Path>) -> Result<()> {
        Self::save_all(&[(self, renderer)], path.as_ref())
    }

    /// As [`save`](Self::save), of several speakers of the same frames.
    pub(super) fn save_all(speakers: &[(&Self, &Renderer)], path: &Path) -> Result<()> {
        let unfinished =
            || Error::State("the analysis must be finished before it is saved".to_owned());
        let profiles = speakers.iter().map(|(own, _)| own.finished.read().clone());
        let profiles = profiles.collect::<Option<_>>().ok_or_else(unfinished)?;
        let frames = speakers.first().map_or(Vec::new(), |(first, _)| {
            let tracks = first.tracks.read();
            let frames = tracks.frames();
            frames
                .map(|(index, faces)| (index, faces.clone()))
                .collect()
        });
        let renderers: Vec<_> = speakers.iter().map(|(_, renderer)| *renderer).collect();
        analysis_file::save(path, &Parts { frames, profiles }, &renderers)
    }

    /// Reads it from a file. It is finished; frames are rendered to the same bytes as with the one that
    /// was saved.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Analysis`] when the file is not an analysis, is damaged, or is of another
    /// bundle, selection of faces or transfer; [`Error::Network`].
    pub fn load(renderer: &Renderer, path: impl AsRef<Path>) -> Result<Self> {
        let mut all = Self::load_all(&[renderer], path.as_ref())?;
        Ok(all.pop().unwrap_or_default())
    }

    /// As [`load`](Self::load), of several speakers of the same frames: one for each.
    pub(super) fn load_all(renderers: &[&Renderer], path: &Path) -> Result<Vec<Self>> {
        let Parts { frames, profiles } = analysis_file::load(path, renderers)?;
        let of_profile = |profile: Arc<Profile>| {
            let mut tracks = Tracks::default();
            for (index, faces) in &frames {
                tracks.add(*index, faces.clone());
            }
            for (start, _) in profile.by_start() {
                tracks.shots.split(start);
            }
            Self {
                tracks: RwLock::new(tracks),
                finished: RwLock::new(Some(profile)),
                loaded: true,
                ..Self::default()
            }
        };
        Ok(profiles.into_iter().map(of_profile).collect())
    }

    /// Checks that the frame `index` is the one that was analysed, where the analysis was read from a file.
    ///
    /// # Errors
    /// [`Error::State`] naming the frame.
    pub fn check_frame(&self, index: i64, frame: &FrameRef<'_>) -> Result<()> {
        if !self.loaded {
            return Ok(());
        }
        let known = self
            .tracks
            .read()
            .faces(index)
            .map(|faces| faces.fingerprint);
        if known.is_none_or(|known| known == fingerprint(frame)) {
            return Ok(());
        }
        Err(Error::State(format!(
            "frame {index} is not the picture that was analysed: the analysis is of other footage, or its \
             frames had another size or pixel format"
        )))
    }

    /// Whether the profile is frozen.
    pub fn is_finished(&self) -> bool {
        self.finished.read().is_some()
    }

    /// The frozen profile; before [`finish`](Self::finish) the one that is made, for each shot, of the
    /// first 25 frames from the first face on, as far as they were added. `None` before a frame with the
    /// face was added.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub fn profile(&self, renderer: &Renderer) -> Result<Option<Arc<Profile>>> {
        if let Some(profile) = &*self.finished.read() {
            return Ok(Some(profile.clone()));
        }
        let starts: Vec<i64> = {
            let tracks = self.tracks.read();
            tracks.shots.all().map(|shot| shot.range.start).collect()
        };
        let profile_of = |start: i64| Ok((start, self.profile_at(renderer, start)?));
        let shots = starts.into_iter().map(profile_of).collect::<Result<_>>()?;
        Ok(Profile::of_shots(shots).ok().map(Arc::new))
    }

    /// The part of the [`profile`](Self::profile) that is of the frame `index`; `None` where no frame with
    /// the face was added of its shot.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub fn profile_at(&self, renderer: &Renderer, index: i64) -> Result<Option<Arc<ShotProfile>>> {
        if let Some(profile) = &*self.finished.read() {
            return Ok(profile.at(index).cloned());
        }
        let early = {
            let tracks = self.tracks.read();
            let Some(shot) = tracks.shots.shot(index) else {
                return Ok(None);
            };
            if let Some(profile) = self.early.find(shot.key) {
                return Ok(Some(profile));
            }
            tracks.early(&shot, renderer)
        };
        let make = |frames| self.early.make(renderer.engine(), &frames);
        early.map(make).transpose()
    }

    /// The frames of the shot of the frame `index`: from its first known frame to the first one of the next
    /// shot, or to [`i64::MAX`]. `None` before a frame was added.
    pub fn shot(&self, index: i64) -> Option<Range<i64>> {
        Some(self.tracks.read().shots.shot(index)?.range)
    }

    /// The first frames of the clip's shots, in rising order, as far as its frames were added. A shot
    /// begins at a cut between two of them and, once the analysis is finished, in the middle of a dissolve.
    pub fn shots(&self) -> Vec<i64> {
        let tracks = self.tracks.read();
        tracks.shots.all().map(|shot| shot.range.start).collect()
    }

    /// The frame that the reference is, of the first shot with a face.
    pub fn reference_frame(&self) -> Option<ReferenceFrame> {
        if let Some(profile) = &*self.finished.read() {
            let profile = profile.first()?;
            let (index, anchor) = (profile.reference_index()?, profile.anchor());
            return Some(ReferenceFrame::new(index, &anchor.image, &anchor.identity));
        }
        let tracks = self.tracks.read();
        let candidate = tracks
            .shots
            .all()
            .find_map(|shot| shot.frames.reference().cloned())?;
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
        let tracks = self.tracks.read();
        let end = |shot: Shot<'_>| Some(shot.frames.end()?.min(shot.range.end));
        tracks.shots.all().find_map(end)
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
        self.tracks.read().shots.candidates()
    }

    /// The pictures held for the profile.
    pub(super) fn held(&self) -> Held {
        let gathered = self.tracks.read().shots.held();
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
