//! The frames that the profile of a shot is made from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bank_frame::BankFrame;
use super::cells::{Cells, Room};
use super::reference::{CANDIDATES, Candidate, Candidates};

/// Of the first second of a shot that follows a cut, one frame of this many is held.
const STEP_AFTER_CUT: i64 = 5;

/// The frames of a shot, or of a part of it, that its profile is made from. What is held is a function
/// of the set of frames added, not of their order, and bounded.
#[derive(Clone, Default)]
pub(super) struct ProfileFrames {
    candidates: Candidates,
    /// Frames of the first second from the first face on.
    first: BTreeMap<i64, Arc<BankFrame>>,
    /// Frames of the whole shot.
    cells: Cells,
}

impl ProfileFrames {
    /// Whether the frame `index` may be in the profile of the first second.
    pub fn is_near(&self, index: i64) -> bool {
        self.candidates.is_near(index)
    }

    /// Adds the frame `index`.
    pub fn add(&mut self, index: i64, candidate: Candidate, room: Room) {
        self.cells.add(&candidate.frame, room.cells);
        if !self.is_near(index) {
            return;
        }
        let frame = candidate.frame.clone();
        self.candidates.add(index, candidate);
        // Every nth frame where there is little room, whichever is the first.
        let step = match room.first {
            0 => return,
            most => (CANDIDATES as usize).div_ceil(most) as i64,
        };
        if index.rem_euclid(step) == 0 {
            self.first.insert(index, frame);
        }
        self.drop_late();
    }

    /// Adds the frames of another part of the shot.
    pub fn merge(&mut self, other: Self, room: Room) {
        for frame in other.cells.frames() {
            self.cells.add(frame, room.cells);
        }
        for (index, candidate) in other.candidates.into_frames() {
            self.candidates.add(index, candidate);
        }
        self.first.extend(other.first);
        self.drop_late();
    }

    fn drop_late(&mut self) {
        if let Some(end) = self.candidates.end() {
            drop(self.first.split_off(&end));
        }
    }

    /// The shot begins with a cut, so it is one of several: fewer frames of its first second are held.
    pub fn thin(&mut self) {
        self.first
            .retain(|index, _| index.rem_euclid(STEP_AFTER_CUT) == 0);
    }

    /// Drops the frames of the first second; the reference stays.
    pub fn drop_early(&mut self) {
        self.first.clear();
    }

    /// The frames from `at` on, which are another shot's. They are no longer part of this one.
    pub fn split_off(&mut self, at: i64) -> Self {
        Self {
            candidates: self.candidates.split_off(at),
            first: self.first.split_off(&at),
            cells: self.cells.split_off(at),
        }
    }

    /// The first frame that is too late for the profile of the first second, once there is a face.
    pub fn end(&self) -> Option<i64> {
        self.candidates.end()
    }

    /// The frame that is the reference, as far as frames were added.
    pub fn reference(&self) -> Option<&Candidate> {
        self.candidates.choose()
    }

    /// The frames of the first second.
    pub fn early(&self) -> impl Iterator<Item = &Arc<BankFrame>> {
        self.first.values()
    }

    /// The frames that cover the whole shot.
    pub fn all(&self) -> impl Iterator<Item = &Arc<BankFrame>> {
        self.cells.frames()
    }

    /// How many frames cover the whole shot.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Holds at most `most` of the frames that cover the whole shot.
    pub fn keep(&mut self, most: usize) {
        self.cells.keep(most);
    }

    /// Drops the pictures, once the profile was made.
    pub fn release(&mut self) {
        self.candidates.release();
        self.first.clear();
        self.cells.keep(0);
    }

    /// All pictures held, some of them more than once.
    pub fn pictures(&self) -> impl Iterator<Item = &Arc<BankFrame>> {
        self.early()
            .chain(self.all())
            .chain(self.candidates.frames())
    }

    /// Candidates for the reference.
    pub fn candidates(&self) -> usize {
        self.candidates.frames().count()
    }
}
