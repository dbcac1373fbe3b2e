"""The prior's parts, on a config of a few channels. From models/: python -m unittest tests.test_prior"""
import argparse
import copy
import tempfile
import unittest

import torch
import torch.nn.functional as F

import checkpoint
import frechet
from from_prior import start_from_prior
from networks import augment
from networks.blocks import SLOPE, double
from networks.decoder import Decoder
from networks.discriminator import Discriminator
from networks.mals import MaLS
from networks.mapping import MappingNetwork
from networks.prior import Prior, learning_scales, signal
from train_prior import Palette, Trainer, adam, initialise

CHANNELS = {"4": 8, "8": 8, "16": 8, "32": 4}
CONFIG = {"dim": 8, "channels": CHANNELS, "discriminator": {"channels": CHANNELS}, "prior": {"layers": 2},
          "samf": {"modulated": True}, "mals": {"smooth": True, "weights": [0.25, 0.5, 0.25]}}


def options(**changed):
    return argparse.Namespace(**{**dict(size=16, batch=4, rate=2e-3, r1=None, path_length=0.0, mixing=0.9,
                                        ada_images=1000, ada_target=0.6), **changed})


def setUpModule():
    torch.set_num_threads(1)                    # the tensors are tiny


class Body(torch.nn.Module):
    """As much of the generator as the prior fills."""

    def __init__(self, config):
        super().__init__()
        self.decoder = Decoder(config)


class Augmentation(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.images = torch.rand(16, 3, 32, 32) * 2 - 1

    def test_nothing_happens_at_zero(self):
        self.assertTrue(torch.equal(augment.augment(self.images, 0.0), self.images))
        where, change = augment.geometry(16, 32, 0.0), augment.colour(16, 0.0)
        self.assertTrue(torch.allclose(where, torch.eye(3).expand(16, 3, 3)))
        self.assertTrue(torch.allclose(change, torch.eye(4).expand(16, 4, 4)))
        back = augment.recolour(augment.warp(self.images, where), change)
        self.assertLess(float((back - self.images).abs().max()), 1e-4)

    def test_share_of_changed_pictures_grows_with_p(self):
        changed = lambda p: float(((augment.augment(self.images.repeat(16, 1, 1, 1), p)
                                    - self.images.repeat(16, 1, 1, 1)).abs().amax((1, 2, 3)) > 1e-3).float().mean())
        few, many = changed(0.02), changed(0.6)
        self.assertTrue(0.05 < few < 0.5, few)
        self.assertGreater(many, 0.95)

    def test_gradients_pass(self):
        # Against finite differences, in double precision, with the draws held.
        x = torch.rand(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
        where, change = augment.geometry(2, 8, 1.0).double(), augment.colour(2, 1.0).double()
        self.assertTrue(torch.autograd.gradcheck(lambda v: augment.recolour(augment.warp(v, where), change), (x,)))
        y = self.images.clone().requires_grad_()
        augment.augment(y, 0.8).square().sum().backward()
        self.assertGreater(float(y.grad.abs().amax((1, 2, 3)).min()), 0)

    def test_mirror_and_quarter_turn_are_exact(self):
        one = torch.ones(16)
        mirrored = augment.warp(self.images, augment.scaling(-one, one))
        self.assertLess(float((mirrored - self.images.flip(3)).abs().max()), 1e-4)
        turned = augment.warp(self.images, augment.rotation(one * torch.pi / 2))
        self.assertLess(float((turned - self.images.rot90(1, (2, 3))).abs().max()), 1e-4)

    def test_colours_that_keep_grey(self):
        # Hue, saturation and the luma flip turn about the grey axis: grey stays grey.
        grey = torch.rand(64, 1, 4, 4).expand(-1, 3, -1, -1) * 2 - 1
        out = augment.recolour(grey, augment.colour(64, 1.0))
        self.assertLess(float((out - out.mean(1, keepdim=True)).abs().max()), 1e-4)

    def test_p_follows_the_overfit(self):
        adaptation = augment.Adaptation(0.5, images=1000, target=0.6, every=2)
        for _ in range(2):
            adaptation.note(10, 10)                    # every real picture is called real
        self.assertAlmostEqual(adaptation.probability, 0.52)
        self.assertEqual(adaptation.rate, 1.0)
        for _ in range(4):
            adaptation.note(0, 10)
        self.assertAlmostEqual(adaptation.probability, 0.48)
        for _ in range(400):
            adaptation.note(-10, 10)
        self.assertEqual(adaptation.probability, 0.0)
        for _ in range(400):
            adaptation.note(10, 10)
        self.assertEqual(adaptation.probability, adaptation.MOST)


class Networks(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.prior = Prior(CONFIG)

    def test_mapping_ignores_the_length_of_z_and_keeps_the_mean(self):
        mapping, z = MappingNetwork(CONFIG), torch.randn(256, 8)
        self.assertTrue(torch.allclose(mapping(z), mapping(3 * z), atol=1e-5))
        for _ in range(4000):
            mapping.note(mapping(z))
        mean = mapping(z).mean(0)
        self.assertTrue(torch.allclose(mapping.average, mean, atol=1e-3))
        self.assertTrue(torch.allclose(mapping.truncated(mapping(z), 0.0), mapping.average.expand(256, 8)))

    def test_average_follows(self):
        before = {k: v.clone() for k, v in self.prior.ema_decoder.named_parameters()}
        with torch.no_grad():
            for value in self.prior.decoder.parameters():
                value.add_(1)
        self.prior.mapping.average.fill_(2)
        self.prior.follow(0.75)
        for name, value in self.prior.ema_decoder.named_parameters():
            self.assertTrue(torch.allclose(value, before[name] + 0.25, atol=1e-5), name)
        self.assertTrue((self.prior.ema_mapping.average == 2).all())

    def test_the_same_network_with_stylegan2s_gains(self):
        # Gains of sqrt(2) after every layer, biases and RGB weights as StyleGAN2 would hold them.
        decoder, code = self.prior.decoder, torch.randn(4, 8)
        with torch.no_grad():
            for name, value in decoder.named_parameters():
                if name.endswith("bias") and "affine" not in name:
                    value.normal_().mul_(signal(f"decoder.{name}"))
        bias = lambda name: dict(decoder.named_parameters())[name] / signal(f"decoder.{name}")
        gained = lambda x, name: 2 ** 0.5 * F.leaky_relu(x + bias(name), SLOPE)

        def painted(part, x, prefix):
            flat = copy.deepcopy(part.rgb)
            flat.weight.data.mul_(signal(f"decoder.{prefix}rgb.weight"))
            return flat(x, code) + part.rgb_bias

        x = gained(decoder.first(decoder.constant.expand(4, -1, -1, -1), code), "first_bias")
        image = painted(decoder, x, "")
        for i, block in enumerate(decoder.blocks):
            x = gained(double(block.first(x, code)), f"blocks.{i}.first_bias")
            x = gained(block.second(x, code), f"blocks.{i}.second_bias")
            image = double(image) + painted(block, x, f"blocks.{i}.")
        self.assertTrue(torch.allclose(decoder(code[:, None].expand(-1, 8, -1)), image, atol=1e-4))

    def test_style_mixing(self):
        z, other = torch.randn(64, 8), torch.randn(64, 8)
        w, v = self.prior.mapping(z), self.prior.mapping(other)
        alone = self.prior.mixed(z, other, 0.0, 16)
        self.assertTrue(torch.equal(alone, w[:, None].expand(-1, 8, -1)))
        mixed = self.prior.mixed(z, other, 1.0, 16)
        self.assertTrue(torch.equal(mixed[:, 0], w))
        self.assertTrue(torch.equal(mixed[:, 5], v))           # six codes are in use at 16x16
        cuts = (mixed == w[:, None]).all(2).sum(1)
        self.assertEqual({int(c) for c in cuts}, {1, 2, 3, 4, 5})

    def test_blocks_to_come_add_nothing(self):
        prior, z = Prior(CONFIG, size=8), torch.randn(2, 8)
        small, large = prior.sample(z, 8), prior.sample(z, 32)
        up = small
        for _ in range(2):
            up = F.interpolate(up, scale_factor=2, mode="bilinear", align_corners=False)
        self.assertTrue(torch.allclose(large, up, atol=1e-6))
        self.assertFalse(any(".fuse." in k for k in prior.state_dict()))

    def test_equalised_learning_rate(self):
        scales = learning_scales(self.prior.trained())
        self.assertEqual(set(scales), set(self.prior.trained()))
        self.assertAlmostEqual(scales["decoder.first.weight"], (8 * 9) ** -0.5)
        self.assertAlmostEqual(scales["mapping.layers.0.weight"], 0.01 * 8 ** -0.5)
        self.assertAlmostEqual(scales["mapping.layers.0.bias"], 0.01)
        self.assertEqual(scales["decoder.constant"], 1.0)
        self.assertEqual(scales["decoder.first_bias"], 1.0)                      # convolutions before: 0, 3 and, RGB, 3
        self.assertAlmostEqual(scales["decoder.blocks.1.first_bias"], 2 ** -1.5)
        self.assertAlmostEqual(scales["decoder.blocks.0.rgb.weight"], 8 ** -0.5 * 2 ** 1.5)
        self.assertEqual(sum(len(g["params"]) for g in adam(self.prior.trained()).param_groups), len(scales))


class Training(unittest.TestCase):
    def trainer(self, **changed):
        torch.manual_seed(0)
        prior, judge = Prior(CONFIG, 16), Discriminator(CONFIG)
        initialise(judge)
        return Trainer(prior, judge, options(**changed), torch.device("cpu"))

    def test_a_step_moves_every_part_in_use(self):
        trainer = self.trainer(path_length=2.0)
        old = {k: v.clone() for k, v in trainer.prior.state_dict().items()}
        judge = {k: v.clone() for k, v in trainer.judge.state_dict().items()}
        real = torch.rand(4, 3, 16, 16) * 2 - 1
        for _ in range(3):
            terms = trainer(real)
        self.assertEqual(set(terms), {"generator", "judge"})     # R1 came with the first step
        new = trainer.prior.state_dict()
        for name in ("mapping.layers.0.weight", "decoder.constant", "decoder.blocks.1.second.weight",
                     "ema_decoder.first.weight", "ema_mapping.average"):
            self.assertFalse(torch.equal(old[name], new[name]), name)
        self.assertTrue(torch.equal(old["decoder.blocks.2.first.weight"], new["decoder.blocks.2.first.weight"]))
        self.assertFalse(torch.equal(judge["from_rgb.16.weight"], trainer.judge.state_dict()["from_rgb.16.weight"]))
        self.assertEqual((int(trainer.prior.seen), int(trainer.prior.size)), (12, 16))

    def test_the_judge_tells_bright_from_dark(self):
        trainer = self.trainer(rate=1e-2)
        trainer.wait = 10 ** 6                                  # the generator waits
        old = trainer.prior.decoder.first.weight.clone()
        real = torch.full((4, 3, 16, 16), 3.0)
        for _ in range(40):
            terms = trainer(real)
        self.assertLess(terms["judge"], 0.5)
        self.assertGreater(trainer.adaptation.rate, 0.6)
        self.assertGreater(float(trainer.prior.probability), 0)
        self.assertTrue(torch.equal(old, trainer.prior.decoder.first.weight))

    def test_a_bad_gradient_ends_the_run(self):
        with self.assertRaises(SystemExit):
            self.trainer()(torch.full((4, 3, 16, 16), float("nan")))

    def test_checkpoint_comes_back(self):
        trainer = self.trainer()
        trainer(torch.rand(4, 3, 16, 16))
        with tempfile.TemporaryDirectory() as folder:
            checkpoint.save(folder, "prior", trainer.prior)
            checkpoint.save_state(folder, "prior", {"optimiser": trainer.made_by.state_dict()})
            other = self.trainer(rate=1e-3)
            self.assertTrue(checkpoint.restore(folder, "prior", other.prior))
            state = checkpoint.restore_state(folder, "prior")["optimiser"]
            self.assertTrue(checkpoint.restore_optimiser(other.made_by, state))
            self.assertFalse(checkpoint.restore_optimiser(other.judged_by, state))
        for name, value in trainer.prior.state_dict().items():
            self.assertTrue(torch.equal(value, other.prior.state_dict()[name]), name)
        z = torch.randn(2, 8)
        self.assertTrue(torch.equal(trainer.prior.sample(z, 16, 0.7), other.prior.sample(z, 16, 0.7)))


class Colours(unittest.TestCase):
    CONFIG = {"gauge": {"skin": [0.68, 0.48, 0.4]}, "mask": {"feather": 14}}

    def test_light_does_not_matter(self):
        torch.manual_seed(0)
        crops = torch.rand(2, 3, 64, 64) * 0.4 - 0.9
        light = torch.tensor([1.2, 1.0, 0.8]).view(1, 3, 1, 1)
        palette = Palette(self.CONFIG, 64, "cpu")
        one, two = palette(crops), palette((crops + 1) * light - 1)
        self.assertLess(float((one - two).abs().max()), 1e-3)
        self.assertTrue(torch.equal(Palette({"mask": {"feather": 14}}, 64, "cpu")(crops), crops))


class Start(unittest.TestCase):
    def test_exactly_synthesis_and_average(self):
        torch.manual_seed(0)
        prior, body, mals = Prior(CONFIG), Body(CONFIG), MaLS(CONFIG)
        prior.ema_mapping.average.normal_()
        prior.size.fill_(32)
        for value in prior.ema_decoder.parameters():
            value.data.normal_()                                # not those of the raw network
        old = {k: v.clone() for k, v in body.decoder.state_dict().items()}
        kernel = mals.first.weight.clone()
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(start_from_prior(body, mals, folder), 0)
            checkpoint.save(folder, "prior", prior)
            self.assertEqual(start_from_prior(body, mals, folder), 32)
            wide = {**CONFIG, "dim": 4}
            with self.assertRaisesRegex(ValueError, "another config"):
                start_from_prior(Body(wide), MaLS(wide), folder)
        for name, value in body.decoder.state_dict().items():
            wanted = old[name] if ".fuse." in name else prior.ema_decoder.state_dict()[name]
            self.assertTrue(torch.equal(value, wanted), name)
        self.assertTrue(torch.equal(mals.average, prior.ema_mapping.average.expand(8, 8)))
        self.assertTrue(torch.equal(mals.first.weight, kernel))
        w = prior.ema_mapping(torch.randn(3, 8))[:, None].expand(-1, 8, -1)
        self.assertTrue(torch.equal(body.decoder(w), prior.ema_decoder(w)))


class Distance(unittest.TestCase):
    def test_known_gaussians(self):
        torch.manual_seed(0)
        x = torch.randn(4000, 5)
        self.assertLess(frechet.frechet(x, x), 1e-6)
        self.assertAlmostEqual(frechet.frechet(x, x + 2), 20.0, places=3)         # |mean|^2 = 5 * 2^2
        spread = float(torch.cov(x.t().double()).trace())
        self.assertAlmostEqual(frechet.frechet(x, 3 * x - 2 * x.mean(0)), 4 * spread, places=2)


if __name__ == "__main__":
    unittest.main()
