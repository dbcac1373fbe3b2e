//! The references that an instance has found so far.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use stylelipsync::Analysis;
use stylelipsync::model::Provider;

use crate::controls::{FaceChoice, InputColour};
use crate::keys::{ReferenceKey, ReferenceQuery};
use crate::settings::Settings;

/// References kept per instance: for a few faces, at a few sizes.
const CAPACITY: usize = 8;

/// A reference, and the settings that led to it.
#[derive(Clone)]
pub struct KnownReference {
    pub request: ReferenceRequest,
    pub key: ReferenceKey,
    /// The analysis of the candidates.
    pub analysis: Arc<Analysis>,
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
            face: settings.face,
            input_colour: settings.input_colour,
            frame: settings.reference,
            range,
        }
    }
}

/// The references of an instance, the oldest first.
#[derive(Default)]
pub struct KnownReferences(Mutex<Vec<KnownReference>>);

impl KnownReferences {
    pub fn find(&self, query: &ReferenceQuery) -> Option<KnownReference> {
        let known = self.0.lock();
        known
            .iter()
            .find(|known| known.key.query == *query)
            .cloned()
    }

    /// The reference for these settings, at any image size, once the search is over.
    pub fn of(&self, request: &ReferenceRequest) -> Option<KnownReference> {
        let known = self.0.lock();
        known
            .iter()
            .find(|known| known.request == *request)
            .cloned()
    }

    /// Adds a reference; the oldest is dropped when there are too many.
    pub fn add(&self, reference: KnownReference) {
        let mut known = self.0.lock();
        if known.len() >= CAPACITY {
            known.remove(0);
        }
        known.push(reference);
    }

    pub fn clear(&self) {
        self.0.lock().clear();
    }
}
