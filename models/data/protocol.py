"""What a prepared set's pictures and sound are: `manifest.json` next to the packed clips.

One protocol serves training and inference: its crop is the bundle's (`export.py` writes the same
CENTRE and SIDE into the bundle's manifest, where the engine reads them). A set is of one protocol;
a run that would mix two is refused.

    protocol   what the files hold; may not change in a set
    at_load    what `dataset.py` makes of them: mel windows from the 16 kHz sound, at whatever time is
               asked for; masks, which are functions of the pose and the face model (section 3.1).
               Neither is stored: a mel spectrogram is bound to one grid of times, and takes the loader
               milliseconds a clip; a mask is bound to its growth, which training varies.
    filters    what was kept; may change, the clips are decided on again
    tools, counts
"""
import subprocess

import cv2
import numpy as np

from data import face_model, files, geometry, mel, pack
from data.landmarks import RATE

FORMAT = 1
NAME = "manifest.json"
MEL = {"rate": mel.RATE, "mels": mel.MELS, "fft": mel.FFT, "window": mel.WINDOW, "hop": mel.HOP,
       "low": mel.LOW, "high": mel.HIGH, "floor": mel.FLOOR}


def of(face_model_path):
    """The protocol of this program with a face model."""
    with np.load(face_model_path) as model:
        sizes = {key: len(model[key]) for key in ("identity", "expression")} | {"vertices": len(model["mean"])}
    return {
        "fps": RATE, "image": geometry.IMAGE,
        "crop": {"centre": list(pack.CENTRE), "side": pack.SIDE, "unit": "outer eye corners' distance in the mean face",
                 "upright": "turned by the head's roll", "border": "edge repeated", "smoothing": [1, 4, 6, 4, 1],
                 "shot": pack.JUMP},
        "wide": {"size": pack.WIDE_SIZE, "side": pack.SIDE * pack.WIDE, "every": pack.STRIDE},
        "whole": {"size": 320, "every": pack.WHOLE},
        "jpeg_quality": pack.QUALITY[1],
        "sound": {"rate": mel.RATE, "channels": 1, "samples": "float32", "step": mel.STEP},
        "face_model": {**sizes, "mouth": face_model.MOUTH, "sha256": files.sha256(face_model_path)},
    }


def at_load(config):
    """Mel and mask parameters. SystemExit where the config asks for another spectrogram than `mel.py` makes."""
    for key, value in MEL.items():
        if config["mel"].get(key) != value:
            raise SystemExit(f"the config's mel.{key} is {config['mel'].get(key)}, data/mel.py makes {value}")
    shape = "contour of the face model, own mouth, open and closed"
    return {"mel": config["mel"], "mask": {**config["mask"], "shape": shape}}


def tools():
    """Versions of the programs that made a set."""
    first = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.split("\n")[0]
    return {"ffmpeg": first.split(" Copyright")[0].removeprefix("ffmpeg version "), "opencv": cv2.__version__,
            "numpy": np.__version__}


def differences(there, here, prefix=""):
    """["crop.side is 2.1 there, 2.3 here", ...] of two nested dicts."""
    found = []
    for key in sorted(set(there) | set(here)):
        a, b = there.get(key), here.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key} is {a} there, {b} here")
    return found


def agree(folder, protocol):
    """SystemExit, naming every field, if the set in a folder was made by another protocol."""
    there = files.read_json(folder / NAME)
    if there is None:
        if next(folder.glob("*.npz"), None):
            raise SystemExit(f"{folder} holds packed clips without a {NAME}: give another --out")
        return
    if there.get("format") != FORMAT:
        raise SystemExit(f"{folder / NAME} is of format {there.get('format')}, this program writes {FORMAT}")
    if found := differences(there["protocol"], protocol):
        raise SystemExit(f"{folder} was prepared by another protocol: {'; '.join(found)}. Give another --out.")


def readable(folder):
    """SystemExit if a packed set's crop is not the one that the loaders and the engine assume.
    Sets older than the manifest pass."""
    there = files.read_json(folder / NAME)
    if there is None:
        return
    have = {key: there["protocol"][key] for key in ("fps", "image")} | {
        key: there["protocol"]["crop"][key] for key in ("centre", "side")}
    want = {"fps": RATE, "image": geometry.IMAGE, "centre": list(pack.CENTRE), "side": pack.SIDE}
    if found := differences(have, want):
        raise SystemExit(f"{folder} cannot be trained on: {'; '.join(found)}")
