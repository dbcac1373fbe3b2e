"""Adaptive discriminator augmentation (Karras et al. 2020, "Training GANs with limited data")."""
import math
from functools import reduce

import torch
import torch.nn.functional as F

LUMA = torch.tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3)


def chosen(p, value, neutral):
    """`value` in a share p of the rows, elsewhere `neutral`."""
    return torch.where(torch.rand_like(value) < p, value, torch.full_like(value, neutral))


def matrix(rows):
    """Rows of [B] tensors and numbers -> [B, len(rows), len(rows)]."""
    like = next(x for row in rows for x in row if torch.is_tensor(x))
    full = [x if torch.is_tensor(x) else torch.full_like(like, x) for row in rows for x in row]
    return torch.stack(full, 1).view(-1, len(rows), len(rows))


def scaling(x, y):
    """[B, 3, 3] scaling by factors [B]."""
    return matrix([[x, 0, 0], [0, y, 0], [0, 0, 1]])


def rotation(angle):
    """[B, 3, 3] rotation by angles [B]."""
    return matrix([[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]])


def translation(x, y):
    """[B, 3, 3] translation by [B] and [B]."""
    return matrix([[1, 0, x], [0, 1, y], [0, 0, 1]])


def geometry(count, size, p, device="cpu"):
    """Blit and geometry group: [B, 3, 3], where in [-1, 1] a pixel of the output is read from."""
    normal, uniform = lambda: torch.randn(count, device=device), lambda: torch.rand(count, device=device)
    flip = chosen(p, 1 - 2 * (uniform() < 0.5).float(), 1)
    quarter = chosen(p, (uniform() * 4).floor() * (math.pi / 2), 0)
    step = lambda: chosen(p, ((uniform() - 0.5) * 0.25 * size).round() * (2 / size), 0)
    turn = 1 - math.sqrt(1 - p)                              # twice this chance is p
    angle = lambda: chosen(turn, (uniform() * 2 - 1) * math.pi, 0)
    zoom, stretch = chosen(p, (normal() * 0.2).exp2(), 1), chosen(p, (normal() * 0.2).exp2(), 1)
    moved = lambda: chosen(p, normal() * 0.25, 0)            # an eighth of the picture
    parts = (scaling(flip, torch.ones_like(flip)), rotation(quarter), translation(step(), step()),
             scaling(zoom, zoom), rotation(angle()), scaling(stretch, 1 / stretch), rotation(angle()),
             translation(moved(), moved()))
    return reduce(torch.matmul, parts)


def colour(count, p, device="cpu"):
    """Colour group: [B, 4, 4] on (r, g, b, 1) in [-1, 1]: brightness, contrast, luma flip, hue, saturation."""
    normal, uniform = lambda: torch.randn(count, device=device), lambda: torch.rand(count, device=device)
    luma = LUMA.to(device)
    grey = torch.outer(luma, luma)
    one = torch.eye(4, device=device)
    light, contrast = chosen(p, normal() * 0.2, 0), chosen(p, (normal() * 0.5).exp2(), 1)
    brightness = matrix([[1, 0, 0, light], [0, 1, 0, light], [0, 0, 1, light], [0, 0, 0, 1]])
    stretch = matrix([[contrast, 0, 0, 0], [0, contrast, 0, 0], [0, 0, contrast, 0], [0, 0, 0, 1]])
    flip = one - 2 * grey * chosen(p, (uniform() < 0.5).float(), 0)[:, None, None]
    angle = chosen(p, (uniform() * 2 - 1) * math.pi, 0)[:, None, None]
    a = 1 / math.sqrt(3)
    cross = torch.tensor([[0, -a, a, 0], [a, 0, -a, 0], [-a, a, 0, 0], [0, 0, 0, 0.0]], device=device)
    rest = torch.diag(torch.tensor([1, 1, 1, 0.0], device=device)) - grey
    hue = one + angle.sin() * cross + (angle.cos() - 1) * rest          # Rodrigues, about the luma axis
    saturation = one + (chosen(p, normal().exp2(), 1)[:, None, None] - 1) * rest
    return saturation @ hue @ flip @ stretch @ brightness


def warp(images, where):
    """Bilinear, reflected at the edges."""
    grid = F.affine_grid(where[:, :2], images.shape, align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def recolour(images, change):
    """Images [B, 3, S, S] under colour changes [B, 4, 4]."""
    flat = images.flatten(2)
    return (change[:, :3, :3] @ flat + change[:, :3, 3:]).view_as(images)


def augment(images, p):
    """Images [B, 3, S, S], every transformation of every row with probability p; differentiable once.

    All geometry is one bilinear warp, without the paper's low-pass filter. `p` = 0 gives the images back."""
    if p <= 0:
        return images
    count, size = len(images), images.shape[-1]
    warped = warp(images, geometry(count, size, p, images.device))
    return recolour(warped, colour(count, p, images.device))


class Adaptation:
    """Adapts p so that r_t = E[sign D(real)], the overfitting of the discriminator, stays at its target.

    `images`: the number in which p goes from 0 to 1 (that paper: 500,000). r_t is taken over `every` batches."""

    MOST = 0.8                                  # beyond it the generator paints augmented pictures

    def __init__(self, probability, images=500_000, target=0.6, every=4):
        self.probability, self.images, self.target, self.every = probability, images, target, every
        self.signs, self.batches, self.count, self.rate = 0.0, 0, 0, 0.0

    def state(self):
        """The numbers that a checkpoint stores."""
        return {key: getattr(self, key) for key in ("probability", "signs", "batches", "count", "rate")}

    def load(self, state):
        """Restores an output of `state`."""
        for key, value in state.items():
            setattr(self, key, value)

    def note(self, signs, count):
        """Sum of sign D(real) over a batch of `count` images (of all processes)."""
        self.signs, self.count, self.batches = self.signs + signs, self.count + count, self.batches + 1
        if self.batches == self.every:
            self.rate = self.signs / self.count
            step = self.count / self.images * (1 if self.rate > self.target else -1)
            self.probability = min(max(self.probability + step, 0.0), self.MOST)
            self.signs, self.batches, self.count = 0.0, 0, 0
