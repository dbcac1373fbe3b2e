"""Packs clips for training: aligned 256x256 crops, wide crops, whole frames, poses, audio.

Needs the teacher's landmarks (`landmarks.py`) and the face model (`face_model.py`). For each clip
writes, resumably:

    <name>.crops      the aligned crops, JPEGs one after the other (25 a second)
    <name>.wide       upright crops of twice the side, every STRIDE-th frame, for the mesh predictor
    <name>.whole      letterboxed frames of 320x320, every WHOLE-th, for the detector
    <name>.npz        offsets of the JPEGs, poses, coefficients, similarity, 16 kHz audio, provenance

    python -m data.pack --data DIR --landmarks DIR --model face_model.npz --out DIR [--split train]
"""
import argparse
import csv
import subprocess
from pathlib import Path

import cv2
import numpy as np

from data import face_model, geometry
from data.landmarks import frames, name_of

CENTRE, SIDE = (0.0, 0.2, 0.25), 2.1    # the crop protocol, in model units (see manifest.json)
WIDE = 2.0                              # side of a wide crop, in crop sides
STRIDE, WHOLE = 3, 12
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 92]


class Jpegs:
    """JPEGs one after the other in a file, with their offsets."""

    def __init__(self, path):
        self.file, self.offsets = open(path, "wb"), [0]

    def add(self, rgb):
        data = cv2.imencode(".jpg", rgb[..., ::-1], QUALITY)[1].tobytes()
        self.file.write(data)
        self.offsets.append(self.offsets[-1] + len(data))

    def close(self):
        self.file.close()
        return np.asarray(self.offsets, np.int64)


def audio_16k(path):
    out = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-vn", "-ac", "1", "-ar", "16000",
                          "-f", "f32le", "-"], capture_output=True).stdout
    return np.frombuffer(out, np.float32)


def smoothed(values, valid):
    """Binomial smoothing over five frames, the engine's (`face/smooth.rs`)."""
    weights = np.array([1, 4, 6, 4, 1], float)
    total = np.zeros(values.shape)
    norm = np.zeros(len(values))
    for shift, weight in zip(range(-2, 3), weights):
        index = np.arange(len(values)) + shift
        use = (index >= 0) & (index < len(values))
        use[use] &= valid[index[use]]
        total[use] += weight * values[index[use]]
        norm[use] += weight
    return total / np.maximum(norm, 1e-9).reshape(-1, *[1] * (values.ndim - 1))


def orthonormal(matrices):
    u, _, vt = np.linalg.svd(matrices)
    return u @ vt


def coefficients(model, points, valid):
    """Pose, identity and expression of a clip in the face model."""
    scale, rotation, shift = face_model.rigid(model["mean"], points, model["still"])
    mesh = face_model.normalise(points, scale, rotation, shift)
    rest = np.median(mesh[valid], 0)
    flat = lambda basis: basis.reshape(len(basis), -1)
    identity = face_model.project(flat(model["identity"]), (rest - model["mean"]).reshape(1, -1), 1e-3)[0]
    delta = face_model.project(flat(model["expression"]), (mesh - rest).reshape(len(mesh), -1), 1e-3)
    return scale, rotation, shift[:, :2], identity, delta


def letterbox(frame, size=320):
    height, width = frame.shape[:2]
    step = size / max(height, width)
    inner = cv2.resize(frame, (round(width * step), round(height * step)), interpolation=cv2.INTER_AREA)
    out = np.full((size, size, 3), 128, np.uint8)
    out[: inner.shape[0], : inner.shape[1]] = inner
    return out, step


def pack(path, row, landmarks, model, out):
    with np.load(landmarks) as file:
        points, valid = file["points"].astype(np.float64), file["valid"]
    if not valid.any():
        return f"{path.name}: no face"
    scale, rotation, shift, identity, delta = coefficients(model, points, valid)
    smooth_scale, smooth_shift = np.exp(smoothed(np.log(scale), valid)), smoothed(shift, valid)
    smooth_rotation = orthonormal(smoothed(rotation, valid))
    stem = out / name_of(path)
    crops, wide, whole = (Jpegs(stem.with_suffix(s)) for s in (".crops", ".wide", ".whole"))
    matrices, wide_frames, wide_matrices, whole_frames, whole_steps = [], [], [], [], []
    for t, frame in enumerate(frames(path)):
        if t >= len(valid):
            break
        if t % WHOLE == 0:
            image, step = letterbox(frame)
            whole.add(image)
            whole_frames.append(t)
            whole_steps.append(step)
        if not valid[t]:
            matrices.append(np.zeros((2, 3)))
            crops.offsets.append(crops.offsets[-1])
            continue
        pose = geometry.Pose(smooth_scale[t], smooth_rotation[t], smooth_shift[t])
        matrix = geometry.crop_to_frame(pose, CENTRE, SIDE)
        crops.add(geometry.sample(frame, matrix))
        matrices.append(matrix)
        if t % STRIDE == 0:
            upright = geometry.Pose(pose.scale, np.eye(3), pose.project(np.asarray(CENTRE)))
            matrix = geometry.crop_to_frame(upright, (0, 0, 0), SIDE * WIDE, 224)
            wide.add(geometry.sample(frame, matrix, 224))
            wide_frames.append(t)
            wide_matrices.append(matrix)
    count = len(matrices)
    meta = dict(
        crops=crops.close(), wide=wide.close(), whole=whole.close(), wide_frames=wide_frames,
        wide_matrices=wide_matrices, whole_frames=whole_frames, whole_steps=whole_steps,
        points=points[:count].astype(np.float32), valid=valid[:count], matrix=np.asarray(matrices, np.float32),
        scale=smooth_scale[:count], rotation=smooth_rotation[:count], shift=smooth_shift[:count],
        identity=identity, delta=delta[:count].astype(np.float32),
        audio=audio_16k(path) if row["sound"] == "y" else np.zeros(0, np.float32),
        person=row["person"], split=row["split"], rights=row["rights"], av_offset=row["av_offset"])
    with open(stem.with_suffix(".part"), "wb") as file:
        np.savez(file, **meta)
    stem.with_suffix(".part").rename(stem.with_suffix(".npz"))
    return f"{path.name}: {int(valid.sum())} of {count} frames"


def main():
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("data", "landmarks", "model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--shard", default="0/1")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    model = dict(np.load(arguments.model))
    shard, shards = map(int, arguments.shard.split("/"))
    with open(arguments.data / "MANIFEST.tsv") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t")
                if row["split"] == arguments.split and "audio/" not in row["file"]]
    for row in rows[shard::shards]:
        path = arguments.data / row["file"]
        landmarks = arguments.landmarks / f"{name_of(path)}.npz"
        if (arguments.out / f"{name_of(path)}.npz").exists() or not landmarks.exists():
            continue
        print(pack(path, row, landmarks, model, arguments.out), flush=True)


if __name__ == "__main__":
    main()
