"""From folders of talking-head movies to training shards, resumably; and to a pack for another machine.

    python prepare.py --data FOLDER [FOLDER ...] --out W        landmarks, face model, packed clips, report
    python prepare.py --out W --travel T --budget-mib 45        the set under a size, shards below 16 MiB
    python prepare.py --unpack T --out W                        and back, on the machine that trains

A FOLDER has a MANIFEST.tsv, or VoxCeleb2's or HDTF's layout, or just movies (`data/sources.py`). W gets

    landmarks/         the teacher's landmarks, one file a movie
    face_model.npz     ours, fitted to them, or the one given; never replaced
    pack/              what `data/dataset.py` and `train_mesh.py` read, with manifest.json
    records/           what was measured of each movie, and what was decided
    report.json        counts, hours, reasons; the same is printed

It can be stopped at any time and run again: files are complete or absent, finished movies are skipped (by content),
other limits decide again without measuring again. Another crop or face model in the same W is refused.
Only the landmarks need MediaPipe; --teacher-python names an interpreter that has it.
"""
import argparse
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np

from data import face_model, files, pack, protocol, report, selection, sources, teacher, travel
from data.landmarks import probe


class Preparation:
    """One run over a set's folder."""

    def __init__(self, arguments):
        self.out, self.jobs, self.quiet = arguments.out, arguments.jobs, arguments.quiet
        self.filters = selection.Filters(
            0 if arguments.any_face else arguments.min_face, arguments.min_frames, arguments.max_offset,
            arguments.min_confidence, arguments.drop_unsynced, arguments.remeasure)
        self.seeds = arguments.seed_landmarks
        self.config = json.loads(arguments.config.read_text())
        self.at_load = protocol.at_load(self.config)
        self.judge = self.judge_mark = None
        if arguments.sync_checkpoints:
            from data.sync import OffsetJudge
            self.judge = OffsetJudge(arguments.sync_checkpoints, self.config)
            self.judge_mark = files.fingerprint(arguments.sync_checkpoints / "sync_sound.safetensors")
        for folder in ("landmarks", "pack", "records"):
            (self.out / folder).mkdir(parents=True, exist_ok=True)
        self.model = None

    def record_path(self, name):
        """The JSON file with measurements and decisions on a movie."""
        return self.out / "records" / f"{name}.json"

    def landmarks_path(self, name):
        """The file of a movie's landmarks."""
        return self.out / "landmarks" / f"{name}.npz"

    def probe_all(self, found):
        """[(source, fingerprint)] of what can be read; the rest is recorded with its reason."""
        good, bar = [], files.Progress("reading", len(found), "files", self.quiet)
        for source in found:
            mark, bad = "", None
            try:
                mark = files.fingerprint(source.path)
                old = files.read_json(self.record_path(source.name))
                if old and old["path"] != str(source.path.resolve()) and old["fingerprint"] != mark:
                    # Never let one movie overwrite another of the same name.
                    source.name += "_" + mark[-8:]
                if teacher.known(source.name, mark, self.out / "landmarks", self.seeds) is None:
                    probe(source.path)          # a movie with landmarks is readable
            except FileNotFoundError:
                bad = "file missing"
            except (OSError, ValueError) as error:
                bad = str(error)
            if bad:
                self.save(self.base(source, mark, bad=bad))
            else:
                good.append((source, mark))
            bar.step()
        return good

    @staticmethod
    def base(source, mark, **more):
        """The fields of every record."""
        return dict(name=source.name, path=str(source.path.resolve()), fingerprint=mark, person=source.person,
                    split=source.split, rights=source.rights, still=source.still, declared=source.av_offset,
                    sound=False, faces=0) | more

    def save(self, record):
        """Decides on a clip and writes its record, the last of its files."""
        kept, reason, note = selection.decide(record, self.filters)
        record |= dict(kept=kept, reason=reason, av_offset=note)
        if not kept:
            self.drop(record)
        files.write_json(self.record_path(record["name"]), record)
        return record

    def drop(self, record):
        """Takes a clip's files away, the .npz first: without it there is no clip."""
        for suffix in (".npz", ".crops", ".wide", ".whole"):
            (self.out / "pack" / record["name"]).with_suffix(suffix).unlink(missing_ok=True)
        record.pop("written", None)

    def fit_face_model(self, good, given):
        """The path of the face model: the given one, or one fitted to the train split's landmarks. Also loads it."""
        path = self.out / "face_model.npz"
        if given:
            if not given.exists():
                raise SystemExit(f"--face-model: there is no {given}")
            if path.exists() and files.sha256(path) != files.sha256(given):
                raise SystemExit(f"{path} is another face model than {given}: give another --out")
            if not path.exists():
                with files.whole(path) as file:
                    file.write(given.read_bytes())
        elif not path.exists():
            names = {s.name for s, _ in good if s.split == "train"}
            try:
                model, quality = face_model.fit(face_model.load(self.out / "landmarks", names))
            except (ValueError, IndexError) as error:
                raise SystemExit(f"{error}; give --face-model (resume.py writes the shipped bundle's)") from None
            with files.whole(path) as file:
                np.savez(file, **model)
            print(f"face model: {quality}")
        self.model = dict(np.load(path))
        return path

    def finished(self, record):
        """Whether a kept clip's files are still as written."""
        for suffix, size in record.get("bytes", {}).items():
            path = (self.out / "pack" / record["name"]).with_suffix(suffix)
            if not path.exists() or path.stat().st_size != size:
                return False
        return "written" in record

    def clip(self, source, mark):
        """Measures, decides on and packs one movie; its record. Skips finished steps."""
        old = files.read_json(self.record_path(source.name)) or {}
        sound_mark = source.sound and files.fingerprint(source.sound)
        measured = (old.get("fingerprint") == mark and "side" in old and old["still"] == source.still
                    and old["sound_from"] == sound_mark)
        kept_keys = ("sound", "faces") if measured else ()
        base = {key: value for key, value in self.base(source, mark).items() if key not in kept_keys}
        record = (old if measured else {}) | base
        record["sound_from"] = sound_mark
        face = audio = None
        if not measured or (self.judge and record["sound"] and record.get("judge") != self.judge_mark):
            face, audio = self.measure(source, record)
        kept, _, note = selection.decide(record, self.filters)
        written = dict(person=source.person, split=source.split, rights=source.rights, av_offset=note)
        if kept and not (measured and record.get("written") == written and self.finished(record)):
            if face is None:
                face, audio = self.read(source)
            stem = self.out / "pack" / source.name
            try:
                record["frames"] = pack.write(source.path, stem, face, audio, written)
            except ValueError as error:
                return self.save(self.base(source, mark, bad=str(error)))
            record["written"] = written
            record["bytes"] = {s: stem.with_suffix(s).stat().st_size for s in (".npz", ".crops", ".wide", ".whole")}
        return self.save(record)

    def read(self, source):
        """(pack.Track, samples at 16 kHz) of one movie."""
        with np.load(self.landmarks_path(source.name)) as file:
            face = pack.track(file["points"], file["valid"], self.model)
        audio = pack.audio_16k(source.sound) if source.sound else np.zeros(0, np.float32)
        return face, audio

    def measure(self, source, record):
        """The same, with measurements added to the record."""
        face, audio = self.read(source)
        record |= dict(frames=len(face.valid), faces=int(face.valid.sum()), cut=face.cut, side=round(face.side, 1),
                       sound=len(audio) > 0, seconds=round(len(face.valid) / protocol.RATE, 2))
        if self.judge and len(audio):
            measured = self.judge.measure(audio, face.delta, face.valid)
            record |= dict(judge=self.judge_mark, offset=measured and measured[0],
                           confidence=measured and round(measured[1], 2))
        return face, audio

    def run(self, arguments):
        """Prepares the folders of --data."""
        found = sources.find_all(arguments.data, arguments.stills, arguments.declared_rights)
        # Before the face model is fitted: it too comes from the training clips alone.
        found = [s for s in found if s.split != "train" or arguments.rights in (None, s.rights)]
        good = self.probe_all(found)
        if not good:
            raise SystemExit(f"none of the {len(found)} files can be read; {self.out / 'records'} says why of each")
        bad, teachers = teacher.teach([(s.name, m, s.path) for s, m in good], self.out / "landmarks",
                                      arguments.teacher_python, self.jobs, self.quiet)
        for source, mark in good:
            if source.name in bad:
                self.save(self.base(source, mark, bad=bad[source.name]))
        good = [(s, m) for s, m in good if s.name not in bad]
        agreed = protocol.of(self.fit_face_model(good, arguments.face_model))
        protocol.agree(self.out / "pack", agreed)
        manifest = dict(format=protocol.FORMAT, protocol=agreed, at_load=self.at_load, filters=vars(self.filters),
                        tools=protocol.tools() | {"teacher": sorted(teachers)})
        files.write_json(self.out / "pack" / protocol.NAME, manifest)
        bar = files.Progress("packing", len(good), quiet=self.quiet)
        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = [pool.submit(self.clip, source, mark) for source, mark in good]
            try:
                for done in as_completed(waiting):
                    bar.step(done.result().get("frames", 0))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        summary = report.of(self.out)
        files.write_json(self.out / "report.json", summary)
        files.write_json(self.out / "pack" / protocol.NAME, manifest | {"counts": summary["kept"]})
        print(report.table(summary))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", help="folders of movies")
    parser.add_argument("--out", type=Path, required=True, help="the prepared set")
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "config" / "lite.json")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--stills", action="store_true", help="pictures too (for the mesh predictor)")
    parser.add_argument("--rights", choices=["cleared"], help="leaves out all other training clips")
    parser.add_argument("--declared-rights", default="unknown", help="of movies without a MANIFEST.tsv: cleared, ...")
    parser.add_argument("--teacher-python", default=sys.executable, help="an interpreter that has mediapipe")
    parser.add_argument("--seed-landmarks", type=Path, help="landmarks of an earlier run, taken by name")
    parser.add_argument("--face-model", type=Path, help="instead of fitting one")
    group = parser.add_argument_group("filters")
    group.add_argument("--min-face", type=float, default=112, metavar="PIXELS",
                       help="drop clips whose crop is (in the median) smaller in the movie; 112: enlarged at most "
                            "2.3 times, which VoxCeleb2 and GRID pass; 256: never enlarged")
    group.add_argument("--any-face", action="store_true", help="the filter above off")
    group.add_argument("--min-frames", type=int, default=12, help="with a face")
    group.add_argument("--sync-checkpoints", type=Path, help="sync_sound and sync_shape .safetensors: measure offsets")
    group.add_argument("--remeasure", action="store_true", help="trust the measured offset over MANIFEST's")
    group.add_argument("--max-offset", type=int, default=5, help="frames; smaller ones are corrected, not dropped")
    group.add_argument("--min-confidence", type=float, default=3.0)
    group.add_argument("--drop-unsynced", action="store_true", help="drop the clip, not only its sound")
    group = parser.add_argument_group("travel")
    group.add_argument("--travel", type=Path, help="pack the set into this folder")
    group.add_argument("--budget-mib", type=float, default=45)
    group.add_argument("--crf", type=int, default=24, help="H.264 quality")
    group.add_argument("--dev-share", type=float, default=0.1, help="of the budget, for clips of the dev split")
    group.add_argument("--with-wide", action="store_true", help="wide crops and whole frames too (train_mesh.py)")
    group.add_argument("--unpack", type=Path, help="a folder that --travel made")
    arguments = parser.parse_args()
    if not (arguments.data or arguments.travel or arguments.unpack):
        parser.error("one of --data, --travel, --unpack is needed")
    for program in ("ffmpeg", "ffprobe") if not arguments.unpack else ():
        if not shutil.which(program):
            raise SystemExit(f"{program} is not there: install ffmpeg")
    cv2.setNumThreads(1)
    if arguments.unpack:
        travel.unpack(arguments.unpack, arguments.out, arguments.jobs, arguments.quiet)
    if arguments.data:
        Preparation(arguments).run(arguments)
    if arguments.travel:
        travel.pack_set(arguments.out, arguments.travel, travel.Options(
            arguments.budget_mib, arguments.crf, arguments.dev_share, arguments.with_wide), arguments.quiet)


if __name__ == "__main__":
    main()
