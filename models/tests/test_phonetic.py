"""The phonetic encoder's promises: a bounded window, targets in time, recordings changed and targets not."""
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from data import mel
from data.corpus import HOP, RATE, Corpus
from networks.phonetic import PhoneticEncoder, features

try:
    import scipy  # noqa: F401

    from data.sound_augment import Surroundings, faster, mixed
    from train_phonetic import Spectrogram, Streams
except ImportError as error:
    raise unittest.SkipTest(f"these tests need the PyPI package {error.name}") from error

CONFIG = json.loads((Path(__file__).parent.parent / "config" / "lite.json").read_text())


def small():
    """An encoder of the shipped shape, narrower."""
    torch.manual_seed(3)
    return PhoneticEncoder({**CONFIG, "phonetic": {**CONFIG["phonetic"], "width": 12, "components": 5}}).eval()


def tone_corpus(folder):
    """A corpus of three recordings whose one target component rises by one with each column."""
    random, count = np.random.default_rng(0), 150
    columns = np.arange(count, dtype=np.float16)[:, None].repeat(2, 1)
    sound = (random.standard_normal(count * HOP) * 3000).astype(np.int16)
    rows = [dict(name=f"r{k}", speaker=f"s{k}", rights="cleared" if k else "unknown", kind="real", held_out=k == 2,
                 begin=k * len(sound), samples=len(sound), column=k * count, columns=count) for k in range(3)]
    for name in ("audio.i16", "coded.i16"):
        (folder / name).write_bytes(np.tile(sound, 3).tobytes())
    (folder / "target.f16").write_bytes(np.tile(columns, (3, 1)).tobytes())
    save_file({"scale": np.ones(2, np.float32)}, str(folder / "basis.safetensors"))
    (folder / "index.json").write_text(json.dumps(dict(components=2, items=rows)))


class Window(unittest.TestCase):
    """An output is a function of a bounded window of mel columns."""

    def test_values_do_not_depend_on_where_a_chunk_begins(self):
        network, columns = small(), torch.rand(1, 80, 800, generator=torch.Generator().manual_seed(1)) * 5 - 5
        whole = [part[0].detach() for part in features(network, columns)]
        for far, part in enumerate(whole):
            past, future = network.reach(bool(far))
            begin, end = 100, 140                             # outputs, on columns 200 to 279
            lead = past + past % 2
            cut = columns[..., 2 * begin - lead:2 * end + future + future % 2]
            alone = features(network, cut)[far][0].detach()[lead // 2:lead // 2 + end - begin]
            self.assertLess(float((alone - part[begin:end]).abs().max()), 1e-5)

    def test_nothing_outside_the_window_matters_and_its_ends_do(self):
        # In double precision: what the ends of the window change is below the rounding of single precision.
        network = small().double()
        columns = torch.rand(1, 80, 800, generator=torch.Generator().manual_seed(1)).double() * 5 - 5
        at = 200
        for far in (False, True):
            past, future = network.reach(far)
            before = features(network, columns)[far][0, at].detach()
            for place, matters in ((2 * at - past - 1, False), (2 * at - past, True),
                                   (2 * at + future, True), (2 * at + future + 1, False)):
                changed = columns.clone()
                changed[..., place] += 1
                difference = float((features(network, changed)[far][0, at].detach() - before).abs().max())
                self.assertEqual(difference > 1e-13, matters, f"far {far}, column {place - 2 * at}")

    def test_the_future_of_near_leaves_room_for_smoothing(self):
        """0.28 s in all: 0.12 s of moving-average smoothing, the encoder, half a mel window."""
        _, future = PhoneticEncoder(CONFIG).reach(False)
        self.assertLessEqual(0.12 + future * mel.HOP / mel.RATE + mel.WINDOW / 2 / mel.RATE, 0.28)

    def test_size(self):
        self.assertLessEqual(sum(p.numel() for p in PhoneticEncoder(CONFIG).parameters()), 1_500_000)


class Recordings(unittest.TestCase):
    """What stands between a voice and its target."""

    @classmethod
    def setUpClass(cls):
        cls.surroundings = Surroundings(0, rooms=6, pieces=2, seconds=4)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        tone_corpus(Path(self.folder.name))
        self.corpus = Corpus(self.folder.name)

    def tearDown(self):
        del self.corpus
        self.folder.cleanup()

    def streams(self, seed=0):
        return Streams(self.corpus.split(False), np.random.default_rng(seed), self.surroundings, 2, 4)

    def test_rights_and_speakers_held_out(self):
        self.assertEqual([i.name for i in self.corpus.split(True)], ["r2"])
        self.assertEqual([i.name for i in Corpus(self.folder.name, "cleared").items], ["r1", "r2"])
        with self.assertRaises(SystemExit):
            Corpus(self.folder.name, "nobody's")

    def test_a_faster_recording_has_a_faster_target(self):
        streams, slopes = self.streams(), set()
        for _ in range(40):
            samples, target = streams.recording()
            self.assertEqual(len(samples) // HOP, len(target))
            inner = target[1:-2, 0]
            slopes.add(round(float(np.diff(inner).mean()) * 25))
            self.assertLess(np.abs(np.diff(inner) - np.diff(inner).mean()).max(), 0.07)
        self.assertGreater(len(slopes), 4)
        self.assertTrue(slopes <= set(range(21, 31)))

    def test_batches_are_the_seed_s(self):
        first, second, third = (self.streams(seed).batch() for seed in (1, 1, 2))
        self.assertTrue(all(torch.equal(a, b) for a, b in zip(first, second)))
        self.assertFalse(torch.equal(first[0], third[0]))
        self.assertEqual([tuple(part.shape) for part in first], [(2, 80, 400), (2, 200, 2), (2, 200)])
        self.assertTrue(torch.isfinite(first[0]).all() and float(first[0].min()) >= -5)

    def test_a_recording_keeps_its_time(self):
        """Rooms, noises, lines and levels do not delay a click by more than 2.5 ms."""
        random = np.random.default_rng(5)
        for _ in range(60):
            click = np.zeros(RATE)
            click[8000:8040] = 0.9
            changed = self.surroundings.change(random, click, lambda count: np.zeros(count))
            envelope = np.abs(changed)
            if envelope[:7000].max() < 0.2 * envelope.max():       # not drowned by noise
                self.assertLess(abs(int((envelope > 0.5 * envelope.max()).argmax()) - 8000), 40)

    def test_levels(self):
        """`mixed` keeps the asked-for distance between speech and noise; 25 of 25 is the same speed."""
        random = np.random.default_rng(0)
        speech, noise = random.standard_normal(RATE) * 0.1, random.standard_normal(RATE)
        added = mixed(speech, noise / noise.std(), 20) - speech
        self.assertAlmostEqual(20 * np.log10(speech.std() / added.std()), 20, delta=0.5)
        self.assertIs(faster(speech, 25), speech)

    def test_spectrogram_is_the_engine_s(self):
        sound = np.random.default_rng(0).standard_normal(RATE // 2) * 0.1
        made = Spectrogram()(sound).numpy().T
        true = mel.columns(sound, np.arange(len(made)) * mel.HOP)
        self.assertLess(np.abs(made - true).max(), 1e-3)


class Teacher(unittest.TestCase):
    """The teacher's clock: needs the PyPI package hama."""

    def test_fifty_columns_a_second(self):
        try:
            import hama  # noqa: F401
        except ImportError:
            self.skipTest("needs the PyPI package hama==1.7.0")
        from data import speech_teacher
        hidden = speech_teacher.Teacher().hidden(torch.randn(RATE) * 0.05)
        self.assertEqual(tuple(hidden.shape), (51, speech_teacher.FEATURES))
        self.assertTrue(torch.isfinite(hidden).all())


if __name__ == "__main__":
    unittest.main()
