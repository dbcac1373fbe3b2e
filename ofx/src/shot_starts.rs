//! Where the shots of a source begin, as far as that is known.

use std::collections::BTreeMap;

/// Frames kept.
const CAPACITY: usize = 10_000;

/// The shot of a frame that does not look like the reference's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShotStart {
    /// The frame's picture.
    pub fingerprint: u128,
    /// The frame that decided: the first one of the shot, or one that looks like the reference's.
    pub decided_by: i64,
    /// Whether the shot begins there, with a cut; else it is the reference's.
    pub is_cut: bool,
}

/// By frame. A value is a function of the source's pictures.
#[derive(Default)]
pub struct ShotStarts(BTreeMap<i64, ShotStart>);

impl ShotStarts {
    /// What is known of a frame, if it still shows the same picture.
    pub fn get(&self, frame: i64, fingerprint: u128) -> Option<ShotStart> {
        let known = self.0.get(&frame).copied();
        known.filter(|known| known.fingerprint == fingerprint)
    }

    pub fn insert(&mut self, frame: i64, start: ShotStart) {
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(frame, start);
    }
}
