"""Packs clips for training: aligned 256x256 crops, wide crops, whole frames, poses, audio.

Needs the teacher's landmarks (`landmarks.py`) and the face model (`face_model.py`). `prepare.py`
runs all three, with filters and a manifest. For each clip writes, resumably:

    <name>.crops      the aligned crops, JPEGs one after the other (25 a second)
    <name>.wide       upright crops of twice the side, every STRIDE-th frame, for the mesh predictor
    <name>.whole      letterboxed frames of 320x320, every WHOLE-th, for the detector
    <name>.npz        offsets of the JPEGs, poses, coefficients, similarity, 16 kHz audio, provenance

    python -m data.pack --data DIR --landmarks DIR --model face_model.npz --out DIR [--split train]
"""
import argparse
import csv
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data import face_model, files, geometry
from data.landmarks import frames, name_of

CENTRE, SIDE = (0.0, 0.2, 0.25), 2.1    # the crop protocol, in model units (see manifest.json)
WIDE, WIDE_SIZE = 2.0, 224              # side of a wide crop, in crop sides and in pixels
STRIDE, WHOLE = 3, 12
JUMP = 0.35                             # of the crop's side in one frame: more than any head moves
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 92]


class Jpegs:
    """JPEGs one after the other in a file, with their offsets."""

    def __init__(self, file):
        self.file, self.offsets = file, [0]

    def add(self, rgb):
        """Encodes and writes one picture [H, W, 3] uint8."""
        self.add_encoded(cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), QUALITY)[1].tobytes())

    def add_encoded(self, data):
        """Writes the bytes of one JPEG."""
        self.file.write(data)
        self.offsets.append(self.offsets[-1] + len(data))

    def skip(self):
        """No picture of this frame."""
        self.offsets.append(self.offsets[-1])

    def table(self):
        """Offsets [N + 1] of N pictures."""
        return np.asarray(self.offsets, np.int64)


def audio_16k(path):
    """Mono float32 samples at 16 kHz of a file, empty if it has no audio."""
    out = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-vn", "-ac", "1", "-ar", "16000",
                          "-f", "f32le", "-"], capture_output=True).stdout
    return np.frombuffer(out, np.float32)


def smoothed(values, valid):
    """Values [T, ..] smoothed over five valid frames by binomial weights, as the engine smooths tracks."""
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
    """The nearest orthonormal matrices of [.., 3, 3]."""
    u, _, vt = np.linalg.svd(matrices)
    return u @ vt


@dataclass
class Track:
    """A clip's face in the face model, smoothed; zeros in frames without a face."""
    points: np.ndarray              # [T, V, 3] float32, the teacher's, pixels of the frame
    valid: np.ndarray               # [T]
    scale: np.ndarray               # [T] pixels of one model unit
    rotation: np.ndarray            # [T, 3, 3]
    shift: np.ndarray               # [T, 2]
    identity: np.ndarray            # [32]
    delta: np.ndarray               # [T, 64] float32
    cut: int                        # frames with a face left out: of another shot or another face

    @property
    def side(self):
        """Median side of the aligned crop in pixels of the source: what "a face of N pixels" means here."""
        return float(SIDE * np.median(self.scale[self.valid])) if self.valid.any() else 0.0


def longest_shot(valid, scale, shift):
    """Frames of the longest stretch in which the face does not jump: between two neighbouring frames
    with a face, at most JUMP crop sides, and JUMP of its size, a frame. A cut in the movie, or a switch
    of the teacher to another face, ends a stretch; smoothing must not cross it."""
    seen = np.nonzero(valid)[0]
    gap = np.minimum(np.diff(seen), 5)
    far = np.hypot(*np.diff(shift[seen], axis=0).T) / (SIDE * scale[seen][:-1])
    grown = np.abs(np.diff(np.log(scale[seen])))
    breaks = np.nonzero((far > JUMP * gap) | (grown > JUMP * gap))[0] + 1
    longest = max(np.split(seen, breaks), key=len)
    keep = np.zeros_like(valid)
    keep[longest] = True
    return keep


def track(points, valid, model):
    """Pose, identity and expression of a clip in the face model, from the teacher's landmarks."""
    count, valid = len(valid), np.asarray(valid, bool)
    scale, rotation, shift = np.zeros(count), np.zeros((count, 3, 3)), np.zeros((count, 2))
    identity, delta = np.zeros(len(model["identity"])), np.zeros((count, len(model["expression"])), np.float32)
    if not valid.any():
        return Track(points.astype(np.float32), valid, scale, rotation, shift, identity, delta, 0)
    posed = points[valid].astype(np.float64)
    scale[valid], rotation[valid], full = face_model.rigid(model["mean"], posed, model["still"])
    shift[valid] = full[:, :2]
    mesh = face_model.normalise(posed, scale[valid], rotation[valid], full)
    kept = longest_shot(valid, scale, shift)
    mesh, cut = mesh[kept[valid]], int(valid.sum() - kept.sum())
    rest = np.median(mesh, 0)
    flat = lambda basis: basis.reshape(len(basis), -1)
    identity = face_model.project(flat(model["identity"]), (rest - model["mean"]).reshape(1, -1), 1e-3)[0]
    delta[kept] = face_model.project(flat(model["expression"]), (mesh - rest).reshape(len(mesh), -1), 1e-3)
    safe = np.where(kept, scale, 1.0)
    return Track(points.astype(np.float32), kept, np.exp(smoothed(np.log(safe), kept)),
                 orthonormal(smoothed(rotation, kept)), smoothed(shift, kept), identity, delta, cut)


def letterbox(frame, size=320):
    """(picture [size, size, 3] on grey, scale) of a frame."""
    height, width = frame.shape[:2]
    step = size / max(height, width)
    inner = cv2.resize(frame, (round(width * step), round(height * step)), interpolation=cv2.INTER_AREA)
    out = np.full((size, size, 3), 128, np.uint8)
    out[: inner.shape[0], : inner.shape[1]] = inner
    return out, step


def write(path, stem, face, audio, note):
    """Writes one clip's files (see above), the .npz last. `note`: person, split, rights, av_offset.
    Gives the number of frames; ValueError where no frame can be decoded."""
    table, matrices, wide_frames, wide_matrices, whole_frames, whole_steps = {}, [], [], [], [], []
    with ExitStack() as stack:
        crops, wide, whole = (Jpegs(stack.enter_context(files.whole(stem.with_suffix(s))))
                              for s in (".crops", ".wide", ".whole"))
        for t, frame in enumerate(frames(path)):
            if t >= len(face.valid):
                break
            if t % WHOLE == 0:
                image, step = letterbox(frame)
                whole.add(image)
                whole_frames.append(t)
                whole_steps.append(step)
            if not face.valid[t]:
                matrices.append(np.zeros((2, 3)))
                crops.skip()
                continue
            pose = geometry.Pose(face.scale[t], face.rotation[t], face.shift[t])
            matrix = geometry.crop_to_frame(pose, CENTRE, SIDE)
            crops.add(geometry.sample(frame, matrix))
            matrices.append(matrix)
            if t % STRIDE == 0:
                matrix = wide_matrix(pose)
                wide.add(geometry.sample(frame, matrix, WIDE_SIZE))
                wide_frames.append(t)
                wide_matrices.append(matrix)
        if not matrices:
            raise ValueError("no frame could be decoded")
        table = dict(crops=crops.table(), wide=wide.table(), whole=whole.table())
        stem.with_suffix(".npz").unlink(missing_ok=True)        # until the new one is there, there is no clip
    count = len(matrices)
    with files.whole(stem.with_suffix(".npz")) as file:
        np.savez(
            file, **table, wide_frames=wide_frames, wide_matrices=wide_matrices, whole_frames=whole_frames,
            whole_steps=whole_steps, points=face.points[:count], valid=face.valid[:count],
            matrix=np.asarray(matrices, np.float32), scale=face.scale[:count], rotation=face.rotation[:count],
            shift=face.shift[:count], identity=face.identity, delta=face.delta[:count],
            audio=np.asarray(audio, np.float32), **note)
    return count


def wide_matrix(pose):
    """The upright crop of twice the side, from its pixels to the frame's."""
    upright = geometry.Pose(pose.scale, np.eye(3), pose.project(np.asarray(CENTRE)))
    return geometry.crop_to_frame(upright, (0, 0, 0), SIDE * WIDE, WIDE_SIZE)


def pack(path, row, landmarks, model, out):
    """Packs one movie of a manifest; a line for the log."""
    with np.load(landmarks) as file:
        face = track(file["points"], file["valid"], model)
    if not face.valid.any():
        return f"{path.name}: no face"
    audio = audio_16k(path) if row["sound"] == "y" else np.zeros(0, np.float32)
    note = {key: row[key] for key in ("person", "split", "rights", "av_offset")}
    count = write(path, out / name_of(path), face, audio, note)
    return f"{path.name}: {int(face.valid.sum())} of {count} frames"


def main():
    """The command."""
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
