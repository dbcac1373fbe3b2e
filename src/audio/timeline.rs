//! The frame rate, and the clip's 16 kHz audio on the clip's clock.

use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::resample::Resampler16k;
use super::samples::Samples;
use crate::{Error, Result, memory};

/// A frame rate as the host states it, in frames a second: `num / den` (30000/1001, 25/1, ...).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Numerator, in frames.
    pub num: u32,
    /// Denominator, in seconds; not 0.
    pub den: u32,
}

impl Rate {
    /// A checked rate; between 1 and 1000 frames a second.
    pub fn new(num: u32, den: u32) -> Result<Self> {
        let rate = Self { num, den };
        rate.check()?;
        Ok(rate)
    }

    /// [`Error::Argument`] unless the rate lies between 1 and 1000 frames a second.
    pub fn check(&self) -> Result<()> {
        let (num, den) = (u64::from(self.num), u64::from(self.den));
        if den == 0 || num < den || num > 1000 * den {
            return Err(Error::Argument {
                field: "rate",
                reason: format!("{num}/{den} is not between 1 and 1000 frames a second"),
            });
        }
        Ok(())
    }

    /// Where frame `frame` lies, in samples at 16 kHz, rounded half up: exact at 25 fps.
    ///
    /// Any rate that [`check`](Self::check) accepts and any frame give a position; beyond the
    /// range of `i64` it saturates.
    pub fn position(&self, frame: i64) -> i64 {
        let scaled = i128::from(frame) * i128::from(self.den) * i128::from(super::RATE);
        let num = i128::from(self.num.max(1));
        let rounded = (2 * scaled + num).div_euclid(2 * num);
        rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

/// Where a time of `ticks` * `num` / `den` seconds lies, in samples at 16 kHz, rounded half up: the
/// time stamps of containers and devices, whatever their base. `None` for a base of 0, or beyond the
/// range of `i64`.
pub fn position_of(ticks: i64, num: u32, den: u32) -> Option<i64> {
    if num == 0 || den == 0 {
        return None;
    }
    let scaled = i128::from(ticks) * i128::from(num) * i128::from(super::RATE);
    let den = i128::from(den);
    i64::try_from((2 * scaled + den).div_euclid(2 * den)).ok()
}

/// A clip's audio at 16 kHz: whole, or growing while a stream is pushed.
///
/// Position 0 is the clip's frame 0; the audio's first sample lies at `offset`. Where the audio
/// has ended there is silence, so a clip longer than its audio ends with the mouth at rest. What
/// is read depends on the samples only, not on the chunks in which they were pushed.
///
/// One thread writes; any number may read meanwhile only behind the owner's lock.
pub struct Timeline {
    /// The samples from `first` on; older ones were discarded or never existed. Whole ones may be
    /// shared with other timelines.
    samples: Arc<Vec<f32>>,
    /// The position of `samples[0]`.
    first: i64,
    /// The position before which samples were dropped, if any were.
    dropped: Option<i64>,
    finished: bool,
    input: Option<Input>,
}

/// The format that a stream was begun in, and its resampler.
struct Input {
    rate: u32,
    channels: u16,
    /// Used through `get_mut` alone: the lock only makes the timeline shareable between threads.
    resampler: Mutex<Resampler16k>,
}

impl Timeline {
    /// A finished timeline of mono samples at 16 kHz whose first sample lies at `offset`.
    pub fn whole(samples: impl Into<Arc<Vec<f32>>>, offset: i64) -> Self {
        let mut timeline = Self::growing(offset);
        timeline.samples = samples.into();
        timeline.finished = true;
        timeline
    }

    /// An empty timeline to [`push`](Self::push) to; the first sample will lie at `offset`.
    pub fn growing(offset: i64) -> Self {
        Self {
            samples: Arc::default(),
            first: offset,
            dropped: None,
            finished: false,
            input: None,
        }
    }

    /// Appends interleaved samples of the stream, resampled to 16 kHz mono on the way.
    ///
    /// `rate` (Hz) and `channels` must stay what they were in the first call. On an error nothing
    /// was appended. [`Error::State`] after [`finish`](Self::finish).
    pub fn push(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        if self.finished {
            return Err(Error::State(
                "audio was pushed after the audio was finished".into(),
            ));
        }
        if let Some(input) = &self.input
            && (input.rate, input.channels) != (rate, channels)
        {
            return Err(Error::Argument {
                field: "audio",
                reason: format!(
                    "{rate} Hz and {channels} channels, but the stream began with {} Hz and {}",
                    input.rate, input.channels
                ),
            });
        }
        let input = match &mut self.input {
            Some(input) => input,
            none => none.insert(Input {
                rate,
                channels,
                resampler: Mutex::new(Resampler16k::new(rate, channels)?),
            }),
        };
        input
            .resampler
            .get_mut()
            .push(interleaved, Arc::make_mut(&mut self.samples))
    }

    /// States that no more audio comes: what the resampler held back is appended.
    pub fn finish(&mut self) -> Result<()> {
        self.finished = true;
        match self.input.take() {
            Some(mut input) => input
                .resampler
                .get_mut()
                .finish(Arc::make_mut(&mut self.samples)),
            None => Ok(()),
        }
    }

    /// Forgets the samples from `position` on; what is pushed next begins there, in a format of its
    /// own. Between the last known sample and a later position there is silence.
    ///
    /// [`Error::Argument`] for a position before samples that were discarded; [`Error::Memory`]. On
    /// an error nothing changed.
    pub fn cut(&mut self, position: i64) -> Result<()> {
        let refuse = |reason: String| Error::Argument {
            field: "position",
            reason,
        };
        if !self.holds(position) {
            return Err(refuse(format!(
                "{position} lies in audio that was already used and discarded"
            )));
        }
        let samples = Arc::make_mut(&mut self.samples);
        match usize::try_from(position.saturating_sub(self.first)) {
            Ok(keep) => {
                // First what can fail for want of memory, while nothing has changed.
                memory::reserve(samples, keep.saturating_sub(samples.len()), "audio")?;
                // What the resampler holds back comes before the silence.
                if keep > samples.len()
                    && let Some(input) = &mut self.input
                {
                    input.resampler.get_mut().finish(samples)?;
                }
                samples.resize(keep, 0.0);
            }
            // Nothing was discarded: the first sample simply lies earlier from now on.
            Err(_) => {
                samples.clear();
                self.first = position;
            }
        }
        (self.input, self.finished) = (None, false);
        Ok(())
    }

    /// No more audio comes.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// No sample was ever known.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.dropped.is_none()
    }

    /// The position of the first sample that is held.
    pub fn begin(&self) -> i64 {
        self.first
    }

    /// The position after the last known sample.
    pub fn end(&self) -> i64 {
        self.first.saturating_add(self.samples.len() as i64)
    }

    /// Every sample before `end` is known, or no more will come.
    pub fn is_known(&self, end: i64) -> bool {
        self.finished || end <= self.end()
    }

    /// Forgets the samples before `position`, which no window needs any more (streaming).
    ///
    /// Memory is freed in large steps, so that a long stream does not copy for each frame.
    pub fn discard_before(&mut self, position: i64) {
        let drop = position.min(self.end()).saturating_sub(self.first);
        if drop >= i64::from(super::RATE) && drop as usize >= self.samples.len() / 2 {
            Arc::make_mut(&mut self.samples).drain(..drop as usize);
            self.first += drop;
            self.dropped = Some(self.first);
        }
    }

    /// SHA-256 of the samples held (32-bit floats, little-endian), in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for samples in self.samples.chunks(4096) {
            let bytes: Vec<u8> = samples.iter().flat_map(|v| v.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        hex::encode(hash.finalize())
    }

    /// How many samples are held, including those that the resampler still holds back.
    pub fn held(&self) -> usize {
        let owed = self.input.as_ref().map(|it| it.resampler.lock().owed());
        self.samples.len() + owed.unwrap_or(0)
    }

    /// The samples from `start` on were not discarded.
    pub fn holds(&self, start: i64) -> bool {
        self.dropped.is_none_or(|dropped| start >= dropped)
    }
}

impl Samples for Timeline {
    fn read(&self, start: i64, out: &mut [f32]) {
        self.samples
            .as_slice()
            .read(start.saturating_sub(self.first), out);
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Samples, Timeline, position_of};

    #[test]
    fn a_cut_that_is_refused_changes_nothing() {
        let sound: Vec<f32> = (0..48_000).map(|k| (k as f32 * 0.01).sin()).collect();
        let pushed = |cut: Option<i64>| {
            let mut timeline = Timeline::growing(0);
            timeline.push(&sound[..24_000], 48_000, 1).unwrap();
            if let Some(position) = cut {
                assert!(timeline.cut(position).is_err());
            }
            timeline.push(&sound[24_000..], 48_000, 1).unwrap();
            timeline.finish().unwrap();
            let mut heard = vec![0.0; 16_000];
            timeline.read(0, &mut heard);
            heard
        };
        assert!(pushed(Some(i64::MAX)) == pushed(None));
    }

    #[test]
    fn time_stamps_of_any_base_lie_where_frames_do() {
        let film = Rate::new(24_000, 1_001).unwrap();
        for frame in [0, 1, 7, 1_000_000, -3] {
            assert_eq!(
                position_of(frame, 1_001, 24_000),
                Some(film.position(frame))
            );
        }
        // MPEG's clock, an hour in; a tick of a nanosecond.
        assert_eq!(position_of(324_000_000, 1, 90_000), Some(57_600_000));
        assert_eq!(position_of(62_500, 1, 1_000_000_000), Some(1));
        assert_eq!(position_of(31_250, 1, 1_000_000_000), Some(1), "half up");
        assert_eq!(position_of(31_249, 1, 1_000_000_000), Some(0));
        assert_eq!(position_of(-31_251, 1, 1_000_000_000), Some(-1));
        assert_eq!(position_of(i64::MAX, 1, 16_000), Some(i64::MAX));
        assert_eq!(position_of(i64::MAX, u32::MAX, 1), None);
        assert_eq!(position_of(1, 0, 1), None);
        assert_eq!(position_of(1, 1, 0), None);
    }
}
