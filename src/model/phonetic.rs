//! The phonetic encoder: audio to features that tell which speech sounds are heard, whoever speaks.
//! Not in the paper, whose audio encoder reads the mel spectrogram itself.
//!
//! Features lie on the clip's clock: column `c` is centred on the sample `c * 2 * hop`, 50 columns a
//! second. A column is a function of the samples in a fixed window around its time. It depends on
//! neither where a run of the network began nor on what else was computed, so random access and a
//! stream get the same values. Columns are computed in blocks that begin at multiples of the block's
//! length.

use std::ops::Range;
use std::sync::Arc;

use super::SpeechContext;
use super::manifest::{ContextSizes, PhoneticSizes};
use super::network::{Loader, Network};
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
    pub(super) fn new(loader: &Arc<Loader>, context: SpeechContext) -> Result<Self> {
        let manifest = loader.manifest();
        let sizes = manifest.phonetic;
        let reach = sizes.context(context);
        Ok(Self {
            mel: MelSpectrogram::new(MelParameters {
                frames: sizes.block_columns(context),
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
    pub fn columns(&self) -> (usize, usize) {
        (self.context.before, self.context.after)
    }

    /// The window of the audio encoder for an instant at `position`, samples.
    pub fn window(&self, position: i64) -> Window {
        Window::at(position, self.step(), self.columns())
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

    /// Writes the features of a window to `out`: `[components, columns]`, each column interpolated
    /// linearly between the two of the clip's clock that it lies between. `block` gives the block of an
    /// index, whose columns up to the given one are needed.
    ///
    /// # Errors
    /// Those of `block`.
    pub fn interpolate(
        &self,
        window: &Window,
        mut block: impl FnMut(i64, usize) -> Result<Arc<[f32]>>,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let (length, width) = (self.sizes.block, window.width);
        out.clear();
        out.resize(self.sizes.components * width, 0.0);
        let mut at = 0;
        while at < window.count {
            let column = window.first.saturating_add(at as i64);
            let inside = column.rem_euclid(length as i64) as usize;
            let count = (length - inside).min(window.count - at);
            let values = block(column.div_euclid(length as i64), inside + count - 1)?;
            for (row, values) in out.chunks_exact_mut(width).zip(values.chunks_exact(length)) {
                for (k, value) in values[inside..][..count].iter().enumerate() {
                    add_column(row, at + k, *value, window.share);
                }
            }
            at += count;
        }
        Ok(())
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

/// The feature columns around an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The first column of the clip's clock that is needed.
    pub first: i64,
    /// Columns of the clip's clock that are needed.
    pub count: usize,
    /// Columns around the instant.
    width: usize,
    /// How far the instant lies from a column to the next, [0, 1).
    share: f32,
}

impl Window {
    /// The window of an instant at `position`: columns before it and after it, `step` samples apart.
    pub(super) fn at(position: i64, step: i64, (before, after): (usize, usize)) -> Self {
        let share = position.rem_euclid(step) as f32 / step as f32;
        // On a column, the one after the window has no part.
        let last = usize::from(share > 0.0);
        Self {
            first: position.div_euclid(step).saturating_sub(before as i64),
            count: before + 1 + after + last,
            width: before + 1 + after,
            share,
        }
    }

    /// The last column of the clip's clock that is needed.
    pub fn last(&self) -> i64 {
        self.first.saturating_add(self.count as i64 - 1)
    }
}

/// Adds the value of the window's column `at` to the two interpolated columns beside it.
fn add_column(row: &mut [f32], at: usize, value: f32, share: f32) {
    if let Some(here) = row.get_mut(at) {
        *here += (1.0 - share) * value;
    }
    if let Some(earlier) = at.checked_sub(1).and_then(|before| row.get_mut(before)) {
        *earlier += share * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lies_around_its_instant() {
        let on_a_column = Window::at(640, 320, (8, 0));
        let expected = Window {
            first: -6,
            count: 9,
            width: 9,
            share: 0.0,
        };
        assert_eq!(on_a_column, expected);
        let between = Window::at(-80, 320, (2, 3));
        let expected = Window {
            first: -3,
            count: 7,
            width: 6,
            share: 0.75,
        };
        assert_eq!(between, expected);
        assert_eq!(between.last(), 3);
        for position in [i64::MIN, i64::MAX] {
            assert_eq!(Window::at(position, 320, (64, 64)).count, 130);
        }
    }

    #[test]
    fn columns_are_interpolated() {
        let mut row = [0.0; 3];
        for (at, value) in [1.0, 2.0, 4.0, 8.0].into_iter().enumerate() {
            add_column(&mut row, at, value, 0.25);
        }
        assert_eq!(row, [1.25, 2.5, 5.0]);
    }
}
