"""What phonetic features are worth for lips: a small regressor from them to mouth shapes, judged on people never seen.

    python check_phonetic.py --config config/lite.json --data W/pack --face-model W/face_model.npz --work W/checkpoints

Trains a two-layer network on the `train` clips whose sound is in time (at most 25 a person, people weighted alike,
stopped early on people held out) and prints, for the `dev` clips, the correlation of the lip opening with the truth:
the median over GRID clips and over clips of other unseen people, with another clip's audio in brackets, and the
opening's spread over the true one, without any gain. `--features mel` is the baseline without the encoder; `near` and
`far` are the encoder's outputs. `--ahead` columns of 20 ms may follow the frame's own time.
"""
import argparse
import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

import checkpoint
import configuration
from data import mel
from data.dataset import openings, shifted
from data.sync import steady
from networks.phonetic import PhoneticEncoder
from train_phonetic import features

STEP, COLUMN = 640, 320                      # samples: a video frame at 25 fps, a feature column
PER_PERSON = 25


@dataclass
class Spoken:
    """One clip: the features at each frame, and the mouth shape that belongs to them."""
    person: str
    inputs: np.ndarray                        # [frames, inputs]
    shape: np.ndarray                        # [frames, mouth]
    valid: np.ndarray                        # [frames]


def columns_of(audio):
    """Mel columns [1, 80, N] of a clip's sound, N even, the k-th centred at sample 160 k."""
    count = 2 * (len(audio) // COLUMN)
    return torch.from_numpy(mel.columns(audio, np.arange(count) * mel.HOP).T[None].copy())


def features_of(audio, network, kind):
    """[columns, inputs] of a clip's sound, 50 a second."""
    columns = columns_of(audio)
    if kind == "mel":                        # both mel columns of each 20 ms
        return columns[0].reshape(len(columns[0]), -1, 2).permute(1, 0, 2).flatten(1).numpy()
    with torch.no_grad():
        near, far = features(network, columns)
    return (far if kind == "far" else near)[0].numpy()


def windows(values, frames, back, ahead):
    """[frames, (back + 1 + ahead) inputs]: the columns around each frame's time; the ends are repeated."""
    at = np.arange(frames)[:, None] * (STEP // COLUMN) + np.arange(-back, ahead + 1)
    return values[at.clip(0, len(values) - 1)].reshape(frames, -1)


def load(folder, split, network, arguments, mouth):
    """The clips of a split whose sound is known to be in time."""
    clips, count = [], {}
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as file:
            note, person = str(file["av_offset"]), str(file["person"])
            if str(file["split"]) != split or note in ("none", "unknown") or len(file["audio"]) < 16000:
                continue
            count[person] = count.get(person, 0) + 1
            if split == "train" and count[person] > PER_PERSON:
                continue
            audio = shifted(file["audio"], int(note) if note.lstrip("+-").isdigit() else 0)
            delta, valid = file["delta"][:, :mouth].astype(np.float32), file["valid"]
        frames = min(len(delta), len(audio) // STEP)
        inputs = windows(features_of(audio, network, arguments.features), frames, arguments.back, arguments.ahead)
        seen = np.nonzero(valid[:frames])[0]
        if len(seen) < 12:
            continue
        nearest = seen[np.abs(seen[None] - np.arange(frames)[:, None]).argmin(1)]
        clips.append(Spoken(person, inputs.astype(np.float32), steady(delta[nearest]), valid[:frames]))
    return clips


def correlation(a, b):
    """Pearson's correlation of two arrays [N]."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))


class Regressor(nn.Module):
    """Inputs are standardised by the training clips; two layers."""

    def __init__(self, clips, hidden, mouth, dropout):
        super().__init__()
        inputs = np.concatenate([c.inputs for c in clips])
        self.register_buffer("mean", torch.from_numpy(inputs.mean(0)))
        self.register_buffer("scale", torch.from_numpy(1 / (inputs.std(0) + 1e-3)))
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs.shape[1], hidden), nn.ReLU(),
                                    nn.Dropout(dropout), nn.Linear(hidden, mouth))

    def forward(self, inputs):
        """inputs [N, inputs] -> mouth shapes [N, mouth]."""
        return self.layers((inputs - self.mean) * self.scale)


def opening(shape, basis):
    """[N] lip opening of mouth shapes [N, mouth]."""
    return openings(torch.einsum("nk,kpc->npc", torch.as_tensor(shape), basis))


@torch.no_grad()
def judge(model, clips, basis):
    """{group: (median r, with another clip's sound, median spread over the true one, clips)}."""
    model.eval()
    rows = {}
    for i, clip in enumerate(clips):
        if clip.valid.sum() < 40:
            continue
        true = opening(clip.shape, basis).numpy()
        other = clips[(i + 7) % len(clips)]
        made = opening(model(torch.from_numpy(clip.inputs)), basis).numpy()
        unpaired = opening(model(torch.from_numpy(other.inputs)), basis).numpy()
        count = min(len(true), len(unpaired))
        own = correlation(true[clip.valid], made[clip.valid])
        control = correlation(true[:count][clip.valid[:count]], unpaired[:count][clip.valid[:count]])
        spread = made[clip.valid].std() / (true[clip.valid].std() + 1e-6)
        rows.setdefault("grid" if "grid" in clip.person else "others", []).append((own, control, spread))
    model.train()
    return {group: (*np.median(values, 0), len(values)) for group, values in rows.items()}


def fit(train, aside, basis, arguments, mouth):
    """The regressor of the best score on people held out."""
    model = Regressor(train, arguments.hidden, mouth, arguments.dropout)
    inputs = torch.from_numpy(np.concatenate([c.inputs[c.valid] for c in train]))
    shape = torch.from_numpy(np.concatenate([c.shape[c.valid] for c in train]))
    said = {}
    for clip in train:
        said[clip.person] = said.get(clip.person, 0) + clip.valid.sum()
    weight = np.concatenate([np.full(c.valid.sum(), 1 / said[c.person]) for c in train])
    weight = np.cumsum(weight / weight.sum())
    random = np.random.default_rng(arguments.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    best, kept, waited = -1, None, 0
    for step in range(4000):
        index = np.searchsorted(weight, random.random(256)).clip(max=len(inputs) - 1)
        made, true = model(inputs[index]), shape[index]
        points, truth = (torch.einsum("nk,kpc->npc", s, basis) for s in (made, true))
        a, b = openings(points), openings(truth)
        loss = 30 * (points - truth).abs().mean() + 20 * (a - b).abs().mean() + 0.05 * (made - true).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if step % 50 == 49:
            score = np.mean([row[0] for row in judge(model, aside, basis).values()])
            if score > best:
                best, kept, waited = score, copy.deepcopy(model.state_dict()), 0
            else:
                waited += 1
            if waited >= 12:
                break
    model.load_state_dict(kept)
    return model, step + 1


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    configuration.add_arguments(parser)
    for name in ("data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--features", choices=["mel", "near", "far"], nargs="+", default=["mel", "near", "far"])
    parser.add_argument("--back", type=int, default=8)
    parser.add_argument("--ahead", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3, help="regressors whose figures are averaged")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = configuration.load(arguments)
    face = dict(np.load(arguments.face_model))
    mouth = config["mouth"]
    basis = torch.from_numpy(face["expression"][:mouth][:, face["lips"], :2].astype(np.float32))
    network = PhoneticEncoder(config)
    if not checkpoint.restore(arguments.work, "phonetic", network) and set(arguments.features) != {"mel"}:
        raise SystemExit(f"{arguments.work} has no phonetic.safetensors: run train_phonetic.py, or use --features mel")
    network.eval()
    kinds, first = arguments.features, arguments.seed
    for kind in kinds:
        arguments.features = kind
        everyone = load(arguments.data, "train", network, arguments, mouth)
        judged = load(arguments.data, "dev", network, arguments, mouth)
        names = sorted({c.person for c in everyone})
        results = []
        for seed in range(first, first + arguments.seeds):
            arguments.seed = seed
            torch.manual_seed(seed)
            aside = set(names[seed % 6::6])
            model, steps = fit([c for c in everyone if c.person not in aside],
                               [c for c in everyone if c.person in aside], basis, arguments, mouth)
            results.append(judge(model, judged, basis))
        summary = ", ".join("{} r {:.3f} (unpaired {:.3f}) spread {:.2f} of {:.0f} clips".format(
            group, *np.mean([r[group] for r in results], 0)) for group in sorted(results[0]))
        print(f"{kind} -{arguments.back}..+{arguments.ahead}: {summary}; stopped after {steps} steps", flush=True)


if __name__ == "__main__":
    main()
