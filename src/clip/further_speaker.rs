//! A further speaker of a clip: what is known of it.

use super::analysis::Analysis;
use super::options::{FrameOptions, Rendered};
use super::renderer::{FrameInputs, Renderer};
use super::speech::Speech;
use crate::Result;
use crate::frame::{FrameMut, FrameRef};
use crate::provenance::{AudioFacts, PersonFacts, SpeakerFacts};

/// The most speakers of a clip, the first one included.
pub const MOST_SPEAKERS: usize = 16;

/// A further speaker: what the clip holds once for its first one.
pub(super) struct FurtherSpeaker {
    pub renderer: Renderer,
    pub speech: Speech,
    /// Its tracks are those of the clip; the profile is that of this face.
    pub analysis: Analysis,
    pub person: Option<PersonFacts>,
}

impl FurtherSpeaker {
    /// For the report.
    pub fn facts(&self) -> SpeakerFacts {
        SpeakerFacts {
            person: self.person.clone(),
            audio: AudioFacts {
                sha256: None,
                samples_sha256: self.speech.hash(),
            },
        }
    }

    /// Paints this speaker's face over what `target` holds.
    pub fn paint(
        &self,
        inputs: &FrameInputs<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let inputs = FrameInputs {
            speech: &self.speech,
            ..*inputs
        };
        let profile = || self.analysis.profile_at(&self.renderer, inputs.index);
        self.renderer
            .paint(&inputs, source, target, options, profile)
    }
}
