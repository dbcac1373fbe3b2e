"""Discriminators: StyleGAN2's, of the prior, and one of patches, of the main stage's adversarial loss."""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from networks.blocks import SLOPE, Dense, DownBlock


class Discriminator(nn.Module):
    """Image [B, 3, S, S] -> realness [B, 1]; S any size of the config (training from small to large)."""

    def __init__(self, config):
        super().__init__()
        channels = {int(k): v for k, v in config["discriminator"]["channels"].items()}
        self.sizes = sorted(channels, reverse=True)
        self.from_rgb = nn.ModuleDict({str(r): nn.Conv2d(3, channels[r], 1) for r in self.sizes})
        self.blocks = nn.ModuleDict({str(r): DownBlock(channels[r], channels[r // 2])
                                     for r in self.sizes if r > 4})
        self.last = nn.Conv2d(channels[4] + 1, channels[4], 3, padding=1)
        self.linear = nn.Sequential(Dense(channels[4] * 16, channels[4], gain=math.sqrt(2)),
                                    nn.LeakyReLU(SLOPE), Dense(channels[4], 1))

    def forward(self, image):
        """Logits [B, 1], positive for real images."""
        size = image.shape[-1]
        x = F.leaky_relu(self.from_rgb[str(size)](image), SLOPE)
        while size > 4:
            x = self.blocks[str(size)](x)
            size //= 2
        spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean()     # minibatch standard deviation
        x = torch.cat([x, spread.expand(x.shape[0], 1, 4, 4)], 1)
        return self.linear(F.leaky_relu(self.last(x), SLOPE).flatten(1))


class PatchDiscriminator(nn.Module):
    """Patches [B, 3, P, P] -> the maps of all layers, the last of them the realness [B, 1, P / 4, P / 4] of places.

    Its small receptive field (22 pixels) judges teeth and lips, not the identity of a person, so that few people
    are enough to train it. Spectral normalisation bounds its slope; it needs no gradient penalty."""

    def __init__(self, channels=(32, 64, 128)):
        super().__init__()
        first, second, third = channels
        self.layers = nn.ModuleList(spectral_norm(layer) for layer in (
            nn.Conv2d(3, first, 4, 2, 1), nn.Conv2d(first, second, 4, 2, 1),
            nn.Conv2d(second, third, 3, 1, 1), nn.Conv2d(third, 1, 1)))

    def forward(self, patches):
        """Activations of each layer; logits of the last, positive for real places."""
        maps = []
        for k, layer in enumerate(self.layers):
            patches = layer(patches if k == 0 else F.leaky_relu(patches, SLOPE))
            maps.append(patches)
        return maps
