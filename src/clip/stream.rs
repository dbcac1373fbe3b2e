//! The stream: frames are pushed, and pulled when their look-ahead has been pushed. It keeps only
//! what the frames not yet pulled need.

use std::collections::VecDeque;
use std::sync::Arc;

use super::bank_frame::Held;
use super::cells::Room;
use super::faces::{FrameFaces, Neighbours, SMOOTHING_REACH};
use super::profile::LastProfiles;
use super::reference::CANDIDATES;
use super::renderer::{FrameInputs, Renderer};
use super::shot_profile::ShotProfile;
use super::speech::Speech;
use super::tracks::Tracks;
use super::{FrameOptions, LookAhead, Rendered, Timing};
use crate::frame::{FrameMut, FrameRef, OwnedFrame, PixelFormat};
use crate::{Error, Result, StreamNeed};

/// Frames that a stream of unknown rate may wait for audio: a quarter second at 240 a second.
const UNKNOWN_RATE: usize = 64;

/// The frames of a stream, from the first that was not pulled yet. It renders with the clip's
/// renderer; audio and the reference that the caller set belong to the clip.
pub(super) struct Stream {
    capacity: usize,
    /// Frames that were pushed and not pulled yet.
    waiting: VecDeque<Waiting>,
    /// The faces of the waiting frames and of the two before them.
    tracks: Tracks,
    /// The profiles of the first seconds of its shots.
    early: LastProfiles,
    /// Width, height and format of its frames, once one was pushed.
    kind: Option<(u32, u32, PixelFormat, f64)>,
    /// Index of the next frame pushed.
    next: i64,
    /// Position of the last frame pushed.
    last: Option<i64>,
    flushed: bool,
    /// Pixel buffers for reuse.
    spare: Vec<Vec<u8>>,
}

struct Waiting {
    index: i64,
    position: i64,
    frame: OwnedFrame,
}

impl Stream {
    pub fn new(timing: &Timing, look_ahead: &LookAhead) -> Self {
        let frames = timing.frames_in(look_ahead.audio).max(look_ahead.frames);
        Self {
            capacity: CANDIDATES as usize + frames.max(UNKNOWN_RATE),
            waiting: VecDeque::new(),
            tracks: Tracks::default(),
            early: LastProfiles::default(),
            kind: None,
            next: 0,
            last: None,
            flushed: false,
            spare: Vec::new(),
        }
    }

    /// Frames waiting.
    pub fn frames(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes of pixels held, those of buffers for reuse included.
    pub fn bytes(&self) -> usize {
        let waiting = self.waiting.iter().map(|waiting| waiting.frame.capacity());
        let spare = self.spare.iter().map(Vec::capacity);
        waiting.chain(spare).sum()
    }

    /// Frames whose tracks are held.
    pub fn frames_tracked(&self) -> usize {
        self.tracks.len()
    }

    /// Candidates for the reference.
    pub fn candidates(&self) -> usize {
        self.tracks.shots.candidates()
    }

    /// The pictures held for the profile.
    pub fn held(&self) -> Held {
        self.tracks.shots.held()
    }

    /// Forgets everything; the next frame pushed is `next`.
    pub fn restart(&mut self, next: i64) {
        self.waiting.clear();
        self.tracks = Tracks::default();
        self.early = LastProfiles::default();
        self.kind = None;
        self.next = next;
        self.last = None;
        self.flushed = false;
    }

    /// Whether the frame `index` was pushed, or never will be.
    fn is_known(&self, index: i64) -> bool {
        self.flushed || index < self.next
    }

    /// [`Error::Frame`] unless a frame is of the size and format of those before it.
    fn check_alike(&self, frame: &FrameRef<'_>) -> Result<()> {
        let (width, height) = (frame.width() as u32, frame.height() as u32);
        let (format, pixel_aspect) = (frame.format(), frame.pixel_aspect());
        let known = match self.kind {
            Some(known) if known != (width, height, format, pixel_aspect) => known,
            _ => return Ok(()),
        };
        let field = match known {
            known if (known.0, known.1) != (width, height) => "width",
            known if known.2 != format => "format",
            _ => "pixel_aspect",
        };
        Err(Error::Frame {
            field,
            reason: format!(
                "{width}x{height} {format:?} with a pixel aspect ratio of {pixel_aspect}, but the stream \
                 began with {}x{} {:?} with {}: reset or seek first",
                known.0, known.1, known.2, known.3
            ),
        })
    }

    /// Holds a copy of a frame.
    fn hold(&mut self, position: i64, frame: &FrameRef<'_>, faces: FrameFaces) -> Result<()> {
        let frame_copy = OwnedFrame::copy_of(frame, self.spare.pop().unwrap_or_default())?;
        let (index, (width, height, format)) = (self.next, frame_copy.kind());
        self.waiting.push_back(Waiting {
            index,
            position,
            frame: frame_copy,
        });
        self.tracks.add(index, faces);
        self.kind = Some((width, height, format, frame.pixel_aspect()));
        self.next += 1;
        self.last = Some(position);
        Ok(())
    }

    /// Drops the first waiting frame and what only it needed.
    fn release(&mut self) {
        let Some(pulled) = self.waiting.pop_front() else {
            return;
        };
        self.spare.push(pulled.frame.into_bytes());
        self.spare.truncate(2);
        let needed = pulled.index + 1 - SMOOTHING_REACH as i64;
        self.tracks.forget_before(needed);
    }

    /// Checks a frame that is to be pushed; returns how many more bytes would be held with it.
    ///
    /// # Errors
    /// [`Error::State`] after [`flush`](Self::flush), [`Error::Argument`] when the time goes back,
    /// [`Error::Again`] when the stream is full, [`Error::Frame`] for another size or format.
    pub fn admit(&self, position: i64, frame: &FrameRef<'_>) -> Result<u64> {
        if self.flushed {
            return Err(Error::State(
                "a frame was pushed after the flush: reset or seek first".into(),
            ));
        }
        if self.last.is_some_and(|last| position < last) {
            return Err(Error::Argument {
                field: "position",
                reason: format!("frame {} is earlier than the one before it", self.next),
            });
        }
        if self.waiting.len() >= self.capacity {
            return Err(Error::Again(StreamNeed::Pull));
        }
        self.check_alike(frame)?;
        let spare = self.spare.last().map_or(0, Vec::capacity);
        Ok(OwnedFrame::size_of(frame).saturating_sub(spare) as u64)
    }

    /// Finds the faces of a frame that was [admitted](Self::admit) and holds a copy of it; returns
    /// its index.
    ///
    /// # Errors
    /// [`Error::Network`], [`Error::Memory`].
    pub fn push(
        &mut self,
        renderer: &Renderer,
        position: i64,
        frame: &FrameRef<'_>,
    ) -> Result<i64> {
        let index = self.next;
        let faces = renderer.find_faces(frame)?;
        self.hold(position, frame, faces)?;
        let near = self.tracks.shots.is_near(index);
        let time = (index, Some(position));
        if let Some(faces) = self.tracks.faces(index).filter(|_| near)
            && let Some(candidate) = renderer.candidate_of(faces, frame, time)?
        {
            // No more frames are kept: the profile of a shot is that of its first second.
            let room = Room {
                cells: 0,
                ..renderer.room()
            };
            self.tracks.shots.add(index, candidate, room);
        }
        Ok(index)
    }

    /// States that no more frames come.
    pub fn flush(&mut self) {
        self.flushed = true;
    }

    /// Index of the next frame pushed.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Index and kind (width, height, format) of the frame that is pulled next, where one waits.
    pub fn front(&self) -> Option<(i64, u32, u32, PixelFormat)> {
        let waiting = self.waiting.front()?;
        let (width, height, format) = waiting.frame.kind();
        Some((waiting.index, width, height, format))
    }

    /// Renders the first waiting frame and drops it; `profile` gives the clip's profile, which comes
    /// before the stream's own.
    ///
    /// # Errors
    /// [`Error::Again`], [`Error::End`], [`Error::NoAudio`] and those of [`Renderer::render`]. The
    /// frame keeps waiting then.
    pub fn pull(
        &mut self,
        renderer: &Renderer,
        speech: Option<&mut Speech>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        profile: impl FnOnce(i64) -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<Rendered> {
        let waiting = self.waiting()?;
        let (known, faces) = self.gather(waiting, renderer, speech.as_deref())?;
        let inputs = FrameInputs {
            index: waiting.index,
            position: waiting.position,
            speech: known,
            faces: &faces,
        };
        let source = waiting.frame.view()?;
        let rendered = renderer.render(&inputs, &source, target, options, || {
            self.profile(renderer, waiting.index, profile)
        })?;
        let position = waiting.position;
        self.release();
        if let Some(speech) = speech {
            // Times never go back, so no later frame needs more of the past.
            speech.discard_before(renderer.first_sample(position));
        }
        Ok(rendered)
    }

    /// Whether [`pull`](Self::pull) would render a frame now: its width, height and format.
    ///
    /// # Errors
    /// As [`pull`](Self::pull), except those about a target.
    pub fn ready(
        &self,
        renderer: &Renderer,
        speech: Option<&Speech>,
        profile: impl FnOnce(i64) -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<(u32, u32, PixelFormat)> {
        let waiting = self.waiting()?;
        let (_, faces) = self.gather(waiting, renderer, speech)?;
        if renderer.selected(&faces).is_some() {
            self.profile(renderer, waiting.index, profile)?;
        }
        Ok(waiting.frame.kind())
    }

    fn waiting(&self) -> Result<&Waiting> {
        self.waiting.front().ok_or(match self.flushed {
            true => Error::End,
            false => Error::Again(StreamNeed::Frames),
        })
    }

    /// What a waiting frame is rendered from, once all of it is known.
    fn gather<'a>(
        &self,
        waiting: &Waiting,
        renderer: &Renderer,
        speech: Option<&'a Speech>,
    ) -> Result<(&'a Speech, Neighbours)> {
        let index = waiting.index;
        if !self.is_known(index.saturating_add(SMOOTHING_REACH as i64)) {
            return Err(Error::Again(StreamNeed::Frames));
        }
        let speech = match speech {
            Some(speech) => speech,
            None if self.flushed => {
                return Err(Error::NoAudio("the stream was flushed without any".into()));
            }
            None => return Err(Error::Again(StreamNeed::Audio)),
        };
        if !speech
            .timeline()
            .is_known(renderer.audio_end(waiting.position))
        {
            return Err(Error::Again(StreamNeed::Audio));
        }
        match self.tracks.neighbours(index) {
            Some(faces) => Ok((speech, faces)),
            None => Err(Error::State(format!(
                "the faces of frame {index} are not known"
            ))),
        }
    }

    /// What is known of the person in the shot of the frame `index`: by the clip's profile, else by the
    /// first second of the shot, once it is settled.
    fn profile(
        &self,
        renderer: &Renderer,
        index: i64,
        clips: impl FnOnce(i64) -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<Option<Arc<ShotProfile>>> {
        if let Some(profile) = clips(index)? {
            return Ok(Some(profile));
        }
        let Some(shot) = self.tracks.shots.shot(index) else {
            return Ok(None);
        };
        let end = shot.frames.end().map(|end| end.min(shot.range.end));
        if end.is_some_and(|end| !self.is_known(end - 1)) {
            return Err(Error::Again(StreamNeed::Frames));
        }
        if let Some(profile) = self.early.find(shot.key) {
            return Ok(Some(profile));
        }
        let make = |frames| self.early.make(renderer.engine(), &frames);
        self.tracks.early(&shot, renderer).map(make).transpose()
    }
}
