"""StyleGAN2's residual discriminator, of the prior and of the adversarial loss."""
import math

import torch
import torch.nn.functional as F
from torch import nn

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
