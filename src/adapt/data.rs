//! The training data of one run: options, frames and audio of the person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::options::AdaptOptions;
use super::plan::Plan;
use super::training_frame::TrainingFrame;
use crate::clip::Reference;
use crate::engine::Engine;

/// Options, frames and audio of one training.
pub(super) struct TrainingData {
    pub engine: Arc<Engine>,
    pub reference: Arc<Reference>,
    pub options: AdaptOptions,
    pub plan: Plan,
    /// SyncNet's vector for the audio of each window of the plan.
    pub sounds: Vec<Vec<f32>>,
    /// The frames added so far; `None` where a frame cannot be used.
    pub frames: BTreeMap<i64, Option<TrainingFrame>>,
}

impl TrainingData {
    /// Whether the frame `index` is one to train on that was not added yet.
    pub fn wants(&self, index: i64) -> bool {
        self.plan.wants(index) && !self.frames.contains_key(&index)
    }

    /// Frames that are still wanted.
    pub fn missing(&self) -> usize {
        let all: BTreeSet<_> = self.plan.windows.iter().flatten().collect();
        all.len() - self.frames.len()
    }

    /// SHA-256 of the crops that are trained on, in hexadecimal.
    pub fn source(&self) -> String {
        let mut source = Sha256::new();
        for frame in self.frames.values().flatten() {
            source.update(frame.bytes());
        }
        hex::encode(source.finalize())
    }

    /// What two trainings must have in common for one to resume from the other's checkpoint.
    pub fn mark(&self, source: &str) -> String {
        let AdaptOptions {
            rate,
            seed,
            weights,
            ..
        } = &self.options;
        let base = self.engine.bundle().identity();
        format!("{base} {source} {seed} {rate} {weights:?}")
    }
}
