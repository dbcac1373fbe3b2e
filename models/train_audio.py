"""Audio to mouth shape: E_aud's tower, without a picture.

    python train_audio.py --config config/lite.json --data DIR --face-model F --work DIR --minutes 10

A voice that was never heard moves the mouth too little: what is uncertain is averaged. `--hold-out N`
keeps N training people aside and ends with the gain that their mouths would have needed; `--what join
--gain G` builds it into the shape's layer.
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch

import checkpoint
import configuration
from data import dataset, mel
from data.dataset import openings
from data.sync import steady
from networks.encoders import AudioEncoder


class Speech:
    """Mel windows and shapes of every frame whose sound is known to be in time."""

    def __init__(self, folder, config, face, split, rights=None, persons=lambda person: True):
        options = config["mel"]
        clips = [c for c in dataset.load(folder, face, config["mouth"], split=split, rights=rights)
                 if c.sync and persons(c.person)]
        self.names, self.mels, self.shapes, self.valid, self.persons = [], [], [], [], []
        self.clips = clips
        for clip in clips:
            positions = np.arange(len(clip.shape)) * dataset.STEP
            within = positions < len(clip.audio)
            self.names.append(clip.name)
            self.persons.append(clip.person)
            self.mels.append(mel.windows(clip.audio, positions, options["frames"], options["lead"]).astype(np.float16))
            self.shapes.append(steady(clip.shape))
            self.valid.append(clip.valid & within)

    def flat(self):
        persons = {}
        for person, valid in zip(self.persons, self.valid):
            persons[person] = persons.get(person, 0) + valid.sum()
        weight = np.concatenate([np.full(v.sum(), 1 / np.sqrt(persons[p])) for p, v in zip(self.persons, self.valid)])
        mels = np.concatenate([m[v] for m, v in zip(self.mels, self.valid)])
        shapes = np.concatenate([s[v] for s, v in zip(self.shapes, self.valid)])
        return mels, shapes, weight / weight.sum()


def lip_basis(face, mouth):
    """[mouth, P, 2]: what a unit of each coefficient moves the lip points by."""
    return torch.from_numpy(face["expression"][:mouth][:, face["lips"], :2].astype(np.float32))


def other_throat(x, random, reach=0.16):
    """Stretches the bands of each window [N, 80, F]: the same words from a longer or shorter vocal tract.

    Few people are heard in training; without this the tower learns their voices, not their sounds."""
    bands = x.shape[1]
    factor = torch.from_numpy(np.exp(random.uniform(-reach, reach, (len(x), 1))).astype(np.float32))
    at = (torch.arange(bands, dtype=torch.float32)[None] * factor).clamp(max=bands - 1.001)
    low = at.floor().long()
    part = (at - low)[..., None]
    take = lambda index: torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[2]))
    return take(low) * (1 - part) + take(low + 1) * part


def beside(x, random, share=0.3):
    """Lets some windows hear another one, more quietly, in the background."""
    loud = np.where(random.random((len(x), 1, 1)) < share, random.uniform(-1.7, -0.5, (len(x), 1, 1)), -9)
    other = x[torch.from_numpy(random.permutation(len(x)))] + torch.from_numpy(loud.astype(np.float32))
    return torch.logaddexp(x * LN10, other * LN10) / LN10


LN10 = float(np.log(10))


def augment(x, random):
    """Voice, company, loudness, noise floor, band changes: x [N, 80, F] log10 magnitudes."""
    n = len(x)
    x = beside(other_throat(x, random), random)
    x = x + torch.from_numpy(random.normal(0, 0.25, (n, 1, 1)).astype(np.float32))
    tilt = torch.from_numpy(random.normal(0, 0.15, (n, 1, 1)).astype(np.float32))
    x = x + tilt * torch.linspace(-1, 1, x.shape[1])[None, :, None]
    floor = torch.from_numpy(random.uniform(-6, -1.5, (n, 1, 1)).astype(np.float32))
    x = torch.maximum(x, floor + 0.1 * torch.randn_like(x)).clamp(min=-5)
    for _ in range(2):
        begin, width = random.integers(0, 76), random.integers(1, 8)
        x[:, begin: begin + width] = x[:, begin: begin + width].mean((1, 2), keepdim=True)
    return x


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))


def report(encoder, speech, basis):
    """Median over clips of the opening's correlation: GRID and others, own and foreign audio."""
    encoder.eval()
    own, foreign, size, needed = {"grid": [], "other": []}, {"grid": [], "other": []}, [], {}
    for i, (name, shape, valid) in enumerate(zip(speech.names, speech.shapes, speech.valid)):
        if valid.sum() < 40:
            continue
        true = openings(torch.einsum("nk,kpc->npc", torch.from_numpy(shape), basis)).numpy()
        for j, into in ((i, own), ((i + 7) % len(speech.names), foreign)):
            with torch.no_grad():
                made = encoder.shape(encoder.tower(torch.from_numpy(speech.mels[j].astype(np.float32))))
            made = openings(torch.einsum("nk,kpc->npc", made, basis)).numpy()
            count = min(len(true), len(made))
            keep = valid[:count]
            into["grid" if "grid" in speech.persons[i] else "other"].append(correlation(true[:count][keep], made[:count][keep]))
            if i == j:
                size.append(made[:count][keep].std() / (true[:count][keep].std() + 1e-6))
                needed.setdefault(speech.persons[i], []).append(1 / max(size[-1], 1e-3))
    encoder.train()
    line = " ".join(f"{k} {np.median(own[k]):.3f} (foreign {np.median(foreign[k]):.3f})" for k in own if own[k])
    gain = np.median([np.median(v) for v in needed.values()])
    return f"opening correlation {line}, amplitude {np.median(size):.2f}; gain needed, median of {len(needed)} people {gain:.2f}"


def held_out(folder, count):
    """Every so many-th person of the training split, by name."""
    persons = set()
    for path in Path(folder).glob("*.npz"):
        with np.load(path) as file:
            if str(file["split"]) == "train" and str(file["av_offset"]) not in ("none", "unknown"):
                persons.add(str(file["person"]))
    persons = sorted(persons - {"-"})
    return set(persons[:: max(1, len(persons) // count)][:count]) if count else set()


def train_shape(arguments, config, face):
    basis = lip_basis(face, config["mouth"])
    aside = held_out(arguments.data, arguments.hold_out)
    train = Speech(arguments.data, config, face, "train", arguments.rights, lambda p: p not in aside)
    judge = Speech(arguments.data, config, face, "train", None, lambda p: p in aside) if aside \
        else Speech(arguments.data, config, face, "dev")
    mels, shapes, weight = train.flat()
    print(f"{len(train.names)} clips, {len(mels)} windows; told on {len(judge.names)} clips of "
          + (f"people held out: {', '.join(sorted(aside))}" if aside else "dev"), flush=True)
    encoder = AudioEncoder(config)
    checkpoint.restore(arguments.work, "audio_shape", encoder)
    parameters = [*encoder.tower.parameters(), *encoder.shape.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=arguments.rate, weight_decay=arguments.decay)
    random = np.random.default_rng(int(time.time()))
    begin, told, step, mean = time.time(), time.time(), 0, {}
    while (elapsed := (time.time() - begin) / 60) < arguments.minutes:
        for group in optimiser.param_groups:
            group["lr"] = arguments.rate * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * elapsed / arguments.minutes)))
        index = random.choice(len(mels), 192, p=weight)
        x = augment(torch.from_numpy(mels[index].astype(np.float32)), random)
        y = torch.from_numpy(shapes[index])
        quiet = torch.from_numpy(random.random(len(x)) < 0.03)
        x[quiet] = torch.from_numpy(random.uniform(-5, -3.5, (int(quiet.sum()), 1, 1)).astype(np.float32)) \
            + 0.1 * torch.rand(int(quiet.sum()), *x.shape[1:])
        x.clamp_(min=-5)
        y[quiet] = 0
        made = encoder.shape(encoder.tower(x))
        points = torch.einsum("nk,kpc->npc", made, basis)
        true = torch.einsum("nk,kpc->npc", y, basis)
        a, b = openings(points), openings(true)
        terms = {"points": 30 * (points - true).abs().mean(), "opening": 20 * (a - b).abs().mean(),
                 "shape": 0.05 * (made - y).square().mean(),
                 "spread": 4 * (a.std() - b.std()).abs()}
        optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        optimiser.step()
        step += 1
        for k, v in terms.items():
            mean[k] = 0.98 * mean.get(k, float(v.detach())) + 0.02 * float(v.detach())
        if time.time() - told > 40:
            told = time.time()
            print(f"{elapsed:6.1f} min step {step} {step * 192 / (time.time() - begin):.0f} a second "
                  + " ".join(f"{k} {v:.3f}" for k, v in mean.items()) + " | " + report(encoder, judge, basis), flush=True)
            checkpoint.save(arguments.work, "audio_shape", encoder)
    checkpoint.save(arguments.work, "audio_shape", encoder)
    print(report(encoder, judge, basis))


REACH = 98                                  # percentile of the training shapes that a gain may bend to


def join(arguments, config, face):
    """E_aud = the tower that hears (audio_shape) + the codes that the main stage learnt (audio_encoder)."""
    heard, painted = AudioEncoder(config), AudioEncoder(config)
    if not (checkpoint.restore(arguments.work, "audio_shape", heard)
            and checkpoint.restore(arguments.work, "audio_encoder", painted)):
        raise SystemExit("join needs the checkpoints audio_shape and audio_encoder")
    clips = dataset.load(arguments.data, face, config["mouth"], rights=arguments.rights)
    seen = np.abs(np.concatenate([clip.shape[clip.valid] for clip in clips]))
    painted.reach.copy_(torch.from_numpy(np.percentile(seen, REACH, axis=0).astype(np.float32)))
    painted.tower, painted.shape = heard.tower, heard.shape
    with torch.no_grad():
        for p in painted.shape.parameters():
            p.mul_(arguments.gain)
    checkpoint.save(arguments.work, "audio_encoder", painted)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    configuration.add_arguments(parser)
    for name in ("data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--what", choices=["shape", "join"], default="shape")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--hold-out", type=int, default=0, metavar="N", help="train without N people, tell how they do")
    parser.add_argument("--gain", type=float, default=1.0, help="of join: how much more the mouth moves than was learnt")
    parser.add_argument("--rights", choices=["cleared"], default=None)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = configuration.load(arguments)
    face = dict(np.load(arguments.face_model))
    if arguments.what == "shape":
        train_shape(arguments, config, face)
    else:
        join(arguments, config, face)


if __name__ == "__main__":
    main()
