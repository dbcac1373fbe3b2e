//! The further speakers of a clip: other faces of the same frames, each with audio of its own. The frames are
//! tracked once, and one call paints all faces.

use std::sync::Arc;

use super::further_speaker::{FurtherSpeaker, MOST_SPEAKERS};
use super::{
    Analysis, Clip, ClipOptions, FrameFaces, FrameInputs, FrameOptions, Rendered, Renderer, Speech,
};
use crate::frame::{FrameMut, FrameRef};
use crate::model::Person;
use crate::track::Selection;
use crate::{Error, Result};

impl Clip {
    /// Adds a speaker: another face of the clip's frames, with its own audio and, optionally, a person file. The
    /// clip itself is speaker 0: its selection, audio and person stay what they are, and its other options
    /// apply to all. Returns the number of the new speaker: 1, 2 and so on.
    ///
    /// Each render paints all speakers. Where two select the same face, the one that was added first paints it.
    /// [`FrameOptions::speakers`] receives a result for each. `samples` are mono at 16 kHz, shared, not copied.
    ///
    /// Several speakers need random access: frames cannot be pushed.
    ///
    /// # Errors
    /// [`Error::NoAudio`] without samples; [`Error::State`] once frames were analysed or pushed, and for a person
    /// of another bundle; [`Error::Argument`] for more than [`MOST_SPEAKERS`]; [`Error::Memory`],
    /// [`Error::Network`]. The clip stays as it was.
    pub fn add_speaker(
        &mut self,
        selection: Selection,
        samples: Arc<Vec<f32>>,
        person: Option<&Person>,
    ) -> Result<usize> {
        if self.analysis.len() > 0 || self.stream.next() != 0 {
            return Err(Error::State(
                "a speaker was added after frames were analysed or pushed: add all speakers first"
                    .into(),
            ));
        }
        let number = self.speakers.len() + 1;
        if number >= MOST_SPEAKERS {
            return Err(Error::Argument {
                field: "speaker",
                reason: format!("a clip has at most {MOST_SPEAKERS}"),
            });
        }
        self.check_memory((samples.len() * size_of::<f32>()) as u64, "audio")?;
        let options = ClipOptions {
            selection,
            label: None,
            ..self.options().clone()
        };
        let speech = Speech::new(samples, options.audio_offset)?;
        let mut renderer = Renderer::new(self.engine().clone(), options)?;
        renderer.set_person(person)?;
        renderer.set_watermark(self.renderer.watermark());
        self.speakers.push(FurtherSpeaker {
            renderer,
            speech,
            analysis: Analysis::default(),
            person: person.map(Person::facts),
        });
        Ok(number)
    }

    /// How many speakers the clip has, the first one included.
    pub fn speakers(&self) -> usize {
        1 + self.speakers.len()
    }

    /// Paints the further speakers over the first, whose result is `first`; returns the result of all.
    pub(super) fn paint_further(
        &self,
        first: Rendered,
        inputs: &FrameInputs<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let mut results = vec![first];
        for speaker in &self.speakers {
            let id = speaker.renderer.selected(inputs.faces).map(|face| face.id);
            let taken = id.is_some() && results.iter().any(|result| result.face == id);
            results.push(match taken {
                true => Rendered {
                    face: id,
                    ..Rendered::untouched(inputs.index)
                },
                false => speaker.paint(inputs, source, target, options)?,
            });
        }
        let changed = results.iter().any(|result| result.changed);
        if let Some(speakers) = &mut options.speakers {
            **speakers = results;
        }
        Ok(Rendered { changed, ..first })
    }

    /// Adds the faces of a frame for the further speakers.
    pub(super) fn add_faces_for_further(
        &self,
        index: i64,
        faces: &FrameFaces,
        frame: &FrameRef<'_>,
    ) -> Result<()> {
        for speaker in &self.speakers {
            let faces = faces.clone();
            speaker
                .analysis
                .add_faces(&speaker.renderer, index, faces, frame)?;
        }
        Ok(())
    }

    /// [`Error::State`] where something is for a clip of one speaker.
    pub(super) fn check_alone(&self, what: &str) -> Result<()> {
        match self.speakers.len() {
            0 => Ok(()),
            more => Err(Error::State(format!(
                "{what}: the clip has {} speakers",
                more + 1
            ))),
        }
    }
}
