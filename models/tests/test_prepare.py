"""`prepare.py` on the project's own rendered head: python -m unittest tests.test_prepare (from models/).

The landmarks are the shipped face model posed at the head's true mouth, so that MediaPipe is not needed
but for the one test of the teacher itself.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from data import dataset, face_model, files, mel, selection, sound_code, sources, sync, travel

MODELS = Path(__file__).parent.parent
HEAD = MODELS / "head" / "clip"
FRAMES = 30
TEACHER = os.environ.get("TEACHER_PYTHON", sys.executable)


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True)


def movie(path, begin=0, sound=True, size=None, count=FRAMES):
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["-framerate", 25, "-start_number", begin, "-i", HEAD / "frames" / "%04d.jpg"]
    words += ["-ss", begin / 25, "-i", HEAD / "speech.wav", "-c:a", "aac"] if sound else []
    words += ["-vf", f"scale={size}"] if size else []
    ffmpeg(*words, "-frames:v", count, "-t", count / 25, "-c:v", "libx264", "-preset", "ultrafast",
           "-pix_fmt", "yuv420p", path)


def shipped_face():
    manifest = json.loads((MODELS / "lite" / "manifest.json").read_text())
    weights = load_file(MODELS / "lite" / manifest["weights"]["file"])
    face = {k[len("face_model."):]: v.astype(np.float64 if v.dtype == np.float16 else v.dtype)
            for k, v in weights.items() if k.startswith("face_model.")}
    return face | {"still": (1 - face_model.lower_face(face["mean"])) + 0.02}


def landmarks(path, face, begin=0, zoom=1.0, count=FRAMES):
    """The face model's vertices over frames of the head, its mouth as open as the head's."""
    truth = json.loads((HEAD / "clip.json").read_text())["truth"][begin: begin + count]
    lips = (face["mean"][13] + face["mean"][14])[:2] / 2
    span = max(t["lip_opening_px"] for t in truth)
    points = []
    for t in truth:
        mouth = (np.array(t["upper_lip"]) + t["lower_lip"]) / 2
        share = t["lip_opening_px"] / span
        delta = face["closed"] * (1 - share) + face["open"] * share
        vertices = face["mean"] + np.tensordot(delta, face["expression"], 1)
        points.append(zoom * (np.array([*mouth, 0.0]) + 90.0 * (vertices - [*lips, 0.0])))
    path.parent.mkdir(parents=True, exist_ok=True)
    size = [round(640 * zoom), round(480 * zoom)]
    np.savez(path, points=np.asarray(points, np.float32), valid=np.ones(count, bool), size=size)


def run(*words, code=0):
    answer = subprocess.run([sys.executable, "prepare.py", "--quiet", *map(str, words)], cwd=MODELS,
                            capture_output=True, text=True)
    if answer.returncode != code:
        raise AssertionError(f"exit {answer.returncode}: {answer.stderr}")
    return answer.stdout + answer.stderr


@unittest.skipUnless(shutil.which("ffmpeg") and shutil.which("ffprobe"), "ffmpeg is needed")
class Prepared(unittest.TestCase):
    """One prepared folder of three movies; tests that change it work on copies."""

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.base = Path(cls.home.name)
        cls.face = shipped_face()
        np.savez(cls.base / "face.npz", **cls.face)
        cls.seeds, cls.data = cls.base / "seeds", cls.base / "data"
        for name, begin in (("a", 0), ("b", 20), ("c", 40)):
            movie(cls.data / f"{name}.mp4", begin)
            landmarks(cls.seeds / f"{name}.npz", cls.face, begin)
        cls.out = cls.base / "out"
        cls.output = cls.prepare(cls.data, cls.out)

    @classmethod
    def tearDownClass(cls):
        cls.home.cleanup()

    @classmethod
    def prepare(cls, data, out, *more, code=0):
        return run("--data", data, "--out", out, "--face-model", cls.base / "face.npz", "--seed-landmarks", cls.seeds,
                   *more, code=code)

    def copy(self, source):
        target = Path(tempfile.mkdtemp(dir=self.base)) / "copy"
        shutil.copytree(source, target)
        return target

    def records(self, out):
        return {p.stem: json.loads(p.read_text()) for p in (out / "records").glob("*.json")}

    # What comes out

    def test_clips_are_read_by_the_loader(self):
        config = json.loads((MODELS / "config" / "lite.json").read_text())
        clips = dataset.load(self.out / "pack", dict(np.load(self.out / "face_model.npz")), config["mouth"])
        self.assertEqual([c.name for c in clips], ["a", "b", "c"])
        first = clips[0]
        self.assertEqual((len(first.valid), first.valid.all(), first.sync), (FRAMES, True, True))
        self.assertEqual(first.crop(3).shape, (256, 256, 3))
        # The mouth is where the lip points say: darker and redder than the chin below it.
        self.assertTrue((np.abs(first.lips[:, :40]) < 0.9).all())
        self.assertAlmostEqual(len(first.audio) / mel.RATE, FRAMES / 25, delta=0.1)
        self.assertEqual(mel.windows(first.audio, [0, 640]).shape, (2, 80, config["mel"]["frames"]))

    def test_manifest_tells_the_protocol(self):
        manifest = json.loads((self.out / "pack" / "manifest.json").read_text())
        self.assertEqual(manifest["protocol"]["crop"]["side"], 2.1)
        self.assertEqual(manifest["protocol"]["face_model"]["sha256"], files.sha256(self.out / "face_model.npz"))
        self.assertEqual(manifest["at_load"]["mel"]["hop"], 160)
        self.assertEqual(manifest["counts"]["clips"], 3)
        summary = json.loads((self.out / "report.json").read_text())
        self.assertEqual((summary["kept"]["frames"], summary["splits"]["train"]["persons"]), (3 * FRAMES, 3))
        self.assertIn("train", self.output)

    # Resuming

    def test_killed_and_run_again_is_as_if_never_killed(self):
        out = self.base / "killed"
        child = subprocess.Popen(
            [sys.executable, "prepare.py", "--quiet", "--data", self.data, "--out", out, "--face-model",
             self.base / "face.npz", "--seed-landmarks", self.seeds], cwd=MODELS, stdout=subprocess.DEVNULL)
        while child.poll() is None and not list(out.glob("records/*.json")):
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.wait()
        stood = {p: p.stat().st_mtime_ns for p in out.glob("pack/*.npz")}
        for path in stood:
            with np.load(path) as file:
                self.assertEqual(int(file["crops"][-1]), path.with_suffix(".crops").stat().st_size)
        finished = {name for name in self.records(out)}
        (out / "pack" / "c.npz.part").write_bytes(b"torn")
        self.prepare(self.data, out)
        for path, stamp in stood.items():
            if path.stem in finished:
                self.assertEqual(path.stat().st_mtime_ns, stamp, "a finished clip was made again")
        for kind in ("crops", "wide", "whole"):
            for path in (self.out / "pack").glob(f"*.{kind}"):
                self.assertEqual(path.read_bytes(), (out / "pack" / path.name).read_bytes())
        self.assertEqual(len(list((out / "pack").glob("*.npz"))), 3)
        self.assertEqual(list(out.rglob("*.part")), [])

    def test_a_torn_file_is_made_again(self):
        out = self.copy(self.out)
        whole = (out / "pack" / "b.crops").read_bytes()
        (out / "pack" / "b.crops").write_bytes(whole[:1000])
        stamp = (out / "pack" / "a.npz").stat().st_mtime_ns
        self.prepare(self.data, out)
        self.assertEqual((out / "pack" / "b.crops").read_bytes(), whole)
        self.assertEqual((out / "pack" / "a.npz").stat().st_mtime_ns, stamp)

    def test_a_changed_movie_is_prepared_again(self):
        data, out = self.copy(self.data), self.base / "changed"
        self.prepare(data, out)
        before = self.records(out)["b"]["fingerprint"]
        movie(data / "b.mp4", 50)
        self.prepare(data, out)
        self.assertNotEqual(self.records(out)["b"]["fingerprint"], before)

    def test_another_protocol_is_refused(self):
        out = self.copy(self.out)
        path = out / "pack" / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["protocol"]["crop"]["side"] = 2.4
        path.write_text(json.dumps(manifest))
        self.assertIn("crop.side is 2.4 there, 2.1 here", self.prepare(self.data, out, code=1))
        with self.assertRaisesRegex(SystemExit, "side is 2.4 there"):
            dataset.load(out / "pack", self.face, 40)
        other = self.base / "other.npz"
        np.savez(other, **(self.face | {"mean": self.face["mean"] * 1.01}))
        output = run("--data", self.data, "--out", self.out, "--face-model", other,
                   "--seed-landmarks", self.seeds, code=1)
        self.assertIn("another face model", output)

    # Filters

    def test_small_faces_are_dropped_and_come_back(self):
        out = self.copy(self.out)
        side = self.records(out)["a"]["side"]
        self.assertGreater(side, 112)
        output = self.prepare(self.data, out, "--min-face", 256)
        self.assertIn("dropped: 3 (face under 256 pixels)", output)
        self.assertEqual(list((out / "pack").glob("*.npz")), [])
        output = self.prepare(self.data, out, "--any-face")
        self.assertNotIn("dropped", output)
        self.assertEqual((out / "pack" / "a.crops").read_bytes(), (self.out / "pack" / "a.crops").read_bytes())

    def test_a_movie_without_sound(self):
        data, out = self.base / "mute", self.base / "mute-out"
        movie(data / "a.mp4", 0, sound=False)
        self.assertIn("kept, sound not used: 1 (no sound)", self.prepare(data, out))
        config = json.loads((MODELS / "config" / "lite.json").read_text())
        clip, = dataset.load(out / "pack", self.face, config["mouth"])
        self.assertFalse(clip.sync)
        self.assertIn("dropped: 1 (no sound)", self.prepare(data, out, "--drop-unsynced"))

    def test_offsets_decide(self):
        base = dict(sound=True, still=False, faces=50, side=150, declared="")
        limits = selection.Filters()
        self.assertEqual(selection.decide(base | {"declared": "+2"}, limits), (True, "", "+2"))
        self.assertEqual(selection.decide(base | {"declared": "0?"}, limits), (True, "", "0"))
        self.assertEqual(selection.decide(base | {"declared": "unknown"}, limits)[2], "unknown")
        self.assertEqual(
            selection.decide(base | {"declared": "unknown", "offset": -3, "confidence": 6.0}, limits)[2], "-3")
        self.assertEqual(selection.decide(base | {"declared": "+1", "offset": -3, "confidence": 6.0}, limits)[2], "+1")
        self.assertEqual(selection.decide(base | {"offset": 1, "confidence": 1.0}, limits),
                         (True, "A/V offset not sure", "unknown"))
        self.assertEqual(selection.decide(base | {"declared": "+9"}, limits),
                         (True, "A/V offset over 5 frames", "unknown"))
        self.assertFalse(selection.decide(base | {"declared": "+9"}, selection.Filters(drop_unsynced=True))[0])
        self.assertFalse(selection.decide(base | {"faces": 11}, limits)[0])

    def test_late_sound_measures_as_a_positive_offset(self):
        import torch

        import checkpoint
        from networks.phonetic import PhoneticEncoder
        from networks.syncnet import ShapeTower, SoundTower
        config = json.loads((MODELS / "config" / "lite.json").read_text())
        torch.manual_seed(1)
        folder = self.base / "towers"
        checkpoint.save(folder, "phonetic", PhoneticEncoder(config))
        checkpoint.save(folder, "sync_sound", SoundTower(config))
        checkpoint.save(folder, "sync_shape", ShapeTower(config))
        judge = sync.OffsetJudge(folder, config)
        random = np.random.default_rng(2)
        audio, delta = random.normal(0, 0.1, 100 * mel.STEP).astype(np.float32), random.normal(0, 1, (100, 64))
        late = np.concatenate([np.zeros(4 * mel.STEP, np.float32), audio])
        there, moved = (judge.scores(x, delta, np.ones(100, bool), most=1000) for x in (audio[:-4 * mel.STEP], late))
        # The same windows against sound that comes four frames later: the curve moves right by four.
        np.testing.assert_allclose(there[5:20], moved[9:24], atol=0.02)
        curve = np.zeros(31)
        curve[15 + 4] = 1.0
        self.assertEqual(sync.best_offset(curve + 0.01 * random.normal(size=31))[0], 4)
        self.assertIsNone(judge.measure(audio[:20 * mel.STEP], delta[:20], np.ones(20, bool)))

    # Bad input

    def test_bad_input_gets_a_sentence(self):
        empty = self.base / "empty"
        empty.mkdir(exist_ok=True)
        self.assertIn("no movie in", self.prepare(empty, self.base / "e1", code=1))
        self.assertIn("is not a folder", self.prepare(self.base / "nowhere", self.base / "e2", code=1))
        broken = self.base / "broken"
        broken.mkdir(exist_ok=True)
        (broken / "bad.mp4").write_bytes(b"not a movie at all" * 100)
        self.assertIn("none of the 1 files can be read", self.prepare(broken, self.base / "e3", code=1))
        shutil.copy(self.data / "a.mp4", broken)
        output = self.prepare(broken, self.base / "e3")
        self.assertIn("dropped: 1 (not readable)", output)
        self.assertIn("Invalid data", self.records(self.base / "e3")["bad"]["bad"])

    def test_without_mediapipe_it_says_so(self):
        lonely = self.base / "lonely"
        movie(lonely / "unseen.mp4", 0)
        fake = self.base / "python-without"
        fake.write_text(f"#!/bin/sh\nexec '{sys.executable}' -S -I \"$@\"\n")      # no site-packages
        fake.chmod(0o755)
        output = run("--data", lonely, "--out", self.base / "e4", "--teacher-python", fake, code=1)
        self.assertIn("pip install mediapipe==0.10.14", output)

    def test_names_and_persons(self):
        tree = self.base / "tree"
        for name in ("dev/mp4/id00012/xyz/00001.mp4", "dev/mp4/id00012/xyw/00001.mp4", "test/mp4/id00099/q/00001.mp4"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).touch()
        sound = tree / "dev/aac/id00012/xyz/00001.m4a"
        sound.parent.mkdir(parents=True, exist_ok=True)
        sound.touch()
        found = {s.name: s for s in sources.find_all([tree])}
        self.assertEqual(len(found), 3)
        one = found["dev__mp4__id00012__xyz__00001"]
        self.assertEqual((one.person, one.split, one.sound), ("id00012", "train", sound))
        self.assertEqual(found["test__mp4__id00099__q__00001"].split, "dev")
        hdtf = self.base / "hdtf"
        hdtf.mkdir(exist_ok=True)
        for name in ("WDA_KatieHill_000.mp4", "WDA_BarbaraLee1_000.mp4", "RD_Radio10_000.mp4", "x.1.mp4", "x_1.mp4"):
            (hdtf / name).touch()
        found = sources.find_all([hdtf])
        self.assertEqual({s.person for s in found} - {"x_1"}, {"WDA_KatieHill", "WDA_BarbaraLee", "RD_Radio10"})
        self.assertEqual(len({s.name for s in found}), 5)
        again = self.base / "again"
        again.mkdir(exist_ok=True)
        (again / "RD_Radio10_000.mp4").touch()
        self.assertEqual(len({s.name for s in sources.find_all([hdtf, again])}), 6)

    def test_a_file_that_is_listed_twice_counts_once(self):
        folder = self.base / "twice"
        folder.mkdir()
        row, head = "{}\tana\tmovie.mp4\ty\n", "split\tperson\tfile\tsound\n"
        (folder / "MANIFEST.tsv").write_text(head + row.format("train") * 2)
        self.assertEqual([s.name for s in sources.find_all([folder])], ["movie"])
        (folder / "MANIFEST.tsv").write_text(head + row.format("train") + row.format("dev"))
        with self.assertRaisesRegex(SystemExit, "lists movie.mp4 in two splits"):
            sources.find_all([folder])

    # Travel

    def test_travels_under_its_budget_and_back(self):
        target, back = self.base / "travel", self.base / "back"
        self.assertIn("3 clips of 3 persons", run("--out", self.out, "--travel", target, "--budget-mib", 3))
        sizes = [p.stat().st_size for p in target.iterdir()]
        self.assertLess(sum(sizes), 3 << 20)
        run("--unpack", target, "--out", back)
        config = json.loads((MODELS / "config" / "lite.json").read_text())
        face = dict(np.load(back / "face_model.npz"))
        new, old = (dataset.load(f / "pack", face, config["mouth"]) for f in (back, self.out))
        for a, b in zip(new, old, strict=True):
            self.assertEqual((a.name, a.person, a.rights, a.sync, len(a.audio)),
                             (b.name, b.person, b.rights, b.sync, len(b.audio)))
            np.testing.assert_array_equal(a.valid, b.valid)
            np.testing.assert_allclose(a.matrix, b.matrix, atol=0.5)
            np.testing.assert_allclose(a.contours, b.contours, atol=0.6)          # crop pixels
            np.testing.assert_allclose(a.shape, b.shape, atol=0.52 / travel.GRID)
            error = np.square(a.crop(7).astype(float) - b.crop(7)).mean()
            self.assertGreater(10 * np.log10(255 ** 2 / error), 32)
            heard, true = (mel.windows(x.audio, np.arange(5, 20) * mel.STEP) for x in (a, b))
            self.assertLess(np.abs(heard - true).mean(), 0.1)   # log10; training adds changes of 0.25

    def test_wide_crops_travel_too(self):
        from train_mesh import Pictures
        target, back = self.base / "wide", self.base / "wide-back"
        travel.pack_set(self.out, target, travel.Options(4.0, wide=True), quiet=True)
        travel.unpack(target, back, quiet=True)
        new, old = (Pictures(folder / "pack", "train").rows for folder in (back, self.out))
        self.assertEqual([r["kind"] for r in new], [r["kind"] for r in old])
        self.assertEqual({r["kind"] for r in new}, {"wide", "whole"})
        for a, b in zip(new, old):
            if a["kind"] == "wide":
                np.testing.assert_allclose(a["points"], b["points"], atol=0.55 / travel.POINT)
            else:
                np.testing.assert_allclose(a["centre"], b["centre"], atol=0.1)

    def test_a_small_budget_keeps_fewer_clips(self):
        target = self.base / "small"
        whole = travel.pack_set(self.out, self.base / "large", travel.Options(4.0), quiet=True)
        face = (self.out / "face_model.npz").stat().st_size
        one = sum(whole["bytes"].values()) / 3
        budget = (face + 2.3 * one + (512 << 10)) / 2 ** 20
        summary = travel.pack_set(self.out, target, travel.Options(budget), quiet=True)
        self.assertEqual((summary["clips"], summary["left_out"]), (2, 1))
        self.assertLessEqual(sum(p.stat().st_size for p in target.iterdir()), budget * 2 ** 20)
        with self.assertRaisesRegex(SystemExit, "holds no clip|face model"):
            travel.pack_set(self.out, target, travel.Options(0.6), quiet=True)

    def test_a_damaged_shard_is_refused(self):
        target = self.base / "damaged"
        travel.pack_set(self.out, target, travel.Options(4.0), quiet=True)
        shard = target / "shard-000.zip"
        data = bytearray(shard.read_bytes())
        data[len(data) // 2] ^= 1
        shard.write_bytes(data)
        with self.assertRaisesRegex(SystemExit, "damaged"):
            travel.unpack(target, self.base / "never", quiet=True)

    # The teacher itself

    def test_the_teacher(self):
        if subprocess.run([TEACHER, "-c", "import mediapipe"], capture_output=True).returncode:
            self.skipTest("needs the package mediapipe==0.10.14 (TEACHER_PYTHON names an interpreter that has it)")
        data, out = self.base / "taught", self.base / "taught-out"
        movie(data / "head.mp4", 0, count=15)
        output = run("--data", data, "--out", out, "--face-model", self.base / "face.npz", "--teacher-python", TEACHER)
        self.assertIn("train", output)
        self.assertEqual(self.records(out)["head"]["faces"], 15)
        truth = json.loads((HEAD / "clip.json").read_text())["truth"][0]
        with np.load(out / "landmarks" / "head.npz") as file:
            lips = file["points"][0, [13, 14], :2].mean(0)
        self.assertLess(np.linalg.norm(lips - (np.array(truth["upper_lip"]) + truth["lower_lip"]) / 2), 5)
        manifest = json.loads((out / "pack" / "manifest.json").read_text())
        self.assertIn("mediapipe", manifest["tools"]["teacher"][0])


class Shots(unittest.TestCase):
    def test_a_jump_ends_a_shot(self):
        from data.pack import longest_shot
        valid, scale, shift = np.ones(20, bool), np.full(20, 50.0), np.zeros((20, 2))
        shift[8:] += 90                                 # a cut: the face is elsewhere
        valid[12] = False
        np.testing.assert_array_equal(longest_shot(valid, scale, shift),
                                      [False] * 8 + [True] * 4 + [False] + [True] * 7)
        shift[:] = np.arange(20)[:, None] * 5           # a fast head is no cut
        np.testing.assert_array_equal(longest_shot(valid, scale, shift), valid)


class SoundCode(unittest.TestCase):
    def test_silence_stays_silent_and_length_is_kept(self):
        coefficients, levels = sound_code.encode(np.zeros(1001, np.float32))
        np.testing.assert_array_equal(sound_code.decode(coefficients, levels, 1001), np.zeros(1001))

    def test_a_tone_comes_back(self):
        tone = (0.3 * np.sin(np.arange(16000) * 0.2)).astype(np.float32)
        back = sound_code.decode(*sound_code.encode(tone), 16000)
        self.assertLess(np.square(back - tone).mean(), 0.05 * np.square(tone).mean())


if __name__ == "__main__":
    unittest.main()
