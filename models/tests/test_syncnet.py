"""SyncNet's towers and their loss.

From models/: python -m unittest tests.test_syncnet
"""
import json
import unittest
from pathlib import Path

import torch

from networks.syncnet import SPOKEN, ShapeTower, SoundTower, contrast

CONFIG = json.loads((Path(__file__).parent.parent / "config" / "lite.json").read_text())


class Towers(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.sound, self.shape = SoundTower(CONFIG).eval(), ShapeTower(CONFIG).eval()
        self.heard = torch.randn(6, CONFIG["phonetic"]["components"], 2 * SPOKEN + 1)
        self.seen = torch.randn(6, CONFIG["syncnet"]["frames"], CONFIG["mouth"])

    def test_vectors_are_of_unit_length(self):
        with torch.no_grad():
            for vectors in (self.sound(self.heard), self.shape(self.seen)):
                self.assertEqual(tuple(vectors.shape), (6, CONFIG["syncnet"]["dim"]))
                torch.testing.assert_close(vectors.norm(dim=1), torch.ones(6))

    def test_features_are_standardised(self):
        with torch.no_grad():
            before = self.sound(self.heard)
            self.sound.mean.fill_(3.0)
            self.sound.scale.fill_(0.5)
            torch.testing.assert_close(self.sound(self.heard * 2 + 3), before, rtol=1e-4, atol=1e-5)


class Loss(unittest.TestCase):
    def test_windows_that_are_alike_are_not_told_apart(self):
        vectors = torch.nn.functional.normalize(torch.eye(4), dim=1)
        vectors[1] = vectors[0]                           # the second pair is as good a partner as the first
        none, alike = torch.zeros(4, 4, dtype=torch.bool), torch.zeros(4, 4, dtype=torch.bool)
        alike[0, 1] = alike[1, 0] = True
        self.assertGreater(contrast(vectors, vectors, none).item(), 0.3)
        self.assertLess(contrast(vectors, vectors, alike).item(), 1e-3)


if __name__ == "__main__":
    unittest.main()
