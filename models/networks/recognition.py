"""Who a face is: tells the people of a clip apart, so that a face keeps its number over crossings, exits and cuts."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.blocks import Dense, Residual, strided


class Recognition(nn.Module):
    """Upright crop [B, 3, 128, 128] in [-1, 1], as the mesh predictor sees it -> embedding [B, size] of length 1.

    The product of two embeddings is their similarity. Not in the paper."""

    def __init__(self, config):
        super().__init__()
        options = config["recognition"]
        widths = options["channels"]
        self.stem = strided(3, widths[0])
        self.blocks = nn.Sequential(*(nn.Sequential(*strided(a, b), Residual(b)) for a, b in zip(widths, widths[1:])))
        side = config["mesh"]["size"] // 2 ** (1 + len(widths))
        self.linear = Dense(widths[-1] * side * side, options["size"])

    def forward(self, crop):
        """crop [B, 3, 128, 128] -> [B, size]."""
        x = self.blocks(self.stem(F.avg_pool2d(crop, 2)))
        x = self.linear(x.flatten(1))
        return x / torch.sqrt((x * x).sum(1, keepdim=True) + 1e-8)
