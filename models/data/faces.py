"""Single crops of packed clips, for the prior: no landmarks, no sound."""
from pathlib import Path

import cv2
import numpy as np
import torch

from data import protocol

REDUCED = {256: cv2.IMREAD_COLOR, 128: cv2.IMREAD_REDUCED_COLOR_2, 64: cv2.IMREAD_REDUCED_COLOR_4,
           32: cv2.IMREAD_REDUCED_COLOR_8}


class Faces:
    """Every valid crop of a split, in memory as JPEGs.

    Persons are drawn with the square root of their frames, as in `dataset.LipSyncBatches`. `size` is one
    of 32, 64, 128, 256: the decoder of the JPEG reduces."""

    def __init__(self, folder, size, split="train", rights=None, seed=0):
        protocol.readable(Path(folder))
        self.flag, self.random = REDUCED[size], np.random.default_rng(seed)
        self.jpegs, self.persons = [], []
        for path in sorted(Path(folder).glob("*.npz")):
            with np.load(path) as file:
                if str(file["split"]) != split or rights not in (None, str(file["rights"])):
                    continue
                offsets, seen, person = file["crops"], np.nonzero(file["valid"])[0], str(file["person"])
            data = np.frombuffer(path.with_suffix(".crops").read_bytes(), np.uint8)
            self.jpegs += [data[offsets[t]: offsets[t + 1]] for t in seen]
            self.persons += [person] * len(seen)
        if not self.jpegs:
            raise SystemExit(f"{folder}: no {rights or ''} {split} crops")
        names, index, count = np.unique(self.persons, return_inverse=True, return_counts=True)
        weights = 1 / np.sqrt(count[index])
        self.bounds, self.people = np.cumsum(weights / weights.sum()), len(names)

    def __len__(self):
        return len(self.jpegs)

    def batch(self, count):
        """[count, 3, size, size] in [-1, 1], half of them mirrored."""
        picks = np.minimum(self.bounds.searchsorted(self.random.random(count)), len(self.jpegs) - 1)
        rows = []
        for index, mirror in zip(picks, self.random.random(count) < 0.5):
            image = cv2.imdecode(self.jpegs[index], self.flag)[..., ::-1]
            rows.append(image[:, ::-1] if mirror else image)
        return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).float() / 127.5 - 1
