//! A clip's audio, and the codes that were computed from it.

use std::sync::Arc;

use crate::audio::{MelParameters, Timeline};
use crate::latent::{AudioCode, Codes};
use crate::{Error, Result};

/// The audio that a clip's speaker shall speak: 16 kHz mono on the clip's clock, with a bounded cache
/// of the audio encoder's codes. Any number of threads may render from one speech at once.
pub struct Speech {
    timeline: Timeline,
    /// Whether the audio is pushed piece by piece. Its past is discarded, so only a stream can use it.
    streamed: bool,
    /// Codes by position. They are a function of the audio: other audio needs an empty cache.
    codes: Codes,
}

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
            codes: Codes::new(),
        })
    }

    /// Audio that is still to be pushed; its first sample will lie at `offset`.
    pub(super) fn streamed(offset: i64) -> Self {
        Self {
            timeline: Timeline::growing(offset),
            streamed: true,
            codes: Codes::new(),
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

    /// The code at `position`, computed by `compute` where it is not in the cache.
    pub(super) fn code(
        &self,
        position: i64,
        compute: impl FnOnce() -> Result<Arc<AudioCode>>,
    ) -> Result<Arc<AudioCode>> {
        self.codes.get(position, compute)
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
        self.codes.clear();
        Ok(())
    }

    /// Discards what frames from `position` on do not need any more, where the audio is pushed.
    pub(super) fn discard_before(&mut self, position: i64, mel: &MelParameters) {
        if self.streamed {
            self.timeline.discard_before(mel.reach(position).start);
        }
    }

    /// Samples held.
    pub(super) fn samples(&self) -> usize {
        self.timeline.held()
    }

    /// Codes in the cache.
    pub(super) fn codes(&self) -> usize {
        self.codes.len()
    }
}
