//! Phonetic features around an instant, interpolated between the columns of the clip's clock. Recently
//! used blocks of columns are cached.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::Result;
use crate::audio::Timeline;
use crate::model::{PhoneticEncoder, SpeechContext};

/// Blocks held for a clip: five seconds, 128 kB with 16 columns of 128 components. A frame needs up to
/// four of them.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(16).expect("not 0");

/// A block of feature columns.
struct Block {
    /// Its first columns whose audio was known when it was computed. A stream computes a block again
    /// when more audio was pushed; the columns that were known keep their values.
    known: usize,
    /// `[components, length]`.
    values: Vec<f32>,
}

/// A least-recently-used cache of one clip's blocks. Any thread may ask; no lock is held while a
/// block is computed, so two threads may compute the same one: it is the same.
pub(super) struct Blocks(Mutex<LruCache<(SpeechContext, i64), Arc<Block>>>);

impl Blocks {
    pub fn new() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// The block `index`, whose column `column` (0 is its first) is needed.
    fn get(
        &self,
        clip: &Heard<'_>,
        index: i64,
        column: usize,
        mel: &mut Vec<f32>,
    ) -> Result<Arc<Block>> {
        let key = (clip.context, index);
        // Bound first, so that the lock is gone before the work begins.
        let cached = self.0.lock().get(&key).cloned();
        if let Some(block) = cached
            && column < block.known
        {
            return Ok(block);
        }
        let length = clip.encoder.block_length();
        let first = index.saturating_mul(length as i64);
        let is_known = |at: &usize| {
            let reach = clip.encoder.reach(first.saturating_add(*at as i64));
            clip.audio.is_known(reach.end)
        };
        let block = Arc::new(Block {
            known: (0..length).take_while(is_known).count(),
            values: clip.encoder.block(clip.audio, index, mel)?,
        });
        self.0.lock().put(key, block.clone());
        Ok(block)
    }
}

/// A clip's audio and the encoder that its features are computed with.
#[derive(Clone, Copy)]
pub(super) struct Heard<'a> {
    pub audio: &'a Timeline,
    pub context: SpeechContext,
    pub encoder: &'a PhoneticEncoder,
}

/// The columns of a window: the first one, how many, and how far its instant lies from a column to
/// the next, [0, 1).
#[derive(Debug, PartialEq)]
pub(super) struct Window {
    pub first: i64,
    pub count: usize,
    pub share: f32,
}

impl Window {
    /// The window of an instant at `position`, samples.
    pub fn at(position: i64, step: i64, (before, after): (usize, usize)) -> Self {
        let share = position.rem_euclid(step) as f32 / step as f32;
        // On a column, the one after the window has no part.
        let last = usize::from(share > 0.0);
        Self {
            first: position.div_euclid(step).saturating_sub(before as i64),
            count: before + 1 + after + last,
            share,
        }
    }

    pub fn last(&self) -> i64 {
        self.first.saturating_add(self.count as i64 - 1)
    }
}

/// Writes the features around `position` to `out`: `[components, before + 1 + after]`, each column
/// interpolated linearly between the two of the clip's clock that it lies between. `mel` is a
/// buffer.
pub(super) fn features_at(
    clip: &Heard<'_>,
    blocks: &Blocks,
    position: i64,
    mel: &mut Vec<f32>,
    out: &mut Vec<f32>,
) -> Result<()> {
    let encoder = clip.encoder;
    let (before, after) = encoder.window();
    let window = Window::at(position, encoder.step(), (before, after));
    let (length, width) = (encoder.block_length(), before + 1 + after);
    out.clear();
    out.resize(encoder.components() * width, 0.0);
    let mut at = 0;
    while at < window.count {
        let column = window.first.saturating_add(at as i64);
        let inside = column.rem_euclid(length as i64) as usize;
        let count = (length - inside).min(window.count - at);
        let index = column.div_euclid(length as i64);
        let block = blocks.get(clip, index, inside + count - 1, mel)?;
        for (row, values) in out
            .chunks_exact_mut(width)
            .zip(block.values.chunks_exact(length))
        {
            for (k, value) in values[inside..][..count].iter().enumerate() {
                add_column(row, at + k, *value, window.share);
            }
        }
        at += count;
    }
    Ok(())
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
            share: 0.0,
        };
        assert_eq!(on_a_column, expected);
        let between = Window::at(-80, 320, (2, 3));
        let expected = Window {
            first: -3,
            count: 7,
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
