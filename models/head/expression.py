"""The lips at rest, and how far every vertex of the skin follows each muscle."""
import numpy as np
from scipy.interpolate import PchipInterpolator

from mesh import smoothstep


def expressions(head):
    """Rest lips, masks and the displacement fields of the expressions."""
    p, V = head.p, head.skinV
    hw = head.hw
    x, y, z = V.T
    R, a, b, up, dn = head.edges[0]
    isdup = np.arange(len(V)) >= head.nr * head.nc
    row = np.full(len(V), -1)
    row[:head.nr * head.nc] = np.repeat(np.arange(head.nr), head.nc)
    lower = row > R                                    # strictly below the mouth row
    lower[dn] = True
    lower[up[[0, -1]]] = False
    lowset = np.zeros(len(V), bool)
    lowset[dn[1:-1]] = True
    for e in head.edges[1:]:
        lower[e[4]] = False
    lower |= lowset
    s = x / hw
    t = y - head.mouth_line(x)
    front = smoothstep(3.0, 5.5, z)
    # lip profile: displacement along the outward normal of the muzzle
    w = np.clip(1 - np.abs(s) ** 2.6, 0, 1) ** .8 * front
    bow = .16 * np.exp(-((np.abs(s) - .17) / .13) ** 2) - .09 * np.exp(-(s / .07) ** 2)
    hu = (p['lip_u'] * np.clip(1 - np.abs(s) ** 2.0, .02, 1) ** .8 + bow * .8)
    hl = p['lip_l'] * np.clip(1 - np.abs(s) ** 2.4, .02, 1) ** .75
    head.hu, head.hl = hu, hl
    pu = PchipInterpolator([0, .12, .45, .92, 1.08, 1.6, 2.8, 9], [-.16, .03, .27, .26, .20, .05, 0, 0])
    pl = PchipInterpolator([0, .10, .42, .80, 1.05, 1.5, 2.4, 9], [-.18, .04, .38, .26, .06, -.14, 0, 0])
    qu, ql = np.clip(t / hu, 0, 8.9), np.clip(-t / hl, 0, 8.9)
    d = np.where(lower, pl(ql), pu(qu)) * w
    phil = -.10 * np.exp(-(x / .28) ** 2) * smoothstep(.05, .5, t - hu) * smoothstep(2.2, 1.2, t) * ~lower
    nl_fold = nasolabial(x, y) * front
    ang = np.arctan2(x, 6.0)
    nrm = np.stack([np.sin(ang), np.zeros_like(x), np.cos(ang)], -1)
    V += nrm * (d + phil - .10 * nl_fold)[:, None]
    # corner dimple
    V[:, 2] -= .16 * np.exp(-((np.abs(x) - hw) / .35) ** 2 - (t / .35) ** 2) * front
    head.lipmask = np.where(lower, smoothstep(1.06, .90, ql), smoothstep(1.05, .93, qu)) \
        * (np.abs(s) < 1.0) * front * smoothstep(1.0, .93, np.abs(s))
    head.s, head.t, head.lower, head.front = s, t, lower, front
    x, y, z = V.T

    # --- jaw weight
    wl_up = .40 * np.clip(np.abs(s), 0, 1) ** 2.6
    wl_lo = 1 - .60 * np.clip(np.abs(s), 0, 1) ** 2.6
    wj = smoothstep(-.5, 4.5, z - .25 * (y + 8)) * smoothstep(-13.2, -10.4, y + .10 * (z - 6))
    lat = smoothstep(7.2, 3.2, np.abs(x))
    above = wl_up * smoothstep(4.2, 0, t) * lat * front
    below = wl_lo * lat + (wj - wl_lo * lat) * smoothstep(0, 2.2, -t)
    head.wjaw = np.where(lower, below * smoothstep(-1, 3, z), above)

    # --- linear fields
    g = np.clip(np.abs(s), 0, 1)
    out = np.maximum(np.abs(x) - hw, 0)
    ft = np.exp(-(t / 1.9) ** 2) * front
    S = np.sign(x)
    core = np.clip(1 - s * s, 0, 1)
    up, lo = (~lower).astype(float), lower.astype(float)
    Z = np.zeros_like(x)
    f = {}
    e1 = np.exp(-(out / 2.0) ** 2) * ft
    f['wide'] = np.stack([S * .50 * g * e1, -.10 * np.sign(t) * core * np.exp(-(t / .9) ** 2) * ft, -.28 * g ** 2 * e1], -1)
    f['smile'] = np.stack([S * .38 * g * e1, .42 * g ** 2 * e1 + .18 * np.exp(-((np.abs(x) - 3.6) / 1.6) ** 2 - ((y + 3.0) / 1.6) ** 2) * front,
                           -.22 * g ** 2 * e1 + .14 * np.exp(-((np.abs(x) - 3.6) / 1.5) ** 2 - ((y + 3.0) / 1.5) ** 2) * front], -1)
    e2 = np.exp(-(out / 1.7) ** 2) * np.exp(-(t / 1.7) ** 2) * front
    b2 = np.exp(-(x / 2.5) ** 2) * np.exp(-(t / 1.5) ** 2) * front
    f['pucker'] = np.stack([-.40 * S * np.minimum(np.abs(x), hw) * e2, .05 * np.sign(t) * b2, .62 * b2], -1)
    cu = core ** .8
    f['upper'] = np.stack([Z, up * .42 * cu * np.exp(-(np.maximum(t, 0) / 1.7) ** 2) * front,
                           up * .10 * cu * np.exp(-(t / .9) ** 2) * front], -1)
    f['lower'] = np.stack([Z, -lo * .45 * cu * np.exp(-(t / 1.3) ** 2) * front,
                           lo * .06 * cu * np.exp(-(t / .9) ** 2) * front], -1)
    ff = lo * core ** .6 * np.exp(-(t / .75) ** 2) * front
    f['fv'] = np.stack([Z, .34 * ff, -.42 * ff], -1)
    fp = core ** .6 * np.exp(-(t / .6) ** 2) * front
    f['press'] = np.stack([Z, -.10 * np.sign(t) * fp * np.minimum(np.abs(t) / .35, 1), -.16 * fp], -1)
    f['chin'] = np.stack([Z, .20 * lo * np.exp(-(x / 2.2) ** 2 - ((t + 1.6) / 1.2) ** 2) * front, Z], -1)
    br = np.exp(-((y - 2.0) / 1.9) ** 2) * smoothstep(4.5, 7.0, z) * smoothstep(-.2, 1.5, y)
    f['brow'] = np.stack([Z, .55 * br * np.exp(-((np.abs(x) - 2.9) / 2.6) ** 2), .05 * br], -1)
    f['brow_in'] = np.stack([-S * .10 * br * np.exp(-((np.abs(x) - 1.4) / 1.0) ** 2), .32 * br * np.exp(-((np.abs(x) - 1.5) / 1.3) ** 2), Z], -1)
    f['puff'] = .25 * nrm * (np.exp(-((np.abs(x) - 3.3) / 1.3) ** 2 - ((y + 6.3) / 1.8) ** 2) * front)[:, None]
    head.fields = f
    # weights used to close the lips: how far a lip vertex follows its edge
    head.seal_w = np.exp(-(t / 1.0) ** 2) * (np.abs(s) < 1.02) * front
    col = np.full(len(V), -1)
    col[:head.nr * head.nc] = np.tile(np.arange(head.nc), head.nr)
    col[head.edges[0][4]] = np.arange(a, b + 1)
    head.seal_idx = np.where((col >= a) & (col <= b) & (head.seal_w > .02))[0]
    head.seal_col = col[head.seal_idx] - a

    # --- eyelids: rotation about the eyeball
    head.lids = []
    for k in (0, 1):
        R2, a2, b2, up2, dn2 = head.edges[1 + k]
        c = head.eyes[k]
        yl, fx, u = head.lid_line(x, k)
        dd = V - c
        rad = np.hypot(dd[:, 1], dd[:, 2])
        al = np.arctan2(dd[:, 1], dd[:, 2])
        als = np.arctan2(yl - c[1], np.sqrt(np.maximum(1.36 ** 2 - (x - c[0]) ** 2, .2)))
        lowlid = (row > R2)
        m0 = np.zeros(len(V), bool)
        m0[dn2[1:-1]] = True
        lowlid |= m0
        near = np.exp(-(np.maximum(np.linalg.norm(dd, axis=1) - 1.42, 0) / .75) ** 2)
        d_al = np.abs(al - als)
        # vertical almond profile: quick rise at the inner corner
        alm = np.clip(fx, 0, 1) ** .62
        wu = alm * np.clip(1 - d_al / np.radians(62), 0, 1) ** 1.5 * near
        wd = alm * np.clip(1 - d_al / np.radians(48), 0, 1) ** 1.5 * near
        ok = (np.abs(u) < 1.001) & (z > 5)
        for e in head.edges[1 + (1 - k)][3:]:
            ok[e] = False
        sel = np.where(ok & ((np.where(lowlid, wd, wu)) > 1e-3))[0]
        head.lids.append((k, sel, lowlid[sel], np.where(lowlid, wd, wu)[sel]))
        # keep the closed lids outside the eyeball
        rr = np.linalg.norm(dd, axis=1)
        fix = (np.abs(u) < 1.15) & (np.abs(dd[:, 1]) < 1.1) & (rr < 1.33) & (z > 5)
        V[fix] = c + dd[fix] / rr[fix][:, None] * 1.33
    head.row = row


def nasolabial(x, y):
    """Fold from the nose wing to beside the mouth corner."""
    yy = np.clip(y, -7.2, -3.8)
    xc = 1.75 + (-3.8 - yy) * .46
    return np.exp(-((np.abs(x) - xc) / .28) ** 2) * smoothstep(-7.4, -6.0, y) * smoothstep(-3.4, -4.4, y)
