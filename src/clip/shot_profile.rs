//! What is known of the person in one shot, once the frames that it is made from were seen.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bank::{Bank, Gap, Shares};
use super::bank_frame::{BankFrame, Held};
use super::mouth_pose::MouthPose;
use super::range::{Measured, OpeningRange};
use super::reference::{Candidate, Reference};
use crate::engine::Engine;
use crate::face::reference_warp::MOST_LAYERS;
use crate::face::{Layer, ReferenceWarp};
use crate::frame::FineBand;
use crate::track::Dissolve;
use crate::{Error, Result};

/// The most frames that a caller may give.
pub(super) const MOST_GIVEN: usize = 32;

/// What is known of the person of a shot: the reference, which says who it is, and a bank of frames
/// that show the person's mouth in other shapes and poses. It does not change any more.
#[derive(Debug)]
pub struct ShotProfile {
    /// Masks and lips are drawn with its identity.
    anchor: Arc<Reference>,
    bank: Bank,
    /// How far the person was seen to open the mouth.
    range: Option<OpeningRange>,
    /// Whether it is of a finished analysis, not of the first frames of a shot.
    finished: bool,
    /// Whether the caller gave its frames.
    given: bool,
    /// Where the shot before turns into it, and it into the next.
    dissolves: Dissolves,
}

/// The dissolves at the start and at the end of a shot, if any.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Dissolves {
    pub first: Option<Dissolve>,
    pub last: Option<Dissolve>,
}

impl Dissolves {
    /// Of the shot of these frames, among all of the clip.
    pub fn of(shot: &Range<i64>, all: &[Dissolve]) -> Self {
        let at = |middle: i64| all.iter().find(|it| it.middle() == middle).copied();
        Self {
            first: at(shot.start),
            last: at(shot.end),
        }
    }

    /// The frames of a shot that show nothing of another one.
    pub fn clear(&self, shot: &Range<i64>) -> Range<i64> {
        let start = self.first.map_or(shot.start, |first| first.end);
        let end = self
            .last
            .map_or(shot.end, |last| last.start.saturating_add(1));
        start..end.max(start)
    }

    /// Whether they can be some: those that were read from a file.
    pub fn are_valid(&self) -> bool {
        let mut both = self.first.iter().chain(&self.last);
        both.all(|it| it.start < it.end && it.end.checked_sub(it.start).is_some())
    }

    /// How clearly the frame `index` shows the shot, see [`Dissolve::clearness`].
    fn clearness(&self, index: i64) -> f32 {
        let both = self.first.iter().chain(&self.last);
        both.map(|it| it.clearness(index)).fold(1.0, f32::min)
    }
}

impl ShotProfile {
    /// Of the reference `anchor`, a bank that is chosen among `frames`, which are in an order of their
    /// own, and what the tracks say of the person.
    ///
    /// # Errors
    /// [`Error::Network`] when the reference cannot be encoded.
    pub(super) fn choose<'a>(
        engine: &Engine,
        anchor: &Candidate,
        frames: impl Iterator<Item = &'a Arc<BankFrame>>,
        measured: &Measured,
    ) -> Result<Self> {
        // That of the anchor alone would have its mouth in it.
        let identity = measured.identity.as_ref().unwrap_or(&anchor.identity);
        Ok(Self {
            anchor: Arc::new(Reference::of(engine, identity.clone(), &anchor.frame)?),
            bank: Bank::choose(&anchor.frame, frames),
            range: measured.range,
            finished: false,
            given: false,
            dissolves: Dissolves::default(),
        })
    }

    /// Of a finished analysis, of its parts; the reference is the first frame of the bank.
    pub(super) fn new(anchor: Reference, bank: Bank, range: Option<OpeningRange>) -> Self {
        Self {
            anchor: Arc::new(anchor),
            bank,
            range,
            finished: true,
            given: false,
            dissolves: Dissolves::default(),
        }
    }

    /// The same as that of a finished analysis.
    pub(super) fn finished(self) -> Self {
        Self {
            finished: true,
            ..self
        }
    }

    /// The same of a shot that begins and ends so.
    pub(super) fn dissolving(self, dissolves: Dissolves) -> Self {
        Self { dissolves, ..self }
    }

    /// How the shot begins and ends.
    pub(super) fn dissolves(&self) -> Dissolves {
        self.dissolves
    }

    /// How strongly the frame `index` may be changed, 0 to 1: in a dissolve the new mouth must not stand before the
    /// other shot, so it fades out to the middle and in again.
    pub(super) fn clearness(&self, index: i64) -> f32 {
        self.dissolves.clearness(index)
    }

    /// The frames of the bank.
    pub(super) fn bank(&self) -> &Bank {
        &self.bank
    }

    /// Encodes all frames of the bank, so that no later frame waits for it.
    ///
    /// # Errors
    /// [`Error::Network`] when one cannot be encoded.
    pub(super) fn encode(&self, engine: &Engine) -> Result<()> {
        let mut frames = self.bank.frames().iter();
        frames.try_for_each(|frame| frame.code(engine).map(drop))
    }

    /// Of one frame.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub(super) fn of(engine: &Engine, frame: &Candidate) -> Result<Self> {
        Ok(Self {
            anchor: Arc::new(Reference::of(engine, frame.identity.clone(), &frame.frame)?),
            bank: Bank::of(vec![frame.frame.clone()]),
            range: None,
            finished: false,
            given: true,
            dissolves: Dissolves::default(),
        })
    }

    /// The same with one more frame that the caller gave.
    ///
    /// # Errors
    /// [`Error::State`] when there are too many, or these are not frames that the caller gave.
    pub(super) fn with(&self, frame: &Candidate) -> Result<Self> {
        if !self.given {
            return Err(Error::State(
                "a reference cannot be added to the profile of an analysis: clear it first".into(),
            ));
        }
        let mut frames = self.bank.frames().to_vec();
        if frames.len() >= MOST_GIVEN {
            return Err(Error::State(format!(
                "there are {MOST_GIVEN} references already, the most that a clip takes"
            )));
        }
        frames.push(frame.frame.clone());
        Ok(Self {
            anchor: self.anchor.clone(),
            bank: Bank::of(frames),
            range: self.range,
            finished: self.finished,
            given: true,
            dissolves: self.dissolves,
        })
    }

    /// Index of the frame that is the reference; `None` where the caller gave it.
    pub fn reference_index(&self) -> Option<i64> {
        let first = self.bank.frames().first().filter(|_| !self.given);
        first.map(|frame| frame.index)
    }

    /// The indices of the frames in the bank, in rising order; those that the caller gave are counted
    /// from 0.
    pub fn bank_indices(&self) -> Vec<i64> {
        let frames = self.bank.frames().iter();
        let mut indices: Vec<i64> = frames.map(|frame| frame.index).collect();
        indices.sort_unstable();
        indices
    }

    /// How far the person was seen to open the mouth; `None` where the caller gave the frames.
    pub(super) fn range(&self) -> Option<OpeningRange> {
        self.range
    }

    /// Whether it is of a finished analysis. Then the movement of the mouth is matched to the speech too.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The reference.
    pub(crate) fn anchor(&self) -> &Arc<Reference> {
        &self.anchor
    }

    /// Pictures held.
    pub(super) fn held(&self) -> Held {
        Held::of(self.bank.frames().iter())
    }

    /// [`Error::State`] unless it was made by the networks of this engine's bundle.
    pub(super) fn check(&self, engine: &Engine) -> Result<()> {
        self.anchor.check(engine)
    }

    /// The frames of the bank for a mouth, and their shares.
    pub(super) fn shares(&self, mouth: &MouthPose, gap: Gap) -> Shares {
        self.bank.shares(mouth, gap)
    }

    /// Writes the mean `w_ref` of the frames of `shares`, `[14 * D]`, to `code`. Its old content is
    /// replaced.
    ///
    /// # Errors
    /// [`Error::Network`] when a frame cannot be encoded.
    pub(super) fn code(&self, engine: &Engine, shares: &Shares, code: &mut Vec<f32>) -> Result<()> {
        code.clear();
        for (number, share) in shares.list() {
            let part = self.bank.frames()[*number].code(engine)?;
            code.resize(part.len(), 0.0);
            for (sum, value) in code.iter_mut().zip(part) {
                *sum += share * value;
            }
        }
        Ok(())
    }

    /// The fine bands of the frames of `shares`, in their order.
    pub(super) fn bands(&self, shares: &Shares) -> [Option<&FineBand>; MOST_LAYERS] {
        let mut bands = [None; MOST_LAYERS];
        for (band, (number, _)) in bands.iter_mut().zip(shares.list()) {
            *band = self.bank.frames()[*number].image.band.as_ref();
        }
        bands
    }

    /// Writes the pictures of the frames of `shares`, warped to the mouth's points `wanted` and mixed, to
    /// `out` (`[3, image, image]`), where the engine's generator takes them.
    pub(super) fn draw(
        &self,
        engine: &Engine,
        shares: &Shares,
        wanted: &[f32],
        warp: &mut ReferenceWarp,
        out: &mut Vec<f32>,
    ) {
        let list = shares.list();
        let Some(protocol) = engine.reference_warp().filter(|_| !list.is_empty()) else {
            return;
        };
        let layers: [Layer<'_>; MOST_LAYERS] = std::array::from_fn(|k| {
            let (number, share) = list[k.min(list.len() - 1)];
            let image = &self.bank.frames()[number].image;
            Layer {
                picture: &image.picture,
                points: &image.points,
                share,
            }
        });
        warp.mix(&layers[..list.len()], wanted, protocol, out);
    }
}
