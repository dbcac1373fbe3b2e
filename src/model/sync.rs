//! SyncNet: how well audio and mouth match.

use super::manifest::MEL_COLUMNS_PER_FRAME;
use super::network::{Loader, Network};
use super::{Bundle, Provider};
use crate::audio::{MelParameters, MelSpectrogram, Samples};
use crate::{Error, Result};

/// SyncNet: sound and mouth of five frames in one space (paper, section 3.4, equation 7). For
/// evaluation; rendering does not need it.
pub struct SyncNet {
    mel: MelSpectrogram,
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
        let (sound, shape) = (loader.network("sync_sound")?, loader.network("sync_shape")?);
        let manifest = bundle.manifest();
        let frames = manifest.syncnet.map_or(0, |sizes| sizes.frames);
        Ok(SyncNet {
            mel: MelSpectrogram::new(MelParameters {
                frames: MEL_COLUMNS_PER_FRAME * frames,
                lead: MEL_COLUMNS_PER_FRAME * (frames / 2),
                ..manifest.mel.clone()
            })?,
            sound,
            shape,
            face: face.transpose()?,
        })
    }

    /// The unit vector of the audio of the frames around the one at `position` (samples at 16 kHz):
    /// cuts the mel window and runs the tower of sound. Outside the audio there is silence.
    ///
    /// # Errors
    /// [`Error::Network`] when the network fails.
    pub fn hear(&self, audio: &(impl Samples + ?Sized), position: i64) -> Result<Vec<f32>> {
        let mut window = vec![0.0; self.mel.params().window_len()];
        self.mel.window(audio, position, &mut window)?;
        self.sound(&window)
    }

    /// `mel`: four mel frames for each of the frames, [mels, 4 * frames]. Gives a unit vector.
    pub fn sound(&self, mel: &[f32]) -> Result<Vec<f32>> {
        let [vector] = self.sound.run([mel])?;
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
