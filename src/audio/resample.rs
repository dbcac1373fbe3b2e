//! Converts any sample rate and channel count to 16 kHz mono. Streaming and one-shot conversion
//! give the same bytes.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use crate::{Error, Result, cancel, memory};

/// Taps of the anti-alias filter at the input's rate: a delay of 1.3 ms at 48 kHz, 8 ms at 8 kHz.
const TAPS: usize = 128;

/// Resamples a whole clip: interleaved samples of `rate` Hz to mono at 16 kHz.
///
/// The result has `ceil(frames * 16000 / rate)` samples. [`Error::Argument`] for a rate outside
/// 1-768 kHz, 0 or more than 64 channels, or a length that is not a multiple of the channels.
pub fn to_16k(interleaved: &[f32], rate: u32, channels: u16) -> Result<Vec<f32>> {
    let mut resampler = Resampler16k::new(rate, channels)?;
    resampler.check(interleaved)?;
    let frames = interleaved.len() / usize::from(channels);
    let whole = frames as u128 * u128::from(super::RATE) / u128::from(rate);
    let whole = usize::try_from(whole).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    memory::reserve(
        &mut out,
        whole.saturating_add(super::RATE as usize),
        "audio",
    )?;
    // A second at a time: it can be cancelled, and holds little in between.
    for second in interleaved.chunks(rate as usize * usize::from(channels)) {
        cancel::check()?;
        resampler.push(second, &mut out)?;
    }
    resampler.finish(&mut out)?;
    Ok(out)
}

/// Resamples a stream to 16 kHz mono. The output has the same bytes for any size
/// of the input chunks.
pub struct Resampler16k {
    mix: Vec<f32>,
    rate: u32,
    /// None where the input is 16 kHz already.
    filter: Option<Filter>,
    /// Input frames and output samples so far.
    taken: u64,
    given: u64,
}

/// The sinc interpolator, fed with blocks of one size only, whatever the caller's chunks are.
struct Filter {
    sinc: Async<f32>,
    block: usize,
    /// Mono input that does not fill a block yet.
    waiting: Vec<f32>,
    out: Vec<f32>,
    /// Output samples still to be dropped.
    delay: usize,
}

impl Resampler16k {
    /// See [`to_16k`] for the errors.
    pub fn new(rate: u32, channels: u16) -> Result<Self> {
        if !(1000..=768_000).contains(&rate) {
            return Err(Error::Argument {
                field: "audio.rate",
                reason: format!("{rate} Hz is not between 1000 and 768000 Hz"),
            });
        }
        if !(1..=64).contains(&channels) {
            return Err(Error::Argument {
                field: "audio.channels",
                reason: format!("{channels} is not between 1 and 64"),
            });
        }
        let filter = if rate == super::RATE {
            None
        } else {
            Some(Filter::new(rate)?)
        };
        Ok(Self {
            mix: mix_by_count(channels),
            rate,
            filter,
            taken: 0,
            given: 0,
        })
    }

    /// Takes interleaved samples and appends to `out` what is ready.
    ///
    /// [`Error::Argument`] when the length is not a multiple of the channels; nothing was consumed then.
    pub fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) -> Result<()> {
        self.check(interleaved)?;
        let frames = interleaved.len() / self.mix.len();
        memory::reserve(out, self.most(frames), "audio")?;
        if let Some(filter) = &mut self.filter {
            memory::reserve(&mut filter.waiting, frames, "audio")?;
        }
        let start = out.len();
        let mono = interleaved
            .chunks_exact(self.mix.len())
            .map(|frame| mix(frame, &self.mix));
        match &mut self.filter {
            None => out.extend(mono),
            Some(filter) => {
                filter.waiting.extend(mono);
                filter.run(out)?;
            }
        }
        self.taken += (interleaved.len() / self.mix.len()) as u64;
        self.given += (out.len() - start) as u64;
        Ok(())
    }

    fn check(&self, interleaved: &[f32]) -> Result<()> {
        match interleaved.len().is_multiple_of(self.mix.len()) {
            true => Ok(()),
            false => Err(Error::Argument {
                field: "audio.samples",
                reason: format!(
                    "{} samples are not a multiple of {} channels",
                    interleaved.len(),
                    self.mix.len()
                ),
            }),
        }
    }

    /// The most output samples that this many input frames can give now.
    fn most(&self, frames: usize) -> usize {
        let Some(filter) = &self.filter else {
            return frames;
        };
        let blocks = (filter.waiting.len() + frames) / filter.block;
        blocks.saturating_mul(filter.out.len())
    }

    /// Samples that are still to come of what was pushed: the whole is `ceil(frames * 16000 / rate)`
    /// samples long.
    pub fn owed(&self) -> usize {
        let whole = (u128::from(self.taken) * u128::from(super::RATE))
            .div_ceil(u128::from(self.rate)) as u64;
        whole.saturating_sub(self.given) as usize
    }

    /// Appends what is [`owed`](Self::owed). The resampler is spent then.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        let start = out.len();
        let missing = self.owed();
        if let Some(filter) = &mut self.filter {
            while out.len() - start < missing {
                let block = filter.block;
                filter
                    .waiting
                    .resize(filter.waiting.len().max(1).next_multiple_of(block), 0.0);
                filter.run(out)?;
            }
            out.truncate(start + missing);
        }
        self.given += missing as u64;
        Ok(())
    }
}

impl Filter {
    fn new(rate: u32) -> Result<Self> {
        let ratio = f64::from(super::RATE) / f64::from(rate);
        let parameters = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2)
            .oversampling_factor(256)
            .interpolation(SincInterpolationType::Cubic);
        let block = (rate / 100).max(64) as usize; // 10 ms, which a stream waits for
        let sinc = Async::new_sinc(ratio, 1.0, &parameters, block, 1, FixedAsync::Input)
            .map_err(|error| Error::Audio(format!("resampling from {rate} Hz: {error}")))?;
        let (lead, delay) = alignment(rate);
        let longest = sinc.output_frames_max();
        Ok(Self {
            sinc,
            block,
            waiting: vec![0.0; lead],
            out: vec![0.0; longest],
            delay,
        })
    }

    /// Resamples all whole blocks that wait.
    fn run(&mut self, out: &mut Vec<f32>) -> Result<()> {
        let failed = |reason: String| Error::Audio(format!("resampling: {reason}"));
        let blocks = self.waiting.len() / self.block;
        for block in self.waiting.chunks_exact(self.block) {
            let input = SequentialSlice::new(block, 1, self.block)
                .map_err(|error| failed(error.to_string()))?;
            let longest = self.out.len();
            let mut output = SequentialSlice::new_mut(&mut self.out, 1, longest)
                .map_err(|error| failed(error.to_string()))?;
            let (_, made) = self
                .sinc
                .process_into_buffer(&input, &mut output, None)
                .map_err(|error| failed(error.to_string()))?;
            let late = self.delay.min(made);
            self.delay -= late;
            out.extend_from_slice(&self.out[late..made]);
        }
        self.waiting.drain(..blocks * self.block);
        Ok(())
    }
}

/// Silence to put in front of the input, and output samples to drop, so that the first sample that
/// is left lies at the input's first one.
///
/// The sinc's output k lies at input time `(k + 1) * rate / 16000 - TAPS / 2`. The silence makes
/// that 0 for a whole k; where it would be long (odd rates), half a sample is let go.
fn alignment(rate: u32) -> (usize, usize) {
    let (mut a, mut b) = (rate, super::RATE);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let half = TAPS / 2;
    let step = (rate / a) as usize;
    let exact = half.next_multiple_of(step);
    let front = if exact <= 1 << 14 { exact } else { half };
    let delay = front as f64 * f64::from(super::RATE) / f64::from(rate);
    (front - half, (delay.round() as usize).saturating_sub(1))
}

/// One frame to mono. A sample that is not a number, or infinite, reads as silence.
pub(super) fn mix(frame: &[f32], weights: &[f32]) -> f32 {
    let sum: f32 = frame
        .iter()
        .zip(weights)
        .map(|(s, w)| if s.is_finite() { s * w } else { 0.0 })
        .sum();
    if sum.is_finite() { sum } else { 0.0 }
}

/// How loud each channel is in the mono mix, where only their number is known: the usual order
/// (front left, right, centre, low effects, then surround), the voice's centre loudest.
fn mix_by_count(channels: u16) -> Vec<f32> {
    const FRONT: f32 = 1.0;
    const CENTRE: f32 = std::f32::consts::SQRT_2;
    const AROUND: f32 = std::f32::consts::FRAC_1_SQRT_2;
    let weights: Vec<f32> = match channels {
        3 => vec![FRONT, FRONT, CENTRE],
        4 => vec![FRONT, FRONT, AROUND, AROUND],
        5 => vec![FRONT, FRONT, CENTRE, AROUND, AROUND],
        6 => vec![FRONT, FRONT, CENTRE, 0.0, AROUND, AROUND],
        7 => vec![FRONT, FRONT, CENTRE, 0.0, AROUND, AROUND, AROUND],
        8 => vec![FRONT, FRONT, CENTRE, 0.0, AROUND, AROUND, AROUND, AROUND],
        _ => vec![FRONT; usize::from(channels)],
    };
    normalised(weights)
}

/// Weights scaled to a sum of 1: the mix can be no louder than its loudest channel.
pub(super) fn normalised(mut weights: Vec<f32>) -> Vec<f32> {
    let sum: f32 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    weights
}
