"""Mesh predictor and detector: distilled from the teacher's landmarks on packed clips.

    python train_mesh.py --config config/lite.json --data DIR --face-model F --work DIR --what mesh --minutes 20

`--what detector` learns to find faces; with `--negatives DIR` (pictures without one, `data/negatives.py`) also
where none is. `--what confidence` fits the mesh predictor's confidence alone to what the detector takes for
faces in the negatives; every other number of the network stays as it is.
"""
import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
from data import geometry
from data.pack import CENTRE, SIDE
from networks.encoders import Detector, MeshPredictor
from tracker import Tracker, square

WIDE = 224


def rodrigues(vector):
    """Rotation vectors [B, 3] -> matrices [B, 3, 3]."""
    angle = vector.norm(dim=1, keepdim=True).clamp(min=1e-6)
    x, y, z = (vector / angle).unbind(1)
    o = torch.zeros_like(x)
    cross = torch.stack([o, -z, y, z, o, -x, -y, x, o], 1).view(-1, 3, 3)
    s, c = torch.sin(angle)[..., None], torch.cos(angle)[..., None]
    return torch.eye(3, device=vector.device) + s * cross + (1 - c) * (cross @ cross)


class Pictures:
    """JPEGs of all clips with what the teacher said of them."""

    def __init__(self, folder, split, emphasis=None):
        self.rows, persons = [], {}
        for path in sorted(Path(folder).glob("*.npz")):
            with np.load(path) as file:
                if str(file["split"]) != split:
                    continue
                meta = {k: file[k] for k in file.files if k != "audio"}
            wide, whole = path.with_suffix(".wide").read_bytes(), path.with_suffix(".whole").read_bytes()
            person = str(meta["person"]) if str(meta["person"]) != "-" else path.stem
            count = max(1, len(meta["wide_frames"]))
            persons[person] = persons.get(person, 0) + count
            for i, t in enumerate(meta["wide_frames"]):
                jpeg = wide[meta["wide"][i]: meta["wide"][i + 1]]
                points = geometry.apply(geometry.invert(meta["wide_matrices"][i]), meta["points"][t][:, :2])
                self.rows.append(dict(kind="wide", jpeg=jpeg, points=points.astype(np.float32), person=person,
                                      identity=meta["identity"], delta=meta["delta"][t],
                                      rotation=meta["rotation"][t].astype(np.float32)))
            for i, t in enumerate(meta["whole_frames"]):
                if not meta["valid"][t]:
                    continue
                pose = geometry.Pose(meta["scale"][t], meta["rotation"][t], meta["shift"][t])
                step = meta["whole_steps"][i]
                self.rows.append(dict(kind="whole", jpeg=whole[meta["whole"][i]: meta["whole"][i + 1]], person=person,
                                      centre=pose.project(np.asarray(CENTRE)) * step,
                                      side=float(SIDE * pose.scale * step)))
        for row in self.rows:
            row["weight"] = (emphasis or {}).get(row["person"], 1.0) / np.sqrt(persons[row["person"]])


def decode(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def degrade(image, random):
    """Light, colour, blur, noise, compression, grey: what footage does to a face."""
    x = image.astype(np.float32) / 255
    x = np.clip(x, 0, 1) ** np.float32(np.exp(random.normal(0, 0.3))) * np.exp(random.normal(0, 0.12, 3)).astype(np.float32)
    x = x * np.float32(np.exp(random.normal(0, 0.2))) + np.float32(random.normal(0, 0.03))
    if random.random() < 0.15:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    if random.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), random.uniform(0.5, 2.2))
    if random.random() < 0.3:
        x = x + random.normal(0, random.uniform(0.01, 0.06), x.shape).astype(np.float32)
    return np.clip(x, 0, 1)


def occlude(x, random):
    """A block of one colour or of another part of the picture; gives the share that it hides."""
    size = x.shape[0]
    w, h = (random.uniform(0.1, 0.5, 2) * size).astype(int)
    left, top = random.integers(0, size - w), random.integers(0, size - h)
    if random.random() < 0.5:
        x[top: top + h, left: left + w] = random.random(3)
    else:
        x[top: top + h, left: left + w] = np.roll(x, size // 2, random.integers(0, 2))[top: top + h, left: left + w]
    return left, top, w, h


class Negatives:
    """Pictures without a face, and squares of them."""

    def __init__(self, folder, random):
        self.files, self.random = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))], random

    def square(self, size, low, high):
        """A square of `low` to `high` times the picture's longer side, turned and mirrored."""
        random = self.random
        image = decode(self.files[random.integers(len(self.files))])
        height, width = image.shape[:2]
        step, angle = max(height, width) * random.uniform(low, high) / size, random.normal(0, 0.2)
        c, s = step * np.cos(angle), step * np.sin(angle)
        matrix = np.array([[c, -s, 0.0], [s, c, 0.0]])
        if random.random() < 0.5:
            matrix[:, 0] *= -1
        matrix[:, 2] = random.uniform(0.1, 0.9, 2) * (width, height) - matrix[:, :2] @ np.full(2, size / 2)
        return geometry.sample(image, matrix, size)


class MeshBatches:
    """Crops of 128 with the teacher's points in them; a share without a face, for the confidence."""

    def __init__(self, rows, config, seed, train=True):
        self.rows = [r for r in rows if r["kind"] == "wide"]
        self.weight = np.array([r["weight"] for r in self.rows])
        self.weight /= self.weight.sum()
        self.random, self.size, self.train = np.random.default_rng(seed), config["mesh"]["size"], train
        self.margin = config["mesh"]["margin"]

    def one(self, row):
        random, size = self.random, self.size
        image, points = decode(row["jpeg"]), row["points"]
        face = random.random() < 0.88 or not self.train
        spread = 1.0 if self.train else 0.4
        # The first pass sees the detector's box, the second a crop that is nearly right.
        if random.random() < 0.5:
            spread *= 0.35
        zoom = self.margin / 2 * np.exp(random.normal(0, 0.12 * spread)) if face else random.uniform(0.2, 0.5)
        angle = random.normal(0, 0.25 * spread)
        centre = WIDE * (0.5 + random.normal(0, 0.045 * spread, 2)) if face else random.choice([0.12, 0.88], 2) * WIDE
        step = zoom * WIDE / size
        c, s = step * np.cos(angle), step * np.sin(angle)
        matrix = np.array([[c, -s, 0.0], [s, c, 0.0]])
        matrix[:, 2] = centre - matrix[:, :2] @ np.full(2, size / 2)
        x = geometry.sample(image, matrix, size)
        x = degrade(x, random) if self.train else x.astype(np.float32) / 255
        points = geometry.apply(geometry.invert(matrix), points) / (size / 2) - 1
        confidence = float(face)
        if self.train and face and random.random() < 0.25:
            left, top, w, h = occlude(x, random)
            unit = (points + 1) / 2 * size
            hidden = ((unit[:, 0] > left) & (unit[:, 0] < left + w) & (unit[:, 1] > top) & (unit[:, 1] < top + h)).mean()
            confidence = float(np.clip(1.3 - 2 * hidden, 0, 1))
        turn = np.array([[np.cos(-angle), -np.sin(-angle), 0], [np.sin(-angle), np.cos(-angle), 0], [0, 0, 1]])
        return ((x * 2 - 1).transpose(2, 0, 1).astype(np.float32), points.astype(np.float32), row["identity"],
                row["delta"], (turn @ row["rotation"]).astype(np.float32), np.float32(confidence))

    def batch(self, count):
        index = self.random.choice(len(self.rows), count, p=self.weight)
        return [torch.from_numpy(np.stack(x).astype(np.float32)) for x in zip(*(self.one(self.rows[i]) for i in index))]


class LinearFace:
    """The face model as tensors."""

    def __init__(self, model, device="cpu"):
        self.mean, self.identity, self.expression = (torch.from_numpy(model[k].astype(np.float32)).to(device)
                                                     for k in ("mean", "identity", "expression"))

    def points(self, out):
        """Network outputs -> [B, V, 2] in [-1, 1] of the crop."""
        identity, expression, rotation, translation, log_scale, _ = out
        mesh = (self.mean + torch.einsum("bk,kvc->bvc", identity, self.identity)
                + torch.einsum("bk,kvc->bvc", expression, self.expression))
        turned = torch.einsum("bij,bvj->bvi", rodrigues(rotation)[:, :2], mesh)
        # One model unit is 2 / (SIDE * margin) of the crop's [-1, 1] when the crop is just right.
        return turned * torch.exp(log_scale)[:, None] + translation[:, None]


def mesh_loss(face, out, batch, weight):
    _, points, identity, delta, rotation, confidence = batch
    seen = (confidence > 0.3).float()[:, None, None]
    made = face.points(out)
    eyes = (points[:, 33] - points[:, 263]).norm(dim=1)[:, None, None].clamp(min=0.05)
    off = ((made - points) / eyes * weight).abs() * seen
    gap = lambda p: (p[:, 13] - p[:, 14]) / eyes[:, 0]
    terms = {
        "points": off.mean() * 10,
        "opening": ((gap(made) - gap(points)).abs() * seen[:, 0]).mean() * 4,
        "identity": ((out[0] - identity).square() * seen[:, 0]).mean() * 0.02,
        "expression": ((out[1] - delta).square() * seen[:, 0]).mean() * 0.03,
        "rotation": ((rodrigues(out[2]) - rotation).square() * seen).mean() * 5,
        "confidence": F.binary_cross_entropy_with_logits(out[5][:, 0], confidence) * 0.2,
    }
    return terms, made


class DetectorBatches:
    """Letterboxed frames, zoomed and moved; other faces pasted beside; pictures with the face cut out."""

    def __init__(self, rows, config, seed, negatives=None):
        self.rows = [r for r in rows if r["kind"] == "whole"]
        self.weight = np.array([r["weight"] for r in self.rows])
        self.weight /= self.weight.sum()
        self.random, self.options = np.random.default_rng(seed), config["detector"]
        self.negatives = Negatives(negatives, self.random) if negatives else None

    def place(self, canvas, row, low, high):
        """Draws a frame over the canvas; gives the face's centre and side there."""
        random, size = self.random, canvas.shape[0]
        image = decode(row["jpeg"])
        side = np.exp(random.uniform(np.log(low), np.log(high)))
        zoom = side / row["side"]
        angle = random.normal(0, 0.12)
        flip = random.random() < 0.5
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if flip:
            linear = linear @ np.diag([-1.0, 1.0])
        where = random.uniform(side * 0.35, size - side * 0.35, 2)
        warp = np.concatenate([linear, (where - linear @ row["centre"])[:, None]], 1)
        drawn = cv2.warpAffine(image, warp, (size, size), flags=cv2.INTER_AREA if zoom < 0.6 else cv2.INTER_LINEAR)
        inside = cv2.warpAffine(np.ones(image.shape[:2], np.uint8), warp, (size, size), flags=cv2.INTER_NEAREST) > 0
        canvas[inside] = drawn[inside]
        return where, side

    def one(self):
        random, size = self.random, self.options["size"]
        pick = lambda: self.rows[random.choice(len(self.rows), p=self.weight)]
        canvas = np.full((size, size, 3), 128, np.uint8)
        if random.random() < 0.5:
            canvas[:] = (random.random(3) * 255).astype(np.uint8)
        if self.negatives and random.random() < 0.5:
            canvas[:] = self.negatives.square(size, 0.4, 1.3)
        empty = self.negatives and random.random() < 0.5
        faces = [] if empty else [self.place(canvas, pick(), 14, 170)]
        if faces and random.random() < 0.15:
            where, side = self.place(canvas, pick(), 14, 60)
            faces = [f for f in faces if np.abs(f[0] - where).max() > (f[1] + side) * 0.5] + [(where, side)] \
                if np.abs(faces[0][0] - where).max() > (faces[0][1] + side) * 0.5 else [(where, side)]
            if len(faces) == 1:                                 # the first face was covered: cut what is left
                faces = faces[-1:]
        if random.random() < 0.15:                              # no face: its place painted over
            for where, side in faces:
                a, b = np.clip((where - side * 0.6).astype(int), 0, size), np.clip((where + side * 0.6).astype(int), 0, size)
                canvas[a[1]: b[1], a[0]: b[0]] = np.roll(canvas, size // 2, 0)[a[1]: b[1], a[0]: b[0]].mean((0, 1)) \
                    if random.random() < 0.5 and b[0] > a[0] and b[1] > a[1] else 128
            faces = []
        x = degrade(canvas, random)
        cells = size // self.options["stride"]
        score, ignore, box = np.zeros((1, cells, cells)), np.zeros((1, cells, cells)), np.zeros((3, cells, cells))
        grid = np.stack(np.meshgrid(np.arange(cells) + 0.5, np.arange(cells) + 0.5))
        for where, side in faces:
            unit = np.asarray(where) / self.options["stride"]
            away = np.hypot(*(grid - unit[:, None, None]))
            reach = max(0.75, 0.12 * side / self.options["stride"])
            near = away < reach
            ignore[0] = np.maximum(ignore[0], (away < 1.8 * reach) & ~near)
            score[0][near] = 1
            box[0][near], box[1][near] = (unit[0] - grid[0])[near], (unit[1] - grid[1])[near]
            box[2][near] = np.log(side / self.options["stride"])
        return ((x * 2 - 1).transpose(2, 0, 1).astype(np.float32), score, ignore, box)

    def batch(self, count):
        return [torch.from_numpy(np.stack(x).astype(np.float32)) for x in zip(*(self.one() for _ in range(count)))]


def detector_loss(out, batch):
    _, score, ignore, box = batch
    logits, made = out
    p = torch.sigmoid(logits)
    focus = (score - p).abs().square() * (1 - ignore)
    count = score.sum().clamp(min=1)
    return {"score": (focus * F.binary_cross_entropy_with_logits(logits, score, reduction="none")
                      * (1 + 3 * score)).sum() / count,
            "box": ((made - box).abs() * score).sum() / count}


def mistaken(tracker, folder, random):
    """Both looks' crops [N, 3, S, S] of whatever the detector takes for a face in pictures without one, each
    picture also mirrored and zoomed."""
    crops, size, margin = [], tracker.mesh_options["size"], tracker.mesh_options["margin"]
    tracker.options = {**tracker.options, "threshold": 0.2}
    for path in sorted(folder.glob("*.jpg")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
        height, width = picture.shape[:2]
        w, h = (random.uniform(0.5, 0.9, 2) * (width, height)).astype(int)
        x, y = random.integers(0, width - w), random.integers(0, height - h)
        for image in (picture, np.ascontiguousarray(picture[y: y + h, x: x + w][:, ::-1])):
            (_, found), = tracker.detect([image])
            first = [(image, square(centre, side * margin, size)) for centre, side, _ in found[:3]]
            second = [tracker.again(image, face) for face in tracker.measure(first)]
            crops += [geometry.sample(*look, size) for look in first + second if np.isfinite(look[1]).all()]
    return torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2) / np.float32(127.5) - 1)


def fit_confidence(network, batches, nothing, minutes, count, ridge=3e-3):
    """Refits the confidence, the head's last row, to fresh batches and to crops without a face. It stays as
    near to what it was as the ridge holds it."""
    network.eval()
    see = lambda crops: network.linear(network.layers(crops).flatten(1))
    begin, features, wanted = time.time(), [], []
    with torch.no_grad():
        empty = torch.cat([see(part) for part in nothing.split(count)])
        while (time.time() - begin) / 60 < minutes or len(features) < 8:
            batch = batches.batch(count)
            features.append(see(batch[0])), wanted.append(batch[5])
    faces, wanted = torch.cat(features), torch.cat(wanted)
    row, bias = network.head.weight[-1].detach().clone(), network.head.bias[-1].detach().clone()
    deviation = torch.cat([faces, empty]).std(0) + 1e-3
    change, shift = torch.zeros_like(row).requires_grad_(), torch.zeros_like(bias).requires_grad_()
    # Every eighth is left out of the fit.
    used = lambda v: v[torch.arange(len(v)) % 8 != 0]
    left = lambda v: v[::8]
    logit = lambda v: v @ (row + change / deviation) + bias + shift
    entropy = lambda part: (F.binary_cross_entropy_with_logits(logit(part(faces)), part(wanted))
                            + F.softplus(logit(part(empty))).mean())
    told = lambda: (f"cross entropy {float(entropy(left)):.4f}, of faces {float(torch.sigmoid(logit(left(faces[wanted > 0.99]))).lt(0.6).float().mean()):.4f} "
                    f"under .6, of the others {float(torch.sigmoid(logit(left(empty))).gt(0.25).float().mean()):.4f} above .25")
    with torch.no_grad():
        print(f"{len(faces)} crops of faces, {len(empty)} of none; on an eighth left out: {told()}", flush=True)
    optimiser = torch.optim.LBFGS([change, shift], max_iter=400, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        total = entropy(used) + ridge * change.square().sum()
        total.backward()
        return total

    optimiser.step(closure)
    with torch.no_grad():
        print(f"fitted: {told()}")
        network.head.weight[-1] = row + change / deviation
        network.head.bias[-1] = bias + shift


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--what", choices=["mesh", "detector", "confidence"], required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--emphasis", default="", help="person=factor,... drawn more often")
    parser.add_argument("--negatives", type=Path, help="pictures without a face, for the detector and the confidence")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    config = json.loads(arguments.config.read_text())
    emphasis = {k: float(v) for k, v in (e.split("=") for e in arguments.emphasis.split(",") if e)}
    rows = Pictures(arguments.data, "train", emphasis).rows
    if arguments.what == "confidence" and not arguments.negatives:
        parser.error("--what confidence needs --negatives")
    seed = int(time.time())
    if arguments.what == "confidence":
        tracker = Tracker(config, arguments.work)
        nothing = mistaken(tracker, arguments.negatives, np.random.default_rng(seed))
        fit_confidence(tracker.mesh, MeshBatches(rows, config, seed), nothing, arguments.minutes, arguments.batch)
        return checkpoint.save(arguments.work, "mesh", tracker.mesh)
    if arguments.what == "mesh":
        model = dict(np.load(arguments.face_model))
        network, batches, face = MeshPredictor(config), MeshBatches(rows, config, seed), LinearFace(model)
        weight = torch.ones(len(model["mean"]), 1)
        weight[model["lips"]] = 4.0
        with torch.no_grad():
            network.head.bias[-2] = float(np.log(2 / (SIDE * config["mesh"]["margin"])))
    else:
        network, batches = Detector(config), DetectorBatches(rows, config, seed, arguments.negatives)
    checkpoint.restore(arguments.work, arguments.what, network)
    network.train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=1e-4)
    print(f"{len(batches.rows)} pictures", flush=True)
    begin, told, step, mean = time.time(), time.time(), 0, {}
    while (elapsed := (time.time() - begin) / 60) < arguments.minutes:
        for group in optimiser.param_groups:
            group["lr"] = arguments.rate * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * elapsed / arguments.minutes))) * min(1, (step + 1) / 100)
        batch = batches.batch(arguments.batch)
        out = network(batch[0])
        terms = detector_loss(out, batch) if arguments.what == "detector" else mesh_loss(face, out, batch, weight)[0]
        optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        for k, v in terms.items():
            mean[k] = 0.97 * mean.get(k, float(v.detach())) + 0.03 * float(v.detach())
        if time.time() - told > 20:
            told = time.time()
            print(f"{elapsed:6.1f} min step {step} {step * arguments.batch / (time.time() - begin):.0f} a second "
                  + " ".join(f"{k} {v:.4f}" for k, v in mean.items()), flush=True)
        if step % 200 == 0:
            checkpoint.save(arguments.work, arguments.what, network)
    checkpoint.save(arguments.work, arguments.what, network)


if __name__ == "__main__":
    main()
