"""Packed clips in memory, and batches from them."""
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from data import geometry, protocol, variety
from networks.syncnet import SPOKEN

REACH = 3
APART = 13                                  # frames: a reference is at least half a second from its target
POSE_WEIGHT = 3.0                           # of the pose's mean difference in `Clip.distance`
RANDOM_REFERENCE = 0.25                     # share of references drawn from all frames: a user may give any
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
    contours: np.ndarray                    # [T, 2, R, 2] polygons whose union is masked, in crop pixels
    points: np.ndarray                      # [T, C, 2] points of the reference warp in [-1, 1], the P lip points first
    rest: np.ndarray                        # [T, C, 2] the same of a mouth at rest (shape 0)
    turn: np.ndarray                        # [T, 2, 3] what moves points by a vector of the face model
    shape: np.ndarray                       # [T, mouth]
    valid: np.ndarray                       # [T]
    audio: np.ndarray                       # 16 kHz, shifted by the known A/V offset
    sync: bool                              # the offset is known, the audio may be trained on
    lip_count: int                          # P
    lip_shape: np.ndarray                   # [T, P, 3] what the shape moves the lip points by, units of the face model

    def nearest(self, times, apart):
        """The frame whose mouth and pose come nearest to those of `times` (their mean), of all frames with a face that
        are at least `apart` frames away from each of them; the farthest in time where there is none."""
        seen = np.nonzero(self.valid)[0]
        gap = np.abs(seen[:, None] - np.asarray(times)[None]).min(1)
        if gap.max() < apart:
            return seen[gap.argmax()]
        seen = seen[gap >= apart]
        return seen[self.distance(np.asarray(times), seen).argmin()]

    def distance(self, times, others):
        """[len(others)] how unlike the mouths and poses of other frames are to the mean one of `times`."""
        shape = self.lip_shape[others] - self.lip_shape[times].mean(0)
        turn = self.turn[others] - self.turn[times].mean(0)
        return np.linalg.norm(shape, axis=-1).mean(1) + POSE_WEIGHT * np.abs(turn).mean((1, 2))

    @property
    def lips(self):
        """[T, P, 2] lip points in [-1, 1]."""
        return self.points[:, :self.lip_count]

    def crop(self, t, half=False):
        """The crop [256, 256, 3] of frame t, uint8 RGB; `half`: at half the size."""
        return decoded(self.jpegs, self.offsets, t, half)


def decoded(jpegs, offsets, t, half=False):
    """The crop of frame t of a packed clip's pictures."""
    data = np.frombuffer(jpegs, np.uint8)[offsets[t]: offsets[t + 1]]
    return cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_2 if half else cv2.IMREAD_COLOR)[..., ::-1]


def shifted(audio, offset):
    """Brings late audio forward (offset in frames, + = audio late)."""
    count = offset * STEP
    return np.concatenate([np.zeros(-count, np.float32), audio]) if count < 0 else audio[count:]


def load_clip(path, model, mouth):
    """The Clip of `<name>.npz`, with the points of a face model (`compact` does) and its first `mouth` coefficients."""
    with np.load(path) as file:
        meta = {key: file[key] for key in file.files}
    valid, identity, delta = meta["valid"], meta["identity"], meta["delta"]
    count = len(meta["matrix"])
    contours = np.zeros((count, 2, len(model["ring"]), 2), np.float32)
    vertices = geometry.warp_vertices(model)
    points, rest = np.zeros((2, count, len(vertices), 2), np.float32)
    turn = np.zeros((count, 2, 3), np.float32)
    slim = {**model}
    for t in np.nonzero(valid[:count])[0]:
        pose = geometry.Pose(meta["scale"][t], meta["rotation"][t], meta["shift"][t])
        matrix = meta["matrix"][t]
        contours[t] = geometry.masked_regions(slim, pose, identity, delta[t], mouth, matrix)
        points[t] = geometry.lip_points(slim, pose, identity, delta[t, :mouth], mouth, matrix, vertices=vertices)
        rest[t] = geometry.lip_points(slim, pose, identity, np.zeros(mouth), mouth, matrix, vertices=vertices)
        turn[t] = (geometry.invert(matrix)[:, :2] @ (pose.scale * pose.rotation[:2])) / (geometry.IMAGE / 2)
    # Frames without a face lend their neighbours' shape: they stand in windows of frames that have one.
    seen = np.nonzero(valid[:count])[0]
    shape = delta[seen[np.abs(seen[None] - np.arange(count)[:, None]).argmin(1)], :mouth].astype(np.float32)
    basis = model["expression"][:mouth][:, model["lips"]].astype(np.float32)
    note = str(meta["av_offset"])
    offset = int(note) if note.lstrip("+-").isdigit() else 0
    return Clip(path.stem, str(meta["person"]), str(meta["rights"]), path.with_suffix(".crops").read_bytes(),
                meta["crops"], meta["matrix"], contours, points, rest, turn, shape, valid[:count],
                shifted(meta["audio"], offset), note not in ("none", "unknown") and len(meta["audio"]) > 0,
                len(model["lips"]), np.einsum("tm,mpc->tpc", shape, basis))


def compact(model):
    """The face model with the vertices of contour and lips only."""
    keep = np.unique(np.concatenate([model["ring"], model["lips"]]))
    place = np.zeros(len(model["mean"]), int)
    place[keep] = np.arange(len(keep))
    return {**model, "mean": model["mean"][keep], "identity": model["identity"][:, keep],
            "expression": model["expression"][:, keep], "ring": place[model["ring"]], "lips": place[model["lips"]]}


def load(folder, model, mouth, limit=None, rights=None, split="train"):
    """Every clip with at least 12 frames with a face. `rights="cleared"` keeps only what may be
    shipped commercially (see the model card)."""
    protocol.readable(Path(folder))
    clips, model = [], compact(model)
    for path in sorted(Path(folder).glob("*.npz"))[:limit]:
        with np.load(path) as file:
            wanted = (str(file["split"]) == split and int(file["valid"].sum()) >= 12
                      and (rights is None or str(file["rights"]) == rights))
        if wanted:
            clips.append(load_clip(path, model, mouth))
    return clips


def to_tensor(image):
    """RGB [H, W, 3], uint8 or float in [0, 1] -> float32 [3, H, W] in [-1, 1]."""
    x = image.astype(np.float32) / 255 if image.dtype == np.uint8 else image
    return (x * 2 - 1).astype(np.float32).transpose(2, 0, 1)


class LipSyncBatches:
    """Endless batches for the main stage: `clips` clips of `frames` frames, one reference each.

    Persons are drawn with the square root of their frames, so that one speaker with hours does not
    outweigh the rest. `seed`: a number or a NumPy generator. `consecutive`: the frames of a clip follow
    each other (T of section 3.4). `sound`: (audio, sample positions) -> shapes, which replace the true ones
    (`phonetic_features.AudioToShape`); then some closed mouths come with silence. `spoken`: what gives the input of
    SyncNet's sound tower (`phonetic_features.SpokenWindows`), for the sync loss. `changes`: what draws the change of a
    clip's pictures (`variety.Variety`), None for a little change of colours alone."""

    CLOSED = 0.08                               # share of clips drawn as a closed mouth with silence

    def __init__(self, clips, config, size, clips_a_batch=4, frames=2, seed=0, weights=None,
                 consecutive=False, sound=None, spoken=None, changes=None):
        self.clips = [c for c in clips if c.sync] if sound else clips
        self.config, self.size = config, size
        self.count, self.frames, self.consecutive = clips_a_batch, frames, consecutive
        self.random = np.random.default_rng(seed)
        self.sound, self.spoken, self.predicted = sound, spoken, {}            # shapes by clip, from audio
        self.changes = changes
        persons = {}
        for clip in self.clips:
            persons[clip.person] = persons.get(clip.person, 0) + len(clip.valid)
        weight = np.array([len(c.valid) / np.sqrt(persons[c.person]) for c in self.clips])
        weight *= np.array([(weights or {}).get(c.person, 1.0) for c in self.clips])
        self.weight = weight / weight.sum()

    def misplacement(self):
        """A little of what a smaller tracker will get wrong: (turn [2, 2], shift [2], growth of the mask)."""
        random, size = self.random, self.size
        angle, zoom, move = random.normal(0, 0.02), np.exp(random.normal(0, 0.025)), random.normal(0, 0.012, 2)
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn, size / 2 - turn @ np.full(2, size / 2) + move * size, np.exp(random.normal(0, 0.15))

    def frame(self, clip, t, change, misplaced):
        """{name: array} of one target frame, with the `change` of its clip and as `misplaced` by the tracker."""
        random, size = self.random, self.size
        turn, shift, growth = misplaced
        scale = size / geometry.IMAGE
        image = change.pulled(clip.crop(t, half=size == geometry.IMAGE // 2))
        to_unit = (shift + turn @ np.full(2, size / 2)) / (size / 2) - 1
        whole = turn @ change.linear
        shift = shift + turn @ variety.about_centre(change.linear, image)
        image = variety.warped(image, whole, shift)
        options = self.config["mask"]
        middle = geometry.IMAGE / 2
        contours = [(change.bent(c / middle - 1) + 1) * middle for c in clip.contours[t]]
        mask, alpha = geometry.inpainting_mask([c * scale @ whole.T + shift for c in contours],
                                               {**options, "grow": options["grow"] * growth}, size)
        noise = random.normal(0, 0.004, 2)
        placed = lambda points: change.placed(points) @ turn.T + to_unit + noise
        return dict(target=to_tensor(change.coloured(image, random)), mask=mask[None], alpha=alpha[None],
                    points=placed(clip.points[t]), rest=placed(clip.rest[t]), turn=turn @ change.turned(clip.turn[t]))

    def choose(self, clip):
        """(frame numbers of a clip, whether their audio is replaced by silence)."""
        random, reach, frames = self.random, REACH, self.frames
        usable = clip.valid.copy()
        usable[:reach] = usable[len(usable) - reach:] = False
        if self.sound and random.random() < self.CLOSED:
            gap = np.where(clip.valid, openings(clip.lips), np.inf)
            return random.choice(np.argsort(gap)[:max(frames, len(gap) // 20)], frames), True
        if self.consecutive:
            starts = np.nonzero(np.convolve(usable, np.ones(frames), "valid") == frames)[0]
            if len(starts):
                return random.choice(starts) + np.arange(frames), False
        seen = np.nonzero(usable if usable.any() else clip.valid)[0]
        return random.choice(seen, frames), False

    def shapes(self, clip, around, quiet):
        """Shapes [7, mouth] of frames of a clip: true, or predicted from its audio or from silence."""
        if self.sound is None:
            return clip.shape[around]
        name = None if quiet else clip.name
        if name not in self.predicted:
            audio, positions = (np.zeros(STEP), [0]) if quiet else (clip.audio, np.arange(len(clip.shape)) * STEP)
            self.predicted[name] = self.sound(audio, positions)
        return self.predicted[name][np.zeros_like(around) if quiet else around]

    def batch(self):
        """{name: tensor}: target [N, 3, S, S], mask and alpha [N, 1, S, S], points and rest [N, C, 2], turn [N, 2, 3],
        shapes [N, 7, mouth], of N = clips x frames; reference [clips, 3, 256, 256] with its rest and turn, in_time
        [clips] and, with `spoken`, spoken [clips, components, C] of the middle frame."""
        random, rows = self.random, []
        references, reference_rest, reference_turn, sync = [], [], [], []
        for index in random.choice(len(self.clips), self.count, p=self.weight):
            clip = self.clips[index]
            change = self.changes.draw(random) if self.changes else variety.colours(random)
            times, quiet = self.choose(clip)
            anything = random.random() < RANDOM_REFERENCE
            t = random.choice(np.nonzero(clip.valid)[0]) if anything else clip.nearest(times, APART)
            references.append(to_tensor(change.coloured(change.moved(clip.crop(t)), random)))
            reference_rest.append(change.placed(clip.rest[t]))
            reference_turn.append(change.turned(clip.turn[t]))
            misplaced = self.misplacement()
            for t in times:
                row = self.frame(clip, t, change, misplaced if self.consecutive else self.misplacement())
                around = np.clip(np.arange(t - REACH, t + REACH + 1), 0, len(clip.shape) - 1)
                row["shapes"] = change.shape(self.shapes(clip, around, quiet))
                rows.append(row)
            # eq. 7 needs speech in time: silence and clips of unknown offset are left out.
            follows = self.consecutive and not quiet and clip.sync and (np.diff(times) == 1).all()
            middle = [times[len(times) // 2] * STEP]
            sync.append((follows, self.spoken(clip.name, clip.audio, middle)[0] if follows and self.spoken else None))
        tensor = lambda arrays: torch.from_numpy(np.stack(arrays).astype(np.float32))
        batch = {key: tensor([row[key] for row in rows]) for key in rows[0]}
        batch["in_time"] = torch.tensor([float(follows) for follows, _ in sync])
        if self.spoken:
            blank = np.zeros((self.config["phonetic"]["components"], 2 * SPOKEN + 1), np.float32)
            batch["spoken"] = tensor([blank if window is None else window for _, window in sync])
        return batch | {"reference": tensor(references), "reference_rest": tensor(reference_rest),
                        "reference_turn": tensor(reference_turn)}


UPPER, LOWER = list(range(21, 30)), list(range(39, 30, -1))   # inner lips among the lip points, corner to corner


def openings(points):
    """Inner-lip opening of lip points [N, P, 2] (array or tensor): mean gap between upper and lower inner lips."""
    return (points[:, LOWER, 1] - points[:, UPPER, 1]).mean(1)
