"""The mel spectrogram of the audio encoder: the counterpart of `src/audio/mel.rs`, in NumPy.

16 kHz mono; 80 mel bands of 55-7600 Hz on Slaney's scale, each filter of unit area (librosa's
`filters.mel` defaults); FFT 512 under a periodic Hann window of 400 samples; magnitude, not power;
log10 with a floor of 1e-5.

Time is a sample position at 16 kHz. The column centred at sample c covers the samples
[c - 200, c + 200). Outside the clip there is silence (zeros), hence the floor, -5: padding the
*spectrogram* with 0 instead, as the authors' demo does, is loud in log10.

The window of a position p has `frames` columns, the j-th centred at p + 160 * (j - lead).
Inner sums are in double precision here and in Rust, so that both agree to 1e-5.
"""
import argparse
import functools
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

RATE, MELS, FFT, WINDOW, HOP = 16000, 80, 512, 400, 160
LOW, HIGH, FLOOR = 55.0, 7600.0, 1e-5
FRAMES, LEAD = 28, 16
STEP = 640
"""40 ms: the training grid, one video frame at 25 fps."""


def hz_to_mel(hz):
    """Slaney's scale: linear below 1 kHz (200/3 Hz a mel), then 27 mels for each factor of 6.4."""
    hz = np.asarray(hz, np.float64)
    above = 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4)
    return np.where(hz < 1000, hz * 3 / 200, above)


def mel_to_hz(mel):
    """The inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    above = 1000 * np.exp(np.log(6.4) * (np.maximum(mel, 15) - 15) / 27)
    return np.where(mel < 15, mel * 200 / 3, above)


@functools.cache
def filters():
    """Triangular filters [80, 257] float64, each of unit area over frequency in Hz."""
    return filters_at(np.arange(FFT // 2 + 1) * (RATE / FFT))


def filters_at(bins):
    """The same filters, read at other frequencies (Hz): a voice of another vocal tract length."""
    edges = mel_to_hz(np.linspace(hz_to_mel(LOW), hz_to_mel(HIGH), MELS + 2))
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall)) * (2 / (edges[2:] - edges[:-2]))[:, None]


def columns(samples, centres):
    """Mel columns [len(centres), 80] float32 of a mono 16 kHz clip, each centred at a sample."""
    samples = np.asarray(samples)
    centres = np.asarray(centres, np.int64)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    out = np.empty((len(centres), MELS), np.float32)
    for start in range(0, len(centres), 4096):  # bounds the memory of the gather
        at = centres[start:start + 4096, None] - WINDOW // 2 + np.arange(WINDOW)
        heard = np.zeros(at.shape)
        inside = (at >= 0) & (at < len(samples))
        heard[inside] = samples[at[inside]]
        magnitude = np.abs(np.fft.rfft(heard * hann, FFT))
        out[start:start + 4096] = np.log10(np.maximum(magnitude @ filters().T, FLOOR))
    return out


def windows(samples, positions, frames=FRAMES, lead=LEAD):
    """Mel windows [N, 80, frames] float32 of many positions; columns they share are made once."""
    positions = np.asarray(positions, np.int64).reshape(-1)
    centres = positions[:, None] + HOP * (np.arange(frames) - lead)
    unique, index = np.unique(centres, return_inverse=True)
    return columns(samples, unique)[index.reshape(centres.shape)].transpose(0, 2, 1).copy()


def mel_window(samples, position, frames=FRAMES, lead=LEAD):
    """The mel window [80, frames] float32 of one position (samples at 16 kHz, may be outside)."""
    return windows(samples, [position], frames, lead)[0]


def golden(path):
    """Stored inputs and outputs for the parity test of `src/audio/mel.rs`."""
    time = np.arange(4800) / RATE
    sweep = np.sin(2 * np.pi * (80 * time + 9000 * time ** 2))  # 80 Hz to 5.5 kHz
    noise = np.random.default_rng(7).standard_normal(len(time))
    loudness = np.linspace(0, 1, len(time)) ** 4  # from silence, so that the floor is met
    samples = (loudness * (0.6 * sweep + 0.05 * noise)).astype(np.float32)
    positions = np.array([-4000, -640, 0, 1, 333, 1920, 2402, 4799, 5440, 9000], np.int64)
    save_file({
        "samples": samples,
        "positions": positions,
        "windows": windows(samples, positions),
    }, str(path))
    Path(path).chmod(0o644)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="writes the golden file of the mel parity test")
    parser.add_argument("--golden", type=Path, required=True)
    golden(parser.parse_args().golden)
