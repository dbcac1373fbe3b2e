"""SyncNet (section 3.4, eq. 7), contrastive: the mouth of five frames against sounds of other times and people.

`--what shapes` learns the sound tower and the tower of mouth shapes together: shapes as the teacher of the
landmarks sees them, and as our mesh predictor does, which is what judges rendered mouths. `--what pixels` then
teaches the face tower to see, in the space that the sound tower gives: shapes cannot be remembered by
person, so the space that they make is one for strangers. `--what check` only measures.

    python train_sync.py --config config/lite.json --data DIR --face-model F --work DIR --what shapes --minutes 10
"""
import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch

import checkpoint
import configuration
from data import dataset
from data.sync import steady
from losses import MeshJudge
from networks.encoders import MeshPredictor
from networks.syncnet import FaceTower, ShapeTower, SoundTower, contrast
from train_audio import Speech, augment
from train_mesh import LinearFace

REACH = 15                                  # offsets tried to each side (LSE of Wav2Lip)


class Talk(Speech):
    """Clips with, for each, the first frames of windows of five without a gap."""

    def __init__(self, folder, config, face, split, watch, rights=None, pixels=False):
        """`watch`: a clip -> the shapes [T, mouth] that the mesh predictor sees."""
        super().__init__(folder, config, face, split, rights)
        self.frames, self.config = config["syncnet"]["frames"], config
        self.starts = [np.nonzero(np.convolve(v, np.ones(self.frames), "valid") == self.frames)[0] for v in self.valid]
        # As `src/metrics/sync.rs` prepares them: relative to the clip's own rest.
        self.watched = [steady(seen - np.median(seen[clip.valid], 0)) for clip in self.clips for seen in [watch(clip)]]
        self.mouths = [self.lower_halves(clip) for clip in self.clips] if pixels else None

    @staticmethod
    def lower_halves(clip):
        """Lower halves [T, 64, 128, 3] of a clip's crops at 128."""
        out = np.zeros((len(clip.valid), 64, 128, 3), np.uint8)
        for t in np.nonzero(clip.valid)[0]:
            out[t] = clip.crop(t, half=True)[64:]
        return out

    def sound(self, i, t):
        return dataset.spoken(self.mels[i][t + self.frames // 2], self.config).astype(np.float32)

    def shape(self, i, t):
        """[5, mouth] as the teacher sees them."""
        return self.shapes[i][t: t + self.frames].astype(np.float32)

    def watch(self, i, t):
        """[5, mouth] as the mesh predictor does."""
        return self.watched[i][t: t + self.frames].astype(np.float32)

    def mouth(self, i, t):
        """[15, 64, 128] in [-1, 1]."""
        five = self.mouths[i][t: t + self.frames].astype(np.float32) / 127.5 - 1
        return five.transpose(0, 3, 1, 2).reshape(-1, 64, 128)


class Watcher:
    """The mesh predictor over packed crops. What it saw is kept in `<work>/watched/`: it does not change."""

    def __init__(self, arguments, config, face):
        mesh = MeshPredictor(config)
        if not checkpoint.restore(arguments.work, "mesh", mesh):
            raise SystemExit(f"mesh: no checkpoint in {arguments.work}")
        self.judge, self.folder = MeshJudge(mesh, LinearFace(face), face["lips"], config), arguments.work / "watched"
        self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, clip, chunk=32):
        path = self.folder / f"{clip.name}.npy"
        if path.exists():
            return np.load(path)
        shapes = clip.shape.copy()                  # where there is no face, its neighbours' as the teacher saw them
        seen = np.nonzero(clip.valid)[0]
        with torch.no_grad():
            for k in range(0, len(seen), chunk):
                crops = np.stack([dataset.to_tensor(clip.crop(t)) for t in seen[k: k + chunk]])
                shapes[seen[k: k + chunk]] = self.judge.look(torch.from_numpy(crops))[2].numpy()
        np.save(path, shapes)
        return shapes


def disturb(mouths, random):
    """Light, place, size and side of windows [N, 15, 64, 128]: what persons differ in and words do not."""
    n = len(mouths)
    angle, zoom = random.normal(0, 0.06, n), np.exp(random.normal(0, 0.09, n))
    flip = np.where(random.random(n) < 0.5, -1, 1)
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = flip * zoom * np.cos(angle), -zoom * np.sin(angle) / 2
    theta[:, 1, 0], theta[:, 1, 1] = flip * zoom * np.sin(angle) * 2, zoom * np.cos(angle)
    theta[:, :, 2] = random.normal(0, (0.05, 0.09), (n, 2))
    grid = torch.nn.functional.affine_grid(torch.from_numpy(theta), list(mouths.shape), align_corners=False)
    x = torch.nn.functional.grid_sample(mouths, grid, padding_mode="border", align_corners=False)
    gain = torch.from_numpy(np.exp(random.normal(0, 0.3, (n, 1, 1, 1))).astype(np.float32))
    colour = torch.from_numpy(np.exp(random.normal(0, 0.12, (n, 1, 3, 1, 1))).astype(np.float32))
    x = (x * gain).view(n, -1, 3, 64, 128) * colour
    grey = torch.from_numpy((random.random(n) < 0.3)[:, None, None, None, None])
    x = torch.where(grey, x.mean(2, keepdim=True).expand_as(x), x).reshape(n, -1, 64, 128)
    return x + 0.03 * torch.randn_like(x)


def embed(tower, read, i, times, chunk=256):
    """Unit vectors of many windows of clip i."""
    with torch.no_grad():
        return torch.cat([tower(torch.from_numpy(np.stack([read(i, t) for t in times[k: k + chunk]])))
                          for k in range(0, len(times), chunk)])


def check(talk, sound, seeing, read, stride=1):
    """Figures on clips of unseen people (and of GRID s1, whose sentences alone are new).

    windows: share whose true offset (+-1) wins among 31. clips: the same, distances averaged over the
    clip. ranks: share of clips whose mean cosine with their own sound beats that with the sound eight
    frames off, with another clip's sound, and that of a frozen mouth (one frame five times)."""
    sound.eval(), seeing.eval()
    result = {}
    groups = {"unseen": [i for i, p in enumerate(talk.persons) if p != "grid_s1"],
              "grid s1": [i for i, p in enumerate(talk.persons) if p == "grid_s1"]}
    heard = [embed(sound, talk.sound, i, np.arange(len(talk.valid[i]) - talk.frames + 1)) for i in range(len(talk.names))]
    for group, members in groups.items():
        hit = total = clips = 0
        won = {"shifted": [], "other sound": [], "frozen": []}
        for i in members:
            starts = talk.starts[i]
            starts = starts[(starts >= REACH) & (starts + REACH < len(heard[i]))]
            if len(starts) < 10:
                continue
            starts = starts[::stride]
            seen = embed(seeing, read, i, starts)
            around = torch.stack([heard[i][torch.from_numpy(starts) + o] for o in range(-REACH, REACH + 1)], 1)
            cosine = torch.einsum("nod,nd->no", around, seen)
            hit += int(((cosine.argmax(1) - REACH).abs() <= 1).sum())
            total += len(starts)
            mean = cosine.mean(0)
            clips += int(abs(int(mean.argmax()) - REACH) <= 1)
            real = float(mean[REACH])
            won["shifted"].append(real > max(float(mean[REACH - 8]), float(mean[REACH + 8])))
            other = heard[(i + 5) % len(heard)]
            pick = torch.from_numpy(starts % len(other))
            won["other sound"].append(real > float((other[pick] * seen).sum(1).mean()))
            still = torch.from_numpy(read(i, starts[len(starts) // 2])[None])
            parts = still.view(1, talk.frames, -1)
            still = parts[:, :1].expand_as(parts).reshape(still.shape)
            with torch.no_grad():
                frozen = seeing(still)
            won["frozen"].append(real > float((heard[i][torch.from_numpy(starts)] @ frozen[0]).mean()))
        if total:
            result[group] = {"windows": hit / total, "of": total, "clips": clips / len(won["frozen"]),
                             **{f"above {k}": float(np.mean(v)) for k, v in won.items()}}
    sound.train(), seeing.train()
    return result


def told(result):
    return "; ".join(f"{group}: " + ", ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
                     for group, row in result.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    configuration.add_arguments(parser)
    for name in ("data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--what", choices=["shapes", "pixels", "check"], required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--rights", choices=["cleared"], default=None)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    config, face = configuration.load(arguments), dict(np.load(arguments.face_model))
    towers = {"sync_sound": SoundTower(config), "sync_shape": ShapeTower(config), "sync_face": FaceTower(config)}
    there = {name: checkpoint.restore(arguments.work, name, tower) for name, tower in towers.items()}
    pixels = arguments.what == "pixels" or (arguments.what == "check" and there["sync_face"])
    watch = Watcher(arguments, config, face)
    dev = Talk(arguments.data, config, face, "dev", watch, pixels=pixels)
    if arguments.what == "check":
        print("shapes, teacher's |", told(check(dev, towers["sync_sound"], towers["sync_shape"], dev.shape)))
        print("shapes, mesh predictor's |", told(check(dev, towers["sync_sound"], towers["sync_shape"], dev.watch)))
        if pixels:
            print("pixels |", told(check(dev, towers["sync_sound"], towers["sync_face"], dev.mouth)))
        return
    train = Talk(arguments.data, config, face, "train", watch, arguments.rights, pixels)
    usable = [i for i, starts in enumerate(train.starts) if len(starts) >= 40]
    if pixels and not there["sync_sound"]:
        raise SystemExit("--what pixels needs the sound tower: --what shapes first")
    name = "sync_face" if pixels else "sync_shape"
    learning = [towers[name]] if pixels else [towers["sync_sound"], towers[name]]
    read = (lambda talk: talk.mouth) if pixels else (lambda talk: talk.watch)
    if pixels:
        towers["sync_sound"].eval().requires_grad_(False)
    persons = {}
    for i in usable:
        persons[train.persons[i]] = persons.get(train.persons[i], 0) + len(train.starts[i])
    weight = np.array([len(train.starts[i]) / np.sqrt(persons[train.persons[i]]) for i in usable])
    optimiser = torch.optim.AdamW([p for t in learning for p in t.parameters()], lr=arguments.rate, weight_decay=0.03)
    random = np.random.default_rng(int(time.time()))
    begin, last, step, mean = time.time(), time.time(), 0, 0.0
    while (elapsed := (time.time() - begin) / 60) < arguments.minutes:
        for group in optimiser.param_groups:
            group["lr"] = arguments.rate * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * elapsed / arguments.minutes)))
        pairs = [(i, t) for i in random.choice(usable, 16, p=weight / weight.sum())
                 for t in random.choice(train.starts[i], 12, replace=False)]
        heard = augment(torch.from_numpy(np.stack([train.sound(*pair) for pair in pairs])), random)
        views = [train.mouth] if pixels else [train.shape, train.watch]
        seen = torch.from_numpy(np.stack([views[k](*pair) for k, pair in zip(random.integers(len(views), size=len(pairs)), pairs)]))
        if pixels:
            seen = disturb(seen, random)
        else:
            gain = torch.from_numpy(np.exp(random.normal(0, 0.25, (len(seen), 1, 1))).astype(np.float32))
            seen = seen * gain + 0.05 * seen.std() * torch.randn_like(seen)
        with torch.set_grad_enabled(not pixels):
            heard = towers["sync_sound"](heard)
        loss = contrast(towers[name](seen), heard)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        mean = 0.98 * (mean or float(loss.detach())) + 0.02 * float(loss.detach())
        if time.time() - last > 75:
            last = time.time()
            print(f"{elapsed:6.1f} min step {step} contrast {mean:.3f} | "
                  + told(check(dev, towers["sync_sound"], towers[name], read(dev), stride=12)), flush=True)
            for tower in ([name] if pixels else ["sync_sound", name]):
                checkpoint.save(arguments.work, tower, towers[tower])
    for tower in ([name] if pixels else ["sync_sound", name]):
        checkpoint.save(arguments.work, tower, towers[tower])
    print(f"{step} steps of {len(pairs)} windows |", told(check(dev, towers["sync_sound"], towers[name], read(dev))))


if __name__ == "__main__":
    main()
