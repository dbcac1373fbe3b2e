//! What a frame's mouth depends on: which part of the audio, and the shapes made of it.

use super::super::speech::Speech;
use super::{Renderer, spoken};
use crate::Result;
use crate::latent::{CODE_WINDOW, MouthShape, window_positions};
use crate::model::networks::SpeechNetworks;

impl Renderer {
    /// The position after the last sample that a frame at `position` depends on.
    pub(in crate::clip) fn audio_end(&self, position: i64) -> i64 {
        let [.., last] = window_positions(position);
        self.engine.shapes().reach(self.speech_networks(), last).end
    }

    /// The most samples after its own time that a frame depends on. A frame between two feature
    /// columns depends on one more than a frame on a column.
    pub(in crate::clip) fn look_ahead(&self) -> i64 {
        let timing = &self.options.timing;
        timing.largest(|position| self.audio_end(position) - position)
    }

    /// The first sample that is read for frames at `position` and later.
    pub(in crate::clip) fn first_sample(&self, position: i64) -> i64 {
        let [first, ..] = window_positions(position);
        let source = self.engine.shapes();
        source.first_sample(self.speech_networks(), first)
    }

    fn speech_networks(&self) -> &SpeechNetworks {
        self.engine.networks().speech(self.options.context)
    }

    /// The mouth shapes whose codes MaLS smooths for a frame at `position`, in order of time.
    ///
    /// # Errors
    /// [`Error::Network`] when the audio encoder fails.
    pub(crate) fn shapes(
        &self,
        speech: &Speech,
        position: i64,
    ) -> Result<[MouthShape; CODE_WINDOW]> {
        let buffers = &mut self.buffers().spoken.speech;
        spoken::shapes(
            &self.engine,
            self.options.context,
            speech,
            position,
            buffers,
        )
    }
}
