"""Losses of the main stage (section 3.4, eq. 6 to 8) and what stands in where no ImageNet network is at hand."""
import numpy as np
import torch
import torch.nn.functional as F

from data.dataset import spoken
from networks.syncnet import sync_loss


def slopes(x):
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def weights(hole, lips):
    """Per-pixel weight [B, 1, S, S]: the hole, four times that round the lips."""
    size, middle = hole.shape[-1], lips[:, :40].mean(1)
    grid = (torch.arange(size, device=hole.device) + 0.5) / size * 2 - 1
    near = (torch.exp(-((grid - middle[:, :1]) / 0.35) ** 2)[:, None, :]
            * torch.exp(-((grid - middle[:, 1:]) / 0.3) ** 2)[:, :, None])
    return hole * (1 + 3 * near[:, None]) + 0.05


def picture(image, target, weight):
    """L1 on pixels and on their differences, which keeps lips and teeth from washing out."""
    total = weight.sum() * 3
    loss = (weight * (image - target).abs()).sum() / total
    for made, true, axis in zip(slopes(image), slopes(target), (3, 2)):
        w = weight.narrow(axis, 1, weight.shape[axis] - 1)
        loss = loss + (w * (made - true).abs()).sum() / total
    return loss


def blended(image, target, weight, fine):
    """`fine` of the loss on pixels at full size, the rest at a quarter of it: where skin lies to the pixel nobody
    can know, and a loss that asks for it is paid best by a blur."""
    if fine == 1:
        return picture(image, target, weight)
    coarse = lambda x: F.avg_pool2d(x, 4)
    return fine * picture(image, target, weight) + (1 - fine) * picture(coarse(image), coarse(target), coarse(weight))


def texture(image, target, hole, window=8):
    """How much the strength of the slopes differs, over windows of pixels: as rough as the truth, wherever the pores
    and bristles lie. Without it what is painted is smooth."""
    def rough(x):
        across, down = slopes(x)
        return F.avg_pool2d((across[:, :, 1:].square() + down[..., 1:].square() + 1e-6).sqrt().mean(1, keepdim=True), window, window // 2)
    inside = F.avg_pool2d(hole[:, :, 1:, 1:], window, window // 2)
    return (inside * (rough(image) - rough(target)).abs()).sum() / (inside.sum() + 1e-6)


class MeshJudge:
    """The frozen mesh predictor as a judge of pictures: features (eq. 6) and where lips and jaw lie.

    Pixel losses shrink the mouth's movement towards its mean; the distance of the points does not.
    """

    def __init__(self, mesh, face, lips, config):
        self.mesh, self.face = mesh.eval().requires_grad_(False), face
        self.lips = torch.as_tensor(lips, dtype=torch.long)
        self.mouth = config["mouth"]
        self.outer = config["mesh"]["size"]
        self.inner = round(self.outer / config["mesh"]["margin"] / 2) * 2
        self.unit = self.outer / self.inner       # from the mesh predictor's crop to ours

    def widen(self, size):
        """[outer, size]: means over areas, and the edge repeated round them: from our crop to the mesh
        predictor's, along one axis. A matrix, so that its gradient needs no operator of its own."""
        rows = np.zeros((self.inner, size), np.float32)
        for k in range(self.inner):
            begin, end = k * size // self.inner, -(-(k + 1) * size // self.inner)
            rows[k, begin:end] = 1 / (end - begin)
        around = np.arange(self.outer) - (self.outer - self.inner) // 2
        return torch.from_numpy(rows[around.clip(0, self.inner - 1)])

    def look(self, image):
        """Images [B, 3, S, S] -> (maps of the first stages, lip points [B, P, 2] in [-1, 1], shapes [B, mouth])."""
        matrix = self.widen(image.shape[-1]).to(image.device)
        maps, out = self.mesh.look(matrix @ image @ matrix.T)
        return maps[:3], self.face.points(out)[:, self.lips] * self.unit, out[1][:, :self.mouth]

    def compare(self, made, true):
        """(perceptual, landmark) distance of what `look` gave of two pictures."""
        distance = sum((a - b).abs().mean() / (b.abs().mean() + 1e-3) for a, b in zip(made[0], true[0]))
        return distance / len(made[0]), (made[1] - true[1]).abs().mean()


class SyncJudge:
    """The frozen SyncNet as a judge of five frames against their sound (eq. 7): on pixels and on shapes."""

    def __init__(self, towers, config):
        self.towers = {name: tower.eval().requires_grad_(False) for name, tower in towers.items()}
        self.config, self.frames = config, config["syncnet"]["frames"]

    def loss(self, composed, shapes, batch):
        """Mean over the clips whose sound is in time; zero when there is none. `shapes` are what MeshJudge saw
        of the mouths."""
        known = batch["in_time"] > 0
        if not known.any():
            return composed.sum() * 0
        sound = self.towers["sync_sound"](spoken(batch["middle_mel"], self.config))
        five = lambda x: x.view(-1, self.frames, *x.shape[1:])
        seen = []
        if "sync_face" in self.towers:
            seen.append(self.towers["sync_face"](mouths(five(composed))))
        if "sync_shape" in self.towers:
            seen.append(self.towers["sync_shape"](five(shapes)))
        return sum(sync_loss(v[known], sound[known]) for v in seen) / len(seen)


def mouths(crops):
    """Crops [B, T, 3, S, S] -> what SyncNet's face tower sees: lower halves at 128, stacked [B, 3 T, 64, 128]."""
    flat = crops.flatten(0, 1)
    if flat.shape[-1] != 128:
        flat = F.interpolate(flat, size=128, mode="area")
    return flat[:, :, 64:].reshape(len(crops), -1, 64, 128)


class Adversary:
    """StyleGAN2's discriminator on composed crops: non-saturating loss, lazy R1."""

    EVERY = 8                                   # steps between penalties

    def __init__(self, judge, rate=5e-4, gamma=1.0):
        self.judge, self.gamma, self.step = judge, gamma, 0
        self.optimiser = torch.optim.Adam(judge.parameters(), lr=rate, betas=(0.0, 0.99))

    def loss(self, made):
        """What the generator pays; the judge gets no gradient."""
        self.judge.requires_grad_(False)
        return F.softplus(-self.judge(made)).mean()

    def learn(self, made, true, average):
        """One step of the judge; `average` means its gradients over processes. Gives its loss."""
        self.judge.requires_grad_(True)
        penalised = self.step % self.EVERY == 0
        true = true.detach().requires_grad_(penalised)
        score = self.judge(true)
        loss = told = F.softplus(-score).mean() + F.softplus(self.judge(made.detach())).mean()
        if penalised:
            gradient, = torch.autograd.grad(score.sum(), true, create_graph=True)
            loss = loss + self.EVERY * 0.5 * self.gamma * gradient.square().sum((1, 2, 3)).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        average(list(self.judge.parameters()))
        self.optimiser.step()
        self.step += 1
        return told
