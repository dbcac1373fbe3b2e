"""The prior: mapping network and synthesis network as trained, and their moving averages."""
import copy
import math
import re

import torch
from torch import nn

from networks.decoder import Decoder
from networks.mapping import MappingNetwork


class Prior(nn.Module):
    """z [B, dim] -> codes [B, 14, dim] -> image [B, 3, S, S] in [-1, 1].

    The synthesis network is the decoder without its fusions. `ema_mapping` and `ema_decoder` are
    sampled from, and the main stage starts from them; `ema_mapping.average` is w_avg. Of the training state it
    keeps the images seen, the size last trained at and the probability of augmentation."""

    def __init__(self, config, size=None):
        """`size`: where training begins. Blocks beyond it add nothing to the image until they are trained."""
        super().__init__()
        self.codes, self.dim = 2 * len(config["channels"]), config["dim"]
        self.mapping, self.decoder = MappingNetwork(config), Decoder(config)
        for block in self.decoder.blocks:
            block.fuse = None
        with torch.no_grad():
            for name, value in self.named_parameters():
                if name.endswith("rgb.weight"):
                    value.div_(signal(name))
            for r, block in zip(self.decoder.sizes, self.decoder.blocks):
                if size is not None and r >= size:
                    block.rgb.weight.zero_()
        self.ema_mapping = copy.deepcopy(self.mapping).requires_grad_(False)
        self.ema_decoder = copy.deepcopy(self.decoder).requires_grad_(False)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("size", torch.zeros((), dtype=torch.int64))
        self.register_buffer("probability", torch.zeros(()))

    def trained(self):
        """{name: parameter} of the networks that are trained."""
        return {**{f"mapping.{k}": v for k, v in self.mapping.named_parameters()},
                **{f"decoder.{k}": v for k, v in self.decoder.named_parameters()}}

    def mixed(self, z, other, chance, size):
        """Codes of z that from a random layer on are those of `other` in `chance` of the rows (style mixing)."""
        w = self.mapping(torch.cat([z, other]))
        self.mapping.note(w)
        w, other = w.chunk(2)
        layers = 2 * int(math.log2(size)) - 2                # codes in use at this size
        cut = torch.randint(1, layers, (len(z), 1), device=z.device)
        cut = torch.where(torch.rand(len(z), 1, device=z.device) < chance, cut, self.codes)
        late = torch.arange(self.codes, device=z.device) >= cut
        return torch.where(late[:, :, None], other[:, None], w[:, None])

    @torch.no_grad()
    def follow(self, keep):
        """Moves the averages towards the networks by 1 - keep; w_avg is copied."""
        for ema, live in ((self.ema_mapping, self.mapping), (self.ema_decoder, self.decoder)):
            for a, b in zip(ema.parameters(), live.parameters()):
                a.lerp_(b, 1 - keep)
        self.ema_mapping.average.copy_(self.mapping.average)

    @torch.no_grad()
    def sample(self, z, size, psi=1.0):
        """Images of the averaged networks. `psi` < 1 trades variety for likeness to the average face."""
        w = self.ema_mapping.truncated(self.ema_mapping(z), psi)
        return self.ema_decoder(w[:, None].expand(-1, self.codes, -1), size=size)


def signal(name):
    """Ratio to StyleGAN2's of the signal that a bias is added to or an RGB layer reads; 1 for other parameters.

    StyleGAN2's layers each end in a gain of sqrt(2), the decoder's do not, and because of demodulation the
    weights cannot compensate for it: at 64x64 the image would get a twentieth of what the coarse layers give."""
    found = re.fullmatch(r"decoder\.(blocks\.(\d+)\.)?(first_bias|second_bias|rgb\.weight)", name)
    if not found:
        return 1.0
    block, index, layer = found.groups()
    layers = 1 + 2 * int(index) if block else 0              # convolutions before this block
    layers += {"first_bias": 0, "second_bias": 1, "rgb.weight": 2 if block else 1}[layer]
    return 2 ** (-layers / 2)


def learning_scales(parameters):
    """{name: parameter} -> {name: factor on the rate}: StyleGAN2's equalised learning rate.

    There a weight is stored with unit variance and multiplied by 1 / sqrt(fan-in) when used; with Adam that is
    the same as stepping the multiplied weight by 1 / sqrt(fan-in) of the rate. So with the missing gains: biases
    step as small as their signal, RGB weights by as much more. The mapping network is slower."""
    scales = {}
    for name, value in parameters.items():
        scale = MappingNetwork.LEARNING if name.startswith("mapping.") else 1.0
        if name.endswith("weight"):
            scales[name] = scale / math.sqrt(value[0].numel()) / signal(name)
        else:
            scales[name] = scale * signal(name)
    return scales
