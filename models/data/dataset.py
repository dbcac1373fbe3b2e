"""Packed clips in memory, and batches from them."""
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from data import geometry, mel
from data.pack import CENTRE, SIDE

REACH = 3
STEP = 640                                  # samples between frames at 25 a second


@dataclass
class Clip:
    """One packed clip (see `pack.py`)."""
    name: str
    person: str
    rights: str
    jpegs: bytes
    offsets: np.ndarray
    matrix: np.ndarray
    rings: np.ndarray                       # [T, 3, R, 2] ring polygons in crop pixels
    lips: np.ndarray                        # [T, P, 2] lip points in [-1, 1]
    shape: np.ndarray                       # [T, mouth]
    valid: np.ndarray                       # [T]
    audio: np.ndarray                       # 16 kHz, shifted by the known A/V offset
    sync: bool                              # the offset is known, the audio may be learnt from

    def crop(self, t, half=False):
        data = np.frombuffer(self.jpegs, np.uint8)[self.offsets[t]: self.offsets[t + 1]]
        flag = cv2.IMREAD_REDUCED_COLOR_2 if half else cv2.IMREAD_COLOR
        return cv2.imdecode(data, flag)[..., ::-1]


def shifted(audio, offset):
    """Brings late audio forward (offset in frames, + = audio late)."""
    count = offset * STEP
    return np.concatenate([np.zeros(-count, np.float32), audio]) if count < 0 else audio[count:]


def load_clip(path, model, mouth):
    with np.load(path) as file:
        meta = {key: file[key] for key in file.files}
    valid, identity, delta = meta["valid"], meta["identity"], meta["delta"]
    count = len(meta["matrix"])
    rings, lips = np.zeros((count, 3, len(model["ring"]), 2), np.float32), np.zeros((count, len(model["lips"]), 2), np.float32)
    slim = {**model}
    for t in np.nonzero(valid[:count])[0]:
        pose = geometry.Pose(meta["scale"][t], meta["rotation"][t], meta["shift"][t])
        rings[t] = geometry.masked_regions(slim, pose, identity, delta[t], mouth, meta["matrix"][t])
        lips[t] = geometry.lip_points(slim, pose, identity, delta[t, :mouth], mouth, meta["matrix"][t])
    # Frames without a face lend their neighbours' shape: they stand in windows of frames that have one.
    seen = np.nonzero(valid[:count])[0]
    shape = delta[seen[np.abs(seen[None] - np.arange(count)[:, None]).argmin(1)], :mouth].astype(np.float32)
    note = str(meta["av_offset"])
    offset = int(note) if note.lstrip("+-").isdigit() else 0
    return Clip(path.stem, str(meta["person"]), str(meta["rights"]), path.with_suffix(".crops").read_bytes(),
                meta["crops"], meta["matrix"], rings, lips, shape, valid[:count],
                shifted(meta["audio"], offset), note not in ("none", "unknown") and len(meta["audio"]) > 0)


def compact(model):
    """The face model without the vertices that no one asks for: ring and lips only."""
    keep = np.unique(np.concatenate([model["ring"], model["lips"]]))
    place = np.zeros(len(model["mean"]), int)
    place[keep] = np.arange(len(keep))
    return {**model, "mean": model["mean"][keep], "identity": model["identity"][:, keep],
            "expression": model["expression"][:, keep], "ring": place[model["ring"]], "lips": place[model["lips"]]}


def load(folder, model, mouth, limit=None, rights=None, split="train"):
    """Every clip with at least 12 frames with a face. `rights="cleared"` keeps only what may be
    shipped commercially (see the model card)."""
    clips, model = [], compact(model)
    for path in sorted(Path(folder).glob("*.npz"))[:limit]:
        with np.load(path) as file:
            wanted = (str(file["split"]) == split and int(file["valid"].sum()) >= 12
                      and (rights is None or str(file["rights"]) == rights))
        if wanted:
            clips.append(load_clip(path, model, mouth))
    return clips


def colours(random, strength=1.0):
    """One colour change for all pictures of a clip."""
    gain = np.exp(random.normal(0, 0.08 * strength, 3) + random.normal(0, 0.12 * strength))
    return gain, np.exp(random.normal(0, 0.15 * strength))


def to_tensor(image, change=None):
    x = image.astype(np.float32) / 255
    if change is not None:
        gain, gamma = change
        x = np.clip(x ** gamma * gain, 0, 1)
    return (x * 2 - 1).astype(np.float32).transpose(2, 0, 1)


class LipSyncBatches:
    """Endless batches for the main stage: `clips` clips of `frames` frames, one reference each.

    Persons are drawn with the square root of their frames, so that one speaker with hours does not
    drown the rest."""

    def __init__(self, clips, config, size, clips_a_batch=4, frames=2, seed=0, weights=None):
        self.clips, self.config, self.size = clips, config, size
        self.count, self.frames = clips_a_batch, frames
        self.random = np.random.default_rng(seed)
        persons = {}
        for clip in clips:
            persons[clip.person] = persons.get(clip.person, 0) + len(clip.valid)
        weight = np.array([len(c.valid) / np.sqrt(persons[c.person]) for c in clips])
        weight *= np.array([(weights or {}).get(c.person, 1.0) for c in clips])
        self.weight = weight / weight.sum()

    def frame(self, clip, t, change):
        random, size = self.random, self.size
        scale = size / geometry.IMAGE
        image = clip.crop(t, half=size == geometry.IMAGE // 2)
        rings, lips = clip.rings[t] * scale, clip.lips[t]
        # A little of the misplacement that a smaller tracker will show.
        angle, zoom, move = random.normal(0, 0.02), np.exp(random.normal(0, 0.025)), random.normal(0, 0.012, 2)
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = size / 2 - turn @ np.full(2, size / 2) + move * size
        image = cv2.warpAffine(image, np.concatenate([turn, shift[:, None]], 1), (size, size),
                               flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        rings = rings @ turn.T + shift
        lips = lips @ turn.T + (shift + turn @ np.full(2, size / 2)) / (size / 2) - 1
        grow = self.config["mask"]["grow"] * scale * np.exp(random.normal(0, 0.15))
        hole, alpha = geometry.pose_aware_mask(list(rings), grow, self.config["mask"]["feather"] * scale, size)
        return to_tensor(image, change), hole, alpha, (lips + random.normal(0, 0.004, 2)).astype(np.float32)

    def __iter__(self):
        while True:
            yield self.batch()

    def batch(self):
        random, rows = self.random, []
        references, windows = [], []
        for index in random.choice(len(self.clips), self.count, p=self.weight):
            clip = self.clips[index]
            change = colours(random)
            seen = np.nonzero(clip.valid)[0]
            references.append(to_tensor(clip.crop(random.choice(seen)), change))
            inner = seen[(seen >= REACH) & (seen < len(clip.valid) - REACH)]
            if len(inner) == 0:
                inner = seen
            for t in random.choice(inner, self.frames):
                rows.append(self.frame(clip, t, change))
                around = np.clip(np.arange(t - REACH, t + REACH + 1), 0, len(clip.shape) - 1)
                windows.append(clip.shape[around])
        target, hole, alpha, lips = (torch.from_numpy(np.stack(x).astype(np.float32)) for x in zip(*rows))
        return dict(target=target, hole=hole[:, None], alpha=alpha[:, None], lips=lips,
                    shapes=torch.from_numpy(np.stack(windows).astype(np.float32)),
                    reference=torch.from_numpy(np.stack(references)))


def mel_windows(clip, positions, config):
    options = config["mel"]
    return mel.windows(clip.audio, positions, options["frames"], options["lead"])
