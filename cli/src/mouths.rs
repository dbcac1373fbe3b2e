//! Mouth crops: the input of SyncNet's pixel tower.

use std::collections::BTreeMap;

use stylelipsync::audio::Rate;
use stylelipsync::evaluate::sync;
use stylelipsync::face::crop::IMAGE;

use crate::failure::Result;
use crate::voice::{Embeddings, Listener};

/// The lower half of a crop reduced to 128x128, each pixel the mean of four.
pub fn lower_half(crop: &[f32]) -> Vec<f32> {
    let side = IMAGE / 2;
    let mut out = Vec::with_capacity(3 * side * side / 2);
    for plane in crop.chunks_exact(IMAGE * IMAGE) {
        for y in side / 2..side {
            let rows = &plane[2 * y * IMAGE..][..2 * IMAGE];
            let (above, below) = rows.split_at(IMAGE);
            let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
            out.extend(pairs.map(|(a, b)| 0.25 * (a[0] + a[1] + b[0] + b[1])));
        }
    }
    out
}

/// Windows of five frames of pixels, embedded as soon as they are complete, so that no more than
/// those frames are in memory.
pub struct Windows {
    rate: Rate,
    /// The next frame, and the step of the next window.
    next: i64,
    step: i64,
    held: BTreeMap<i64, [Vec<f32>; 2]>,
    /// Of source and result.
    pub embeddings: [Embeddings; 2],
}

impl Windows {
    /// Windows of the frames from `first` on.
    pub fn new(first: u64, rate: Rate) -> Self {
        let begin = sync::steps(first, 1 << 16, rate).next().unwrap_or(0);
        Self {
            rate,
            next: first as i64,
            step: begin + sync::FRAMES as i64 / 2,
            held: BTreeMap::new(),
            embeddings: Default::default(),
        }
    }

    /// The frame nearest to a step.
    fn nearest(&self, step: i64) -> i64 {
        let (frame, share) = sync::place(step, self.rate);
        frame + i64::from(share >= 0.5)
    }

    /// Takes the next frame's mouths; `None` where it shows no face.
    ///
    /// # Errors
    /// From the network.
    pub fn push(&mut self, mouths: Option<[Vec<f32>; 2]>, listener: &Listener) -> Result<()> {
        if let Some(mouths) = mouths {
            self.held.insert(self.next, mouths);
        }
        self.next += 1;
        let half = sync::FRAMES as i64 / 2;
        while self.nearest(self.step + half) < self.next {
            let frames: Option<Vec<_>> = (self.step - half..=self.step + half)
                .map(|step| self.held.get(&self.nearest(step)))
                .collect();
            let windows = frames.map(|frames| {
                [0, 1].map(|side| -> Vec<f32> {
                    let planes = frames.iter().flat_map(|pair| &pair[side]);
                    planes.copied().collect()
                })
            });
            for (side, window) in windows.iter().flatten().enumerate() {
                let vector = listener.net().pixels(window)?;
                self.embeddings[side].insert(self.step, vector);
            }
            self.step += 1;
            let oldest = self.nearest(self.step - half);
            self.held = self.held.split_off(&oldest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_half_is_a_mean_of_four() {
        let crop: Vec<f32> = (0..3 * IMAGE * IMAGE)
            .map(|i| (i % IMAGE) as f32 + 1000.0 * (i / IMAGE % IMAGE) as f32)
            .collect();
        let half = lower_half(&crop);
        assert_eq!(half.len(), 3 * 64 * 128);
        // Rows 128 and 129, columns 0 and 1; then the last of all.
        assert_eq!(half[0], 128_500.5);
        assert_eq!(half[64 * 128 - 1], 254_500.0 + 254.5);
        assert_eq!(half[2 * 64 * 128], 128_500.5);
    }
}
