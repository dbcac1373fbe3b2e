"""The figures that `stylelipsync evaluate --json` gives: reading them, and their labels in tables."""

LABELS = {"ssim": "SSIM", "psnr": "PSNR", "psnr_mask": "PSNR in mask", "lmd": "LMD", "lse_d": "LSE-D", "lse_c": "LSE-C",
          "opening_correlation": "opening r", "opening_amplitude": "opening / real", "jitter_ratio": "jitter / real"}
"""Of Table 3, in its order."""


class Figures(dict):
    """{figure: value}; NaN for a figure that does not apply."""

    def __missing__(self, key):
        return float("nan")


def figures(measured):
    """The Figures of one parsed `evaluate --json`; `<figure>_real` is the real clip's."""
    return Figures({k: float(v) for k, v in measured["metrics"].items() if isinstance(v, (int, float))})
