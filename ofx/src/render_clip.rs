//! The engine's clip that a frame is rendered with: its audio, options, person and reference.

use std::sync::Arc;

use stylelipsync::Clip;

use crate::clip_options::clip_options;
use crate::error::{ActionError, Result};
use crate::frame_time::FrameTime;
use crate::host::Host;
use crate::image::Image;
use crate::instance::Instance;
use crate::keys::{ClipKey, EngineKey, ReferenceQuery};
use crate::known_references::ReferenceRequest;
use crate::reference::ReferenceSearch;
use crate::settings::Settings;
use crate::shared;

/// A clip, and the engine that it belongs to.
pub struct RenderClip {
    pub engine: EngineKey,
    pub clip: Arc<Clip>,
}

impl RenderClip {
    /// The clip for the settings. `current` is the frame that is rendered, `source` its image, `scale`
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
        let options = clip_options(host, instance, settings, scale, source)?;
        let range = instance.frame_range(host);
        let query = ReferenceQuery {
            engine: engine_key.clone(),
            selection: options.selection,
            input_colour: settings.input_colour,
            frame: settings.reference,
            range,
            size: source.size(),
        };
        let reference = match instance.references.find(&query) {
            Some(reference) => reference,
            None => {
                let search = ReferenceSearch {
                    host,
                    instance,
                    current,
                    source,
                    query: &query,
                };
                search.run(&engine, ReferenceRequest::of(settings, range), &options)?
            }
        };
        let key = ClipKey {
            audio,
            person: person.as_ref().map(|(key, _)| key.clone()),
            options,
            reference: reference.key,
        };
        let clip = shared::clip(&key, || {
            let mut clip = Clip::new(engine, key.options.clone())?;
            clip.set_samples(samples)?;
            clip.set_person(person.as_ref().map(|(_, person)| &**person))?;
            clip.share_reference(&reference.clip)?;
            Ok(clip)
        })?;
        Ok(Self {
            engine: engine_key,
            clip,
        })
    }
}
