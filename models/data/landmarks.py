"""Teacher landmarks: MediaPipe's face mesh over every clip, at 25 frames a second.

Reads a MANIFEST.tsv (columns: split, person, file, ...) or a folder of videos and images and
writes one `<name>.npz` per file:

    points  [T, 468, 3] float32   x, y in pixels of the source frame, z in the same unit
    valid   [T] bool              a face was found
    size    [2] int               width, height of the source frame

MediaPipe is the *teacher* of the mesh predictor (see `train_mesh.py`); it is needed here and
nowhere else. Resumable: files that exist are skipped.

    python -m data.landmarks --data DIR --out DIR [--split train] [--shard 0/2]
"""
import argparse
import csv
import subprocess
from pathlib import Path

import numpy as np

RATE = 25
IMAGES = {".jpg", ".jpeg", ".png", ".webp"}


def probe(path):
    """(width, height) of a movie as ffmpeg will hand it out (rotation applied)."""
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "stream=width,height:stream_side_data=rotation", "-of", "csv=p=0", str(path)],
        capture_output=True, text=True, check=True).stdout
    fields = [f for f in out.replace("\n", ",").split(",") if f]
    width, height = int(fields[0]), int(fields[1])
    turned = len(fields) > 2 and abs(int(float(fields[2]))) % 180 == 90
    return (height, width) if turned else (width, height)


def frames(path, rate=RATE):
    """Yields RGB frames [H, W, 3] uint8 of a movie resampled to `rate`, or of one image."""
    width, height = probe(path)
    rate_filter = [] if path.suffix.lower() in IMAGES else ["-vf", f"fps={rate}"]
    with subprocess.Popen(
            ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), *rate_filter,
             "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE) as child:
        size = width * height * 3
        while len(raw := child.stdout.read(size)) == size:
            yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def name_of(path):
    return path.stem


def sources(data, split):
    """The video and image files of a manifest's split, or of a plain folder."""
    manifest = data / "MANIFEST.tsv"
    if not manifest.exists():
        return sorted(p for p in data.rglob("*") if p.suffix.lower() in IMAGES | {".mp4", ".mov"})
    with open(manifest) as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [data / row["file"] for row in rows
                if row["split"] == split and "audio/" not in row["file"]]


def track(path, mesh):
    points, valid = [], []
    for frame in frames(path):
        height, width = frame.shape[:2]
        found = mesh.process(frame).multi_face_landmarks
        valid.append(bool(found))
        if found:
            unit = [[p.x * width, p.y * height, p.z * width] for p in found[0].landmark[:468]]
            points.append(np.asarray(unit, np.float32))
        else:
            points.append(np.zeros((468, 3), np.float32))
    return np.stack(points), np.asarray(valid), np.asarray([width, height])


def main():
    import mediapipe
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--shard", default="0/1", help="K/N: every N-th file, beginning with K")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    shard, shards = map(int, arguments.shard.split("/"))
    for path in sources(arguments.data, arguments.split)[shard::shards]:
        target = arguments.out / f"{name_of(path)}.npz"
        if target.exists():
            continue
        still = path.suffix.lower() in IMAGES
        with mediapipe.solutions.face_mesh.FaceMesh(
                static_image_mode=still, max_num_faces=1, refine_landmarks=True,
                min_detection_confidence=0.5) as mesh:
            points, valid, size = track(path, mesh)
        partial = target.with_suffix(".part")
        with open(partial, "wb") as file:
            np.savez_compressed(file, points=points, valid=valid, size=size)
        partial.rename(target)
        print(f"{path.name}: {int(valid.sum())}/{len(valid)}", flush=True)


if __name__ == "__main__":
    main()
