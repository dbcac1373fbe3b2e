"""The phonetic encoder: mel spectrogram -> the phonetic teacher's hidden layers, with a bounded window.

Input: mel columns of `data/mel.py`, 100 a second. Output: 50 columns a second of 128 components (softly whitened
principal components of the teacher's three upper layers, `data/corpus.py`). Output k is centred on input column 2 k.
It is a function of a fixed window of columns around that time and of nothing else: no attention, no state, no padding
inside the window. So random access, streaming and any chunking give the same values.

Two outputs come from one trunk: `near` sees 0.14 s ahead, `far` goes on from the trunk's last layer and sees more.
"""
import torch
import torch.nn.functional as F
from torch import nn


class DilatedBlock(nn.Module):
    """Pre-norm residual block along time: norm, three taps `dilation` apart, SiLU, a linear layer.

    `ahead` of the three taps lie after the present (0: causal, 1: centred). Trims what the taps cannot reach:
    [B, width, T] -> [B, width, T - 2 dilation]."""

    def __init__(self, width, dilation, ahead):
        super().__init__()
        self.past, self.future = (2 - ahead) * dilation, ahead * dilation
        self.norm = ChannelNorm(width)
        self.taps = nn.Conv1d(width, width, 3, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)
        nn.init.normal_(self.out.weight, std=0.5 * width ** -0.5)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        """x [B, width, T] -> [B, width, T - 2 dilation]."""
        y = self.out(F.silu(self.taps(self.norm(x))))
        return x[..., self.past:-self.future or None] + y


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each column, so that no column depends on another one."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, 1))
        self.bias = nn.Parameter(torch.zeros(width, 1))

    def forward(self, x):
        """x [B, width, T], each column by itself."""
        x = x - x.mean(1, keepdim=True)
        return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-5) * self.weight + self.bias


class PhoneticEncoder(nn.Module):
    """Mel columns [B, 80, 2 T] (log10 magnitudes) -> near [B, components, T'], far [B, components, T'']."""

    def __init__(self, config):
        super().__init__()
        options = config["phonetic"]
        width, components = options["width"], options["components"]
        self.stem = nn.Conv1d(config["mel"]["mels"], width, 3, stride=2)
        self.near = nn.ModuleList(DilatedBlock(width, *block) for block in options["near"])
        self.far = nn.ModuleList(DilatedBlock(width, *block) for block in options["far"])
        self.near_out = nn.Sequential(ChannelNorm(width), nn.Conv1d(width, components, 1))
        self.far_out = nn.Sequential(ChannelNorm(width), nn.Conv1d(width, components, 1))

    def reach(self, far):
        """(past, future) in mel columns that one output sees before and after its own."""
        blocks = [*self.near, *self.far] if far else self.near
        return 1 + 2 * sum(b.past for b in blocks), 1 + 2 * sum(b.future for b in blocks)

    def trunk(self, mel):
        """mel [B, 80, N] log10 magnitudes -> the last layer that both outputs share."""
        # log10 magnitudes run from -5 (the floor) to about 1.5.
        x = F.silu(self.stem((mel + 2.5) / 2))
        for block in self.near:
            x = block(x)
        return x

    def go_on(self, x):
        """The far output from the trunk's last layer."""
        for block in self.far:
            x = block(x)
        return self.far_out(x)

    def near_features(self, mel):
        """mel [B, 80, N] -> near [B, components, columns whose window lies inside]."""
        return self.near_out(self.trunk(mel))

    def far_features(self, mel):
        """mel [B, 80, N] -> far [B, components, columns whose window lies inside]."""
        return self.go_on(self.trunk(mel))

    def forward(self, mel):
        """mel [B, 80, N] log10 magnitudes -> near and far, [B, components, columns whose window lies inside]."""
        x = self.trunk(mel)
        return self.near_out(x), self.go_on(x)


BLOCK = 16                                   # feature columns that one run of a graph computes


class PhoneticBlock(nn.Module):
    """One output of the encoder for a block of columns, without padding: the graphs `phonetic` and `phonetic_far`.

    The graphs share the encoder's tensors, which are named alike in both."""

    def __init__(self, phonetic, far):
        super().__init__()
        self.phonetic, self.far = phonetic, far
        past, future = phonetic.reach(far)
        self.columns = past + future + 1 + 2 * (BLOCK - 1)     # of mel

    def forward(self, mel):
        """mel [1, 80, columns] -> features [1, components, BLOCK]; the first belongs to mel column `past`."""
        return self.phonetic.far_features(mel) if self.far else self.phonetic.near_features(mel)


def padded(columns, network, far):
    """Mel columns with the silence that one output for each pair of them needs before and behind."""
    past, future = network.reach(far)
    return F.pad(columns, (past, future - 1), value=-5.0)


def features(network, columns):
    """mel [B, 80, 2 T] -> near, far [B, T, components]; silence outside."""
    near_past, _ = network.reach(False)
    past, _ = network.reach(True)
    near, far = network(padded(columns, network, True))
    # The padding is that of `far`; what `near` gives for times before and behind is left out.
    begin = (past - near_past) // 2
    count = far.shape[2]
    return near[..., begin:begin + count].transpose(1, 2), far.transpose(1, 2)
