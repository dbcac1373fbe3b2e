"""Detector and mesh predictor against the teacher on people never trained on.

    python evaluate_mesh.py --config config/lite.json --data DIR --face-model F --work DIR
"""
import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch

import checkpoint
from networks.encoders import Detector, MeshPredictor
from train_mesh import LinearFace, MeshBatches, Pictures, decode


def found(detector, row, options):
    """(score, centre, side) of the best cell, in the 320-pixel picture."""
    image = cv2.resize(decode(row["jpeg"]), (options["size"],) * 2, interpolation=cv2.INTER_AREA)
    with torch.no_grad():
        score, box = detector(torch.from_numpy(image.transpose(2, 0, 1)[None] / np.float32(127.5) - 1))
    best = int(score.flatten().argmax())
    cells = options["size"] // options["stride"]
    x, y = best % cells, best // cells
    dx, dy, log_side = box[0, :, y, x].tolist()
    unit = options["stride"] * 320 / options["size"]
    return (float(torch.sigmoid(score[0, 0, y, x])), np.array([x + 0.5 + dx, y + 0.5 + dy]) * unit,
            float(np.exp(log_side)) * unit)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--count", type=int, default=512)
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    rows = Pictures(arguments.data, arguments.split).rows
    model = dict(np.load(arguments.face_model))
    detector, mesh = Detector(config), MeshPredictor(config)
    random = np.random.default_rng(0)
    if checkpoint.restore(arguments.work, "detector", detector.eval()):
        whole = [r for r in rows if r["kind"] == "whole"]
        whole = [whole[i] for i in random.permutation(len(whole))[:arguments.count]]
        scores, off, ratio = [], [], []
        for row in whole:
            score, centre, side = found(detector, row, config["detector"])
            scores.append(score)
            off.append(np.linalg.norm(centre - row["centre"]) / row["side"])
            ratio.append(side / row["side"])
        scores, off, ratio = map(np.array, (scores, off, ratio))
        good = off < 0.25
        print(f"detector, {len(whole)} frames: the best cell is on the face in {good.mean():.3f}; above .5 in "
              f"{(good & (scores > 0.5)).mean():.3f}, above .3 in {(good & (scores > 0.3)).mean():.3f}; centre off by "
              f"{np.median(off):.3f} of the side, side x{np.median(ratio):.2f} ({np.percentile(ratio, 5):.2f} to {np.percentile(ratio, 95):.2f})")
    if checkpoint.restore(arguments.work, "mesh", mesh.eval()):
        batches, face, errors, lips, identity = MeshBatches(rows, config, 0, train=False), LinearFace(model), [], [], []
        for _ in range(arguments.count // 32):
            batch = batches.batch(32)
            with torch.no_grad():
                out = mesh(batch[0])
            made, points = face.points(out), batch[1]
            eyes = (points[:, 33] - points[:, 263]).norm(dim=1)[:, None]
            distance = (made - points).norm(dim=2) / eyes
            errors.append(distance.mean(1)), lips.append(distance[:, model["lips"]].mean(1))
            identity.append((out[0] - batch[2]).square().mean(1))
        errors, lips = torch.cat(errors), torch.cat(lips)
        print(f"mesh, {len(errors)} crops: landmarks off by {errors.median():.4f} of the eye distance (95 %: "
              f"{errors.quantile(0.95):.4f}), lips and jaw by {lips.median():.4f}; identity error {torch.cat(identity).mean():.2f}")


if __name__ == "__main__":
    main()
