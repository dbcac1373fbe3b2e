"""Pictures without a face, for measuring false positives and for training against them.

    python -m data.negatives --pack W/pack --split dev --out W/negatives/dev [--pictures FOLDER ...]

Five kinds, each picture `<kind>_<number>.jpg` of at most 480 pixels a side; the same options give the same pictures:

    texture   noise of several grains, gradients, stripes, checks, blobs and ovals, half of them in colours of skin
    text      lines of letters on paper or on a screen
    tile      pieces of the packed frames that touch no part of the head
    headless  packed frames whose heads are painted over with what is at the frame's sides
    photo     crops of the pictures in --pictures: those that ship in the PyPI packages scikit-image
              (`skimage/data`) and scikit-learn (`sklearn/datasets/images`); the ones that show faces are left
              out. `--split train` takes every other picture, any other split the rest.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np

from data.pack import CENTRE, SIDE

# Pictures with faces (the coins bear portraits), and second views of one that is there.
LEFT_OUT = {"astronaut", "camera", "coins", "lfw_subset", "chessboard_RGB", "motorcycle_right"}
SIZES = [(480, 360), (480, 270), (360, 480), (400, 400)]
HEAD = 1.15                             # half a head with its hair, in crop sides, to be on the safe side


def noise(random, width, height, grain):
    """Smooth noise [height, width, 3] in [0, 1], its grains `grain` pixels wide."""
    small = random.random((max(2, height // grain), max(2, width // grain), 3)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def skin(random):
    """A random colour of skin [3]."""
    return np.array([0.35, 0.25, 0.2]) + random.random() * np.array([0.6, 0.5, 0.45]) + random.normal(0, 0.02, 3)


def texture(random):
    """A picture of kind `texture`, RGB in [0, 255]."""
    width, height = SIZES[random.integers(len(SIZES))]
    ink = (lambda: skin(random)) if random.random() < 0.5 else (lambda: random.random(3))
    image = np.empty((height, width, 3), np.float32)
    image[:] = ink()
    y, x = np.mgrid[:height, :width].astype(np.float32)
    kind = random.integers(5)
    if kind == 0:
        image = 0.5 * image + sum(noise(random, width, height, g) * a for g, a in ((2, .15), (12, .25), (60, .5)))
    elif kind == 1:
        angle = random.uniform(0, 2 * np.pi)
        t = (x * np.cos(angle) / width + y * np.sin(angle) / height + 1) / 2
        image += t[..., None] * (ink() - image)
    elif kind == 2:
        pitch, angle = random.uniform(6, 80), random.uniform(0, np.pi)
        on = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch) > 0
        if random.random() < 0.5:
            on ^= np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / pitch) > 0
        image[on] = ink()
    else:                                               # discs, then ovals with two dark spots above a third
        for _ in range(random.integers(2, 14)):
            at = tuple(int(v) for v in random.uniform(0, 1, 2) * (width, height))
            axes = tuple(int(v) for v in random.uniform(8, 110, 2))
            cv2.ellipse(image, at, axes, random.uniform(0, 180), 0, 360, ink().tolist(), -1, cv2.LINE_AA)
    image = image + random.normal(0, random.uniform(0, 0.04), image.shape)
    return cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 2.5)) * 255


def text(random):
    """A picture of kind `text`, RGB uint8."""
    width, height = SIZES[random.integers(len(SIZES))]
    paper, ink = random.uniform(0.7, 1, 3) * 255, random.uniform(0, 0.4, 3) * 255
    if random.random() < 0.4:
        paper, ink = ink, paper
    image = np.empty((height, width, 3), np.uint8)
    image[:] = paper
    y, letters = 0, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;()@%&"
    while y < height:
        size = random.uniform(0.3, 3.0)
        y += int(32 * size)
        line = "".join(letters[i] for i in random.integers(0, len(letters), 60))
        cv2.putText(image, line, (random.integers(-20, 40), y), int(random.integers(0, 8)), size, ink.tolist(),
                    int(random.integers(1, 1 + max(1, round(2 * size)))), cv2.LINE_AA)
    return image


def packed(folder, split, random, fits):
    """Endless (frame RGB, head's box) of packed whole frames whose box fits, all persons equally often."""
    persons = {}
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as file:
            if str(file["split"]) != split or not file["valid"].all():
                continue                                # where the teacher lost the face it may still be there
            frames, steps = file["whole_frames"], file["whole_steps"][:, None]
            scale, rotation, shift = file["scale"][frames, None], file["rotation"][frames], file["shift"][frames]
            middle, side = (scale * (rotation @ np.asarray(CENTRE))[:, :2] + shift) * steps, SIDE * scale * steps
            # Hair reaches higher above the crop's middle than the neck below it.
            box = np.concatenate([middle - side * [HEAD * 0.75, HEAD], middle + side * [HEAD * 0.75, 0.72]], 1)
            person, offsets = str(file["person"]), file["whole"]
        rows = [(path.with_suffix(".whole"), offsets[i: i + 2], box[i]) for i in range(len(frames)) if fits(box[i])]
        persons.setdefault(person, []).extend(rows)
    names = sorted(name for name, rows in persons.items() if rows)
    while True:
        rows = persons[names[random.integers(len(names))]]
        path, (start, end), box = rows[random.integers(len(rows))]
        with open(path, "rb") as file:
            file.seek(start)
            image = cv2.imdecode(np.frombuffer(file.read(end - start), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        plain = np.abs(image.astype(np.int16) - 128).max(2) <= 3       # the letterbox's bars
        rows, columns = np.flatnonzero(~plain.all(1)), np.flatnonzero(~plain.all(0))
        yield image[: rows.max() + 1, : columns.max() + 1], box


def roomy(box):
    """Whether a piece of some size may lie next to the box, in a frame of 320 pixels."""
    return box[0] > 60 or box[2] < 260 or box[1] > 60 or box[3] < 260


def small(box):
    """Whether a box covers less than 60 % of a frame of 320 pixels."""
    return np.prod(np.diff(np.clip(box, 0, 320).reshape(2, 2), axis=0)) < 0.6 * 320 ** 2


def tile(random, source):
    """A picture of kind `tile` from frames of `packed`."""
    for image, (left, top, right, bottom) in source:
        height, width = image.shape[:2]
        w, h = (random.uniform(0.15, 0.6, 2) * (width, height)).astype(int)
        if min(w, h) < 40:
            continue
        for _ in range(12):
            x, y = random.integers(0, width - w), random.integers(0, height - h)
            if x > right or x + w < left or y > bottom or y + h < top:
                zoom = min(480 / max(w, h), random.uniform(1, 4))
                return cv2.resize(image[y: y + h, x: x + w], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)


def headless(random, source):
    """A picture of kind `headless` from frames of `packed`."""
    for image, box in source:
        height, width = image.shape[:2]
        left, top, right, bottom = np.clip(box, 0, [width, height] * 2).astype(int)
        if (right - left) * (bottom - top) > 0.6 * width * height or top >= height or left >= width:
            continue
        # Each row runs from the colour left of the head to the one right of it.
        image = image.astype(np.float32)
        rows = image[top: bottom]
        take = lambda a, b, rows=rows: rows[:, max(0, a): max(1, b)].mean(1)
        first = take(left - 12, left) if left > 4 else take(right, right + 12)
        last = take(right, right + 12) if right < width - 4 else first
        t = np.linspace(0, 1, right - left, dtype=np.float32)[None, :, None]
        image[top: bottom, left: right] = first[:, None] * (1 - t) + last[:, None] * t
        soft = cv2.GaussianBlur(image, (0, 0), 3)
        grain = random.normal(0, 3, (bottom - top, right - left, 3))
        image[top: bottom, left: right] = soft[top: bottom, left: right] + grain
        zoom = 480 / max(height, width)
        return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)


def photos(folders, train):
    """RGB pictures of folders, every other one: those of the train split, or the others."""
    pictures = []
    for folder in folders:
        kinds = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in kinds):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if path.stem not in LEFT_OUT and image is not None and min(image.shape[:2]) >= 64:
                pictures.append((path.stem, image[..., ::-1]))
    names = [name for name, _ in pictures]
    pictures = [image for k, (_, image) in enumerate(pictures) if (k % 2 == 0) == train]
    print(f"photographs: {len(pictures)} of {len(names)} ({', '.join(names)})")
    return pictures


def photo(random, pictures, k):
    """Number k of the pictures of kind `photo`: the pictures themselves first, then random crops."""
    image = pictures[k % len(pictures)]
    if k >= len(pictures):                              # the first round shows them in full
        height, width = image.shape[:2]
        w, h = (random.uniform(0.25, 0.9, 2) * (width, height)).astype(int)
        x, y = random.integers(0, width - w + 1), random.integers(0, height - h + 1)
        image = image[y: y + h, x: x + w]
        if random.random() < 0.5:
            image = image[:, ::-1]
    zoom = 480 / max(image.shape[:2])
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    seed = [sum(map(ord, arguments.split)), arguments.count]
    pictures = photos(arguments.pictures, arguments.split == "train")
    makers = {"texture": lambda r, s, k: texture(r), "text": lambda r, s, k: text(r),
              "tile": lambda r, s, k: tile(r, s), "headless": lambda r, s, k: headless(r, s)}
    if pictures:
        makers["photo"] = lambda r, s, k: photo(r, pictures, k)
    for number, (kind, make) in enumerate(makers.items()):
        random = np.random.default_rng([*seed, number])
        source = packed(arguments.pack, arguments.split, random, roomy if kind == "tile" else small)
        for k in range(arguments.count):
            image = np.clip(make(random, source, k), 0, 255).astype(np.uint8)
            cv2.imwrite(str(arguments.out / f"{kind}_{k:04}.jpg"), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        print(f"{kind}: {arguments.count}", flush=True)


if __name__ == "__main__":
    main()
