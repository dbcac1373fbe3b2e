//! The search for the reference: the frame from which the engine takes the look of a person.
//!
//! Automatic: the first frame that shows a face is looked for; every third of the 25 frames from there
//! on, up to a cut, is a candidate, and the engine chooses the best of them. Frames beyond a cut that do not
//! look like these get a reference from their own shot.

use std::cell::Cell;
use std::sync::Arc;

use stylelipsync::frame::fingerprint;
use stylelipsync::track::Look;
use stylelipsync::{Analysis, ClipOptions, Engine, FrameFaces, Neighbours, Renderer};

use crate::error::{ActionError, Result};
use crate::frame_time::{FrameTime, time_of};
use crate::host::Host;
use crate::image::Image;
use crate::input_frame::InputFrame;
use crate::instance::Instance;
use crate::keys::{ReferenceKey, ReferenceQuery};
use crate::known_references::{KnownReference, ReferenceRequest};
use crate::settings::Settings;
use crate::shared;
use crate::shot_starts::{self, Found};

/// Candidates are taken from this many frames, one of every `CANDIDATE_STEP`.
const CANDIDATE_FRAMES: i64 = 25;
const CANDIDATE_STEP: usize = 3;
/// The first face is looked for in every 8th frame, in 64 frames at most.
const PROBE_STEP: i64 = 8;
const PROBES: i64 = 64;

/// The frames of references that each render asks the host for: once the search is over, those by which
/// the references are checked; before, the one that the user chose. The search itself asks for one
/// frame after the other: declared in advance, all of them would be fetched by hosts that prefetch.
pub fn frames_needed(
    instance: &Instance,
    settings: &Settings,
    current: FrameTime,
    range: Option<[i64; 2]>,
) -> Vec<i64> {
    let request = ReferenceRequest::of(settings, range);
    let known = instance.references.of(&request);
    match known.iter().any(Option::is_some) {
        true => {
            let known = known.iter().flatten();
            let checked = known.filter_map(|known| known.key.farthest_from(current.frame));
            checked.collect()
        }
        false => settings.reference.map(i64::from).into_iter().collect(),
    }
}

/// A search among the host's frames.
pub struct ReferenceSearch<'a> {
    pub host: &'a Host,
    pub instance: &'a Instance,
    /// The frame that is rendered, and its image.
    pub current: FrameTime,
    pub source: &'a Image<'a>,
    pub query: &'a ReferenceQuery,
}

impl ReferenceSearch<'_> {
    /// The reference of the frame's shot: the one that the instance knows, if the source still shows its
    /// pictures, else a new one.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn find(
        &self,
        engine: &Arc<Engine>,
        request: &ReferenceRequest,
        options: &ClipOptions,
    ) -> Result<KnownReference> {
        let renderer = Renderer::new(engine.clone(), options.clone())?;
        let first = self.known_or_found(&renderer, request)?;
        let Some(shot) = self.shot_of(&first, &renderer)? else {
            return Ok(first);
        };
        let query = ReferenceQuery {
            shot: Some(shot),
            ..self.query.clone()
        };
        let of_shot = ReferenceSearch {
            query: &query,
            ..*self
        };
        of_shot.known_or_found(&renderer, request)
    }

    fn known_or_found(
        &self,
        renderer: &Renderer,
        request: &ReferenceRequest,
    ) -> Result<KnownReference> {
        for known in self.instance.references.of_query(self.query) {
            if self.still_holds(&known.key)? {
                self.instance.references.add(known.clone());
                return Ok(known);
            }
        }
        self.run(renderer, request.clone())
    }

    /// The first frame of the shot of the frame that is rendered, if it is not the shot of the reference
    /// `first`. A function of the source's pictures alone.
    ///
    /// A frame that looks like a candidate of the reference is of its shot. For any other one, the cut before
    /// it is looked for.
    fn shot_of(&self, first: &KnownReference, renderer: &Renderer) -> Result<Option<i64>> {
        let (Some([start, _]), false) = (self.query.range, first.faces.is_empty()) else {
            return Ok(None);
        };
        if self.query.frame.is_some() || !self.host.temporal {
            return Ok(None);
        }
        let frames = Frames::new(self);
        // A frame without the face is not changed: it needs no reference.
        let Some((faces, _)) = frames.seen(renderer, self.current.frame)? else {
            return Ok(None);
        };
        if faces.chosen(self.query.selection).is_none() {
            return Ok(None);
        }
        let of_first = |look: &Look| first.faces.iter().any(|near| near.look().is_like(look));
        let found = shot_starts::find(
            self.current.frame,
            start,
            |frame| frames.look(renderer, frame),
            |(one, _), (other, _)| one.is_like(other),
            |frame, (look, fingerprint)| match of_first(look) {
                true => Some(None),
                false => first.shots.lock().get(frame, *fingerprint),
            },
        )?;
        let Some(Found { start, met }) = found else {
            return Ok(None);
        };
        for (frame, (_, fingerprint)) in met {
            first.shots.lock().insert(frame, fingerprint, start);
        }
        Ok(start)
    }

    /// Searches, and adds the reference to those that the instance knows.
    ///
    /// # Errors
    /// [`ActionError::User`] where the frame that the user chose is missing or shows no face;
    /// [`ActionError::Aborted`].
    fn run(&self, renderer: &Renderer, request: ReferenceRequest) -> Result<KnownReference> {
        let frames = Frames::new(self);
        let (candidates, faces) = self.candidates(&frames, renderer)?.into_iter().unzip();
        let key = ReferenceKey {
            query: self.query.clone(),
            candidates,
        };
        let faces: Vec<FrameFaces> = faces;
        let analysis = shared::reference(&key, || {
            let analysis = Analysis::default();
            for (frame, _) in &key.candidates {
                let added = frames.with(*frame, |image| {
                    let view = image.view()?;
                    let faces = shared::faces(&self.query.engine, renderer, &view)?;
                    Ok(analysis.add_faces(renderer, *frame, faces, &view)?)
                })?;
                let lost = || ActionError::Image(format!("the host has lost frame {frame}"));
                added.ok_or_else(lost)?;
            }
            Ok(analysis)
        })?;
        let found = KnownReference {
            request,
            key,
            analysis,
            faces: faces.into(),
            shots: Arc::default(),
        };
        // With a frame missing now, a later search may find a better reference.
        if !frames.incomplete.get() {
            self.instance.references.add(found.clone());
        }
        Ok(found)
    }

    /// Whether the source still shows the pictures of the candidate farthest from the frame that is rendered,
    /// and of those next to it. A host need not tell that the nodes above the effect show another picture,
    /// and it may withhold frames that are far away: then a new search would not find this reference.
    fn still_holds(&self, key: &ReferenceKey) -> Result<bool> {
        let frames = Frames::new(self);
        let current = self.current.frame;
        let farthest = key.farthest_from(current);
        let near = |frame: i64| current.abs_diff(frame) <= Neighbours::REACH as u64;
        for (frame, known) in &key.candidates {
            if Some(*frame) != farthest && !near(*frame) {
                continue;
            }
            let now = frames.with(*frame, |image| Ok(fingerprint(&image.view()?)))?;
            if now != Some(*known) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The frames among which the reference is chosen, with their fingerprints and faces.
    fn candidates(
        &self,
        frames: &Frames<'_>,
        renderer: &Renderer,
    ) -> Result<Vec<((i64, u128), FrameFaces)>> {
        let range = match (self.query.frame.map(i64::from), self.query.range) {
            (Some(frame), _) if !self.host.temporal && frame != self.current.frame => {
                frames.incomplete.set(true);
                return Ok(Vec::new());
            }
            (Some(frame), _) => {
                let failed = |what| ActionError::User(format!("Reference Frame: {what} {frame}"));
                match self.has_face(frames, renderer, frame)? {
                    Some(true) => frame..=frame,
                    Some(false) => return Err(failed("the selected face is not in frame")),
                    None => return Err(failed("the host has no frame")),
                }
            }
            (None, Some([first, last])) if self.host.temporal => {
                match self.first_face([first, last], frames, renderer)? {
                    Some(start) => start..=last.min(start + CANDIDATE_FRAMES - 1),
                    None => return Ok(Vec::new()),
                }
            }
            _ => return Ok(Vec::new()),
        };
        let mut candidates: Vec<((i64, u128), FrameFaces)> = Vec::new();
        for frame in range.step_by(CANDIDATE_STEP) {
            let Some((faces, fingerprint)) = frames.seen(renderer, frame)? else {
                continue;
            };
            // Beyond a cut there may be another person.
            if let Some((_, before)) = candidates.last()
                && before.is_cut_to(&faces)
            {
                break;
            }
            candidates.push(((frame, fingerprint), faces));
        }
        Ok(candidates)
    }

    /// The first frame, among those that are probed, that shows the selected face: of the source, or of
    /// the shot.
    fn first_face(
        &self,
        [first, last]: [i64; 2],
        frames: &Frames<'_>,
        renderer: &Renderer,
    ) -> Result<Option<i64>> {
        let start = self.query.shot.unwrap_or(first);
        let probes = (0..PROBES).map(|number| start + number * PROBE_STEP);
        let mut before: Option<FrameFaces> = None;
        for frame in probes.take_while(|frame| *frame <= last) {
            let Some((faces, _)) = frames.seen(renderer, frame)? else {
                continue;
            };
            let is_cut = before.is_some_and(|before| before.is_cut_to(&faces));
            if self.query.shot.is_some() && is_cut {
                break;
            }
            if faces.chosen(self.query.selection).is_some() {
                return Ok(Some(frame));
            }
            before = Some(faces);
        }
        Ok(None)
    }

    /// Whether a frame shows the selected face; `None` where the host does not have the frame.
    fn has_face(
        &self,
        frames: &Frames<'_>,
        renderer: &Renderer,
        frame: i64,
    ) -> Result<Option<bool>> {
        let seen = frames.seen(renderer, frame)?;
        Ok(seen.map(|(faces, _)| faces.chosen(self.query.selection).is_some()))
    }
}

/// The host's frames during a search.
struct Frames<'a> {
    search: &'a ReferenceSearch<'a>,
    /// Whether the host did not have a frame that was asked for.
    incomplete: Cell<bool>,
}

impl<'a> Frames<'a> {
    fn new(search: &'a ReferenceSearch<'a>) -> Self {
        Self {
            search,
            incomplete: Cell::new(false),
        }
    }

    /// The faces of a frame, and its fingerprint; `None` where the host does not have it.
    fn seen(&self, renderer: &Renderer, frame: i64) -> Result<Option<(FrameFaces, u128)>> {
        self.with(frame, |image| {
            let view = image.view()?;
            let faces = shared::faces(&self.search.query.engine, renderer, &view)?;
            Ok((faces, fingerprint(&view)))
        })
    }

    /// The look of a frame, and its fingerprint; `None` where the host does not have it.
    fn look(&self, renderer: &Renderer, frame: i64) -> Result<Option<(Arc<Look>, u128)>> {
        self.with(frame, |image| {
            shared::look(&self.search.query.engine, renderer, &image.view()?)
        })
    }

    /// Uses a frame; `None` where the host does not have it.
    fn with<T>(
        &self,
        frame: i64,
        use_frame: impl FnOnce(&InputFrame<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let ReferenceSearch {
            host,
            instance,
            current,
            source,
            ..
        } = self.search;
        let colour = self.search.query.input_colour;
        if host.is_aborted(instance.effect) {
            return Err(ActionError::Aborted);
        }
        if frame == current.frame && (current.is_whole() || !host.temporal) {
            return use_frame(&InputFrame::of(source, colour)?).map(Some);
        }
        // Without temporal clip access, an image need not be the one of its time.
        let image = match host.temporal {
            true => Image::fetch(host, instance.source, time_of(frame))?,
            false => None,
        };
        match image {
            Some(image) => use_frame(&InputFrame::of(&image, colour)?).map(Some),
            None => {
                self.incomplete.set(true);
                Ok(None)
            }
        }
    }
}
