"""What is behind the lips: the cavity, two rows of teeth, the tongue."""
import numpy as np

from mesh import INNER, TEETH, TONGUE, Part, grid_faces, smoothstep


def mouth(head):
    """Gives a head its mouth cavity, teeth and tongue."""
    cavity(head)
    head.teeth = [teeth(head, upper) for upper in (True, False)]
    tongue(head)


def cavity(head):
    """The bag behind the lips: rows from the lip edges backwards, of the upper and the lower lip."""
    V = head.skinV
    _, _, _, up, dn = head.edges[0]
    n = len(up)
    rowsU, rowsL = [V[up]], [V[dn]]
    xs = V[up][:, 0]
    steps = [(.22, .02), (.55, .10), (.95, .35), (1.5, .9), (2.6, 1.5), (4.2, 1.6), (6.0, .9)]
    prof = np.clip(1 - (xs / head.hw) ** 2, 0, 1) ** .5
    for (dz, dy) in steps:
        E = V[up].copy()
        E[:, 2] -= dz * (.35 + .65 * prof)
        E[:, 1] += dy * prof
        E[:, 0] *= 1 - .04 * min(dz, 3)
        rowsU.append(E)
        E = V[dn].copy()
        E[:, 2] -= dz * (.35 + .65 * prof)
        E[:, 1] -= dy * prof * .9
        E[:, 0] *= 1 - .04 * min(dz, 3)
        rowsL.append(E)
    U, L = np.stack(rowsU), np.stack(rowsL)             # (rows, n, 3)
    U[-1, :, 1] = L[-1, :, 1] = -6.8
    k = len(steps) + 1
    head.bag_rows, head.bag_n = k, n
    head.bag_f = np.array([0, .15, .35, .6, .85, 1, 1, 1])
    Vb = np.concatenate([U.reshape(-1, 3), L.reshape(-1, 3)])
    I = np.arange(2 * k * n).reshape(2, k, n)
    F = np.concatenate([grid_faces(I[0])[:, ::-1], grid_faces(I[1]),
                        grid_faces(np.stack([I[0, -1], I[1, -1]])),
                        grid_faces(np.stack([I[0, :, 0], I[1, :, 0]])),
                        grid_faces(np.stack([I[0, :, -1], I[1, :, -1]]))])
    head.bag = Part(Vb, F, INNER, (.26, .07, .06), .5, 60)
    depth = np.repeat(np.r_[0, [s[0] for s in steps]], n)
    depth = np.concatenate([depth, depth])
    head.bag.ao = np.exp(-depth * .75) * .95 + .02


def teeth(head, upper):
    """The Part of one row of teeth with its gums: a swept arch with one bump per tooth."""
    wid = np.array([.86, .66, .78, .72, .70, .95, .9]) if upper else np.array([.55, .60, .70, .70, .72, .95, .9])
    edge = np.r_[0, np.cumsum(wid)]
    arc = np.linspace(-edge[-1], edge[-1], 361)
    zf = 8.88 if upper else 8.66
    # arch by arc length
    xx = np.linspace(0, 4.2, 800)
    zz = -(.40 if upper else .44) * xx ** 2.3
    L_ = np.r_[0, np.cumsum(np.hypot(np.diff(xx), np.diff(zz)))]
    ax = np.interp(np.abs(arc), L_, xx) * np.sign(arc)
    az_ = np.interp(np.abs(arc), L_, zz) + zf - .12
    tx = np.gradient(ax)
    tz = np.gradient(az_)
    nn = np.stack([-tz, np.zeros_like(tx), tx], -1)
    nn /= np.linalg.norm(nn, axis=1)[:, None]
    ti = np.clip(np.searchsorted(edge, np.abs(arc), side='right') - 1, 0, 6)
    q = (np.abs(arc) - edge[ti]) / wid[ti] * 2 - 1       # -1..1 within a tooth
    gap = np.abs(q) ** 8
    lens = np.array([1.02, .93, 1.02, .85, .8, .75, .7] if upper else [.86, .88, .95, .85, .8, .7, .7])[ti]
    rnd = 1 - .10 * np.abs(q) ** 3.5
    h = np.r_[np.linspace(0, .06, 3), np.linspace(.12, .95, 14), np.linspace(1, 1.12, 3), 1.5, 2.0]  # 0 = biting edge
    y0 = head.ym0 - (.30 if upper else .22)
    sg = 1 if upper else -1
    rows, gums, ao = [], [], []
    back = [(-.42, .9), (-.34, .4), (-.22, .06)]
    for off, hh in back:
        P = np.stack([ax, np.full_like(ax, 0), az_], -1) + nn * off
        P[:, 1] = y0 + sg * (hh * lens + (1 - rnd) * lens)
        rows.append(P)
        gums.append(np.full(len(arc), .3))
        ao.append(np.full(len(arc), .5))
    for hh in h:
        prof = .10 * np.sin(np.clip(hh, 0, 1) * np.pi * .85 + .25) - .10 * (hh < .05) - (.05 if hh > 1.2 else 0)
        gumline = 1.0 - .10 * np.abs(q) ** 2
        gm = smoothstep(gumline - .02, gumline + .03, np.full_like(q, hh))
        bump = prof - .10 * gap * (1 - gm) * (.35 + .65 * (hh < .9)) + .07 * gm
        P = np.stack([ax, np.zeros_like(ax), az_], -1) + nn * bump[:, None]
        P[:, 1] = y0 + sg * (hh * lens + (1 - rnd) * lens * (hh < .5))
        rows.append(P)
        gums.append(gm)
        ao.append(1 - .55 * gap * (1 - gm))
    P = np.stack(rows)
    I = np.arange(P.shape[0] * P.shape[1]).reshape(P.shape[:2])
    F = grid_faces(I)
    if upper:
        F = F[:, ::-1]
    gm, ao = np.concatenate(gums)[:, None], np.concatenate(ao)
    xa = np.abs(P.reshape(-1, 3)[:, 0])
    col = np.array([.66, .60, .50]) * (1 - gm) + np.array([.42, .15, .14]) * gm
    part = Part(P.reshape(-1, 3), F, TEETH, col, .55 - .2 * gm[:, 0], 90)
    part.ao = ao * np.clip(1.12 - .46 * xa, .06, 1)
    return part


def tongue(head):
    """A flattened half ellipsoid in the lower arch, and how far each vertex follows the tip."""
    th, ph = np.linspace(0, np.pi, 41), np.linspace(0, 2 * np.pi, 49)
    T, Ph = np.meshgrid(th, ph, indexing='ij')
    tx = 1.95 * np.sin(T) * np.cos(Ph)
    ty = .62 * np.sin(T) * np.sin(Ph)
    ty -= .10 * np.exp(-(tx / .25) ** 2) * (ty > 0) * np.sin(T)
    tz = 3.6 * np.cos(T)
    P = np.stack([tx, ty - 7.75, tz + 4.9], -1).reshape(-1, 3)
    I = np.arange(len(P)).reshape(T.shape)
    head.tongue = Part(P, grid_faces(I), TONGUE, (.46, .17, .16), .35, 35)
    head.tongue.ao = np.clip((P[:, 2] - 4.2) / 5.0, .04, .85)
    head.tongue_w = smoothstep(4.0, 8.3, P[:, 2])
