"""What lies in front of the face: hands, microphones, food. The engine takes its picture out of the matte."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.blocks import Residual, double, strided


class Occlusion(nn.Module):
    """Crop [B, 3, 256, 256] in [-1, 1] -> logits [B, 1, 128, 128]: above 0 where something lies in front.

    A U-Net on the crop at half its size. Not in the paper."""

    def __init__(self, config):
        super().__init__()
        widths = config["occlusion"]["channels"]
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]),
                                  nn.ReLU())
        # The largest maps are as thin as possible: they cost most.
        self.down = nn.ModuleList(nn.Sequential(*strided(a, b), *([Residual(b)] if k else []))
                                  for k, (a, b) in enumerate(zip(widths, widths[1:])))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a + b, a, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(a), nn.ReLU())
            for a, b, kernel in zip(widths, widths[1:], [1] + [3] * len(widths)))
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)
        nn.init.constant_(self.last.bias, -3)               # mostly nothing

    def forward(self, crop):
        """crop [B, 3, 256, 256] -> logits [B, 1, 128, 128]."""
        maps = [self.stem(F.avg_pool2d(crop, 2))]
        for block in self.down:
            maps.append(block(maps[-1]))
        x = maps.pop()
        for skip, block in zip(maps[::-1], list(self.up)[::-1]):
            x = block(torch.cat([skip, double(x)], 1))
        return self.last(x)
