"""Frechet distance between sets of pictures on features of our own mesh predictor.

It is not FID: no ImageNet network, other features, fewer pictures. Its figures compare runs of this project at one
size and with one mesh checkpoint, and cannot be compared with an FID.
"""
import torch
import torch.nn.functional as F


class MeshFeatures:
    """Pictures [B, 3, S, S] in [-1, 1] -> [B, F]: spatial means of every stage's map of the frozen mesh predictor."""

    def __init__(self, mesh, config):
        self.mesh = mesh.eval().requires_grad_(False)
        size = config["mesh"]["size"]
        self.inner = round(size / config["mesh"]["margin"] / 2) * 2
        self.pad = (size - self.inner) // 2

    @torch.no_grad()
    def __call__(self, pictures):
        """Crops [N, 3, S, S] in [-1, 1] -> features [N, F]."""
        x = F.interpolate(pictures.clamp(-1, 1), size=self.inner, mode="bilinear", align_corners=False,
                          antialias=pictures.shape[-1] > self.inner)
        maps, _ = self.mesh.look(F.pad(x, (self.pad,) * 4, mode="replicate"))
        return torch.cat([m.mean((2, 3)) for m in maps], 1)


def moments(features):
    """(mean [F], covariance [F, F]) of features [N, F]."""
    x = features.double()
    return x.mean(0), torch.cov(x.t())


def root(matrix):
    """The square root of a symmetric matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=0).sqrt() @ vectors.t()


def frechet(one, two):
    """Squared Frechet distance of the Gaussians fitted to features [N, F] and [M, F], a number >= 0."""
    (mean_a, cov_a), (mean_b, cov_b) = moments(one), moments(two)
    half = root(cov_a)
    cross = torch.linalg.eigvalsh(half @ cov_b @ half).clamp(min=0).sqrt().sum()
    return max(float((mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross), 0.0)


def distances(made, held_out, seen):
    """Distances to held-out pictures, of samples and of training pictures, on features scaled to the held-out
    ones' deviation. The second is the distance of real pictures of other people, a lower bound for samples."""
    scale = held_out.std(0)
    scale = scale.clamp(min=0.1 * float(scale.mean()))       # some channels are constant on faces
    made, held_out, seen = made / scale, held_out / scale, seen / scale
    return {"samples to held-out": frechet(made, held_out), "training crops to held-out": frechet(seen, held_out),
            "samples to training crops": frechet(made, seen)}
