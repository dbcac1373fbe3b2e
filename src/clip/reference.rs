//! The reference: the image that shows what the person looks like (input of `E_ref`, which gives
//! `w_ref`), and how it is chosen among a clip's frames.
//!
//! The paper takes the first frame. Real clips may begin with black frames, blinks or turned
//! heads, so the best of the first [`CANDIDATES`] frames from the first face on is taken instead.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::engine::Engine;
use crate::face::ReferencePicture;
use crate::face::crop::IMAGE;
use crate::{Error, Result};

/// Frames, from the first one with a face on, among which the reference is chosen: one second of
/// the training's rate.
pub const CANDIDATES: i64 = 25;

/// The look and the identity of the person that frames are rendered with. Frames of one clip should
/// all be rendered with the same reference.
#[derive(Debug)]
pub struct Reference {
    /// `w_ref`, `[14 * D]`.
    pub(crate) code: Vec<f32>,
    /// Identity coefficients of the face model, constant for the clip.
    pub(crate) identity: Vec<f32>,
    /// The crop and the mouth's points in it; `None` where the generator does not take them.
    pub(crate) image: Option<ReferenceImage>,
    /// Identity of the bundle whose networks encoded it.
    bundle: String,
}

impl Reference {
    /// Runs `E_ref` on a candidate.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub(crate) fn encode(engine: &Engine, candidate: &Candidate) -> Result<Self> {
        let code = engine.networks().reference.run(&candidate.crop)?;
        Ok(Self {
            code,
            identity: candidate.identity.clone(),
            image: engine.reference_warp().map(|_| ReferenceImage {
                picture: ReferencePicture::new(&candidate.crop, IMAGE),
                points: candidate.points.clone(),
            }),
            bundle: engine.bundle().identity().to_owned(),
        })
    }

    /// [`Error::State`] unless the reference was encoded by the networks of this engine's bundle.
    pub(super) fn check(&self, engine: &Engine) -> Result<()> {
        if self.bundle == engine.bundle().identity() {
            return Ok(());
        }
        Err(Error::State(
            "the reference was encoded by another bundle's networks".into(),
        ))
    }
}

/// The reference's crop, to be warped to other mouths.
#[derive(Debug)]
pub(crate) struct ReferenceImage {
    pub picture: ReferencePicture,
    /// `mouth_points` of the mouth that it shows, in [-1, 1] of the crop.
    pub points: Vec<f32>,
}

/// The frame that a clip chose as its reference.
#[derive(Debug, Clone)]
pub struct ReferenceFrame {
    /// Its index.
    pub index: i64,
    /// Its aligned crop, planar RGB `[3, 256, 256]` in [-1, 1].
    pub crop: Arc<[f32]>,
    /// Identity coefficients of the face model; masks and lips are drawn with them.
    pub identity: Vec<f32>,
}

/// The reference that was encoded last, by the index of its frame.
#[derive(Default)]
pub(super) struct EncodedReference(Mutex<Option<(i64, Arc<Reference>)>>);

impl EncodedReference {
    /// The reference of the frame `index`, computed by `encode` where it is not the last one. No
    /// lock is held while it is computed.
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
    /// Identity coefficients measured in this frame.
    pub identity: Vec<f32>,
    /// `mouth_points` of this frame's own mouth, in [-1, 1] of the crop.
    pub points: Vec<f32>,
}

/// The candidates among a set of frames; the order in which they are added does not matter.
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
    fn the_earliest_of_equals_is_taken_and_late_ones_are_ignored() {
        assert_eq!(chosen(5..200, |_| 1.0), Some(5));
        assert_eq!(chosen((5..200).rev(), |_| 1.0), Some(5));
        assert_eq!(chosen(0..200, |index| index as f64), Some(CANDIDATES - 1));
        assert_eq!(chosen(0..0, |_| 1.0), None);
    }
}
