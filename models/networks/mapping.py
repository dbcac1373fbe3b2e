"""StyleGAN2's mapping network: z -> w (Karras et al. 2020), and its average code w_avg."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.blocks import SLOPE, Dense


class MappingNetwork(nn.Module):
    """z [B, dim], normal -> w [B, dim].

    `average` [dim] is w_avg, the running mean of w: the centre of truncation, and the start of the main
    stage's codes. The layers have a smaller learning rate; see `learning_scales`."""

    LEARNING = 0.01                         # StyleGAN2's multiplier of the mapping network's rate

    def __init__(self, config):
        super().__init__()
        dim = config["dim"]
        self.layers = nn.ModuleList(Dense(dim, dim, gain=2 ** 0.5) for _ in range(config["prior"]["layers"]))
        self.register_buffer("average", torch.zeros(dim))

    def forward(self, z):
        """z [B, dim] -> w [B, dim]; z is normalised first."""
        x = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        return x

    @torch.no_grad()
    def note(self, w, keep=0.998):
        """Moves w_avg towards the mean of a batch of w."""
        self.average.lerp_(w.detach().float().mean(0), 1 - keep)

    def truncated(self, w, psi):
        """w [B, dim] moved towards the average; psi 1: not at all."""
        return self.average + psi * (w - self.average)
