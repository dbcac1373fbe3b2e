//! Which frame is the reference of a clip: the picture that says who speaks (E_ref, `w_ref`).
//!
//! The paper takes the first frame. Real clips begin with black frames, blinks and turned heads,
//! so the best of the first [`CANDIDATES`] frames from the first face on is taken instead.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Clip;
use crate::engine::Engine;
use crate::face::lips::mouth_points;
use crate::face::{Face, Picture};
use crate::frame::{FrameRef, Outside};
use crate::track::Selection;
use crate::track::quality::{fade, reference_score, sharpness};
use crate::track::select::choose;
use crate::{Error, Result};

/// Frames, from the first one with a face on, among which the reference is chosen: one second of
/// the training's rate.
pub const CANDIDATES: i64 = 25;

/// The picture and the identity that a clip is rendered with.
#[derive(Debug)]
pub(crate) struct Reference {
    /// `w_ref`, `[14 * D]`.
    pub code: Vec<f32>,
    /// Identity coefficients of the face model, constant for the clip.
    pub identity: Vec<f32>,
    /// The crop and the mouth's points in it; `None` where the generator is not given them.
    pub shown: Option<Shown>,
}

impl Reference {
    /// `E_ref` of a candidate.
    pub fn encode(engine: &Engine, candidate: &Candidate) -> Result<Self> {
        let code = engine.networks().reference.run(&candidate.crop)?;
        let size = engine.bundle().manifest().image;
        Ok(Self {
            code,
            identity: candidate.identity.clone(),
            shown: engine.carry().map(|_| Shown {
                picture: Picture::new(&candidate.crop, size),
                points: candidate.points.clone(),
            }),
        })
    }
}

/// The reference's picture, to be carried to other mouths.
#[derive(Debug)]
pub(crate) struct Shown {
    pub picture: Picture,
    /// `mouth_points` of the mouth that it shows, in [-1, 1] of the crop.
    pub points: Vec<f32>,
}

/// The reference that was encoded last, by the index of its frame.
#[derive(Default)]
pub(crate) struct Encoded(Mutex<Option<(i64, Arc<Reference>)>>);

impl Encoded {
    /// The reference of the frame `index`, from `encode` where it is not the last one. No lock is
    /// held meanwhile.
    pub fn get(
        &self,
        index: i64,
        encode: impl FnOnce() -> Result<Reference>,
    ) -> Result<Arc<Reference>> {
        if let Some((at, reference)) = &*self.0.lock()
            && *at == index
        {
            return Ok(reference.clone());
        }
        let reference = Arc::new(encode()?);
        *self.0.lock() = Some((index, reference.clone()));
        Ok(reference)
    }
}

/// A frame that may become the reference.
#[derive(Clone)]
pub(crate) struct Candidate {
    /// Higher is better: confidence x frontal x sharp.
    pub score: f64,
    /// The aligned crop, planar RGB in [-1, 1], `[3, 256, 256]`.
    pub crop: Arc<[f32]>,
    /// Identity coefficients seen in this frame.
    pub identity: Vec<f32>,
    /// `mouth_points` of this frame's own mouth, in [-1, 1] of the crop.
    pub points: Vec<f32>,
}

/// The candidates of a set of frames, whatever the order in which they came.
///
/// Only frames that beat every earlier one are kept: an earlier frame is in every window that a
/// later one is in, so a later one that is no better can never be chosen.
#[derive(Default)]
pub(crate) struct Candidates {
    /// Index of the first frame with a face.
    first: Option<i64>,
    best: BTreeMap<i64, Candidate>,
}

impl Candidates {
    /// Whether the frame `index` is early enough to matter.
    pub fn is_near(&self, index: i64) -> bool {
        self.end().is_none_or(|end| index < end)
    }

    /// Adds the frame `index`.
    pub fn add(&mut self, index: i64, candidate: Candidate) {
        if !self.is_near(index) {
            return;
        }
        let first = self.first.map_or(index, |first| first.min(index));
        self.first = Some(first);
        drop(self.best.split_off(&first.saturating_add(CANDIDATES)));
        if self
            .best
            .range(..=index)
            .all(|(_, earlier)| earlier.score < candidate.score)
        {
            self.best
                .retain(|at, later| *at < index || later.score > candidate.score);
            self.best.insert(index, candidate);
        }
    }

    /// The first frame that is too late, once there is a face.
    pub fn end(&self) -> Option<i64> {
        self.first.map(|first| first.saturating_add(CANDIDATES))
    }

    /// The best of the first [`CANDIDATES`] frames from the first face on; the earliest of equals.
    pub fn choose(&self) -> Option<(i64, &Candidate)> {
        self.best
            .iter()
            .next_back()
            .map(|(index, candidate)| (*index, candidate))
    }

    /// Crops held now.
    pub fn len(&self) -> usize {
        self.best.len()
    }
}

impl Clip {
    /// The reference that the largest face of a picture makes.
    pub(super) fn reference_of(&self, frame: &FrameRef<'_>) -> Result<Reference> {
        let faces = self.track(frame)?;
        let face = choose(&faces, &[], Selection::Largest).map(|at| &faces[at]);
        let Some(face) = face.filter(|face| is_shown(face)) else {
            return Err(Error::NoFace("the reference frame"));
        };
        self.encode(&self.candidate(face, frame)?)
    }

    /// A frame's face as a candidate. The face is taken as it was seen in this frame alone.
    pub(super) fn candidate(&self, face: &Face, frame: &FrameRef<'_>) -> Result<Candidate> {
        let mut scratch = self.scratch.take();
        let scratch = &mut *scratch;
        let size = self.engine.bundle().manifest().image;
        let map = self.engine.crop().place(&face.pose);
        let crop = &mut scratch.crop;
        crop.resize(3 * size * size, 0.0);
        scratch.sampler.sample(
            frame,
            self.options.transfer,
            &map,
            size,
            Outside::Edge,
            crop,
        )?;
        let model = self.engine.face_model();
        let (mouth, _) = model.split_expression(&face.expression);
        let mut points = Vec::new();
        mouth_points(model, &face.pose, &face.identity, mouth, &map, &mut points);
        Ok(Candidate {
            score: reference_score(face, sharpness(crop, size)),
            crop: crop.as_slice().into(),
            identity: face.identity.clone(),
            points,
        })
    }

    pub(super) fn encode(&self, candidate: &Candidate) -> Result<Reference> {
        Reference::encode(&self.engine, candidate)
    }
}

/// Whether a face is sure enough to be changed at all.
pub(super) fn is_shown(face: &Face) -> bool {
    fade(f64::from(face.confidence)) > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(score: f64) -> Candidate {
        Candidate {
            score,
            crop: Arc::new([]),
            identity: vec![],
            points: vec![],
        }
    }

    fn chosen(order: impl Iterator<Item = i64>, score: impl Fn(i64) -> f64) -> Option<i64> {
        let mut candidates = Candidates::default();
        for index in order {
            candidates.add(index, candidate(score(index)));
            assert!(candidates.len() <= CANDIDATES as usize);
        }
        candidates.choose().map(|(index, _)| index)
    }

    #[test]
    fn the_choice_does_not_depend_on_the_order() {
        let score = |index: i64| ((index * 7919) % 101) as f64;
        let expected =
            (10..10 + CANDIDATES).max_by(|a, b| score(*a).total_cmp(&score(*b)).then(b.cmp(a)));
        assert_eq!(chosen(10..300, score), expected);
        assert_eq!(chosen((10..300).rev(), score), expected);
        assert_eq!(
            chosen((0..290).map(|k| 10 + (k * 37) % 290), score),
            expected
        );
    }

    #[test]
    fn the_earliest_of_equals_is_taken_and_late_ones_are_not_looked_at() {
        assert_eq!(chosen(5..200, |_| 1.0), Some(5));
        assert_eq!(chosen((5..200).rev(), |_| 1.0), Some(5));
        assert_eq!(chosen(0..200, |index| index as f64), Some(CANDIDATES - 1));
        assert_eq!(chosen(0..0, |_| 1.0), None);
    }
}
