"""How near the picture of a rendered mouth is to the film: its sharpness, and the colour of its lips.

    python measure_picture.py --binary target/release/stylelipsync --data DATA --landmarks LANDMARKS --out DIR \
        --teacher PYTHON [--wide 390] [-- OPTIONS OF RENDER]

Renders the list of `measure_dev.py` with its own audio, without loss, and compares with the film, frame by frame:

- sharpness, of faces at least `--wide` pixels wide: energy of luma above a quarter of the sampling rate in a box around
  the mouth (Hann window), over the film's. A few hard edges of teeth and lips are most of it. `skin`: energy of the
  finest differences in that box, without the lips, over the film's;
- lip colour: CIEDE2000 between the mean colours of the lips, where MediaPipe sees them in each.

`--landmarks`: of the films (`data/landmarks.py`); `--teacher`: the interpreter that has MediaPipe. Films in --out are
not rendered again.
"""
import argparse
import subprocess
from pathlib import Path

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

import measure_dev
from data.landmarks import RATE, frames

OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
SIDES = (234, 454)                           # of the face, from ear to ear
EVERY = 4                                    # frames are measured


def render(arguments, listed):
    """Renders what is missing in `<out>/own/<clip>.mkv`."""
    folder, sounds = arguments.out / "own", arguments.out / "audio"
    folder.mkdir(parents=True, exist_ok=True), sounds.mkdir(parents=True, exist_ok=True)
    for name, path, late, _ in listed:
        sound, target = sounds / f"{name}.wav", folder / f"{name}.mkv"
        if not sound.exists():
            measure_dev.audio_of(path, late, arguments.seconds, sound)
        if not target.exists():
            last = int(arguments.seconds * RATE) - 1
            subprocess.run([arguments.binary, "render", "--video", path, "--audio", sound, "--out", target, "--frames",
                            f"0-{last}", "--no-watermark", *arguments.options], check=True, stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL)


def box(points):
    """(left, top, right, bottom) around the mouth of landmarks [468, 3]: the lips, and half as much on each side."""
    lips = points[list(OUTER), :2]
    low, high = lips.min(0), lips.max(0)
    side = high - low
    (left, top), (right, bottom) = low - 0.5 * side, high + 0.5 * side
    return [int(round(v)) for v in (left, top, right, bottom)]


def energy(frame, inside):
    """Energy of luma in a box above a quarter of the sampling rate."""
    left, top, right, bottom = inside
    luma = frame[max(0, top):bottom, max(0, left):right].astype(np.float64) @ (0.299, 0.587, 0.114)
    window = np.outer(np.hanning(luma.shape[0]), np.hanning(luma.shape[1]))
    spectrum = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2
    down, across = np.fft.fftfreq(luma.shape[0])[:, None], np.fft.fftfreq(luma.shape[1])[None]
    return spectrum[np.hypot(down, across) > 0.25].sum()


def lips(frame, points):
    """Mean colour in CIE Lab of the lips without what is between them."""
    mask = np.zeros(frame.shape[:2], np.uint8)
    polygon = lambda index: np.round(points[list(index), :2]).astype(np.int32)
    cv2.fillPoly(mask, [polygon(OUTER)], 1), cv2.fillPoly(mask, [polygon(INNER)], 0)
    return rgb2lab(frame[mask > 0] / 255.0).mean(0) if mask.any() else np.full(3, np.nan)


def fine(frame, points, inside):
    """Mean energy, in a box around the mouth without the lips, of luma's differences of one to three pixels."""
    left, top, right, bottom = inside
    luma = frame.astype(np.float32) @ np.float32((0.299, 0.587, 0.114))
    skin = np.zeros(luma.shape, np.uint8)
    skin[max(0, top):bottom, max(0, left):right] = 1
    mouth = cv2.fillPoly(np.zeros_like(skin), [np.round(points[list(OUTER), :2]).astype(np.int32)], 1)
    around = 2 * round(0.04 * (right - left)) + 1
    skin[cv2.dilate(mouth, np.ones((around, around))) > 0] = 0
    return np.square(cv2.GaussianBlur(luma, (0, 0), 0.7) - cv2.GaussianBlur(luma, (0, 0), 1.4))[skin > 0].mean()


def measured(film, made, truth, seen):
    """(sharpness, skin, lip colour's difference, width of the face in pixels): medians of a clip."""
    rows, known = [], min(len(truth["valid"]), len(seen["valid"]))
    for k, (a, b) in enumerate(zip(frames(film), frames(made))):
        if k % EVERY or k >= known or not (truth["valid"][k] and seen["valid"][k]):
            continue
        points = truth["points"][k]
        inside = box(points)
        rows.append((energy(b, inside) / energy(a, inside), fine(b, points, inside) / fine(a, points, inside),
                     deltaE_ciede2000(lips(a, points), lips(b, seen["points"][k])),
                     np.linalg.norm(points[SIDES[0], :2] - points[SIDES[1], :2])))
    return np.nanmedian(rows, 0)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "data", "landmarks", "out", "teacher"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each clip, from its beginning")
    parser.add_argument("--wide", type=float, default=390, help="pixels of the faces whose sharpness counts")
    parser.add_argument("--only", help="of the list, clips with this in their name")
    parser.add_argument("options", nargs="*", help="passed to render")
    arguments = parser.parse_args()
    listed = [row for row in measure_dev.clips(arguments.data) if not arguments.only or arguments.only in row[0]]
    render(arguments, listed)
    found = arguments.out / "landmarks"
    subprocess.run([arguments.teacher, "-m", "data.landmarks", "--data", arguments.out / "own", "--out", found],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).parent)
    rows = []
    print(f"{'clip':58} {'sharp':>6} {'skin':>6} {'colour':>6} {'width':>6}")
    for name, path, _, is_grid in listed:
        with np.load(arguments.landmarks / f"{name}.npz") as truth, np.load(found / f"{name}.npz") as seen:
            row = measured(path, arguments.out / "own" / f"{name}.mkv", dict(truth), dict(seen))
        rows.append((*row, is_grid))
        print(f"{name[:58]:58} {row[0]:6.2f} {row[1]:6.2f} {row[2]:6.2f} {row[3]:6.0f}", flush=True)
    large = [row for row in rows if row[3] >= arguments.wide]
    if large:
        sharp, skin = np.median([row[:2] for row in large], 0)
        print(f"{len(large)} faces of {arguments.wide:g} pixels or more: median sharpness {sharp:.2f}, skin {skin:.2f}")
    for label, group in (("GRID", True), ("others", False)):
        colours = [row[2] for row in rows if row[4] == group]
        if colours:
            print(f"lip colour, CIEDE2000, median of {len(colours)} {label}: {np.median(colours):.2f}")


if __name__ == "__main__":
    main()
