"""Changed clips stay faces: points, shapes and pictures are changed alike.

From models/: python -m unittest tests.test_variety.
"""
import unittest

import numpy as np

from data import geometry, variety
from tests.test_prepare import shipped_face

MOUTH = 40


class VarietyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.face = shipped_face()
        cls.variety = variety.Variety(cls.face, MOUTH)
        vertices = geometry.warp_vertices(cls.face)
        cls.mean, cls.basis = cls.face["mean"][vertices], cls.face["expression"][:MOUTH][:, vertices]
        cls.random = np.random.default_rng(3)

    def test_a_mirrored_face_is_one(self):
        order = self.variety.mirror.order
        np.testing.assert_array_equal(order[order], np.arange(len(order)))
        away = np.linalg.norm(self.mean[order] * variety.MIRROR - self.mean, axis=1)
        self.assertLess(away.max(), 0.05)               # of a face two units wide

    def test_labels_of_a_mirrored_crop_are_of_its_points(self):
        from train_mesh import MeshBatches
        face, config = self.face, {"mesh": {"size": 128, "margin": 1.3}}
        batches = MeshBatches([dict(kind="wide", weight=1.0)], config, 0, model=face)
        mesh = lambda identity, delta: (face["mean"] + np.tensordot(identity, face["identity"], 1)
                                        + np.tensordot(delta, face["expression"], 1))
        rotation, _ = np.linalg.qr(self.random.normal(size=(3, 3)) * 0.1 + np.eye(3))
        rotation *= np.sign(np.diag(rotation))
        identity, delta = self.random.normal(0, 0.5, 32), self.random.normal(0, 0.3, 64) / (1 + np.arange(64))
        points = (mesh(identity, delta) @ rotation.T)[:, :2]
        row, mirrored = np.arange(12.0).reshape(2, 2, 3), 0
        for _ in range(20):
            x, moved, *labels = batches.mirrored(row, points, identity, delta, rotation)
            if x is row:
                continue
            mirrored += 1
            np.testing.assert_array_equal(x, row[:, ::-1])
            made = (mesh(*labels[:2]) @ labels[2].T)[:, :2]
            self.assertAlmostEqual(np.linalg.det(labels[2]), 1, 5)
            self.assertLess(np.abs(made - moved).mean(), 0.03)      # the mesh is not quite symmetric
        self.assertTrue(5 < mirrored < 15, mirrored)

    def test_points_follow_the_changed_shape(self):
        turn = np.array([[0.42, 0.1, 0.05], [-0.08, 0.43, 0.1]])
        rest = self.mean @ turn.T
        for _ in range(20):
            shape = self.random.normal(0, 0.5, MOUTH) / (1 + np.arange(MOUTH))
            points = (self.mean + np.tensordot(shape, self.basis, 1)) @ turn.T
            change = self.variety.draw(self.random)
            moved = (change.placed(rest)
                     + np.tensordot(change.shape(shape), self.basis, 1) @ change.turned(turn).T)
            moves = np.abs(points - rest).max()
            # The bend has one slope for all points there.
            self.assertLess(np.abs(moved - change.placed(points)).max(), 0.25 * moves + 1e-6)

    def test_pictures_move_with_points(self):
        size = geometry.IMAGE
        for _ in range(20):
            change = self.variety.draw(self.random)
            x, y = self.random.integers(60, 196, 2)
            image = np.zeros((size, size, 3), np.uint8)
            image[y, x] = 255
            seen = change.moved(image)[..., 0].astype(float)
            middle = np.array([seen.sum(axis) @ np.arange(size) for axis in (0, 1)]) / seen.sum()
            wanted = change.linear @ change.bent((np.array([x, y]) + 0.5) / (size / 2) - 1)
            self.assertLess(np.abs((middle + 0.5) / (size / 2) - 1 - wanted).max() * size / 2, 0.3)

    def test_a_bend_moves_points_a_little_and_knows_its_slope(self):
        largest = 0.0
        for _ in range(20):
            bend, point = variety.Bend(self.random), self.random.uniform(-1, 1, 2)
            largest = max(largest, np.abs(bend.shift(self.random.uniform(-1, 1, (500, 2)))).max())
            step = 1e-6 * np.eye(2)
            slope = (bend.moved(point + step) - bend.moved(point - step)) / 2e-6
            np.testing.assert_allclose(bend.slope(point), slope.T, atol=1e-6)
        self.assertTrue(0.03 < largest < 0.2, largest)

    def test_colours_stay_in_range_and_the_size(self):
        image = self.random.integers(0, 256, (128, 128, 3)).astype(np.uint8)
        for _ in range(40):
            made = self.variety.draw(self.random).coloured(image, self.random)
            self.assertEqual((made.shape, made.dtype), (image.shape, np.float32))
            self.assertTrue(0 <= made.min() and made.max() <= 1)
        plain = variety.Change(np.eye(2), None, np.eye(3), 1.0, np.zeros(2), 0, 0, 0)
        np.testing.assert_allclose(plain.coloured(image, self.random), image / 255, atol=1e-6)

    def test_equal_seeds_draw_equal_changes(self):
        image = self.random.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        made = []
        for _ in range(2):
            random = np.random.default_rng(11)
            made.append(self.variety.draw(random).coloured(image, random))
        np.testing.assert_array_equal(*made)


if __name__ == "__main__":
    unittest.main()
