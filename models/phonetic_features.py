"""Phonetic features of audio at given times, and the mouth shapes that E_aud predicts from them.

The same computation as the engine's: feature columns lie on the clip's clock, 20 ms apart, column c centred on sample
320 c; outside the clip there is silence. A time between two columns gets their linear interpolation.
"""
import numpy as np
import torch

import checkpoint
from data import mel
from networks.encoders import AudioEncoder
from networks.phonetic import PhoneticEncoder, features
from networks.syncnet import SPOKEN

NAMES = {"near": "audio_encoder", "far": "audio_encoder_far"}
COLUMN = 320                                 # samples between feature columns
MARGIN = 28                                  # columns before a clip; those before them are alike, of silence
TAIL = 74                                    # columns behind it, for the same reason
CHUNK = 3000                                 # feature columns computed at once


def mel_columns(audio):
    """Mel columns [80, 2 (MARGIN + T + TAIL)] of a clip and the silence around it, for its T feature columns.

    Column 2 MARGIN is centred at sample 0; the one before it still hears the beginning."""
    count = len(audio) // COLUMN + 1
    return mel.columns(audio, np.arange(-2 * MARGIN, 2 * (count + TAIL)) * mel.HOP).T


@torch.no_grad()
def encoded(network, columns):
    """near and far features [components, MARGIN + T + TAIL] float32 of what `mel_columns` gives."""
    past, future = network.reach(True)
    past, future = past + past % 2, future + future % 2
    columns = torch.from_numpy(np.ascontiguousarray(columns))
    outputs, total = ([], []), columns.shape[1]
    for begin in range(0, total, 2 * CHUNK):
        first, last = max(0, begin - past), min(total, begin + 2 * CHUNK + future)
        skip, count = (begin - first) // 2, min(CHUNK, (total - begin) // 2)
        for kept, part in zip(outputs, features(network, columns[None, :, first:last])):
            kept.append(part[0, skip:skip + count].T)
    return [torch.cat(parts, 1).numpy() for parts in outputs]


def around(values, positions, before, after):
    """[N, components, before + 1 + after]: columns around sample positions, of `encoded` features."""
    at = np.asarray(positions, np.float64)[:, None] / COLUMN + np.arange(-before, after + 1) + MARGIN
    at = at.clip(0, values.shape[1] - 1)
    low = np.minimum(at.astype(int), values.shape[1] - 2)
    part = (at - low).astype(np.float32)
    return (values[:, low] * (1 - part) + values[:, low + 1] * part).transpose(1, 0, 2)


def restored(folder, config):
    """The phonetic encoder of a checkpoint."""
    network = PhoneticEncoder(config).eval()
    if not checkpoint.restore(folder, "phonetic", network):
        raise SystemExit(f"phonetic: no checkpoint in {folder}; train_phonetic.py trains it")
    return network


class SpokenWindows:
    """The input of SyncNet's sound tower: (name, audio, sample positions of middle frames) -> [N, components, C].

    The features of a name are computed once."""

    def __init__(self, folder, config):
        self.phonetic, self.known = restored(folder, config), {}

    def __call__(self, name, audio, positions):
        """`audio`: mono, 16 kHz."""
        if name not in self.known:
            self.known[name] = encoded(self.phonetic, mel_columns(audio))[1].astype(np.float16)
        return around(self.known[name], positions, SPOKEN, SPOKEN)


class AudioToShape:
    """E_aud up to the mouth's shape: (audio, sample positions) -> shapes [N, mouth]."""

    def __init__(self, phonetic, head, config, output):
        """`output`: the one of the phonetic encoder that `head` reads, "near" or "far"."""
        self.phonetic, self.head, self.window, self.far = phonetic, head, config["audio"][output], output == "far"

    @classmethod
    def restored(cls, folder, config, output="far"):
        """From checkpoints."""
        head, name = AudioEncoder(config, output).eval(), NAMES[output]
        if not checkpoint.restore(folder, name, head):
            raise SystemExit(f"{name}: no checkpoint in {folder}; train_shape.py trains it")
        return cls(restored(folder, config), head, config, output)

    @torch.no_grad()
    def __call__(self, audio, positions):
        """Mono audio at 16 kHz and sample positions [N] -> shapes [N, mouth] float32."""
        values = encoded(self.phonetic, mel_columns(audio))[self.far]
        return self.head(torch.from_numpy(around(values, positions, **self.window))).numpy()
