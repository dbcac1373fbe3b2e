//! SyncNet: how well audio and mouth match.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::manifest::SpeechContext;
use super::network::{Loader, Network};
use super::phonetic::{PhoneticEncoder, Window};
use super::{Bundle, Provider};
use crate::audio::Samples;
use crate::{Error, Result};

/// Blocks of features that a [`Hearing`] keeps: a window lies in at most two.
const BLOCKS: usize = 4;

/// SyncNet: sound and mouth of five frames in one space (paper, section 3.4, equation 7). For
/// evaluation; rendering does not need it.
pub struct SyncNet {
    phonetic: PhoneticEncoder,
    /// Feature columns to each side of the middle of its window.
    reach: usize,
    sound: Network,
    shape: Network,
    face: Option<Network>,
}

impl SyncNet {
    /// Loads the towers: sound and shapes, and that of pixels where the bundle has one.
    ///
    /// # Errors
    /// As [`Networks::load`](super::Networks::load); [`Error::Bundle`] where the bundle has no SyncNet.
    pub fn load(bundle: &Bundle, provider: Provider, threads: usize) -> Result<SyncNet> {
        let loader = Loader::new(bundle, provider, threads)?;
        let face = bundle.has("sync_face").then(|| loader.network("sync_face"));
        let net = SyncNet {
            phonetic: PhoneticEncoder::new(&loader, SpeechContext::Far)?,
            reach: bundle.manifest().syncnet.map_or(0, |sizes| sizes.frames),
            sound: loader.network("sync_sound")?,
            shape: loader.network("sync_shape")?,
            face: face.transpose()?,
        };
        [&net.sound, &net.shape, net.phonetic.network()]
            .into_iter()
            .chain(&net.face)
            .try_for_each(Network::build)?;
        Ok(net)
    }

    /// Hears `audio`, whose first sample is at position 0 unless it says otherwise. Outside it there is
    /// silence.
    pub fn listen<'a, S: Samples + ?Sized>(&'a self, audio: &'a S) -> Hearing<'a, S> {
        Hearing {
            net: self,
            audio,
            blocks: BTreeMap::new(),
            mel: Vec::new(),
            features: Vec::new(),
        }
    }

    /// `features`: phonetic features of the far context around the window's middle, [components, 2 *
    /// frames + 1]. Gives a unit vector.
    ///
    /// # Errors
    /// [`Error::Network`] when the network fails.
    pub fn sound(&self, features: &[f32]) -> Result<Vec<f32>> {
        let [vector] = self.sound.run([features])?;
        Ok(vector)
    }

    /// `shapes`: the mouth's expression coefficients of the frames, [frames, mouth]. Gives a unit
    /// vector.
    pub fn mouth(&self, shapes: &[f32]) -> Result<Vec<f32>> {
        let [vector] = self.shape.run([shapes])?;
        Ok(vector)
    }

    /// Whether the bundle has a tower of pixels.
    pub fn sees_pixels(&self) -> bool {
        self.face.is_some()
    }

    /// `mouths`: the lower halves of the frames' crops at 128x128, [3 * frames, 64, 128] in [-1, 1].
    /// Gives a unit vector.
    ///
    /// # Errors
    /// [`Error::State`] where the bundle has no such tower.
    pub fn pixels(&self, mouths: &[f32]) -> Result<Vec<f32>> {
        let Some(face) = &self.face else {
            return Err(Error::State("the bundle has no sync_face".into()));
        };
        let [vector] = face.run([mouths])?;
        Ok(vector)
    }
}

/// Embeds windows of one audio. Positions in rising order are the fastest: features are computed once.
pub struct Hearing<'a, S: ?Sized> {
    net: &'a SyncNet,
    audio: &'a S,
    blocks: BTreeMap<i64, Arc<[f32]>>,
    mel: Vec<f32>,
    features: Vec<f32>,
}

impl<S: Samples + ?Sized> Hearing<'_, S> {
    /// The unit vector of the audio of the frames around the one at `position`, samples at 16 kHz.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails.
    pub fn at(&mut self, position: i64) -> Result<Vec<f32>> {
        let Self {
            net,
            audio,
            blocks,
            mel,
            features,
        } = self;
        let encoder = &net.phonetic;
        let window = Window::at(position, encoder.step(), (net.reach, net.reach));
        let block = |index: i64, _| {
            if let Some(known) = blocks.get(&index) {
                return Ok(known.clone());
            }
            let values: Arc<[f32]> = encoder.block(*audio, index, mel)?.into();
            blocks.insert(index, values.clone());
            while blocks.len() > BLOCKS {
                blocks.pop_first();
            }
            Ok(values)
        };
        encoder.interpolate(&window, block, features)?;
        net.sound(features)
    }
}
