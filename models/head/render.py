"""Software renderer: z-buffer, shadow map, ambient occlusion, screen-space
subsurface scattering and strand hair, compiled with numba, one thread.

The world is the camera's: x right, y up, the camera at z = DIST looking
down -z.  Pixels are rendered at twice the size and averaged.
"""
import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter, zoom

from face import (SKIN, INNER, TEETH, TONGUE, EYE, CLOTH, Head, noise3, smoothstep)

DIST = 95.0
NONE, HAIR = -1, 100


def unit(v):
    v = np.asarray(v, float)
    return v / np.linalg.norm(v)


KEY, KEYC = unit([-.55, .52, .72]), np.array([2.55, 2.40, 2.20])
FILL, FILLC = unit([.80, .10, .60]), np.array([.50, .55, .64])
RIM, RIMC = unit([.75, .45, -.55]), np.array([1.5, 1.55, 1.7])
SKY, GROUND = np.array([.52, .56, .62]), np.array([.23, .19, .165])
JIT = dict(cache=True, fastmath=True, nogil=True)


@njit(**JIT)
def normals(V, F):
    N = np.zeros_like(V)
    for i in range(F.shape[0]):
        a, b, c = F[i, 0], F[i, 1], F[i, 2]
        ux, uy, uz = V[b, 0] - V[a, 0], V[b, 1] - V[a, 1], V[b, 2] - V[a, 2]
        vx, vy, vz = V[c, 0] - V[a, 0], V[c, 1] - V[a, 1], V[c, 2] - V[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            N[k, 0] += nx
            N[k, 1] += ny
            N[k, 2] += nz
    for i in range(N.shape[0]):
        l = np.sqrt(N[i, 0] ** 2 + N[i, 1] ** 2 + N[i, 2] ** 2) + 1e-12
        N[i] /= l
    return N


@njit(**JIT)
def raster(S, F, zb, ib, b1, b2):
    """S: screen x, y and depth (smaller is nearer)."""
    H, W = zb.shape
    for i in range(F.shape[0]):
        a, b, c = F[i, 0], F[i, 1], F[i, 2]
        x0, y0, x1, y1, x2, y2 = S[a, 0], S[a, 1], S[b, 0], S[b, 1], S[c, 0], S[c, 1]
        den = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(den) < 1e-9:
            continue
        lo_x = max(0, int(np.ceil(min(x0, x1, x2) - .5)))
        hi_x = min(W - 1, int(np.floor(max(x0, x1, x2) - .5)))
        lo_y = max(0, int(np.ceil(min(y0, y1, y2) - .5)))
        hi_y = min(H - 1, int(np.floor(max(y0, y1, y2) - .5)))
        inv = 1. / den
        for y in range(lo_y, hi_y + 1):
            for x in range(lo_x, hi_x + 1):
                px, py = x + .5 - x0, y + .5 - y0
                u = (px * (y2 - y0) - (x2 - x0) * py) * inv
                v = ((x1 - x0) * py - px * (y1 - y0)) * inv
                if u < -1e-6 or v < -1e-6 or u + v > 1.000001:
                    continue
                z = S[a, 2] * (1 - u - v) + S[b, 2] * u + S[c, 2] * v
                if z < zb[y, x]:
                    zb[y, x] = z
                    ib[y, x] = i
                    b1[y, x] = u
                    b2[y, x] = v


@njit(**JIT)
def lines(S, C, zb, mat, rgb, bias):
    """Strands (n, k, 3) with a colour per vertex, one pixel wide."""
    H, W = zb.shape
    n, k = S.shape[0], S.shape[1]
    for i in range(n):
        for j in range(k - 1):
            x0, y0, z0 = S[i, j, 0], S[i, j, 1], S[i, j, 2]
            dx, dy, dz = S[i, j + 1, 0] - x0, S[i, j + 1, 1] - y0, S[i, j + 1, 2] - z0
            m = int(max(abs(dx), abs(dy))) + 1
            for q in range(m):
                t = q / m
                x, y = int(x0 + dx * t), int(y0 + dy * t)
                if x < 0 or y < 0 or x >= W or y >= H:
                    continue
                z = z0 + dz * t - bias
                if z < zb[y, x]:
                    zb[y, x] = z
                    mat[y, x] = 100
                    for c in range(3):
                        rgb[y, x, c] = C[i, j, c] * (1 - t) + C[i, j + 1, c] * t


@njit(**JIT)
def splat_depth(S, zb):
    H, W = zb.shape
    for i in range(S.shape[0]):
        for j in range(S.shape[1]):
            x, y = int(S[i, j, 0]), int(S[i, j, 1])
            for yy in range(max(0, y - 1), min(H, y + 2)):
                for xx in range(max(0, x - 1), min(W, x + 2)):
                    if S[i, j, 2] < zb[yy, xx]:
                        zb[yy, xx] = S[i, j, 2]


@njit(**JIT)
def shadow(sm, x, y, z, bias):
    H, W = sm.shape
    s = 0.
    ix, iy = int(x), int(y)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            xx, yy = ix + dx, iy + dy
            if xx < 0 or yy < 0 or xx >= W or yy >= H or sm[yy, xx] > z - bias * (1 + .5 * (abs(dx) + abs(dy))):
                s += 1
    return s / 25.


@njit(**JIT)
def tri_noise(T, x, y, z, o):
    n = T.shape[0]
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    x -= fx
    y -= fy
    z -= fz
    i, j, k = int(fx) % n, int(fy) % n, int(fz) % n
    i1, j1, k1 = (i + 1) % n, (j + 1) % n, (k + 1) % n
    for c in range(3):
        a = (T[i, j, k, c] * (1 - x) + T[i1, j, k, c] * x) * (1 - y) + (T[i, j1, k, c] * (1 - x) + T[i1, j1, k, c] * x) * y
        b = (T[i, j, k1, c] * (1 - x) + T[i1, j, k1, c] * x) * (1 - y) + (T[i, j1, k1, c] * (1 - x) + T[i1, j1, k1, c] * x) * y
        o[c] = a * (1 - z) + b * z


@njit(**JIT)
def ssao(zb, F, ib, N, f, cx, cy, dist, out):
    """Occlusion at half the raster's size."""
    h, w = out.shape
    H, W = zb.shape
    for y in range(h):
        for x in range(w):
            Y, X = 2 * y, 2 * x
            t = ib[Y, X]
            out[y, x] = 1.
            if t < 0:
                continue
            z = zb[Y, X]
            pz = dist - z
            px, py = (X + .5 - cx) * z / f, -(Y + .5 - cy) * z / f
            a = F[t, 0]
            nx, ny, nz = N[a, 0], N[a, 1], N[a, 2]
            if nz < 0:
                nx, ny, nz = -nx, -ny, -nz
            ph = ((x * 7 + y * 13) % 16) * .3927
            occ = 0.
            for k in range(18):
                r = 1.9 * ((k + .5) / 18.) ** 1.3
                an = ph + k * 2.39996
                sx, sy = int(X + r * np.cos(an) * f / z), int(Y + r * np.sin(an) * f / z)
                if sx < 0 or sy < 0 or sx >= W or sy >= H:
                    continue
                q = zb[sy, sx]
                if q > 900:
                    continue
                vx, vy, vz = (sx + .5 - cx) * q / f - px, -(sy + .5 - cy) * q / f - py, dist - q - pz
                l = np.sqrt(vx * vx + vy * vy + vz * vz) + 1e-6
                d = (vx * nx + vy * ny + vz * nz) / l - .12
                if d > 0:
                    occ += d / (1 + .35 * l * l)
            out[y, x] = max(.12, 1 - 1.75 * occ / 18.)


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
            if nx * vx + ny * vy + nz * vz < 0 and m != 0:
                nx, ny, nz = -nx, -ny, -nz
            gx, gy, gz = nx, ny, nz
            if m == 0:
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
            elif m == 4:
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
            elif m == 5:
                tri_noise(T, rx * 5, ry * 5, rz * 5, o)
                k = 1 + .10 * o[0] + .14 * np.sin(rx * 34 + 1.5 * o[1]) * np.sin(ry * 30 + 1.5 * o[2])
                ar *= k
                ag *= k
                ab *= k
                nx += .12 * o[0]
                ny += .12 * o[1]
            elif m == 1 or m == 3:
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
                    if m == 1 or m == 2 or m == 3:
                        sh = .35 + .65 * sh             # light leaks through lips and cheeks
                elif i == 2:
                    sh = min(1., occ[y >> 1, x >> 1] ** 2)
                d = max(nl, 0.)
                k = sh * (av if m != 0 else .35 + .65 * av)
                if m == 0 and i < 2:
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
            k = fr * sp * aof * (.55 if m == 0 else .8)
            s0 += amb[0, 0] * k
            s1 += amb[0, 1] * k
            s2 += amb[0, 2] * k
            if m == 4:
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
                    if mat[y, x] != 0:
                        continue
                    z = zb[y, x]
                    acc, wt = 0., 0.
                    for k in range(-R, R + 1):
                        yy, xx = (y, x + k) if p == 0 else (y + k, x)
                        if xx < 0 or yy < 0 or xx >= W or yy >= H or mat[yy, xx] != 0:
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
                        if m == 100:
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


def rotation(yaw, pitch, roll):
    y, p, r = np.radians([yaw, -pitch, roll])
    Ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    Rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    Rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return Rz @ Ry @ Rx


class Renderer:
    def __init__(self, head, width=640, height=480, ss=2):
        self.h, self.w, self.H, self.W, self.ss = head, width, height, width, ss
        r = np.random.default_rng(5)
        T = r.normal(size=(64, 64, 64, 3))
        T = gaussian_filter(T, (.6, .6, .6, 0), mode='wrap')
        self.T = (T / T.std() * .45).clip(-1.2, 1.2)
        self.lights = np.array([np.r_[KEY, KEYC], np.r_[FILL, FILLC], np.r_[RIM, RIMC]])
        self.amb = np.array([SKY, GROUND])
        self.static = None
        self.buf = None
        r = np.random.default_rng(900 + head.p['seed'])
        h, w = height // 4 + 20, width // 4 + 40
        yy, xx = np.mgrid[0:h, 0:w]
        g = .80 + .42 * np.exp(-(((xx - w * .36) / (w * .5)) ** 2 + ((yy - h * .35) / (h * .6)) ** 2))
        for s, k in ((14, .10), (5, .05), (1.6, .02)):
            q = gaussian_filter(r.normal(size=(h, w)), s * w / 200)
            g += k * q / q.std()
        edge = gaussian_filter((np.abs(((xx + .12 * yy) / w * 4.3 + r.uniform()) % 1 - .5) < .03).astype(float), w / 60)
        g += .35 * edge
        bg = head.p['back'][None, None] * g[..., None] * np.array([1.03, 1, .97]) ** (1 - yy / h * 2)[..., None]
        self.bg = zoom(np.clip(bg, .01, 2), (4, 4, 1), order=1)
        self.grain = r.normal(size=(height + 64, width + 64, 1)).astype(np.float32)

    def _gather(self, parts):
        off, F, rest, alb, spec, gloss, mat = 0, [], [], [], [], [], []
        for (V, f, rs, al, sp, gl, ao, m) in parts:
            F.append(f + off)
            rest.append(rs)
            alb.append(al)
            n = len(V)
            spec.append(np.broadcast_to(sp, n))
            gloss.append(np.broadcast_to(gl, n))
            mat.append(np.full(n, m, np.int64))
            off += n
        c = np.concatenate
        self.static = (np.ascontiguousarray(c(F)).astype(np.int64), c(rest), c(alb), c(spec), c(gloss), c(mat))

    def frame(self, e, yaw=0, pitch=0, roll=0, dx=0, dy=0, zoom_=1.0, bob=0.0, seed=0):
        """Returns (uint8 image, info with the true lip opening in pixels)."""
        hd, ss = self.h, self.ss
        parts, n_head, tufts, lips = hd.pose(e)
        if self.static is None:
            self._gather(parts)
        F, rest, alb, spec, gloss, mat = self.static
        n_h = sum(len(q[0]) for q in parts[:n_head])
        V = np.concatenate([q[0] for q in parts])
        ao = np.concatenate([q[6] for q in parts])
        Rm = rotation(yaw, pitch, roll)
        piv = np.array([0, -9.5, -2.0])

        def place(P, headw):
            a = (P - piv) @ Rm.T + piv
            R2 = rotation(yaw * .18, 0, roll * .15)
            b = (P - [0, -20, -4]) @ R2.T + [0, -20, -4]
            out = a * headw[..., None] + b * (1 - headw[..., None])
            out[..., 0] += dx
            out[..., 1] += dy + bob * 1.0
            return out
        wh = np.zeros(len(V))
        wh[:n_h] = 1
        ns = len(parts[0][0])
        yr = rest[:ns, 1]
        wh[:ns] = smoothstep(-17.5, -9.5, yr + .22 * np.clip(-rest[:ns, 2], 0, 8) * 0)
        P = place(V, wh)
        S_strand = place(hd.strands.astype(float), smoothstep(-22, -9, hd.strands[..., 1]) if hd.p['style'] == 'long' else np.ones(hd.strands.shape[:2]))
        tf = [place(q, np.ones(q.shape[:2])) for q, _ in tufts]
        P += [0, 3.0, 0]
        S_strand += [0, 3.0, 0]
        tf = [q + [0, 3.0, 0] for q in tf]
        N = normals(P, F)
        Hs, Ws = self.H * ss, self.W * ss
        f = 2.31 * Hs * zoom_
        cx, cy = Ws / 2, Hs / 2

        def project(Q):
            z = DIST - Q[..., 2]
            return np.stack([cx + f * Q[..., 0] / z, cy - f * Q[..., 1] / z, z], -1)
        if self.buf is None:                                # kept: page faults cost more than the fill
            self.buf = [np.zeros((Hs, Ws)) for _ in range(4)] + [np.zeros((Hs, Ws, 3)) for _ in range(5)] \
                + [np.zeros((Hs, Ws), np.int64) for _ in range(2)]
        zb, b1, b2, tmp, rgb, E, E2, A, SP, ib, mato = self.buf
        zb.fill(1e3)
        ib.fill(-1)
        mato.fill(NONE)
        raster(project(P), F, zb, ib, b1, b2)

        # shadow map along the key light
        sz, span = 640, 46.0
        rx = unit(np.cross([0, 1, 0], KEY))
        ry = np.cross(KEY, rx)
        k = sz / span
        SA = np.zeros((3, 4))
        SA[0, :3], SA[0, 3] = rx * k, sz / 2
        SA[1, :3], SA[1, 3] = ry * k, sz / 2 + 3 * k
        SA[2, :3] = -KEY
        light = lambda Q: Q @ SA[:, :3].T + SA[:, 3]
        sm = np.full((sz, sz), 1e3)
        q1, q2, q3 = np.full((sz, sz), -1, np.int64), np.zeros((sz, sz)), np.zeros((sz, sz))
        raster(light(P), F, sm, q1, q2, q3)
        splat_depth(light(S_strand[::2]), sm)

        # strands
        c0 = place(np.array([[0, 3.0, 0]]), np.ones(1))[0] + [0, 3.0, 0]
        N0 = S_strand[:, min(3, S_strand.shape[1] - 1)] - c0
        N0 /= np.linalg.norm(N0, axis=1)[:, None]
        C = np.zeros(S_strand.shape)
        hair_shade(S_strand, N0, hd.strand_col.astype(float), hd.strand_ao.astype(float), self.lights, self.amb, sm, SA, C)
        occ = np.ones((self.H * ss // 2, self.W * ss // 2))
        lines(project(S_strand), C, zb, mato, rgb, .02)
        for q, (_, col) in zip(tf, tufts):
            Nn = np.tile(Rm @ [0, .25, .97], (len(q), 1))
            Ct = np.zeros(q.shape)
            hair_shade(q, Nn, np.ascontiguousarray(col, dtype=float), np.full(len(q), .9), self.lights, self.amb, sm, SA, Ct)
            lines(project(q), Ct, zb, mato, rgb, .06)
        ssao(zb, F, ib, N, f, cx, cy, DIST, occ)
        occ = gaussian_filter(occ, 1.1)
        shade(F, P, N, rest, alb, spec, gloss, ao, mat, zb, ib, b1, b2, occ, sm, SA, .28,
              self.T, self.lights, self.amb, np.asarray(hd.p['iris'], float), mato, E, A, SP)
        px = f / DIST
        np.copyto(E2, E)
        scatter(E, zb, mato, np.array([.17, .075, .04]) * px, E2, tmp)
        ox, oy = int(20 + np.clip(-dx * 6, -18, 18)), int(20 + np.clip(dy * 6, -18, 18))
        gy, gx = np.random.default_rng(seed).integers(0, 63, 2)
        out = np.empty((self.H, self.W, 3), np.uint8)
        resolve(A, E2, SP, rgb, mato, self.bg, ox, oy, self.grain, gx, gy, ss, out)
        lp = project(place(np.array(lips), np.ones(2)) + [0, 3.0, 0])[:, :2] / ss
        return out, dict(lip_opening_px=float(np.linalg.norm(lp[0] - lp[1])), lip_up=lp[0].tolist(), lip_low=lp[1].tolist())
