"""The recognition network and its figures.

From models/: python -m unittest tests.test_recognition.
"""
import json
import unittest

import torch

from networks.recognition import Recognition
from tests.test_prepare import MODELS
from train_recognition import MARGIN, SCALE, loss, verification


class OneOfFour(torch.nn.Module):
    """Takes the first pixel for the number of the person, with a little of the second one."""

    def forward(self, crops):
        """crops [B, 3, S, S] -> [B, 4]."""
        own = torch.nn.functional.one_hot(crops[:, 0, 0, 0].long(), 4) + 0.1 * crops[:, 0, 0, 1:2]
        return torch.nn.functional.normalize(own.float(), dim=1)


class Recognising(unittest.TestCase):
    def test_embeddings_have_length_one(self):
        config = json.loads((MODELS / "config" / "lite.json").read_text())
        network = Recognition(config).eval()
        crops = torch.rand(3, 3, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1
        found = network(crops)
        self.assertEqual(found.shape, (3, config["recognition"]["size"]))
        self.assertTrue(torch.allclose(found.norm(dim=1), torch.ones(3), atol=1e-4))

    def test_the_margin_makes_the_own_person_harder(self):
        proxies, numbers = torch.eye(3), torch.tensor([0, 1])
        right, wrong = loss(torch.eye(3)[:2], proxies, numbers), loss(torch.eye(3)[1:], proxies, numbers)
        expected = torch.log(1 + 2 * torch.exp(torch.tensor(-SCALE * (1 - MARGIN))))
        self.assertAlmostEqual(float(right), float(expected), places=6)
        self.assertGreater(float(wrong), float(right) + SCALE * 0.9)

    def test_who_is_told_apart_is_counted(self):
        crops = torch.rand(40, 3, 4, 4, generator=torch.Generator().manual_seed(2))
        numbers = torch.arange(40) % 4
        crops[:, 0, 0, 0] = numbers.float()
        self.assertIn("dev, 4 people: 100.0 % above", verification(OneOfFour(), [(crops, numbers)]))
        # Nothing tells people apart whose names say nothing.
        crops[:, 0, 0, 0] = 0
        self.assertNotIn("100.0 % above", verification(OneOfFour(), [(crops, numbers)]))


if __name__ == "__main__":
    unittest.main()
