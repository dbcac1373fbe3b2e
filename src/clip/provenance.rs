//! The provenance of what a clip rendered.

use super::further_speaker::FurtherSpeaker;
use super::{Clip, Rendered};
use crate::mark::MarkId;

use crate::Result;
use crate::provenance::{AudioFacts, Consent, Provenance, check_consents};

impl Clip {
    /// What the clip's frames are rendered from, and which of them were changed since the clip was
    /// made or [`reset`](Self::reset). A frame counts that was rendered to the end and in which a pixel may
    /// differ from its source; it counts once, however often it was rendered.
    ///
    /// May be called from any number of threads, also while frames are rendered. It reads all of the
    /// clip's audio.
    pub fn provenance(&self) -> Provenance {
        let frames = self.changed.lock().report();
        let mut provenance = Provenance::new(self.engine().bundle().facts(), frames);
        provenance.person.clone_from(&self.person);
        provenance.consent.clone_from(&self.consent);
        provenance.audio = self.speech.as_ref().map(|speech| AudioFacts {
            sha256: None,
            samples_sha256: speech.hash(),
        });
        provenance.speakers = self.speakers.iter().map(FurtherSpeaker::facts).collect();
        provenance.watermark = self.renderer.watermark().map(MarkId::text);
        provenance
    }

    /// Puts an invisible watermark into every frame that is changed from now on; `None`: none. It lies inside
    /// the matte alone.
    pub fn set_watermark(&mut self, id: Option<MarkId>) {
        self.renderer.set_watermark(id);
        for speaker in &mut self.speakers {
            speaker.renderer.set_watermark(id);
        }
    }

    /// The identifier for what this clip renders: a function of the bundle, the person and the audio (none
    /// of it for a stream). It does not depend on the frames, so that all pieces of one render get the same.
    pub fn input_id(&self) -> MarkId {
        let Provenance {
            bundle,
            person,
            audio,
            speakers,
            ..
        } = self.provenance();
        let first = [
            person.map(|person| person.tensors_sha256),
            audio.and_then(|audio| audio.samples_sha256),
        ];
        let further = speakers.into_iter().flat_map(|speaker| {
            let person = speaker.person.map(|person| person.tensors_sha256);
            [person, speaker.audio.samples_sha256]
        });
        let parts = std::iter::once(Some(bundle.sha256))
            .chain(first)
            .chain(further);
        let parts: Vec<String> = parts.map(Option::unwrap_or_default).collect();
        MarkId::of(parts.join("/").as_bytes())
    }

    /// Sets the consent of the person who is shown, for the [provenance](Self::provenance) and for
    /// [`ClipOptions::require_consent`](super::ClipOptions::require_consent). A person file may hold one of its
    /// own, which must hold too. `None` removes it.
    pub fn set_consent(&mut self, consent: Option<Consent>) {
        self.consent = consent;
    }

    /// Whether the clip may be rendered: with consent that holds today, where it is required. Each speaker needs
    /// the clip's or that of their person file.
    ///
    /// # Errors
    /// [`Error::Consent`](crate::Error::Consent).
    pub fn check_consent(&self) -> Result<()> {
        if !self.options().require_consent {
            return Ok(());
        }
        let further = self.speakers.iter().map(|speaker| &speaker.person);
        std::iter::once(&self.person)
            .chain(further)
            .try_for_each(|person| {
                let of_person = person.as_ref().and_then(|person| person.consent.as_ref());
                check_consents(self.consent.as_ref(), of_person)
            })
    }

    /// Records a frame that was rendered.
    pub(super) fn record(&self, rendered: Rendered) -> Rendered {
        if rendered.changed {
            self.changed.lock().insert(rendered.index);
        }
        rendered
    }
}
