//! The provenance of what a clip rendered.

use super::{Clip, Rendered};
use crate::provenance::{AudioFacts, BundleFacts, Provenance};

impl Clip {
    /// What the clip's frames are rendered from, and which of them were changed since the clip was
    /// made or [`reset`](Self::reset). A frame counts that was rendered to the end and in which a pixel may
    /// differ from its source; it counts once, however often it was rendered.
    ///
    /// May be called from any number of threads, also while frames are rendered. It reads all of the
    /// clip's audio.
    pub fn provenance(&self) -> Provenance {
        let bundle = self.engine().bundle();
        let manifest = bundle.manifest();
        let facts = BundleFacts {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: bundle.identity().to_owned(),
        };
        let frames = self.changed.lock().report();
        let mut provenance = Provenance::new(facts, frames);
        provenance.person.clone_from(&self.person);
        provenance.audio = self.speech.as_ref().map(|speech| AudioFacts {
            sha256: None,
            samples_sha256: speech.hash(),
        });
        provenance
    }

    /// Records a frame that was rendered.
    pub(super) fn record(&self, rendered: Rendered) -> Rendered {
        if rendered.changed {
            self.changed.lock().insert(rendered.index);
        }
        rendered
    }
}
