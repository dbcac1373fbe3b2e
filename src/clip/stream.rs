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
use crate::{Error, Result, memory};

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
    /// Width, height and format of its frames, once one came.
    kind: Option<(u32, u32, PixelFormat)>,
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

    /// Bytes of pixels held, of buffers that lie ready too.
    pub fn bytes(&self) -> usize {
        let waiting = self.waiting.iter().map(|frame| frame.bytes.capacity());
        let spare = self.spare.iter().map(Vec::capacity);
        waiting.chain(spare).sum()
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
        let known = match self.kind {
            Some(known) if known != (width, height, frame.format()) => known,
            _ => return Ok(()),
        };
        let size = known.0 == width && known.1 == height;
        Err(Error::Frame {
            field: if size { "format" } else { "width" },
            reason: format!(
                "{width}x{height} {:?}, but the stream began with {}x{} {:?}: reset or seek first",
                frame.format(),
                known.0,
                known.1,
                known.2
            ),
        })
    }

    /// Holds a copy of a frame.
    fn hold(&mut self, position: i64, frame: &FrameRef<'_>, faces: Vec<Face>) -> Result<()> {
        let mut bytes = self.spare.pop().unwrap_or_default();
        let size = size_of_frame(frame);
        let more = size.saturating_sub(bytes.len());
        memory::reserve(&mut bytes, more, "frame")?;
        bytes.resize(size, 0);
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
        self.kind = Some((width, height, format));
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

/// Bytes of a frame without padding.
fn size_of_frame(frame: &FrameRef<'_>) -> usize {
    frame.width() * frame.height() * frame.format().bytes()
}

impl Clip {
    /// Appends audio to the stream: interleaved samples, nominally in [-1, 1], of `rate` Hz and
    /// `channels` channels, in chunks of any size.
    ///
    /// # Errors
    /// [`Error::Argument`] when rate, channels or length cannot be or change, [`Error::State`]
    /// after [`finish_audio`](Self::finish_audio) or [`set_audio`](Self::set_audio),
    /// [`Error::Memory`].
    pub fn push_audio(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        let frames = interleaved.len() as u128 / u128::from(channels.max(1));
        let samples = (frames * u128::from(crate::audio::RATE)).div_ceil(u128::from(rate.max(1)));
        let bytes = samples * size_of::<f32>() as u128;
        self.admit(u64::try_from(bytes).unwrap_or(u64::MAX), "audio")?;
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

    /// Forgets what was pushed from `position` (samples at 16 kHz on the clip's clock) on: what is
    /// pushed next is heard from there, and may be of another rate. Frames that wait say it.
    ///
    /// # Errors
    /// [`Error::State`] when no audio was pushed; [`Error::Argument`] for a position before what the
    /// next frame hears, [`Error::Memory`] for one beyond all memory. The audio stays as it was.
    pub fn cut_audio(&mut self, position: i64) -> Result<()> {
        let Sound::Growing(audio) = &self.sound else {
            return Err(Error::State("no audio was pushed that could be cut".into()));
        };
        let silence = u64::try_from(position.saturating_sub(audio.end())).unwrap_or(0);
        self.admit(silence.saturating_mul(size_of::<f32>() as u64), "audio")?;
        if let Sound::Growing(audio) = &mut self.sound {
            audio.cut(position)?;
            self.codes.clear();
        }
        Ok(())
    }

    /// Gives the stream its next frame; it is copied. Its time follows from the clip's timing.
    /// Gives the frame's index.
    ///
    /// # Errors
    /// [`Error::Again`] when frames must be pulled first, [`Error::State`] after
    /// [`flush`](Self::flush), [`Error::Frame`] when size or format are not those of the frames
    /// before it, [`Error::Argument`] beyond the end of a variable timing, [`Error::Memory`],
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
        self.stream.check_alike(frame)?;
        let spare = self.stream.spare.last().map_or(0, Vec::capacity);
        let more = size_of_frame(frame).saturating_sub(spare);
        self.admit(more as u64, "frame")?;
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
        let waiting = self.front()?;
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

    fn front(&self) -> Result<&Waiting> {
        self.stream
            .waiting
            .front()
            .ok_or(match self.stream.flushed {
                true => Error::End,
                false => Error::Again(MORE_FRAMES),
            })
    }

    /// Whether [`pull_frame`](Self::pull_frame) would render a frame now: its width, height and
    /// format, for callers who get memory for it only then.
    ///
    /// # Errors
    /// As [`pull_frame`](Self::pull_frame), but for what is wrong with a target.
    pub fn ready(&self) -> Result<(u32, u32, PixelFormat)> {
        let waiting = self.front()?;
        let gathered = self.gather(waiting)?;
        let selection = self.options.selection;
        let speaking = gathered.window.speaking(selection, self.engine.crop());
        if self.reference.is_none() && speaking.is_some() {
            self.stream_reference()?;
        }
        Ok((waiting.width, waiting.height, waiting.format))
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
        let gathered = self.gather(waiting)?;
        let source = waiting.frame()?;
        self.render_gathered(&gathered, &source, target, options, || {
            self.stream_reference()
        })
    }

    /// What a waiting frame is a function of, once all of it is there.
    fn gather(&self, waiting: &Waiting) -> Result<Gathered<'_>> {
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
        Ok(Gathered {
            index,
            position: waiting.position,
            audio,
            window,
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
