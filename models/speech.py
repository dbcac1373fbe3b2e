"""Speech with mouths for training audio to shape: phonetic features, shapes, and how predictions are measured."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from data.dataset import STEP, decoded, openings, shifted
from data.sync import steady
from phonetic_features import around, encoded, mel_columns


@dataclass
class SpeechClip:
    """One packed clip whose audio is known to be in sync, without its pictures."""
    name: str
    person: str
    features: dict                           # {"near", "far"}: float16, of `phonetic_features.encoded`
    shape: np.ndarray                        # [frames, mouth] relative to rest, smoothed over three frames
    valid: np.ndarray                        # [frames] a face was found and the audio covers it
    path: Path                               # of the packed clip
    rest: float                              # lip opening of the person's face at rest, units of the face model

    @property
    def grid(self):
        """Whether the clip is of the GRID corpus: studio recordings of sentences alike."""
        return "grid" in self.person

    def crops(self, half=False):
        """[(frame, crop [256, 256, 3], uint8 RGB)] of the valid frames; `half`: at half the size."""
        with np.load(self.path) as file:
            offsets, jpegs = file["crops"], self.path.with_suffix(".crops").read_bytes()
        for t in np.nonzero(self.valid)[0]:
            yield t, decoded(jpegs, offsets, t, half)


def load(folder, split, config, face, phonetic, rights=None, change=None):
    """The clips of a split whose audio is in sync. `face`: the face model; `phonetic`: the encoder; `change`: of the
    audio, before it is encoded."""
    clips, mouth, lips = [], config["mouth"], face["lips"]
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as file:
            note, person = str(file["av_offset"]), str(file["person"])
            if (str(file["split"]) != split or note in ("none", "unknown") or len(file["audio"]) < 16000
                    or rights not in (None, str(file["rights"]))):
                continue
            audio = shifted(file["audio"], int(note) if note.lstrip("+-").isdigit() else 0)
            shape, valid = file["delta"][:, :mouth].astype(np.float32), file["valid"].astype(bool)
            neutral = face["mean"][lips] + np.tensordot(file["identity"], face["identity"][:, lips], 1)
        valid = valid[:len(shape)] & (np.arange(len(shape)) * STEP < len(audio))
        seen = np.nonzero(valid)[0]
        if len(seen) < 12:
            continue
        nearest = seen[np.abs(seen[None] - np.arange(len(shape))[:, None]).argmin(1)]
        columns = mel_columns(change(audio) if change else audio)
        features = dict(zip(("near", "far"), (f.astype(np.float16) for f in encoded(phonetic, columns))))
        clips.append(SpeechClip(path.stem, person, features, steady(shape[nearest]), valid, path,
                                float(openings(neutral[None])[0])))
    return clips


def windows(clip, output, before, after):
    """[frames, components, before + 1 + after]: the features around each frame's time."""
    return around(clip.features[output], np.arange(len(clip.shape)) * STEP, before, after)


def standard(clips, output):
    """(mean, inverse deviation) [components, 1] of the features."""
    values = np.concatenate([clip.features[output] for clip in clips], 1).astype(np.float32)
    of = lambda x: torch.from_numpy(x.astype(np.float32)[:, None])
    return of(values.mean(1)), of(1 / (values.std(1) + 1e-3))


def lip_basis(face, mouth):
    """[mouth, P, 2]: displacement of the lip points by one unit of each coefficient."""
    return torch.from_numpy(face["expression"][:mouth][:, face["lips"], :2].astype(np.float32))


def opening(shape, basis):
    """[N] lip opening of mouth shapes [N, mouth], relative to rest, as an array."""
    return openings(torch.einsum("nk,kpc->npc", torch.as_tensor(shape), basis)).numpy()


def correlation(a, b):
    """Pearson's correlation of two arrays [N]."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))


def judge(predict, clips, basis):
    """[(clip, r, r with another clip's audio, deviation over the true one, range over the true one)] of the lip
    opening. `predict`: clip -> shapes [frames, mouth]; the range is from the 10th to the 90th percentile."""
    rows = []
    clips = [clip for clip in clips if clip.valid.sum() >= 40]
    made = [opening(predict(clip), basis) for clip in clips]
    extent = lambda x: float(np.subtract(*np.percentile(x, (90, 10))))
    for i, clip in enumerate(clips):
        true, unpaired, valid = opening(clip.shape, basis), made[(i + 7) % len(clips)], clip.valid
        count = min(len(true), len(unpaired))
        own = made[i][valid]
        rows.append((clip, correlation(true[valid], own),
                     correlation(true[:count][valid[:count]], unpaired[:count][valid[:count]]),
                     float(own.std() / (true[valid].std() + 1e-6)), extent(own) / (extent(true[valid]) + 1e-6)))
    return rows


def told(rows):
    """One line of what `judge` gives: medians over the clips of GRID and of other people."""
    groups = {}
    for clip, *values in rows:
        groups.setdefault("GRID" if clip.grid else "others", []).append(values)
    line = "{} r {:.3f} (unpaired {:.3f}), deviation {:.2f}, range {:.2f} of {} clips"
    return ", ".join(line.format(group, *np.median(values, 0), len(values))
                     for group, values in sorted(groups.items())) or "no clip is long enough"
