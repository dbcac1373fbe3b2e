"""Mesh predictor and detector: distilled from the teacher's landmarks on packed clips.

    python train_mesh.py --config config/lite.json --data DIR --face-model F --work DIR --what mesh --minutes 20

`--what detector` trains the face detector; with `--negatives DIR` (pictures without a face, `data/negatives.py`) also
on those. `--what confidence` refits the mesh predictor's confidence alone, with what the detector takes for faces in
the negatives; all its other weights stay. Validation figures are of the `dev` split (see `MeshTask.validate`,
`DetectorTask.validate`), for the confidence of an eighth of the crops, which the fit does not use.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
import configuration
import training
from data import geometry
from data.pack import CENTRE, SIDE
from data.variety import MIRROR, mirror_order, mirrored_basis
from networks.encoders import Detector, MeshPredictor
from tracker import Tracker, square

WIDE = 224
SHORTEST = 12           # frames of a clip whose identity is told from the expression; of a picture all is identity


def rodrigues(vector):
    """Rotation vectors [B, 3] -> matrices [B, 3, 3]."""
    angle = vector.norm(dim=1, keepdim=True).clamp(min=1e-6)
    x, y, z = (vector / angle).unbind(1)
    o = torch.zeros_like(x)
    cross = torch.stack([o, -z, y, z, o, -x, -y, x, o], 1).view(-1, 3, 3)
    s, c = torch.sin(angle)[..., None], torch.cos(angle)[..., None]
    return torch.eye(3, device=vector.device) + s * cross + (1 - c) * (cross @ cross)


class Pictures:
    """JPEGs of all clips of a split with the teacher's labels. `rows`: dicts, of kind "wide" (a face and its points,
    for the mesh predictor) or "whole" (a frame and its face's place, for the detector). `emphasis`: {person: weight}.
    """

    def __init__(self, folder, split, emphasis=None, rights=None):
        self.rows, persons = [], {}
        for path in sorted(Path(folder).glob("*.npz")):
            with np.load(path) as file:
                if str(file["split"]) != split or rights not in (None, str(file["rights"])):
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
                                      moves=len(meta["delta"]) >= SHORTEST,
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
    """JPEG bytes -> RGB [H, W, 3] uint8."""
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def degrade(image, random):
    """uint8 [H, W, 3] -> float32 in [0, 1] with other light, colour, blur and noise, sometimes grey."""
    x = image.astype(np.float32) / 255
    gamma, gain = np.float32(np.exp(random.normal(0, 0.3))), np.exp(random.normal(0, 0.12, 3)).astype(np.float32)
    x = np.clip(x, 0, 1) ** gamma * gain
    x = x * np.float32(np.exp(random.normal(0, 0.2))) + np.float32(random.normal(0, 0.03))
    if random.random() < 0.15:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    if random.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), random.uniform(0.5, 2.2))
    if random.random() < 0.3:
        x = x + random.normal(0, random.uniform(0.01, 0.06), x.shape).astype(np.float32)
    return np.clip(x, 0, 1)


def occlude(x, random):
    """Paints a block of one colour or of another part of the picture over x; gives its (left, top, width, height)."""
    size = x.shape[0]
    w, h = (random.uniform(0.1, 0.5, 2) * size).astype(int)
    left, top = random.integers(0, size - w), random.integers(0, size - h)
    if random.random() < 0.5:
        x[top: top + h, left: left + w] = random.random(3)
    else:
        x[top: top + h, left: left + w] = np.roll(x, size // 2, random.integers(0, 2))[top: top + h, left: left + w]
    return left, top, w, h


class Negatives:
    """JPEG pictures without a face in a folder, and random squares of them."""

    def __init__(self, folder, random):
        self.files, self.random = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))], random

    def square(self, size, low, high):
        """[size, size, 3]: a square of `low` to `high` times the picture's longer side, turned, sometimes mirrored."""
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
    """Crops of 128 with the teacher's points in them; a share without a face, for the confidence. `seed`: a number or
    a NumPy generator; `train=False`: no degradation, small displacements, faces only. With the face `model` half of
    the crops are mirrored."""

    def __init__(self, rows, config, seed, train=True, model=None):
        self.rows = [r for r in rows if r["kind"] == "wide"]
        self.weight = np.array([r["weight"] for r in self.rows])
        self.weight /= self.weight.sum()
        self.random, self.size, self.train = np.random.default_rng(seed), config["mesh"]["size"], train
        self.margin, self.mirror = config["mesh"]["margin"], None
        if model is not None:
            order = mirror_order(model["mean"])
            self.mirror = order, *(mirrored_basis(model[key], order) for key in ("identity", "expression"))

    def mirrored(self, x, points, identity, delta, rotation):
        """The same of the mirrored face, half of the time."""
        if self.mirror is None or self.random.random() < 0.5:
            return x, points, identity, delta, rotation
        order, identities, expressions = self.mirror
        return (x[:, ::-1], points[order] * MIRROR[:2], identities @ identity, expressions @ delta,
                MIRROR[:, None] * rotation * MIRROR)

    def one(self, row):
        """(crop [3, S, S], points [V, 2] in [-1, 1], identity, expression, rotation [3, 3], confidence, whether the
        identity is told from the expression) of a row."""
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
            hidden = ((unit > (left, top)) & (unit < (left + w, top + h))).all(1).mean()
            confidence = float(np.clip(1.3 - 2 * hidden, 0, 1))
        turn = np.array([[np.cos(-angle), -np.sin(-angle), 0], [np.sin(-angle), np.cos(-angle), 0], [0, 0, 1]])
        x, *labels = self.mirrored(x, points, row["identity"], row["delta"], turn @ row["rotation"])
        return ((x * 2 - 1).transpose(2, 0, 1).astype(np.float32), *(label.astype(np.float32) for label in labels),
                np.float32(confidence), np.float32(row["moves"]))

    def batch(self, count):
        """The tensors of `count` rows, stacked."""
        index = self.random.choice(len(self.rows), count, p=self.weight)
        return [torch.from_numpy(np.stack(x).astype(np.float32)) for x in zip(*(self.one(self.rows[i]) for i in index))]


class LinearFace:
    """The face model as tensors."""

    def __init__(self, model, device="cpu"):
        self.mean, self.identity, self.expression = (torch.from_numpy(model[k].astype(np.float32)).to(device)
                                                     for k in ("mean", "identity", "expression"))
        self.lips = torch.from_numpy(model["lips"].astype(np.int64)).to(device)

    def lip_shape(self, expression):
        """[B, 64] -> [B, L, 2]: how far the expression alone moves the lip points of a face seen from the front, in
        units of the face model. The teacher's depth is too noisy to learn from."""
        return torch.einsum("bk,klc->blc", expression, self.expression[:, self.lips, :2])

    def points(self, out):
        """Network outputs -> [B, V, 2] in [-1, 1] of the crop."""
        identity, expression, rotation, translation, log_scale, _ = out
        mesh = (self.mean + torch.einsum("bk,kvc->bvc", identity, self.identity)
                + torch.einsum("bk,kvc->bvc", expression, self.expression))
        turned = torch.einsum("bij,bvj->bvi", rodrigues(rotation)[:, :2], mesh)
        # One model unit is 2 / (SIDE * margin) of the crop's [-1, 1] when the crop is just right.
        return turned * torch.exp(log_scale)[:, None] + translation[:, None]


def mesh_loss(face, out, batch, weight):
    """({name: loss}, points [B, V, 2]) of outputs on a batch of MeshBatches; `weight` [V, 1] of each vertex."""
    _, points, identity, delta, rotation, confidence, moves = batch
    seen = (confidence > 0.3).float()[:, None, None]
    apart = seen[:, 0] * moves[:, None]
    made = face.points(out)
    eyes = (points[:, 33] - points[:, 263]).norm(dim=1)[:, None, None].clamp(min=0.05)
    off = ((made - points) / eyes * weight).abs() * seen
    gap = lambda p: (p[:, 13] - p[:, 14]) / eyes[:, 0]
    terms = {
        "points": off.mean() * 10,
        "opening": ((gap(made) - gap(points)).abs() * seen[:, 0]).mean() * 10,
        # The engine takes the mouth's shape from the expression alone: of the points, the identity could have a part of
        # it, and then a mouth that opens is half as open.
        "lips": (face.lip_shape(out[1] - delta).abs() * apart[..., None]).mean() * 40,
        "identity": ((out[0] - identity).square() * apart).mean() * 0.02,
        "expression": ((out[1] - delta).square() * apart).mean() * 0.03,
        "rotation": ((rodrigues(out[2]) - rotation).square() * seen).mean() * 5,
        "confidence": F.binary_cross_entropy_with_logits(out[5][:, 0], confidence) * 0.2,
    }
    return terms, made


class DetectorBatches:
    """Letterboxed frames, zoomed and moved; some with a second face pasted in, some with the face painted over.
    `seed`: a number or a NumPy generator; `negatives`: a folder of pictures without a face."""

    def __init__(self, rows, config, seed, negatives=None):
        self.rows = [r for r in rows if r["kind"] == "whole"]
        self.weight = np.array([r["weight"] for r in self.rows])
        self.weight /= self.weight.sum()
        self.random, self.options = np.random.default_rng(seed), config["detector"]
        self.negatives = Negatives(negatives, self.random) if negatives else None

    def place(self, canvas, row, low, high):
        """Draws a frame over the canvas, its face `low` to `high` pixels wide; gives (centre [2], side) of the face."""
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
        """(picture [3, S, S], score [1, C, C], cells to ignore [1, C, C], box [3, C, C]) as `Detector` gives them."""
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
            where, side = self.place(canvas, pick(), 14, 60)    # it may cover the first face
            faces = [f for f in faces if np.abs(f[0] - where).max() > (f[1] + side) * 0.5] + [(where, side)]
        if random.random() < 0.15:                              # no face: its place painted over
            for where, side in faces:
                a, b = (np.clip((where + sign * side * 0.6).astype(int), 0, size) for sign in (-1, 1))
                flat = random.random() < 0.5 and b[0] > a[0] and b[1] > a[1]
                canvas[a[1]: b[1], a[0]: b[0]] = \
                    np.roll(canvas, size // 2, 0)[a[1]: b[1], a[0]: b[0]].mean((0, 1)) if flat else 128
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
        """The tensors of `count` pictures, stacked."""
        return [torch.from_numpy(np.stack(x).astype(np.float32)) for x in zip(*(self.one() for _ in range(count)))]


def detector_loss(out, batch):
    """{name: loss} of outputs on a batch of DetectorBatches: focal cross entropy, and L1 of boxes."""
    _, score, ignore, box = batch
    logits, made = out
    p = torch.sigmoid(logits)
    focus = (score - p).abs().square() * (1 - ignore)
    count = score.sum().clamp(min=1)
    return {"score": (focus * F.binary_cross_entropy_with_logits(logits, score, reduction="none")
                      * (1 + 3 * score)).sum() / count,
            "box": ((made - box).abs() * score).sum() / count}


def mistaken(tracker, folder, random):
    """Crops [N, 3, S, S] of all that the detector takes for a face in a folder of pictures without one, each picture
    also mirrored and zoomed; of both passes of the mesh predictor."""
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


def fit_confidence(network, batches, nothing, run, count, ridge=3e-3):
    """Refits the confidence, the last row of the head, to fresh batches of `count` and to crops without a face
    `nothing` [N, 3, S, S]. `ridge`: weight that keeps the row near its old values."""
    network.eval()
    see = lambda crops: network.linear(network.layers(crops.to(run.device)).flatten(1))
    features, wanted = [], []
    with torch.no_grad():
        empty = torch.cat([see(part) for part in nothing.split(count)])
        for _ in run.steps():
            batch = batches.batch(count)
            features.append(see(batch[0])), wanted.append(batch[5].to(run.device))
    faces, wanted = torch.cat(features), torch.cat(wanted)
    row, bias = network.head.weight[-1].detach().clone(), network.head.bias[-1].detach().clone()
    deviation = torch.cat([faces, empty]).std(0) + 1e-3
    change, shift = torch.zeros_like(row).requires_grad_(), torch.zeros_like(bias).requires_grad_()
    # Every eighth is left out of the fit and validated on.
    used = lambda v: v[torch.arange(len(v)) % 8 != 0]
    left = lambda v: v[::8]
    logit = lambda v: v @ (row + change / deviation) + bias + shift
    entropy = lambda part: (F.binary_cross_entropy_with_logits(logit(part(faces)), part(wanted))
                            + F.softplus(logit(part(empty))).mean())

    @torch.no_grad()
    def figures():
        missed = torch.sigmoid(logit(left(faces[wanted > 0.99]))).lt(0.6).float().mean()
        false = torch.sigmoid(logit(left(empty))).gt(0.25).float().mean()
        return (f"cross entropy {float(entropy(left)):.4f}, of faces {float(missed):.4f} under .6, "
                f"of the others {float(false):.4f} above .25")

    run.print(f"{len(faces)} crops of faces, {len(empty)} of none; on an eighth left out: {figures()}")
    optimiser = torch.optim.LBFGS([change, shift], max_iter=400, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        total = entropy(used) + ridge * change.square().sum()
        total.backward()
        return total

    optimiser.step(closure)
    run.print(f"fitted: {figures()}")
    with torch.no_grad():
        network.head.weight[-1] = row + change / deviation
        network.head.bias[-1] = bias + shift


class MeshTask:
    """The mesh predictor, its batches and its loss."""

    def __init__(self, arguments, config, rows, run):
        """`rows`: of Pictures of the training split."""
        model = dict(np.load(arguments.face_model))
        self.network, self.face = MeshPredictor(config), LinearFace(model, run.device)
        self.batches = MeshBatches(rows, config, run.random, model=model)
        self.weight = torch.ones(len(model["mean"]), 1, device=run.device)
        self.weight[model["lips"]] = 4.0
        with torch.no_grad():
            self.network.head.bias[-2] = float(np.log(2 / (SIDE * config["mesh"]["margin"])))

    def loss(self, batch):
        """{name: loss} of a batch."""
        return mesh_loss(self.face, self.network(batch[0]), batch, self.weight)[0]

    def validation(self, rows, config):
        """Batches of rows of the `dev` split, with fixed draws."""
        return MeshBatches(rows, config, 0, train=False)

    def validate(self, batches):
        """Mean distance of points and error of the lip opening, and of the lip points that the expression alone moves;
        in percent of the distance of the outer eye corners."""
        off, opening, lips = [], [], []
        for batch in batches:
            out = self.network(batch[0])
            made, true = self.face.points(out), batch[1]
            lips.append(self.face.lip_shape(out[1] - batch[3]).norm(dim=2).mean(1)[batch[6] > 0])
            eyes = (true[:, 33] - true[:, 263]).norm(dim=1)
            off.append((made - true).norm(dim=2).mean(1) / eyes)
            gap = lambda p: (p[:, 13] - p[:, 14]).norm(dim=1)
            opening.append((gap(made) - gap(true)).abs() / eyes)
        mean = lambda parts: f"{100 * torch.cat(parts).mean():.2f} %"
        return f"points off by {mean(off)}, opening by {mean(opening)}, lips of the expression by {mean(lips)}"


class DetectorTask:
    """The detector, its batches and its loss."""

    def __init__(self, arguments, config, rows, run):
        """`rows`: of Pictures of the training split."""
        self.network = Detector(config)
        self.batches = DetectorBatches(rows, config, run.random, arguments.negatives)

    def loss(self, batch):
        """{name: loss} of a batch."""
        return detector_loss(self.network(batch[0]), batch)

    def validation(self, rows, config):
        """Batches of rows of the `dev` split, with fixed draws."""
        return DetectorBatches(rows, config, 0)

    def validate(self, batches):
        """Share of pictures whose best cell lies on a face and scores above .5, of those with a face; share of pictures
        with a cell above .5, of those without."""
        found, false = [], []
        for batch in batches:
            best, cell = torch.sigmoid(self.network(batch[0])[0]).flatten(1).max(1)
            on = (batch[1] + batch[2]).flatten(1).gather(1, cell[:, None])[:, 0] > 0
            face = batch[1].flatten(1).amax(1) > 0
            found.append(((best > 0.5) & on)[face]), false.append((best > 0.5)[~face])
        found, false = torch.cat(found).float(), torch.cat(false).float()
        return (f"{100 * found.mean():.1f} % of {len(found)} faces found, "
                f"false ones in {int(false.sum())} of {len(false)} pictures without a face")


class Validation:
    """The figures of a task on fixed batches of the `dev` split."""

    BATCHES = 8

    def __init__(self, task, arguments, config, device):
        """Reads the `dev` split; where it is empty there are no figures."""
        draw = task.validation(Pictures(arguments.data, "dev").rows, config)
        self.task, self.batches = task, []
        if draw.rows:
            self.batches = [training.to(device, draw.batch(arguments.batch)) for _ in range(self.BATCHES)]

    @torch.no_grad()
    def __call__(self):
        """The figures as a line of the log."""
        if not self.batches:
            return "no dev pictures"
        self.task.network.eval()
        line = self.task.validate(self.batches)
        self.task.network.train()
        return f"dev: {line}"


def train(arguments, config, rows, run):
    """Trains the mesh predictor or the detector."""
    task = (MeshTask if arguments.what == "mesh" else DetectorTask)(arguments, config, rows, run)
    network = task.network
    known = checkpoint.restore(arguments.work, arguments.what, network)
    network.train().to(run.device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=1e-4)
    validation = Validation(task, arguments, config, run.device)
    run.print(f"{len(task.batches.rows)} pictures; validated on {len(validation.batches) * arguments.batch} of dev")
    run.resume({"network": optimiser}, known)

    def keep():
        run.save({arguments.what: network}, {"network": optimiser})
        run.log(validation())

    for spent in run.steps():
        training.set_rate(optimiser, arguments.rate * training.cosine(spent, 0.02) * min(1, run.step / 100))
        terms = task.loss(training.to(run.device, task.batches.batch(arguments.batch)))
        optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        training.average(list(network.parameters()), run.world)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        run.note(terms)
        if run.due():
            keep()
    if not run.due():
        keep()


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=20, every=200)
    parser.add_argument("--what", choices=["mesh", "detector", "confidence"], required=True)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--emphasis", default="", help="person=factor,... drawn more often")
    parser.add_argument("--negatives", type=Path, help="pictures without a face, for the detector and the confidence")
    arguments = parser.parse_args(options)
    if arguments.what == "confidence" and not arguments.negatives:
        parser.error("--what confidence needs --negatives")
    config, run = configuration.load(arguments), training.Run(arguments, f"train_mesh_{arguments.what}")
    emphasis = {k: float(v) for k, v in (e.split("=") for e in arguments.emphasis.split(",") if e)}
    rows = Pictures(arguments.data, "train", emphasis, arguments.rights).rows
    if arguments.what != "confidence":
        return train(arguments, config, rows, run)
    tracker = Tracker(config, arguments.work)
    nothing = mistaken(tracker, arguments.negatives, run.random)
    fit_confidence(tracker.mesh.to(run.device), MeshBatches(rows, config, run.random), nothing, run, arguments.batch)
    checkpoint.save(arguments.work, "mesh", tracker.mesh)


if __name__ == "__main__":
    main()
