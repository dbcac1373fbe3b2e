"""The skin: a grid of rays cast onto the skull, cut along the mouth and the
eyelids, so that lips and lids are real edges that separate.
"""
import numpy as np

from mesh import grid_faces, smoothstep
from shape import RAY_Y, cast, rays


def skin(head):
    """Gives a head its skin: vertices, faces, and `edges`, for mouth and both eyes (row, first column, last column,
    vertices of the upper edge, vertices of the lower edge)."""
    p = head.p
    az, pf, pitch, oy, nb = grid()
    A = np.broadcast_to(az, pitch.shape).copy()
    nr, nc = pitch.shape
    shift, slits = bend(head, az, A, pitch, oy, nr - nb)
    pitch = pitch + shift
    O, D = rays(A, pitch, oy)
    r = cast(O, D, p)
    V = O + r[:, None] * D
    head.nr, head.nc = nr, nc
    head.radius = (np.degrees(az), np.degrees(pf[:nr - nb]), r.reshape(nr, nc)[:nr - nb])
    cut(head, V.reshape(nr, nc, 3), slits)


def grid():
    """The rays: (azimuths [C], pitches [R] of the front, pitches [R + N, C], heights of their origins [R + N, C], N),
    N rows being the neck's."""
    front = np.radians(np.linspace(0, 42, 84))
    side = np.radians(np.linspace(42, 180, 62))[1:]
    half = np.concatenate([front, side])
    az = np.concatenate([-half[::-1], half[1:]])
    pf = np.radians(np.concatenate([np.linspace(89.5, 6, 44), np.arange(5.6, -62, -.36),
                                    np.linspace(-62.4, -75.5, 26)]))
    rneck = np.interp(np.abs(az), np.radians([0, 50, 90, 180]), [3.7, 4.6, 5.6, 7.5])
    pend = -np.arctan2(11.6 + RAY_Y, rneck)
    pitch = np.where(pf[:, None] > 0, pf[:, None], pf[:, None] * (pend / pf[-1])[None])
    oy = np.full_like(pitch, RAY_Y)
    nb = 30
    q = np.linspace(0, 1, nb + 1)[1:, None]
    pb = pend[None] * (1 - q) ** 1.2 + np.radians(-12) * (1 - (1 - q) ** 1.2)
    yb = -11.6 - 7.5 * q
    pitch = np.vstack([pitch, pb])
    oy = np.vstack([oy, yb - rneck[None] * np.tan(pb)])
    return az, pf, pitch, oy, nb


def bend(head, az, A, pitch, oy, front):
    """Shifts of the pitches that make one row run along the mouth line and each lid line; (shifts, [(row, first column,
    last column)]). `front`: rows above the neck."""
    p, (nr, nc) = head.p, pitch.shape

    def hit(rows, cols, pt):
        O, D = rays(A[rows, cols], pt, RAY_Y)
        return O + cast(O, D, p)[:, None] * D

    allc = np.arange(nc)
    shift = np.zeros_like(pitch)
    slits = []
    specs = [(head.mouth_line, lambda x: np.abs(x) / head.hw, None)]
    for k in (0, 1):
        specs.append((lambda x, k=k: head.lid_line(x, k)[0],
                      lambda x, k=k: np.abs(head.lid_line(x, k)[2]), k))
    for line, lat, k in specs:
        xc = 0 if k is None else head.eyes[k][0]
        c0 = int(np.argmin(np.abs(az - np.arctan2(xc, 8.5))))
        y0 = line(np.array([xc]))[0]
        # row nearest the line at the centre column
        O, D = rays(A[:, c0], pitch[:, c0], oy[:, c0])
        ys = (O + cast(O, D, p)[:, None] * D)[:, 1]
        R = int(np.argmin(np.abs(ys[:front] - y0)))
        cols = allc[np.abs(az - az[c0]) < np.radians(24)]
        pt = pitch[R, cols].copy()
        for _ in range(12):
            H = hit(np.full(len(cols), R), cols, pt)
            e = line(H[:, 0]) - H[:, 1]
            pt += np.clip(e, -.6, .6) / np.linalg.norm(H - [0, RAY_Y, 0], axis=1) * .8
        H = hit(np.full(len(cols), R), cols, pt)
        u = lat(H[:, 0])
        ins = cols[u < 1.0]
        slits.append((R, ins[0], ins[-1]))
        d = np.zeros(nc)
        fade = smoothstep(2.0, 1.15, u) if k is None else smoothstep(1.75, 1.05, u)
        d[cols] = (pt - pitch[R, cols]) * fade
        rows = np.arange(nr)
        wr = np.exp(-((rows - R) / (26. if k is None else 16.)) ** 4)
        shift += wr[:, None] * d[None]
    return shift, slits


def cut(head, V, slits):
    """Skin of vertices V [R, C, 3], cut open along the slits: their inner vertices are doubled, the original ones being
    the upper side's."""
    nr, nc = V.shape[:2]
    idx = np.arange(nr * nc).reshape(nr, nc)
    verts = [V.reshape(-1, 3)]
    n = nr * nc
    faces_idx_dn = idx.copy()
    head.edges = []
    for (R, a, b) in slits:
        inner = np.arange(a + 1, b)
        dup = n + np.arange(len(inner))
        n += len(inner)
        verts.append(V[R, inner])
        faces_idx_dn[R, inner] = dup
        up = idx[R, a:b + 1]
        dn = faces_idx_dn[R, a:b + 1]
        head.edges.append((R, a, b, up, dn))
    V = np.concatenate(verts)
    F = []
    for j in range(nr - 1):                            # top row of a cell uses the lower copy
        F.append(grid_faces(np.stack([faces_idx_dn[j], idx[j + 1]])))
    F = np.concatenate(F)
    head.skinV, head.skinF = V, F
