"""Triangles, strands and depth drawn into buffers: the compiled half of the
renderer, without light. Screen positions are x, y and depth (smaller is nearer).
"""
import numpy as np
from numba import njit

NONE, HAIR = -1, 100   # what a pixel shows where no part of the head does
JIT = dict(cache=True, fastmath=True, nogil=True)


@njit(**JIT)
def normals(V, F):
    """Unit normals of vertices [n, 3], the means of their triangles by area."""
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
    """Draws triangles F of screen positions S [n, 3] into the z-buffer zb, with triangle numbers ib and barycentric
    coordinates b1, b2."""
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
                    mat[y, x] = HAIR
                    for c in range(3):
                        rgb[y, x, c] = C[i, j, c] * (1 - t) + C[i, j + 1, c] * t


@njit(**JIT)
def splat_depth(S, zb):
    """Draws strands S [n, k, 3] into a depth buffer, three pixels wide."""
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
    """Share in [0, 1] of 5 x 5 pixels of a shadow map that do not hide a point."""
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
    """Noise [3] at a point, interpolated in the periodic volume T [n, n, n, 3], written to o."""
    n = T.shape[0]
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    x -= fx
    y -= fy
    z -= fz
    i, j, k = int(fx) % n, int(fy) % n, int(fz) % n
    i1, j1, k1 = (i + 1) % n, (j + 1) % n, (k + 1) % n
    for c in range(3):
        a = (T[i, j, k, c] * (1 - x) + T[i1, j, k, c] * x) * (1 - y) \
            + (T[i, j1, k, c] * (1 - x) + T[i1, j1, k, c] * x) * y
        b = (T[i, j, k1, c] * (1 - x) + T[i1, j, k1, c] * x) * (1 - y) \
            + (T[i, j1, k1, c] * (1 - x) + T[i1, j1, k1, c] * x) * y
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
