"""Light on what was drawn: skin, eyes, teeth, cloth and hair, the scatter of
light below the skin, and the picture of it.
"""
import numpy as np
from numba import njit

from mesh import CLOTH, EYE, INNER, SKIN, TEETH, TONGUE
from raster import HAIR, JIT, shadow, tri_noise


@njit(**JIT)
def mixed(X, t, w):
    """An attribute [n, 3] inside triangle t, its three vertices weighing w."""
    a, b, c = t
    return (X[a, 0] * w[0] + X[b, 0] * w[1] + X[c, 0] * w[2],
            X[a, 1] * w[0] + X[b, 1] * w[1] + X[c, 1] * w[2],
            X[a, 2] * w[0] + X[b, 2] * w[1] + X[c, 2] * w[2])


@njit(**JIT)
def mixed1(X, t, w):
    """The same of an attribute [n]."""
    return X[t[0]] * w[0] + X[t[1]] * w[1] + X[t[2]] * w[2]


@njit(**JIT)
def normalised(x, y, z):
    """The vector at length 1."""
    l = np.sqrt(x * x + y * y + z * z) + 1e-9
    return x / l, y / l, z / l


@njit(**JIT)
def skin_detail(T, r, n, a, o, o2):
    """Pores: (normal for diffuse light, normal for the mirror part, albedo) at rest position r."""
    tri_noise(T, r[0] * 9, r[1] * 9, r[2] * 9, o)
    tri_noise(T, r[0] * 21, r[1] * 21, r[2] * 21, o2)
    k1 = .075
    k2 = .085
    g = (n[0] + (k1 * o[0] + k2 * o2[0]), n[1] + (k1 * o[1] + k2 * o2[1]), n[2] + (k1 * o[2] + k2 * o2[2]))
    n = (n[0] + .4 * (k1 * o[0] + k2 * o2[0]), n[1] + .4 * (k1 * o[1] + k2 * o2[1]),
         n[2] + .4 * (k1 * o[2] + k2 * o2[2]))
    k = 1 + .08 * o[1] + .08 * o2[2]
    return n, g, (a[0] * (1 + .6 * (k - 1)), a[1] * k, a[2] * k)


@njit(**JIT)
def eye_detail(T, r, n, iris, o, o2):
    """Iris, pupil and veins: (normal for diffuse light, albedo); r is the direction in the eye's own frame."""
    rx, ry, rz = r
    an = np.arctan2(np.sqrt(rx * rx + ry * ry), rz)
    ph = np.arctan2(ry, rx)
    tri_noise(T, 7 * np.cos(ph) + 3, 7 * np.sin(ph), an * 5, o)
    tri_noise(T, 19 * np.cos(ph), 19 * np.sin(ph) + 5, an * 9, o2)
    R = .475
    vein = max(0., o[2] - .25) * max(0., an - .55)
    ar, ag, ab = .62 - .05 * vein, .575 - .35 * vein - .05 * an, .54 - .33 * vein - .07 * an
    q = an / R
    e = 1 / (1 + np.exp((q - 1) * 26))
    k = .75 + .45 * o[0] + .35 * o2[1]
    k = max(.25, k) * (.55 + .75 * q) * (1 - .75 / (1 + np.exp(-(q - .90) * 30)))
    tint = 1 / (1 + np.exp((q - .58 - .08 * o[1]) * 18))
    ir, ig, ib = iris[0] * (1 + .9 * tint), iris[1] * (1 + .35 * tint), iris[2] * (1 - .2 * tint)
    pu = 1 / (1 + np.exp((q - .40) * 40))
    a = ((ar * (1 - e) + e * ir * k * 1.5) * (1 - .97 * pu), (ag * (1 - e) + e * ig * k * 1.5) * (1 - .97 * pu),
         (ab * (1 - e) + e * ib * k * 1.5) * (1 - .97 * pu))
    # the iris lies behind the cornea: light it as a dish
    if e > .01:
        n = (n[0] - .35 * e * rx, n[1] - .35 * e * ry, n[2])
    return n, a


@njit(**JIT)
def surface(m, T, r, n, a, iris, o, o2):
    """Detail of material m at rest position r: (normal for diffuse light, normal for the mirror part, albedo)."""
    g = n
    if m == SKIN:
        n, g, a = skin_detail(T, r, n, a, o, o2)
    elif m == EYE:
        n, a = eye_detail(T, r, n, iris, o, o2)
    elif m == CLOTH:
        tri_noise(T, r[0] * 5, r[1] * 5, r[2] * 5, o)
        k = 1 + .10 * o[0] + .14 * np.sin(r[0] * 34 + 1.5 * o[1]) * np.sin(r[1] * 30 + 1.5 * o[2])
        a = (a[0] * k, a[1] * k, a[2] * k)
        n = (n[0] + .12 * o[0], n[1] + .12 * o[1], n[2])
    elif m == INNER or m == TONGUE:
        tri_noise(T, r[0] * 8, r[1] * 8, r[2] * 8, o)
        g = (g[0] + .14 * o[0], g[1] + .14 * o[1], g[2])
    return normalised(n[0], n[1], n[2]), normalised(g[0], g[1], g[2]), a


@njit(**JIT)
def key_shadow(m, p, sm, SA, sbias):
    """Share of the key light that reaches a point of material m."""
    q0 = SA[0, 0] * p[0] + SA[0, 1] * p[1] + SA[0, 2] * p[2] + SA[0, 3]
    q1 = SA[1, 0] * p[0] + SA[1, 1] * p[1] + SA[1, 2] * p[2] + SA[1, 3]
    q2 = SA[2, 0] * p[0] + SA[2, 1] * p[1] + SA[2, 2] * p[2]
    sh = shadow(sm, q0, q1, q2, sbias)
    if m == INNER or m == TEETH or m == TONGUE:
        sh = .35 + .65 * sh             # light leaks through lips and cheeks
    return sh


@njit(**JIT)
def lit(m, n, g, view, sp, gl, av, occ, sh0, lights, amb):
    """(irradiance, mirror part), both RGB, of the ambient light and the three lights.

    n, g: normals for the two; view: unit vector to the camera; sp, gl: strength and exponent of the mirror part; av,
    occ: occlusion of the vertices and of the screen; sh0: `key_shadow`."""
    aof = av * occ
    up = .5 + .5 * n[1]
    er = (amb[0, 0] * up + amb[1, 0] * (1 - up)) * aof
    eg = (amb[0, 1] * up + amb[1, 1] * (1 - up)) * aof
    eb = (amb[0, 2] * up + amb[1, 2] * (1 - up)) * aof
    s0, s1, s2 = 0., 0., 0.
    nv = max(.02, g[0] * view[0] + g[1] * view[1] + g[2] * view[2])
    fr = .045 + .6 * (1 - nv) ** 5
    for i in range(3):
        lx, ly, lz = lights[i, 0], lights[i, 1], lights[i, 2]
        nl = n[0] * lx + n[1] * ly + n[2] * lz
        sh = 1.
        if i == 0:
            sh = sh0
        elif i == 2:
            sh = min(1., occ ** 2)
        d = max(nl, 0.)
        k = sh * (av if m != SKIN else .35 + .65 * av)
        if m == SKIN and i < 2:
            # wrapped and redder near the terminator
            dr = max(0., (nl + .22) / 1.22)
            er += lights[i, 3] * (.6 * d + .4 * dr * (.4 + .6 * sh) / max(sh, .05) if sh > .05 else .25 * dr) * k
        else:
            er += lights[i, 3] * d * k
        eg += lights[i, 4] * d * k
        eb += lights[i, 5] * d * k
        hx, hy, hz = lx + view[0], ly + view[1], lz + view[2]
        hl = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
        nh = max(0., (g[0] * hx + g[1] * hy + g[2] * hz) / hl)
        gnl = max(0., g[0] * lx + g[1] * ly + g[2] * lz)
        lobes = .55 * nh ** gl * (gl + 4) * .04 + .35 * nh ** (gl * 3.5) * (gl * 3.5 + 4) * .02
        ss = sp * lobes * gnl * (.45 + 6 * fr) * .42 * k
        s0 += lights[i, 3] * ss
        s1 += lights[i, 4] * ss
        s2 += lights[i, 5] * ss
    # soft box mirrored by wet things, sheen elsewhere
    k = fr * sp * aof * (.55 if m == SKIN else .8)
    s0 += amb[0, 0] * k
    s1 += amb[0, 1] * k
    s2 += amb[0, 2] * k
    if m == EYE:
        rr = 2 * (g[0] * view[0] + g[1] * view[1] + g[2] * view[2])
        mx, my, mz = rr * g[0] - view[0], rr * g[1] - view[1], rr * g[2] - view[2]
        if -.62 < mx < -.38 and .38 < my < .68 and mz > 0:
            s0 += .9 * av
            s1 += .9 * av
            s2 += .9 * av
    return (er, eg, eb), (s0, s1, s2)


@njit(**JIT)
def shade(F, P, N, rest, alb, spec, gloss, ao, mat, zb, ib, b1, b2, occ, sm, SA, sbias,
          T, lights, amb, iris, mato, E, A, SP):
    """Irradiance E, albedo A and mirror part SP per raster pixel."""
    H, W = zb.shape
    o = np.zeros(3)
    o2 = np.zeros(3)
    for y in range(H):
        for x in range(W):
            t = ib[y, x]
            if t < 0 or mato[y, x] == 100:
                continue
            tri = (F[t, 0], F[t, 1], F[t, 2])
            w = (1 - b1[y, x] - b2[y, x], b1[y, x], b2[y, x])
            m = mat[tri[0]]
            mato[y, x] = m
            n, p, r = mixed(N, tri, w), mixed(P, tri, w), mixed(rest, tri, w)
            n = normalised(n[0], n[1], n[2])
            view = normalised(-p[0], -p[1], 95. - p[2])
            if n[0] * view[0] + n[1] * view[1] + n[2] * view[2] < 0 and m != SKIN:
                n = (-n[0], -n[1], -n[2])
            n, g, a = surface(m, T, r, n, mixed(alb, tri, w), iris, o, o2)
            e, s = lit(m, n, g, view, mixed1(spec, tri, w), mixed1(gloss, tri, w), mixed1(ao, tri, w),
                       occ[y >> 1, x >> 1], key_shadow(m, p, sm, SA, sbias), lights, amb)
            E[y, x, 0], E[y, x, 1], E[y, x, 2] = e
            A[y, x, 0], A[y, x, 1], A[y, x, 2] = a
            SP[y, x, 0], SP[y, x, 1], SP[y, x, 2] = s


@njit(**JIT)
def scatter(E, zb, mat, sig, out, tmp):
    """Separable blur of the skin's irradiance, a width per channel."""
    H, W = mat.shape
    for c in range(3):
        s = sig[c]
        R = int(2.2 * s) + 1
        g = np.exp(-.5 * (np.arange(R + 1) / s) ** 2)
        for p in range(2):
            for y in range(H):
                for x in range(W):
                    if mat[y, x] != SKIN:
                        continue
                    z = zb[y, x]
                    acc, wt = 0., 0.
                    for k in range(-R, R + 1):
                        yy, xx = (y, x + k) if p == 0 else (y + k, x)
                        if xx < 0 or yy < 0 or xx >= W or yy >= H or mat[yy, xx] != SKIN:
                            continue
                        dz = abs(zb[yy, xx] - z)
                        if dz > .5:
                            continue
                        w = g[abs(k)]
                        acc += w * (E[yy, xx, c] if p == 0 else tmp[yy, xx])
                        wt += w
                    if p == 0:
                        tmp[y, x] = acc / wt
                    else:
                        out[y, x, c] = acc / wt


@njit(**JIT)
def hair_shade(Q, N0, col, sao, lights, amb, sm, SA, out):
    """Colours `out` [n, k, 3] of strands Q [n, k, 3] by Kajiya and Kay's model; N0 [n, 3] are outward normals."""
    n, k = Q.shape[0], Q.shape[1]
    for i in range(n):
        for j in range(k):
            j0, j1 = max(0, j - 1), min(k - 1, j + 1)
            tx, ty, tz = Q[i, j1, 0] - Q[i, j0, 0], Q[i, j1, 1] - Q[i, j0, 1], Q[i, j1, 2] - Q[i, j0, 2]
            l = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-9
            tx /= l
            ty /= l
            tz /= l
            px, py, pz = Q[i, j, 0], Q[i, j, 1], Q[i, j, 2]
            root = .45 + .55 * min(1., j / (k * .5))
            a = sao[i] * root
            up = .5 + .5 * N0[i, 1]
            s0, s1, s2 = 0., 0., 0.
            e0 = (amb[0, 0] * up + amb[1, 0] * (1 - up)) * a * .8
            e1 = (amb[0, 1] * up + amb[1, 1] * (1 - up)) * a * .8
            e2 = (amb[0, 2] * up + amb[1, 2] * (1 - up)) * a * .8
            for q in range(3):
                lx, ly, lz = lights[q, 0], lights[q, 1], lights[q, 2]
                wrap = (N0[i, 0] * lx + N0[i, 1] * ly + N0[i, 2] * lz + .35) / 1.35
                if wrap <= 0:
                    continue
                sh = 1.
                if q == 0:
                    q0 = SA[0, 0] * px + SA[0, 1] * py + SA[0, 2] * pz + SA[0, 3]
                    q1 = SA[1, 0] * px + SA[1, 1] * py + SA[1, 2] * pz + SA[1, 3]
                    q2 = SA[2, 0] * px + SA[2, 1] * py + SA[2, 2] * pz
                    sh = .25 + .75 * shadow(sm, q0, q1, q2, .45)
                tl = tx * lx + ty * ly + tz * lz
                dif = np.sqrt(max(0., 1 - tl * tl)) * wrap * sh * a
                hx, hy, hz = lx, ly, lz + 1
                hl = np.sqrt(hx * hx + hy * hy + hz * hz)
                th = (tx * hx + ty * hy + tz * hz) / hl
                st = np.sqrt(max(0., 1 - th * th))
                sp = st ** 70 * wrap * sh * a
                e0 += lights[q, 3] * dif
                e1 += lights[q, 4] * dif
                e2 += lights[q, 5] * dif
                kk = sp * (.012 + 1.1 * col[i, 0])
                s0 += lights[q, 3] * kk
                s1 += lights[q, 4] * kk * .92
                s2 += lights[q, 5] * kk * .82
            out[i, j, 0] = col[i, 0] * e0 * .8 + s0
            out[i, j, 1] = col[i, 1] * e1 * .8 + s1
            out[i, j, 2] = col[i, 2] * e2 * .8 + s2


@njit(**JIT)
def resolve(A, E, SP, rgb, mat, bg, ox, oy, grain, gx, gy, ss, out):
    """Light the pixels, tone map, average ss x ss and encode to 8 bits."""
    h, w = out.shape[0], out.shape[1]
    for y in range(h):
        for x in range(w):
            for c in range(3):
                acc = 0.
                for j in range(ss):
                    for i in range(ss):
                        Y, X = y * ss + j, x * ss + i
                        m = mat[Y, X]
                        if m == HAIR:
                            q = rgb[Y, X, c]
                        elif m < 0:
                            q = bg[oy + y, ox + x, c] * .62
                        else:
                            q = A[Y, X, c] * E[Y, X, c] * .62 + SP[Y, X, c]
                        q = min(max(q, 0.), 6.)
                        acc += q * (1 + q / 9.) / (1 + q * .62)
                q = acc / (ss * ss)
                q = 12.92 * q if q < .0031308 else 1.055 * q ** (1 / 2.4) - .055
                q += grain[gy + y, gx + x, 0] * .006
                out[y, x, c] = int(min(max(q, 0.), 1.) * 255 + .5)
