"""Golden values of the geometry (crop, mask, mouth points, warped reference) that the Rust engine must reproduce.

    python golden.py --face-model face_model.npz --out ../tests/golden/geometry.safetensors
"""
import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.numpy import save_file

from data import geometry
from data.pack import CENTRE, SIDE
from networks.reference_warp import ReferenceWarp

WARP = {"grid": 16, "sigma": 0.1}               # coarse, for a small file, as is the picture


def turned(vector):
    """The rotation matrix of a rotation vector [3]."""
    angle = np.linalg.norm(vector)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("config/lite.json"))
    parser.add_argument("--face-model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    # As the bundle holds it: half precision.
    model = {k: v if v.dtype.kind == "i" else v.astype(np.float16).astype(np.float64)
             for k, v in np.load(arguments.face_model).items()}
    random, mouth, out = np.random.default_rng(1), config["mouth"], {}
    points = lambda shape, pose, identity, matrix: geometry.lip_points(
        model, pose, identity, shape, mouth, matrix, vertices=geometry.warp_vertices(model))
    for case, vector in enumerate([(0.1, 0.05, 0.02), (0.05, 0.6, -0.1), (-0.3, -0.2, 0.5), (0.2, 0.1, -2.0)]):
        pose = geometry.Pose(random.uniform(40, 300), turned(np.array(vector)), random.uniform(100, 600, 2))
        identity = random.normal(0, 1, len(model["identity"]))
        expression = random.normal(0, 1, len(model["expression"]))
        shape = random.normal(0, 1, mouth)
        matrix = geometry.crop_to_frame(pose, CENTRE, SIDE)
        mask, alpha = geometry.pose_aware_mask(
            geometry.masked_regions(model, pose, identity, expression, mouth, matrix),
            config["mask"]["grow"], config["mask"]["feather"], config["mask"]["inset"])
        values = dict(scale=np.array([pose.scale]), rotation=pose.rotation, shift=pose.shift, identity=identity,
                      expression=expression, shape=shape, matrix=matrix, hole=mask, alpha=alpha,
                      points=points(shape, pose, identity, matrix))
        values |= dict(seen=points(expression[:mouth], pose, identity, matrix),
                       picture=random.uniform(-1, 1, (3, 32, 32)))
        single = [torch.from_numpy(values[name].astype(np.float32)[None]) for name in ("picture", "seen", "points")]
        values["carried"] = ReferenceWarp({"carry": WARP})(*single)[0].numpy()
        if case == 3:
            # Smooth, so that parts of it lie over the edge of the mask and parts within.
            logits = cv2.resize(np.random.default_rng(case).normal(-1, 4, (12, 12)), (geometry.IMAGE // 2,) * 2,
                                interpolation=cv2.INTER_CUBIC).astype(np.float16).astype(np.float32)
            values |= dict(logits=logits, hidden=geometry.occlusion(logits, mask))
        small = ("hole", "alpha", "logits", "hidden")
        out |= {f"{case}.{k}": np.ascontiguousarray(v, np.float16 if k in small else np.float32)
                for k, v in values.items()}
    for key in ("mean", "identity", "expression", "open", "closed"):
        out[f"face_model.{key}"] = np.ascontiguousarray(model[key], np.float16)
    for key in ("ring", "lips"):
        out[f"face_model.{key}"] = model[key].astype(np.int32)
    out["crop"] = np.array([*CENTRE, SIDE], np.float32)
    out["carry"] = np.array([WARP["grid"], WARP["sigma"]], np.float32)
    out["mask"] = np.array([config["mask"][key] for key in ("grow", "feather")]
                           + [config["mask"]["inset"][key] for key in ("beside", "below")], np.float32)
    save_file(out, str(arguments.out))
    arguments.out.chmod(0o644)


if __name__ == "__main__":
    main()
