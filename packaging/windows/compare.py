#!/usr/bin/env python3
"""Compares two folders of PNG images within the tolerance of tests/golden_frame.rs; needs ffmpeg."""

import pathlib
import subprocess
import sys

MEAN, LARGEST = 0.5, 8


def pixels(path):
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def main():
    one, other = map(pathlib.Path, sys.argv[1:])
    names = sorted(file.name for file in one.glob("*.png"))
    if not names or names != sorted(file.name for file in other.glob("*.png")):
        sys.exit(f"{one} and {other} do not have the same images")
    equal, worst_mean, worst = 0, 0.0, 0
    for name in names:
        if (one / name).read_bytes() == (other / name).read_bytes():
            equal += 1
            continue
        a, b = pixels(one / name), pixels(other / name)
        if len(a) != len(b):
            sys.exit(f"{name}: not of one size")
        apart = [abs(x - y) for x, y in zip(a, b) if x != y]
        # The golden test's mean is of a box around the mouth, a 32nd of the frame.
        worst_mean = max(worst_mean, sum(apart) / (len(a) / 32))
        worst = max(worst, max(apart, default=0))
    print(
        f"note: {equal} of {len(names)} frames are equal to the byte; "
        f"the others differ by at most {worst} levels, {worst_mean:.4f} on average"
    )
    sys.exit(0 if worst <= LARGEST and worst_mean <= MEAN else 1)


if __name__ == "__main__":
    main()
