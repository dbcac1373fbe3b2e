//! The stream: frames and audio in, frames out a little later. It keeps what the frames still to
//! come can need, and nothing else.

use std::collections::VecDeque;
use std::sync::Arc;

use super::analysis::{Analysis, REACH as SMOOTHING};
use super::reference::{CANDIDATES, Encoded, Reference};
use super::render::Gathered;
use super::{Clip, FrameOptions, LookAhead, Rendered, Sound, Timing};
use crate::audio::Timeline;
use crate::face::Face;
use crate::frame::{FrameMut, FrameRef, PixelFormat, copy_pixels};
use crate::latent::{REACH, STEP};
use crate::{Error, Result};

/// Frames that a stream of unknown rate may wait for audio: a quarter second at 240 a second.
const UNKNOWN_RATE: usize = 64;

const MORE_FRAMES: &str = "the next frame needs more frames: push some, or flush at the end";
const MORE_AUDIO: &str = "the next frame needs more audio: push some, or finish the audio";
const FULL: &str = "the stream is full: pull frames, or push the audio that they wait for";

/// State of a stream.
pub(crate) struct Stream {
    capacity: usize,
    /// Frames that were pushed and not given back yet.
    waiting: VecDeque<Waiting>,
    /// What was seen in the waiting frames and in the two before them.
    analysis: Analysis,
    encoded: Encoded,
    /// Index of the next frame pushed.
    next: i64,
    /// Position of the last frame pushed.
    last: Option<i64>,
    flushed: bool,
    /// Pixel buffers to be used again.
    spare: Vec<Vec<u8>>,
}

/// A frame's pixels, packed.
struct Waiting {
    index: i64,
    position: i64,
    bytes: Vec<u8>,
    width: u32,
    height: u32,
    format: PixelFormat,
}

impl Waiting {
    fn frame(&self) -> Result<FrameRef<'_>> {
        FrameRef::packed(&self.bytes, self.width, self.height, self.format)
    }
}

impl Stream {
    pub fn new(timing: &Timing, look_ahead: &LookAhead) -> Self {
        let frames = timing.frames_in(look_ahead.audio).max(look_ahead.frames);
        Self {
            capacity: CANDIDATES as usize + frames.max(UNKNOWN_RATE),
            waiting: VecDeque::new(),
            analysis: Analysis::default(),
            encoded: Encoded::default(),
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

    /// Frames whose tracks are held.
    pub fn tracks(&self) -> usize {
        self.analysis.len()
    }

    /// Crops that may become the reference.
    pub fn candidates(&self) -> usize {
        self.analysis.candidates()
    }

    /// Forgets everything; the next frame pushed is `next`.
    fn restart(&mut self, next: i64) {
        self.waiting.clear();
        self.analysis = Analysis::default();
        self.encoded = Encoded::default();
        self.next = next;
        self.last = None;
        self.flushed = false;
    }

    /// Whether the frame `index` was pushed, or never will be.
    fn is_known(&self, index: i64) -> bool {
        self.flushed || index < self.next
    }

    /// Holds a copy of a frame.
    fn hold(&mut self, position: i64, frame: &FrameRef<'_>, faces: Vec<Face>) -> Result<()> {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.resize(frame.width() * frame.height() * frame.format().bytes(), 0);
        let (width, height) = (frame.width() as u32, frame.height() as u32);
        let mut copy = FrameMut::packed(&mut bytes, width, height, frame.format())?;
        copy_pixels(frame, &mut copy)?;
        let (index, format) = (self.next, frame.format());
        self.waiting.push_back(Waiting {
            index,
            position,
            bytes,
            width,
            height,
            format,
        });
        self.analysis.note(index, faces);
        self.next += 1;
        self.last = Some(position);
        Ok(())
    }

    /// Lets go of the first waiting frame and of what only it needed.
    fn release(&mut self) {
        let Some(given) = self.waiting.pop_front() else {
            return;
        };
        self.spare.push(given.bytes);
        self.spare.truncate(2);
        self.analysis.forget_before(given.index + 1 - SMOOTHING);
    }
}

impl Clip {
    /// Appends audio to the stream: interleaved samples, nominally in [-1, 1], of `rate` Hz and
    /// `channels` channels, in chunks of any size.
    ///
    /// # Errors
    /// [`Error::Argument`] when rate, channels or length cannot be or change, [`Error::State`]
    /// after [`finish_audio`](Self::finish_audio) or [`set_audio`](Self::set_audio).
    pub fn push_audio(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        if let Sound::None = self.sound {
            let mut audio = Timeline::growing(self.options.audio_offset);
            audio.push(interleaved, rate, channels)?;
            if !interleaved.is_empty() {
                self.sound = Sound::Growing(audio);
            }
            return Ok(());
        }
        match &mut self.sound {
            Sound::Growing(audio) => audio.push(interleaved, rate, channels),
            _ => Err(Error::State(
                "audio was pushed to a clip that has all of it".into(),
            )),
        }
    }

    /// States that no more audio comes: what follows is silence.
    ///
    /// # Errors
    /// [`Error::NoAudio`] when none was pushed.
    pub fn finish_audio(&mut self) -> Result<()> {
        match &mut self.sound {
            Sound::Whole(_) => Ok(()),
            Sound::Growing(audio) => audio.finish(),
            Sound::None => Err(Error::NoAudio(
                "the audio was finished before any was pushed".into(),
            )),
        }
    }

    /// Gives the stream its next frame; it is copied. Its time follows from the clip's timing.
    /// Gives the frame's index.
    ///
    /// # Errors
    /// [`Error::Again`] when frames must be pulled first, [`Error::State`] after
    /// [`flush`](Self::flush), [`Error::Argument`] beyond the end of a variable timing,
    /// [`Error::Network`] when a network fails. The frame was not taken then.
    pub fn push_frame(&mut self, frame: &FrameRef<'_>) -> Result<i64> {
        let position = self.options.timing.position(self.stream.next)?;
        self.push_frame_at(position, frame)
    }

    /// As [`push_frame`](Self::push_frame), with the frame's time as a sample position at 16 kHz,
    /// for streams of a rate that is not known beforehand.
    ///
    /// # Errors
    /// As [`push_frame`](Self::push_frame), and [`Error::Argument`] when the time goes back.
    pub fn push_frame_at(&mut self, position: i64, frame: &FrameRef<'_>) -> Result<i64> {
        if self.stream.flushed {
            return Err(Error::State(
                "a frame was pushed after the flush: reset or seek first".into(),
            ));
        }
        if self.stream.last.is_some_and(|last| position < last) {
            return Err(Error::Argument {
                field: "position",
                reason: format!(
                    "frame {} is earlier than the one before it",
                    self.stream.next
                ),
            });
        }
        if self.stream.waiting.len() >= self.stream.capacity {
            return Err(Error::Again(FULL));
        }
        let index = self.stream.next;
        let faces = self.track(frame)?;
        self.stream.hold(position, frame, faces)?;
        let analysis = &self.stream.analysis;
        if let Some(faces) = analysis.faces(index).filter(|_| analysis.is_near(index))
            && let Some(candidate) = self.nominee(faces, frame)?
        {
            self.stream.analysis.nominate(index, candidate);
        }
        Ok(index)
    }

    /// States that no more frames and no more audio come: every waiting frame can be pulled.
    ///
    /// # Errors
    /// As [`push_audio`](Self::push_audio), should the resampler's last samples fail.
    pub fn flush(&mut self) -> Result<()> {
        if let Sound::Growing(audio) = &mut self.sound
            && !audio.is_finished()
        {
            audio.finish()?;
        }
        self.stream.flushed = true;
        Ok(())
    }

    /// Renders the next frame of the stream into `target`, which has the size and format of the
    /// frame that was pushed.
    ///
    /// # Errors
    /// [`Error::Again`] when more frames or more audio are needed, [`Error::End`] after the last
    /// frame of a flushed stream, [`Error::NoAudio`] when the stream was flushed without any,
    /// [`Error::Frame`] when `target` does not fit, [`Error::Network`] when a network fails. The
    /// frame can be pulled again then.
    pub fn pull_frame(&mut self, target: &mut FrameMut<'_>) -> Result<Rendered> {
        self.pull_frame_with(target, &mut FrameOptions::default())
    }

    /// As [`pull_frame`](Self::pull_frame), with a strength of its own and, on request, the matte.
    ///
    /// # Errors
    /// As [`pull_frame`](Self::pull_frame), and [`Error::Argument`] for a strength outside 0 to 1.
    pub fn pull_frame_with(
        &mut self,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let Some(waiting) = self.stream.waiting.front() else {
            return Err(if self.stream.flushed {
                Error::End
            } else {
                Error::Again(MORE_FRAMES)
            });
        };
        let rendered = self.stream_frame(waiting, target, options)?;
        let position = waiting.position;
        self.stream.release();
        if let Sound::Growing(audio) = &mut self.sound {
            // Times never go back, so no later frame hears more of the past.
            audio.discard_before(
                self.engine
                    .mel()
                    .reach(position.saturating_sub(REACH * STEP))
                    .start,
            );
        }
        Ok(rendered)
    }

    /// Index and size of the frame that [`pull_frame`](Self::pull_frame) gives next, where one
    /// waits: width, height, format.
    pub fn next_frame(&self) -> Option<(i64, u32, u32, PixelFormat)> {
        let waiting = self.stream.waiting.front()?;
        Some((waiting.index, waiting.width, waiting.height, waiting.format))
    }

    /// Begins the stream anew: the next frame is 0, and pushed audio begins at its beginning.
    /// Waiting frames are dropped; the reference that was set, whole audio and what was analysed
    /// stay.
    pub fn reset(&mut self) {
        self.restart(0, self.options.audio_offset);
    }

    /// Goes on with the frame `index`. Whole audio stays; pushed audio is dropped, and what is
    /// pushed next begins at the time of that frame.
    ///
    /// # Errors
    /// [`Error::Argument`] for an index outside a variable timing; the stream stays as it was.
    pub fn seek(&mut self, index: i64) -> Result<()> {
        let position = self.options.timing.position(index)?;
        self.restart(index, position);
        Ok(())
    }

    fn restart(&mut self, next: i64, audio_start: i64) {
        self.stream.restart(next);
        if let Sound::Growing(_) = self.sound {
            self.sound = Sound::Growing(Timeline::growing(audio_start));
            // The same positions will hold other audio.
            self.codes.clear();
        }
    }

    fn stream_frame(
        &self,
        waiting: &Waiting,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let (stream, index) = (&self.stream, waiting.index);
        if !stream.is_known(index.saturating_add(SMOOTHING)) {
            return Err(Error::Again(MORE_FRAMES));
        }
        let audio = match &self.sound {
            Sound::Whole(audio) => audio,
            Sound::Growing(audio) => audio,
            Sound::None if stream.flushed => {
                return Err(Error::NoAudio("the stream was flushed without any".into()));
            }
            Sound::None => return Err(Error::Again(MORE_AUDIO)),
        };
        let reach = waiting.position.saturating_add(REACH * STEP);
        if !audio.is_ready(reach, self.engine.mel()) {
            return Err(Error::Again(MORE_AUDIO));
        }
        let Some(window) = stream.analysis.window(index) else {
            return Err(Error::State(format!(
                "the faces of frame {index} are not known"
            )));
        };
        let gathered = Gathered {
            index,
            position: waiting.position,
            audio,
            window,
        };
        let source = waiting.frame()?;
        self.render_gathered(&gathered, &source, target, options, || {
            self.stream_reference()
        })
    }

    /// The reference among the stream's frames, once it is settled.
    fn stream_reference(&self) -> Result<Option<Arc<Reference>>> {
        if let Some(reference) = self.analysed_reference()? {
            return Ok(Some(reference));
        }
        let analysis = &self.stream.analysis;
        if analysis
            .settled_at()
            .is_some_and(|end| !self.stream.is_known(end - 1))
        {
            return Err(Error::Again(MORE_FRAMES));
        }
        let Some((index, candidate)) = analysis.reference() else {
            return Ok(None);
        };
        self.stream
            .encoded
            .get(index, || self.encode(&candidate))
            .map(Some)
    }
}
