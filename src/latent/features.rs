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
    values: Arc<[f32]>,
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
            values: clip.encoder.block(clip.audio, index, mel)?.into(),
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

/// Writes the features around `position` to `out`: `[components, before + 1 + after]`. `mel` is a buffer.
pub(super) fn features_at(
    clip: &Heard<'_>,
    blocks: &Blocks,
    position: i64,
    mel: &mut Vec<f32>,
    out: &mut Vec<f32>,
) -> Result<()> {
    let window = clip.encoder.window(position);
    let block = |index, column| Ok(blocks.get(clip, index, column, mel)?.values.clone());
    clip.encoder.interpolate(&window, block, out)
}
