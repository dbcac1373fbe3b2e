//! Streaming: the calls of a clip that push frames and audio, and pull frames in their order.

use super::{Clip, FrameOptions, Rendered, Speech, profile_at};
use crate::frame::{FrameMut, FrameRef, PixelFormat};
use crate::{Error, Result};

impl Clip {
    /// Appends audio to the stream: interleaved samples, nominally in [-1, 1], of `rate` Hz and
    /// `channels` channels, in chunks of any size.
    ///
    /// # Errors
    /// [`Error::Argument`] when rate, channels or length are out of range or change,
    /// [`Error::State`] after [`finish_audio`](Self::finish_audio) or
    /// [`set_audio`](Self::set_audio), [`Error::Memory`].
    pub fn push_audio(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        let frames = interleaved.len() as u128 / u128::from(channels.max(1));
        let samples = (frames * u128::from(crate::audio::RATE)).div_ceil(u128::from(rate.max(1)));
        let bytes = samples * size_of::<f32>() as u128;
        self.check_memory(u64::try_from(bytes).unwrap_or(u64::MAX), "audio")?;
        if let Some(speech) = &mut self.speech {
            return speech.push(interleaved, rate, channels);
        }
        let mut speech = Speech::streamed(self.options().audio_offset);
        speech.push(interleaved, rate, channels)?;
        if !interleaved.is_empty() {
            self.speech = Some(speech);
        }
        Ok(())
    }

    /// States that no more audio comes: silence follows.
    ///
    /// # Errors
    /// [`Error::NoAudio`] when none was pushed.
    pub fn finish_audio(&mut self) -> Result<()> {
        match &mut self.speech {
            Some(speech) => speech.finish(),
            None => Err(Error::NoAudio(
                "the audio was finished before any was pushed".into(),
            )),
        }
    }

    /// Forgets what was pushed from `position` (samples at 16 kHz on the clip's clock) on. The next
    /// audio pushed begins there, and may have another rate. It also applies to the frames that wait
    /// in the stream.
    ///
    /// # Errors
    /// [`Error::State`] when no audio was pushed; [`Error::Argument`] for a position before what the
    /// next frame needs, [`Error::Memory`] for one beyond all memory. The audio stays as it was.
    pub fn cut_audio(&mut self, position: i64) -> Result<()> {
        let end = match &self.speech {
            Some(speech) if speech.is_streamed() => speech.timeline().end(),
            _ => return Err(Error::State("no audio was pushed that could be cut".into())),
        };
        let silence = u64::try_from(position.saturating_sub(end)).unwrap_or(0);
        self.check_memory(silence.saturating_mul(size_of::<f32>() as u64), "audio")?;
        self.speech
            .as_mut()
            .map_or(Ok(()), |speech| speech.cut(position))
    }

    /// Pushes the next frame of the stream; it is copied. Its time follows from the clip's timing.
    /// Returns the frame's index.
    ///
    /// # Errors
    /// [`Error::Again`] with [`StreamNeed::Pull`](crate::StreamNeed::Pull) when frames must be pulled first, [`Error::State`] after
    /// [`flush`](Self::flush) and with several speakers, [`Error::Frame`] when size or format are not those of the frames
    /// before it, [`Error::Argument`] beyond the end of a variable timing, [`Error::Memory`],
    /// [`Error::Network`] when a network fails. The frame is not taken then.
    pub fn push_frame(&mut self, frame: &FrameRef<'_>) -> Result<i64> {
        let position = self.options().timing.position(self.stream.next())?;
        self.push_frame_at(position, frame)
    }

    /// As [`push_frame`](Self::push_frame), with the frame's time as a sample position at 16 kHz,
    /// for streams whose rate is not known in advance.
    ///
    /// # Errors
    /// As [`push_frame`](Self::push_frame), and [`Error::Argument`] when the time goes back.
    pub fn push_frame_at(&mut self, position: i64, frame: &FrameRef<'_>) -> Result<i64> {
        self.check_alone("several speakers need random access")?;
        let more = self.stream.admit(position, frame)?;
        self.check_memory(more, "frame")?;
        self.stream.push(&self.renderer, position, frame)
    }

    /// States that no more frames and no more audio come: every waiting frame can be pulled.
    ///
    /// # Errors
    /// As [`push_audio`](Self::push_audio), where the resampler fails on its last samples.
    pub fn flush(&mut self) -> Result<()> {
        if let Some(speech) = &mut self.speech
            && !speech.timeline().is_finished()
        {
            speech.finish()?;
        }
        self.stream.flush();
        Ok(())
    }

    /// Renders the next frame of the stream into `target`, which has the size and format of the
    /// frame that was pushed.
    ///
    /// # Errors
    /// [`Error::Again`], which tells whether frames or audio are needed, [`Error::End`] after the last
    /// frame of a flushed stream, [`Error::NoAudio`] when the stream was flushed without any,
    /// [`Error::Frame`] when `target` does not fit, [`Error::Network`] when a network fails,
    /// [`Error::Consent`]. The frame can be pulled again then.
    pub fn pull_frame(&mut self, target: &mut FrameMut<'_>) -> Result<Rendered> {
        self.pull_frame_with(target, &mut FrameOptions::default())
    }

    /// As [`pull_frame`](Self::pull_frame), with a strength of its own and, on request, the matte.
    ///
    /// # Errors
    /// As [`pull_frame`](Self::pull_frame), and [`Error::Argument`] for options out of range.
    pub fn pull_frame_with(
        &mut self,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        self.check_consent()?;
        let (renderer, speech) = (&self.renderer, self.speech.as_mut());
        self.stream
            .pull(renderer, speech, target, options, |index| {
                profile_at(&self.given, &self.analysis, renderer, index)
            })
            .map(|rendered| {
                if let Some(speakers) = &mut options.speakers {
                    **speakers = vec![rendered];
                }
                self.record(rendered)
            })
    }

    /// Whether [`pull_frame`](Self::pull_frame) would render a frame now: its width, height and
    /// format, for callers that allocate memory for it only then.
    ///
    /// # Errors
    /// As [`pull_frame`](Self::pull_frame), except those about a target.
    pub fn ready(&self) -> Result<(u32, u32, PixelFormat)> {
        self.check_consent()?;
        let speech = self.speech.as_ref();
        self.stream
            .ready(&self.renderer, speech, |index| self.profile_at(index))
    }

    /// Index, width, height and format of the frame that [`pull_frame`](Self::pull_frame) returns
    /// next; `None` while no frame waits.
    pub fn next_frame(&self) -> Option<(i64, u32, u32, PixelFormat)> {
        self.stream.front()
    }

    /// Restarts the stream: the next frame is 0, and the next audio pushed begins at the clip's
    /// audio offset. Waiting frames are dropped, and the [provenance](Self::provenance) forgets the frames
    /// that were changed; the reference that was set, whole audio and the analysis stay.
    pub fn reset(&mut self) {
        self.changed.get_mut().clear();
        self.restart(0, self.options().audio_offset);
    }

    /// Goes on with the frame `index`. Whole audio stays; pushed audio is dropped, and the next
    /// audio pushed begins at the time of that frame.
    ///
    /// A mouth depends on up to two seconds of audio before its frame. With pushed audio, frames nearer
    /// than that to `index` may therefore differ from random access: seek two seconds earlier and drop
    /// these frames where that matters.
    ///
    /// # Errors
    /// [`Error::Argument`] for an index outside a variable timing; the stream stays as it was.
    pub fn seek(&mut self, index: i64) -> Result<()> {
        let position = self.options().timing.position(index)?;
        self.restart(index, position);
        Ok(())
    }

    fn restart(&mut self, next: i64, audio_start: i64) {
        self.stream.restart(next);
        if self.speech.as_ref().is_some_and(Speech::is_streamed) {
            self.speech = Some(Speech::streamed(audio_start));
        }
    }
}
