"""Trains variants from one start with equal budgets, and measures them alike (Table 3, and choices of our own).

    python ablate.py --config config/lite.json --data PACK --face-model F --start CHECKPOINTS --work DIR \
        --binary ../target/release/stylelipsync --steps 600 [--only full,mals]

Each variant is trained in `<work>/<name>` (resumable: measured ones are skipped), rendered on clips of
people outside the training set (`render_crops.py`) and measured by `stylelipsync evaluate`. Writes
`<work>/ablations.json`, which `results.py` puts into RESULTS.md.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from figures import LABELS, figures

FIVE = ["--sync", "0.1", "--sync-on", "shapes", "--consecutive", "--frames", "5", "--clips", "1"]
VARIANTS = {                        # name: (what it is, switches of training and rendering, switches of training alone)
    "full": ("as shipped", [], []),
    "mask": ("w/o pose-aware mask (lower half of the crop)", ["--set", "mask.rectangle=true"], []),
    "mals": ("w/o MaLS", ["--set", "mals.smooth=false"], []),
    "samf": ("SaMF w/o modulation", ["--set", "samf.modulated=false"], []),
    "carry": ("w/o warped reference", ["--set", "carry=null"], []),
    "hint": ("w/o lip hint", ["--set", "lip_hint=null"], []),
    "frozen": ("synthesis frozen", [], ["--freeze-synthesis"]),
    "sync": ("with the sync loss, T = 5", [], FIVE),
    "joint": ("codes of the shapes predicted from audio, T = 5, sync loss", ["--codes", "sound"], FIVE),
}


def measured(binary, bundle, folder):
    """{figure: value} of one rendered clip."""
    out, judge = folder / "figures.json", ["--bundle", str(bundle)] if bundle else []
    subprocess.run([str(binary), "evaluate", str(folder / "result.mkv"), "--truth", str(folder / "truth.mkv"),
                    "--audio", str(folder / "sound.wav"), "--json", str(out), *judge],
                   check=True, stdout=subprocess.DEVNULL)
    return figures(json.loads(out.read_text()))


def run(arguments, name, training, painting):
    """Trains, renders and measures one variant; gives the mean of each figure over clips."""
    work = arguments.work / name
    work.mkdir(parents=True, exist_ok=True)
    common = [str(part) for part in ("--config", arguments.config, "--data", arguments.data,
                                     "--face-model", arguments.face_model, "--work", work, "--size", arguments.size)]
    for judge in ("mesh", "phonetic", "audio_encoder_far", "sync_sound", "sync_shape", "sync_face"):
        link = work / f"{judge}.safetensors"
        if not link.exists() and (arguments.start / link.name).exists():
            link.symlink_to((arguments.start / link.name).resolve())
    python = [sys.executable]
    if not (work / "trained").exists():
        subprocess.run([*python, "train_generator.py", *common, "--start", str(arguments.start),
                        "--steps", str(arguments.steps), "--rate", str(arguments.rate), "--seed", str(arguments.seed),
                        "--device", arguments.device, "--clips", "5", "--frames", "1", "--perceptual", "0.9",
                        "--landmarks", "12", "--texture", "16", "--fine", "0.2", *painting, *training], check=True)
        (work / "trained").touch()
    painted = work / "painted"
    if not painted.exists():
        subprocess.run([*python, "render_crops.py", *common, "--out", str(work / "part"), "--codes", "sound",
                        "--seconds", str(arguments.seconds), *painting], check=True)
        (work / "part").rename(painted)
    if not arguments.binary:
        return None
    rows = [measured(arguments.binary, arguments.bundle, folder) for folder in sorted(painted.iterdir())]
    return {key: float(np.nanmean([row[key] for row in rows])) for key in LABELS} | {"clips": len(rows)}


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "data", "face-model", "start", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--binary", type=Path, help="stylelipsync; without it variants are trained and rendered only")
    parser.add_argument("--bundle", type=Path, help="its tracker and SyncNet judge; the embedded one if not given")
    parser.add_argument("--steps", type=int, default=600, help="of five frames each")
    parser.add_argument("--seconds", type=float, default=2, help="of each clip that is rendered")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--seed", type=int, default=1, help="of every variant's training")
    parser.add_argument("--device", default="cpu", help="of the training: cpu, cuda or cuda:N")
    parser.add_argument("--only", default=",".join(VARIANTS))
    arguments = parser.parse_args()
    path = arguments.work / "ablations.json"
    arguments.work.mkdir(parents=True, exist_ok=True)
    table = json.loads(path.read_text()) if path.exists() else {}
    for name in arguments.only.split(","):
        what, painting, training = VARIANTS[name]
        if name in table:
            continue
        figures = run(arguments, name, training, painting)
        if figures is None:
            continue
        table[name] = {"what": what, "steps": arguments.steps, "size": arguments.size, **figures}
        path.write_text(json.dumps(table, indent=1) + "\n")
        print(name, json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
