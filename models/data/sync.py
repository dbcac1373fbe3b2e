"""A/V offset of a clip by the landmark SyncNet (`networks/syncnet.py`).

Offsets are in frames of 40 ms, + = the sound is late, as in MANIFEST.tsv and `dataset.shifted`.
"""
from pathlib import Path

import numpy as np

from data import mel

REACH = 15                      # offsets tried: -15..15, the paper's 31
NEAR = 2                        # offsets around the best that its confidence leaves out


def steady(shape):
    """Mouth shapes [T, K], each the weighted mean over three frames: one frame's mesh jitters."""
    shape = shape.copy()
    shape[1:-1] = 0.25 * shape[:-2] + 0.5 * shape[1:-1] + 0.25 * shape[2:]
    return shape


def whole_windows(valid, frames=5):
    """Starts of the stretches of `frames` frames without a gap."""
    count = len(valid) - frames + 1
    return np.nonzero([valid[t: t + frames].all() for t in range(max(0, count))])[0]


def best_offset(scores):
    """(offset, confidence) of mean similarities [2 REACH + 1]: the best one, and how many standard
    deviations of the others it stands above their mean."""
    best = int(np.argmax(scores))
    others = np.delete(scores, slice(max(0, best - NEAR), best + NEAR + 1))
    return best - REACH, float((scores[best] - others.mean()) / (others.std() + 1e-9))


class OffsetJudge:
    """The two towers of a trained landmark SyncNet. Read-only after construction: threads may share it."""

    def __init__(self, folder, config):
        import torch

        import checkpoint
        from networks.syncnet import ShapeTower, SoundTower
        from phonetic_features import SpokenWindows
        self.torch, self.frames, self.mouth = torch, config["syncnet"]["frames"], config["mouth"]
        self.sound, self.shape = SoundTower(config).eval(), ShapeTower(config).eval()
        self.windows = lambda audio, middles: SpokenWindows(folder, config)("", audio, middles)
        for name, tower in (("sync_sound", self.sound), ("sync_shape", self.shape)):
            try:
                there = checkpoint.restore(folder, name, tower)
            except RuntimeError as error:
                why = str(error).splitlines()[0]
                raise SystemExit(f"{Path(folder) / name}.safetensors does not fit the config: {why}") from None
            if not there:
                raise SystemExit(f"--sync-checkpoints: there is no {Path(folder) / name}.safetensors")

    def scores(self, audio, delta, valid, most=150):
        """Mean cosine [31] between sound at each offset and mouth; None without 20 whole windows."""
        starts = whole_windows(valid, self.frames)
        # At every offset the sound must be there, else silence would compete.
        starts = starts[(starts >= REACH) & ((starts + REACH + self.frames) * mel.STEP <= len(audio))]
        if len(starts) < 20:
            return None
        starts = starts[:: -(-len(starts) // most)]
        shape = steady(np.asarray(delta[:, :self.mouth], np.float32))
        heard = np.arange(starts[0] - REACH, starts[-1] + REACH + 1)
        with self.torch.inference_mode():
            middles = (heard + self.frames // 2) * mel.STEP
            a = self.sound(self.torch.from_numpy(self.windows(audio, middles))).numpy()
            v = self.shape(self.torch.from_numpy(np.stack([shape[t: t + self.frames] for t in starts]))).numpy()
        at = (starts - heard[0])[:, None] + np.arange(-REACH, REACH + 1)
        return np.einsum("nd,nod->no", v, a[at]).mean(0)

    def measure(self, audio, delta, valid):
        """(offset, confidence) of a clip, None where it is too short to tell."""
        scores = self.scores(audio, delta, valid)
        return None if scores is None else best_offset(scores)
