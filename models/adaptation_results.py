"""Makes the tables and the plot of unseen face adaptation (section 4, Figure 7b): adapt, render, measure, write.

    python adaptation_results.py --data DATA --binary ../target/release/stylelipsync --work W \
        [--steps 100,300,1000,3000] [--only dfrf] [--variants full] [--recognition face.onnx]

The first part of each `dev` person's clip is learnt from; seconds of the rest are rendered with their own sound, and
with foreign ones, by the bundle as it is and by the person files of each number of steps. Every figure comes from
`stylelipsync evaluate`. Resumable: a person goes on from the checkpoint that the longest run left, what was measured
is kept in W, and a call with fewer persons or steps only adds to it. RESULTS.md and the plot show all that is in W.
"""
import argparse
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np

from results import Bench, figures, foreign, number, put, run, table

# {name: (clips, one after the other; what they are)}
PERSONS = {
    "dfrf": (["video/dev/sstzal__DFRF__cnn2_25fps.mp4"], "presenter, 512x512"),
    "grid_s1": ([f"video/dev/grid_s1_{s}.mp4" for s in ("bbaz5s", "bbifzp", "bbwm7a", "bgauzp", "bgwizp", "bras9a", "lbax9s", "lbid3s")],
                "GRID, 360x288; other sentences trained on"),
    "feifei": (["video/dev/FuxiVirtualHuman__styletalk__feifeili_clip1_muxed.mp4"], "256x256"),
    "edtalk": (["video/dev/tanshuai0219__EDTalk__mouth_source_muxed.mp4"], "256x256"),
}
VARIANTS = {"full": [], "without-regulariser": ["--weights", "10,1,0"], "without-sync": ["--weights", "10,0,1"],
            "paper-weights": ["--weights", "10,0.1,0.1"]}
LEARNT = 0.62                                   # the share of a clip that is learnt from, at most a minute
OWN = [("psnr_mask", "PSNR in mask", 2), ("ssim", "SSIM", 4), ("gmsd", "GMSD", 4), ("csim", "CSIM", 3), ("lse_d", "LSE-D", 3),
       ("lse_c", "LSE-C", 3), ("opening_correlation", "opening r", 2)]
FOREIGN = [("csim", "CSIM", 3), ("lse_d", "LSE-D", 3), ("lse_c", "LSE-C", 3)]
SOUNDS = 2


def prepared(data, name, seconds, folder):
    """(part to learn from, part to test on, its sound)."""
    learn, test, sound = (folder / f for f in ("learn.mkv", "test.mkv", "own.wav"))
    if not sound.exists():
        listed = folder / "clips.txt"
        listed.write_text("".join(f"file '{(data / file).resolve()}'\n" for file in PERSONS[name][0]))
        whole = ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", 0, "-i", listed]
        # Where a clip's sound ends before its picture, silence keeps the next one's in time.
        coded = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", 6, "-pix_fmt", "yuv420p", "-af", "aresample=async=1:first_pts=0",
                 "-c:a", "pcm_s16le", "-ac", 1, "-ar", 16000]
        run(*whole, *coded, folder / "whole.mkv")
        length = float(json.loads(probe(folder / "whole.mkv"))["format"]["duration"])
        cut = round(min(LEARNT * length, 60) * 25) / 25
        run("ffmpeg", "-v", "error", "-y", "-i", folder / "whole.mkv", "-t", cut, *coded, learn)
        run("ffmpeg", "-v", "error", "-y", "-ss", cut, "-i", folder / "whole.mkv", "-t", seconds, *coded[:8], "-an", test)
        run("ffmpeg", "-v", "error", "-y", "-ss", cut, "-i", folder / "whole.mkv", "-t", seconds, "-vn", "-ac", 1, "-ar", 16000,
            folder / "part.wav")
        (folder / "part.wav").rename(sound)
    return learn, test, sound


def probe(path):
    return subprocess.run(["ffprobe", "-v", "error", "-show_format", "-of", "json", str(path)], check=True, capture_output=True, text=True).stdout


def person_file(arguments, learn, folder, variant, steps):
    """The person after so many steps, going on from fewer."""
    out = folder / f"{variant}-{steps}.safetensors"
    if not out.exists():
        work = folder / f"{variant}.safetensors"
        run(arguments.binary, "adapt", "--video", learn, "--out", work, "--steps", steps, "--resume", "--keep-checkpoint",
            *(["--bundle", arguments.bundle] if arguments.bundle else []), *VARIANTS[variant])
        work.rename(out)
    return out


def measured(arguments, bench, index, name):
    """Measures what was asked for of one person."""
    folder = arguments.work / name
    folder.mkdir(parents=True, exist_ok=True)
    learn, test, own = prepared(arguments.data, name, arguments.seconds, folder)
    sounds = foreign(arguments.data, index, arguments.seconds, arguments.work)[:SOUNDS]

    def look(label, person=None):
        bench.measure(folder, f"{label}-own", test, own, "--truth", person=person)
        for k, sound in enumerate(sounds):
            bench.measure(folder, f"{label}-foreign{k}", test, sound, "--source", person=person)
        print(name, label, flush=True)
    look("full-0")
    for variant in arguments.variants.split(","):
        for steps in arguments.steps:
            look(f"{variant}-{steps}", person_file(arguments, learn, folder, variant, steps))


def read(work):
    """{(person, variant, steps): {"own": figures, "foreign": [figures]}} of all that is measured."""
    found = {}
    for path in sorted(work.glob("*/*-own.json")):
        person, (variant, steps, _) = path.parent.name, path.stem.rsplit("-", 2)
        others = [path.with_name(f"{variant}-{steps}-foreign{k}.json") for k in range(SOUNDS)]
        if person in PERSONS and all(p.exists() for p in others):
            load = lambda p: figures(json.loads(p.read_text()))
            found[person, variant, int(steps)] = {"own": load(path), "foreign": [load(p) for p in others]}
    return found


def mean(entry, key):
    return float(np.nanmean([f[key] for f in entry["foreign"]]))


def tables(found):
    head = ["", *(label for _, label, _ in OWN), *(f"foreign {label}" for _, label, _ in FOREIGN)]
    lines = []
    for (person, variant, steps), entry in sorted(found.items(), key=lambda item: (list(PERSONS).index(item[0][0]), list(VARIANTS).index(item[0][1]), item[0][2])):
        label = "zero-shot" if steps == 0 else f"{steps} steps" + ("" if variant == "full" else f", {variant.replace('-', ' ')}")
        lines.append([f"{person}: {label}", *(number(entry["own"][key], digits) for key, _, digits in OWN),
                      *(number(mean(entry, key), digits) for key, _, digits in FOREIGN)])
    return table(head, lines)


def plot(found, out):
    """Figure 7(b): lip-sync of foreign words over the steps, with and without the regulariser and the sync loss."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    plt.rcParams.update({"svg.hashsalt": "stylelipsync", "font.size": 9})
    persons = [p for p in PERSONS if any(k[0] == p and k[1] != "full" for k in found)]
    figure, axes = plt.subplots(len(persons), 2, figsize=(9, 3 * len(persons)), squeeze=False)
    names = {"full": "regulariser and sync loss", "without-regulariser": "without the regulariser", "without-sync": "without the sync loss",
             "paper-weights": "both, with the paper's weights"}
    for row, person in zip(axes, persons):
        for axis, key, label in zip(row, ("lse_c", "lse_d"), ("LSE-C, higher is better", "LSE-D, lower is better")):
            # Evenly spaced, whatever each variant has of them.
            ticks = sorted({s for p, _, s in found if p == person})
            for variant in VARIANTS:
                steps = sorted(s for p, v, s in found if p == person and (v == variant or s == 0))
                values = [mean(found[person, "full" if s == 0 else variant, s], key) for s in steps]
                if len(steps) > 1:
                    axis.plot([ticks.index(s) for s in steps], values, marker="o", label=names[variant])
            axis.set_xticks(range(len(ticks)), ticks)
            axis.set(xlabel="steps", ylabel=label, title=f"{person}, foreign words")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="upper center", ncols=4, fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.25 / len(persons) / 3))
    figure.savefig(out, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("data", "binary", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, help="the embedded one if not given")
    parser.add_argument("--recognition", type=Path, help="face recognition network for CSIM")
    parser.add_argument("--steps", type=lambda text: sorted(map(int, text.split(","))), default=[100, 300, 1000, 3000])
    parser.add_argument("--seconds", type=float, default=6, help="of the rest that are measured")
    parser.add_argument("--only", default=",".join(PERSONS))
    parser.add_argument("--variants", default="full")
    parser.add_argument("--out", type=Path, default=Path("RESULTS.md"))
    parser.add_argument("--plot", type=Path, default=Path("adaptation.svg"))
    arguments = parser.parse_args()
    bundle = arguments.bundle or Path(__file__).parent / "lite"
    arguments.work = arguments.work / hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()[:12]
    bench = Bench(arguments)
    for index, name in enumerate(PERSONS):
        if name in arguments.only.split(","):
            measured(arguments, bench, index, name)
    found = read(arguments.work)
    arguments.out.write_text(put(arguments.out.read_text(), "adaptation", tables(found)))
    if any(variant != "full" for _, variant, _ in found):
        plot(found, arguments.plot)


if __name__ == "__main__":
    main()
