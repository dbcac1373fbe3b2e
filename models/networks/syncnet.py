"""SyncNet: audio and mouth of five frames in one space (section 3.4, eq. 7)."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.encoders import strided_stage

SPOKEN = 5                                   # feature columns to each side: five frames
NARROW = 32                                  # what a column is reduced to: there are few people to train it on
MEMBERS = 4                                  # of a tower


class FaceTower(nn.Module):
    """Lower halves of T = 5 crops, stacked [B, 15, 64, 128] -> unit vectors [B, dim]."""

    def __init__(self, config):
        super().__init__()
        options = config["syncnet"]
        widths = options["channels"]
        layers = strided_stage(3 * options["frames"], widths[0], 5)
        for a, b in zip(widths, widths[1:]):
            layers += strided_stage(a, b, 3)
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(widths[-1] * (64 >> len(widths)) * (128 >> len(widths)), options["dim"])

    def forward(self, mouths):
        """mouths [B, 15, 64, 128] in [-1, 1] -> [B, dim]."""
        x = self.layers(mouths - mouths.mean((2, 3), keepdim=True))
        return F.normalize(self.linear(x.flatten(1)), dim=1)


class Committee(nn.Module):
    """A tower of MEMBERS small networks, each trained without a part of the people: their unit vectors side by side,
    scaled to a unit vector. So a cosine of two towers is the mean of the members' cosines."""

    def member(self, index, x):
        """Unit vectors [B, dim / MEMBERS] of one member, for its training."""
        return F.normalize(self.members[index](self.standard(x)), dim=1)

    def standard(self, x):
        """The input as the members see it."""
        return x

    def forward(self, x):
        """x [B, ..] -> unit vectors [B, dim]."""
        x = self.standard(x)
        vectors = [F.normalize(member(x), dim=1) for member in self.members]
        return torch.cat(vectors, 1) / len(vectors) ** 0.5


class ShapeTower(Committee):
    """Mouth shapes of five frames [B, 5, mouth], coefficients of the face model -> unit vectors [B, dim]; no
    pixels, so that it cannot identify persons."""

    def __init__(self, config):
        super().__init__()
        options = config["syncnet"]
        self.members = nn.ModuleList(nn.Sequential(
            nn.Flatten(), nn.Linear(options["frames"] * config["mouth"], 128), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, options["dim"] // MEMBERS))
            for _ in range(MEMBERS))


class SoundTower(Committee):
    """Phonetic features around the middle one of five frames [B, components, C] -> unit vectors [B, dim].

    The features are the encoder's `far` ones, at the middle frame's time and SPOKEN columns of 20 ms to each side."""

    def __init__(self, config):
        super().__init__()
        options, components = config["syncnet"], config["phonetic"]["components"]
        # The features' mean and inverse deviation in training.
        self.register_buffer("mean", torch.zeros(components, 1))
        self.register_buffer("scale", torch.ones(components, 1))
        self.members = nn.ModuleList(nn.Sequential(
            nn.Dropout(0.2), nn.Conv1d(components, NARROW, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(NARROW * (2 * SPOKEN + 1), 128), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(128, options["dim"] // MEMBERS)) for _ in range(MEMBERS))

    def standard(self, x):
        """Features of mean 0 and deviation 1."""
        return (x - self.mean) * self.scale


def contrast(first, second, alike, temperature=0.07):
    """Symmetric contrastive loss of a batch of pairs: the pair's own partner against all others but those that
    `alike` [B, B] marks, which are no better and no worse."""
    logits = (first @ second.t() / temperature).masked_fill(alike, -1e4)
    target = torch.arange(len(first), device=first.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2


def sync_loss(face, sound):
    """Eq. 7: 1 - cos(f_v, f_a)."""
    return (1 - (face * sound).sum(1)).mean()
