"""Skull, face and neck as one signed distance field, and the rays cast onto it.

Units are centimetres; x to the right of the picture, y up, z towards the
camera; the pupils are at y = 0.
"""
import numpy as np

RAY_Y = 3.0            # height of the ray centre inside the skull


def ell(P, c, r):
    """Approximate distance [n] of points [n, 3] to an ellipsoid with centre c and radii r."""
    q = P - np.asarray(c, float)
    r = np.asarray(r, float)
    k0 = np.linalg.norm(q / r, axis=-1)
    k1 = np.linalg.norm(q / (r * r), axis=-1) + 1e-9
    return k0 * (k0 - 1) / k1


def cap(P, a, b, ra, rb=None):
    """Distance [n] of points [n, 3] to a capsule from a to b with radii ra and rb."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    rb = ra if rb is None else rb
    d = b - a
    h = np.clip((P - a) @ d / (d @ d), 0, 1)
    return np.linalg.norm(P - a - h[:, None] * d, axis=1) - (ra + (rb - ra) * h)


def smin(a, b, k):
    """Smooth minimum of two distances: blends over a width k."""
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * k * .25


def smax(a, b, k):
    """Smooth maximum of two distances."""
    return -smin(-a, -b, k)


def head_sdf(P, p):
    """Skull, face and neck without lips (these are added as a profile)."""
    Q = P.copy()
    Q[:, 0] = np.abs(Q[:, 0]) / p['face_w']
    jw, nl, nw, ed = p['jaw_w'], p['nose_l'], p['nose_w'], p['eye_d'] / p['face_w']
    d = ell(Q, (0, 3.4, -.8), (7.35, 8.3, 9.5))
    d = smin(d, ell(Q, (0, 3.6, 2.6), (6.2, 6.0, 6.3)), 2.0)             # forehead
    d = smin(d, ell(Q, (0, -3.4, 2.2), (5.9, 7.0, 6.5)), 2.0)            # face mass
    d = smin(d, cap(Q, (5.4, -.4, -.4), (4.75 * jw, -5.5, .9), 1.35, .95), 2.2)    # ramus
    d = smin(d, cap(Q, (4.7 * jw, -5.6, .9), (1.35 * jw, -9.7 - p['chin'], 6.7), 1.2, 1.1), 2.6)
    d = smin(d, ell(Q, (0, -9.2 - p['chin'], 6.9), (1.75 * jw, 1.55, 2.05)), 1.8)   # chin
    d = smin(d, ell(Q, (4.3, -2.0, 5.4), (1.9, 1.35, 2.2 + p['cheek'])), 2.0)    # cheekbone
    d = smin(d, ell(Q, (2.9, -4.7, 6.0), (2.2, 2.4, 2.3)), 1.8)          # cheek
    d = smin(d, ell(Q, (0, -6.4, 6.6), (2.7, 2.5, 2.65)), 1.6)           # muzzle
    d = smin(d, cap(Q, (.9, 1.75, 8.3 + p['brow']), (4.3, 2.0, 6.6), .75, .7), 1.6)  # brow ridge
    d = smax(d, -ell(Q, (ed + .05, -.05, 9.35), (1.75, 1.15, 1.55)), 1.5)     # sockets
    d = smin(d, np.linalg.norm(Q - np.array([ed, 0, 7.0]), axis=1) - 1.36, .55)
    tip = np.array([0, -3.35 - nl, 10.55])
    d = smin(d, cap(Q, (0, .9, 8.35 + p['bridge']), tip, .50, .70 * nw), 1.55)
    d = smin(d, ell(Q, tip + [0, -.05, .1], (.86 * nw, .72, .8)), .6)
    d = smin(d, ell(Q, (1.08 * nw, -3.85 - nl, 9.55), (.68, .62, .86)), .55)
    d = smin(d, ell(Q, (0, -4.25 - nl, 9.9), (.28, .42, .75)), .4)
    d = smax(d, -ell(Q, (.62 * nw, -4.42 - nl, 9.95), (.30, .50, .46)), .35)
    neck = cap(Q, (0, -3, -1.6), (0, -19, -3.6), 5.2, 5.5)
    neck = smin(neck, cap(Q, (5.4, -5.2, -2.4), (1.2, -17.0, 1.4), .6), 1.6)
    neck = smin(neck, ell(Q, (0, -12.2, 2.7), (.9, 1.6, 1.0)), 1.4)
    neck = smin(neck, cap(Q, (0, -15, -3.9), (4.2, -21, -4.2), 5.0), 2.5)
    return smin(d, neck, 2.1)


def cast(O, D, p, rmax=19.0, sdf=head_sdf):
    """Outermost hit of rays O + r D, marched inwards."""
    r = np.full(len(D), float(rmax))
    live = np.arange(len(D))
    for _ in range(70):
        d = sdf(O[live] + r[live, None] * D[live], p)
        r[live] = np.maximum(r[live] - .75 * np.clip(d, -.3, 2.0), .5)
        live = live[np.abs(d) > 2e-4]
        if not len(live):
            break
    return r


def rays(az, pitch, oy):
    """(origins, unit directions), both [n, 3], of rays at angles in radians from the axis at height oy."""
    D = np.stack([np.sin(az) * np.cos(pitch), np.sin(pitch), np.cos(az) * np.cos(pitch)], -1)
    O = np.zeros_like(D)
    O[..., 1] = oy
    return O.reshape(-1, 3), D.reshape(-1, 3)
