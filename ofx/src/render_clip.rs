//! What a frame of the effect's source is rendered with: audio, options, person and reference.

use std::ops::Range;
use std::sync::Arc;

use stylelipsync::model::Person;
use stylelipsync::provenance::check_consents;
use stylelipsync::{Consent, MarkId, Renderer, Speech};

use crate::clip_options::clip_options;
use crate::clip_parts::ClipParts;
use crate::error::{ActionError, Result};
use crate::frame_time::FrameTime;
use crate::host::Host;
use crate::image::Image;
use crate::instance::{Instance, ReferenceReport};
use crate::keys::{ClipKey, EngineKey, ReferenceQuery};
use crate::known_references::ReferenceRequest;
use crate::provenance;
use crate::reference::ReferenceSearch;
use crate::settings::Settings;
use crate::shared;

/// A clip's parts, and the engine that they belong to.
pub struct RenderClip {
    pub engine: EngineKey,
    pub parts: Arc<ClipParts>,
    /// The audio's first position and the one after its last, in samples at 16 kHz on the clip's clock.
    pub audio: Range<i64>,
    /// `None`: each frame is its own.
    pub reference: Option<ReferenceReport>,
}

/// Whether the clip may be rendered with this person file.
///
/// # Errors
/// [`ActionError::User`] for a consent file that is wrong, and where consent is required and missing or does not
/// hold.
fn check_consent(settings: &Settings, person: Option<&Person>) -> Result<()> {
    let named = |error| ActionError::User(format!("Consent File: {error}"));
    let consent = settings.consent.as_ref().map(Consent::load).transpose();
    let consent = consent.map_err(named)?;
    if settings.require_consent {
        let of_person = person.and_then(|person| person.info().consent_record.as_ref());
        check_consents(consent.as_ref(), of_person)
            .map_err(|error| ActionError::User(format!("Require Consent: {error}")))?;
    }
    Ok(())
}

impl RenderClip {
    /// The parts for the settings. `current` is the frame that is rendered, `source` its image, `scale`
    /// the render scale.
    ///
    /// # Errors
    /// [`ActionError::User`] with what is missing or wrong; [`ActionError::Aborted`].
    pub fn of(
        host: &Host,
        instance: &Instance,
        settings: &Settings,
        current: FrameTime,
        scale: [f64; 2],
        source: &Image<'_>,
    ) -> Result<Self> {
        let none = || ActionError::User("Audio File: no file is chosen".into());
        let path = settings.audio.as_deref().ok_or_else(none)?;
        let (audio, samples) = shared::audio(path)?;
        let (engine_key, engine) = shared::engine(settings.bundle.as_deref(), settings.provider)?;
        let person = match &settings.person {
            Some(path) => Some(shared::person((&engine_key, &engine), path)?),
            None => None,
        };
        check_consent(settings, person.as_ref().map(|(_, person)| &**person))?;
        let options = clip_options(
            host,
            instance,
            settings,
            (&engine_key, &engine),
            scale,
            source,
        )?;
        let range = instance.frame_range(host);
        let query = ReferenceQuery {
            engine: engine_key.clone(),
            selection: options.selection,
            input_colour: settings.input_colour,
            frame: settings.reference,
            shot: None,
            range,
            size: source.size(),
        };
        let search = ReferenceSearch {
            host,
            instance,
            current,
            source,
            query: &query,
        };
        let request = ReferenceRequest::of(settings, range);
        let reference = search.find(&engine, &request, &options)?;
        let key = ClipKey {
            audio,
            person: person.as_ref().map(|(key, _)| key.clone()),
            options,
            watermark: settings.watermark,
            reference: reference.key,
        };
        let start = key.options.audio_offset;
        let audio = start..start + samples.len() as i64;
        let parts = shared::clip(&key, || {
            let mut renderer = Renderer::new(engine.clone(), key.options.clone())?;
            let speech = Speech::new(samples, key.options.audio_offset)?;
            let person = person.as_ref().map(|(_, person)| &**person);
            renderer.set_person(person)?;
            let id = || {
                let frames = Default::default();
                MarkId::of_inputs(&provenance::of_inputs(&engine, person, &speech, frames))
            };
            renderer.set_watermark(key.watermark.then(id));
            let profile = reference.analysis.profile(&renderer)?;
            Ok(ClipParts {
                renderer,
                speech,
                profile,
            })
        })?;
        let candidates = &key.reference.candidates;
        let ends = candidates.first().zip(candidates.last());
        let chosen = parts
            .profile
            .as_ref()
            .and_then(|known| known.reference_index());
        Ok(Self {
            engine: engine_key,
            audio,
            reference: chosen
                .zip(ends)
                .map(|(chosen, (first, last))| ReferenceReport {
                    chosen,
                    among: [first.0, last.0],
                }),
            parts,
        })
    }
}
