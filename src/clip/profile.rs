//! The profile of a clip: what is known of the person in each of its shots.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::bank_frame::{BankFrame, Held};
use super::range::Measured;
use super::reference::Candidate;
use super::shot_profile::ShotProfile;
use super::shots::ShotKey;
use crate::engine::Engine;
use crate::{Error, Result};

/// The most profiles of first seconds that are kept for later frames.
const MOST_KEPT: usize = 8;

/// What is known of the person of a clip, for each shot: who it is, and how the mouth looks. It does
/// not change any more. Frames of one clip should all be rendered with one profile: equal profiles give
/// equal bytes.
#[derive(Debug)]
pub struct Profile {
    /// By first frame, at least one; `None` for a shot that never shows the face well enough.
    shots: Vec<(i64, Option<Arc<ShotProfile>>)>,
}

impl Profile {
    /// Of shots, by first frame.
    ///
    /// # Errors
    /// [`Error::NoFace`] when none of them shows the face.
    pub(super) fn of_shots(shots: Vec<(i64, Option<Arc<ShotProfile>>)>) -> Result<Self> {
        if shots.iter().all(|(_, profile)| profile.is_none()) {
            return Err(Error::NoFace("the analysed frames"));
        }
        Ok(Self { shots })
    }

    /// Of one frame, for all shots.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub(super) fn of(engine: &Engine, frame: &Candidate) -> Result<Self> {
        Ok(Self::everywhere(ShotProfile::of(engine, frame)?))
    }

    /// For all shots.
    fn everywhere(profile: ShotProfile) -> Self {
        Self {
            shots: vec![(0, Some(Arc::new(profile)))],
        }
    }

    /// The same with one more frame that the caller gave.
    ///
    /// # Errors
    /// [`Error::State`] when there are too many, or these are not frames that the caller gave.
    pub(super) fn with(&self, frame: &Candidate) -> Result<Self> {
        match self.profiles().next() {
            Some(given) => Ok(Self::everywhere(given.with(frame)?)),
            None => Err(Error::NoFace("the profile")),
        }
    }

    /// What is known of the person in the shot of the frame `index`; `None` where the face is not shown
    /// well enough in it.
    pub fn at(&self, index: i64) -> Option<&Arc<ShotProfile>> {
        let after = self.shots.partition_point(|(start, _)| *start <= index);
        self.shots[after.saturating_sub(1)].1.as_ref()
    }

    /// The first frames of the shots, in rising order. Of a profile that the caller gave: 0.
    pub fn shots(&self) -> Vec<i64> {
        self.shots.iter().map(|(start, _)| *start).collect()
    }

    /// Index of the frame that is the reference of the first shot with a face; `None` where the caller
    /// gave it.
    pub fn reference_index(&self) -> Option<i64> {
        self.profiles().next()?.reference_index()
    }

    /// The indices of the frames in the banks, in rising order; those that the caller gave are counted
    /// from 0.
    pub fn bank_indices(&self) -> Vec<i64> {
        self.profiles()
            .flat_map(|profile| profile.bank_indices())
            .collect()
    }

    /// The profile of the first shot with a face.
    pub(crate) fn first(&self) -> Option<&Arc<ShotProfile>> {
        self.profiles().next()
    }

    /// Pictures held.
    pub(super) fn held(&self) -> Held {
        let held = self.profiles().map(|profile| profile.held());
        held.fold(Held::default(), |sum, held| sum + held)
    }

    /// [`Error::State`] unless it was made by the networks of this engine's bundle.
    pub(super) fn check(&self, engine: &Engine) -> Result<()> {
        let mut profiles = self.profiles();
        profiles.try_for_each(|profile| profile.check(engine))
    }

    /// Its shots by their first frames.
    pub(super) fn by_start(&self) -> impl Iterator<Item = (i64, Option<&ShotProfile>)> {
        let shots = self.shots.iter();
        shots.map(|(start, profile)| (*start, profile.as_deref()))
    }

    fn profiles(&self) -> impl Iterator<Item = &Arc<ShotProfile>> {
        self.shots
            .iter()
            .filter_map(|(_, profile)| profile.as_ref())
    }
}

/// What the profile of the first second of a shot is made from.
pub(super) struct EarlyFrames {
    pub key: ShotKey,
    pub anchor: Candidate,
    pub frames: Vec<Arc<BankFrame>>,
    pub measured: Measured,
}

/// The profiles of first seconds that were made last.
#[derive(Default)]
pub(super) struct LastProfiles(Mutex<VecDeque<(ShotKey, Arc<ShotProfile>)>>);

impl LastProfiles {
    /// The profile with this key, where it was made.
    pub fn find(&self, key: ShotKey) -> Option<Arc<ShotProfile>> {
        let kept = self.0.lock();
        let (_, profile) = kept.iter().find(|(known, _)| *known == key)?;
        Some(profile.clone())
    }

    /// Makes the profile of these frames and keeps it. No lock is held while the network runs.
    ///
    /// # Errors
    /// [`Error::Network`] when the reference cannot be encoded.
    pub fn make(&self, engine: &Engine, frames: &EarlyFrames) -> Result<Arc<ShotProfile>> {
        let EarlyFrames {
            key,
            anchor,
            frames,
            measured,
        } = frames;
        let profile = Arc::new(ShotProfile::choose(
            engine,
            anchor,
            frames.iter(),
            measured,
        )?);
        let mut kept = self.0.lock();
        // Of a shot only the newest one is asked for.
        kept.retain(|(known, _)| known.0 != key.0);
        kept.push_back((*key, profile.clone()));
        if kept.len() > MOST_KEPT {
            kept.pop_front();
        }
        Ok(profile)
    }

    /// Forgets them.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}
