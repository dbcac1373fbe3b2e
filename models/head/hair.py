"""Hair as strands: on the scalp, and those that move with the skin, brows and lashes."""
import numpy as np

from mesh import noise3, smoothstep
from paint import hairline
from shape import RAY_Y


def radius_at(head, D):
    """[n] radius of the skull in the unit directions D [n, 3], from the grid of rays."""
    azs, pts, R = head.radius
    az = np.degrees(np.arctan2(D[:, 0], D[:, 2]))
    pt = np.degrees(np.arcsin(np.clip(D[:, 1], -1, 1)))
    i = np.clip(np.interp(az, azs, np.arange(len(azs))), 0, len(azs) - 1.001)
    j = np.clip(np.interp(-pt, -pts, np.arange(len(pts))), 0, len(pts) - 1.001)
    i0, j0 = i.astype(int), j.astype(int)
    fi, fj = i - i0, j - j0
    return (R[j0, i0] * (1 - fi) * (1 - fj) + R[j0, i0 + 1] * fi * (1 - fj)
            + R[j0 + 1, i0] * (1 - fi) * fj + R[j0 + 1, i0 + 1] * fi * fj)


def roots(head, r, count):
    """[count, 3] points on the scalp, drawn from the generator r."""
    F = head.skinF
    tri = head.skinV[F]
    area = np.linalg.norm(np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0]), axis=1)
    dens = head.scalp[F].mean(1)
    w = area * np.where(dens > .25, dens, 0)
    f = r.choice(len(F), count, p=w / w.sum())
    b = r.dirichlet((1, 1, 1), count)
    return (tri[f] * b[..., None]).sum(1)


def hair(head):
    """Gives a head its strands: points [N, steps + 1, 3], grown from the scalp along a flow, colours and occlusion."""
    p = head.p
    r = np.random.default_rng(77 + p['seed'])
    longs = p['style'] == 'long'
    N = 15000 if longs else 21000
    root = roots(head, r, N)
    C = np.array([0, RAY_Y, 0])
    x, y, z = root.T
    clump = np.stack([noise3(root, 31 + k, 1.0) for k in range(3)], -1)
    fine = r.normal(size=(N, 3))
    steps = 14 if longs else 9
    pts = [root]
    if longs:
        part = -1.6
        sgn = np.where(x > part, 1., -1.)
        flow = np.stack([sgn * smoothstep(14, 4, y) * 1.3, -1.2 + 0 * x, -.35 - .55 * smoothstep(2, 8, z)], -1)
        length = 21 + 4 * r.uniform(size=N) - .9 * (y - 2)
        length = np.where(y < -2, 9 + 3 * r.uniform(size=N), np.clip(length, 11, 28))
        curtain = np.radians(60 + 16 * r.uniform(size=N))
        thick = .55 + .8 * smoothstep(0, 9, y) * r.uniform(.3, 1, N)
    else:
        top = smoothstep(5.0, 9.0, y)
        swirl = .55
        flow = np.stack([swirl + .0 * x + .25 * x / 7, -.9 * (1 - top) + .25 * top * smoothstep(4, 8, z),
                         (-.75) * (1 - top) + top * (-.55 + 0 * z)], -1)
        flow[:, 0] *= top * .9 + .1
        length = (1.0 + 3.6 * top) * r.uniform(.75, 1.1, N)
        edge = smoothstep(0, 1.6, y - hairline(head, np.degrees(np.arctan2(x, z))))
        length *= .40 + .60 * edge
        thick = (.16 + 1.25 * top * (.45 + .55 * edge)) * r.uniform(.35, 1, N)
    flow = flow + .30 * clump + .13 * fine
    seg = length / steps
    q = root.copy()
    for k in range(1, steps + 1):
        a = k / steps
        Dq = q - C
        rq = np.linalg.norm(Dq, axis=1)
        Dq /= rq[:, None]
        d = flow.copy()
        if longs:
            fall = smoothstep(2.5, -3.5, q[:, 1])[:, None]
            inwards = np.stack([.06 * np.sign(q[:, 0]) * (1 - a * 1.6), 0 * x, 0 * x], -1)
            d = d * (1 - fall) + fall * (np.array([0, -1.6, .06]) + .10 * clump + inwards)
        d -= (d * Dq).sum(1)[:, None] * Dq * (1 - (fall if longs else 0))
        d /= np.linalg.norm(d, axis=1)[:, None] + 1e-9
        if not longs:
            d += Dq * (.9 * (1 - a) ** 1.5 * smoothstep(.2, 1, thick))[:, None]
            d /= np.linalg.norm(d, axis=1)[:, None]
        q = q + d * seg[:, None]
        if longs:                                          # a curtain next to the face, never across it
            azq, flat = np.arctan2(q[:, 0], q[:, 2]), np.hypot(q[:, 0], q[:, 2])
            m = np.abs(azq)
            azq = sgn * (m + np.maximum(curtain - m, 0) * smoothstep(6.6, 4.6, q[:, 1]))
            q = np.stack([flat * np.sin(azq), q[:, 1], flat * np.cos(azq)], -1)
        Dq = q - C
        rq = np.linalg.norm(Dq, axis=1)
        Dq /= rq[:, None]
        lift = 1.0 if longs else (.35 + .65 * np.sin(min(a, .75) * np.pi * .66))
        want = radius_at(head, Dq) + thick * np.sqrt(a) * lift
        if longs:
            on = q[:, 1] > -2.0
            out = np.where(on, want * .6 + np.maximum(rq, want) * .4, np.maximum(rq, want))
            q = np.where((on | (rq < want))[:, None], C + Dq * out[:, None], q)
        else:
            q = C + Dq * (want * .75 + np.maximum(rq, want) * .25)[:, None]
        pts.append(q)
    head.strands = np.stack(pts, 1).astype(np.float32)            # (N, steps+1, 3)
    shade = (1 + .25 * r.normal(size=N).clip(-2, 2) + .22 * clump[:, 0]).clip(.35, 1.8)
    head.strand_col = (p['hair'][None] * shade[:, None]).astype(np.float32)
    rel = thick / (thick.max() + 1e-6)
    head.strand_ao = (.45 + .55 * rel).astype(np.float32)
    tufts(head, r)


def tufts(head, r):
    """Gives a head brows and lashes: short strands that move with vertices of the skin."""
    p, V = head.p, head.skinV
    n = head.nr * head.nc
    bx, by = np.abs(V[:n, 0]), V[:n, 1]
    ux = (bx - 1.25) / 3.45                                      # 0 inner, 1 outer
    yc = 1.72 + 1.15 * np.sin(np.clip(ux, 0, 1) * 2.35) * .62 - .35 * np.clip(ux - .55, 0, 1)
    th = (.34 * (1 - .72 * np.clip(ux, 0, 1) ** 1.6)) * p['brow_t']
    m = smoothstep(1.15, .55, np.abs(by - yc) / th) * smoothstep(-.06, .08, ux) * smoothstep(1.03, .9, ux) \
        * (V[:n, 2] > 4)
    head.col[:n] = head.col[:n] * (1 - .45 * m[:, None]) + p['hair'] * .45 * m[:, None]
    M = 2600
    vi = r.choice(n, M, p=m / m.sum())
    sx = np.sign(V[vi, 0])
    u = np.clip(ux[vi], 0, 1)
    rel = (by[vi] - yc[vi]) / th[vi]
    d = np.stack([sx * (.35 + .9 * u), .95 * (1 - u) ** 1.2 - .35 * u - .35 * rel * (.3 + u), -.05 - .45 * u], -1) \
        + .16 * r.normal(size=(M, 3))
    d /= np.linalg.norm(d, axis=1)[:, None]
    L = r.uniform(.35, .75, M)[:, None] * (1 - .25 * u[:, None])
    jit = r.normal(size=(M, 3)) * .05
    outn = np.stack([.25 * sx, 0 * u, np.ones(M)], -1)
    head.tufts = [(vi, np.stack([jit + outn * .02, jit + d * L * .5 + outn * .09, jit + d * L + outn * .07], 1),
                   np.broadcast_to(p['hair'] * .8, (M, 3)))]
    for k in (0, 1):
        R, a, b, up, dn = head.edges[1 + k]
        for e, lowlid in ((up, False), (dn, True)):
            cnt = 26 if lowlid else 240
            ii = r.integers(1, len(e) - 1, cnt)
            vi = e[ii]
            _, fx, uu = head.lid_line(V[vi, 0], k)
            sgn = -1 if k == 0 else 1
            keep = uu > -.8
            vi, uu = vi[keep], uu[keep]
            m2 = len(vi)
            l = (.16 if lowlid else .50) * (.6 + .4 * r.uniform(size=m2)) * (.6 + .5 * np.clip(uu + .4, 0, 1))
            dx = sgn * (.55 * uu + .05) + .12 * r.normal(size=m2)
            o0 = np.zeros((m2, 3))
            j = r.normal(size=(m2, 1)) * [.02, 0, 0]
            if lowlid:
                o1 = np.stack([dx * .5, -.25 + 0 * dx, .8 + 0 * dx], -1) * l[:, None]
                o2 = np.stack([dx, -.75 + 0 * dx, 1.1 + 0 * dx], -1) * l[:, None]
            else:
                o1 = np.stack([dx * .45, -.02 + 0 * dx, .55 + 0 * dx], -1) * l[:, None]
                o2 = np.stack([dx, .42 + 0 * dx, .85 + 0 * dx], -1) * l[:, None]
            col = p['hair'] * .3 + (.03 if lowlid else .004)
            head.tufts.append((vi, np.stack([o0 + j, o1 + j, o2 + j], 1), np.broadcast_to(col, (m2, 3))))
