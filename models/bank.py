"""Unpaired speech for the sync regulariser of adaptation (section 4): outputs of E_aud and SyncNet on training audio.

    python bank.py --config config/lite.json --data PACK --face-model F --work CHECKPOINTS --out bank.safetensors

The file holds `shape` [streams, frames, mouth] and `sound` [streams, frames, dim], SyncNet's vector of the five frames
around each, neither audio nor pictures. Only clips with cleared rights are used, one of each person first.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

import checkpoint
import configuration
from data import dataset
from networks.syncnet import SoundTower
from phonetic_features import AudioToShape, SpokenWindows


def chosen(clips, streams, frames):
    """At most `streams` clips, of as many people as possible, the longest first."""
    long = [c for c in clips if c.sync and len(c.audio) >= (frames + 8) * dataset.STEP]
    long = sorted(long, key=lambda c: -len(c.audio))
    turns, taken = {}, []
    for clip in long:
        turns[clip.person] = turns.get(clip.person, 0) + 1
        taken.append((turns[clip.person], -len(clip.audio), clip.name, clip))
    return [clip for *_, clip in sorted(taken, key=lambda row: row[:3])[:streams]]


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    configuration.add_arguments(parser)
    for name in ("data", "face-model", "work", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--streams", type=int, default=24)
    parser.add_argument("--frames", type=int, default=64, help="of 40 ms in each stream")
    arguments = parser.parse_args()
    config, face = configuration.load(arguments), dict(np.load(arguments.face_model))
    predict, spoken = AudioToShape.restored(arguments.work, config), SpokenWindows(arguments.work, config)
    tower = SoundTower(config).eval()
    if not checkpoint.restore(arguments.work, "sync_sound", tower):
        raise SystemExit(f"sync_sound: no checkpoint in {arguments.work}")
    shapes, sounds = [], []
    cleared = dataset.load(arguments.data, face, config["mouth"], rights="cleared")
    clips = chosen(cleared, arguments.streams, arguments.frames)
    if not clips:
        raise SystemExit("no clip has audio that is long enough, in sync and cleared")
    for clip in clips:
        times = (4 + np.arange(arguments.frames)) * dataset.STEP
        shapes.append(predict(clip.audio, times).astype(np.float16))
        with torch.no_grad():
            sounds.append(tower(torch.from_numpy(spoken(clip.name, clip.audio, times))).half().numpy())
    save_file({"shape": np.stack(shapes), "sound": np.stack(sounds)}, str(arguments.out))
    print(f"{len(clips)} streams of {len({c.person for c in clips})} people")


if __name__ == "__main__":
    main()
