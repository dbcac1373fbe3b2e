//! The phonetic encoder: audio to features that tell which speech sounds are heard, whoever speaks.
//! Not in the paper, whose audio encoder reads the mel spectrogram itself.
//!
//! Features lie on the clip's clock: column `c` is centred on the sample `c * 2 * hop`, 50 columns a
//! second. A column is a function of the samples in a fixed window around its time. It depends on
//! neither where a run of the network began nor on what else was computed, so random access and a
//! stream get the same values. Columns are computed in blocks that begin at multiples of the block's
//! length.

use std::ops::Range;

use super::manifest::{ContextSizes, PhoneticSizes};
use super::network::{Loader, Network};
use super::{Manifest, SpeechContext};
use crate::Result;
use crate::audio::{MelParameters, MelSpectrogram, Samples};

/// A phonetic encoder of one context: mel spectrogram and network.
pub struct PhoneticEncoder {
    mel: MelSpectrogram,
    network: Network,
    sizes: PhoneticSizes,
    context: ContextSizes,
}

impl PhoneticEncoder {
    pub(super) fn load(loader: &Loader<'_>, context: SpeechContext) -> Result<Self> {
        let manifest = loader.manifest();
        let sizes = manifest.phonetic;
        let reach = sizes.context(context);
        Ok(Self {
            mel: MelSpectrogram::new(MelParameters {
                frames: block_columns(manifest, context),
                lead: reach.past,
                ..manifest.mel.clone()
            })?,
            network: loader.network(context.phonetic())?,
            sizes,
            context: reach,
        })
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// The columns around a frame's time that the audio encoder takes: before it and after it.
    pub fn window(&self) -> (usize, usize) {
        (self.context.before, self.context.after)
    }

    /// Values of a column.
    pub fn components(&self) -> usize {
        self.sizes.components
    }

    /// Columns of a block.
    pub fn block_length(&self) -> usize {
        self.sizes.block
    }

    /// Samples between columns.
    pub fn step(&self) -> i64 {
        (self.sizes.step * self.mel.params().hop) as i64
    }

    /// The samples that column `column` depends on.
    pub fn reach(&self, column: i64) -> Range<i64> {
        let params = self.mel.params();
        let (hop, half) = (params.hop as i64, (params.window / 2) as i64);
        let centre = column.saturating_mul(self.step());
        let (past, future) = (self.context.past as i64, self.context.future as i64);
        centre.saturating_sub(past * hop + half)..centre.saturating_add(future * hop + half)
    }

    /// The features of block `block`, columns `block * length` to `block * length + length - 1`:
    /// `[components, length]`. `mel` is a buffer.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when the network fails.
    pub fn block(
        &self,
        audio: &(impl Samples + ?Sized),
        block: i64,
        mel: &mut Vec<f32>,
    ) -> Result<Vec<f32>> {
        let first = block.saturating_mul(self.sizes.block as i64);
        mel.resize(self.mel.params().window_len(), 0.0);
        self.mel
            .window(audio, first.saturating_mul(self.step()), mel)?;
        self.run(mel)
    }

    /// `mel`: the mel columns that a block depends on, [mels, past + future + 1 + step * (length -
    /// 1)]. Gives [components, length].
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when the network fails.
    pub fn run(&self, mel: &[f32]) -> Result<Vec<f32>> {
        let [features] = self.network.run([mel])?;
        Ok(features)
    }
}

/// Mel columns that one block of features depends on.
pub(super) fn block_columns(manifest: &Manifest, context: SpeechContext) -> usize {
    let sizes = manifest.phonetic;
    let ContextSizes { past, future, .. } = sizes.context(context);
    past + future + 1 + sizes.step * (sizes.block - 1)
}
