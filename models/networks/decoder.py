"""The decoder G: a StyleGAN2 "skip" generator with style-aware masked fusion (section 3.2, eq. 2)."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.blocks import SLOPE, ModulatedConv, double


class SaMF(nn.Module):
    """Style-aware masked fusion: S * E(X) + (1 - S) * G, S one channel from the encoded feature.

    `modulated=False` is the ablation of Table 3 (a standard convolution)."""

    def __init__(self, channels, dim, modulated=True):
        super().__init__()
        self.modulated = modulated
        self.conv = (ModulatedConv(channels, 1, dim) if modulated
                     else nn.Conv2d(channels, 1, 3, padding=1, bias=False))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, encoded, generated, code):
        """encoded and generated [B, channels, H, W], code [B, dim] -> the same shape."""
        logit = self.conv(encoded, code) if self.modulated else self.conv(encoded)
        mask = torch.sigmoid(logit + self.bias)
        return generated + mask * (encoded - generated)


class Block(nn.Module):
    """One decoder block: fusion at the input's size, then to twice that size (Figure 3).

    The first code modulates the fusion and the first convolution, the second code the second
    convolution and the block's RGB. The first convolution runs before the up-sampling: a quarter
    of the work, the same reach.

    A demodulation factor d is positive, so leaky(d y + b) = d leaky(y + b / d): the factor is left to the next
    scale, which saves a pass over the map.
    """

    def __init__(self, inputs, outputs, dim, modulated=True):
        super().__init__()
        self.fuse = SaMF(inputs, dim, modulated)
        self.first = ModulatedConv(inputs, outputs, dim)
        self.second = ModulatedConv(outputs, outputs, dim)
        self.rgb = ModulatedConv(outputs, 3, dim, kernel=1, demodulate=False)
        self.first_bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))
        self.second_bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))
        self.rgb_bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x, image, encoded, first, second):
        """x [B, inputs, r, r], image [B, 3, r, r], codes [B, dim] -> x at 2 r, a factor on it [B, outputs, 1, 1], the
        image at 2 r."""
        x = self.fuse(encoded, x, first) if encoded is not None else x
        scale, factor = self.first.scales(first)
        x = F.leaky_relu(double(self.first.convolve(x, scale)) + self.first_bias / factor, SLOPE)
        scale, last = self.second.scales(second)
        x = F.leaky_relu(self.second.convolve(x, factor * scale) + self.second_bias / last, SLOPE)
        scale, _ = self.rgb.scales(second)
        return x, last, double(image) + self.rgb.convolve(x, last * scale) + self.rgb_bias


class Decoder(nn.Module):
    """codes [B, 14, dim] and encoded features {4..128: [B, C, r, r]} -> image [B, 3, 256, 256] in [-1, 1].

    Without features it is the generator of the prior (StyleGAN2). With `"carry"` in the config the warped
    reference `carried` [B, 3, 256, 256] is fused with the finished image, by a mask of one channel as in the blocks.
    """

    def __init__(self, config):
        super().__init__()
        modulated = config["samf"]["modulated"]
        channels = {int(k): v for k, v in config["channels"].items()}
        dim = config["dim"]
        self.sizes = sorted(channels)
        self.constant = nn.Parameter(torch.randn(1, channels[4], 4, 4))
        self.first = ModulatedConv(channels[4], channels[4], dim)
        self.first_bias = nn.Parameter(torch.zeros(1, channels[4], 1, 1))
        self.rgb = ModulatedConv(channels[4], 3, dim, kernel=1, demodulate=False)
        self.rgb_bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.blocks = nn.ModuleList(Block(channels[r], channels[2 * r], dim, modulated)
                                    for r in self.sizes[:-1])
        if config.get("carry"):
            self.blend = ModulatedConv(channels[self.sizes[-1]], 1, dim, kernel=1, demodulate=False)
            self.blend_bias = nn.Parameter(torch.zeros(1))

    def forward(self, codes, encoded=None, size=None, carried=None):
        """`size`: stop at this resolution (training from small to large)."""
        x = self.constant.expand(codes.shape[0], -1, -1, -1)
        x = F.leaky_relu(self.first(x, codes[:, 0]) + self.first_bias, SLOPE)
        image, factor = self.rgb(x, codes[:, 1]) + self.rgb_bias, None
        for index, (r, block) in enumerate(zip(self.sizes, self.blocks)):
            if size is not None and r >= size:
                break
            x = x if factor is None else x * factor
            feature = None if encoded is None else encoded[r]
            x, factor, image = block(x, image, feature, codes[:, 2 * index + 2], codes[:, 2 * index + 3])
        if carried is None or image.shape[-1] < self.sizes[-1]:
            return image
        scale, _ = self.blend.scales(codes[:, -1])
        mask = torch.sigmoid(self.blend.convolve(x, factor * scale) + self.blend_bias)
        return image + mask * (carried - image)

    def synthesis_parameters(self):
        """The synthesis network: everything but the fusions (what adaptation trains, section 4)."""
        return {k: v for k, v in self.named_parameters() if ".fuse." not in k}
