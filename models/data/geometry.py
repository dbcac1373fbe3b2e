"""From a face's parameters to crop, mask and lip points. The Rust engine's `face/` does the same;
`tests/golden/geometry.safetensors` (written by `golden.py`) holds both to one answer.
"""
from dataclasses import dataclass

import cv2
import numpy as np

IMAGE = 256


@dataclass
class Pose:
    """Weak perspective: pixel = scale * (R v)_xy + t."""
    scale: float
    rotation: np.ndarray            # [3, 3]
    shift: np.ndarray               # [2]

    def project(self, vertices):
        return self.scale * (vertices @ self.rotation.T)[..., :2] + self.shift


def crop_to_frame(pose, centre, side, size=IMAGE):
    """The aligned crop as a 2x3 similarity from crop pixels to frame pixels (edges at integers).

    Its centre is a fixed point of the face, its side a multiple of the face's scale, its roll the
    head's: it depends on the pose alone, so that talking does not move it.
    """
    middle = pose.project(np.asarray(centre))
    roll = np.arctan2(-pose.rotation[0, 1], pose.rotation[1, 1])
    step = side * pose.scale / size
    a, b = step * np.cos(roll), step * np.sin(roll)
    matrix = np.array([[a, -b, 0.0], [b, a, 0.0]])
    matrix[:, 2] = middle - matrix[:, :2] @ np.array([size / 2, size / 2])
    return matrix


def invert(matrix):
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -(linear @ matrix[:, 2])[:, None]], 1)


def apply(matrix, points):
    return points @ matrix[:, :2].T + matrix[:, 2]


def sample(frame, matrix, size=IMAGE):
    """Crops a frame [H, W, 3]; shrinks through an area filter, edges repeated."""
    step = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    shrink = max(1, int(np.floor(step + 0.25)))
    fine = matrix.copy()
    fine[:, :2] /= shrink
    # cv2 puts pixel centres at integers, the crop's similarity puts edges there.
    offset = fine[:, :2] @ np.array([0.5, 0.5]) + fine[:, 2] - 0.5
    warp = np.concatenate([fine[:, :2], offset[:, None]], 1)
    image = cv2.warpAffine(frame, warp, (size * shrink, size * shrink),
                           flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return image if shrink == 1 else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def meshes(model, identity, expression, mouth):
    """The frame's own mesh, the same face with the mouth open, and with it closed (section 3.1)."""
    shape = model["mean"] + np.tensordot(identity, model["identity"], 1)
    result = []
    for words in (None, model["open"], model["closed"]):
        delta = np.array(expression)
        if words is not None:
            delta[:mouth] = words[:mouth]
        result.append(shape + np.tensordot(delta, model["expression"], 1))
    return result


def fill(polygon, size=IMAGE):
    """Pixels whose centre lies in the polygon (non-zero winding)."""
    centres = np.arange(size) + 0.5
    winding = np.zeros((size, size), np.int32)
    following = np.roll(polygon, -1, 0)
    for (x0, y0), (x1, y1) in zip(polygon, following):
        if y0 == y1:
            continue
        rows = np.nonzero((centres >= min(y0, y1)) & (centres < max(y0, y1)))[0]
        cross = x0 + (centres[rows] - y0) * (x1 - x0) / (y1 - y0)
        winding[rows] += np.where(centres[None] > cross[:, None], 1 if y1 > y0 else -1, 0)
    return winding != 0


def pose_aware_mask(polygons, grow, feather, size=IMAGE):
    """(hole, alpha), both [size, size] float32: what the network does not see, and how much of what
    it paints is shown. alpha is 0 outside the hole and rises to 1 `feather` pixels inside."""
    inside = np.zeros((size, size), bool)
    for polygon in polygons:
        inside |= fill(polygon, size)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    hole = away <= grow
    hole[:2] = hole[-2:] = hole[:, :2] = hole[:, -2:] = False
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ramp = np.clip((depth - 0.5) / feather, 0, 1)
    return hole.astype(np.float32), (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def rectangle(options, size=IMAGE):
    """(hole, alpha) of the rectangle that others mask: the crop's lower half (ablation "w/o Pose Mask")."""
    hole = np.zeros((size, size), np.float32)
    edge = size // 16
    hole[size // 2: size - edge, edge: size - edge] = 1
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ramp = np.clip((depth - 0.5) / (options["feather"] * size / IMAGE), 0, 1)
    return hole, (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def mask(polygons, options, size=IMAGE):
    """(hole, alpha) as a config's "mask" says, its lengths being of a crop of 256."""
    if options.get("rectangle"):
        return rectangle(options, size)
    scale = size / IMAGE
    return pose_aware_mask(polygons, options["grow"] * scale, options["feather"] * scale, size)


def masked_regions(model, pose, identity, expression, mouth, matrix):
    """The three ring polygons in crop pixels."""
    back = invert(matrix)
    return [apply(back, pose.project(mesh[model["ring"]]))
            for mesh in meshes(model, identity, expression, mouth)]


def carried(model):
    """Vertices that the reference's picture is carried along with: lips and jaw, then the rest of the ring."""
    return np.concatenate([model["lips"], [v for v in model["ring"] if v not in set(model["lips"])]]).astype(int)


def lip_points(model, pose, identity, shape, mouth, matrix, size=IMAGE, vertices=None):
    """[P, 2] lip and jaw points of a mouth shape in [-1, 1] of the crop, or those of other `vertices`."""
    delta = np.zeros(len(model["expression"]), np.float32)
    delta[:mouth] = shape
    vertices = (model["mean"] + np.tensordot(identity, model["identity"], 1)
                + np.tensordot(delta, model["expression"], 1))[model["lips"] if vertices is None else vertices]
    return apply(invert(matrix), pose.project(vertices)) / (size / 2) - 1
