"""The lips at rest, and how far every vertex of the skin follows each muscle."""
import numpy as np
from scipy.interpolate import PchipInterpolator

from mesh import smoothstep


def expressions(head):
    """Gives a head its rest lips, masks and the displacement fields of the expressions."""
    R, a, b, up, dn = head.edges[0]
    row = np.full(len(head.skinV), -1)
    row[:head.nr * head.nc] = np.repeat(np.arange(head.nr), head.nc)
    lower = row > R                                    # strictly below the mouth row
    lower[dn] = True
    lower[up[[0, -1]]] = False
    lowset = np.zeros(len(head.skinV), bool)
    lowset[dn[1:-1]] = True
    for e in head.edges[1:]:
        lower[e[4]] = False
    head.lower = lower | lowset
    normal = rest_lips(head)
    head.wjaw = jaw_weight(head)
    head.fields = mouth_fields(head) | face_fields(head, normal)
    # weights used to close the lips: how far a lip vertex follows its edge
    head.seal_w = np.exp(-(head.t / 1.0) ** 2) * (np.abs(head.s) < 1.02) * head.front
    col = np.full(len(head.skinV), -1)
    col[:head.nr * head.nc] = np.tile(np.arange(head.nc), head.nr)
    col[head.edges[0][4]] = np.arange(a, b + 1)
    head.seal_idx = np.where((col >= a) & (col <= b) & (head.seal_w > .02))[0]
    head.seal_col = col[head.seal_idx] - a
    head.lids = [eyelid(head, k, row) for k in (0, 1)]


def rest_lips(head):
    """Moves the skin to lips at rest; gives the outward normals [V, 3] of the muzzle.

    Sets `s` and `t`, the place of each vertex across the mouth in half widths and above its line in cm, `front`, the
    weight of the face's front, and `lipmask`."""
    p, V, hw, lower = head.p, head.skinV, head.hw, head.lower
    x, y, z = V.T
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
    head.s, head.t, head.front = s, t, front
    return nrm


def jaw_weight(head):
    """[V] share of the jaw's rotation that each vertex follows."""
    s, t = head.s, head.t
    x, y, z = head.skinV.T
    wl_up = .40 * np.clip(np.abs(s), 0, 1) ** 2.6
    wl_lo = 1 - .60 * np.clip(np.abs(s), 0, 1) ** 2.6
    wj = smoothstep(-.5, 4.5, z - .25 * (y + 8)) * smoothstep(-13.2, -10.4, y + .10 * (z - 6))
    lat = smoothstep(7.2, 3.2, np.abs(x))
    above = wl_up * smoothstep(4.2, 0, t) * lat * head.front
    below = wl_lo * lat + (wj - wl_lo * lat) * smoothstep(0, 2.2, -t)
    return np.where(head.lower, below * smoothstep(-1, 3, z), above)


def mouth_fields(head):
    """{muscle: displacement [V, 3] at full strength} of the lips."""
    s, t, front, hw = head.s, head.t, head.front, head.hw
    x, y, _ = head.skinV.T
    g = np.clip(np.abs(s), 0, 1)
    out = np.maximum(np.abs(x) - hw, 0)
    ft = np.exp(-(t / 1.9) ** 2) * front
    S = np.sign(x)
    core = np.clip(1 - s * s, 0, 1)
    up, lo = (~head.lower).astype(float), head.lower.astype(float)
    Z = np.zeros_like(x)
    f = {}
    e1 = np.exp(-(out / 2.0) ** 2) * ft
    f['wide'] = np.stack([S * .50 * g * e1, -.10 * np.sign(t) * core * np.exp(-(t / .9) ** 2) * ft,
                          -.28 * g ** 2 * e1], -1)
    cheek = lambda width: np.exp(-((np.abs(x) - 3.6) / width) ** 2 - ((y + 3.0) / width) ** 2)
    f['smile'] = np.stack([S * .38 * g * e1, .42 * g ** 2 * e1 + .18 * cheek(1.6) * front,
                           -.22 * g ** 2 * e1 + .14 * cheek(1.5) * front], -1)
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
    return f


def face_fields(head, normal):
    """{muscle: displacement [V, 3] at full strength} of brows and cheeks."""
    x, y, z = head.skinV.T
    Z = np.zeros_like(x)
    br = np.exp(-((y - 2.0) / 1.9) ** 2) * smoothstep(4.5, 7.0, z) * smoothstep(-.2, 1.5, y)
    inner = np.exp(-((np.abs(x) - 1.4) / 1.0) ** 2), np.exp(-((np.abs(x) - 1.5) / 1.3) ** 2)
    puff = np.exp(-((np.abs(x) - 3.3) / 1.3) ** 2 - ((y + 6.3) / 1.8) ** 2) * head.front
    return {'brow': np.stack([Z, .55 * br * np.exp(-((np.abs(x) - 2.9) / 2.6) ** 2), .05 * br], -1),
            'brow_in': np.stack([-np.sign(x) * .10 * br * inner[0], .32 * br * inner[1], Z], -1),
            'puff': .25 * normal * puff[:, None]}


def eyelid(head, k, row):
    """(k, vertices, whether each is of the lower lid, weight of the rotation about the eyeball) of eye k.

    Also moves the skin out of the eyeball, so that closed lids lie on it. `row`: of each vertex in the grid of rays."""
    V, c = head.skinV, head.eyes[k]
    x, z = V[:, 0], V[:, 2]
    R, _, _, _, dn = head.edges[1 + k]
    yl, fx, u = head.lid_line(x, k)
    dd = V - c
    al = np.arctan2(dd[:, 1], dd[:, 2])
    als = np.arctan2(yl - c[1], np.sqrt(np.maximum(1.36 ** 2 - (x - c[0]) ** 2, .2)))
    lowlid = (row > R)
    m0 = np.zeros(len(V), bool)
    m0[dn[1:-1]] = True
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
    weight = np.where(lowlid, wd, wu)
    sel = np.where(ok & (weight > 1e-3))[0]
    lid = k, sel, lowlid[sel], weight[sel]
    rr = np.linalg.norm(dd, axis=1)
    fix = (np.abs(u) < 1.15) & (np.abs(dd[:, 1]) < 1.1) & (rr < 1.33) & (z > 5)
    V[fix] = c + dd[fix] / rr[fix][:, None] * 1.33
    return lid


def nasolabial(x, y):
    """[V] weight of the fold from the nose wing to the corner of the mouth."""
    yy = np.clip(y, -7.2, -3.8)
    xc = 1.75 + (-3.8 - yy) * .46
    return np.exp(-((np.abs(x) - xc) / .28) ** 2) * smoothstep(-7.4, -6.0, y) * smoothstep(-3.4, -4.4, y)
