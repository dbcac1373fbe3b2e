"""What may stand between a voice and a microphone: other rooms, noises, music, other voices, lines and levels.

Everything here changes the input of the phonetic encoder and never its target. Samples are float64 at 16 kHz; each
function draws from the `numpy.random.Generator` that it is given.
"""
import numpy as np
from scipy import signal

RATE = 16000


def coloured_noise(random, count):
    """Noise whose power falls by 0 to 12 dB an octave, sometimes with a hum of the mains; RMS 1."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20)
    noise = np.fft.irfft(spectrum * frequency ** -random.uniform(0, 2 / 2), count)
    if random.random() < 0.2:
        base, time = random.choice([50, 60]), np.arange(count) / RATE
        noise /= noise.std()
        noise += random.uniform(0.3, 2) * sum(np.sin(2 * np.pi * base * k * time) / k for k in (1, 2, 3, 5))
    return noise / (noise.std() + 1e-9)


def room(random):
    """A room's impulse response: the direct sound at 0, early reflections, an exponential tail (T60 .1 to .8 s)."""
    decay = random.uniform(0.1, 0.8)
    count = int(decay * RATE)
    time = np.arange(count) / RATE
    tail = random.standard_normal(count) * 10 ** (-3 * time / decay) * (time > random.uniform(0.002, 0.02))
    response = tail * 10 ** (-random.uniform(0, 18) / 20) / (np.sqrt((tail ** 2).sum()) + 1e-9)
    response[0] = 1
    for _ in range(random.integers(0, 6)):
        response[random.integers(8, min(800, count))] += random.uniform(-0.4, 0.4)
    return response


def music(random, seconds):
    """Made-up music: chords of decaying harmonics over a beat of noise bursts; RMS 1."""
    count, beat = int(seconds * RATE), random.uniform(0.25, 0.7)
    out, time = np.zeros(count), np.arange(int(2.5 * RATE)) / RATE
    root, scale = random.uniform(80, 300), random.choice([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]])
    bright, decay, drums = random.uniform(0.5, 2.5), random.uniform(0.5, 6), random.random() < 0.6
    for step in range(int(seconds / beat)):
        place = int(step * beat * RATE)
        for _ in range(random.integers(1, 4)):
            pitch = root * 2 ** ((random.choice(scale) + 12 * random.integers(-1, 3)) / 12)
            if random.random() < 0.7:
                tone = sum(np.sin(2 * np.pi * pitch * k * time + random.uniform(0, 6)) / k ** bright
                           for k in range(1, 9) if pitch * k < 7800)
                note = tone * np.exp(-decay * time) * np.minimum(time / random.uniform(0.003, 0.1), 1)
                out[place:place + len(note)] += note[:count - place]
        if drums:
            burst = random.standard_normal(3200) * np.exp(-np.arange(3200) / random.uniform(150, 900))
            out[place:place + 3200] += random.uniform(0.3, 1.5) * burst[:count - place]
    return out / (out.std() + 1e-9)


def telephone(random, samples):
    """300 to 3400 Hz, or nothing above 2 to 6 kHz."""
    if random.random() < 0.5:
        band, kind = [random.uniform(200, 400), random.uniform(2800, 3800)], "bandpass"
    else:
        band, kind = random.uniform(2000, 6000), "lowpass"
    return signal.sosfilt(signal.butter(4, band, kind, fs=RATE, output="sos"), samples)


def equaliser(random, samples):
    """A broad boost or cut of the upper or lower band."""
    sos = signal.butter(1, random.uniform(300, 3000), random.choice(["lowpass", "highpass"]), fs=RATE, output="sos")
    return samples + random.uniform(-0.7, 2) * signal.sosfilt(sos, samples)


def loudness(samples):
    """RMS over the louder half of 20 ms windows: that of the speech, not of its pauses."""
    power = np.square(samples[:len(samples) // 320 * 320].reshape(-1, 320)).mean(1)
    return np.sqrt(np.sort(power)[len(power) // 2:].mean()) + 1e-6


def mixed(samples, other, decibels):
    """Adds `other` (RMS 1) at a level `decibels` below the speech."""
    return samples + other[:len(samples)] * loudness(samples) * 10 ** (-decibels / 20)


def faster(samples, twentyfifths):
    """Speed and pitch changed: 25 is unchanged, 27 is 8 % faster."""
    return samples if twentyfifths == 25 else signal.resample_poly(samples, 25, twentyfifths)


class Surroundings:
    """A stock of rooms, noises and music, made once of a seed; the draws of every recording's surroundings."""

    def __init__(self, seed, rooms=100, pieces=32, seconds=16):
        random = np.random.default_rng(seed)
        self.rooms = [room(random) for _ in range(rooms)]
        self.music = [music(random, seconds).astype(np.float32) for _ in range(pieces)]
        self.noise = [coloured_noise(random, seconds * RATE).astype(np.float32) for _ in range(pieces)]

    @staticmethod
    def piece(random, stock, count):
        """`count` samples of a piece of a stock, begun anywhere; RMS 1."""
        piece = stock[random.integers(len(stock))]
        return piece[(random.integers(len(piece)) + np.arange(count)) % len(piece)]

    def change(self, random, samples, babble):
        """One recording in drawn surroundings. `babble` gives the samples of several other speakers at once (RMS 1)."""
        count = len(samples)
        if random.random() < 0.35:
            samples = signal.fftconvolve(samples, self.rooms[random.integers(len(self.rooms))])[:count]
        if random.random() < 0.25:
            samples = equaliser(random, samples)
        kind = random.random()
        if kind < 0.35:
            samples = mixed(samples, self.piece(random, self.noise, count), random.uniform(0, 35))
        elif kind < 0.55:
            samples = mixed(samples, self.piece(random, self.music, count), random.uniform(0, 20))
        elif kind < 0.75:
            samples = mixed(samples, babble(count), random.uniform(3, 20))
        if random.random() < 0.12:
            samples = telephone(random, samples)
        samples = samples / (np.abs(samples).max() + 1e-6) * 10 ** (random.uniform(-40, 0) / 20)
        if random.random() < 0.06:
            limit = np.abs(samples).max() * random.uniform(0.15, 0.7)
            samples = np.clip(samples, -limit, limit)
        return samples
