//! The mel spectrogram, the input of the audio encoder. `models/data/mel.py` computes the same in
//! training.

use std::f64::consts::PI;
use std::ops::Range;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use serde::Deserialize;

use super::samples::Samples;
use crate::pool::Pool;
use crate::{Error, Result};

/// How a spectrogram is computed, and which columns the encoder's window has (the manifest's
/// `mel`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelParameters {
    /// Samples a second; 16000.
    pub rate: u32,
    /// Bands (rows).
    pub mels: usize,
    /// Length of the transform in samples.
    pub fft: usize,
    /// Length of the periodic Hann window in samples, at most `fft`, even.
    pub window: usize,
    /// Samples between columns.
    pub hop: usize,
    /// Lower edge of the first band in Hz.
    pub low: f64,
    /// Upper edge of the last band in Hz, at most half the rate.
    pub high: f64,
    /// The least magnitude; its log10 is what silence reads as.
    pub floor: f64,
    /// Columns of an encoder's window.
    pub frames: usize,
    /// Columns of the window before the one that is centred on its position.
    pub lead: usize,
}

impl MelParameters {
    /// [`Error::Argument`] naming the first field that is not valid.
    pub fn check(&self) -> Result<()> {
        let wrong = |field, reason: String| Err(Error::Argument { field, reason });
        if self.rate != super::RATE {
            return wrong("mel.rate", format!("{} Hz, not {}", self.rate, super::RATE));
        }
        if !(16..=8192).contains(&self.fft) {
            return wrong(
                "mel.fft",
                format!("{} is not between 16 and 8192", self.fft),
            );
        }
        if self.window < 2 || self.window > self.fft || self.window % 2 == 1 {
            return wrong(
                "mel.window",
                format!("{} is odd, or beyond mel.fft", self.window),
            );
        }
        for (field, value, most) in [
            ("mel.mels", self.mels, 512),
            ("mel.hop", self.hop, 1 << 16),
            ("mel.frames", self.frames, 1024),
        ] {
            if value == 0 || value > most {
                return wrong(field, format!("{value} is not between 1 and {most}"));
            }
        }
        if self.lead >= self.frames {
            return wrong("mel.lead", format!("{} is not below mel.frames", self.lead));
        }
        let nyquist = f64::from(self.rate) / 2.0;
        if !(self.low >= 0.0 && self.low < self.high) {
            let reason = format!("{}-{} Hz is not a band", self.low, self.high);
            return wrong("mel.low", reason);
        }
        if self.high > nyquist {
            let reason = format!("{} Hz is above half the rate, {nyquist}", self.high);
            return wrong("mel.high", reason);
        }
        if !(self.floor.is_finite() && self.floor > 0.0) {
            return wrong("mel.floor", format!("{} is not above 0", self.floor));
        }
        Ok(())
    }

    /// The samples that the window of `position` hears.
    pub fn reach(&self, position: i64) -> Range<i64> {
        let half = (self.window / 2) as i64;
        let first = position.saturating_sub((self.lead * self.hop) as i64);
        let last = position.saturating_add(((self.frames - 1 - self.lead) * self.hop) as i64);
        first.saturating_sub(half)..last.saturating_add(half)
    }

    /// Values of one window: `mels * frames`.
    pub fn window_len(&self) -> usize {
        self.mels * self.frames
    }
}

/// A triangular filter: its weights from spectral bin `first` on.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

/// Buffers of one computation.
struct Buffers {
    heard: Vec<f32>,
    padded: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    magnitude: Vec<f64>,
    work: Vec<Complex<f64>>,
}

/// Cuts mel windows from 16 kHz audio: log10 magnitudes in Slaney's mel bands, each of unit area.
///
/// The column centred at sample c hears `[c - window/2, c + window/2)`; outside the audio there
/// is silence, hence the floor. Each column is a pure function of the samples it hears. Sums are
/// in double precision, so that they agree with the Python implementation to 1e-5.
///
/// Any number of threads may use one at the same time.
pub struct MelSpectrogram {
    params: MelParameters,
    hann: Vec<f64>,
    bands: Vec<Band>,
    fft: Arc<dyn RealToComplex<f64>>,
    /// Nothing is allocated once every thread had its first window.
    buffers: Pool<Buffers>,
}

impl MelSpectrogram {
    /// [`Error::Argument`] when `params` are not valid.
    pub fn new(params: MelParameters) -> Result<Self> {
        params.check()?;
        let length = params.window as f64;
        Ok(Self {
            hann: (0..params.window)
                .map(|n| 0.5 - 0.5 * (2.0 * PI * n as f64 / length).cos())
                .collect(),
            bands: bands(&params),
            fft: RealFftPlanner::new().plan_fft_forward(params.fft),
            buffers: Pool::new(),
            params,
        })
    }

    /// The parameters of the spectrogram.
    pub fn params(&self) -> &MelParameters {
        &self.params
    }

    /// Writes the window of `position` (samples at 16 kHz) to `out`: `[mels, frames]`, a row for
    /// each mel band, the lowest first.
    ///
    /// [`Error::Argument`] when `out` is not `mels * frames` long.
    pub fn window(
        &self,
        audio: &(impl Samples + ?Sized),
        position: i64,
        out: &mut [f32],
    ) -> Result<()> {
        let params = &self.params;
        if out.len() != params.window_len() {
            return Err(Error::Argument {
                field: "mel window",
                reason: format!("{} values, not {}", out.len(), params.window_len()),
            });
        }
        let mut buffers = self.buffers.take(|| self.new_buffers());
        let range = params.reach(position);
        buffers
            .heard
            .resize((params.frames - 1) * params.hop + params.window, 0.0);
        audio.read(range.start, &mut buffers.heard);
        (0..params.frames).try_for_each(|frame| self.column(frame, &mut buffers, out))
    }

    fn new_buffers(&self) -> Buffers {
        Buffers {
            heard: Vec::new(),
            padded: self.fft.make_input_vec(),
            spectrum: self.fft.make_output_vec(),
            magnitude: vec![0.0; self.params.fft / 2 + 1],
            work: self.fft.make_scratch_vec(),
        }
    }

    /// The column `frame` of the window whose samples are in `buffers.heard`.
    fn column(&self, frame: usize, buffers: &mut Buffers, out: &mut [f32]) -> Result<()> {
        let params = &self.params;
        let heard = &buffers.heard[frame * params.hop..][..params.window];
        buffers.padded.fill(0.0);
        for ((value, &sample), &weight) in buffers.padded.iter_mut().zip(heard).zip(&self.hann) {
            *value = f64::from(sample) * weight;
        }
        self.fft
            .process_with_scratch(
                &mut buffers.padded,
                &mut buffers.spectrum,
                &mut buffers.work,
            )
            .map_err(|error| Error::Audio(format!("spectrum: {error}")))?;
        for (magnitude, value) in buffers.magnitude.iter_mut().zip(&buffers.spectrum) {
            *magnitude = value.norm();
        }
        for (row, band) in out.chunks_exact_mut(params.frames).zip(&self.bands) {
            let heard = &buffers.magnitude[band.first..];
            let sum: f64 = band.weights.iter().zip(heard).map(|(w, m)| w * m).sum();
            row[frame] = sum.max(params.floor).log10() as f32;
        }
        Ok(())
    }
}

/// Slaney's scale: linear below 1 kHz (200/3 Hz a mel), then 27 mels for each factor of 6.4.
fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1000.0 {
        hz * 3.0 / 200.0
    } else {
        15.0 + 27.0 * (hz / 1000.0).ln() / 6.4f64.ln()
    }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1000.0 * (6.4f64.ln() * (mel - 15.0) / 27.0).exp()
    }
}

/// The triangular filters, each of unit area over frequency in Hz.
fn bands(params: &MelParameters) -> Vec<Band> {
    let (low, high) = (hz_to_mel(params.low), hz_to_mel(params.high));
    let step = (high - low) / (params.mels + 1) as f64;
    let edges: Vec<f64> = (0..params.mels + 2)
        .map(|i| mel_to_hz(low + step * i as f64))
        .collect();
    let hertz = |bin: usize| bin as f64 * f64::from(params.rate) / params.fft as f64;
    edges
        .windows(3)
        .map(|edge| {
            let weight = |bin: usize| {
                let rise = (hertz(bin) - edge[0]) / (edge[1] - edge[0]);
                let fall = (edge[2] - hertz(bin)) / (edge[2] - edge[1]);
                rise.min(fall).max(0.0) * 2.0 / (edge[2] - edge[0])
            };
            let bins = params.fft / 2 + 1;
            let first = (0..bins).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            let weights = (first..bins).map(weight).take_while(|&w| w > 0.0).collect();
            Band { first, weights }
        })
        .collect()
}
