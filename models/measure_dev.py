"""Do rendered lips follow the speech? Renders a fixed list of `dev` clips and judges them by MediaPipe.

    python measure_dev.py --binary target/release/stylelipsync --data DATA --landmarks LANDMARKS --out DIR \
        --teacher PYTHON [-- OPTIONS OF RENDER]

Each clip is rendered three times: with its own audio, with another clip's (unpaired), and from silence. What comes
out is compared with the true frames: the inner-lip opening's correlation at lag 0, and its deviation over the true
one. Unpaired and silent renders show what the picture reveals of the source's own mouth. `--landmarks`: the truth
(`data/landmarks.py`); `--teacher`: the interpreter that has MediaPipe. Clips that exist in --out are not rendered
again.
"""
import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

from evaluate_opening import correlation, opening

# Clips of people outside the training set whose audio is in sync.
OTHERS = ("feifeili_clip1", "feifeili_clip3", "Audio_Source_681100216", "hist_RD_Radio2", "hist_WDA_BobMenendez",
          "video-retalking__2", "M003_level_1_disgusted", "M026_level_3_disgusted", "W023_level_2", "W036_level_3",
          "hist_M003_level_1", "hist_M024_level_2", "ablation_study_RD_Radio4", "reconstruction_RD_Radio51",
          "cnn2_25fps", "EDTalk__mouth_source", "LIA__vox_driving2")
GRID = 7                                     # of the sentences of GRID, evenly spaced
VARIANTS = ("own", "unpaired", "silent")
RATE = 16000


def clips(data):
    """[(name, path, audio late by frames, is GRID)] of the fixed list."""
    with open(data / "MANIFEST.tsv", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["split"] == "dev" and row["sound"] == "y"]
    grid = [row for row in rows if row["person"].startswith("grid") or "LipNet" in row["file"]]
    chosen = [(row, True) for row in grid[:: max(1, len(grid) // GRID)][:GRID]]
    chosen += [(row, False) for row in rows if any(name in row["file"] for name in OTHERS)]
    late = lambda row: int(row["av_offset"]) if row["av_offset"].lstrip("+-").isdigit() else 0
    return [(Path(row["file"]).stem, data / row["file"], late(row), is_grid) for row, is_grid in chosen]


def audio_of(path, late, seconds, target):
    """Writes the first seconds of a clip's audio, brought into sync, as WAV."""
    shift = (["-af", f"atrim=start={late / 25},asetpts=PTS-STARTPTS"] if late > 0
             else ["-af", f"adelay={-40 * late}:all=1"])
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", path, "-vn", *(shift if late else []), "-ac", "1",
                    "-ar", str(RATE), "-t", str(seconds), target], check=True)


def silence(seconds, target):
    """Writes digital silence as WAV."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"anullsrc=r={RATE}:cl=mono", "-t",
                    str(seconds), target], check=True)


def render(arguments, listed):
    """Renders what is missing in `<out>/<variant>/<clip>.mp4`."""
    sounds = arguments.out / "audio"
    for folder in (sounds, *(arguments.out / variant for variant in VARIANTS)):
        folder.mkdir(parents=True, exist_ok=True)
    silence(arguments.seconds, sounds / "silence.wav")
    for name, path, late, _ in listed:
        if not (sounds / f"{name}.wav").exists():
            audio_of(path, late, arguments.seconds, sounds / f"{name}.wav")
    for k, (name, path, _, _) in enumerate(listed):
        other = listed[(k + 7) % len(listed)][0]
        for variant, audio in zip(VARIANTS, (name, other, "silence")):
            target = arguments.out / variant / f"{name}.mp4"
            if not target.exists():
                last = int(arguments.seconds * 25) - 1
                subprocess.run([arguments.binary, "render", "--video", path, "--audio", sounds / f"{audio}.wav",
                                "--out", target, "--frames", f"0-{last}", "--no-watermark", *arguments.options],
                               check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def compare(truth, made):
    """(correlation at lag 0, deviation over the true one) of two outputs of `opening`."""
    (a, a_valid), (b, b_valid) = truth, made
    count = min(len(a), len(b))
    both = a_valid[:count] & b_valid[:count]
    a, b = a[:count][both], b[:count][both]
    return correlation(a, b), float(b.std() / max(a.std(), 1e-9))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "data", "landmarks", "out", "teacher"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each clip, from its beginning")
    parser.add_argument("options", nargs="*", help="passed to render")
    arguments = parser.parse_args()
    listed = clips(arguments.data)
    render(arguments, listed)
    rows = {}
    for variant in VARIANTS:
        found = arguments.out / f"{variant}-landmarks"
        subprocess.run([arguments.teacher, "-m", "data.landmarks", "--data", arguments.out / variant, "--out", found],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       cwd=Path(__file__).parent)
        for name, _, _, is_grid in listed:
            if (found / f"{name}.npz").exists():
                pair = opening(arguments.landmarks / f"{name}.npz"), opening(found / f"{name}.npz")
                rows.setdefault(name, {"grid": is_grid})[variant] = compare(*pair)
            else:
                print(f"{name}: {variant} has no landmarks", file=sys.stderr)
    print(f"{'clip':52} {'own r':>6} {'spread':>6} {'unpaired':>8} {'silent':>6} {'spread':>6}")
    rows = {name: row for name, row in rows.items() if all(variant in row for variant in VARIANTS)}
    for name, row in rows.items():
        print(f"{name[:52]:52} {row['own'][0]:6.2f} {row['own'][1]:6.2f} {row['unpaired'][0]:8.2f} "
              f"{row['silent'][0]:6.2f} {row['silent'][1]:6.2f}")
    within = sum(0.85 <= row["own"][1] <= 1.15 for row in rows.values())
    for label, is_grid in (("GRID", True), ("others", False)):
        group = [row for row in rows.values() if row["grid"] == is_grid]
        median = lambda variant, k, group=group: np.nanmedian([row[variant][k] for row in group])
        print(f"median of {len(group)} {label}: r {median('own', 0):.3f}, spread {median('own', 1):.2f}; unpaired r "
              f"{median('unpaired', 0):.3f}; silent r {median('silent', 0):.3f}, spread {median('silent', 1):.2f}")
    print(f"spread within .85 - 1.15: {within} of {len(rows)} clips")


if __name__ == "__main__":
    main()
