"""Grids of triangles with their paint, and the noise that varies it."""
import numpy as np

SKIN, INNER, TEETH, TONGUE, EYE, CLOTH, HAIRCAP = range(7)


def smoothstep(a, b, x):
    """0 at a, 1 at b, with slopes of 0 at both; a may be the larger one."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


class Part:
    """A grid of vertices with its triangles and per-vertex paint."""

    def __init__(self, V, F, mat, albedo, spec=.3, gloss=30., rest=None):
        self.V, self.F, self.mat = np.asarray(V, float), np.asarray(F, np.int32), mat
        n = len(self.V)
        self.albedo = np.broadcast_to(np.asarray(albedo, float), (n, 3)).copy()
        self.spec = np.broadcast_to(np.asarray(spec, float), (n,)).copy()
        self.gloss = np.broadcast_to(np.asarray(gloss, float), (n,)).copy()
        self.rest = self.V.copy() if rest is None else rest
        self.ao = np.ones(n)


def grid_faces(idx):
    """Triangles [n, 3] over a grid [rows, columns] of vertex numbers."""
    a, b, c, d = idx[:-1, :-1], idx[:-1, 1:], idx[1:, 1:], idx[1:, :-1]
    return np.concatenate([np.stack([a, d, c], -1).reshape(-1, 3),
                           np.stack([a, c, b], -1).reshape(-1, 3)])


def noise3(P, seed, scale):
    """Cheap smooth noise in [-1, 1] from a few rotated sines."""
    r = np.random.default_rng(seed)
    out = np.zeros(len(P))
    for _ in range(6):
        w = r.normal(size=3)
        w *= r.uniform(.7, 1.6) / np.linalg.norm(w) / scale
        out += np.sin(P @ w + r.uniform(0, 6.28) + 1.5 * np.sin(P @ w[[1, 2, 0]] * .7))
    return out / 3.2
