"""Our own linear face model, fitted to the teacher's pose-normalised meshes.

    vertices = mean + identity . alpha + expression . delta          (model units)
    pixel    = scale * (R vertices)_xy + t                           (weak perspective)

x points right, y down, z away from the camera; one unit is the distance between the outer eye
corners of the mean face. `alpha` (a person, at rest) comes from the median mesh of a clip, `delta`
in R^64 (paper, section 3.1) from a frame's difference to it. The first MOUTH entries of delta move
the lower face only, so that other speech replaces them without touching eyes and brows. Bases are
scaled to coefficients of unit variance.

    python -m data.face_model --landmarks DIR --out face_model.npz --fits fits.npz
"""
import argparse
from pathlib import Path

import numpy as np

IDENTITY, EXPRESSION, MOUTH = 32, 64, 40
FEWEST = 40                         # clips that a model can be fitted to
EYES = (33, 263)                    # outer corners
INNER_LIPS = (13, 14)               # upper, lower, at the middle

# The contour of the lower frontal face: the jaw from ear to ear, then back under the nose.
RING = [361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132,
        147, 187, 205, 203, 98, 2, 327, 423, 425, 411, 376]
OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
INSIDE_LIPS = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
JAW = [397, 379, 400, 152, 176, 150, 172]
LIPS = OUTER_LIPS + INSIDE_LIPS + JAW


def rigid(source, target, weight):
    """Batched weighted similarity: scale [N], R [N,3,3], t [N,3] with target ~ scale R source + t."""
    weight = weight / weight.sum()
    source_mean = np.einsum("v,...vc->...c", weight, source)
    target_mean = np.einsum("v,...vc->...c", weight, target)
    a, b = source - source_mean[..., None, :], target - target_mean[..., None, :]
    covariance = np.einsum("v,...vi,...vj->...ij", weight, b, a)
    u, s, vt = np.linalg.svd(covariance)
    sign = np.ones(s.shape)
    sign[..., -1] = np.sign(np.linalg.det(u @ vt))
    rotation = np.einsum("...ij,...j,...jk->...ik", u, sign, vt)
    variance = np.einsum("v,...vc->...", weight, a ** 2)
    scale = (s * sign).sum(-1) / np.broadcast_to(variance, s.shape[:-1])
    shift = target_mean - scale[..., None] * np.einsum("...ij,...j->...i", rotation,
                                                      np.broadcast_to(source_mean, target_mean.shape))
    return scale, rotation, shift


def normalise(points, scale, rotation, shift):
    """Takes posed points back to model space."""
    return np.einsum("nji,nvj->nvi", rotation, points - shift[:, None]) / scale[:, None, None]


def lower_face(mean):
    """[V] weight 0..1: 1 on mouth and jaw, 0 from the nose's wings up, smooth in between."""
    top, bottom = mean[1, 1], mean[2, 1] + 0.35 * (mean[13, 1] - mean[2, 1])   # nose tip, under it
    ramp = np.clip((mean[:, 1] - top) / (bottom - top), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def principal(rows, count):
    """Principal directions of [N, D] rows, scaled to unit variance: [count, D]."""
    rows = rows.astype(np.float32)
    if len(rows) < rows.shape[1]:
        _, s, vt = np.linalg.svd(rows, full_matrices=False)
        variance, directions = s ** 2, vt
    else:
        variance, directions = np.linalg.eigh(rows.T @ rows)
        variance, directions = variance[::-1], directions.T[::-1]
    return directions[:count] * np.sqrt(np.maximum(variance[:count, None], 0) / len(rows))


def project(basis, rows, damp):
    """Ridge coefficients of [N, D] rows in a basis [K, D]."""
    gram = basis @ basis.T
    return np.linalg.solve(gram + damp * np.eye(len(basis)), basis @ rows.T).T.astype(np.float32)


def load(folder, names=None):
    """(name, points [N, V, 3], frames [N]) of every clip with a face, or of those named."""
    clips = []
    for path in sorted(Path(folder).glob("*.npz")):
        if names is not None and path.stem not in names:
            continue
        with np.load(path) as file:
            points, valid = file["points"], file["valid"]
        if valid.any():
            clips.append((path.stem, points[valid].astype(np.float32), np.nonzero(valid)[0]))
    return clips


def fit_mean(clips, weight, rounds=4):
    """Generalised Procrustes over a few frames of each clip."""
    sample = np.concatenate([points[:: max(1, len(points) // 6)][:6] for _, points, _ in clips])
    mean = sample[0] - sample[0].mean(0)
    for _ in range(rounds):
        mean = mean / np.linalg.norm(mean[EYES[0]] - mean[EYES[1]])
        mean = normalise(sample, *rigid(mean, sample, weight)).mean(0)
        mean = level(mean)
    return mean / np.linalg.norm(mean[EYES[0]] - mean[EYES[1]])


def turn(points, first, second, angle):
    """Turns points [V, 3] by an angle in the plane of two axes, in place."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = points[:, first].copy(), points[:, second].copy()
    points[:, first], points[:, second] = c * x - s * y, s * x + c * y


def level(mean):
    """Centres the mean and turns it to look straight out: eyes level and equally far, brow above chin."""
    mean = mean - mean.mean(0)
    for _ in range(3):
        across = mean[EYES[1]] - mean[EYES[0]]
        turn(mean, 0, 1, -np.arctan2(across[1], across[0]))
        across = mean[EYES[1]] - mean[EYES[0]]
        turn(mean, 0, 2, -np.arctan2(across[2], across[0]))
        down = mean[152] - mean[10]
        turn(mean, 1, 2, -np.arctan2(down[2], down[1]))
    mean[:, 0] -= (mean[EYES[0], 0] + mean[EYES[1], 0]) / 2
    return mean


def fit(clips):
    """Fits the model to `load`'s clips: (arrays for `np.savez`, a line with the quality of the fit).
    ValueError if there are too few clips for the identities."""
    if len(clips) < FEWEST:
        raise ValueError(f"{len(clips)} clips with a face are too few to fit a face model to "
                         f"({IDENTITY} identity coefficients need at least {FEWEST} clips)")
    vertices = clips[0][1].shape[1]
    mean = fit_mean(clips, np.ones(vertices))
    mouth = lower_face(mean)
    still = (1 - mouth) + 0.02                       # the pose is fitted to the upper face
    mean = fit_mean(clips, still)
    mouth = lower_face(mean)

    rest, deviations, opening = [], [], []
    for _, points, _ in clips:
        mesh = normalise(points, *rigid(mean, points, still))
        median = np.median(mesh, 0)
        rest.append(median)
        if len(mesh) > 20:
            keep = mesh[:: max(1, len(mesh) // 60)]
            deviations.append(keep - median)
            opening.append(np.linalg.norm(keep[:, INNER_LIPS[0]] - keep[:, INNER_LIPS[1]], axis=-1))
    rest, deviations, opening = np.stack(rest), np.concatenate(deviations), np.concatenate(opening)

    mean = rest.mean(0)
    identity = principal((rest - mean).reshape(len(rest), -1), IDENTITY)
    lower = (deviations * mouth[:, None]).reshape(len(deviations), -1)
    upper = (deviations * (1 - mouth)[:, None]).reshape(len(deviations), -1)
    expression = np.concatenate([principal(lower, MOUTH), principal(upper, EXPRESSION - MOUTH)])
    delta = project(expression, deviations.reshape(len(deviations), -1), 1e-4)
    delta[:, MOUTH:] = 0
    order = np.argsort(opening)
    error = (deviations.reshape(len(deviations), -1) - delta @ expression)
    left = np.linalg.norm(error.reshape(-1, vertices, 3)[:, LIPS], axis=-1).mean()
    model = dict(
        mean=mean, identity=identity.reshape(IDENTITY, vertices, 3),
        expression=expression.reshape(EXPRESSION, vertices, 3), still=still,
        open=delta[order[-len(order) // 40:]].mean(0), closed=delta[order[: len(order) // 10]].mean(0),
        ring=np.asarray(RING, np.int32), lips=np.asarray(LIPS, np.int32))
    return model, (f"{len(clips)} clips, {len(deviations)} frames; lips off by {left:.4f} eye distances; "
                   f"opening {opening.min():.3f}..{opening.max():.3f}")


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--landmarks", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model, quality = fit(load(arguments.landmarks))
    np.savez(arguments.out, **model)
    print(quality)


if __name__ == "__main__":
    main()
