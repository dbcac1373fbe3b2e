//! The level of an audio file over time, for the strip that shows where the audio stands against the
//! picture.

use std::ops::Range;

use stylelipsync::audio::RATE;

/// Samples of a level: 10 ms.
const BLOCK: usize = 160;

/// The part of the audio that the strip shows, samples: half of it before the frame, half after it.
const WINDOW: i64 = 4 * RATE as i64;

/// The level of an audio file. It has a hundredth of a second's resolution: 400 bytes a second.
#[derive(Debug, PartialEq)]
pub struct Waveform {
    /// The largest magnitude of each block, relative to that of the file: 0 to 1.
    levels: Vec<f32>,
}

impl Waveform {
    /// Of samples at 16 kHz.
    pub fn of(samples: &[f32]) -> Self {
        let magnitude = |block: &[f32]| {
            let finite = block.iter().map(|v| v.abs()).filter(|v| v.is_finite());
            finite.fold(0.0, f32::max)
        };
        let mut levels: Vec<f32> = samples.chunks(BLOCK).map(magnitude).collect();
        let most = levels.iter().copied().fold(0.0, f32::max);
        if most > 0.0 {
            levels.iter_mut().for_each(|level| *level /= most);
        }
        Self { levels }
    }

    /// The level in each of `columns` parts of the strip, from left to right, when the frame's position in
    /// the audio is `at`, in samples: negative before its beginning. `None` for parts outside of the audio.
    pub fn strip(&self, at: i64, columns: usize) -> impl Iterator<Item = Option<f32>> {
        let edge = move |column: usize| {
            let share = i128::from(WINDOW) * column as i128 / columns.max(1) as i128;
            at.saturating_sub(WINDOW / 2).saturating_add(share as i64)
        };
        (0..columns).map(move |column| self.loudest(edge(column)..edge(column + 1)))
    }

    /// The highest level of a part of the audio, samples; `None` outside of it.
    fn loudest(&self, part: Range<i64>) -> Option<f32> {
        let block = BLOCK as i64;
        let first = part.start.div_euclid(block);
        let last = (part.end - 1).div_euclid(block).max(first);
        let first = first.max(0) as usize;
        let last = usize::try_from(last)
            .ok()?
            .min(self.levels.len().checked_sub(1)?);
        let levels = self.levels.get(first..=last)?;
        levels.iter().copied().reduce(f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of silence, a second of sound that grows, a second of silence.
    fn audio() -> Vec<f32> {
        let rate = RATE as usize;
        let mut samples = vec![0.0; 3 * rate];
        for (k, sample) in samples[rate..2 * rate].iter_mut().enumerate() {
            *sample = 0.5 * (k as f32 / rate as f32) * if k % 2 == 0 { 1.0 } else { -1.0 };
        }
        samples
    }

    #[test]
    fn the_strip_shows_two_seconds_before_and_after_the_frame() {
        let waveform = Waveform::of(&audio());
        // 100 ms a column.
        let strip: Vec<_> = waveform.strip(RATE.into(), 40).collect();
        for (column, level) in strip.iter().enumerate() {
            match column {
                // Before the audio begins, and after its end.
                0..10 => assert_eq!(*level, None, "{column}"),
                10..20 | 30..40 => assert_eq!(*level, Some(0.0), "{column}"),
                _ => {
                    let expected = (column - 19) as f32 / 10.0;
                    assert!(
                        (level.unwrap() - expected).abs() < 0.02,
                        "{column} {level:?}"
                    );
                }
            }
        }
        // A tenth of a second later everything is one column farther to the left.
        let later: Vec<_> = waveform.strip((RATE + RATE / 10).into(), 40).collect();
        assert_eq!(later[..39], strip[1..]);
    }

    #[test]
    fn any_position_and_any_audio_has_a_strip() {
        for samples in [vec![], vec![0.3], vec![f32::NAN; 500], audio()] {
            let waveform = Waveform::of(&samples);
            for at in [i64::MIN, -1, 0, 1, 40_000, i64::MAX] {
                for columns in [0, 1, 7, 320, 10_000] {
                    let strip: Vec<_> = waveform.strip(at, columns).collect();
                    assert_eq!(strip.len(), columns);
                    let levels = strip.iter().flatten();
                    assert!(levels.copied().all(|level| (0.0..=1.0).contains(&level)));
                }
            }
        }
        assert_eq!(Waveform::of(&[0.3]).strip(0, 1).next(), Some(Some(1.0)));
    }
}
