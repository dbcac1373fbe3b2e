"""Colour, shine and shade of the skin, and where the hair begins."""
import numpy as np
from scipy.interpolate import PchipInterpolator

from mesh import noise3, smoothstep


def hairline(head, azd):
    """Height of the hairline at azimuths in degrees."""
    a = np.abs(azd)
    if head.p['style'] == 'long':
        return np.interp(a, [0, 25, 45, 60, 72, 90, 180], [6.6, 6.3, 4.6, 1.5, -1.5, -3.0, -7.5])
    return PchipInterpolator([0, 20, 38, 50, 60, 69, 77, 84, 92, 104, 120, 181],
                             [6.5, 6.6, 6.2, 4.6, 2.6, 1.2, -1.4, .2, 1.6, -2.4, -5.0, -6.6])(a)


def paint(head):
    """Gives the skin of a head its colour, mirror part and occlusion, and `scalp`, the weight of hair [V]."""
    p, V = head.p, head.skinV
    x, y, z = V.T
    base = p['skin']
    col = np.broadcast_to(base, (len(V), 3)).copy()
    n1, n2 = noise3(V, 11, 1.6), noise3(V, 12, .35)
    col *= (1 + .035 * n1 + .03 * n2)[:, None]
    red = .75 * np.exp(-((np.abs(x) - 3.7) / 1.9) ** 2 - ((y + 3.3) / 1.7) ** 2) \
        + .75 * np.exp(-(x / 1.2) ** 2 - ((y + 3.5) / 1.0) ** 2) \
        + .30 * np.exp(-(x / 1.8) ** 2 - ((y + 9.6) / 1.0) ** 2) \
        + .25 * np.exp(-((np.abs(x) - 1.5) / .4) ** 2 - ((y + 4.1) / .5) ** 2)
    red = np.clip(red * (1 + .25 * n1) * head.front + .06 * n2, 0, 1.2)
    col *= 1 - red[:, None] * np.array([.0, .25, .24])
    for k in (0, 1):
        c = head.eyes[k]
        rr = np.hypot((x - c[0]) / 1.7, (y - c[1] - .05) / 1.05)
        ring = np.exp(-(rr / 1.0) ** 4) * head.front
        col *= 1 - ring[:, None] * np.array([.10, .20, .17])
        bag = np.exp(-((x - c[0] * .93) / 1.2) ** 2 - ((y + 1.35) / .4) ** 2) * head.front
        col *= 1 - bag[:, None] * np.array([.07, .10, .07])
    beard = p['stubble'] * smoothstep(-3.6, -5.2, y + .25 * np.maximum(np.abs(x) - 2.6, 0) * -1) * head.front \
        * smoothstep(-13.0, -11.0, y) * (1 - .75 * np.exp(-((np.abs(x) - 2.6) / 1.1) ** 2 - ((y + 4.6) / 1.2) ** 2))
    beard = beard * (1 - head.lipmask)
    col *= 1 - .30 * (beard * (1 + .3 * noise3(V, 15, .12)))[:, None] * np.array([1.0, .92, .84])
    lm = (head.lipmask * (.90 + .10 * n2))[:, None]
    lines = 1 + .07 * np.sin(x * 26 + 2 * np.sin(x * 7 + y * 3)) * head.lipmask
    lip = base * np.array([.86, .50, .52]) * lines[:, None] * (1 - .12 * (~head.lower))[:, None]
    col = col * (1 - lm) + lip * lm
    azd = np.degrees(np.arctan2(x, z))
    hl = hairline(head, azd)
    head.scalp = smoothstep(-.35, .55, y - hl + .35 * n2 + .2 * n1) * (z < 30) * (y > -9)
    sc = head.scalp[:, None]
    col = col * (1 - .93 * sc) + (p['hair'] * .7 + .02 * base) * .93 * sc
    head.col = np.clip(col, .003, .95)
    lms = head.lipmask
    sheen = .20 * np.exp(-(x / 1.6) ** 2 - ((y + 1.5) / 5) ** 2) * head.front
    head.spec = (.30 + sheen + .35 * lms) * (1 - .9 * head.scalp)
    head.gloss = 16 + 6 * head.front + 26 * lms
    ao = np.ones(len(V))
    nl, nw = p['nose_l'], p['nose_w']
    for s in (-1, 1):
        dn = np.sqrt(((x - s * .62 * nw) / .36) ** 2 + ((y + 4.33 + nl) / .42) ** 2 + ((z - 9.9) / .55) ** 2)
        ao *= 1 - .93 * smoothstep(1.15, .5, dn)
    ao *= 1 - .28 * np.exp(-((np.abs(x) - head.hw) / .25) ** 2 - (head.t / .22) ** 2) * head.front
    ao *= 1 - .45 * np.exp(-(head.t / .09) ** 2) * (np.abs(head.s) < 1) * head.front
    ao *= 1 - .5 * smoothstep(-10.5, -14, y) * smoothstep(-2, 3, z) * .55
    head.ao = ao
