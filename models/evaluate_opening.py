"""Lip opening of rendered clips against the truth, by the teacher (MediaPipe), independent of our own networks.

    stylelipsync render --video clip.mp4 --audio clip.mp4 --out rendered/clip.mp4     (for each clip)
    python -m data.landmarks --data rendered --out rendered-landmarks
    python evaluate_opening.py --truth landmarks --made rendered-landmarks

For each clip: Pearson correlation of the inner-lip opening (landmarks 13, 14, over the distance of
the outer eye corners) at lag 0, the lag of the highest correlation (in frames, + = rendered late),
its value, and the spread of the rendered opening over the true one.
"""
import argparse
from pathlib import Path

import numpy as np


def opening(path):
    """(lip opening [T] over the eye distance, valid [T]) of a file of landmarks."""
    with np.load(path) as file:
        points, valid = file["points"], file["valid"]
    eyes = np.linalg.norm(points[:, 33] - points[:, 263], axis=1)
    return np.linalg.norm(points[:, 13] - points[:, 14], axis=1) / np.maximum(eyes, 1e-6), valid


def correlation(a, b):
    """Pearson's correlation, NaN where there is too little to tell."""
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 10 and a.std() > 1e-9 and b.std() > 1e-9 else float("nan")


def compare(truth, made, reach=7):
    """(correlation at lag 0, best lag, correlation there, spread, frames) of two outputs of `opening`."""
    (a, a_valid), (b, b_valid) = truth, made
    count = min(len(a), len(b))
    a, b, valid = a[:count], b[:count], a_valid[:count] & b_valid[:count]
    scores = {}
    for lag in range(-reach, reach + 1):
        x, y = a[max(0, -lag): count - max(0, lag)], b[max(0, lag): count - max(0, -lag)]
        keep = valid[max(0, -lag): count - max(0, lag)] & valid[max(0, lag): count - max(0, -lag)]
        scores[lag] = correlation(x[keep], y[keep])
    best = max(scores, key=lambda k: -2 if np.isnan(scores[k]) else scores[k])
    return scores[0], best, scores[best], float(b[valid].std() / max(a[valid].std(), 1e-9)), int(valid.sum())


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--made", type=Path, required=True)
    arguments = parser.parse_args()
    rows = []
    for path in sorted(arguments.made.glob("*.npz")):
        truth = arguments.truth / path.name
        if truth.exists():
            rows.append((path.stem, *compare(opening(truth), opening(path))))
    print(f"{'clip':58} {'r(0)':>6} {'lag':>4} {'r(lag)':>7} {'spread':>7} {'frames':>7}")
    for name, zero, lag, best, spread, frames in rows:
        print(f"{name[:58]:58} {zero:6.2f} {lag:4d} {best:7.2f} {spread:7.2f} {frames:7d}")
    for label, group in (("grid", [r for r in rows if "grid" in r[0] or "LipNet" in r[0]]),
                         ("others", [r for r in rows if not ("grid" in r[0] or "LipNet" in r[0])])):
        if group:
            print(f"median of {len(group)} {label}: r(0) {np.nanmedian([r[1] for r in group]):.3f}, "
                  f"lag {np.median([r[2] for r in group]):.0f}, spread {np.median([r[4] for r in group]):.2f}")


if __name__ == "__main__":
    main()
