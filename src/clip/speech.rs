//! A clip's audio, and the mouth shapes that were computed from it.

use std::sync::{Arc, OnceLock};

use super::range::OpeningRange;
use crate::audio::Timeline;
use crate::engine::Engine;
use crate::face::lips::opening;
use crate::latent::{MouthShape, ShapeBuffers, Shapes};
use crate::model::SpeechContext;
use crate::{Error, Result};

/// The audio that a clip's speaker shall speak: 16 kHz mono on the clip's clock, with bounded caches
/// of what the audio encoder makes of it. Any number of threads may render from one speech at once.
pub struct Speech {
    timeline: Timeline,
    /// Whether the audio is pushed piece by piece. Its past is discarded, so only a stream can use it.
    streamed: bool,
    /// Mouth shapes by position. They are a function of the audio: other audio needs empty caches.
    shapes: Shapes,
    /// How far all of the audio opens the mouth, for each context, once it was asked for.
    ranges: [OnceLock<Option<OpeningRange>>; SpeechContext::ALL.len()],
}

/// The most mouth shapes from which the range of the speech is taken.
const MEASURED: i64 = 250;
/// They are at least this far apart, in samples at 16 kHz: a frame at 25 frames a second.
const FRAME: i64 = 640;

impl Speech {
    /// All of a clip's audio: mono samples at 16 kHz, which are shared, not copied. The first sample
    /// lies at `offset` on the clip's clock, in samples at 16 kHz; silence lies before and after.
    ///
    /// # Errors
    /// [`Error::NoAudio`] when there is no sample.
    pub fn new(samples: Arc<Vec<f32>>, offset: i64) -> Result<Self> {
        if samples.is_empty() {
            return Err(Error::NoAudio("there are no samples".into()));
        }
        Ok(Self {
            timeline: Timeline::whole(samples, offset),
            streamed: false,
            shapes: Shapes::new(),
            ranges: Default::default(),
        })
    }

    /// Audio that is still to be pushed; its first sample will lie at `offset`.
    pub(super) fn streamed(offset: i64) -> Self {
        Self {
            timeline: Timeline::growing(offset),
            streamed: true,
            shapes: Shapes::new(),
            ranges: Default::default(),
        }
    }

    /// Whether the audio is pushed piece by piece.
    pub(super) fn is_streamed(&self) -> bool {
        self.streamed
    }

    /// The audio.
    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The mouth shape at `position`.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails.
    pub(super) fn shape(
        &self,
        engine: &Engine,
        context: SpeechContext,
        position: i64,
        buffers: &mut ShapeBuffers,
    ) -> Result<MouthShape> {
        let (source, networks) = (engine.shapes(), engine.networks().speech(context));
        let clip = (context, &self.timeline);
        self.shapes.get(source, networks, clip, position, buffers)
    }

    /// How far the speech opens the mouth; `None` where the audio is pushed piece by piece. Measured at
    /// [`MEASURED`] times at most, which are spread evenly.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails.
    pub(super) fn range(
        &self,
        engine: &Engine,
        context: SpeechContext,
    ) -> Result<Option<OpeningRange>> {
        if self.streamed {
            return Ok(None);
        }
        let known = &self.ranges[context as usize];
        if let Some(range) = known.get() {
            return Ok(*range);
        }
        let (begin, end) = (self.timeline.begin(), self.timeline.end());
        // Rounded up, so that there are not more.
        let step = ((end - begin + MEASURED - 1) / MEASURED).max(FRAME) as usize;
        let mut buffers = ShapeBuffers::default();
        let mut openings = Vec::new();
        for position in (begin..end).step_by(step) {
            let shape = self.shape(engine, context, position, &mut buffers)?;
            openings.extend(opening(engine.face_model(), &[], &shape, &[]).map(|gap| gap as f32));
        }
        Ok(*known.get_or_init(|| OpeningRange::of(openings)))
    }

    /// Appends interleaved samples.
    pub(super) fn push(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        if self.streamed {
            return self.timeline.push(interleaved, rate, channels);
        }
        Err(Error::State(
            "audio was pushed to a clip whose whole audio was set".into(),
        ))
    }

    /// States that no more audio comes.
    pub(super) fn finish(&mut self) -> Result<()> {
        match self.streamed {
            true => self.timeline.finish(),
            false => Ok(()),
        }
    }

    /// Forgets the pushed audio from `position` on.
    pub(super) fn cut(&mut self, position: i64) -> Result<()> {
        self.timeline.cut(position)?;
        self.shapes.clear();
        Ok(())
    }

    /// Discards the samples before `position`, where the audio is pushed.
    pub(super) fn discard_before(&mut self, position: i64) {
        if self.streamed {
            self.timeline.discard_before(position);
        }
    }

    /// SHA-256 of the samples, in hexadecimal; `None` where they are pushed and forgotten.
    pub fn hash(&self) -> Option<String> {
        (!self.streamed).then(|| self.timeline.hash())
    }

    /// Samples held.
    pub(super) fn samples(&self) -> usize {
        self.timeline.held()
    }

    /// Mouth shapes in the cache.
    pub(super) fn shapes(&self) -> usize {
        self.shapes.len()
    }
}
