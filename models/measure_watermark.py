"""How well the watermark survives: detection rates by clip length, face size and what was done to the film.

    cargo build --release --workspace --example watermark_scores
    python measure_watermark.py --binary ../target/release/stylelipsync \
        --scores ../target/release/examples/watermark_scores --out W MOVIE...

Renders the first `--seconds` of each movie with its own audio, with and without the mark; changes the marked film as
`CHANGES` says; and counts in how many parts of 1, 3 and 10 s the mark is found and its identifier is read. The cost is
the fall of the PSNR inside the mask against the source. Movies are told apart by the width of the mask in pixels.
"""
import argparse
import csv
import json
import subprocess
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

CHANGES = {                             # ffmpeg's options between the marked film and the changed one
    "as rendered": None,
    "H.264, crf 23": ["-c:v", "libx264", "-crf", "23"],
    "H.264, crf 28": ["-c:v", "libx264", "-crf", "28"],
    "cropped by a tenth, crf 23": ["-vf", "crop=trunc(iw*.9/2)*2:trunc(ih*.9/2)*2", "-c:v", "libx264", "-crf", "23"],
    "half size": ["-vf", "scale=trunc(iw/4)*2:trunc(ih/4)*2", "-c:v", "libx264", "-crf", "12"],
    "half size, crf 23": ["-vf", "scale=trunc(iw/4)*2:trunc(ih/4)*2", "-c:v", "libx264", "-crf", "23"],
}
BANDS = ((0, 150), (150, 250), (250, 10_000))


def call(*command):
    """Runs a command; gives its output."""
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{answer.stderr}")
    return answer.stdout


def render(arguments, movie, folder):
    """The source and its renders with and without a mark, and the matte, all as movies; what exists is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    films = {name: folder / f"{name}.mp4" for name in ("source", "marked", "plain", "matte")}
    if not films["source"].exists():
        call("ffmpeg", "-v", "error", "-y", "-i", movie, "-t", arguments.seconds, "-vf", "fps=25", "-c:v", "libx264",
             "-crf", "8", "-c:a", "aac", films["source"])
    common = [arguments.binary, "render", "--video", films["source"], "--audio", films["source"]]
    if not films["marked"].exists():
        call(*common, "--out", films["marked"], "--report", folder / "marked.json")
    if not films["plain"].exists():
        call(*common, "--out", films["plain"], "--no-watermark", "--matte", films["matte"])
    return films


def frames(path):
    """Yields a movie's frames, [height, width, 3] of 8 bits."""
    movie = cv2.VideoCapture(str(path))
    while (read := movie.read())[0]:
        yield read[1]


def width_and_cost(films):
    """(median width of the mask in pixels, fall of the PSNR inside it in dB, PSNR of the change in dB)."""
    widths, squares, count = [], np.zeros(3), 0
    for source, marked, plain, matte in zip(*(frames(films[n]) for n in ("source", "marked", "plain", "matte"))):
        inside = matte[..., 0] > 127
        columns = np.flatnonzero(inside.any(0))
        if not len(columns):
            continue
        widths.append(columns[-1] - columns[0] + 1)
        source, marked, plain = (picture[inside].astype(np.float32) for picture in (source, marked, plain))
        squares += [((a - b) ** 2).sum() for a, b in ((source, marked), (source, plain), (marked, plain))]
        count += source.size
    db = 10 * np.log10(255 ** 2 * count / squares)
    return float(np.median(widths)), float(db[1] - db[0]), float(db[2])


def changed(folder):
    """{change: film}, made where missing."""
    made = {}
    for number, (name, options) in enumerate(CHANGES.items()):
        made[name] = folder / (f"changed{number}.mp4" if options else "marked.mp4")
        if not made[name].exists():
            call("ffmpeg", "-v", "error", "-y", "-i", folder / "marked.mp4", "-an", *options, made[name])
    return made


def scores(arguments, folder):
    """{(change, seconds): [(found, read)]} of one movie's parts."""
    rows, films = defaultdict(list), changed(folder)
    names = {str(path): name for name, path in films.items()}
    payload = json.loads((folder / "marked.json").read_text())["watermark"]
    kept = folder / "scores.tsv"
    if not kept.exists():
        kept.write_text(call(arguments.scores, "--seconds", "1,3,10", *films.values()))
    with open(kept, newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            right = row["identifier"] == payload
            if row["identifier"] not in ("-", payload):
                print(f"{row['movie']} at {row['begin']}: a wrong identifier was read")
            rows[names[row["movie"]], int(row["seconds"])].append((row["found"] == "1", right))
    return rows


def table(found):
    """Prints detection rates: {(band, change, seconds): [(found, read)]}."""
    print("| width of the mask | what was done | 1 s | 3 s | 10 s |\n|---|---|---|---|---|")
    for band in BANDS:
        for change in CHANGES:
            cells = []
            for seconds in (1, 3, 10):
                parts = found.get((band, change, seconds), [])
                share = np.mean(parts, axis=0) if parts else (np.nan, np.nan)
                cells.append(f"{share[0]:.0%} ({share[1]:.0%}) of {len(parts)}" if parts else "-")
            print(f"| {band[0]} to {band[1]} | {change} | {' | '.join(cells)} |")


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "scores", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=12, help="of each movie")
    parser.add_argument("movies", type=Path, nargs="+", metavar="MOVIE")
    arguments = parser.parse_args()
    found, costs = defaultdict(list), []
    for movie in arguments.movies:
        folder = arguments.out / movie.stem
        width, cost, change = width_and_cost(render(arguments, movie, folder))
        costs.append(cost)
        band = next(band for band in BANDS if band[0] <= width < band[1])
        for (name, seconds), parts in scores(arguments, folder).items():
            found[band, name, seconds] += parts
        print(f"{movie.stem}: mask {width:.0f} pixels wide, PSNR inside it {cost:.3f} dB lower, "
              f"the mark itself {change:.1f} dB", flush=True)
    print(f"cost: median {np.median(costs):.3f} dB, most {max(costs):.3f} dB\n")
    table(found)


if __name__ == "__main__":
    main()
