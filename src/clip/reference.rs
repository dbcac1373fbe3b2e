//! The reference: the frame that shows who the person is, and how it is chosen among a clip's frames.
//!
//! The paper takes the first frame. Real clips may begin with black frames, blinks or turned
//! heads, so the best of the first [`CANDIDATES`] frames from the first face on is taken instead.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bank_frame::{BankFrame, ReferenceImage};
use crate::engine::Engine;
use crate::{Error, Result};

/// Frames, from the first one with a face on, among which the reference is chosen: one second of
/// the training's rate.
pub const CANDIDATES: i64 = 25;

/// The look and the identity of a person in one frame.
#[derive(Debug)]
pub(crate) struct Reference {
    /// `w_ref`, `[14 * D]`.
    pub code: Vec<f32>,
    /// Identity coefficients of the face model, constant for the clip.
    pub identity: Vec<f32>,
    pub image: Arc<ReferenceImage>,
    /// Identity of the bundle whose networks encoded it.
    bundle: String,
}

impl Reference {
    /// Runs `E_ref` on an image of the person with these identity coefficients.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub fn encode(engine: &Engine, identity: Vec<f32>, image: Arc<ReferenceImage>) -> Result<Self> {
        Ok(Self {
            code: image.encode(engine)?,
            identity,
            image,
            bundle: engine.bundle().identity().to_owned(),
        })
    }

    /// A frame of the person with these identity coefficients, encoded.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub(super) fn of(engine: &Engine, identity: Vec<f32>, frame: &BankFrame) -> Result<Self> {
        Ok(Self {
            code: frame.code(engine)?.to_vec(),
            identity,
            image: frame.image.clone(),
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

/// The frame that a clip chose as its reference.
#[derive(Debug, Clone)]
pub struct ReferenceFrame {
    /// Its index.
    pub index: i64,
    /// Its aligned crop, planar RGB `[3, 256, 256]` in [-1, 1].
    pub crop: Arc<[f32]>,
    /// Identity coefficients of the face model: of this frame, and once the analysis is finished the mean of its
    /// shot, with which masks and lips are drawn.
    pub identity: Vec<f32>,
}

impl ReferenceFrame {
    pub(super) fn new(index: i64, image: &ReferenceImage, identity: &[f32]) -> Self {
        let mut crop = Vec::new();
        image.picture.planar(&mut crop);
        Self {
            index,
            crop: crop.into(),
            identity: identity.to_vec(),
        }
    }
}

/// A frame that may become the reference.
#[derive(Clone)]
pub(crate) struct Candidate {
    /// Higher is better: confidence x frontal x sharp.
    pub score: f64,
    /// Identity coefficients measured in this frame.
    pub identity: Vec<f32>,
    pub frame: Arc<BankFrame>,
}

/// The candidates among a set of frames; the order in which they are added does not matter.
///
/// Only frames that beat every earlier one are kept: an earlier frame is in every window that a
/// later one is in, so a later one that is no better can never be chosen.
#[derive(Clone, Default)]
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
    pub fn choose(&self) -> Option<&Candidate> {
        self.best.last_key_value().map(|(_, candidate)| candidate)
    }

    /// The frames held.
    pub fn frames(&self) -> impl Iterator<Item = &Arc<BankFrame>> {
        self.best.values().map(|candidate| &candidate.frame)
    }

    /// The frames held, by their index.
    pub fn into_frames(self) -> impl Iterator<Item = (i64, Candidate)> {
        self.best.into_iter()
    }

    /// The frames from `at` on, which are another shot's.
    pub fn split_off(&mut self, at: i64) -> Self {
        let best = self.best.split_off(&at);
        let first = best.keys().next().copied();
        self.first = self.first.filter(|first| *first < at);
        Self { first, best }
    }

    /// Drops the frames held; [`end`](Self::end) stays.
    pub fn release(&mut self) {
        self.best.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::bank_frame::tests::frame;
    use super::*;

    fn candidate(index: i64, score: f64) -> Candidate {
        Candidate {
            score,
            identity: vec![],
            frame: frame(index, score, 0.0, 0.0),
        }
    }

    fn chosen(order: impl Iterator<Item = i64>, score: impl Fn(i64) -> f64) -> Option<i64> {
        let mut candidates = Candidates::default();
        for index in order {
            candidates.add(index, candidate(index, score(index)));
            assert!(candidates.frames().count() <= CANDIDATES as usize);
        }
        candidates.choose().map(|candidate| candidate.frame.index)
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
