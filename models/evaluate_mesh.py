"""Compares detector and mesh predictor with the teacher, on people outside the training set.

    python evaluate_mesh.py --config config/lite.json --data W/pack --face-model F --work W/checkpoints
                            [--negatives W/negatives/dev] [--clips DATA --landmarks W/landmarks] [--what ...]

`resume.py` makes checkpoints of a shipped bundle. Four measurements, all by default:

    detector   packed whole frames: recall per cell and of the whole tracker
    negatives  pictures without a face (`data/negatives.py`): how often the detector finds one, and how often
               the engine would paint (detector, both passes of the mesh predictor, visibility, fade)
    crops      landmark error and confidence by yaw, and under growing occlusion, blur and coarseness
    clips      consecutive frames of the movies: error, and jitter raw and as the engine smooths it

Error: mean distance of the 468 landmarks over the distance of the outer eye corners in the picture.
Jitter: mean length of the landmarks' second difference in time over the same distance.
"""
import argparse
import csv
import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import torch

from data import geometry
from data.landmarks import frames, name_of
from tracker import Tracker, fade, smooth
from train_mesh import WIDE, Pictures, decode

THRESHOLDS = (0.3, 0.5, 0.7, 0.9)
EYES = (33, 263)


def eyes(points):
    """Distance of the outer eye corners of landmarks [.., V, 2]."""
    return np.linalg.norm(points[..., EYES[0], :] - points[..., EYES[1], :], axis=-1)


def error(made, points):
    """Mean distance of landmarks [.., V, 2] over the eye distance."""
    return np.linalg.norm(made - points, axis=-1).mean(-1) / eyes(points)


def ranks(values):
    """Ranks with ties averaged."""
    values = np.asarray(values)
    order = np.argsort(values, kind="stable")
    place = np.empty(len(values))
    place[order] = np.arange(len(values))
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.bincount(inverse, place) / count)[inverse]


def spearman(a, b):
    """Spearman's rank correlation of [N] and [N]."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def yaw_of(rotation):
    """Degrees; `rotation` [..., 3, 3]."""
    return np.degrees(np.arctan2(rotation[..., 0, 2], rotation[..., 2, 2]))


def batches(items, count=16):
    """Lists of at most `count` items."""
    items = iter(items)
    while batch := list(itertools.islice(items, count)):
        yield batch


def sigmoid(v):
    """Probability of a logit."""
    return 1 / (1 + np.exp(-v))


def on_face(place, row):
    """Whether a found (centre, ..) lies on the face of a row of `Pictures`."""
    return np.linalg.norm(place[0] - row["centre"]) < 0.25 * row["side"]


def detector(tracker, rows, count):
    """Prints the measurement `detector` over at most `count` frames."""
    random = np.random.default_rng(0)
    rows = [r for r in rows if r["kind"] == "whole"]
    rows = [rows[i] for i in random.permutation(len(rows))[:count]]
    hits, shown, off, ratio = dict.fromkeys(THRESHOLDS, 0), 0, [], []
    options = tracker.options
    for batch in batches(rows):
        pictures = [decode(r["jpeg"]) for r in batch]
        detections = tracker.detect(pictures)
        for row, (score, found) in zip(batch, detections):
            best = np.unravel_index(score.argmax(), score.shape)
            unit = options["stride"] * 320 / options["size"]
            near = np.linalg.norm((np.array(best[::-1]) + 0.5) * unit - row["centre"]) < 0.25 * row["side"] + unit
            for threshold in THRESHOLDS:
                hits[threshold] += near and sigmoid(score.max()) >= threshold
            for centre, side, _ in [f for f in found if on_face(f, row)][:1]:
                off.append(np.linalg.norm(centre - row["centre"]) / row["side"]), ratio.append(side / row["side"])
        for row, faces in zip(batch, tracker.track(pictures, detections)):
            shown += any(on_face((f.centre,), row) and fade(f.confidence) > 0 for f in faces)
    print(f"detector, {len(rows)} frames: best cell on the face and above "
          + ", ".join(f"{t}: {hits[t] / len(rows):.4f}" for t in THRESHOLDS)
          + f"; decoded box on the face {len(off) / len(rows):.4f}; painted by the engine {shown / len(rows):.4f}")
    print(f"  centre off by {np.median(off):.3f} of the side, side x{np.median(ratio):.2f} "
          f"({np.percentile(ratio, 5):.2f} to {np.percentile(ratio, 95):.2f})", flush=True)


def negatives(tracker, folder, sheet):
    """Prints the measurement `negatives`; `sheet`: a path for a picture of false positives."""
    kinds, wrong = {}, []
    for batch in batches(sorted(folder.glob("*.jpg"))):
        pictures = [cv2.imread(str(p), cv2.IMREAD_COLOR)[..., ::-1] for p in batch]
        detections = tracker.detect(pictures)
        for path, picture, (score, _), faces in zip(batch, pictures, detections, tracker.track(pictures, detections)):
            sure = max((f.confidence for f in faces), default=0.0)
            kinds.setdefault(path.stem.rpartition("_")[0], []).append((float(sigmoid(score.max())), sure))
            if fade(sure) > 0:
                face = max(faces, key=lambda f: f.confidence)
                wrong.append((path.stem, sure, picture, face))
    everything = [v for values in kinds.values() for v in values]
    print("false positives      pictures  " + "  ".join(f"cell>{t}" for t in THRESHOLDS)
          + "  painted  at full strength")
    for kind, values in [*kinds.items(), ("all", everything)]:
        score, sure = np.array(values).T
        print(f"  {kind:18} {len(values):8d}  " + "  ".join(f"{(score >= t).mean():8.4f}" for t in THRESHOLDS)
              + f"  {(fade(sure) > 0).mean():7.4f}  {(fade(sure) >= 1).mean():7.4f}")
    for name, sure, *_ in wrong[:40]:
        print(f"    painted: {name} ({sure:.2f})")
    if sheet and wrong:
        pieces = []
        for _, _, picture, face in wrong[:40]:
            image = np.ascontiguousarray(picture)
            cv2.circle(image, tuple(int(v) for v in face.centre), int(face.side / 2), (255, 0, 0), 2)
            scale = 200 / max(image.shape[:2])
            pieces.append(np.full((200, 200, 3), 128, np.uint8))
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            pieces[-1][: small.shape[0], : small.shape[1]] = small
        pieces += [np.zeros_like(pieces[0])] * (-len(pieces) % 8)
        cv2.imwrite(str(sheet), np.vstack([np.hstack(pieces[i: i + 8]) for i in range(0, len(pieces), 8)])[..., ::-1])


def crop(row, size, margin):
    """(crop [size, size, 3] of the second pass, the teacher's points in it)."""
    step = margin / 2 * WIDE / size
    matrix = np.array([[step, 0, WIDE / 2 - step * size / 2], [0, step, WIDE / 2 - step * size / 2]])
    return geometry.sample(decode(row["jpeg"]), matrix, size), geometry.apply(geometry.invert(matrix), row["points"])


def hide(image, points, share, other, random):
    """Covers a share of the landmarks from one side, with one colour or with another picture's corner."""
    size, axis, far = image.shape[0], random.integers(2), random.random() < 0.5
    values = np.sort(points[:, axis])
    at = np.quantile(values, 1 - share if far else share) if 0 < share < 1 else size * (share == (not far))
    along = np.arange(size) + 0.5
    under = along > at if far else along < at
    under = np.broadcast_to(under[None] if axis == 0 else under[:, None], (size, size))[..., None]
    cover = (random.random(3) * 255).astype(np.uint8) if random.random() < 0.5 \
        else cv2.resize(other[: size // 5, : size // 5], (size, size), interpolation=cv2.INTER_LINEAR)
    return np.where(under, cover, image)


def blur(image, sigma):
    """Gaussian blur; sigma 0: none."""
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


def coarse(image, side, margin):
    """A crop as if the face had been `side` pixels wide in the movie."""
    count = max(2, round(side * margin))
    small = cv2.resize(image, (count, count), interpolation=cv2.INTER_AREA) if count < image.shape[0] else image
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def see(tracker, model, pictures):
    """Mesh predictor on whole crops: (points [N, V, 2], its confidence [N])."""
    unit = np.array([[1.0, 0, 0], [0, 1, 0]])
    faces = [f for batch in batches(pictures, 32) for f in tracker.measure([(p, unit) for p in batch])]
    return np.stack([f.points(model) for f in faces]), np.array([f.seen for f in faces])


def table(title, unit, rows):
    """Prints [(level, errors [N], confidences [N])], a line each."""
    print(f"{title:>12}  crops  error (median)  95 %    confidence (mean)  5 %    95 %   painted")
    for level, wrong, seen in rows:
        print(f"{level:>12}  {len(wrong):5d}  {np.median(wrong):14.4f}  {np.percentile(wrong, 95):.4f}  "
              f"{seen.mean():17.3f}  {np.percentile(seen, 5):.3f}  {np.percentile(seen, 95):.3f}  "
              f"{(fade(seen) > 0).mean():.3f}")


def crops(tracker, model, rows, count):
    """Prints the measurement `crops`."""
    random = np.random.default_rng(1)
    rows = [r for r in rows if r["kind"] == "wide"]
    rows = [rows[i] for i in random.permutation(len(rows))[:4 * count]]
    size, margin = tracker.mesh_options["size"], tracker.mesh_options["margin"]
    pictures, points = zip(*(crop(r, size, margin) for r in rows))
    points = np.stack(points)
    made, seen = see(tracker, model, pictures)
    wrong, yaw = error(made, points), np.abs(yaw_of(np.stack([r["rotation"] for r in rows])))
    lips = np.linalg.norm(made - points, axis=-1)[:, model["lips"]].mean(1) / eyes(points)
    near = yaw < 45
    print(f"mesh, {len(rows)} crops: landmarks off by {np.median(wrong[near]):.4f} (mean {wrong[near].mean():.4f}, "
          f"95 % {np.percentile(wrong[near], 95):.4f}) of the eye distance for |yaw| < 45, "
          f"lips and jaw by {np.median(lips[near]):.4f}")
    edges = (0, 10, 20, 30, 45, 90)
    table("|yaw|", "deg", [(f"{a}-{b}", wrong[k], seen[k]) for a, b in zip(edges, edges[1:])
                           if (k := (yaw >= a) & (yaw < b)).any()])
    natural = spearman(seen, wrong)
    few = random.permutation(len(rows))[:count]
    spoilt, everything = {
        "hidden": [(s, lambda i, s=s: hide(pictures[i], points[i], s, pictures[few[i % len(few)]], random))
                   for s in (0, 0.1, 0.2, 0.35, 0.5, 0.75, 1)],
        "blur sigma": [(s, lambda i, s=s: blur(pictures[i], s)) for s in (0, 1, 2, 3, 4, 6, 8, 12)],
        "side px": [(s, lambda i, s=s: coarse(pictures[i], s, margin)) for s in (98, 64, 40, 32, 24, 16, 12, 8)],
    }, [(wrong, seen)]
    for title, levels in spoilt.items():
        rows_of = []
        for level, change in levels:
            made, seen_now = see(tracker, model, [change(i) for i in few])
            rows_of.append((level, error(made, points[few]), seen_now))
        table(title, "", rows_of)
        everything.extend(r[1:] for r in rows_of)
        off, sure = (np.concatenate([r[k] for r in rows_of]) for k in (1, 2))
        print(f"  Spearman of confidence with error: {spearman(sure, off):.3f}")
    off, sure = (np.concatenate(v) for v in zip(*everything))
    print(f"Spearman of confidence with error: untouched crops {natural:.3f}, everything {spearman(sure, off):.3f}",
          flush=True)


def second(points):
    """[T, V, 2] -> [T - 2] mean length of the second difference over the eye distance."""
    change = points[:-2] - 2 * points[1:-1] + points[2:]
    return np.linalg.norm(change, axis=-1).mean(-1) / eyes(points[1:-1])


def binomial(points):
    """[T, ...] smoothed over five frames, the ends left out."""
    return (points[:-4] + 4 * points[1:-3] + 6 * points[2:-2] + 4 * points[3:-1] + points[4:]) / 16


def clip(tracker, model, path, landmarks, count):
    """Per-frame records of one movie: found, and for runs with a face its jitter."""
    with np.load(landmarks) as file:
        truth, valid = file["points"][:count, :, :2].astype(float), file["valid"][:count]
    faces = []
    for batch in batches(itertools.islice(frames(path), len(valid))):
        for found in tracker.track(batch):
            t = len(faces)
            middle = truth[t].mean(0)
            near = [f for f in found if valid[t] and np.linalg.norm(f.centre - middle) < 0.5 * f.side]
            faces.append(max(near, key=lambda f: f.confidence) if near else None)
    valid = valid[: len(faces)]
    shown = np.array([f is not None and fade(f.confidence) > 0 for f in faces])
    both = [t for t in range(len(faces)) if valid[t] and faces[t] is not None]
    identity = np.mean([faces[t].identity for t in both], 0)
    raw = np.stack([faces[t].points(model) for t in both])
    smoothed = {}
    for t in both:
        window = [faces[k] if 0 <= k < len(faces) else None for k in range(t - 2, t + 3)]
        face = smooth(window)
        face.identity = identity
        smoothed[t] = face.points(model)
    yaw = np.abs(np.array([yaw_of(faces[t].pose.rotation) for t in both]))
    result = {"valid": int(valid.sum()), "found": len(both), "shown": int((shown & valid).sum()), "yaw": yaw,
              "error": error(raw, truth[both]), "smoothed": error(np.stack([smoothed[t] for t in both]), truth[both])}
    if both == list(range(both[0], both[0] + len(both))) and len(both) > 8:
        engine, teacher = np.stack([smoothed[t] for t in both])[2:-2], truth[both]
        calm = binomial(teacher)
        speed = np.linalg.norm(np.gradient(calm, axis=0), axis=-1).mean(-1)[1:-1] / eyes(calm)[1:-1]
        # All four over the same frames: those in the middle of the smoothed ones.
        result["jitter"] = np.stack([second(teacher)[2:-2], second(raw)[2:-2], second(calm), second(engine), speed])
    return result


def clips(tracker, model, data, landmarks, split, count, one_each):
    """Prints the measurement `clips`."""
    with open(data / "MANIFEST.tsv") as file:
        rows = [r for r in csv.DictReader(file, delimiter="\t")
                if r["split"] == split and r["file"].startswith("video/")]
    persons, results = set(), []
    for row in rows:
        path = data / row["file"]
        if not (landmarks / f"{name_of(path)}.npz").exists() or (one_each and row["person"] in persons):
            continue
        persons.add(row["person"])
        results.append(clip(tracker, model, path, landmarks / f"{name_of(path)}.npz", count))
        r = results[-1]
        still = "" if "jitter" not in r else \
            " jitter teacher {:.5f} raw {:.5f} | smoothed {:.5f} {:.5f}".format(*r["jitter"][:4].mean(1))
        print(f"  {name_of(path)[:48]:48} found {r['found']}/{r['valid']} painted {r['shown']} "
              f"error {np.median(r['error']):.4f} smoothed {np.median(r['smoothed']):.4f}{still}", flush=True)
    near = np.concatenate([r["yaw"] for r in results]) < 45
    raw, smoothed = (np.concatenate([r[k] for r in results])[near] for k in ("error", "smoothed"))
    valid = sum(r["valid"] for r in results)
    found, shown = (sum(r[k] for r in results) / valid for k in ("found", "shown"))
    print(f"clips: {len(results)} of {len(persons)} persons, {valid} frames with a face: found in {found:.4f}, "
          f"painted in {shown:.4f}; |yaw| < 45: off by {np.median(raw):.4f} (mean {raw.mean():.4f}, "
          f"95 % {np.percentile(raw, 95):.4f}), smoothed {np.median(smoothed):.4f} (mean {smoothed.mean():.4f})")
    jitter = np.concatenate([r["jitter"] for r in results if "jitter" in r], 1)
    calm = jitter[4] <= np.percentile(jitter[4], 25)
    for label, keep in (("all frames", calm | True), ("the stillest quarter", calm)):
        teacher, ours, teacher_calm, engine = jitter[:4, keep].mean(1)
        print(f"  jitter, {label} ({int(keep.sum())}): teacher {teacher:.5f}, ours {ours:.5f} (x{ours / teacher:.2f}); "
              f"smoothed over five frames: teacher {teacher_calm:.5f}, engine {engine:.5f} "
              f"(x{engine / teacher_calm:.2f}, x{engine / teacher:.2f} of the raw teacher)")


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--negatives", type=Path, help="folder of pictures without a face")
    parser.add_argument("--sheet", type=Path, help="PNG of the false positives")
    parser.add_argument("--clips", type=Path, help="folder with MANIFEST.tsv and the movies")
    parser.add_argument("--landmarks", type=Path, help="the teacher's landmarks of the movies")
    parser.add_argument("--frames", type=int, default=100, help="frames of each movie")
    parser.add_argument("--all-clips", action="store_true", help="all movies of a person, not one")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--count", type=int, default=100000, help="whole frames for the detector, at most")
    parser.add_argument("--crops", type=int, default=256, help="crops of each level; four times as many untouched")
    parser.add_argument("--what", nargs="*", default=["detector", "negatives", "crops", "clips"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    config = json.loads(arguments.config.read_text())
    model = dict(np.load(arguments.face_model))
    tracker = Tracker(config, arguments.work)
    rows = Pictures(arguments.data, arguments.split).rows if {"detector", "crops"} & set(arguments.what) else []
    if "detector" in arguments.what:
        detector(tracker, rows, arguments.count)
    if "negatives" in arguments.what and arguments.negatives:
        negatives(tracker, arguments.negatives, arguments.sheet)
    if "crops" in arguments.what:
        crops(tracker, model, rows, arguments.crops)
    if "clips" in arguments.what and arguments.clips:
        clips(tracker, model, arguments.clips, arguments.landmarks, arguments.split, arguments.frames,
              not arguments.all_clips)


if __name__ == "__main__":
    main()
