//! Options and progress of an adaptation.

use std::path::PathBuf;
use std::time::Duration;

use super::SYNC_FRAMES;
use crate::provenance::Consent;
use crate::{Error, Result};

/// The weights of equations 8 and 10. 0 leaves a term out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// lambda_1, of the picture (equation 6).
    pub picture: f32,
    /// lambda_2, of the person's own speech (equation 7).
    pub sync: f32,
    /// lambda_R, of unpaired speech (equation 9).
    pub regulariser: f32,
}

impl Default for Weights {
    /// The paper's weights (section 5.2) are 10, 0.1 and 0.1, for its own losses. The sync losses
    /// here have smaller values: with 0.1 the picture loss dominates, and the mouth fits unpaired
    /// speech less with every step.
    fn default() -> Self {
        Self {
            picture: 10.0,
            sync: 1.0,
            regulariser: 1.0,
        }
    }
}

/// How the decoder is trained on a person.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptOptions {
    /// The most steps; 1 to 1,000,000.
    pub steps: u64,
    /// The longest time; `None`: as long as the steps take.
    pub time: Option<Duration>,
    /// Stop when the held-out frames no longer improve.
    pub plateau: bool,
    /// Adam's learning rate, above 0, at most 0.1; the paper's is 1e-4.
    pub rate: f32,
    /// Seed of the order of frames and of unpaired speech.
    pub seed: u64,
    /// Weights of the loss terms.
    pub weights: Weights,
    /// The most frames held in memory, about 0.2 MB each; at least 5.
    pub frames: usize,
    /// File of the checkpoint; the training resumes from it when it exists.
    pub checkpoint: Option<PathBuf>,
    /// Free text for the person file: who consented to the training, and how.
    pub consent: String,
    /// The same as fields.
    pub consent_record: Option<Consent>,
}

impl Default for AdaptOptions {
    /// 300 steps with the paper's learning rate.
    fn default() -> Self {
        Self {
            steps: 300,
            time: None,
            plateau: false,
            rate: 1e-4,
            seed: 0,
            weights: Weights::default(),
            frames: 600,
            checkpoint: None,
            consent: String::new(),
            consent_record: None,
        }
    }
}

impl AdaptOptions {
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |field, reason: String| Err(Error::Argument { field, reason });
        if !(1..=1_000_000).contains(&self.steps) {
            return refuse("steps", format!("{} is not in 1 to 1,000,000", self.steps));
        }
        if !(self.rate > 0.0 && self.rate <= 0.1) {
            return refuse("rate", format!("{} is not above 0 to 0.1", self.rate));
        }
        if self.frames < SYNC_FRAMES {
            return refuse("frames", format!("{} is less than 5", self.frames));
        }
        if self.time.is_some_and(|time| time.is_zero()) {
            return refuse("time", "is 0".into());
        }
        let Weights {
            picture,
            sync,
            regulariser,
        } = self.weights;
        let weights = [picture, sync, regulariser];
        if weights.iter().any(|w| !(0.0..=1e6).contains(w)) || weights.iter().all(|w| *w == 0.0) {
            return refuse(
                "weights",
                format!("{weights:?} are not in 0 to 1e6, or all 0"),
            );
        }
        Ok(())
    }
}

/// The state of the training after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps taken, including those before it was resumed.
    pub step: u64,
    /// The most steps.
    pub steps: u64,
    /// Picture, sync and regulariser losses of this step, unweighted.
    pub terms: [f32; 3],
    /// The weighted loss of the held-out frames: before the first step, and at the last evaluation.
    /// `None` for clips too short to hold any out.
    pub held_out: Option<[f32; 2]>,
    /// Training steps per second in this run.
    pub steps_per_second: f64,
    /// Estimated time until the last step or the time limit.
    pub left: Duration,
}

/// What an [`Adaptation`](super::Adaptation) finds at the path of its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No file: it starts from the beginning.
    Nothing,
    /// A checkpoint of this training after this many steps: it resumes there.
    Steps(u64),
    /// A checkpoint of another bundle, clip, seed or other weights, which
    /// [`Adaptation::run`](super::Adaptation::run) rejects.
    OtherWork,
}
