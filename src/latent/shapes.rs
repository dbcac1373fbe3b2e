//! Mouth shapes from audio: one run of the audio encoder per instant. Recently used shapes are
//! cached.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use super::features::{Blocks, Heard, features_at};
use super::gate::SilenceGate;
use crate::Result;
use crate::audio::{MelParameters, MelSpectrogram, Timeline};
use crate::model::networks::SpeechNetworks;
use crate::model::{Manifest, SpeechContext};

/// Shapes held for a clip: about ten seconds at 25 frames a second.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(256).expect("not 0");

/// Coefficients of the face model's mouth block `[S]`, in units of its basis; 0 = at rest.
pub(crate) type MouthShape = Arc<[f32]>;

/// Buffers of one computation.
#[derive(Default)]
pub(crate) struct ShapeBuffers {
    mel: Vec<f32>,
    features: Vec<f32>,
}

/// Features, encoder and silence gate: audio and position in, mouth shape out. Shared by all threads.
pub(crate) struct ShapeSource {
    /// What the silence gate looks at.
    mel: MelSpectrogram,
    gate: SilenceGate,
    rest: MouthShape,
}

impl ShapeSource {
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the mel parameters are not valid.
    pub fn new(manifest: &Manifest) -> Result<Self> {
        let MelParameters {
            frames,
            lead,
            floor,
            ..
        } = manifest.mel;
        Ok(Self {
            gate: SilenceGate::new(frames, lead, floor.log10() as f32),
            mel: MelSpectrogram::new(manifest.mel.clone())?,
            rest: vec![0.0; manifest.face_model.mouth].into(),
        })
    }

    /// The mouth at rest.
    pub fn rest(&self) -> &MouthShape {
        &self.rest
    }

    /// The samples that a shape at `position` depends on.
    pub fn reach(&self, networks: &SpeechNetworks, position: i64) -> Range<i64> {
        let encoder = &networks.phonetic;
        let window = encoder.window(position);
        let gate = self.mel.params().reach(position);
        let first = encoder.reach(window.first).start;
        gate.start.min(first)..gate.end.max(encoder.reach(window.last()).end)
    }

    /// The first sample that is read for shapes from `position` on: blocks of features are computed
    /// whole.
    pub fn first_sample(&self, networks: &SpeechNetworks, position: i64) -> i64 {
        let encoder = &networks.phonetic;
        let window = encoder.window(position);
        let length = encoder.block_length() as i64;
        let block = window.first.div_euclid(length).saturating_mul(length);
        let gate = self.mel.params().reach(position);
        gate.start.min(encoder.reach(block).start)
    }

    /// The shape at `position`. Every sample of its [`reach`](Self::reach) must be known.
    fn shape(
        &self,
        networks: &SpeechNetworks,
        heard: &Heard<'_>,
        blocks: &Blocks,
        position: i64,
        buffers: &mut ShapeBuffers,
    ) -> Result<MouthShape> {
        let ShapeBuffers { mel, features } = buffers;
        mel.resize(self.mel.params().window_len(), 0.0);
        self.mel.window(heard.audio, position, mel)?;
        let opening = self.gate.opening(mel);
        if opening <= 0.0 {
            return Ok(self.rest.clone());
        }
        features_at(heard, blocks, position, mel, features)?;
        let mut shape = networks.audio.run(features)?;
        if opening < 1.0 {
            shape.iter_mut().for_each(|value| *value *= opening);
        }
        Ok(shape.into())
    }
}

/// What was computed from one clip's audio: least-recently-used caches of feature blocks and of
/// mouth shapes, by context and sample position. Any thread may ask; no lock is held while a shape
/// is computed, so two threads may compute the same one: it is the same.
pub(crate) struct Shapes {
    blocks: Blocks,
    cache: Mutex<LruCache<(SpeechContext, i64), MouthShape>>,
}

impl Shapes {
    /// Empty caches.
    pub fn new() -> Self {
        Self {
            blocks: Blocks::new(),
            cache: Mutex::new(LruCache::new(CAPACITY)),
        }
    }

    /// The mouth shape of `audio` at `position`.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when a network fails.
    pub fn get(
        &self,
        source: &ShapeSource,
        networks: &SpeechNetworks,
        (context, audio): (SpeechContext, &Timeline),
        position: i64,
        buffers: &mut ShapeBuffers,
    ) -> Result<MouthShape> {
        let key = (context, position);
        // Bound first, so that the lock is gone before the work begins.
        let known = self.cache.lock().get(&key).cloned();
        if let Some(shape) = known {
            return Ok(shape);
        }
        let heard = Heard {
            audio,
            context,
            encoder: &networks.phonetic,
        };
        let shape = source.shape(networks, &heard, &self.blocks, position, buffers)?;
        self.cache.lock().put(key, shape.clone());
        Ok(shape)
    }

    /// Empties the caches, for other audio.
    pub fn clear(&self) {
        self.blocks.clear();
        self.cache.lock().clear();
    }

    /// Cached shapes.
    pub fn len(&self) -> usize {
        self.cache.lock().len()
    }
}
