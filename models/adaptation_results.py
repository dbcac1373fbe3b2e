"""Makes the tables and the plot of unseen face adaptation (section 4, Figure 7b): adapt, render, measure, write.

    python adaptation_results.py --data DATA --binary ../target/release/stylelipsync --work W \
        [--steps 100,300,1000,3000] [--only dfrf] [--variants full] [--recognition face.onnx]

The first part of each `dev` person's clip is trained on. Seconds of the rest are rendered with their own audio and with
that of other people, by the bundle as it is and with the person files of each number of steps. Every figure comes from
`stylelipsync evaluate`. Resumable: a person goes on from the checkpoint of the longest run, results are kept in W, and
a call with fewer persons or steps only adds to them. RESULTS.md and the plot show all results in W.
"""
import argparse
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np

from figures import figures
from results import Bench, number, put, run, table, unpaired

GRID = ("bbaz5s", "bbifzp", "bbwm7a", "bgauzp", "bgwizp", "bras9a", "lbax9s", "lbid3s")

# {name: (clips, one after the other; what they are)}
PERSONS = {
    "dfrf": (["video/dev/sstzal__DFRF__cnn2_25fps.mp4"], "presenter, 512x512"),
    "grid_s1": ([f"video/dev/grid_s1_{s}.mp4" for s in GRID], "GRID, 360x288; other sentences trained on"),
    "feifei": (["video/dev/FuxiVirtualHuman__styletalk__feifeili_clip1_muxed.mp4"], "256x256"),
    "edtalk": (["video/dev/tanshuai0219__EDTalk__mouth_source_muxed.mp4"], "256x256"),
}
VARIANTS = {"full": [], "without-regulariser": ["--weights", "10,1,0"], "without-sync": ["--weights", "10,0,1"],
            "paper-weights": ["--weights", "10,0.1,0.1"]}
TRAINED_ON = 0.62                               # share of a clip that is trained on, at most a minute
OWN = [("psnr_mask", "PSNR in mask", 2), ("ssim", "SSIM", 4), ("gmsd", "GMSD", 4), ("csim", "CSIM", 3),
       ("lse_d", "LSE-D", 3), ("lse_c", "LSE-C", 3), ("opening_correlation", "opening r", 2)]
UNPAIRED = [("csim", "CSIM", 3), ("lse_d", "LSE-D", 3), ("lse_c", "LSE-C", 3)]
SOUNDS = 2


def prepared(data, name, seconds, folder):
    """(part to train on, part to test on, its audio)."""
    learn, test, sound = (folder / f for f in ("learn.mkv", "test.mkv", "own.wav"))
    if not sound.exists():
        listed = folder / "clips.txt"
        listed.write_text("".join(f"file '{(data / file).resolve()}'\n" for file in PERSONS[name][0]))
        whole = ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", 0, "-i", listed]
        # Where a clip's audio ends before its picture, silence keeps that of the next one in sync.
        video = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", 6, "-pix_fmt", "yuv420p"]
        mono = ["-ac", 1, "-ar", 16000]
        coded = [*video, "-af", "aresample=async=1:first_pts=0", "-c:a", "pcm_s16le", *mono]
        run(*whole, *coded, folder / "whole.mkv")
        length = float(json.loads(probe(folder / "whole.mkv"))["format"]["duration"])
        cut = round(min(TRAINED_ON * length, 60) * 25) / 25
        quiet, rest = ["ffmpeg", "-v", "error", "-y"], ["-ss", cut, "-i", folder / "whole.mkv", "-t", seconds]
        run(*quiet, "-i", folder / "whole.mkv", "-t", cut, *coded, learn)
        run(*quiet, *rest, *video, "-an", test)
        run(*quiet, *rest, "-vn", *mono, folder / "part.wav")
        (folder / "part.wav").rename(sound)
    return learn, test, sound


def probe(path):
    """What ffprobe reports of a movie's container, JSON text."""
    command = ["ffprobe", "-v", "error", "-show_format", "-of", "json", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def person_file(arguments, learn, folder, variant, steps):
    """The person file after a number of steps, continued from fewer steps."""
    out = folder / f"{variant}-{steps}.safetensors"
    if not out.exists():
        work = folder / f"{variant}.safetensors"
        bundle = ["--bundle", arguments.bundle] if arguments.bundle else []
        run(arguments.binary, "adapt", "--video", learn, "--out", work, "--steps", steps, "--resume",
            "--keep-checkpoint", *bundle, *VARIANTS[variant])
        work.rename(out)
    return out


def measured(arguments, bench, index, name):
    """Measures one person at all --variants and --steps."""
    folder = arguments.work / name
    folder.mkdir(parents=True, exist_ok=True)
    learn, test, own = prepared(arguments.data, name, arguments.seconds, folder)
    sounds = unpaired(arguments.data, index, arguments.seconds, arguments.work)[:SOUNDS]

    def look(label, person=None):
        bench.measure(folder, f"{label}-own", test, own, "--truth", person=person)
        for k, sound in enumerate(sounds):
            bench.measure(folder, f"{label}-unpaired{k}", test, sound, "--source", person=person)
        print(name, label, flush=True)
    look("full-0")
    for variant in arguments.variants.split(","):
        for steps in arguments.steps:
            look(f"{variant}-{steps}", person_file(arguments, learn, folder, variant, steps))


def read(work):
    """{(person, variant, steps): {"own": figures, "unpaired": [figures]}} of all that is measured."""
    found = {}
    for path in sorted(work.glob("*/*-own.json")):
        person, (variant, steps, _) = path.parent.name, path.stem.rsplit("-", 2)
        others = [path.with_name(f"{variant}-{steps}-unpaired{k}.json") for k in range(SOUNDS)]
        if person in PERSONS and all(p.exists() for p in others):
            load = lambda p: figures(json.loads(p.read_text()))
            found[person, variant, int(steps)] = {"own": load(path), "unpaired": [load(p) for p in others]}
    return found


def mean(entry, key):
    """Mean of a figure over the unpaired audios of an entry of `read`."""
    return float(np.nanmean([f[key] for f in entry["unpaired"]]))


def tables(found):
    """The table of RESULTS.md: a row for each person, variant and number of steps."""
    head = ["", *(label for _, label, _ in OWN), *(f"unpaired {label}" for _, label, _ in UNPAIRED)]
    lines = []
    place = lambda key: (list(PERSONS).index(key[0]), list(VARIANTS).index(key[1]), key[2])
    for person, variant, steps in sorted(found, key=place):
        entry, what = found[person, variant, steps], "" if variant == "full" else f", {variant.replace('-', ' ')}"
        label = "zero-shot" if steps == 0 else f"{steps} steps{what}"
        lines.append([f"{person}: {label}", *(number(entry["own"][key], digits) for key, _, digits in OWN),
                      *(number(mean(entry, key), digits) for key, _, digits in UNPAIRED)])
    return table(head, lines)


def plot(found, out):
    """Figure 7(b): lip-sync with unpaired speech over the steps, with and without the regulariser and the sync loss."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    plt.rcParams.update({"svg.hashsalt": "stylelipsync", "font.size": 9})
    persons = [p for p in PERSONS if any(k[0] == p and k[1] != "full" for k in found)]
    figure, axes = plt.subplots(len(persons), 2, figsize=(9, 3 * len(persons)), squeeze=False)
    names = {"full": "regulariser and sync loss", "without-regulariser": "without the regulariser",
             "without-sync": "without the sync loss", "paper-weights": "both, with the paper's weights"}
    for row, person in zip(axes, persons):
        for axis, key, label in zip(row, ("lse_c", "lse_d"), ("LSE-C, higher is better", "LSE-D, lower is better")):
            # Evenly spaced, however many a variant has.
            ticks = sorted({s for p, _, s in found if p == person})
            for variant in VARIANTS:
                steps = sorted(s for p, v, s in found if p == person and (v == variant or s == 0))
                values = [mean(found[person, "full" if s == 0 else variant, s], key) for s in steps]
                if len(steps) > 1:
                    axis.plot([ticks.index(s) for s in steps], values, marker="o", label=names[variant])
            axis.set_xticks(range(len(ticks)), ticks)
            axis.set(xlabel="steps", ylabel=label, title=f"{person}, unpaired speech")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="upper center", ncols=4, fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.25 / len(persons) / 3))
    figure.savefig(out, metadata={"Date": None})


def main():
    """The command."""
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
