//! The search for the reference: the frame from which the engine takes the look of a person.
//!
//! Automatic: the first frame that shows a face is looked for; every third of the 25 frames from there
//! on, up to a cut, is a candidate, and the engine chooses the best of them.

use std::cell::Cell;
use std::sync::Arc;

use stylelipsync::frame::fingerprint;
use stylelipsync::{Analysis, ClipOptions, Engine, FrameFaces, Renderer};

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

/// Candidates are taken from this many frames, one of every `CANDIDATE_STEP`.
const CANDIDATE_FRAMES: i64 = 25;
const CANDIDATE_STEP: usize = 3;
/// The first face is looked for in every 8th frame, in 64 frames at most.
const PROBE_STEP: i64 = 8;
const PROBES: i64 = 64;

/// The frame of the reference that each render asks the host for: once the search is over, the one by
/// which the reference is checked; before, the one that the user chose. The search itself asks for one
/// frame after the other: declared in advance, all of them would be fetched by hosts that prefetch.
pub fn frame_needed(
    instance: &Instance,
    settings: &Settings,
    range: Option<[i64; 2]>,
) -> Option<i64> {
    let request = ReferenceRequest::of(settings, range);
    match instance.references.of(&request) {
        Some(known) => known.key.candidates.first().map(|(frame, _)| *frame),
        None => settings.reference.map(i64::from),
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
    /// Searches, and adds the reference to those that the instance knows.
    ///
    /// # Errors
    /// [`ActionError::User`] where the frame that the user chose is missing or shows no face;
    /// [`ActionError::Aborted`].
    pub fn run(
        &self,
        engine: &Arc<Engine>,
        request: ReferenceRequest,
        options: &ClipOptions,
    ) -> Result<KnownReference> {
        let frames = Frames {
            search: self,
            incomplete: Cell::new(false),
        };
        let renderer = Renderer::new(engine.clone(), options.clone())?;
        let key = ReferenceKey {
            query: self.query.clone(),
            candidates: self.candidates(&frames, &renderer)?,
        };
        let analysis = shared::reference(&key, || {
            let analysis = Analysis::default();
            for (frame, _) in &key.candidates {
                frames.with(*frame, |image| {
                    let view = image.view()?;
                    let faces = shared::faces(&self.query.engine, &renderer, &view)?;
                    Ok(analysis.add_faces(&renderer, *frame, faces, &view)?)
                })?;
            }
            Ok(analysis)
        })?;
        let found = KnownReference {
            request,
            key,
            analysis,
        };
        // With a frame missing now, a later search may find a better reference.
        if !frames.incomplete.get() {
            self.instance.references.add(found.clone());
        }
        Ok(found)
    }

    /// Whether the source still shows the picture of the first candidate. A host need not tell that
    /// the nodes above the effect show another picture or person.
    ///
    /// # Errors
    /// [`ActionError::Image`] for an image that the effect cannot process; [`ActionError::Aborted`].
    pub fn still_holds(&self, key: &ReferenceKey) -> Result<bool> {
        let Some((frame, known)) = key.candidates.first() else {
            return Ok(true);
        };
        let frames = Frames {
            search: self,
            incomplete: Cell::new(false),
        };
        let now = frames.with(*frame, |image| Ok(fingerprint(&image.view()?)))?;
        Ok(now.is_none_or(|now| now == *known))
    }

    /// The frames among which the reference is chosen, with their fingerprints.
    fn candidates(&self, frames: &Frames<'_>, renderer: &Renderer) -> Result<Vec<(i64, u128)>> {
        let range = match (self.query.frame.map(i64::from), self.query.range) {
            (Some(frame), _) if !self.host.temporal && frame != self.current.frame => {
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
                let probes = (0..PROBES).map(|number| first + number * PROBE_STEP);
                let mut probes = probes.take_while(|frame| *frame <= last);
                let found = probes.find_map(|frame| match self.has_face(frames, renderer, frame) {
                    Ok(Some(true)) => Some(Ok(frame)),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                });
                match found.transpose()? {
                    Some(start) => start..=last.min(start + CANDIDATE_FRAMES - 1),
                    None => return Ok(Vec::new()),
                }
            }
            _ => return Ok(Vec::new()),
        };
        let mut candidates = Vec::new();
        let mut before: Option<FrameFaces> = None;
        for frame in range.step_by(CANDIDATE_STEP) {
            let seen = frames.with(frame, |image| {
                let view = image.view()?;
                let faces = shared::faces(&self.query.engine, renderer, &view)?;
                Ok((faces, fingerprint(&view)))
            })?;
            let Some((faces, fingerprint)) = seen else {
                continue;
            };
            // Beyond a cut there may be another person.
            if before.is_some_and(|before| before.is_cut_to(&faces)) {
                break;
            }
            candidates.push((frame, fingerprint));
            before = Some(faces);
        }
        Ok(candidates)
    }

    /// Whether a frame shows the selected face; `None` where the host does not have the frame.
    fn has_face(
        &self,
        frames: &Frames<'_>,
        renderer: &Renderer,
        frame: i64,
    ) -> Result<Option<bool>> {
        frames.with(frame, |image| {
            let faces = shared::faces(&self.query.engine, renderer, &image.view()?)?;
            Ok(faces.chosen(self.query.selection).is_some())
        })
    }
}

/// The host's frames during a search.
struct Frames<'a> {
    search: &'a ReferenceSearch<'a>,
    /// Whether the host did not have a frame that was asked for.
    incomplete: Cell<bool>,
}

impl Frames<'_> {
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
        if frame == current.frame && current.is_whole() {
            return use_frame(&InputFrame::of(source, colour)?).map(Some);
        }
        match Image::fetch(host, instance.source, time_of(frame))? {
            Some(image) => use_frame(&InputFrame::of(&image, colour)?).map(Some),
            None => {
                self.incomplete.set(true);
                Ok(None)
            }
        }
    }
}
