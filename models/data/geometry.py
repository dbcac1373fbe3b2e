"""Crop, inpainting mask (section 3.1) and lip points from the parameters of a face. The Rust engine's `face/` computes
the same; `tests/golden/geometry.safetensors` (written by `golden.py`) checks that both agree.
"""
from dataclasses import dataclass

import cv2
import numpy as np

IMAGE = 256


@dataclass
class Pose:
    """Weak perspective: pixel = scale * (R v)_xy + shift, v in units of the face model."""
    scale: float
    rotation: np.ndarray            # [3, 3]
    shift: np.ndarray               # [2]

    def project(self, vertices):
        """Vertices [.., 3] of the face model -> pixels [.., 2]."""
        return self.scale * (vertices @ self.rotation.T)[..., :2] + self.shift


def crop_to_frame(pose, centre, side, size=IMAGE):
    """The aligned crop as a 2x3 similarity from crop pixels to frame pixels (edges at integers).

    Its centre `centre` is a fixed point of the face model, its side `side` times the face's scale, its
    roll that of the head: it depends on the pose alone, so that speaking does not move it.
    """
    middle = pose.project(np.asarray(centre))
    roll = np.arctan2(-pose.rotation[0, 1], pose.rotation[1, 1])
    step = side * pose.scale / size
    a, b = step * np.cos(roll), step * np.sin(roll)
    matrix = np.array([[a, -b, 0.0], [b, a, 0.0]])
    matrix[:, 2] = middle - matrix[:, :2] @ np.array([size / 2, size / 2])
    return matrix


def invert(matrix):
    """The inverse of an affine map [2, 3]."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -(linear @ matrix[:, 2])[:, None]], 1)


def apply(matrix, points):
    """Points [.., 2] under an affine map [2, 3]."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def sample(frame, matrix, size=IMAGE):
    """The crop [size, size, 3] of a frame [H, W, 3]; an area filter where it shrinks, edges repeated."""
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


def mesh(model, identity, expression):
    """[V, 3] vertices of a face, units of the face model."""
    shape = model["mean"] + np.tensordot(identity, model["identity"], 1)
    return shape + np.tensordot(expression, model["expression"], 1)


def meshes(model, identity, expression, mouth):
    """The face with the mouth open, and with it closed (section 3.1). The mouth that the frame shows has no part in
    either: an outline that followed it would tell the generator what the source says."""
    result = []
    for state in (model["open"], model["closed"]):
        delta = np.array(expression)
        delta[:mouth] = state[:mouth]
        result.append(mesh(model, identity, delta))
    return result


def fill(polygon, size=IMAGE):
    """[size, size] bool: pixels whose centre lies in the polygon [R, 2] (non-zero winding)."""
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


def smoothstep(x):
    """0 below 0, 1 above 1, smooth between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def insets(polygons, inset, size=IMAGE):
    """[size, size] distance from the hole's edge at which alpha begins to rise. `inset`: {"beside", "below"}, in
    pixels: beside the jaw nothing moves with speech, below the chin the generated jaw needs the room."""
    middle = np.concatenate(polygons).mean(0)
    x, y = np.arange(size) + 0.5 - middle[0], (np.arange(size) + 0.5 - middle[1])[:, None]
    down = y / np.maximum(np.hypot(x, y), 1)
    return inset["beside"] + (inset["below"] - inset["beside"]) * smoothstep((down - 0.4) / 0.4)


def pose_aware_mask(polygons, grow, feather, inset=None, size=IMAGE):
    """(mask, alpha), both [size, size] float32: 1 where the network inpaints, and the
    weight of its result in the output. alpha is 0 outside the mask and rises to 1 over `feather` pixels from `inset`
    pixels inside it."""
    inside = np.zeros((size, size), bool)
    for polygon in polygons:
        inside |= fill(polygon, size)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    mask = away <= grow
    mask[:2] = mask[-2:] = mask[:, :2] = mask[:, -2:] = False
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    begin = insets(polygons, inset, size) if inset else 0
    return mask.astype(np.float32), (smoothstep((depth - 0.5 - begin) / feather) * mask).astype(np.float32)


def rectangle(options, size=IMAGE):
    """(mask, alpha) of a rectangle, the lower half of the crop, as other methods have it (ablation "w/o Pose Mask")."""
    mask = np.zeros((size, size), np.float32)
    edge = size // 16
    mask[size // 2: size - edge, edge: size - edge] = 1
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return mask, smoothstep((depth - 0.5) / (options["feather"] * size / IMAGE)).astype(np.float32)


def inpainting_mask(polygons, options, size=IMAGE):
    """(mask, alpha), both [size, size], with the parameters of a config's "mask": lengths in pixels of a 256 crop."""
    if options.get("rectangle"):
        return rectangle(options, size)
    scale = size / IMAGE
    inset = {side: value * scale for side, value in options.get("inset", {}).items()}
    return pose_aware_mask(polygons, options["grow"] * scale, options["feather"] * scale, inset, size)


def occlusion(logits, hole):
    """[size, size] in [0, 1]: what lies in front of the face, of the segmenter's logits at half the size; `hole` [size,
    size]: the inpainting mask. Only what is connected with a sure answer outside the mask counts."""
    unsure, sure = -1.0, 1.0
    count, parts = cv2.connectedComponents((logits > unsure).astype(np.uint8), connectivity=4)
    found = np.zeros(count, bool)
    found[parts[(logits > sure) & (hole[::2, ::2] == 0)]] = True
    found[0] = False
    attached = np.where(found[parts], logits, np.minimum(logits, unsure)).astype(np.float32)
    large = cv2.resize(attached, hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    share = ((large - unsure) / (sure - unsure)).clip(0, 1)
    return share * share * (3 - 2 * share)


def masked_regions(model, pose, identity, expression, mouth, matrix):
    """The two contour polygons [R, 2] in crop pixels: mouth open, mouth closed."""
    back = invert(matrix)
    return [apply(back, pose.project(posed[model["ring"]]))
            for posed in meshes(model, identity, expression, mouth)]


def warp_vertices(model):
    """[C] vertices that guide the reference warp: lips and jaw first, then the rest of the contour."""
    return np.concatenate([model["lips"], [v for v in model["ring"] if v not in set(model["lips"])]]).astype(int)


def lip_points(model, pose, identity, shape, mouth, matrix, size=IMAGE, vertices=None):
    """[P, 2] lip and jaw points of a mouth shape in [-1, 1] of the crop, or those of other `vertices`."""
    delta = np.zeros(len(model["expression"]), np.float32)
    delta[:mouth] = shape
    vertices = (model["mean"] + np.tensordot(identity, model["identity"], 1)
                + np.tensordot(delta, model["expression"], 1))[model["lips"] if vertices is None else vertices]
    return apply(invert(matrix), pose.project(vertices)) / (size / 2) - 1
