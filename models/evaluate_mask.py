"""Measures whether the mask covers the mouth and moves smoothly, by the teacher's landmarks on source and result.

    stylelipsync render --video clip.mp4 --audio other.wav --out made/clip.mp4 --matte mattes/clip.mkv   (each clip)
    python -m data.landmarks --data made --out made-landmarks
    python evaluate_mask.py --truth W/landmarks --made made-landmarks --mattes mattes

Cover, of the source's landmarks and of the result's, in each painted frame: all 40 points of the lips
(outer and inner outline) where the matte is above one half; the 7 points of the jaw that the lip hint
draws (397 ... 152 ... 172), and all 15 of the jaw line between the ends of the mask's contour, the outermost
at the jaw's angle under the ear, where it is above 0.

Smoothness: mean length of the second difference in time, over the distance of the outer eye corners, of
the matte's centroid, of its outline (where it falls to one half, in 48 directions from the centroid) and
of the logarithm of its area, over runs of frames painted at full strength; next to it the same of the head by
the teacher's landmarks in the source (points that do not move with the mouth), raw and smoothed like the
engine's tracks.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np

from data.face_model import INSIDE_LIPS, JAW, OUTER_LIPS, RING
from data.landmarks import frames

MOUTH = OUTER_LIPS + INSIDE_LIPS
CONTOUR = RING[1:RING.index(132)]               # 288 ... 152 ... 58
STILL = [10, 67, 297, 33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 127, 356]
DIRECTIONS = 48
LIMITS = (0.5, 0.0, 0.0)                       # of the matte at lips, jaw, contour


def value_at(matte, points):
    """Bilinear values of a picture at points [.., 2] (edges at integers); 0 outside."""
    at = points if points.ndim == 3 else points[None]
    return cv2.remap(matte, (at - 0.5).astype(np.float32), None, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_CONSTANT, borderValue=0).reshape(points.shape[:-1])


def shape_of(matte):
    """(centroid [2], outline [48, 2], log area) of a matte."""
    total = cv2.moments(matte)
    centre = np.array([total["m10"], total["m01"]]) / total["m00"] + 0.5
    angle = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    ways = np.stack([np.cos(angle), np.sin(angle)], 1)
    steps = np.arange(0, 0.75 * max(matte.shape), 0.5)
    values = value_at(matte, centre + steps[:, None, None] * ways)
    # The first crossing of one half, between two steps.
    under = (values < 0.5).argmax(0)
    first, second = values[under - 1, np.arange(DIRECTIONS)], values[under, np.arange(DIRECTIONS)]
    reach = (under - 1 + np.clip((first - 0.5) / np.maximum(first - second, 1e-6), 0, 1)) * 0.5
    return centre, centre + reach[:, None] * ways, float(np.log(total["m00"]))


def eyes(points):
    """Distance of the outer eye corners of landmarks [.., V, 2]."""
    return np.linalg.norm(points[..., 33, :] - points[..., 263, :], axis=-1)


def second(values):
    """Second differences in time [T - 2, ..]."""
    return values[:-2] - 2 * values[1:-1] + values[2:]


def binomial(values):
    """[T - 4, ..] smoothed over five frames by binomial weights."""
    return (values[:-4] + 4 * values[1:-3] + 6 * values[2:-2] + 4 * values[3:-1] + values[4:]) / 16


def length(values):
    """Mean length over everything but time."""
    values = np.linalg.norm(values, axis=-1)
    return values.reshape(len(values), -1).mean(1)


def runs(flags):
    """[(first, last + 1)] of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2]))


def log_scale(points):
    """[T] logarithm of the mean distance of points [T, P, 2] from their centroid."""
    return np.log(np.linalg.norm(points - points.mean(-2, keepdims=True), axis=-1).mean(-1))


def jitter(shapes, truth, full):
    """Rows [frames, 8]: centroid, outline, area of the matte; head's centroid and points, raw, then smoothed
    like the tracks; squared scale as the head's area."""
    rows = []
    for first, last in runs(full):
        if last - first < 9:
            continue
        span = slice(first, last)
        centre, outline, area = (np.stack([s[k] for s in shapes[span]]) for k in range(3))
        head = truth[span][:, STILL].astype(float)
        calm, unit = binomial(head), eyes(truth[span])[3:-3]
        inner = lambda v: second(v)[2:-2]
        rows.append(np.stack([
            length(inner(centre)) / unit, length(inner(outline)) / unit, np.abs(inner(area)),
            length(inner(head.mean(1))) / unit, length(inner(head)) / unit,
            length(second(calm.mean(1))) / unit, length(second(calm)) / unit, 2 * np.abs(second(log_scale(calm)))], 1))
    return np.concatenate(rows) if rows else np.zeros((0, 8))


def measure(truth_path, made_path, matte_path):
    """(rows [frames, 8] of t, the matte's maximum and its minima at the parts of source and result; frames with a
    face; painted frames; rows of `jitter`) of one clip."""
    with np.load(truth_path) as a, np.load(made_path) as b:
        truth, made = a["points"][..., :2], b["points"][..., :2]
        valid, made_valid = a["valid"], b["valid"]
    covered, shapes, full, painted, seen = [], [], [], 0, 0
    for t, frame in enumerate(frames(matte_path)):
        if t >= min(len(truth), len(made)):
            break
        matte = frame[..., 0].astype(np.float32) / 255
        seen += bool(valid[t])
        on = bool(valid[t]) and matte.max() > 0
        painted += on
        full.append(on and matte.max() > 0.99)
        shapes.append(shape_of(matte) if full[-1] else None)
        if on:
            record = [float(matte.max())]
            for points, there in ((truth[t], True), (made[t], bool(made_valid[t]))):
                record += [value_at(matte, points[part]).min() if there else np.nan
                           for part in (MOUTH, JAW, CONTOUR)]
            covered.append([t, *record])
    moves = jitter(shapes, truth[: len(full)], np.array(full))
    return np.array(covered).reshape(-1, 2 + 2 * len(LIMITS)), seen, painted, moves


def inside(covered):
    """[frames, lips jaw contour of source, of result]: 1 covered, 0 not, NaN where the teacher sees no face."""
    values = covered[:, 2:]
    return np.where(np.isnan(values), np.nan, values > np.array(LIMITS * 2))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("truth", "made", "mattes"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    everything, shaking, seen, painted = [], [], 0, 0
    head = "  lips    jaw    contour"
    print(f"{'clip':44} faces painted  source:{head}  result:{head}   matte: centre outline  head: centre points")
    for path in sorted(arguments.made.glob("*.npz")):
        truth, matte = arguments.truth / path.name, arguments.mattes / f"{path.stem}.mkv"
        if not (truth.exists() and matte.exists()):
            continue
        covered, faces, on, shake = measure(truth, path, matte)
        within = inside(covered[covered[:, 1] > 0.99])
        moves = shake[:, [0, 1, 5, 6]].mean(0) if len(shake) else [np.nan] * 4
        rates = "          ".join(" ".join(f"{v:.4f}" for v in part) for part in np.split(np.nanmean(within, 0), 2))
        moved = "            {:.5f} {:.5f}       {:.5f} {:.5f}".format(*moves)
        print(f"{path.stem[:44]:44} {faces:5d} {on:7d}         {rates}{moved}", flush=True)
        everything.append(covered), shaking.append(shake)
        seen, painted = seen + faces, painted + on
    covered, shake = np.concatenate(everything), np.concatenate(shaking)
    full = covered[covered[:, 1] > 0.99]
    print(f"{len(everything)} clips: {seen} frames with a face, painted {painted / seen:.4f}, "
          f"at full strength {len(full) / seen:.4f}")
    for name, rows in zip(("source", "result"), np.split(inside(full), 2, 1)):
        rows = rows[~np.isnan(rows[:, 0])]
        print(f"  {name}, {len(rows)} frames at full strength with landmarks: "
              + "lips {:.4f}, jaw {:.4f}, contour {:.4f}".format(*rows.mean(0))
              + f"; lips and jaw {rows[:, :2].all(1).mean():.4f}")
    mean = shake.mean(0)
    print(f"  second differences over {len(shake)} frames, in eye distances: matte's centre {mean[0]:.5f}, "
          f"outline {mean[1]:.5f}; head's centre {mean[3]:.5f} raw, {mean[5]:.5f} smoothed, "
          f"points {mean[4]:.5f} raw, {mean[6]:.5f} smoothed; "
          f"matte over smoothed head x{mean[0] / mean[5]:.2f} centre, x{mean[1] / mean[6]:.2f} outline; "
          f"log area {mean[2]:.5f}, head {mean[7]:.5f} (x{mean[2] / mean[7]:.2f})")


if __name__ == "__main__":
    main()
