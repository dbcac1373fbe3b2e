"""What lies in front of the face: hands, microphones, food. The engine takes its picture out of the matte."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.blocks import SLOPE, DownBlock, double


class Occlusion(nn.Module):
    """Crop [B, 3, 256, 256] in [-1, 1] -> logits [B, 1, 128, 128]: above 0 where something lies in front.

    A U-Net on the crop at half its size. Not in the paper."""

    def __init__(self, config):
        super().__init__()
        widths = config["occlusion"]["channels"]
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.down = nn.ModuleList(DownBlock(a, b) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(nn.Conv2d(a + b, a, 3, padding=1) for a, b in zip(widths, widths[1:]))
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)
        nn.init.constant_(self.last.bias, -3)               # mostly nothing

    def forward(self, crop):
        """crop [B, 3, 256, 256] -> logits [B, 1, 128, 128]."""
        x = F.leaky_relu(self.stem(F.avg_pool2d(crop, 2)), SLOPE)
        maps = [x]
        for block in self.down:
            maps.append(x := block(x))
        for skip, conv in zip(maps[-2::-1], list(self.up)[::-1]):
            x = F.leaky_relu(conv(torch.cat([skip, double(x)], 1)), SLOPE)
        return self.last(x)
