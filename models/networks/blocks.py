"""Layers that several networks share. Everything exports to plain ONNX operators."""
import math

import torch
import torch.nn.functional as F
from torch import nn

SLOPE = 0.2                       # StyleGAN2's leaky ReLU


class Dense(nn.Linear):
    """Linear layer with He initialisation scaled by `gain`."""

    def __init__(self, inputs, outputs, gain=1.0, bias=0.0):
        super().__init__(inputs, outputs)
        nn.init.normal_(self.weight, std=gain / math.sqrt(inputs))
        nn.init.constant_(self.bias, bias)


class ModulatedConv(nn.Module):
    """Convolution modulated by a style code (StyleGAN2, Karras et al. 2020, section 2).

    Modulating the weights by s and normalising them equals scaling the input by s, convolving with
    the shared weights, and scaling the output by the demodulation factor. Written that way the
    weights stay plain initialisers, which runtimes lay out once, and which adaptation replaces.
    """

    def __init__(self, inputs, outputs, dim, kernel=3, demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) / math.sqrt(inputs * kernel ** 2))
        self.affine = Dense(dim, inputs, bias=1.0)       # the affine transformation A
        self.demodulate = demodulate
        self.padding = kernel // 2

    def scales(self, code):
        """code [B, dim] -> the scale of the input [B, inputs, 1, 1], the demodulation factor [B, outputs, 1, 1]
        (None without demodulation)."""
        style = self.affine(code)
        scale = style[:, :, None, None]
        if not self.demodulate:
            return scale, None
        energy = torch.matmul(style * style, self.weight.square().sum((2, 3)).t())
        return scale, torch.rsqrt(energy + 1e-8)[:, :, None, None]

    def convolve(self, x, scale):
        """x [B, inputs, H, W] times `scale` -> [B, outputs, H, W]."""
        if self.padding:
            return F.conv2d(x * scale, self.weight, padding=self.padding)
        # A few outputs of a large map: a product with the scaled weights passes over the map once.
        weight = self.weight.flatten(1) * scale.flatten(1).unsqueeze(1)
        return torch.matmul(weight, x.flatten(2)).reshape(x.shape[0], -1, *x.shape[2:])

    def forward(self, x, code):
        """x [B, inputs, H, W], code [B, dim] -> [B, outputs, H, W]."""
        scale, factor = self.scales(code)
        x = self.convolve(x, scale)
        return x if factor is None else x * factor


def double(x):
    """Twice the size, bilinear: the FIR [1, 3, 3, 1] of StyleGAN2's up-sampling."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class DownBlock(nn.Module):
    """Residual block that halves the size. `norm` is nn.InstanceNorm2d or None."""

    def __init__(self, inputs, outputs, norm=None, extra=0):
        super().__init__()
        self.down = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)
        self.more = nn.ModuleList(nn.Conv2d(outputs, outputs, 3, padding=1) for _ in range(extra + 1))
        self.norms = nn.ModuleList((norm(outputs, affine=True) if norm else nn.Identity())
                                   for _ in range(extra + 2))

    def forward(self, x):
        """x [B, inputs, H, W] -> [B, outputs, H / 2, W / 2]."""
        y = F.leaky_relu(self.norms[0](self.down(x)), SLOPE)
        for conv, norm in zip(self.more, list(self.norms)[1:]):
            y = F.leaky_relu(norm(conv(y)), SLOPE)
        return (y + self.skip(F.avg_pool2d(x, 2))) * math.sqrt(0.5)


class Residual(nn.Module):
    """Two 3x3 convolutions and a skip, size kept."""

    def __init__(self, channels, norm=True):
        super().__init__()
        self.one = nn.Conv2d(channels, channels, 3, padding=1, bias=not norm)
        self.two = nn.Conv2d(channels, channels, 3, padding=1, bias=not norm)
        self.norm_one = nn.BatchNorm2d(channels) if norm else nn.Identity()
        self.norm_two = nn.BatchNorm2d(channels) if norm else nn.Identity()

    def forward(self, x):
        """x [B, channels, H, W] -> the same shape."""
        y = F.relu(self.norm_one(self.one(x)))
        return F.relu(x + self.norm_two(self.two(y)))


def strided(inputs, outputs, kernel=3):
    """Convolution with stride 2, batch norm, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU())
