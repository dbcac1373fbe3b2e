"""The whole recipe in one command: from folders of movies to a bundle.

    python recipe.py --data DATA [DATA ...] --out W --bundle lite [--rights cleared] [--text VOICE=FILE ...]

Runs the steps of `steps()` one after the other; each is a command of this folder, which can also be called alone. A
step that was finished is not run again: W/recipe.json lists them, with their minutes. Stopped and started again, the
step under way resumes from its checkpoint. `--rights cleared` leaves out all other training data from the first step
on, so nothing in the bundle comes from it: face model, principal components and initial weights included. `--scale`
multiplies the minutes of all trainings. `--only` names steps; so two processes can share the work, each with steps
that do not need the other's.
"""
import argparse
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from data import files, voices

HERE = Path(__file__).parent
PAINTING = ["--clips", "5", "--frames", "1", "--variety"]
SHARP = ["--perceptual", "0.9", "--landmarks", "16", "--texture", "12", "--fine", "0.5", "--adversarial", "0.2"]


@dataclass
class Step:
    """One command. `minutes`: of a training, before `--scale`; 0 for any other."""
    name: str
    command: list
    minutes: float = 0
    common: bool = True                     # has the arguments of `training.py` and the packed clips


def steps(arguments):
    """The recipe, in order."""
    out, text = arguments.out, [part for entry in arguments.text for part in ("--text", entry)]
    # Only espeak-ng tells when it says a sound.
    timed = [entry for entry in arguments.text if re.split("[:=]", entry)[0] not in voices.PROGRAMS]
    timed = [part for entry in timed for part in ("--text", entry)]
    negatives, speech, heads = out / "negatives" / "train", out / "speech", out / "heads"
    return [
        Step("heads", [Path("head") / "training_clips.py", heads], common=False),
        Step("prepare", ["prepare.py", "--data", *arguments.data, heads, "--out", out, "--stills", "--config",
                         arguments.config, "--teacher-python", arguments.teacher_python], common=False),
        Step("mesh", ["train_mesh.py", "--what", "mesh"], 40),
        Step("negatives", ["-m", "data.negatives", "--pack", out / "pack", "--split", "train", "--out", negatives,
                           "--pictures", *arguments.pictures], common=False),
        Step("detector", ["train_mesh.py", "--what", "detector", "--negatives", negatives], 10),
        Step("confidence", ["train_mesh.py", "--what", "confidence", "--negatives", negatives], 3),
        Step("speech", ["prepare_speech.py", "--data", arguments.data[0], "--out", speech, *text], common=False),
        Step("phonetic", ["train_phonetic.py", "--corpus", speech, "--config", arguments.config, "--work",
                          arguments.work, "--cool", "0.3"], 300, common=False),
        Step("shape", ["train_shape.py", "--steps", "600", *timed]),
        Step("sync-shapes", ["train_sync.py", "--what", "shapes"], 10),
        Step("sync-pixels", ["train_sync.py", "--what", "pixels"], 20),
        Step("painter-small", ["train_generator.py", "--size", "128", *PAINTING], 60),
        Step("painter", ["train_generator.py", "--size", "256", *PAINTING, *SHARP, "--alone", "0.3"], 600),
        Step("occlusion", ["train_occlusion.py"], 60),
        # It needs hundreds of people: with the 51 of the cleared data, 1 % of pairs of strangers reached .72, where
        # the engine takes two faces for one person from .55 on. A bundle without it tracks by position alone.
        *([] if arguments.rights else [Step("recognition", ["train_recognition.py"], 30)]),
        Step("unpaired", ["bank.py", "--data", out / "pack", "--face-model", out / "face_model.npz", "--work",
                                 arguments.work, "--config", arguments.config, "--out", out / "bank.safetensors"],
             common=False),
    ]


def complete(step, arguments):
    """The whole command line of a step."""
    command = [sys.executable, *map(str, step.command)]
    command[1] = command[1] if command[1] == "-m" else str(HERE / command[1])
    if step.common:
        command += ["--config", str(arguments.config), "--data", str(arguments.out / "pack"), "--face-model",
                    str(arguments.out / "face_model.npz"), "--work", str(arguments.work)]
    if step.minutes:
        command += ["--minutes", f"{step.minutes * arguments.scale:g}"]
    takes_rights = step.common or step.name in ("prepare", "speech", "phonetic")
    return command + (["--rights", arguments.rights] if arguments.rights and takes_rights else [])


def provenance(arguments, done):
    """What the manifest says of the training data."""
    train = files.read_json(arguments.out / "report.json")["splits"]["train"]
    index = files.read_json(arguments.out / "speech" / "index.json")
    hours = {kind: sum(row["samples"] for row in index["items"] if row["kind"] == kind) / 16000 / 3600
             for kind in ("real", "synthetic")}
    return {
        "data": f"{train['clips']} clips and {train['stills']} photographs of {train['persons']} persons "
                f"({train['frames']:,} frames), {train['in_time']} of the clips with audio in sync; speech without "
                f"pictures: {hours['real']:.1f} hours of people, {hours['synthetic']:.1f} hours of synthetic voices",
        "rights": "cleared alone; see models/README.md" if arguments.rights else "as in the manifests of the data",
        "trained": f"{sum(done.values()):.0f} minutes; see models/RESULTS.md",
        "teacher": f"MediaPipe face mesh (Apache-2.0) for faces, {index['teacher']} (Apache-2.0) for phonetic "
                   "features; at training time only, nothing of them ships",
    }


def export(arguments, done):
    """Writes the bundle and its golden values."""
    files.write_json(arguments.out / "provenance.json", provenance(arguments, done))
    golden = ["--golden", str(arguments.golden)] if arguments.golden else []
    run([sys.executable, str(HERE / "export.py"), "--config", str(arguments.config), "--checkpoints",
         str(arguments.work), "--face-model", str(arguments.out / "face_model.npz"), "--bank",
         str(arguments.out / "bank.safetensors"), "--out", str(arguments.bundle), "--name",
         arguments.bundle.name, "--provenance", str(arguments.out / "provenance.json"), *golden])


def run(command):
    """Runs one command in this folder; ends the recipe where it fails."""
    print("$", " ".join(command), flush=True)
    code = subprocess.run(command, cwd=HERE).returncode
    if code:
        raise SystemExit(f"failed with exit code {code}; the same command goes on from here")


def parse(options=None):
    """The command's arguments, paths made absolute: the steps run in this folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders; speech is taken from the first")
    parser.add_argument("--out", type=Path, required=True, help="everything but the bundle: sets, checkpoints, records")
    parser.add_argument("--bundle", type=Path, help="folder for the bundle; without it nothing is exported")
    parser.add_argument("--golden", type=Path, help="folder for the bundle's golden values")
    parser.add_argument("--config", type=Path, default=HERE / "config" / "lite.json")
    parser.add_argument("--rights", choices=["cleared"], help="leaves out all other training data")
    parser.add_argument("--teacher-python", default=sys.executable, help="an interpreter that has mediapipe")
    parser.add_argument("--text", action="append", default=[], metavar="VOICE=FILE", help="see prepare_speech.py")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="without faces, see data/negatives.py")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the minutes of all trainings")
    parser.add_argument("--only", nargs="+", metavar="STEP", help="of: " + ", ".join(step_names()))
    arguments = parser.parse_args(options)
    unknown = set(arguments.only or []) - set(step_names())
    if unknown:
        parser.error(f"--only: no such step: {', '.join(sorted(unknown))}")
    for name in ("out", "bundle", "golden", "config"):
        value = getattr(arguments, name)
        setattr(arguments, name, value and value.resolve())
    arguments.data = [path.resolve() for path in arguments.data]
    arguments.pictures = [path.resolve() for path in arguments.pictures]
    arguments.work = arguments.out / "checkpoints"
    return arguments


def step_names():
    """Of all steps, for messages."""
    nothing = argparse.Namespace(out=Path(), text=[], data=[Path()], config=Path(), teacher_python="", pictures=[],
                                 work=Path(), rights=None)
    return [step.name for step in steps(nothing)]


def main(options=None):
    """The command; `options` instead of the command line's."""
    arguments = parse(options)
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = arguments.out / "recipe.json"
    for step in steps(arguments):
        done = files.read_json(record) or {}
        if step.name in done or (arguments.only and step.name not in arguments.only):
            continue
        begin = time.time()
        run(complete(step, arguments))
        # Read again: another process may have finished steps meanwhile.
        files.write_json(record, (files.read_json(record) or {}) | {step.name: round((time.time() - begin) / 60, 1)})
    if arguments.bundle:
        done = files.read_json(record) or {}
        missing = [step.name for step in steps(arguments) if step.name not in done]
        if missing:
            raise SystemExit(f"nothing is exported before these steps: {', '.join(missing)}")
        export(arguments, done)


if __name__ == "__main__":
    main()
