"""Light on what was drawn: skin, eyes, teeth, cloth and hair, the scatter of
light below the skin, and the picture of it.
"""
import numpy as np
from numba import njit

from mesh import CLOTH, EYE, INNER, SKIN, TEETH, TONGUE
from raster import HAIR, JIT, shadow, tri_noise


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
            u, v = b1[y, x], b2[y, x]
            w = 1 - u - v
            a, b, c = F[t, 0], F[t, 1], F[t, 2]
            m = mat[a]
            mato[y, x] = m
            nx = N[a, 0] * w + N[b, 0] * u + N[c, 0] * v
            ny = N[a, 1] * w + N[b, 1] * u + N[c, 1] * v
            nz = N[a, 2] * w + N[b, 2] * u + N[c, 2] * v
            px = P[a, 0] * w + P[b, 0] * u + P[c, 0] * v
            py = P[a, 1] * w + P[b, 1] * u + P[c, 1] * v
            pz = P[a, 2] * w + P[b, 2] * u + P[c, 2] * v
            rx = rest[a, 0] * w + rest[b, 0] * u + rest[c, 0] * v
            ry = rest[a, 1] * w + rest[b, 1] * u + rest[c, 1] * v
            rz = rest[a, 2] * w + rest[b, 2] * u + rest[c, 2] * v
            sp = spec[a] * w + spec[b] * u + spec[c] * v
            gl = gloss[a] * w + gloss[b] * u + gloss[c] * v
            av = ao[a] * w + ao[b] * u + ao[c] * v
            ar = alb[a, 0] * w + alb[b, 0] * u + alb[c, 0] * v
            ag = alb[a, 1] * w + alb[b, 1] * u + alb[c, 1] * v
            ab = alb[a, 2] * w + alb[b, 2] * u + alb[c, 2] * v
            l = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx /= l
            ny /= l
            nz /= l
            vx, vy, vz = -px, -py, 95. - pz
            l = np.sqrt(vx * vx + vy * vy + vz * vz)
            vx /= l
            vy /= l
            vz /= l
            if nx * vx + ny * vy + nz * vz < 0 and m != SKIN:
                nx, ny, nz = -nx, -ny, -nz
            gx, gy, gz = nx, ny, nz
            if m == SKIN:
                tri_noise(T, rx * 9, ry * 9, rz * 9, o)
                tri_noise(T, rx * 21, ry * 21, rz * 21, o2)
                k1 = .075
                k2 = .085
                gx += k1 * o[0] + k2 * o2[0]
                gy += k1 * o[1] + k2 * o2[1]
                gz += k1 * o[2] + k2 * o2[2]
                nx += .4 * (k1 * o[0] + k2 * o2[0])
                ny += .4 * (k1 * o[1] + k2 * o2[1])
                nz += .4 * (k1 * o[2] + k2 * o2[2])
                k = 1 + .08 * o[1] + .08 * o2[2]
                ar *= 1 + .6 * (k - 1)
                ag *= k
                ab *= k
            elif m == EYE:
                # eye: rest is the direction in the eye's own frame
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
                ir, ig, ib_ = iris[0] * (1 + .9 * tint), iris[1] * (1 + .35 * tint), iris[2] * (1 - .2 * tint)
                ar = ar * (1 - e) + e * ir * k * 1.5
                ag = ag * (1 - e) + e * ig * k * 1.5
                ab = ab * (1 - e) + e * ib_ * k * 1.5
                pu = 1 / (1 + np.exp((q - .40) * 40))
                ar *= 1 - .97 * pu
                ag *= 1 - .97 * pu
                ab *= 1 - .97 * pu
                # the iris lies behind the cornea: light it as a dish
                if e > .01:
                    nx -= .35 * e * rx
                    ny -= .35 * e * ry
            elif m == CLOTH:
                tri_noise(T, rx * 5, ry * 5, rz * 5, o)
                k = 1 + .10 * o[0] + .14 * np.sin(rx * 34 + 1.5 * o[1]) * np.sin(ry * 30 + 1.5 * o[2])
                ar *= k
                ag *= k
                ab *= k
                nx += .12 * o[0]
                ny += .12 * o[1]
            elif m == INNER or m == TONGUE:
                tri_noise(T, rx * 8, ry * 8, rz * 8, o)
                gx += .14 * o[0]
                gy += .14 * o[1]
            l = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx /= l
            ny /= l
            nz /= l
            l = np.sqrt(gx * gx + gy * gy + gz * gz) + 1e-9
            gx /= l
            gy /= l
            gz /= l
            aof = av * occ[y >> 1, x >> 1]
            up = .5 + .5 * ny
            er = (amb[0, 0] * up + amb[1, 0] * (1 - up)) * aof
            eg = (amb[0, 1] * up + amb[1, 1] * (1 - up)) * aof
            eb = (amb[0, 2] * up + amb[1, 2] * (1 - up)) * aof
            s0, s1, s2 = 0., 0., 0.
            nv = max(.02, gx * vx + gy * vy + gz * vz)
            fr = .045 + .6 * (1 - nv) ** 5
            for i in range(3):
                lx, ly, lz = lights[i, 0], lights[i, 1], lights[i, 2]
                nl = nx * lx + ny * ly + nz * lz
                sh = 1.
                if i == 0:
                    q0 = SA[0, 0] * px + SA[0, 1] * py + SA[0, 2] * pz + SA[0, 3]
                    q1 = SA[1, 0] * px + SA[1, 1] * py + SA[1, 2] * pz + SA[1, 3]
                    q2 = SA[2, 0] * px + SA[2, 1] * py + SA[2, 2] * pz
                    sh = shadow(sm, q0, q1, q2, sbias)
                    if m == INNER or m == TEETH or m == TONGUE:
                        sh = .35 + .65 * sh             # light leaks through lips and cheeks
                elif i == 2:
                    sh = min(1., occ[y >> 1, x >> 1] ** 2)
                d = max(nl, 0.)
                k = sh * (av if m != SKIN else .35 + .65 * av)
                if m == SKIN and i < 2:
                    # wrapped and redder near the terminator
                    dr = max(0., (nl + .22) / 1.22)
                    er += lights[i, 3] * (.6 * d + .4 * dr * (.4 + .6 * sh) / max(sh, .05) if sh > .05 else .25 * dr) * k
                    eg += lights[i, 4] * d * k
                    eb += lights[i, 5] * d * k
                else:
                    er += lights[i, 3] * d * k
                    eg += lights[i, 4] * d * k
                    eb += lights[i, 5] * d * k
                hx, hy, hz = lx + vx, ly + vy, lz + vz
                hl = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
                nh = max(0., (gx * hx + gy * hy + gz * hz) / hl)
                gnl = max(0., gx * lx + gy * ly + gz * lz)
                ss = sp * (.55 * nh ** gl * (gl + 4) * .04 + .35 * nh ** (gl * 3.5) * (gl * 3.5 + 4) * .02) * gnl * (.45 + 6 * fr) * .42 * k
                s0 += lights[i, 3] * ss
                s1 += lights[i, 4] * ss
                s2 += lights[i, 5] * ss
            # soft box mirrored by wet things, sheen elsewhere
            k = fr * sp * aof * (.55 if m == SKIN else .8)
            s0 += amb[0, 0] * k
            s1 += amb[0, 1] * k
            s2 += amb[0, 2] * k
            if m == EYE:
                rr = 2 * (gx * vx + gy * vy + gz * vz)
                mx, my, mz = rr * gx - vx, rr * gy - vy, rr * gz - vz
                if -.62 < mx < -.38 and .38 < my < .68 and mz > 0:
                    s0 += .9 * av
                    s1 += .9 * av
                    s2 += .9 * av
            E[y, x, 0], E[y, x, 1], E[y, x, 2] = er, eg, eb
            A[y, x, 0], A[y, x, 1], A[y, x, 2] = ar, ag, ab
            SP[y, x, 0], SP[y, x, 1], SP[y, x, 2] = s0, s1, s2


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
    """Kajiya-Kay per strand vertex."""
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
            e0, e1, e2 = (amb[0, 0] * up + amb[1, 0] * (1 - up)) * a * .8, (amb[0, 1] * up + amb[1, 1] * (1 - up)) * a * .8, (amb[0, 2] * up + amb[1, 2] * (1 - up)) * a * .8
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
