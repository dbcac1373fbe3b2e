"""Audio to mouth shape: E_aud's tower, trained without pictures.

    python train_audio.py --config config/lite.json --data DIR --face-model F --work DIR --minutes 10

The voice of a person outside the training set moves the mouth too little: uncertain shapes are averaged.
`--hold-out N` keeps N training people for validation and prints the gain that their mouths would need;
`--what join --gain G` builds it into the shape layer. Validation figures: see `report`.
"""
import argparse
from pathlib import Path

import numpy as np
import torch

import checkpoint
import configuration
import training
from data import dataset, mel
from data.dataset import openings
from data.sync import steady
from networks.encoders import AudioEncoder


class Speech:
    """Mel windows and shapes of every frame whose audio is known to be in sync.

    Lists by clip: names, persons, mels [T, 80, F] float16, shapes [T, mouth] relative to rest, valid [T]."""

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
        """(mels [N, 80, F], shapes [N, mouth], weight [N]) of all valid frames; persons weigh by the square root of
        their frames."""
        persons = {}
        for person, valid in zip(self.persons, self.valid):
            persons[person] = persons.get(person, 0) + valid.sum()
        weight = np.concatenate([np.full(v.sum(), 1 / np.sqrt(persons[p])) for p, v in zip(self.persons, self.valid)])
        mels = np.concatenate([m[v] for m, v in zip(self.mels, self.valid)])
        shapes = np.concatenate([s[v] for s, v in zip(self.shapes, self.valid)])
        return mels, shapes, weight / weight.sum()


def lip_basis(face, mouth):
    """[mouth, P, 2]: displacement of the lip points by one unit of each coefficient."""
    return torch.from_numpy(face["expression"][:mouth][:, face["lips"], :2].astype(np.float32))


def other_throat(x, random, reach=0.16):
    """Stretches the bands of each window [N, 80, F]: the same speech from a longer or shorter vocal tract.

    There are few voices in the training set; without this the tower fits them instead of their phonemes."""
    bands = x.shape[1]
    factor = torch.from_numpy(np.exp(random.uniform(-reach, reach, (len(x), 1))).astype(np.float32))
    at = (torch.arange(bands, dtype=torch.float32)[None] * factor).clamp(max=bands - 1.001)
    low = at.floor().long()
    part = (at - low)[..., None]
    take = lambda index: torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[2]))
    return take(low) * (1 - part) + take(low + 1) * part


def with_background(x, random, share=0.3):
    """Mixes another window of the batch, more quietly, into a share of the windows."""
    loud = np.where(random.random((len(x), 1, 1)) < share, random.uniform(-1.7, -0.5, (len(x), 1, 1)), -9)
    other = x[torch.from_numpy(random.permutation(len(x)))] + torch.from_numpy(loud.astype(np.float32))
    return torch.logaddexp(x * LN10, other * LN10) / LN10


LN10 = float(np.log(10))


def augment(x, random):
    """Changes voice, background, loudness, noise floor and bands: x [N, 80, F] log10 magnitudes."""
    n = len(x)
    x = with_background(other_throat(x, random), random)
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
    """Pearson's correlation of two arrays [N]."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))


def report(encoder, speech, basis):
    """The validation figures: the lip opening's correlation with the truth, median over clips of GRID and of the
    others, with a clip's own audio and with another clip's; the opening's amplitude; the gain that would correct it."""
    encoder.eval()
    own, unpaired, size, needed = {"grid": [], "other": []}, {"grid": [], "other": []}, [], {}
    device = next(encoder.parameters()).device

    def opening(shapes):
        return openings(torch.einsum("nk,kpc->npc", shapes, basis.to(shapes.device))).cpu().numpy()

    for i, (person, shape, valid) in enumerate(zip(speech.persons, speech.shapes, speech.valid)):
        if valid.sum() < 40:
            continue
        true, group = opening(torch.from_numpy(shape)), "grid" if "grid" in person else "other"
        for j, into in ((i, own), ((i + 7) % len(speech.names), unpaired)):
            with torch.no_grad():
                mels = torch.from_numpy(speech.mels[j].astype(np.float32)).to(device)
                made = opening(encoder.shape(encoder.tower(mels)))
            count = min(len(true), len(made))
            keep = valid[:count]
            into[group].append(correlation(true[:count][keep], made[:count][keep]))
            if i == j:
                size.append(made[:count][keep].std() / (true[:count][keep].std() + 1e-6))
                needed.setdefault(person, []).append(1 / max(size[-1], 1e-3))
    encoder.train()
    if not size:
        return "no validation clip is long enough"
    line = " ".join(f"{k} {np.median(own[k]):.3f} (unpaired {np.median(unpaired[k]):.3f})" for k in own if own[k])
    gain = np.median([np.median(v) for v in needed.values()])
    return (f"opening correlation {line}, amplitude {np.median(size):.2f}; "
            f"gain needed, median of {len(needed)} people {gain:.2f}")


def held_out(folder, count):
    """The names of `count` people of the training split with audio in sync, evenly spaced in alphabetical order."""
    persons = set()
    for path in Path(folder).glob("*.npz"):
        with np.load(path) as file:
            if str(file["split"]) == "train" and str(file["av_offset"]) not in ("none", "unknown"):
                persons.add(str(file["person"]))
    persons = sorted(persons - {"-"})
    return set(persons[:: max(1, len(persons) // count)][:count]) if count else set()


class ShapeTraining:
    """E_aud's tower and shape layer on mel windows, against the shapes of the teacher's landmarks."""

    BATCH = 192

    def __init__(self, encoder, basis, run):
        """`basis`: of `lip_basis`. The loss is of lip points, since coefficients do not weigh alike."""
        self.encoder, self.run, self.basis = encoder, run, basis.to(run.device)
        parameters = [*encoder.tower.parameters(), *encoder.shape.parameters()]
        self.optimiser = torch.optim.AdamW(parameters, lr=run.arguments.rate, weight_decay=run.arguments.decay)

    def draw(self, mels, shapes, weight):
        """A batch (mels [N, 80, F], shapes [N, mouth]) of the flat arrays; 3 % are silence and a mouth at rest."""
        random = self.run.random
        index = random.choice(len(mels), self.BATCH, p=weight)
        x = augment(torch.from_numpy(mels[index].astype(np.float32)), random)
        y = torch.from_numpy(shapes[index])
        quiet = torch.from_numpy(random.random(len(x)) < 0.03)
        count = int(quiet.sum())
        x[quiet] = torch.from_numpy(random.uniform(-5, -3.5, (count, 1, 1)).astype(np.float32)) \
            + 0.1 * torch.rand(count, *x.shape[1:])
        y[quiet] = 0
        return x.clamp_(min=-5), y

    def step(self, x, y):
        """One step on a batch; gives {name: loss}."""
        made = self.encoder.shape(self.encoder.tower(x))
        points = torch.einsum("nk,kpc->npc", made, self.basis)
        true = torch.einsum("nk,kpc->npc", y, self.basis)
        a, b = openings(points), openings(true)
        terms = {"points": 30 * (points - true).abs().mean(), "opening": 20 * (a - b).abs().mean(),
                 "shape": 0.05 * (made - y).square().mean(),
                 "spread": 4 * (a.std() - b.std()).abs()}
        self.optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        self.optimiser.step()
        return terms


def train_shape(arguments, config, face):
    """Trains the checkpoint audio_shape; validates on held-out people or on the `dev` split."""
    run = training.Run(arguments, "train_audio")
    basis = lip_basis(face, config["mouth"])
    aside = held_out(arguments.data, arguments.hold_out)
    train = Speech(arguments.data, config, face, "train", arguments.rights, lambda p: p not in aside)
    judge = Speech(arguments.data, config, face, "train", None, lambda p: p in aside) if aside \
        else Speech(arguments.data, config, face, "dev")
    flat = train.flat()
    run.print(f"{len(train.names)} clips, {len(flat[0])} windows; validated on {len(judge.names)} clips of "
              + (f"people held out: {', '.join(sorted(aside))}" if aside else "dev"))
    encoder = AudioEncoder(config)
    known = checkpoint.restore(arguments.work, "audio_shape", encoder)
    work = ShapeTraining(encoder.to(run.device), basis, run)
    run.resume({"shape": work.optimiser}, known)
    for spent in run.steps():
        training.set_rate(work.optimiser, arguments.rate * training.cosine(spent, 0.01))
        run.note(work.step(*training.to(run.device, work.draw(*flat))))
        if run.due():
            run.log(report(encoder, judge, basis))
            run.save({"audio_shape": encoder}, {"shape": work.optimiser})
    run.save({"audio_shape": encoder}, {"shape": work.optimiser})
    run.log(report(encoder, judge, basis))


REACH = 98                                  # percentile of the training shapes that the gain does not exceed


def join(arguments, config, face):
    """E_aud = tower and shape layer of audio_shape + the codes that the main stage trained (audio_encoder)."""
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


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=10, every=500)
    parser.add_argument("--what", choices=["shape", "join"], default="shape")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--hold-out", type=int, default=0, metavar="N", help="train without N people, validate on them")
    parser.add_argument("--gain", type=float, default=1.0, help="of join: factor on the mouth's movement")
    arguments = parser.parse_args(options)
    config = configuration.load(arguments)
    face = dict(np.load(arguments.face_model))
    if arguments.what == "shape":
        train_shape(arguments, config, face)
    else:
        join(arguments, config, face)


if __name__ == "__main__":
    main()
