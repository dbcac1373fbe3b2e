"""Speech without pictures: what `prepare_speech.py` writes and `train_phonetic.py` reads.

A corpus folder holds

    index.json          one row an item: name, speaker, rights, kind, held_out, begin and length (samples, columns)
    audio.i16           the items' samples, one after the other; 16 kHz mono
    coded.i16           the same through a lossy codec; the same lengths
    target.f16          [columns, components] the teacher's hidden layers, softly whitened principal components
    basis.safetensors   mean [432], directions [432, components], scale [components], variance [432]
"""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

RATE, HOP = 16000, 320                       # samples a second; samples between two target columns


@dataclass
class Item:
    """One recording. The k-th target column is centred at sample 320 k."""
    name: str
    speaker: str
    kind: str                                # real, synthetic
    held_out: bool
    audio: np.ndarray                        # [samples] int16
    coded: np.ndarray                        # [samples] int16
    target: np.ndarray                       # [columns, components] float16


class Corpus:
    """Items of a corpus folder, memory mapped."""

    def __init__(self, folder, rights=None):
        folder = Path(folder)
        index = json.loads((folder / "index.json").read_text())
        self.components = index["components"]
        self.basis = load_file(str(folder / "basis.safetensors"))
        audio, coded = (np.memmap(folder / name, np.int16, "r") for name in ("audio.i16", "coded.i16"))
        target = np.memmap(folder / "target.f16", np.float16, "r").reshape(-1, self.components)
        self.items = []
        for row in index["items"]:
            if rights is not None and row["rights"] != rights:
                continue
            a, n, c, t = row["begin"], row["samples"], row["column"], row["columns"]
            self.items.append(Item(row["name"], row["speaker"], row["kind"], row["held_out"],
                                   audio[a:a + n], coded[a:a + n], target[c:c + t]))
        if not self.items:
            raise SystemExit(f"{folder}: no item with rights {rights}")

    def split(self, held_out):
        """The items of the speakers that are held out, or of all others."""
        return [item for item in self.items if item.held_out == held_out]

    @property
    def variance(self):
        """[components] variance of each target component before whitening: what an explained share is weighted by."""
        return self.basis["scale"].astype(np.float64) ** -4
