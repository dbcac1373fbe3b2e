"""Makes the tables of RESULTS.md from the shipped bundle and a folder of clips: render, measure, write.

    python results.py --data DATA --binary ../target/release/stylelipsync --work W \
        [--recognition face.onnx] [--ablations ABLATIONS.json] [--out RESULTS.md]

`DATA` holds a MANIFEST.tsv. One clip of each `dev` person whose audio is in sync (five sentences of a speaker of the
training set), the first seconds of it, each rendered with its own audio (reconstruction, Table 1), with the audio of
three other people (Table 2) and with silence (LipLeak, and the model without audio). Every figure comes from
`stylelipsync evaluate`. Resumable: results of the same bundle are kept in W. Sections of the output between
`<!-- name -->` and `<!-- /name -->` are replaced.
"""
import argparse
import csv
import hashlib
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from figures import LABELS, figures

TRAINED = "grid_s1"                             # the dev person whose other sentences were trained on
UNPAIRED = 3                                    # audios of other people for each clip


def run(*command):
    """Runs a command; RuntimeError with the end of its stderr if it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()[-500:]}")


def clips(data, seconds):
    """[(name, person, path, offset)] to be measured."""
    rows, chosen = list(csv.DictReader(open(data / "MANIFEST.tsv"), delimiter="\t")), {}
    for row in rows:
        usable = row["split"] == "dev" and row["sound"] == "y" and row["av_offset"] not in ("none", "unknown", "") \
            and "grey" not in row["note"]
        if usable:
            chosen.setdefault(row["person"], []).append(row)
    out = []
    for person in sorted(chosen):
        mine = sorted(chosen[person], key=lambda r: (-min(float(r["seconds"]), seconds), r["file"]))
        for row in mine[: 5 if person == TRAINED else 1]:
            note = row["av_offset"].rstrip("?")
            out.append((Path(row["file"]).stem, person, data / row["file"], int(note)))
    return out


def prepared(path, offset, seconds, folder):
    """(clip.mp4, own.wav): the first seconds, the audio in sync."""
    video, sound = folder / "clip.mp4", folder / "own.wav"
    if not video.exists():
        run("ffmpeg", "-v", "error", "-y", "-i", path, "-t", seconds, "-an", "-c:v", "libx264", "-preset", "ultrafast",
            "-qp", "6", "-pix_fmt", "yuv420p", folder / "part.mp4")
        (folder / "part.mp4").rename(video)
    if not sound.exists():
        late = offset / 25
        skip = ["-ss", late] if late > 0 else []
        shift = ["-af", f"adelay={int(-late * 1000)}:all=1"] if late < 0 else []
        run("ffmpeg", "-v", "error", "-y", *skip, "-i", path, "-vn", *shift, "-ac", "1", "-ar", "16000", "-t", seconds,
            folder / "part.wav")
        (folder / "part.wav").rename(sound)
    return video, sound


def unpaired(data, index, seconds, work):
    """Audio files of UNPAIRED other people for clip number `index`."""
    kinds = (".wav", ".mp3", ".m4a", ".flac", ".ogg")
    files = sorted(f for f in (data / "audio" / "dev").iterdir() if f.suffix in kinds)
    out = []
    for k in range(UNPAIRED):
        source = files[(index * UNPAIRED + k) % len(files)]
        sound = work / "sounds" / f"{source.stem}.wav"
        if not sound.exists():
            sound.parent.mkdir(parents=True, exist_ok=True)
            part = sound.with_suffix(f".{index}.wav")
            run("ffmpeg", "-v", "error", "-y", "-i", source, "-ac", "1", "-ar", "16000", "-t", seconds, part)
            part.rename(sound)
        out.append(sound)
    return out


class Bench:
    """Renders and measures, once for each question; results are kept in the work folder."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.common = ["--bundle", arguments.bundle] if arguments.bundle else []

    def measure(self, folder, name, video, sound, against, made=None, baseline=None, person=None):
        """Figures of `<made>.mkv`, rendered as `<name>.mkv` unless `made` names an earlier one, with a person file if
        given, or those of a baseline."""
        out = folder / f"{name}.json"
        if out.exists():
            return figures(json.loads(out.read_text()))
        what = ["--baseline", baseline] if baseline else [folder / f"{made or name}.mkv"]
        if not made and not baseline:
            run(self.arguments.binary, "render", "--video", video, "--audio", sound, "--out", what[0], "--no-watermark",
                *self.common,
                *(["--person", person] if person else []))
        recognition = ["--recognition", self.arguments.recognition] if self.arguments.recognition else []
        run(self.arguments.binary, "evaluate", *what, against, video, "--audio", sound, *recognition, *self.common,
            "--json", folder / "part.json", *(["--sheet", folder / f"{name}.png"] if not baseline else []))
        (folder / "part.json").rename(out)
        return figures(json.loads(out.read_text()))

    def clip(self, index, name, person, path, offset):
        """{question: figures} of one clip."""
        arguments = self.arguments
        folder = arguments.work / name
        folder.mkdir(parents=True, exist_ok=True)
        video, own = prepared(path, offset, arguments.seconds, folder)
        silence = folder / "silence.wav"
        if not silence.exists():
            run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", arguments.seconds,
                silence)
        row = {"person": person, "name": name,
               "own": self.measure(folder, "own", video, own, "--truth"),
               "frozen": self.measure(folder, "frozen", video, own, "--truth", baseline="frozen"),
               "silence": self.measure(folder, "silence", video, silence, "--source"),
               # A still mouth: what the judge sees in the face around it.
               "frozen silence": self.measure(folder, "frozen-silence", video, silence, "--source", baseline="frozen"),
               # The output of the model without audio, compared with the truth and its audio.
               "deaf": self.measure(folder, "deaf", video, own, "--truth", made="silence")}
        if arguments.own_sound_only or person == TRAINED:
            return row
        for k, sound in enumerate(unpaired(arguments.data, index, arguments.seconds, arguments.work)):
            row[f"unpaired{k}"] = self.measure(folder, f"unpaired{k}", video, sound, "--source")
            if k == 0:
                for baseline in ("untouched", "frozen"):
                    row[f"{baseline} unpaired"] = self.measure(folder, f"{baseline}-unpaired", video, sound, "--source",
                                                               baseline=baseline)
        return row


def interval(values, rounds=2000):
    """Mean and the 95 % interval of a bootstrap over clips."""
    values = np.asarray([v for v in values if np.isfinite(v)])
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    means = np.random.default_rng(0).choice(values, (rounds, len(values))).mean(1)
    return float(values.mean()), *map(float, np.percentile(means, [2.5, 97.5]))


def number(value, digits=3):
    """A figure as text, "-" if it is not finite."""
    return "-" if not np.isfinite(value) else f"{value:.{digits}f}"


def table(head, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def of(rows, question, key):
    """[value] of a figure over the rows that have the question."""
    return [row[question][key] for row in rows if question in row]


RECONSTRUCTION = [("ssim", "SSIM", 3), ("psnr", "PSNR", 2), ("psnr_mask", "in mask", 2), ("lmd", "LMD", 3),
                  ("lse_d", "LSE-D", 3), ("lse_c", "LSE-C", 3), ("opening_correlation", "opening r", 2),
                  ("opening_amplitude", "opening / real", 2), ("jitter_ratio", "jitter / real", 2), ("csim", "CSIM", 3)]


def reconstruction(rows):
    """Table 1: own audio, compared with the frozen mouth and the model without audio; LSE of the real clips."""
    lines, real = [], {"lse_d": "lse_d_real", "lse_c": "lse_c_real"}
    for label, group in (("unseen", [r for r in rows if r["person"] != TRAINED]),
                         (TRAINED, [r for r in rows if r["person"] == TRAINED])):
        if not group:
            continue
        mean = lambda question, key, digits, group=group: number(interval(of(group, question, key))[0], digits)
        for question, name in (("own", "**lite**"), ("frozen", "frozen mouth"), ("deaf", "without audio")):
            lines.append([f"{name}, {len(group)} {label}", *(mean(question, key, d) for key, _, d in RECONSTRUCTION)])
        lines.append([f"the real clips, {label}", *(mean("own", real[key], d) if key in real else "-"
                                                    for key, _, d in RECONSTRUCTION)])
    return table(["", *(label for _, label, _ in RECONSTRUCTION)], lines)


def by_clip(rows):
    """The table with a row for each clip."""
    keys = [("psnr_mask", "PSNR in mask", 2), ("lmd", "LMD", 3), ("lse_c", "LSE-C", 3), ("lse_c_real", "real", 3),
            ("offset", "A/V offset", 0), ("offset_real", "real", 0), ("opening_correlation", "opening r", 2),
            ("opening_lag", "lag", 0), ("opening_amplitude", "opening / real", 2)]
    return table(["clip", *(label for _, label, _ in keys), "leak"],
                 [[r["name"], *(number(r["own"][k], d) for k, _, d in keys), number(r["silence"]["leak"], 2)]
                  for r in rows])


def cross(rows):
    """Table 2: unpaired audio for unseen people, with bootstrap intervals over clips."""
    rows = [row for row in rows if "unpaired0" in row]
    own = lambda r, key: np.nanmean([r[f"unpaired{k}"][key] for k in range(UNPAIRED)])
    lines = []
    for name, pick in (("**lite**", own), ("untouched video", lambda r, key: r["untouched unpaired"][key]),
                       ("frozen mouth", lambda r, key: r["frozen unpaired"][key])):
        means = [interval([pick(r, key) for r in rows]) for key in ("csim", "lse_d", "lse_c")]
        lines.append([name, *("{} ({}, {})".format(*map(number, mean)) for mean in means)])
    return table(["", "CSIM", "LSE-D", "LSE-C"], lines)


def share(values):
    """Share of true values."""
    values = [bool(v) for v in values]
    return sum(values) / max(1, len(values))


def targets(rows):
    """Targets and results for unseen people."""
    unseen = [r for r in rows if r["person"] != TRAINED]
    grid = [r for r in unseen if r["person"].startswith(("grid", "lipnet"))]
    others = [r for r in unseen if r not in grid]
    mean = lambda q, k, group=unseen: interval(of(group, q, k))[0]
    median = lambda k, group: float(np.nanmedian(of(group, "own", k))) if group else float("nan")
    own, real = interval(of(unseen, "own", "lse_c")), mean("own", "lse_c_real")
    rival = max(interval(of(unseen, q, "lse_c"))[2] for q in ("frozen", "deaf"))
    in_time = share(abs(r["own"]["offset"]) <= 1 for r in unseen)
    unpaired_csim = [r[f"unpaired{k}"]["csim"] for r in unseen for k in range(UNPAIRED) if f"unpaired{k}" in r]
    cross_id = float(np.nanmean(unpaired_csim)) if unpaired_csim else float("nan")
    gain = mean("own", "psnr_mask") - mean("frozen", "psnr_mask")
    lines = [("SSIM in the crop", "0.80", mean("own", "ssim"), lambda v: v >= 0.80),
             ("PSNR in the crop, dB", "27", mean("own", "psnr"), lambda v: v >= 27),
             ("PSNR in the mask above the frozen mouth, dB", "3", gain, lambda v: v >= 3),
             *((f"opening r, median of {len(g)} {n}", "0.7", median("opening_correlation", g), lambda v: v >= 0.7)
               for n, g in (("GRID", grid), ("others", others))),
             *((f"opening / real, median of {len(g)} {n}", "0.85-1.15", median("opening_amplitude", g),
                lambda v: 0.85 <= v <= 1.15) for n, g in (("GRID", grid), ("others", others))),
             ("clips with an A/V offset of 0 +-1", "0.90", in_time, lambda v: v >= 0.9),
             ("the same of the real clips", "", share(abs(r["own"]["offset_real"]) <= 1 for r in unseen), None),
             ("LSE-C over the real clips'", "0.8", own[0] / real, lambda v: v >= 0.8),
             ("LSE-C's interval above the baselines', by", "0", own[1] - rival, lambda v: v > 0),
             ("cross-identity CSIM over reconstruction's", "0.9", cross_id / mean("own", "csim"), lambda v: v >= 0.9),
             ("jitter over real", "1.15", mean("own", "jitter_ratio"), lambda v: v <= 1.15),
             ("lip motion when all is silent, over the real", "0.1", mean("silence", "leak"), lambda v: v <= 0.1),
             ("the same of the frozen mouth, as the judge sees it", "", mean("frozen silence", "leak"), None)]
    reached = lambda value, ok: "" if ok is None or not np.isfinite(value) else "yes" if ok(value) else "**no**"
    return table(["figure", "aim", "measured", "reached"],
                 [[what, aim, number(value), reached(value, ok)] for what, aim, value, ok in lines])


def ablations(path):
    """Table 3, from the file that `ablate.py` writes."""
    rows = json.loads(path.read_text())
    some = next(iter(rows.values()))
    head = (f"{some['clips']} clips of people never trained on, {some['steps']} steps of five frames each at "
            f"{some['size']}x{some['size']} from one start:\n\n")
    values = lambda row: [number(row[k], 2 if "psnr" in k else 3) for k in LABELS]
    return head + table(["variant", *LABELS.values()], [[row["what"], *values(row)] for row in rows.values()])


def put(text, name, body):
    """A text with the section `name` replaced by `body`, or added at the end."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in text:
        text = text.rstrip() + f"\n\n{begin}\n{end}\n"
    return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{body}\n{end}", text, flags=re.S)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("data", "binary", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, help="the embedded one if not given")
    parser.add_argument("--recognition", type=Path, help="face recognition network for CSIM")
    parser.add_argument("--ablations", type=Path, help="ablations.json of ablate.py")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--own-sound-only", action="store_true", help="leave the unpaired audio and its table out")
    parser.add_argument("--limit", type=int, default=None, help="only the first clips")
    parser.add_argument("--jobs", type=int, default=1, help="clips at once")
    parser.add_argument("--out", type=Path, default=Path("RESULTS.md"))
    arguments = parser.parse_args()
    bundle = arguments.bundle or Path(__file__).parent / "lite"
    key = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()[:12]
    arguments.work = arguments.work / key
    bench, found = Bench(arguments), clips(arguments.data, arguments.seconds)[: arguments.limit]

    def measured(job):
        index, clip = job
        try:
            row = bench.clip(index, *clip)
            print(clip[0], flush=True)
            return row
        except RuntimeError as error:                  # one bad clip is reported, the others are measured
            print(f"{clip[0]} left out: {error}", flush=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = [row for row in pool.map(measured, enumerate(found)) if row]
    text = arguments.out.read_text() if arguments.out.exists() else "# Results\n"
    tables = {"targets": targets, "reconstruction": reconstruction, "clips": by_clip}
    if not arguments.own_sound_only:
        tables["cross-identity"] = cross
    for name, make in tables.items():
        text = put(text, name, make(rows))
    if arguments.ablations:
        text = put(text, "ablations", ablations(arguments.ablations))
    arguments.out.write_text(text)


if __name__ == "__main__":
    main()
