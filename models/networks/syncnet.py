"""SyncNet: audio and mouth of five frames in one space (section 3.4, eq. 7)."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.encoders import strided_stage

SPOKEN = 5                                   # feature columns to each side: five frames
NARROW = 32                                  # what a column is reduced to: there are few people to train it on


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


class ShapeTower(nn.Module):
    """Mouth shapes of five frames [B, 5, mouth], coefficients of the face model -> unit vectors [B, dim]; no
    pixels, so that it cannot identify persons."""

    def __init__(self, config):
        super().__init__()
        options = config["syncnet"]
        self.layers = nn.Sequential(nn.Linear(options["frames"] * config["mouth"], 256), nn.ReLU(),
                                    nn.Dropout(0.3), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3),
                                    nn.Linear(256, options["dim"]))

    def forward(self, shapes):
        """shapes [B, 5, mouth] -> [B, dim]."""
        return F.normalize(self.layers(shapes.flatten(1)), dim=1)


class SoundTower(nn.Module):
    """Phonetic features around the middle one of five frames [B, components, C] -> unit vectors [B, dim].

    The features are the encoder's `far` ones, at the middle frame's time and SPOKEN columns of 20 ms to each side."""

    def __init__(self, config):
        super().__init__()
        options, components = config["syncnet"], config["phonetic"]["components"]
        # The features' mean and inverse deviation in training.
        self.register_buffer("mean", torch.zeros(components, 1))
        self.register_buffer("scale", torch.ones(components, 1))
        self.layers = nn.Sequential(
            nn.Dropout(0.2), nn.Conv1d(components, NARROW, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(NARROW * (2 * SPOKEN + 1), 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, options["dim"]))

    def forward(self, features):
        """features [B, components, C] -> [B, dim]."""
        return F.normalize(self.layers((features - self.mean) * self.scale), dim=1)


def contrast(first, second, alike, temperature=0.07):
    """Symmetric contrastive loss of a batch of pairs: the pair's own partner against all others but those that
    `alike` [B, B] marks, which are no better and no worse."""
    logits = (first @ second.t() / temperature).masked_fill(alike, -1e4)
    target = torch.arange(len(first), device=first.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2


def sync_loss(face, sound):
    """Eq. 7: 1 - cos(f_v, f_a)."""
    return (1 - (face * sound).sum(1)).mean()
