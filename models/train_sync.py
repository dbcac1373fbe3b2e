"""SyncNet (section 3.4, eq. 7), contrastive: the mouth of five frames against the audio of other times and people.

`--what shapes` trains the sound tower and the tower of mouth shapes together, on shapes of the teacher's landmarks and
of our mesh predictor, since the latter judges rendered mouths. `--what pixels` then trains the face tower into the
space of the frozen sound tower: shapes do not identify a person, so that space generalises to unseen people.
`--what check` only measures. Validation figures: see `check`, on the `dev` split.

    python train_sync.py --config config/lite.json --data DIR --face-model F --work DIR --what shapes --minutes 10
"""
import argparse
import itertools

import numpy as np
import torch

import checkpoint
import configuration
import speech
import training
from data import dataset
from data.sync import steady
from losses import MeshJudge
from networks.encoders import MeshPredictor
from networks.syncnet import SPOKEN, FaceTower, ShapeTower, SoundTower, contrast
from phonetic_features import restored
from train_mesh import LinearFace

REACH = 15                                  # offsets tried to each side, in frames (LSE of Wav2Lip)
WATCHED = 0.7                               # share of shapes by the mesh predictor, the judge of rendered mouths
NOISE = 0.3                                 # added to the features, in their deviations


class SyncClips:
    """Phonetic features and mouths, as both judges see them, of clips whose audio is in sync.

    Lists by clip: clips, names, persons, valid [T]; `starts`: first frames of gapless windows of five."""

    def __init__(self, arguments, config, face, split, watch, rights=None, pixels=False):
        """`watch`: a clip -> the shapes [T, mouth] that the mesh predictor finds; `pixels`: keep lower halves too."""
        self.frames, phonetic = config["syncnet"]["frames"], restored(arguments.work, config)
        self.clips = speech.load(arguments.data, split, config, face, phonetic, rights)
        self.names, self.persons = [c.name for c in self.clips], [c.person for c in self.clips]
        self.shapes, self.valid = [c.shape for c in self.clips], [c.valid for c in self.clips]
        self.starts = [np.nonzero(np.convolve(v, np.ones(self.frames), "valid") == self.frames)[0] for v in self.valid]
        # As the engine prepares them for its sync metric: relative to the clip's own rest.
        self.watched = [steady(seen - np.median(seen[clip.valid], 0)) for clip in self.clips for seen in [watch(clip)]]
        self.spoken = [speech.windows(c, "far", SPOKEN, SPOKEN).astype(np.float16) for c in self.clips]
        self.mouths = [self.lower_halves(clip) for clip in self.clips] if pixels else None

    @staticmethod
    def lower_halves(clip):
        """Lower halves [T, 64, 128, 3] of a clip's crops at 128."""
        out = np.zeros((len(clip.valid), 64, 128, 3), np.uint8)
        for t, crop in clip.crops(half=True):
            out[t] = crop[64:]
        return out

    def sound(self, i, t):
        """[components, C] phonetic features around the middle one of the five frames from t."""
        return self.spoken[i][t + self.frames // 2].astype(np.float32)

    def shape(self, i, t):
        """[5, mouth] shapes by the teacher's landmarks."""
        return self.shapes[i][t: t + self.frames].astype(np.float32)

    def watch(self, i, t):
        """[5, mouth] shapes by the mesh predictor."""
        return self.watched[i][t: t + self.frames].astype(np.float32)

    def mouth(self, i, t):
        """[15, 64, 128] lower halves of five crops, in [-1, 1]."""
        five = self.mouths[i][t: t + self.frames].astype(np.float32) / 127.5 - 1
        return five.transpose(0, 3, 1, 2).reshape(-1, 64, 128)


class Watcher:
    """The frozen mesh predictor on packed crops: clip -> shapes [T, mouth], cached in `<work>/watched/`."""

    def __init__(self, arguments, config, face, device="cpu"):
        mesh = MeshPredictor(config)
        if not checkpoint.restore(arguments.work, "mesh", mesh):
            raise SystemExit(f"mesh: no checkpoint in {arguments.work}")
        self.judge = MeshJudge(mesh.to(device), LinearFace(face, device), face["lips"], config)
        self.device, self.folder = device, arguments.work / "watched"
        self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, clip, chunk=32):
        """Shapes [T, mouth] of a clip; frames without a face have their neighbours' teacher shapes."""
        path = self.folder / f"{clip.name}.npy"
        if path.exists():
            return np.load(path)
        shapes, pictures = clip.shape.copy(), clip.crops()
        with torch.no_grad():
            while some := list(itertools.islice(pictures, chunk)):
                crops = np.stack([dataset.to_tensor(crop) for _, crop in some])
                seen = self.judge.look(torch.from_numpy(crops).to(self.device))[2]
                shapes[[t for t, _ in some]] = seen.cpu().numpy()
        np.save(path, shapes)
        return shapes


def disturb(mouths, random):
    """Augments windows [N, 15, 64, 128] in what persons differ in and speech does not: light, colour, place, size,
    side."""
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
    """Unit vectors [N, dim] of the windows of clip i that begin at `times`, on the CPU."""
    device = next(tower.parameters()).device
    with torch.no_grad():
        return torch.cat([tower(torch.from_numpy(np.stack([read(i, t) for t in times[k: k + chunk]])).to(device)).cpu()
                          for k in range(0, len(times), chunk)])


def still(window, frames):
    """A window of `frames` frames with its first frame throughout."""
    parts = window.reshape(frames, -1)
    return np.broadcast_to(parts[:1], parts.shape).reshape(window.shape)


def check(talk, sound, seeing, read, stride=1):
    """The validation figures, for clips of unseen people and of GRID s1 (of whom only the sentences are unseen).

    windows: share of windows whose true offset (+-1 frame) scores best of 31; clips: the same with scores averaged
    over a clip; above ...: share of clips whose mean cosine with their own audio exceeds that with audio eight frames
    off, with another clip's audio, and that of a frozen mouth (one frame five times)."""
    modes = [(tower, tower.training) for tower in (sound, seeing)]
    sound.eval(), seeing.eval()
    result = {}
    groups = {"unseen": [i for i, p in enumerate(talk.persons) if p != "grid_s1"],
              "grid s1": [i for i, p in enumerate(talk.persons) if p == "grid_s1"]}
    heard = [embed(sound, talk.sound, i, np.arange(len(talk.valid[i]) - talk.frames + 1))
             for i in range(len(talk.names))]
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
            frozen = embed(seeing, lambda i, t: still(read(i, t), talk.frames), i, starts[len(starts) // 2:][:1])
            won["frozen"].append(real > float((heard[i][torch.from_numpy(starts)] @ frozen[0]).mean()))
        if total:
            result[group] = {"windows": hit / total, "of": total, "clips": clips / len(won["frozen"]),
                             **{f"above {k}": float(np.mean(v)) for k, v in won.items()}}
    for tower, mode in modes:
        tower.train(mode)
    return result


def told(result):
    """One line of what `check` gives."""
    value = lambda v: f"{v:.3f}" if isinstance(v, float) else str(v)
    row = lambda figures: ", ".join(f"{k} {value(v)}" for k, v in figures.items())
    return "; ".join(f"{group}: {row(figures)}" for group, figures in result.items()) or "no dev clip is long enough"


class SyncTraining:
    """The contrastive training of one pair of towers; with `pixels` the sound tower is frozen."""

    CLIPS, WINDOWS = 8, 24                      # of a batch; windows a clip, which tell times apart and not voices
    ALIKE = 2                                   # frames: windows of a clip that are no further apart are not told apart

    def __init__(self, towers, train, run, pixels):
        """`towers`: {name: tower}; `train`: SyncClips."""
        self.towers, self.train, self.run, self.pixels = towers, train, run, pixels
        self.name = "sync_face" if pixels else "sync_shape"
        self.trained = {name: towers[name] for name in ([self.name] if pixels else ["sync_sound", self.name])}
        self.views = [train.mouth] if pixels else [train.shape, train.watch]
        if pixels:
            towers["sync_sound"].eval().requires_grad_(False)
        self.usable = [i for i, starts in enumerate(train.starts) if len(starts) >= 40]
        persons = {}
        for i in self.usable:
            persons[train.persons[i]] = persons.get(train.persons[i], 0) + len(train.starts[i])
        weight = np.array([len(train.starts[i]) / np.sqrt(persons[train.persons[i]]) for i in self.usable])
        self.weight = weight / weight.sum()
        self.optimiser = torch.optim.AdamW([p for t in self.trained.values() for p in t.parameters()],
                                           lr=run.arguments.rate, weight_decay=0.03)

    def draw(self):
        """(features [N, components, C], mouths [N, ..], which pairs are alike [N, N]), in sync pair by pair,
        augmented."""
        random, train = self.run.random, self.train
        pairs = [(i, t) for i in random.choice(self.usable, self.CLIPS, p=self.weight)
                 for t in random.choice(train.starts[i], self.WINDOWS, replace=False)]
        heard = torch.from_numpy(np.stack([train.sound(*pair) for pair in pairs]))
        clip, time = np.array(pairs).T
        near = (clip[:, None] == clip) & (np.abs(time[:, None] - time) <= self.ALIKE)
        alike = torch.from_numpy(near & ~np.eye(len(pairs), dtype=bool))
        picks = (random.random(len(pairs)) < WATCHED).astype(int) * (len(self.views) - 1)
        seen = torch.from_numpy(np.stack([self.views[k](*pair) for k, pair in zip(picks, pairs)]))
        heard = heard + NOISE * torch.randn_like(heard) / self.towers["sync_sound"].scale.cpu()
        if self.pixels:
            return heard, disturb(seen, random), alike
        gain = torch.from_numpy(np.exp(random.normal(0, 0.25, (len(seen), 1, 1))).astype(np.float32))
        return heard, seen * gain + 0.05 * seen.std() * torch.randn_like(seen), alike

    def step(self):
        """One step; gives {name: loss}."""
        heard, seen, alike = training.to(self.run.device, self.draw())
        with torch.set_grad_enabled(not self.pixels):
            heard = self.towers["sync_sound"](heard)
        loss = contrast(self.towers[self.name](seen), heard, alike)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return {"contrast": loss}

    def validate(self, dev, stride=1):
        """One line of validation figures on SyncClips of the `dev` split."""
        read = dev.mouth if self.pixels else dev.watch
        return told(check(dev, self.towers["sync_sound"], self.towers[self.name], read, stride))


def measure(dev, towers, pixels):
    """Prints the validation figures of all towers."""
    sound = towers["sync_sound"]
    print("shapes, teacher's |", told(check(dev, sound, towers["sync_shape"], dev.shape)))
    print("shapes, mesh predictor's |", told(check(dev, sound, towers["sync_shape"], dev.watch)))
    if pixels:
        print("pixels |", told(check(dev, sound, towers["sync_face"], dev.mouth)))


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=10, every=250)
    parser.add_argument("--what", choices=["shapes", "pixels", "check"], required=True)
    parser.add_argument("--rate", type=float, default=1e-3)
    arguments = parser.parse_args(options)
    config, face = configuration.load(arguments), dict(np.load(arguments.face_model))
    run = training.Run(arguments, f"train_sync_{arguments.what}")
    towers = {"sync_sound": SoundTower(config), "sync_shape": ShapeTower(config), "sync_face": FaceTower(config)}
    known = {name: checkpoint.restore(arguments.work, name, tower.to(run.device)) for name, tower in towers.items()}
    pixels = arguments.what == "pixels" or (arguments.what == "check" and known["sync_face"])
    if arguments.what == "pixels" and not known["sync_sound"]:
        raise SystemExit("--what pixels needs the sound tower: --what shapes first")
    watch = Watcher(arguments, config, face, run.device)
    dev = SyncClips(arguments, config, face, "dev", watch, pixels=pixels)
    if arguments.what == "check":
        return measure(dev, towers, pixels)
    train = SyncClips(arguments, config, face, "train", watch, arguments.rights, pixels)
    work = SyncTraining(towers, train, run, pixels)
    if not pixels and not known["sync_sound"]:
        mean, scale = speech.standard(train.clips, "far")
        towers["sync_sound"].mean.copy_(mean), towers["sync_sound"].scale.copy_(scale)
    run.print(f"{len(work.usable)} clips; validated on {len(dev.names)} clips of dev")
    run.resume({"sync": work.optimiser}, all(known[name] for name in work.trained))
    for spent in run.steps():
        training.set_rate(work.optimiser, arguments.rate * training.cosine(spent, 0.01))
        run.note(work.step())
        if run.due():
            run.log(work.validate(dev, stride=12))
            run.save(work.trained, {"sync": work.optimiser})
    run.save(work.trained, {"sync": work.optimiser})
    run.log(work.validate(dev))


if __name__ == "__main__":
    main()
