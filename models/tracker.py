"""Faces of whole frames from detector and mesh predictor, as in `src/track/` (detect, track, quality, smooth), so that
measurements apply to the engine.
"""
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

import checkpoint
from data import geometry
from data.pack import CENTRE, SIDE
from networks.encoders import Detector, MeshPredictor

MOST = 8


@dataclass
class Face:
    """A face in a frame; pixels are the frame's."""
    pose: geometry.Pose
    identity: np.ndarray
    expression: np.ndarray
    seen: float                     # the network's own confidence, (0, 1)
    confidence: float               # times its visibility: used by the engine
    centre: np.ndarray
    side: float

    def points(self, model):
        """[V, 2] landmarks."""
        mesh = (model["mean"] + np.tensordot(self.identity, model["identity"], 1)
                + np.tensordot(self.expression, model["expression"], 1))
        return self.pose.project(mesh)


def ramp(v, low, high):
    """0 at low, 1 at high, smooth in between."""
    t = np.clip((v - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def fade(confidence):
    """Strength of the effect for a confidence; above 0 the frame is painted on."""
    return ramp(confidence, 0.25, 0.6)


def visibility(pose, centre, side, size):
    """What of a face can be worked with, [0, 1]; `size` is the frame's (width, height)."""
    low, high = np.maximum(centre - 0.4 * side, 0), np.minimum(centre + 0.4 * side, size)
    share = np.maximum((high - low) / (0.8 * side), 0)
    return float(ramp(side, 20, 40) * ramp(pose.rotation[2, 2], 0.26, 0.64) * ramp(share[0] * share[1], 0.5, 0.9))


def letterbox(frame, size):
    """(the frame in the upper left of a square of `size` pixels, grey beyond; its scale)."""
    height, width = frame.shape[:2]
    scale = size / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    out = np.full((size, size, 3), 128, np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out[: inner[1], : inner[0]] = cv2.resize(frame, inner, interpolation=how)
    return out, scale


def covers(a, b):
    """Whether two squares (centre, side) are the same face."""
    (at, length), (other, side) = a, b
    shared = np.prod(np.maximum(np.minimum(at + length / 2, other + side / 2)
                                - np.maximum(at - length / 2, other - side / 2), 0))
    return shared > 0.35 * (length ** 2 + side ** 2 - shared) or shared > 0.6 * min(length, side) ** 2


def boxes(score, box, options):
    """[(centre, side, score)] in the detector's pixels, the largest first. `score` are logits [C, C]."""
    stride = options["stride"]
    around = cv2.dilate(score, np.ones((3, 3), np.uint8))
    threshold = np.log(options["threshold"] / (1 - options["threshold"]))
    found = []
    for y, x in np.argwhere((score >= around) & (score >= threshold)):
        dx, dy, log_side = box[:, y, x]
        side = float(np.exp(log_side)) * stride
        if 1 <= side < 4 * options["size"]:
            found.append((np.array([x + 0.5 + dx, y + 0.5 + dy]) * stride, side, float(score[y, x])))
    kept = []
    for face in sorted(found, key=lambda f: -f[2]):
        if not any(covers(face[:2], other[:2]) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda f: -f[1])[:MOST]


def square(centre, side, size):
    """Upright square -> 2x3 from crop pixels to frame pixels."""
    step = side / size
    return np.array([[step, 0, centre[0] - side / 2], [0, step, centre[1] - side / 2]])


def tensor(pictures):
    """Pictures [H, W, 3] uint8 of one size -> [B, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2) / np.float32(127.5) - 1)


class Tracker:
    """Detector and mesh predictor of a checkpoint folder, on the CPU."""

    def __init__(self, config, work):
        self.options, self.mesh_options = config["detector"], config["mesh"]
        self.detector, self.mesh = Detector(config).eval(), MeshPredictor(config).eval()
        for name, network in (("detector", self.detector), ("mesh", self.mesh)):
            if not checkpoint.restore(work, name, network):
                raise SystemExit(f"{work} holds no {name}.safetensors")

    @torch.no_grad()
    def detect(self, frames):
        """For each frame: (score logits [C, C], [(centre, side, score)] in its own pixels)."""
        pictures, scales = zip(*(letterbox(f, self.options["size"]) for f in frames))
        score, box = (v.numpy() for v in self.detector(tensor(pictures)))
        return [(s[0], [(c / k, side / k, p) for c, side, p in boxes(s[0], b, self.options)])
                for s, b, k in zip(score, box, scales)]

    @torch.no_grad()
    def measure(self, crops):
        """[(frame [H, W, 3], crop to frame [2, 3])] -> a Face for each."""
        if not crops:
            return []
        size = self.mesh_options["size"]
        out = self.mesh(tensor([geometry.sample(frame, matrix, size) for frame, matrix in crops]))
        faces = []
        for (frame, matrix), *row in zip(crops, *(v.double().numpy() for v in out)):
            identity, expression, turn, shift, log_scale, confidence = row
            step = float(np.hypot(matrix[0, 0], matrix[1, 0]))
            roll = np.array([[matrix[0, 0] / step, matrix[0, 1] / step, 0],
                             [matrix[1, 0] / step, matrix[1, 1] / step, 0], [0, 0, 1]])
            pose = geometry.Pose(float(np.exp(log_scale[0])) * size / 2 * step, roll @ cv2.Rodrigues(turn)[0],
                                 geometry.apply(matrix, (shift + 1) * size / 2))
            centre, side = pose.project(np.asarray(CENTRE)), SIDE * pose.scale
            seen = float(1 / (1 + np.exp(-confidence[0])))
            faces.append(Face(pose, identity, expression, seen,
                              seen * visibility(pose, centre, side, frame.shape[1::-1]), centre, side))
        return faces

    def again(self, frame, face):
        """(frame, crop to frame) of the second pass: upright, centred, of the right size."""
        options = self.mesh_options
        return frame, geometry.crop_to_frame(face.pose, CENTRE, SIDE * options["margin"], options["size"])

    def track(self, frames, detections=None):
        """The faces of each frame, the detector's largest first."""
        places = [(i, frame, square(c, side * self.mesh_options["margin"], self.mesh_options["size"]))
                  for i, (frame, (_, found)) in enumerate(zip(frames, detections or self.detect(frames)))
                  for c, side, _ in found]
        first = self.measure([p[1:] for p in places])
        second = self.measure([self.again(p[1], face) for p, face in zip(places, first)])
        result = [[] for _ in frames]
        for (i, *_), face in zip(places, second):
            place = face.centre, face.side
            same = [k for k, other in enumerate(result[i]) if covers((other.centre, other.side), place)]
            if not same:
                result[i].append(face)
            elif result[i][same[0]].confidence < face.confidence:
                result[i][same[0]] = face
        return result


def smooth(window):
    """The middle of five faces (None where there is none), its neighbours counted by binomial weights,
    each only together with its mirror image in time."""
    middle = window[2]
    faces = [(6, middle)] + [(w, f) for k, w in ((1, 4), (2, 1)) if window[2 - k] and window[2 + k]
                             for f in (window[2 - k], window[2 + k])]
    weight = np.array([w for w, _ in faces], float)
    mean = lambda value: np.tensordot(weight, np.stack([value(f) for _, f in faces]), 1) / weight.sum()
    u, _, vt = np.linalg.svd(mean(lambda f: f.pose.rotation))
    pose = geometry.Pose(float(np.exp(mean(lambda f: np.log(f.pose.scale)))), u @ vt, mean(lambda f: f.pose.shift))
    return replace(middle, pose=pose, expression=mean(lambda f: f.expression),
                   confidence=float(mean(lambda f: f.confidence)),
                   centre=pose.project(np.asarray(CENTRE)), side=SIDE * pose.scale)
