"""Teacher landmarks: MediaPipe's face mesh over every clip, at 25 frames a second.

Reads a MANIFEST.tsv (columns: split, person, file, ...) or a folder of videos and images and
writes one `<name>.npz` per file:

    points  [T, 468, 3] float32   x, y in pixels of the source frame, z in the same unit
    valid   [T] bool              a face was found
    size    [2] int               width, height of the source frame
    source  str                   fingerprint of the file (`files.py`), "" if none was given
    teacher str                   which MediaPipe

MediaPipe is the *teacher* of the mesh predictor (see `train_mesh.py`); it is needed here and
nowhere else. Resumable: files that exist are skipped.

    python -m data.landmarks --data DIR --out DIR [--split train] [--shard 0/2]

`prepare.py` runs this module with `--list` (one `name TAB fingerprint TAB path` a line) in the
interpreter that has MediaPipe; it answers with one line a file on stdout.
"""
import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

from data import files

RATE = 25
MOVIES = {".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg"}
IMAGES = {".jpg", ".jpeg", ".png", ".webp"}


def probe(path):
    """(width, height) of a movie as ffmpeg decodes it (rotation applied).
    ValueError with ffprobe's message if there is no picture to read."""
    answer = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "stream=width,height:stream_side_data=rotation", "-of", "csv=p=0", str(path)],
        capture_output=True, text=True)
    fields = [f for f in answer.stdout.replace("\n", ",").split(",") if f]
    if answer.returncode or len(fields) < 2:
        message = answer.stderr.strip().splitlines()
        raise ValueError("not readable: " + (message[-1].replace(f"{path}: ", "") if message else "no picture in it"))
    width, height = int(fields[0]), int(fields[1])
    turned = len(fields) > 2 and abs(int(float(fields[2]))) % 180 == 90
    return (height, width) if turned else (width, height)


def frames(path, rate=RATE):
    """Yields RGB frames [H, W, 3] uint8 of a movie resampled to `rate`, or of one image."""
    width, height = probe(path)
    rate_filter = [] if path.suffix.lower() in IMAGES else ["-vf", f"fps={rate}"]
    with subprocess.Popen(
            ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), *rate_filter,
             "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        size = width * height * 3
        while len(raw := child.stdout.read(size)) == size:
            yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def name_of(path):
    """The name of a movie's landmark file and packed clip."""
    return path.stem


def sources(data, split):
    """The video and image files of a manifest's split, or of a plain folder."""
    manifest = data / "MANIFEST.tsv"
    if not manifest.exists():
        return sorted(p for p in data.rglob("*") if p.suffix.lower() in IMAGES | MOVIES)
    with open(manifest) as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [data / row["file"] for row in rows
                if row["split"] == split and "audio/" not in row["file"]]


def track(path, mesh):
    """(points [T, 468, 3], valid [T], (width, height)) of a movie by a FaceMesh of MediaPipe."""
    points, valid, size = [], [], (0, 0)
    for frame in frames(path):
        height, width = size = frame.shape[:2]
        found = mesh.process(frame).multi_face_landmarks
        valid.append(bool(found))
        if found:
            unit = [[p.x * width, p.y * height, p.z * width] for p in found[0].landmark[:468]]
            points.append(np.asarray(unit, np.float32))
        else:
            points.append(np.zeros((468, 3), np.float32))
    if not valid:
        raise ValueError("no frame could be decoded")
    return np.stack(points), np.asarray(valid), np.asarray(size[::-1])


def teach(path, target, source=""):
    """Writes the landmarks of one file, complete or not at all; (frames with a face, frames).
    ValueError with a message if the file holds no picture."""
    import mediapipe
    with mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=path.suffix.lower() in IMAGES, max_num_faces=1, refine_landmarks=True,
            min_detection_confidence=0.5) as mesh:
        points, valid, size = track(path, mesh)
    with files.whole(target) as file:
        np.savez_compressed(file, points=points, valid=valid, size=size, source=source,
                            teacher=f"mediapipe {mediapipe.__version__}")
    return int(valid.sum()), len(valid)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--list", type=Path, help="name, fingerprint, path: in place of --data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--shard", default="0/1", help="K/N: every N-th file, beginning with K")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    shard, shards = map(int, arguments.shard.split("/"))
    if arguments.list:
        rows = [line.split("\t", 2) for line in arguments.list.read_text().splitlines()]
    elif arguments.data:
        rows = [(name_of(path), "", path) for path in sources(arguments.data, arguments.split)]
    else:
        sys.exit("--data or --list is needed")
    for name, source, path in rows[shard::shards]:
        target = arguments.out / f"{name}.npz"
        if not arguments.list and target.exists():
            continue
        try:
            found, count = teach(Path(path), target, source)
            print(f"{name}\t{found}\t{count}", flush=True)
        except ValueError as error:
            print(f"{name}\tbad\t{error}", flush=True)


if __name__ == "__main__":
    main()
