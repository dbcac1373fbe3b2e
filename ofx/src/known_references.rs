//! The references that an instance has found so far.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use stylelipsync::model::Provider;
use stylelipsync::{Analysis, FrameFaces};

use crate::controls::{FaceChoice, InputColour};
use crate::keys::{ReferenceKey, ReferenceQuery};
use crate::settings::Settings;
use crate::shot_starts::ShotStarts;

/// References kept per instance: for a few faces, at a few sizes, in some shots.
const CAPACITY: usize = 16;

/// A reference, and the settings that led to it.
#[derive(Clone)]
pub struct KnownReference {
    pub request: ReferenceRequest,
    pub key: ReferenceKey,
    /// The analysis of the candidates.
    pub analysis: Arc<Analysis>,
    /// The candidates, as the detector sees them.
    pub faces: Arc<[FrameFaces]>,
    /// The shots of other frames of the source.
    pub shots: Arc<Mutex<ShotStarts>>,
}

/// What decides about the reference before any image is there: the settings and the source's range.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceRequest {
    bundle: Option<PathBuf>,
    provider: Provider,
    face: FaceChoice,
    input_colour: InputColour,
    frame: Option<i32>,
    range: Option<[i64; 2]>,
}

impl ReferenceRequest {
    pub fn of(settings: &Settings, range: Option<[i64; 2]>) -> Self {
        Self {
            bundle: settings.bundle.clone(),
            provider: settings.provider,
            face: settings.face.clone(),
            input_colour: settings.input_colour,
            frame: settings.reference,
            range,
        }
    }
}

/// The references of an instance, the least recently used first.
#[derive(Default)]
pub struct KnownReferences(Mutex<Vec<KnownReference>>);

impl KnownReferences {
    /// The references of a query, for each of the pictures that the source has shown.
    pub fn of_query(&self, query: &ReferenceQuery) -> Vec<KnownReference> {
        let known = self.0.lock();
        let of_query = known.iter().rev().filter(|known| known.key.query == *query);
        of_query.cloned().collect()
    }

    /// The references for these settings, at any image size, once the search is over: the first shot's,
    /// and the one of another shot that was used last.
    pub fn of(&self, request: &ReferenceRequest) -> [Option<KnownReference>; 2] {
        let known = self.0.lock();
        [false, true].map(|other_shot| {
            let fits = |known: &&KnownReference| {
                known.request == *request && known.key.query.shot.is_some() == other_shot
            };
            known.iter().rev().find(fits).cloned()
        })
    }

    /// Adds a reference, or notes that it was used; the least recently used one is dropped when there
    /// are too many.
    pub fn add(&self, reference: KnownReference) {
        let mut known = self.0.lock();
        known.retain(|known| known.key != reference.key);
        if known.len() >= CAPACITY {
            known.remove(0);
        }
        known.push(reference);
    }

    pub fn clear(&self) {
        self.0.lock().clear();
    }
}
