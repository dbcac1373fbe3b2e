//! What adaptation asks of a clip: who is seen when, and what a frame's mouth was made from.

use std::sync::Arc;

use super::reference::{Reference, is_shown};
use super::render::Gathered;
use super::{Clip, Sound};
use crate::audio::{MelParameters, MelSpectrogram, Timeline};
use crate::evaluate::sync::{COLUMNS, LEAD};
use crate::face::Pose;
use crate::face::lips::mouth_points;
use crate::frame::{FrameRef, Similarity};
use crate::latent::{AudioCode, WINDOW};
use crate::track::Selection;
use crate::{Error, Result};

/// An analysed frame, as far as it matters who is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Speaker {
    pub index: i64,
    /// Of the frame's time, samples at 16 kHz.
    pub position: i64,
    /// The speaker's number, where it is sure enough to be changed.
    pub id: Option<u32>,
    /// Whether someone else is as sure, and nobody was chosen by number.
    pub others: bool,
}

/// A frame's face with the clip's words, up to what the generator is given.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// Planar RGB `[3, image, image]` in [-1, 1].
    pub crop: Vec<f32>,
    /// `[image, image]`
    pub hole: Vec<bool>,
    pub pose: Pose,
    /// Crop to frame.
    pub map: Similarity,
    /// The codes of the words round the frame, for MaLS.
    pub heard: [Arc<AudioCode>; WINDOW],
    /// Identity coefficients seen in this frame.
    pub identity: Vec<f32>,
    /// `mouth_points` of the mouth that it shows, in [-1, 1] of the crop.
    pub points: Vec<f32>,
}

impl Clip {
    /// The analysed frames in their order, and who speaks in each.
    pub(crate) fn speakers(&self) -> Result<Vec<Speaker>> {
        let selection = self.options.selection;
        let of = |index: i64| -> Result<Speaker> {
            let faces = self.numbered(|analysis| analysis.faces(index).cloned());
            let own = faces.as_ref().and_then(|faces| faces.speaking(selection));
            let own = own.filter(|face| is_shown(face));
            let mut id = None;
            let mut shown = 0;
            if let Some(faces) = &faces {
                shown = faces.faces.iter().filter(|face| is_shown(face)).count();
                let at = own.and_then(|own| faces.faces.iter().position(|face| face == own));
                id = at.and_then(|at| faces.ids.get(at).copied());
            }
            Ok(Speaker {
                index,
                position: self.options.timing.position(index)?,
                id,
                others: shown > 1 && !matches!(selection, Selection::Id(_)),
            })
        };
        let indices = self.analysis.read().indices();
        indices.into_iter().map(of).collect()
    }

    /// All of the clip's audio.
    pub(crate) fn words(&self) -> Result<&Timeline> {
        match &self.sound {
            Sound::Whole(audio) => Ok(audio),
            Sound::None => Err(Error::NoAudio("set it before a frame is rendered".into())),
            Sound::Growing(_) => Err(Error::State(
                "the audio was pushed, so the clip is a stream: random access needs all of it"
                    .into(),
            )),
        }
    }

    /// The reference that frames are rendered with.
    ///
    /// # Errors
    /// [`Error::NoFace`] where there is none yet.
    pub(crate) fn reference(&self) -> Result<Arc<Reference>> {
        match &self.reference {
            Some(reference) => Ok(reference.clone()),
            None => self
                .analysed_reference()?
                .ok_or(Error::NoFace("the analysed frames")),
        }
    }

    /// A frame's moment; `None` where it would be left alone.
    pub(crate) fn moment(&self, index: i64, source: &FrameRef<'_>) -> Result<Option<Moment>> {
        let audio = self.words()?;
        let Some(window) = self.numbered(|analysis| analysis.window(index)) else {
            return Err(Error::State(format!("frame {index} was not analysed")));
        };
        let gathered = Gathered {
            index,
            position: self.options.timing.position(index)?,
            audio,
            window,
        };
        let speaking = gathered
            .window
            .speaking(self.options.selection, self.engine.crop());
        let Some((own, face, _)) = speaking.filter(|(own, ..)| is_shown(own)) else {
            return Ok(None);
        };
        let reference = self.reference()?;
        let scratch = &mut self.scratch.take();
        let heard = self.codes_of(&gathered, scratch)?;
        let map = self.look(&face, &reference, source, scratch)?;
        let model = self.engine.face_model();
        let (mouth, _) = model.split_expression(&own.expression);
        let mut points = Vec::new();
        mouth_points(model, &face.pose, &own.identity, mouth, &map, &mut points);
        Ok(Some(Moment {
            crop: scratch.crop.clone(),
            hole: scratch.mask.hole().to_vec(),
            pose: face.pose,
            map,
            heard,
            identity: own.identity.clone(),
            points,
        }))
    }

    /// SyncNet's mel window of the five frames round the frame `index`.
    pub(crate) fn heard_round(&self, index: i64) -> Result<Vec<f32>> {
        let mel = MelSpectrogram::new(MelParameters {
            frames: COLUMNS,
            lead: LEAD,
            ..self.engine.mel().clone()
        })?;
        let mut window = vec![0.0; mel.params().window_len()];
        mel.window(
            self.words()?,
            self.options.timing.position(index)?,
            &mut window,
        )?;
        Ok(window)
    }
}
