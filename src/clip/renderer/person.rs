//! What one frame shows of the person: candidates for the profile, and the gain on the mouth's movement.

use std::sync::Arc;

use super::super::bank_frame::{BankFrame, ReferenceImage};
use super::super::cells::Room;
use super::super::faces::FrameFaces;
use super::super::mouth_pose::MouthPose;
use super::super::range::{self, Measured, OpeningRange};
use super::super::reference::Candidate;
use super::super::shot_profile::ShotProfile;
use super::super::speech::Speech;
use super::seen::Seen;
use super::{Renderer, is_shown};
use crate::face::crop::IMAGE;
use crate::face::lips::{mouth_points, opening};
use crate::face::{Face, Pose, ReferencePicture};
use crate::frame::{FineBand, FrameRef, Similarity};
use crate::track::Selection;
use crate::track::quality::{reference_score, sharpness};
use crate::{Error, Result};

impl Renderer {
    /// Pictures that one clip's profile may be chosen from.
    pub(in crate::clip) fn room(&self) -> Room {
        match self.engine.reference_warp() {
            Some(_) => Room::within(self.options.memory),
            None => Room {
                shots: Room::within(self.options.memory).shots,
                ..Room::NONE
            },
        }
    }

    /// The largest face of a frame that the caller gives as the reference with this number.
    ///
    /// # Errors
    /// [`Error::NoFace`] when there is none in it; [`Error::Network`].
    pub(in crate::clip) fn given(&self, frame: &FrameRef<'_>, number: usize) -> Result<Candidate> {
        let faces = self.find_faces(frame)?;
        let Some(face) = faces
            .chosen(Selection::Largest)
            .filter(|face| is_shown(face))
        else {
            return Err(Error::NoFace("the reference frame"));
        };
        self.candidate(face, frame, (number as i64, None))
    }

    /// The candidate that a frame with this index and position makes; `None` where its speaker's
    /// confidence is too low.
    pub(in crate::clip) fn candidate_of(
        &self,
        faces: &FrameFaces,
        frame: &FrameRef<'_>,
        time: (i64, Option<i64>),
    ) -> Result<Option<Candidate>> {
        match faces.chosen(self.options.selection) {
            Some(face) if is_shown(face) => self.candidate(face, frame, time).map(Some),
            _ => Ok(None),
        }
    }

    /// A face as a candidate. `face` is not smoothed; `time` is the frame's index and position.
    pub(super) fn candidate(
        &self,
        face: &Face,
        frame: &FrameRef<'_>,
        time: (i64, Option<i64>),
    ) -> Result<Candidate> {
        let seen = &mut self.buffers().seen;
        let map = seen.draw_mask((&self.engine, &self.options), face, &face.identity, frame)?;
        // A mouth behind a hand shows nothing of the person.
        let visible = match seen.find_occlusion((&self.engine, &self.options))? {
            true => 1.0 - f64::from(seen.occlusion.share(seen.mask.alpha())),
            false => 1.0,
        };
        let sharpness = sharpness(&seen.crop, IMAGE);
        let model = self.engine.face_model();
        let mut mouth = MouthPose::default();
        let (shape, _) = model.split_expression(&face.expression);
        mouth.set(model, (&face.identity, shape), &face.pose, &map);
        let image = ReferenceImage {
            picture: ReferencePicture::new(&seen.crop, IMAGE),
            points: self.own_mouth(face, &face.pose, &map),
            band: self.band(frame, &map, seen)?,
        };
        let quality = visible * f64::from(face.confidence) * sharpness.sqrt();
        Ok(Candidate {
            score: visible * reference_score(face, sharpness),
            identity: face.identity.clone(),
            frame: Arc::new(BankFrame::new(time, quality, mouth, image)),
        })
    }

    /// What the crop that `map` places does not hold of a frame; `None` where it holds all, or there is no
    /// room.
    fn band(
        &self,
        frame: &FrameRef<'_>,
        map: &Similarity,
        seen: &mut Seen,
    ) -> Result<Option<FineBand>> {
        let Some(factor) = FineBand::factor(map).filter(|_| self.room().detailed()) else {
            return Ok(None);
        };
        let (map, side, fine) = (map.finer(factor), factor * IMAGE, &mut seen.fine);
        let rows = FineBand::rows(side, factor);
        fine.resize(rows.len() * side, 0.0);
        let colour = (self.options.transfer, &seen.tone);
        seen.sampler
            .sample_luma(frame, colour, &map, (side, rows), fine)?;
        Ok(Some(FineBand::new(fine, side, factor)))
    }

    /// The points of the mouth that `face` shows, in [-1, 1] of the crop that `map` places.
    pub(crate) fn own_mouth(&self, face: &Face, pose: &Pose, map: &Similarity) -> Vec<f32> {
        let model = self.engine.face_model();
        let (mouth, _) = model.split_expression(&face.expression);
        let mut points = Vec::new();
        mouth_points(model, pose, &face.identity, mouth, map, &mut points);
        points
    }

    /// What these frames, in their order, say of the selected person.
    pub(in crate::clip) fn measure<'a>(
        &self,
        frames: impl Iterator<Item = &'a FrameFaces>,
    ) -> Measured {
        let model = self.engine.face_model();
        let (mut openings, mut count) = (Vec::new(), 0.0);
        let mut sum = vec![0.0; model.n_identity()];
        let faces = frames.filter_map(|faces| faces.chosen(self.options.selection));
        for face in faces.filter(|face| is_shown(face)) {
            let (mouth, _) = model.split_expression(&face.expression);
            openings.extend(opening(model, &face.identity, mouth, &[]).map(|gap| gap as f32));
            for (sum, value) in sum.iter_mut().zip(&face.identity) {
                *sum += f64::from(*value);
            }
            count += 1.0;
        }
        Measured {
            range: OpeningRange::of(openings),
            identity: (count > 0.0).then(|| sum.iter().map(|sum| (sum / count) as f32).collect()),
        }
    }

    /// The gain on the movement that `speech` asks for. Audio that is pushed is not known in advance, and
    /// the first frames of a shot say little: speech counts as typical then, so that a stream gives the same
    /// bytes as random access.
    pub(super) fn gain(&self, profile: &ShotProfile, speech: &Speech) -> Result<f32> {
        let Some(protocol) = self.engine.bundle().manifest().range else {
            return Ok(1.0);
        };
        let asked = match profile.is_finished() {
            true => speech.range(&self.engine, self.options.context)?,
            false => None,
        };
        Ok(range::gain(protocol, profile.range(), asked))
    }
}
