"""Mel spectrogram to phonetic features: the encoder that E_aud is built on, trained on speech without pictures.

    python train_phonetic.py --config config/lite.json --corpus W/speech --work W/checkpoints --minutes 120

Resumable (see `training.py`): the weights, their running average, the optimiser's state and the step are in
<work>/phonetic*. Prints the share of the teacher's variance that is explained on speakers held out: clean speech;
music at 10 dB; babble at 10 dB; an 8 kHz line. `train_shape.py --what check` tells what the features are worth for
lips.
"""
import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from scipy import signal

import checkpoint
import configuration
import training
from data import mel
from data.corpus import HOP, RATE, Corpus
from data.sound_augment import Surroundings, faster, mixed
from networks.phonetic import PhoneticEncoder, features

SPEEDS = range(21, 31)                       # of 25: from 16 % slower to 20 % faster
WARPS = np.linspace(0.86, 1.16, 13)          # vocal tract lengths, as factors on frequency


class Spectrogram:
    """Mel columns as `data/mel.py` defines them, in single precision on torch, for any vocal tract length."""

    def __init__(self):
        bins = np.arange(mel.FFT // 2 + 1) * (mel.RATE / mel.FFT)
        self.window = torch.hann_window(mel.WINDOW)
        self.banks = [torch.from_numpy(mel.filters_at(bins * warp)).float() for warp in WARPS]
        self.plain = torch.from_numpy(mel.filters()).float()

    def __call__(self, samples, warp=None):
        """samples [N] -> [80, N // 160 + 1], column k centred at sample 160 k; silence outside."""
        samples = torch.as_tensor(samples, dtype=torch.float32)
        padded = torch.nn.functional.pad(samples, (mel.WINDOW // 2, mel.WINDOW // 2))
        frames = padded.unfold(0, mel.WINDOW, mel.HOP) * self.window
        bank = self.plain if warp is None else self.banks[warp]
        return torch.log10((bank @ torch.fft.rfft(frames, mel.FFT).abs().T).clamp(min=mel.FLOOR))


class Streams:
    """Batches of streams: recordings of several speakers one after the other, each in surroundings of its own."""

    def __init__(self, items, random, surroundings, streams, seconds):
        """`random` makes all draws; `streams` a batch, each of `seconds`."""
        self.items, self.streams, self.columns = items, streams, int(seconds * RATE / HOP)
        self.random, self.surroundings, self.spectrogram = random, surroundings, Spectrogram()
        # Speakers weigh by the square root of what they say; synthetic voices half as much as people.
        said = {}
        for item in items:
            said[item.speaker] = said.get(item.speaker, 0) + len(item.target)
        weight = np.array([len(item.target) / np.sqrt(said[item.speaker]) for item in items])
        weight *= [0.5 if item.kind == "synthetic" else 1 for item in items]
        self.weight = np.cumsum(weight / weight.sum())

    def draw(self):
        """One recording, by the weights of the speakers."""
        return self.items[min(int(np.searchsorted(self.weight, self.random.random())), len(self.items) - 1)]

    def babble(self, count):
        """Three to six others at once, RMS 1."""
        total = np.zeros(count)
        for _ in range(self.random.integers(3, 7)):
            voice = self.draw().audio.astype(np.float64)
            total += np.resize(voice, count) / (voice.std() + 1e-6)
        return total / (total.std() + 1e-9)

    def recording(self):
        """(samples, target [columns, components]) of one recording, at another speed, in other surroundings."""
        random, item = self.random, self.draw()
        begin = random.integers(0, max(1, len(item.target) - 400)) if len(item.target) > 500 else 0
        target = item.target[begin:begin + 500]
        source = item.coded if random.random() < 0.3 else item.audio
        samples = source[begin * HOP:(begin + len(target)) * HOP].astype(np.float64) / 32768
        speed = int(random.choice(SPEEDS)) if random.random() < 0.6 else 25
        samples = faster(samples, speed)
        at = np.arange(int(len(samples) / HOP)) * speed / 25
        low = np.minimum(at.astype(int), len(target) - 2)
        part = (at - low)[:, None].clip(0, 1)
        target = target[low].astype(np.float32) * (1 - part) + target[low + 1].astype(np.float32) * part
        if random.random() < 0.85:
            samples = self.surroundings.change(random, samples, self.babble)
        return samples[:len(target) * HOP], target.astype(np.float32)

    def stream(self):
        """(mel [80, 2 columns], target [columns, components], weight [columns])."""
        random, samples, targets, weights, count = self.random, [], [], [], 0
        while count < self.columns:
            sound, target = self.recording()
            gap = int(random.integers(0, 25))
            samples += [np.zeros(gap * HOP), sound]
            targets += [np.zeros((gap, target.shape[1]), np.float32), target]
            weights += [np.zeros(gap, np.float32), np.ones(len(target), np.float32)]
            count += gap + len(target)
        skip = int(random.integers(0, count - self.columns + 1))
        sound = np.concatenate(samples)[skip * HOP:(skip + self.columns) * HOP]
        warp = int(random.integers(len(WARPS))) if random.random() < 0.7 else None
        cut = slice(skip, skip + self.columns)
        return (self.spectrogram(sound, warp)[:, :2 * self.columns], torch.from_numpy(np.concatenate(targets)[cut]),
                torch.from_numpy(np.concatenate(weights)[cut]))

    def batch(self):
        """(mel [streams, 80, 2 columns], target [streams, columns, components], weight [streams, columns])."""
        return [torch.stack(part) for part in zip(*(self.stream() for _ in range(self.streams)))]


def conditions(items, surroundings, seed):
    """{condition: [(mel, target)]} of held-out recordings."""
    spectrogram, random = Spectrogram(), np.random.default_rng(seed)
    result = {"clean": [], "music 10 dB": [], "babble 10 dB": [], "8 kHz": []}
    for item in items:
        sound = item.audio.astype(np.float64) / 32768
        others = [items[int(k)].audio.astype(np.float64) for k in random.integers(0, len(items), 4)]
        babble = sum(np.resize(o, len(sound)) / (o.std() + 1e-6) for o in others)
        music = surroundings.piece(random, surroundings.music, len(sound))
        versions = {"clean": sound, "music 10 dB": mixed(sound, music, 10),
                    "babble 10 dB": mixed(sound, babble / babble.std(), 10), "8 kHz": telephone_line(sound)}
        for name, version in versions.items():
            columns = min(len(item.target), len(sound) // HOP)
            target = torch.from_numpy(item.target[:columns].astype(np.float32))
            result[name].append((spectrogram(version)[:, :2 * columns], target))
    return result


def telephone_line(sound):
    """Half the sampling rate and back."""
    half = signal.resample_poly(sound, 1, 2)
    return signal.resample_poly(half, 2, 1)[:len(sound)]


@torch.no_grad()
def explained(network, judged, variance):
    """{condition: (near, far)} share of the teacher's variance that is explained, components weighted by theirs."""
    weight = torch.from_numpy(np.sqrt(variance)).float()        # from softly whitened to the teacher's own units
    result = {}
    for name, pairs in judged.items():
        error, total = np.zeros(2), 0.0
        mean = torch.cat([t for _, t in pairs]).mean(0)
        for columns, target in pairs:
            outputs = features(network, columns[None])
            error += [float(((o[0] - target) ** 2 * weight).sum()) for o in outputs]
            total += float(((target - mean) ** 2 * weight).sum())
        result[name] = 1 - error / total
    return result


def report(network, judged, variance):
    """The validation figures on speakers held out, `near / far` of each condition."""
    network.eval()
    shares = explained(network, judged, variance)
    network.train()
    return ", ".join(f"{name} {near:.3f} / {far:.3f}" for name, (near, far) in shares.items())


def begin_from(path, network):
    """Loads the weights that a file holds at half precision: the stored average, as the repository keeps it."""
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(str(path)).items()})


def train(arguments, config):
    """Trains until the budget is spent; the running average of the weights is what is used."""
    run = training.Run(arguments, "phonetic")
    corpus = Corpus(arguments.corpus, arguments.rights)
    network = PhoneticEncoder(config).to(run.device)
    average = copy.deepcopy(network)
    found = checkpoint.restore(arguments.work, "phonetic_raw", network)
    if found:
        checkpoint.restore(arguments.work, "phonetic", average)
    elif arguments.start:
        for each in (network, average):
            begin_from(arguments.start, each)
    networks = {"phonetic_raw": network, "phonetic": average}
    optimisers = {"adam": torch.optim.AdamW(network.parameters(), lr=arguments.rate, betas=(0.9, 0.98),
                                            weight_decay=0.01)}
    run.resume(optimisers, found)
    surroundings = Surroundings(arguments.seed)
    streams = Streams(corpus.split(False), run.random, surroundings, arguments.streams, arguments.seconds)
    aside = corpus.split(True)
    judged = conditions([aside[int(k)] for k in np.linspace(0, len(aside) - 1, min(60, len(aside)))], surroundings,
                        arguments.seed)
    run.print(f"{len(streams.items)} recordings, {len(aside)} of speakers held out; "
              f"{sum(p.numel() for p in network.parameters())} parameters, "
              f"near sees {network.reach(False)}, far {network.reach(True)} mel columns before and after its own")
    for spent in run.steps():
        cool = min(1, (1 - spent) / arguments.cool) if arguments.cool else 1
        training.set_rate(optimisers["adam"], arguments.rate * min(1, run.step / 300) * max(0.02, cool))
        columns, target, weight = training.to(run.device, streams.batch())
        losses = {name: ((made - target) ** 2).mean(2).mul(weight).sum() / weight.sum()
                  for name, made in zip(("near", "far"), features(network, columns))}
        optimisers["adam"].zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        training.average(list(network.parameters()), run.world)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimisers["adam"].step()
        with torch.no_grad():
            keep = min(0.999, run.step / (run.step + 20))
            for a, b in zip(average.parameters(), network.parameters()):
                a.lerp_(b, 1 - keep)
        run.note(losses)
        if run.due():
            run.log(report(average, judged, corpus.variance))
            run.save(networks, optimisers)
    run.save(networks, optimisers)
    run.log(report(average, judged, corpus.variance))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training.add_arguments(parser, minutes=60, every=500, folders=("corpus", "work"))
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights to begin from when --work has none: "
                        "the phonetic.safetensors that resume.py makes of a bundle")
    parser.add_argument("--cool", type=float, default=0.0,
                        help="share of the budget over which the rate falls at the end")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--streams", type=int, default=3, help="of a batch")
    parser.add_argument("--seconds", type=float, default=8, help="of a stream")
    arguments = parser.parse_args()
    train(arguments, configuration.load(arguments))


if __name__ == "__main__":
    main()
