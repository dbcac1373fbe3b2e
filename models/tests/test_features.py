"""Phonetic features on the clip's clock, the shapes predicted from them, their graphs, and the losses of the heads.

From models/: python -m unittest tests.test_features
"""
import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import torch

import checkpoint
import phonetic_features
from networks.encoders import AudioEncoder
from networks.phonetic import BLOCK, PhoneticBlock, PhoneticEncoder
from phonetic_features import COLUMN, MARGIN, AudioToShape, around, encoded, mel_columns

CONFIG = json.loads((Path(__file__).parent.parent / "config" / "lite.json").read_text())
CONFIG["phonetic"] |= {"width": 12, "components": 6}
CONFIG["audio"] |= {"hidden": 16, "narrow": 8}
HALF = 200                                      # samples of a mel column to each side of its centre


def phonetic():
    torch.manual_seed(3)
    return PhoneticEncoder(CONFIG).eval()


def sound(count, seed=0):
    return (np.random.default_rng(seed).standard_normal(count) * 0.1).astype(np.float32)


class Clock(unittest.TestCase):
    """Columns lie at 320 c, and times between two columns get their interpolation."""

    def test_interpolation(self):
        values = np.arange(MARGIN + 60, dtype=np.float32)[None].repeat(2, 0)
        on, between = around(values, [10 * COLUMN, 10 * COLUMN + COLUMN // 4], 2, 1)
        np.testing.assert_allclose(on[0], MARGIN + 10 + np.arange(-2, 2), rtol=1e-6)
        np.testing.assert_allclose(between - on, 0.25, rtol=1e-4)

    def test_times_outside_get_silence(self):
        values = encoded(phonetic(), mel_columns(sound(4800)))[0]
        far_before, at_end = around(values, [-10 ** 6, 10 ** 6], 3, 0)
        np.testing.assert_array_equal(far_before, values[:, :1].repeat(4, 1))
        np.testing.assert_array_equal(at_end, values[:, -1:].repeat(4, 1))
        silent = encoded(phonetic(), mel_columns(np.zeros(4800)))
        for values, quiet in zip(encoded(phonetic(), mel_columns(sound(4800))), silent):
            np.testing.assert_allclose(values[:, 0], quiet[:, MARGIN], atol=1e-5)
            np.testing.assert_allclose(values[:, -1], quiet[:, MARGIN], atol=1e-5)

    def test_a_later_sound_has_later_columns(self):
        audio = sound(16000)
        first, second = (encoded(phonetic(), mel_columns(np.concatenate([np.zeros(lead, np.float32), audio])))
                         for lead in (0, 5 * COLUMN))
        for one, two in zip(first, second):
            np.testing.assert_allclose(two[:, MARGIN + 5:MARGIN + 55], one[:, MARGIN:MARGIN + 50], atol=1e-4)

    def test_chunks_make_no_difference(self):
        columns = mel_columns(sound(16000))
        whole = encoded(phonetic(), columns)
        with mock.patch.object(phonetic_features, "CHUNK", 7):
            parts = encoded(phonetic(), columns)
        for one, two in zip(whole, parts):
            self.assertEqual(one.shape, two.shape)
            np.testing.assert_allclose(one, two, atol=1e-5)


class Window(unittest.TestCase):
    """A shape is a function of a bounded part of the audio."""

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        torch.manual_seed(1)
        checkpoint.save(cls.home.name, "phonetic", phonetic())
        for name, output in (("audio_encoder", "near"), ("audio_encoder_far", "far")):
            checkpoint.save(cls.home.name, name, AudioEncoder(CONFIG, output))

    @classmethod
    def tearDownClass(cls):
        cls.home.cleanup()

    def bounds(self, output):
        """(samples before, samples after) a time on the grid that its shape depends on."""
        past, future = phonetic().reach(output == "far")
        window = CONFIG["audio"][output]
        return (2 * window["before"] + past) * 160 + HALF, (2 * window["after"] + future) * 160 + HALF

    def test_nothing_outside_matters_and_something_inside_does(self):
        audio, position = sound(5 * 16000), 100 * COLUMN
        for output in ("near", "far"):
            predict = AudioToShape.restored(self.home.name, CONFIG, output)
            before, after = self.bounds(output)
            shape = predict(audio, [position])
            for part, matters in ((slice(0, position - before), False), (slice(position + after, None), False),
                                  (slice(position - 400, position + 400), True)):
                changed = audio.copy()
                changed[part] = 0
                difference = float(np.abs(predict(changed, [position]) - shape).max())
                self.assertEqual(difference > 1e-5, matters, (output, part, difference))

    def test_the_future_of_near(self):
        """At most 160 ms, which the smoothing of codes makes 280 ms."""
        self.assertLessEqual(self.bounds("near")[1], 2560)

    def test_order_makes_no_difference(self):
        predict, audio = AudioToShape.restored(self.home.name, CONFIG, "near"), sound(16000)
        positions = np.array([640, 333, 12800, -4000, 1920])
        whole = predict(audio, positions)
        single = np.concatenate([predict(audio, [p]) for p in positions[::-1]])[::-1]
        np.testing.assert_allclose(whole, single, atol=1e-6)

    def test_the_range_is_limited(self):
        network = AudioEncoder(CONFIG, "far").eval()
        network.reach.fill_(0.5)
        shape = network(torch.randn(64, CONFIG["phonetic"]["components"], network.columns) * 1e4)
        self.assertLessEqual(float(shape.abs().max()), 0.5)
        self.assertTrue(torch.isfinite(shape).all())

    def test_a_calibrated_opening(self):
        """Knots go where they were sent, beyond them the difference stays, and what does not open the lips stays."""
        network, random = AudioEncoder(CONFIG, "far").eval(), np.random.default_rng(0)
        gap = random.normal(0, 1, CONFIG["mouth"])
        along = random.normal(0, 1, CONFIG["mouth"])
        along /= along @ gap
        predicted = np.linspace(-0.05, 0.1, network.KNOTS)
        true = np.sort(random.normal(0, 0.1, network.KNOTS))
        network.calibrate(gap, along, predicted, true)
        shapes = np.concatenate([predicted, [-0.3, 0.4, 0.5 * predicted[:2].sum()]])[:, None] * along
        sideways = random.normal(0, 1, CONFIG["mouth"])
        sideways -= sideways @ gap * along
        shapes = torch.from_numpy((shapes + sideways).astype(np.float32))
        wanted = [*true, -0.3 + true[0] - predicted[0], 0.4 + true[-1] - predicted[-1], 0.5 * true[:2].sum()]
        opened = network.opened(shapes).numpy()
        np.testing.assert_allclose(opened @ gap, wanted, atol=1e-4)
        rest = opened - (opened @ gap)[:, None] * along
        np.testing.assert_allclose(rest, np.tile(sideways, (len(opened), 1)), atol=1e-3)

    def test_an_encoder_is_the_mean_of_its_heads(self):
        network = AudioEncoder(CONFIG, "far").eval()
        features = torch.randn(3, CONFIG["phonetic"]["components"], network.columns)
        single = [network.member(k, features) for k in range(CONFIG["audio"]["members"])]
        self.assertGreater((single[0] - single[1]).abs().max().item(), 1e-3)
        torch.testing.assert_close(network(features), sum(single) / len(single), rtol=1e-3, atol=1e-4)


class Graphs(unittest.TestCase):
    """What the bundle holds equals PyTorch."""

    def test_parity_and_shared_tensors(self):
        try:
            import onnxruntime

            import export
            from networks.all import example_inputs, graphs
        except ImportError as error:
            self.skipTest(f"needs the PyPI package {error.name}")
        encoders = {"phonetic": phonetic(), "audio_encoder": AudioEncoder(CONFIG, "near").eval(),
                    "audio_encoder_far": AudioEncoder(CONFIG, "far").eval()}
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            bundle = export.Bundle(CONFIG, Path(folder))
            for name, network in encoders.items():
                export.round_to_half(network)
                for graph, module in graphs(name, network).items():
                    bundle.add(graph, module, example_inputs(graph, CONFIG), shares=module is not network)
            for graph, entry in bundle.graphs.items():
                model = onnx.load(str(Path(folder) / entry["file"]), load_external_data=False)
                for tensor in model.graph.initializer:
                    if tensor.external_data:
                        name = tensor.name if entry.get("shares") else f"{graph}.{tensor.name}"
                        del tensor.external_data[:]
                        tensor.data_location = onnx.TensorProto.DEFAULT
                        tensor.raw_data = bundle.weights[name].astype(np.float32).tobytes()
                session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
                given = {k: v.numpy() for k, v in example_inputs(graph, CONFIG).items()}
                for key, value in zip(entry["outputs"], session.run(None, given)):
                    np.testing.assert_allclose(value, bundle.golden[f"{graph}.out.{key}"], atol=2e-5)
                    self.assertIn(value.shape[-1], (BLOCK, CONFIG["mouth"]))
        stored = [name for name in bundle.weights if name.endswith("stem.weight")]
        self.assertEqual(stored, ["phonetic.stem.weight"])                 # once for both graphs
        self.assertTrue(any(name.startswith("phonetic.far_out") for name in bundle.weights))

    def test_a_block_is_a_part_of_the_features(self):
        network, columns = phonetic(), mel_columns(sound(16000))
        for far, values in enumerate(encoded(network, columns)):
            block, (past, _) = PhoneticBlock(network, bool(far)), network.reach(bool(far))
            part = columns[None, :, 160 - past:160 - past + block.columns]
            made = block(torch.from_numpy(part.copy())).detach()[0].numpy()
            self.assertEqual(made.shape[1], BLOCK)
            np.testing.assert_allclose(made, values[:, 80:80 + BLOCK], atol=1e-4)


class Losses(unittest.TestCase):
    """Of `train_shape.py`."""

    def test_concordance_is_one_only_at_the_right_size(self):
        try:
            from train_shape import concordance
        except ImportError as error:
            self.skipTest(f"needs the PyPI package {error.name}")
        true = torch.randn(2, 50)
        self.assertAlmostEqual(float(concordance(true, true).mean()), 1, places=4)
        for factor in (0.5, 2):
            self.assertLess(float(concordance(factor * true, true).mean()), 0.81)
        self.assertLess(abs(float(concordance(torch.randn(2, 5000), torch.randn(2, 5000)).mean())), 0.1)


if __name__ == "__main__":
    unittest.main()
