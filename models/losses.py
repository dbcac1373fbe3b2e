"""Losses of the main stage (section 3.4, eq. 6 to 8); the mesh predictor replaces the ImageNet network of eq. 6."""
import numpy as np
import torch
import torch.nn.functional as F

from networks.syncnet import sync_loss


def slopes(x):
    """Differences of neighbouring pixels of [.., H, W], across and down."""
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def weights(mask, lips):
    """Weight of each pixel [B, 1, S, S]: 1 in the mask, up to 4 near the lips [B, P, 2], 0.05 elsewhere."""
    size, middle = mask.shape[-1], lips[:, :40].mean(1)
    grid = (torch.arange(size, device=mask.device) + 0.5) / size * 2 - 1
    near = (torch.exp(-((grid - middle[:, :1]) / 0.35) ** 2)[:, None, :]
            * torch.exp(-((grid - middle[:, 1:]) / 0.3) ** 2)[:, :, None])
    return mask * (1 + 3 * near[:, None]) + 0.05


def picture(image, target, weight):
    """Weighted L1 of pixels and of their differences, which keep lips and teeth sharp."""
    total = weight.sum() * 3
    loss = (weight * (image - target).abs()).sum() / total
    for made, true, axis in zip(slopes(image), slopes(target), (3, 2)):
        w = weight.narrow(axis, 1, weight.shape[axis] - 1)
        loss = loss + (w * (made - true).abs()).sum() / total
    return loss


def blended(image, target, weight, fine):
    """A share `fine` of `picture` at full size, the rest at a quarter of it. The exact place of skin texture cannot be
    predicted, and a full-size pixel loss on it is least for a blur."""
    if fine == 1:
        return picture(image, target, weight)
    coarse = lambda x: F.avg_pool2d(x, 4)
    return fine * picture(image, target, weight) + (1 - fine) * picture(coarse(image), coarse(target), coarse(weight))


def texture(image, target, mask, window=8):
    """Mean difference of gradient strength over windows of pixels, inside the mask: the texture of skin and beard at
    any place. Without it the output is smooth."""
    def rough(x):
        across, down = slopes(x)
        strength = (across[:, :, 1:].square() + down[..., 1:].square() + 1e-6).sqrt().mean(1, keepdim=True)
        return F.avg_pool2d(strength, window, window // 2)
    inside = F.avg_pool2d(mask[:, :, 1:, 1:], window, window // 2)
    return (inside * (rough(image) - rough(target)).abs()).sum() / (inside.sum() + 1e-6)


class MeshJudge:
    """The frozen mesh predictor as a judge of pictures: its features (eq. 6), and its points of lips and jaw.

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
        """[outer, size]: resamples our crop to the mesh predictor's along one axis, by means over areas, its edge
        repeated around it. A matrix, so that the gradient needs no operator of its own."""
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
        """(perceptual, landmark) distance of two outputs of `look`."""
        distance = sum((a - b).abs().mean() / (b.abs().mean() + 1e-3) for a, b in zip(made[0], true[0]))
        return distance / len(made[0]), (made[1] - true[1]).abs().mean()


class SyncJudge:
    """The frozen SyncNet as a judge of five frames with their audio (eq. 7): on pixels and on shapes."""

    def __init__(self, towers, config):
        self.towers = {name: tower.eval().requires_grad_(False) for name, tower in towers.items()}
        self.frames = config["syncnet"]["frames"]

    def loss(self, composed, shapes, batch):
        """Mean over the clips in sync, else 0. `composed` [N, 3, S, S]; `shapes` [N, mouth], by MeshJudge."""
        known = batch["in_time"] > 0
        if not known.any():
            return composed.sum() * 0
        sound = self.towers["sync_sound"](batch["spoken"])
        five = lambda x: x.view(-1, self.frames, *x.shape[1:])
        seen = []
        if "sync_face" in self.towers:
            seen.append(self.towers["sync_face"](mouths(five(composed))))
        if "sync_shape" in self.towers:
            seen.append(self.towers["sync_shape"](five(shapes)))
        return sum(sync_loss(v[known], sound[known]) for v in seen) / len(seen)


def mouths(crops):
    """Crops [B, T, 3, S, S] -> the input of SyncNet's face tower: lower halves at 128, stacked [B, 3 T, 64, 128]."""
    flat = crops.flatten(0, 1)
    if flat.shape[-1] != 128:
        flat = F.interpolate(flat, size=128, mode="area")
    return flat[:, :, 64:].reshape(len(crops), -1, 64, 128)


def mouth_patches(images, lips, side):
    """Squares [B, 3, side, side] of images [B, 3, S, S] around the centres of lip points [B, P, 2] in [-1, 1]. Whole
    pixels, because resampling would smooth them."""
    size = images.shape[-1]
    corners = ((lips.mean(1) + 1) * size / 2 - side / 2).round().long().clamp(0, size - side)
    return torch.stack([image[:, y: y + side, x: x + side] for image, (x, y) in zip(images, corners.tolist())])


class Adversary:
    """A discriminator of mouth patches, hinge loss, with the distance of its features (of each layer but the last)."""

    SIDE = 3 / 8                                # of a patch, in sizes of the crop: the whole mouth
    FEATURES = 10                               # weight of the features

    def __init__(self, judge, rate=4e-4):
        self.judge = judge
        self.optimiser = torch.optim.Adam(judge.parameters(), lr=rate, betas=(0.0, 0.99))

    def patches(self, images, lips):
        """What the discriminator sees of crops."""
        return mouth_patches(images, lips, round(images.shape[-1] * self.SIDE))

    def loss(self, made, true, lips):
        """The generator's loss on composed crops [N, 3, S, S]; the discriminator gets no gradient."""
        self.judge.requires_grad_(False)
        made = self.judge(self.patches(made, lips))
        with torch.no_grad():
            true = self.judge(self.patches(true, lips))
        features = sum((a - b).abs().mean() / (b.abs().mean() + 1e-3) for a, b in zip(made[:-1], true[:-1]))
        return self.FEATURES * features / (len(made) - 1) - made[-1].mean()

    def train(self, made, true, lips, average):
        """One step of the discriminator; `average` averages the gradients of parameters over processes. Gives its
        loss: 2 where it cannot tell real from generated patches."""
        self.judge.requires_grad_(True)
        loss = (F.relu(1 - self.judge(self.patches(true, lips))[-1]).mean()
                + F.relu(1 + self.judge(self.patches(made.detach(), lips))[-1]).mean())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        average(list(self.judge.parameters()))
        self.optimiser.step()
        return loss
