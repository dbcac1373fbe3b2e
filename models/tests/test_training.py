"""Training commands on a tiny set: seeds, resuming, validation figures.

From models/: python -m unittest tests.test_training. The set is cropped from the project's own rendered head, and the
networks have a few channels each.
"""
import contextlib
import ctypes.util
import io
import json
import shutil
import tempfile
import unittest
import wave
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import torch
from safetensors.numpy import load_file

import checkpoint
import losses
import train_generator
import train_mesh
import train_prior
import train_shape
import train_sync
import training
from data import dataset, pack
from networks.encoders import AudioEncoder, MeshPredictor
from networks.generator import Generator
from networks.phonetic import PhoneticEncoder
from networks.syncnet import ShapeTower, SoundTower
from tests.test_prepare import HEAD, MODELS, landmarks, shipped_face

FRAMES, STEPS, EVERY = 60, 4, 2
CHANNELS = {str(2 ** k): 4 for k in range(2, 9)}


def tiny():
    """`lite` with a few channels."""
    config = json.loads((MODELS / "config" / "lite.json").read_text())
    config |= {"dim": 8, "channels": CHANNELS, "discriminator": {"channels": CHANNELS}, "prior": {"layers": 1}}
    config["reference"]["channels"] = [4] * 6
    config["audio"] |= {"hidden": 16, "narrow": 8, "members": 2}
    config["shape_code"], config["phonetic"] = {"hidden": 16}, config["phonetic"] | {"width": 8, "components": 4}
    config["mesh"]["channels"], config["detector"]["channels"] = [4, 4, 8, 8, 8], [4, 4, 8, 8]
    config["syncnet"] |= {"dim": 8, "channels": [4, 4, 8, 8]}
    config["carry"]["grid"] = 8
    return config


def make_pack(folder, face):
    """Three packed clips of the rendered head: a and b of the train split, c of dev."""
    with wave.open(str(HEAD / "speech.wav")) as file:
        audio = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    pictures = [cv2.imread(str(path))[..., ::-1] for path in sorted((HEAD / "frames").glob("*.jpg"))]
    (folder / "pack").mkdir()
    for name, begin, split in (("a", 0, "train"), ("b", 20, "train"), ("c", 40, "dev")):
        landmarks(folder / f"{name}.npz", face, begin, count=FRAMES)
        with np.load(folder / f"{name}.npz") as file:
            track = pack.track(file["points"], file["valid"], face)
        note = {"person": name, "split": split, "rights": "cleared", "av_offset": "0"}
        with mock.patch.object(pack, "frames", lambda _, begin=begin: iter(pictures[begin: begin + FRAMES])):
            pack.write(None, folder / "pack" / name, track, audio[begin * dataset.STEP:][: FRAMES * dataset.STEP], note)


class Training(unittest.TestCase):
    COMMANDS = {                                # name: (module, switches, checkpoint to compare, part of its log)
        "shape": (train_shape, [], "audio_encoder_far", "far held out: others r"),
        "mesh": (train_mesh, ["--what", "mesh", "--batch", "2"], "mesh", "dev: points off"),
        "detector": (train_mesh, ["--what", "detector", "--batch", "2"], "detector", "faces found"),
        "sync": (train_sync, ["--what", "shapes"], "sync_sound", "unseen: windows"),
        "generator": (train_generator, ["--clips", "1", "--perceptual", "1", "--adversarial", "0.1"], "generator",
                      "dev: PSNR in mask"),
        "heard": (train_generator, ["--clips", "1", "--frames", "5", "--consecutive", "--codes", "sound",
                                    "--sync", "0.1", "--sync-on", "shapes"], "shape_code", "dev: PSNR in mask"),
        "prior": (train_prior, ["--size", "32", "--batch", "4", "--pictures", "0"], "prior", "r_v on dev"),
    }

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.base = Path(cls.home.name)
        face = shipped_face()
        np.savez(cls.base / "face.npz", **face)
        make_pack(cls.base, face)
        cls.config = tiny()
        (cls.base / "tiny.json").write_text(json.dumps(cls.config))
        torch.set_num_threads(1)
        torch.manual_seed(0)
        cls.start = cls.base / "start"
        for name, network in (("mesh", MeshPredictor), ("phonetic", PhoneticEncoder),
                              ("audio_encoder_far", lambda config: AudioEncoder(config, "far")),
                              ("sync_sound", SoundTower), ("sync_shape", ShapeTower)):
            checkpoint.save(cls.start, name, network(cls.config))

    @classmethod
    def tearDownClass(cls):
        cls.home.cleanup()

    def work(self, command):
        """A work folder with the frozen judges that a command needs."""
        work = Path(tempfile.mkdtemp(dir=self.base))
        for name in {"shape": ["phonetic"], "sync": ["mesh", "phonetic"], "generator": ["mesh"],
                     "heard": ["mesh", "phonetic", "audio_encoder_far", "sync_sound", "sync_shape"]}.get(command, []):
            shutil.copy(self.start / f"{name}.safetensors", work)
        return work

    def run_it(self, command, work, *more, stop=None):
        """The log of a command; it is interrupted in step `stop`."""
        module, switches, _, _ = self.COMMANDS[command]
        face = [] if command == "prior" else ["--face-model", str(self.base / "face.npz")]
        options = ["--config", str(self.base / "tiny.json"), "--data", str(self.base / "pack"), "--work", str(work),
                   *face, *switches, "--every", str(EVERY), *more]
        original, log = training.Run.note, io.StringIO()

        def note(run, terms, *rest):
            original(run, terms, *rest)
            if run.step == stop:
                raise KeyboardInterrupt

        with (mock.patch.object(training.Run, "note", note), contextlib.redirect_stdout(log),
              contextlib.suppress(KeyboardInterrupt)):
            module.main(options)
        return log.getvalue()

    def weights(self, command, work):
        return load_file(work / f"{self.COMMANDS[command][2]}.safetensors")

    def assert_same(self, one, two):
        self.assertEqual(set(one), set(two))
        for name, value in one.items():
            np.testing.assert_array_equal(value, two[name], name)

    def test_a_resumed_run_equals_an_uninterrupted_one(self):
        for command, (_, _, _, figure) in self.COMMANDS.items():
            with self.subTest(command=command):
                whole, parts = self.work(command), self.work(command)
                log = self.run_it(command, whole, "--steps", str(STEPS))
                self.assertIn(figure, log)
                self.run_it(command, parts, "--steps", str(STEPS), stop=EVERY + 1)
                self.assertIn(f"goes on at step {EVERY}", self.run_it(command, parts, "--steps", str(STEPS)))
                self.assert_same(self.weights(command, whole), self.weights(command, parts))

    def test_the_seed_decides(self):
        logs, weights = [], []
        for seed in ("0", "0", "1"):
            work = self.work("shape")
            logs.append(self.run_it("shape", work, "--steps", "1", "--seed", seed))
            weights.append(self.weights("shape", work)["members.0.layers.5.weight"])
        np.testing.assert_array_equal(weights[0], weights[1])
        self.assertGreater(float(np.abs(weights[0] - weights[2]).max()), 0)

    def test_synthetic_speech_closes_the_lips(self):
        if not ctypes.util.find_library("espeak-ng"):
            self.skipTest("needs the Debian package libespeak-ng1")
        text = self.base / "text"
        text.write_text("My mother bought a big purple umbrella. Bob put it up on Monday.\n")
        log = self.run_it("shape", self.work("shape"), "--steps", "2", "--text", f"en-us={text}")
        self.assertRegex(log, r"; [1-9]\d* closings of the lips in synthetic speech")
        self.assertIn("far closing", log)

    def test_a_finished_run_is_followed_by_another(self):
        work = self.work("shape")
        self.run_it("shape", work, "--steps", "2")
        first = self.weights("shape", work)
        log = self.run_it("shape", work, "--steps", "2")
        self.assertIn("begins another run from the stored weights\n", log)      # the moments are kept
        state = checkpoint.restore_state(work, "train_shape")
        self.assertEqual((state["number"], state["step"]), (1, 2))
        second, name = self.weights("shape", work), "members.0.layers.5.weight"
        self.assertFalse(np.array_equal(first[name], second[name]))
        # More steps than before: the same run, longer.
        self.assertIn("goes on at step 2", self.run_it("shape", work, "--steps", "3"))

    def test_state_without_weights_is_not_used(self):
        work = self.work("shape")
        self.run_it("shape", work, "--steps", "2")
        (work / "audio_encoder_far.safetensors").unlink()
        self.assertNotIn("goes on", self.run_it("shape", work, "--steps", "3"))

    def test_steps_draw_anew(self):
        arguments = train_generator.parse(["--config", str(self.base / "tiny.json"), "--data", "x", "--face-model", "x",
                                           "--work", str(self.base), "--steps", "2"])[0]
        run = training.Run(arguments, "none")
        draws = [(run.random.random(), float(torch.rand(()))) for _ in run.steps()]
        self.assertEqual(len(set(draws)), 2)
        again = training.Run(arguments, "none")
        self.assertEqual(draws, [(again.random.random(), float(torch.rand(()))) for _ in again.steps()])

    def test_what_is_painted_is_learnt_under_a_closed_mask(self):
        generator, size = Generator(self.config), 256
        generator.decoder.blend_bias.data.fill_(60)
        draw = torch.Generator().manual_seed(1)
        face, carried = (torch.rand(1, 3, size, size, generator=draw) for _ in range(2))
        with np.load(self.base / "face.npz") as model:
            lips = torch.zeros(1, len(model["lips"]), 2)
        codes = torch.zeros(1, 14, self.config["dim"])
        for fused in (True, False):
            generator.zero_grad()
            image = generator(face, lips, codes, carried, fused)
            (image - 0.5).abs().mean().backward()
            learns = float(generator.decoder.rgb_bias.grad.abs().sum()) > 1e-6
            self.assertEqual((bool(torch.allclose(image, carried, atol=1e-4)), learns), (fused, not fused))

    def test_everything_is_on_the_device(self):
        # The meta device computes shapes only, and refuses tensors of the CPU.
        config, face = self.config, dict(np.load(self.base / "face.npz"))
        arguments, _ = train_generator.parse([
            "--config", str(self.base / "tiny.json"), "--data", "x", "--face-model", "x", "--work", str(self.start),
            "--perceptual", "1", "--texture", "1", "--fine", "0.5"])
        clips = dataset.load(self.base / "pack", face, config["mouth"])
        still = lambda audio, positions: np.zeros((len(positions), config["mouth"]), np.float32)
        batch = training.to("meta", dataset.LipSyncBatches(clips, config, 128, 2, 2, sound=still).batch())
        networks = {name: network(config).to("meta") for name, network in train_generator.NETWORKS.items()}
        linear = train_mesh.LinearFace(face, "meta")
        mesh = losses.MeshJudge(MeshPredictor(config).to("meta"), linear, face["lips"], config)
        for sound in (False, True):
            painter = train_generator.Painter(networks, face, config, sound, mesh, "meta")
            image = painter(batch, 2)
            self.assertEqual((image.device.type, tuple(image.shape)), ("meta", (4, 3, 128, 128)))
        with mock.patch.object(train_generator, "restored", lambda arguments, name, network: network):
            objective = train_generator.Objective(arguments, config, face, "meta")
        sum(objective.terms(batch, image)[0].values()).backward()
        self.assertEqual(networks["generator"].decoder.constant.grad.device.type, "meta")


if __name__ == "__main__":
    unittest.main()
