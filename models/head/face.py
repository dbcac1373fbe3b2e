"""The complete rendered head: its parts put together, and moved by its muscles.

Nothing here comes from a person: the skull is a handful of ellipsoids and
capsules blended into one signed distance field, onto which a grid of rays is
cast.  Units are centimetres; x to the right of the picture, y up, z towards
the camera; the pupils are at y = 0.
"""
import numpy as np

from expression import expressions
from hair import hair
from mesh import SKIN
from mouth import mouth
from paint import paint
from parts import clothes, ears, eyeballs
from skin import skin

JAW_Y, JAW_Z = -1.2, 1.0   # jaw hinge


class Head:
    """A head of given proportions (`identity.identity`). The functions in `__init__` each add their attributes."""

    def __init__(self, p):
        self.p = p
        self.hw = p['mouth_w']
        self.ym0 = -6.85
        self.eyes = [np.array([s * p['eye_d'], 0, 7.0]) for s in (-1, 1)]
        for build in (skin, expressions, mouth, eyeballs, ears, clothes, paint, hair):
            build(self)

    def mouth_line(self, x):
        """Height of the mouth line in the rest face: a flat cupid's bow."""
        s = np.abs(x) / self.hw
        return self.ym0 - .10 * np.exp(-(s / .16) ** 2) + .05 * np.exp(-((s - .4) / .25) ** 2) - .10 * s ** 3

    def lid_line(self, x, k):
        """Closed lid line of eye k and the half-almond weight."""
        c = self.eyes[k]
        u = (x - c[0]) / 1.5 * (-1 if k == 0 else 1)       # +1 = outer corner
        f = np.maximum(1 - u * u, 0)
        return c[1] - .06 + self.p['tilt'] * u - .40 * f ** .8, f, u

    def pose(self, e):
        """Deform everything for the expression dictionary e.

        Returns (parts, of_head, tufts, lips) in head space: parts as tuples of
        vertices, faces and paint, of which the first of_head move with the
        head; tufts as pairs of strands and colours; the middle of the upper
        and of the lower inner lip edge.
        """
        g = lambda k: float(e.get(k, 0.0))
        V = self.skinV.copy()
        for k, fd in self.fields.items():
            if abs(g(k)) > 1e-4:
                V += g(k) * fd
        V = self.jaw(V, self.wjaw, g)
        self.seal_lips(V, g)
        ao = self.ao.copy()
        self.close_lids(V, ao, g)
        parts = [(V, self.skinF, self.skinV, self.col, self.spec, self.gloss, ao, SKIN)]

        def add(P, part, ao=None):
            parts.append((P, part.F, part.rest, part.albedo, part.spec, part.gloss,
                          part.ao if ao is None else ao, part.mat))

        up, dn = self.edges[0][3:]
        add(self.mouth_bag(V, g), self.bag)
        opening = float(np.linalg.norm(V[up[len(up) // 2]] - V[dn[len(dn) // 2]]))
        light = np.clip(.6 + opening * .5, 0, 1)
        add(self.teeth[0].V, self.teeth[0], self.teeth[0].ao * light)
        one = lambda P: self.jaw(P, np.ones(len(P)), g)
        add(one(self.teeth[1].V), self.teeth[1], self.teeth[1].ao * light)
        T = self.tongue.V.copy()
        T[:, 1] += self.tongue_w * (.75 * g('tongue')) + .35 * g('tongue_back') * (1 - self.tongue_w)
        T[:, 2] += self.tongue_w * .35 * g('tongue_out') + .15 * g('tongue')
        add(one(T), self.tongue, self.tongue.ao * light)
        for kk, ball in enumerate(self.balls):
            add(*self.eyeball(V, kk, ball, g))
        for kk, e_, part in self.rims:
            E = V[e_]
            out = E - self.eyes[kk]
            add(np.concatenate([E, self.eyes[kk] + out * (1.19 / np.linalg.norm(out, axis=1))[:, None]]), part)
        for c in self.car:
            add(c.V, c)
        for c in self.ears:
            add(c.V, c)
        n_head = len(parts)
        add(self.cloth.V, self.cloth)
        add(self.collar.V, self.collar)
        add(self.yoke.V, self.yoke)
        st = []
        for vi, off, col in self.tufts:
            st.append((V[vi][:, None] + off, col))
        return parts, n_head, st, (V[up[len(up) // 2]], V[dn[len(dn) // 2]])

    def jaw(self, P, w, g):
        """Points P [n, 3] after the jaw's rotation, of which they follow shares w [n]; g: strength of a muscle."""
        ang = np.radians(11.5) * g('jaw')
        c, s = np.cos(ang * w), np.sin(ang * w)
        dy, dz = P[:, 1] - JAW_Y, P[:, 2] - JAW_Z
        Q = P.copy()
        Q[:, 1] = JAW_Y + c * dy - s * dz
        Q[:, 2] = JAW_Z + s * dy + c * dz + .25 * g('jaw') * w
        return Q

    def seal_lips(self, V, g):
        """Moves both lip edges of every column of the skin V towards each other, in place; they never overlap."""
        up, dn = self.edges[0][3:]
        gap = V[up] - V[dn]
        seal = np.clip(g('seal'), 0, 1)
        over = np.clip(-gap[:, 1], 0, None)               # never let lips overlap
        mv = gap * seal
        mv[:, 1] -= over * (1 - seal)
        i, c = self.seal_idx, self.seal_col
        w = self.seal_w[i][:, None]
        lo = self.lower[i][:, None]
        V[i] += np.where(lo, .62 * w * mv[c], -.38 * w * mv[c])

    def close_lids(self, V, ao, g):
        """Turns the lids of the skin V about the eyeballs and shades their folds in ao, in place."""
        for k, sel, lowlid, w in self.lids:
            cpos = self.eyes[k]
            op = 1 - np.clip(g('blink'), 0, 1)
            hi = (37.0 * self.p['eye_h'] + 4 * g('lid') + 9 * min(g('gaze_y'), .6)) * op
            lo_ = (3.0 - 5 * g('squint')) * op
            th = np.radians(np.where(lowlid, -lo_, hi)) * w
            P = V[sel] - cpos
            c_, s_ = np.cos(th), np.sin(th)
            y, z = P[:, 1].copy(), P[:, 2].copy()
            P[:, 1] = c_ * y + s_ * z
            P[:, 2] = -s_ * y + c_ * z
            rr = np.linalg.norm(P, axis=1)
            P *= (np.maximum(rr, 1.30) / rr)[:, None]
            V[sel] = P + cpos
            fold = np.exp(-((w - .42) / .12) ** 2) * ~lowlid * op
            ao[sel] *= 1 - .33 * fold

    def mouth_bag(self, V, g):
        """Vertices [n, 3] of the mouth's cavity: it follows the lip edges, deeper rows follow skull and jaw."""
        up, dn = self.edges[0][3:]
        k, n = self.bag_rows, self.bag_n
        B = self.bag.V.reshape(2, k, n, 3)
        dU, dL = V[up] - self.skinV[up], V[dn] - self.skinV[dn]
        out = np.empty_like(B)
        f = self.bag_f[:, None, None]
        Lj = self.jaw(B[1].reshape(-1, 3), np.full(k * n, .9), g).reshape(k, n, 3) - B[1]
        out[0] = B[0] + (1 - f) * dU[None]
        out[1] = B[1] + (1 - f) * dL[None] + f * Lj
        for q, dd in ((0, dU), (1, dL)):
            side = np.sign(B[q, ..., 0])
            out[q, ..., 0] = B[q, ..., 0] + np.minimum(dd[:, 0] * side, (1 - f[..., 0]) * dd[:, 0] * side) * side
        return out.reshape(-1, 3)

    def eyeball(self, V, k, ball, g):
        """(vertices, part, occlusion) of eyeball k as it gazes, shaded by the upper lid of the skin V."""
        gy, ay = g('gaze_y'), g('gaze_x') + (.035 if k == 0 else -.035)
        Ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
        Rx = np.array([[1, 0, 0], [0, np.cos(gy), np.sin(gy)], [0, -np.sin(gy), np.cos(gy)]])
        P = ball.V @ (Ry @ Rx).T + self.eyes[k]
        upl = V[self.edges[1 + k][3]]
        ytop = np.interp(P[:, 0], upl[:, 0], upl[:, 1])
        sh = np.clip((ytop - P[:, 1]) / .55, 0, 1)
        return P, ball, .42 + .58 * sh
