"""Losses of the main stage (section 3.4, eq. 6 to 8) and what stands in where no ImageNet network is at hand."""
import torch
import torch.nn.functional as F

from data.pack import SIDE


def slopes(x):
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def weights(hole, lips):
    """Per-pixel weight [B, 1, S, S]: the hole, four times that round the lips."""
    size, middle = hole.shape[-1], lips[:, :40].mean(1)
    grid = (torch.arange(size) + 0.5) / size * 2 - 1
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


class MeshJudge:
    """The frozen mesh predictor as a judge of pictures: features (eq. 6) and where lips and jaw lie.

    Pixel losses shrink the mouth's movement towards its mean; the distance of the points does not.
    """

    def __init__(self, mesh, face, lips, config):
        self.mesh, self.face = mesh.eval().requires_grad_(False), face
        self.lips = torch.as_tensor(lips, dtype=torch.long)
        self.mouth = config["mouth"]
        size, margin = config["mesh"]["size"], config["mesh"]["margin"]
        self.size = round(size / margin / 2) * 2
        self.pad = (size - self.size) // 2
        self.unit = size / self.size              # from the mesh predictor's crop to ours

    def look(self, image):
        """Images [B, 3, S, S] -> (maps of the first stages, lip points [B, P, 2] in [-1, 1], shapes [B, mouth])."""
        x = image if image.shape[-1] == self.size else F.interpolate(image, size=self.size, mode="area")
        x = F.pad(x, (self.pad,) * 4, mode="replicate")
        maps, out = self.mesh.look(x)
        return maps[:3], self.face.points(out)[:, self.lips] * self.unit, out[1][:, :self.mouth]

    def compare(self, made, true):
        """(perceptual, landmark) distance of what `look` gave of two pictures."""
        distance = sum((a - b).abs().mean() / (b.abs().mean() + 1e-3) for a, b in zip(made[0], true[0]))
        return distance / len(made[0]), (made[1] - true[1]).abs().mean()
