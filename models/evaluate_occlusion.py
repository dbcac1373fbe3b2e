"""How well the occlusion segmenter does on `dev` crops, as the engine uses it.

    python evaluate_occlusion.py --config config/lite.json --data W/pack --face-model W/face_model.npz \
        --work W/checkpoints [--sheet worst.png]

Real frames: nothing lies in front of a mouth in the clips of `dev`, by eye, except in those of MICROPHONE: there a
headset's microphone stands beside the mouth. Printed is the share of the matte that is lost where nothing is in front,
and of the frames with a microphone, in how many it is found. Made-up occluders (`data/occluders.py`), same people:
precision and recall of the pixels in the matte. `--sheet`: crops and what was found, those that lose most first.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

import checkpoint
import configuration
import training
from data import dataset, geometry
from networks.occlusion import Occlusion
from train_occlusion import OccludedCrops

MICROPHONE = ("feifeili_clip1", "feifeili_clip2")
FOUND = 0.002                                # share of the matte that counts as found


class Segmenter:
    """Crop -> what is hidden, as the engine computes it."""

    def __init__(self, folder, config):
        self.network = Occlusion(config).eval()
        if not checkpoint.restore(folder, "occlusion", self.network):
            raise SystemExit(f"occlusion: no checkpoint in {folder}; train_occlusion.py trains it")

    @torch.no_grad()
    def __call__(self, crop, hole):
        """`crop` [3, 256, 256] in [-1, 1], `hole` [256, 256] -> [256, 256] in [0, 1]."""
        return geometry.occlusion(self.network(torch.as_tensor(crop[None]))[0, 0].numpy(), hole)


def real(segmenter, clips, config, count):
    """[(share of the matte lost, clip's name, crop uint8, hidden, alpha)] of `count` frames of each clip; a quarter of
    them of GRID, whose clips are alike."""
    rows = []
    for clip in clips:
        frames = np.nonzero(clip.valid)[0]
        some = max(1, count // 4) if clip.person.startswith("grid") else count
        for t in frames[np.linspace(0, len(frames) - 1, some).astype(int)]:
            hole, alpha = geometry.inpainting_mask(clip.contours[t], config["mask"])
            crop = clip.crop(t)
            hidden = segmenter((crop.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1), hole)
            rows.append((float((hidden * alpha).sum() / max(1, alpha.sum())), clip.name, crop, hidden, alpha))
    return rows


def made_up(segmenter, crops, count):
    """(precision, recall) of the pixels of made-up occluders in the mask, on `count` crops that have one there."""
    hit = found = true = seen = 0
    while seen < count:
        picture, alpha, mask = crops.one()
        wanted = (alpha > 0.5) & (mask > 0)
        if wanted.sum() < 50:
            continue
        seen += 1
        got = (segmenter(picture.transpose(2, 0, 1).astype(np.float32), mask) > 0.5) & (mask > 0)
        hit, found, true = hit + (got & wanted).sum(), found + got.sum(), true + wanted.sum()
    return hit / max(1, found), hit / true


def sheet(path, rows, count=24):
    """Writes a picture: crops, and beside each what is hidden in red and the matte in green."""
    tiles = []
    for lost, name, crop, hidden, alpha in sorted(rows, key=lambda row: -row[0])[:count]:
        over = crop.astype(np.float32)
        over[..., 0] += 120 * hidden
        over[..., 1] += 50 * alpha * (1 - hidden)
        tile = np.hstack([crop, over.clip(0, 255)])[..., ::-1].astype(np.uint8)
        tile = np.ascontiguousarray(cv2.resize(tile, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA))
        cv2.putText(tile, f"{100 * lost:.1f} % {name[-22:]}", (3, 12), 0, 0.4, (0, 255, 255), 1)
        tiles.append(tile)
    cv2.imwrite(str(path), np.vstack([np.hstack(tiles[i:i + 4]) for i in range(0, len(tiles) // 4 * 4, 4)]))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training.add_arguments(parser, minutes=1, every=1)
    parser.add_argument("--count", type=int, default=32, help="frames of each clip")
    parser.add_argument("--made", type=int, default=300, help="crops with made-up occluders")
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    config, face = configuration.load(arguments), dict(np.load(arguments.face_model))
    segmenter = Segmenter(arguments.work, config)
    clips = dataset.load(arguments.data, face, config["mouth"], split="dev")
    rows = real(segmenter, clips, config, arguments.count)
    behind = lambda row: any(name in row[1] for name in MICROPHONE)
    free = np.array([row[0] for row in rows if not behind(row)])
    covered = np.array([row[0] for row in rows if behind(row)])
    print(f"{len(free)} frames with nothing in front: {100 * free.mean():.3f} % of the matte lost; more than 1 % in "
          f"{(free > 0.01).sum()} frames, more than 5 % in {(free > 0.05).sum()}")
    print(f"{len(covered)} frames with a microphone: found in {(covered > FOUND).sum()}")
    crops = OccludedCrops(clips, config, face, 1, np.random.default_rng(arguments.seed + 1))
    print(f"{arguments.made} crops with made-up occluders in the mask: precision, recall "
          f"{', '.join(f'{value:.3f}' for value in made_up(segmenter, crops, arguments.made))}")
    if arguments.sheet:
        sheet(arguments.sheet, rows)


if __name__ == "__main__":
    main()
