//! One training frame: what a training step needs of it.

use std::sync::Arc;

use crate::clip::{Clip, FaceCrop, Reference, ReferenceImage, is_shown};
use crate::engine::Engine;
use crate::face::crop::IMAGE;
use crate::face::{Pose, ReferencePicture};
use crate::frame::{FrameRef, Similarity};
use crate::latent::{CODE_WINDOW, MouthShape};
use crate::{Error, Result};

/// A frame's face and speech, up to what the generator is given. The crop is kept as bytes and the
/// inpainting mask as bits, so that some hundred frames fit in memory.
#[derive(Debug, Clone)]
pub(super) struct TrainingFrame {
    /// Planar RGB `[3, image, image]`.
    crop: Vec<u8>,
    /// The inpainting mask `[image, image]`, eight pixels a byte.
    hole: Vec<u8>,
    pub pose: Pose,
    /// Crop to frame.
    pub map: Similarity,
    /// The audio's mouth shapes around the frame, for MaLS.
    pub shapes: [MouthShape; CODE_WINDOW],
    /// Identity coefficients measured in this frame.
    identity: Vec<f32>,
    /// `mouth_points` of the mouth that it shows, in [-1, 1] of the crop.
    points: Vec<f32>,
}

impl TrainingFrame {
    /// The analysed frame `index` of a clip; `None` where rendering would leave it unchanged.
    ///
    /// # Errors
    /// [`Error::State`] when the frame was not analysed; [`Error::NoAudio`], [`Error::NoFace`] without
    /// a reference, [`Error::Network`].
    pub fn new(clip: &Clip, index: i64, frame: &FrameRef<'_>) -> Result<Option<Self>> {
        let (speech, renderer) = (clip.speech()?, clip.renderer());
        let Some(faces) = clip.analysis().neighbours(index) else {
            return Err(Error::State(format!("frame {index} was not analysed")));
        };
        let position = clip.options().timing.position(index)?;
        let speaker = renderer.selected(&faces);
        let Some(speaker) = speaker.filter(|speaker| is_shown(speaker.own)) else {
            return Ok(None);
        };
        let (own, face) = (speaker.own, &speaker.smoothed);
        let profile = clip.profile_at(index)?.ok_or(NO_REFERENCE)?;
        let shapes = renderer.shapes(speech, position)?;
        let FaceCrop { crop, hole, map } = renderer.face_crop(face, profile.anchor(), frame)?;
        Ok(Some(Self {
            crop: crop.iter().map(byte).collect(),
            hole: hole.chunks(8).map(bits).collect(),
            pose: face.pose,
            map,
            shapes,
            identity: own.identity.clone(),
            points: renderer.own_mouth(own, &face.pose, &map),
        }))
    }

    /// The crop's bytes: the person's tensors were trained on them.
    pub fn bytes(&self) -> &[u8] {
        &self.crop
    }

    /// The frame as a reference.
    ///
    /// # Errors
    /// [`Error::Network`].
    pub fn reference(&self, engine: &Engine) -> Result<Reference> {
        let crop: Vec<f32> = self.crop.iter().map(value).collect();
        let image = ReferenceImage {
            picture: ReferencePicture::new(&crop, IMAGE),
            points: self.points.clone(),
            band: None,
        };
        Reference::encode(engine, self.identity.clone(), Arc::new(image))
    }

    /// Appends the crop, `[3, image, image]` in [-1, 1], and the inpainting mask, `[image, image]`
    /// of 0 and 1, to a step's inputs.
    pub fn unpack(&self, target: &mut Vec<f32>, hole: &mut Vec<f32>) {
        target.extend(self.crop.iter().map(value));
        let area = self.crop.len() / 3;
        hole.extend((0..area).map(|at| f32::from(self.hole[at / 8] >> (at % 8) & 1)));
    }
}

/// Adaptation needs a reference that all frames share.
pub(super) const NO_REFERENCE: Error = Error::NoFace("the analysed frames");

/// From [-1, 1] to 0..=255.
fn byte(value: &f32) -> u8 {
    ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8
}

/// From 0..=255 to [-1, 1].
fn value(byte: &u8) -> f32 {
    f32::from(*byte) / 127.5 - 1.0
}

/// At most eight pixels of the inpainting mask, the first in the lowest bit.
fn bits(pixels: &[bool]) -> u8 {
    let set = pixels.iter().enumerate().filter(|(_, hole)| **hole);
    set.fold(0, |byte, (at, _)| byte | 1 << at)
}
