//! The audio of clips, and its SyncNet distance to mouths.

use std::collections::BTreeMap;
use std::path::Path;

use stylelipsync::audio::{RATE, Rate, STEP};
use stylelipsync::evaluate::sync::{self, Score};
use stylelipsync::model::SyncNet;
use stylelipsync::{Engine, Error};

use crate::audio::{AudioArguments, Track};
use crate::failure::{Failure, Result};

/// A clip's sound.
pub struct Voice {
    /// Mono, 16 kHz.
    pub samples: Vec<f32>,
    /// Time of its first sample on the clip's clock, in samples.
    pub offset: i64,
}

impl Voice {
    /// Reads a sound file, or the sound of a movie; `None` when it has none.
    ///
    /// # Errors
    /// When the file cannot be read, or holds neither sound nor picture.
    pub fn read(path: &Path, wanted: &AudioArguments) -> Result<Option<Self>> {
        let offset = (wanted.offset()? * f64::from(RATE)).round() as i64;
        let wanted = &wanted.without_offset();

        let samples = match Track::find(path, wanted).and_then(|track| track.read()) {
            Ok(audio) => audio.to_16k()?,
            Err(Failure::Engine(Error::NoAudio(_))) => return Ok(None),
            Err(error) => return Err(error),
        };
        let voice = Self { samples, offset };
        Ok((!voice.samples.is_empty()).then_some(voice))
    }

    /// The sample of the sound that a frame's beginning falls on; outside it there is silence.
    pub fn at(&self, frame: u64, rate: Rate) -> i64 {
        rate.position(frame as i64) - self.offset
    }
}

/// Vectors by the step of their window's middle.
pub type Embeddings = BTreeMap<i64, Vec<f32>>;

/// SyncNet over the windows of a clip.
pub struct Listener {
    net: SyncNet,
}

impl Listener {
    /// The SyncNet of the engine's bundle; `None` where it has none for five frames.
    ///
    /// # Errors
    /// When the networks cannot be loaded.
    pub fn load(engine: &Engine) -> Result<Option<Self>> {
        let bundle = engine.bundle();
        let five = bundle
            .manifest()
            .syncnet
            .is_some_and(|sizes| sizes.frames == sync::FRAMES);
        if !(five && bundle.has("sync_sound") && bundle.has("sync_shape")) {
            return Ok(None);
        }
        let info = engine.info();
        let net = SyncNet::load(bundle, info.provider.used, info.threads)?;
        Ok(Some(Self { net }))
    }

    /// The networks.
    pub fn net(&self) -> &SyncNet {
        &self.net
    }

    /// Embeds the shapes of frames from `first` on, those without a face left out.
    ///
    /// # Errors
    /// From the network.
    pub fn mouths(
        &self,
        shapes: &[Option<Vec<f32>>],
        first: u64,
        rate: Rate,
    ) -> Result<Embeddings> {
        let windows = sync::windows(&sync::prepare(shapes), first, rate);
        let embed = |(step, window): (i64, Vec<f32>)| Ok((step, self.net.mouth(&window)?));
        windows.into_iter().map(embed).collect()
    }

    /// Embeds the sound around `mouths`, as far as it goes.
    ///
    /// # Errors
    /// From the network.
    pub fn sounds(&self, voice: &Voice, mouths: &Embeddings) -> Result<Embeddings> {
        let (Some((first, _)), Some((last, _))) =
            (mouths.first_key_value(), mouths.last_key_value())
        else {
            return Ok(Embeddings::new());
        };
        let mut sounds = Embeddings::new();
        let mut hearing = self.net.listen(voice.samples.as_slice());
        for step in first - sync::MAX_OFFSET..=last + sync::MAX_OFFSET {
            let position = step * STEP - voice.offset;
            if (0..voice.samples.len() as i64).contains(&position) {
                sounds.insert(step, hearing.at(position)?);
            }
        }
        Ok(sounds)
    }
}

/// Scores mouths seen as shapes and, where the bundle can, as pixels.
pub fn scores(
    sounds: &Embeddings,
    shapes: &Embeddings,
    pixels: Option<&Embeddings>,
) -> [Option<Score>; 2] {
    [
        sync::score(shapes, sounds),
        pixels.and_then(|pixels| sync::score(pixels, sounds)),
    ]
}
