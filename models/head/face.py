"""Geometry, expression and identity of the procedural head.

Nothing here comes from a person: the skull is a handful of ellipsoids and
capsules blended into one signed distance field, onto which a grid of rays is
cast.  The grid is cut along the mouth and the eyelids, so lips and lids are
real edges that separate.  Units are centimetres; x to the right of the
picture, y up, z towards the camera; the pupils are at y = 0.
"""
import numpy as np
from scipy.interpolate import PchipInterpolator

SKIN, INNER, TEETH, TONGUE, EYE, CLOTH, HAIRCAP = range(7)
RAY_Y = 3.0            # height of the ray centre inside the skull
JAW_Y, JAW_Z = -1.2, 1.0   # jaw hinge


def smoothstep(a, b, x):
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


# ----------------------------------------------------------------- identity
TONES = np.array([[.640, .420, .320], [.560, .350, .250], [.440, .260, .175],
                  [.290, .160, .100], [.160, .085, .055]])
HAIRS = np.array([[.035, .020, .012], [.010, .008, .007], [.110, .060, .028],
                  [.300, .190, .085], [.160, .055, .022], [.20, .19, .18]])
IRISES = np.array([[.075, .15, .22], [.13, .065, .025], [.16, .20, .09],
                   [.22, .26, .28], [.05, .025, .012]])
SHIRTS = np.array([[.055, .085, .14], [.16, .16, .17], [.20, .045, .045],
                   [.045, .10, .075], [.32, .29, .25], [.03, .03, .035]])
BACKS = np.array([[.30, .33, .36], [.36, .31, .25], [.22, .27, .25], [.28, .25, .33]])


def identity(seed):
    """All parameters of a head; the same seed always gives the same head."""
    r = np.random.default_rng(1000 + int(seed))
    n = lambda s: float(np.clip(r.normal(), -1.7, 1.7) * s)
    p = dict(seed=int(seed), face_w=1 + n(.03), jaw_w=1 + n(.055), chin=n(.28),
             nose_l=n(.22), nose_w=1 + n(.09), bridge=n(.12), brow=n(.14),
             eye_d=3.2 + n(.08), eye_h=1 + n(.07), mouth_w=2.45 + n(.13),
             lip_u=.72 + n(.09), lip_l=.98 + n(.10), cheek=n(.25), ear=1 + n(.06),
             brow_t=1 + n(.2), tilt=.10 + n(.06))
    t = r.uniform(0, 3.6) if seed else 0.62
    i = int(t)
    p['skin'] = TONES[i] * (1 - t + i) + TONES[i + 1] * (t - i)
    dark = t > 2
    p['hair'] = HAIRS[r.choice([0, 1]) if dark else r.choice(6, p=[.3, .15, .22, .15, .1, .08])]
    p['iris'] = IRISES[r.choice([1, 4]) if dark else r.choice(5, p=[.3, .25, .2, .15, .1])]
    p['shirt'] = SHIRTS[r.integers(len(SHIRTS))]
    p['back'] = BACKS[r.integers(len(BACKS))]
    p['style'] = ['short', 'long'][int(r.uniform() < .45)]
    p['stubble'] = float(r.uniform(.25, .9)) if p['style'] == 'short' else 0.0
    if seed == 0:
        p.update(face_w=1.0, jaw_w=.97, chin=0., nose_l=0., nose_w=1.0, bridge=0., brow=0., eye_d=3.2,
                 eye_h=1.05, mouth_w=2.45, lip_u=.74, lip_l=1.0, cheek=0., ear=1., brow_t=.95, tilt=.10,
                 hair=HAIRS[0], iris=IRISES[0], shirt=SHIRTS[0], back=BACKS[0],
                 style='short', stubble=.35)
    return p


# ---------------------------------------------------- signed distance field
def ell(P, c, r):
    q = P - np.asarray(c, float)
    r = np.asarray(r, float)
    k0 = np.linalg.norm(q / r, axis=-1)
    k1 = np.linalg.norm(q / (r * r), axis=-1) + 1e-9
    return k0 * (k0 - 1) / k1


def cap(P, a, b, ra, rb=None):
    a, b = np.asarray(a, float), np.asarray(b, float)
    rb = ra if rb is None else rb
    d = b - a
    h = np.clip((P - a) @ d / (d @ d), 0, 1)
    return np.linalg.norm(P - a - h[:, None] * d, axis=1) - (ra + (rb - ra) * h)


def smin(a, b, k):
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * k * .25


def smax(a, b, k):
    return -smin(-a, -b, k)


def head_sdf(P, p):
    """Skull, face and neck without lips (these are added as a profile)."""
    Q = P.copy()
    Q[:, 0] = np.abs(Q[:, 0]) / p['face_w']
    jw, nl, nw, ed = p['jaw_w'], p['nose_l'], p['nose_w'], p['eye_d'] / p['face_w']
    d = ell(Q, (0, 3.4, -.8), (7.35, 8.3, 9.5))
    d = smin(d, ell(Q, (0, 3.6, 2.6), (6.2, 6.0, 6.3)), 2.0)             # forehead
    d = smin(d, ell(Q, (0, -3.4, 2.2), (5.9, 7.0, 6.5)), 2.0)            # face mass
    d = smin(d, cap(Q, (5.4, -.4, -.4), (4.75 * jw, -5.5, .9), 1.35, .95), 2.2)    # ramus
    d = smin(d, cap(Q, (4.7 * jw, -5.6, .9), (1.35 * jw, -9.7 - p['chin'], 6.7), 1.2, 1.1), 2.6)
    d = smin(d, ell(Q, (0, -9.2 - p['chin'], 6.9), (1.75 * jw, 1.55, 2.05)), 1.8)   # chin
    d = smin(d, ell(Q, (4.3, -2.0, 5.4), (1.9, 1.35, 2.2 + p['cheek'])), 2.0)    # cheekbone
    d = smin(d, ell(Q, (2.9, -4.7, 6.0), (2.2, 2.4, 2.3)), 1.8)          # cheek
    d = smin(d, ell(Q, (0, -6.4, 6.6), (2.7, 2.5, 2.65)), 1.6)           # muzzle
    d = smin(d, cap(Q, (.9, 1.75, 8.3 + p['brow']), (4.3, 2.0, 6.6), .75, .7), 1.6)  # brow ridge
    d = smax(d, -ell(Q, (ed + .05, -.05, 9.35), (1.75, 1.15, 1.55)), 1.5)     # sockets
    d = smin(d, np.linalg.norm(Q - np.array([ed, 0, 7.0]), axis=1) - 1.36, .55)
    tip = np.array([0, -3.35 - nl, 10.55])
    d = smin(d, cap(Q, (0, .9, 8.35 + p['bridge']), tip, .50, .70 * nw), 1.55)
    d = smin(d, ell(Q, tip + [0, -.05, .1], (.86 * nw, .72, .8)), .6)
    d = smin(d, ell(Q, (1.08 * nw, -3.85 - nl, 9.55), (.68, .62, .86)), .55)
    d = smin(d, ell(Q, (0, -4.25 - nl, 9.9), (.28, .42, .75)), .4)
    d = smax(d, -ell(Q, (.62 * nw, -4.42 - nl, 9.95), (.30, .50, .46)), .35)
    neck = cap(Q, (0, -3, -1.6), (0, -19, -3.6), 5.2, 5.5)
    neck = smin(neck, cap(Q, (5.4, -5.2, -2.4), (1.2, -17.0, 1.4), .6), 1.6)
    neck = smin(neck, ell(Q, (0, -12.2, 2.7), (.9, 1.6, 1.0)), 1.4)
    neck = smin(neck, cap(Q, (0, -15, -3.9), (4.2, -21, -4.2), 5.0), 2.5)
    return smin(d, neck, 2.1)


def cast(O, D, p, rmax=19.0, sdf=head_sdf):
    """Outermost hit of rays O + r D, marched inwards."""
    r = np.full(len(D), float(rmax))
    live = np.arange(len(D))
    for _ in range(70):
        d = sdf(O[live] + r[live, None] * D[live], p)
        r[live] = np.maximum(r[live] - .75 * np.clip(d, -.3, 2.0), .5)
        live = live[np.abs(d) > 2e-4]
        if not len(live):
            break
    return r


class Part:
    """A grid of vertices with its triangles and per-vertex paint."""

    def __init__(self, V, F, mat, albedo, spec=.3, gloss=30., rest=None):
        self.V, self.F, self.mat = np.asarray(V, float), np.asarray(F, np.int32), mat
        n = len(self.V)
        self.albedo = np.broadcast_to(np.asarray(albedo, float), (n, 3)).copy()
        self.spec = np.broadcast_to(np.asarray(spec, float), (n,)).copy()
        self.gloss = np.broadcast_to(np.asarray(gloss, float), (n,)).copy()
        self.rest = self.V.copy() if rest is None else rest
        self.ao = np.ones(n)


def grid_faces(idx):
    a, b, c, d = idx[:-1, :-1], idx[:-1, 1:], idx[1:, 1:], idx[1:, :-1]
    return np.concatenate([np.stack([a, d, c], -1).reshape(-1, 3),
                           np.stack([a, c, b], -1).reshape(-1, 3)])


def noise3(P, seed, scale):
    """Cheap smooth noise in [-1, 1] from a few rotated sines."""
    r = np.random.default_rng(seed)
    out = np.zeros(len(P))
    for k in range(6):
        w = r.normal(size=3)
        w *= r.uniform(.7, 1.6) / np.linalg.norm(w) / scale
        out += np.sin(P @ w + r.uniform(0, 6.28) + 1.5 * np.sin(P @ w[[1, 2, 0]] * .7))
    return out / 3.2


# --------------------------------------------------------------------- head
class Head:
    def __init__(self, p):
        self.p = p
        self.hw = p['mouth_w']
        self.ym0 = -6.85
        self.eyes = [np.array([s * p['eye_d'], 0, 7.0]) for s in (-1, 1)]
        self._skin()
        self._fields()
        self._mouth_inside()
        self._eyeballs()
        self._ears()
        self._clothes()
        self._paint()
        self._hair()

    # mouth line in the rest face: a flat cupid's bow
    def mouth_line(self, x):
        s = np.abs(x) / self.hw
        return self.ym0 - .10 * np.exp(-(s / .16) ** 2) + .05 * np.exp(-((s - .4) / .25) ** 2) - .10 * s ** 3

    def lid_line(self, x, k):
        """Closed lid line of eye k and the half-almond weight."""
        c = self.eyes[k]
        u = (x - c[0]) / 1.5 * (-1 if k == 0 else 1)       # +1 = outer corner
        f = np.maximum(1 - u * u, 0)
        return c[1] - .06 + self.p['tilt'] * u - .40 * f ** .8, f, u

    def _rays(self, az, pitch, oy):
        D = np.stack([np.sin(az) * np.cos(pitch), np.sin(pitch), np.cos(az) * np.cos(pitch)], -1)
        O = np.zeros_like(D)
        O[..., 1] = oy
        return O.reshape(-1, 3), D.reshape(-1, 3)

    def _skin(self):
        p = self.p
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
        A = np.broadcast_to(az, pitch.shape).copy()
        nr, nc = pitch.shape

        # bend one row so that it runs along the mouth line / lid lines
        def hit(rows, cols, pt):
            O, D = self._rays(A[rows, cols], pt, RAY_Y)
            return O + cast(O, D, p)[:, None] * D

        xs = lambda cols, row: hit(np.full(len(cols), row), cols, pitch[row, cols])[:, 0]
        allc = np.arange(nc)
        mid = nc // 2
        shift = np.zeros_like(pitch)
        slits = []
        specs = [(self.mouth_line, lambda x: np.abs(x) / self.hw, None)]
        for k in (0, 1):
            specs.append((lambda x, k=k: self.lid_line(x, k)[0],
                          lambda x, k=k: np.abs(self.lid_line(x, k)[2]), k))
        for line, lat, k in specs:
            xc = 0 if k is None else self.eyes[k][0]
            c0 = int(np.argmin(np.abs(az - np.arctan2(xc, 8.5))))
            y0 = line(np.array([xc]))[0]
            # row nearest the line at the centre column
            O, D = self._rays(A[:, c0], pitch[:, c0], oy[:, c0])
            ys = (O + cast(O, D, p)[:, None] * D)[:, 1]
            R = int(np.argmin(np.abs(ys[:nr - nb] - y0)))
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
        pitch = pitch + shift
        O, D = self._rays(A, pitch, oy)
        r = cast(O, D, p)
        V = O + r[:, None] * D
        self.nr, self.nc = nr, nc
        self.radius = (np.degrees(az), np.degrees(pf[:nr - nb]), r.reshape(nr, nc)[:nr - nb])
        V = V.reshape(nr, nc, 3)

        # duplicate the slit rows: the original vertex serves the upper side
        idx = np.arange(nr * nc).reshape(nr, nc)
        verts = [V.reshape(-1, 3)]
        n = nr * nc
        side = np.zeros((nr, nc), int)                     # unused outside slits
        low = {}
        faces_idx_up, faces_idx_dn = idx.copy(), idx.copy()
        self.edges = []
        for (R, a, b) in slits:
            inner = np.arange(a + 1, b)
            dup = n + np.arange(len(inner))
            n += len(inner)
            verts.append(V[R, inner])
            faces_idx_dn[R, inner] = dup
            up = idx[R, a:b + 1]
            dn = faces_idx_dn[R, a:b + 1]
            self.edges.append((R, a, b, up, dn))
        V = np.concatenate(verts)
        F = []
        for j in range(nr - 1):                            # top row of a cell uses the lower copy
            F.append(grid_faces(np.stack([faces_idx_dn[j], idx[j + 1]])))
        F = np.concatenate(F)
        self.skinV, self.skinF = V, F
        self.idx = idx

    def _fields(self):
        """Rest lips, masks and the displacement fields of the expressions."""
        p, V = self.p, self.skinV
        hw = self.hw
        x, y, z = V.T
        R, a, b, up, dn = self.edges[0]
        isdup = np.arange(len(V)) >= self.nr * self.nc
        row = np.full(len(V), -1)
        row[:self.nr * self.nc] = np.repeat(np.arange(self.nr), self.nc)
        lower = row > R                                    # strictly below the mouth row
        lower[dn] = True
        lower[up[[0, -1]]] = False
        lowset = np.zeros(len(V), bool)
        lowset[dn[1:-1]] = True
        for e in self.edges[1:]:
            lower[e[4]] = False
        lower |= lowset
        s = x / hw
        t = y - self.mouth_line(x)
        front = smoothstep(3.0, 5.5, z)
        # lip profile: displacement along the outward normal of the muzzle
        w = np.clip(1 - np.abs(s) ** 2.6, 0, 1) ** .8 * front
        bow = .16 * np.exp(-((np.abs(s) - .17) / .13) ** 2) - .09 * np.exp(-(s / .07) ** 2)
        hu = (p['lip_u'] * np.clip(1 - np.abs(s) ** 2.0, .02, 1) ** .8 + bow * .8)
        hl = p['lip_l'] * np.clip(1 - np.abs(s) ** 2.4, .02, 1) ** .75
        self.hu, self.hl = hu, hl
        pu = PchipInterpolator([0, .12, .45, .92, 1.08, 1.6, 2.8, 9], [-.16, .03, .27, .26, .20, .05, 0, 0])
        pl = PchipInterpolator([0, .10, .42, .80, 1.05, 1.5, 2.4, 9], [-.18, .04, .38, .26, .06, -.14, 0, 0])
        qu, ql = np.clip(t / hu, 0, 8.9), np.clip(-t / hl, 0, 8.9)
        d = np.where(lower, pl(ql), pu(qu)) * w
        phil = -.10 * np.exp(-(x / .28) ** 2) * smoothstep(.05, .5, t - hu) * smoothstep(2.2, 1.2, t) * ~lower
        nl_fold = self._nasolabial(x, y) * front
        ang = np.arctan2(x, 6.0)
        nrm = np.stack([np.sin(ang), np.zeros_like(x), np.cos(ang)], -1)
        V += nrm * (d + phil - .10 * nl_fold)[:, None]
        # corner dimple
        V[:, 2] -= .16 * np.exp(-((np.abs(x) - hw) / .35) ** 2 - (t / .35) ** 2) * front
        self.lipmask = np.where(lower, smoothstep(1.06, .90, ql), smoothstep(1.05, .93, qu)) \
            * (np.abs(s) < 1.0) * front * smoothstep(1.0, .93, np.abs(s))
        self.s, self.t, self.lower, self.front = s, t, lower, front
        x, y, z = V.T

        # --- jaw weight
        wl_up = .40 * np.clip(np.abs(s), 0, 1) ** 2.6
        wl_lo = 1 - .60 * np.clip(np.abs(s), 0, 1) ** 2.6
        wj = smoothstep(-.5, 4.5, z - .25 * (y + 8)) * smoothstep(-13.2, -10.4, y + .10 * (z - 6))
        lat = smoothstep(7.2, 3.2, np.abs(x))
        above = wl_up * smoothstep(4.2, 0, t) * lat * front
        below = wl_lo * lat + (wj - wl_lo * lat) * smoothstep(0, 2.2, -t)
        self.wjaw = np.where(lower, below * smoothstep(-1, 3, z), above)

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
        self.fields = f
        # weights used to close the lips: how far a lip vertex follows its edge
        self.seal_w = np.exp(-(t / 1.0) ** 2) * (np.abs(s) < 1.02) * front
        col = np.full(len(V), -1)
        col[:self.nr * self.nc] = np.tile(np.arange(self.nc), self.nr)
        col[self.edges[0][4]] = np.arange(a, b + 1)
        self.seal_idx = np.where((col >= a) & (col <= b) & (self.seal_w > .02))[0]
        self.seal_col = col[self.seal_idx] - a

        # --- eyelids: rotation about the eyeball
        self.lids = []
        for k in (0, 1):
            R2, a2, b2, up2, dn2 = self.edges[1 + k]
            c = self.eyes[k]
            yl, fx, u = self.lid_line(x, k)
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
            for e in self.edges[1 + (1 - k)][3:]:
                ok[e] = False
            sel = np.where(ok & ((np.where(lowlid, wd, wu)) > 1e-3))[0]
            self.lids.append((k, sel, lowlid[sel], np.where(lowlid, wd, wu)[sel]))
            # keep the closed lids outside the eyeball
            rr = np.linalg.norm(dd, axis=1)
            fix = (np.abs(u) < 1.15) & (np.abs(dd[:, 1]) < 1.1) & (rr < 1.33) & (z > 5)
            V[fix] = c + dd[fix] / rr[fix][:, None] * 1.33
        self.row = row

    @staticmethod
    def _nasolabial(x, y):
        """Fold from the nose wing to beside the mouth corner."""
        yy = np.clip(y, -7.2, -3.8)
        xc = 1.75 + (-3.8 - yy) * .46
        return np.exp(-((np.abs(x) - xc) / .28) ** 2) * smoothstep(-7.4, -6.0, y) * smoothstep(-3.4, -4.4, y)

    # ------------------------------------------------------ inside the mouth
    def _mouth_inside(self):
        V = self.skinV
        R, a, b, up, dn = self.edges[0]
        n = len(up)
        self.inner = []
        rowsU, rowsL = [V[up]], [V[dn]]
        xs = V[up][:, 0]
        steps = [(.22, .02), (.55, .10), (.95, .35), (1.5, .9), (2.6, 1.5), (4.2, 1.6), (6.0, .9)]
        prof = np.clip(1 - (xs / self.hw) ** 2, 0, 1) ** .5
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
        self.bag_rows, self.bag_n = k, n
        self.bag_f = np.array([0, .15, .35, .6, .85, 1, 1, 1])
        Vb = np.concatenate([U.reshape(-1, 3), L.reshape(-1, 3)])
        I = np.arange(2 * k * n).reshape(2, k, n)
        F = np.concatenate([grid_faces(I[0])[:, ::-1], grid_faces(I[1]),
                            grid_faces(np.stack([I[0, -1], I[1, -1]])),
                            grid_faces(np.stack([I[0, :, 0], I[1, :, 0]])), grid_faces(np.stack([I[0, :, -1], I[1, :, -1]]))])
        self.bag = Part(Vb, F, INNER, (.26, .07, .06), .5, 60)
        depth = np.repeat(np.r_[0, [s[0] for s in steps]], n)
        depth = np.concatenate([depth, depth])
        self.bag.ao = np.exp(-depth * .75) * .95 + .02
        self.bag_depth = depth

        # teeth: a swept arch with one bump per tooth
        self.teeth = []
        for upper in (True, False):
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
            lens = (np.array([1.02, .93, 1.02, .85, .8, .75, .7]) if upper else np.array([.86, .88, .95, .85, .8, .7, .7]))[ti]
            rnd = 1 - .10 * np.abs(q) ** 3.5
            h = np.r_[np.linspace(0, .06, 3), np.linspace(.12, .95, 14), np.linspace(1, 1.12, 3), 1.5, 2.0]   # 0 = biting edge
            y0 = self.ym0 - (.30 if upper else .22)
            sg = 1 if upper else -1
            rows, gums, ao = [], [], []
            back = [(-.42, .9), (-.34, .4), (-.22, .06)]
            for off, hh in back:
                P = np.stack([ax, np.full_like(ax, 0), az_], -1) + nn * off
                P[:, 1] = y0 + sg * (hh * lens + (1 - rnd) * lens)
                rows.append(P); gums.append(np.full(len(arc), .3)); ao.append(np.full(len(arc), .5))
            for hh in h:
                prof = .10 * np.sin(np.clip(hh, 0, 1) * np.pi * .85 + .25) - .10 * (hh < .05) - (.05 if hh > 1.2 else 0)
                gumline = 1.0 - .10 * np.abs(q) ** 2
                gm = smoothstep(gumline - .02, gumline + .03, np.full_like(q, hh))
                P = np.stack([ax, np.zeros_like(ax), az_], -1) + nn * (prof - .10 * gap * (1 - gm) * (.35 + .65 * (hh < .9)) + .07 * gm)[:, None]
                P[:, 1] = y0 + sg * (hh * lens + (1 - rnd) * lens * (hh < .5))
                rows.append(P); gums.append(gm); ao.append(1 - .55 * gap * (1 - gm))
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
            self.teeth.append(part)

        # tongue: flattened half ellipsoid lying in the lower arch
        th, ph = np.linspace(0, np.pi, 41), np.linspace(0, 2 * np.pi, 49)
        T, Ph = np.meshgrid(th, ph, indexing='ij')
        tx = 1.95 * np.sin(T) * np.cos(Ph)
        ty = .62 * np.sin(T) * np.sin(Ph)
        ty -= .10 * np.exp(-(tx / .25) ** 2) * (ty > 0) * np.sin(T)
        tz = 3.6 * np.cos(T)
        P = np.stack([tx, ty - 7.75, tz + 4.9], -1).reshape(-1, 3)
        I = np.arange(len(P)).reshape(T.shape)
        self.tongue = Part(P, grid_faces(I), TONGUE, (.46, .17, .16), .35, 35)
        self.tongue.ao = np.clip((P[:, 2] - 4.2) / 5.0, .04, .85)
        self.tongue_w = smoothstep(4.0, 8.3, P[:, 2])

    def _eyeballs(self):
        th = np.r_[np.linspace(0, .75, 26), np.linspace(.8, np.pi, 22)]
        ph = np.linspace(0, 2 * np.pi, 49)
        T, Ph = np.meshgrid(th, ph, indexing='ij')
        D = np.stack([np.sin(T) * np.cos(Ph), np.sin(T) * np.sin(Ph), np.cos(T)], -1).reshape(-1, 3)
        r = 1.215 + .06 * np.exp(-(T.reshape(-1) / .42) ** 4)     # corneal bulge
        I = np.arange(len(D)).reshape(T.shape)
        self.balls = []
        for c in self.eyes:
            e = Part(D * r[:, None], grid_faces(I), EYE, (.7, .66, .62), .9, 220, rest=D)
            self.balls.append(e)
        # lid rims
        self.rims = []
        for k in (0, 1):
            R, a, b, up, dn = self.edges[1 + k]
            for e, lowlid in ((up, False), (dn, True)):
                m = len(e)
                I = np.arange(2 * m).reshape(2, m)
                F = grid_faces(I)
                part = Part(np.zeros((2 * m, 3)), F if lowlid else F[:, ::-1], SKIN,
                            self.p['skin'] * np.array([.95, .62, .58]), .5, 60)
                part.rest = np.concatenate([self.skinV[e], self.skinV[e]])
                self.rims.append((k, e, part))
        # caruncle: a small pink wet bead in the inner corner
        T, Ph = np.meshgrid(np.linspace(0, np.pi, 9), np.linspace(0, 2 * np.pi, 13), indexing='ij')
        D = np.stack([np.sin(T) * np.cos(Ph), np.cos(T), np.sin(T) * np.sin(Ph)], -1).reshape(-1, 3)
        self.car = []
        for k, c in enumerate(self.eyes):
            sgn = 1 if k == 0 else -1
            P = D * [.17, .12, .14] + c + [sgn * 1.30, -.16 - self.p['tilt'], .56]
            self.car.append(Part(P, grid_faces(np.arange(len(D)).reshape(T.shape)), SKIN, (.5, .2, .17), .8, 80))

    def _ears(self):
        th = np.linspace(0, 2 * np.pi, 73)
        rr = np.r_[np.linspace(0.02, 1, 26), 1.03, 1.0, .9, .7, .4]
        Rr, T = np.meshgrid(rr, th, indexing='ij')
        back = np.zeros(len(rr), bool)
        back[27:] = True
        # outline: a backward, b up
        b_ = np.sin(T)
        a_ = np.cos(T)
        oa = np.where(a_ > 0, 1.75, 1.25) * (1 + .16 * b_)
        ob = np.where(b_ > 0, 3.0, 3.1)
        lobe = 1 - .30 * smoothstep(-.3, -1, b_)
        A, B = a_ * oa * lobe * Rr, b_ * ob * Rr
        r = np.minimum(Rr, 1)
        helix = .52 * np.exp(-((r - .92) / .085) ** 2) * smoothstep(-.85, -.3, b_ + .6 * np.maximum(a_, 0)) * (smoothstep(-1.2, -.2, a_ + .6 * b_))
        anti = .34 * np.exp(-((r - .60 - .06 * b_) / .11) ** 2) * smoothstep(-.5, .3, a_)
        concha = -.85 * np.exp(-((A + .15) / .62) ** 2 - ((B + .35) / .95) ** 2)
        tragus = .42 * np.exp(-((A + 1.05) / .3) ** 2 - ((B + .4) / .5) ** 2)
        lob = .14 * np.exp(-((A - .1) / .7) ** 2 - ((B + 2.3) / .7) ** 2)
        H = .25 + helix + anti + concha + tragus + lob - .1 * r ** 6
        H = np.where(back[:, None], .25 - .38 - .55 * np.clip(1 - Rr, 0, 1) ** .8, H)
        H[26] = .12
        q = np.linspace(3, 10, 400)
        inside = head_sdf(np.stack([q, 0 * q - 1.1, 0 * q + .5], -1), self.p) < 0
        self.ear_x = float(q[inside].max())
        self.ears = []
        for sgn in (-1, 1):
            k = .93 * self.p['ear']
            fl = np.radians(31)
            x0 = self.ear_x
            a3, b3, h3 = A * k, B * k, H * k
            X = sgn * (x0 - .12 + h3 * np.cos(fl) + (a3 + .9) * np.sin(fl))
            Y = b3 - 1.1
            Zp = -.3 - (a3 * np.cos(fl) - h3 * np.sin(fl) * .6) - .14 * b3
            P = np.stack([X, Y, Zp], -1).reshape(-1, 3)
            F = grid_faces(np.arange(len(P)).reshape(X.shape))
            if sgn > 0:
                F = F[:, ::-1]
            part = Part(P, F, SKIN, self.p['skin'] * np.array([1.0, .80, .76]), .25, 18)
            part.ao = np.clip(1 + .85 * concha - .45 * np.exp(-((r - .77) / .06) ** 2) * (b_ > -.4), .25, 1).reshape(-1)
            self.ears.append(part)

    def _clothes(self):
        def torso(P, p):
            Q = P.copy()
            Q[:, 0] = np.abs(Q[:, 0])
            d = ell(Q, (0, -34, -3.2), (16, 17, 11.0))
            d = smin(d, cap(Q, (3, -17.0, -5.0), (15.0, -22.0, -4.8), 3.9, 4.2), 4.0)
            return smin(d, cap(Q, (16.8, -23.5, -4.5), (19, -42, -3.5), 4.6), 3.0)
        az = np.radians(np.linspace(-180, 180, 181))
        pt = np.radians(np.linspace(84, -40, 110))
        A, Pt = np.meshgrid(az, pt)
        D = np.stack([np.sin(A) * np.cos(Pt), np.sin(Pt), np.cos(A) * np.cos(Pt)], -1).reshape(-1, 3)
        O = np.zeros_like(D) + [0, -27, -4.2]
        V = O + cast(O, D, self.p, 34, torso)[:, None] * D
        fold = noise3(V * [1, .45, 1], 5, 2.3)
        V += D * (.16 * fold * smoothstep(-16, -24, V[:, 1]))[:, None]
        self.cloth = Part(V, grid_faces(np.arange(len(V)).reshape(A.shape)), CLOTH, self.p['shirt'], .06, 8)
        u, v = np.linspace(0, 2 * np.pi, 121), np.linspace(0, 2 * np.pi, 17)
        U, W = np.meshgrid(u, v, indexing='ij')
        rx, rz = 6.75, 6.75
        cy = -15.6 - 1.9 * np.cos(U)
        cx, cz = rx * np.sin(U), -3.3 + rz * np.cos(U)
        X = cx + .38 * np.cos(W) * np.sin(U)
        Zc = cz + .38 * np.cos(W) * np.cos(U)
        Y = cy + .85 * np.sin(W)
        P = np.stack([X, Y, Zc], -1).reshape(-1, 3)
        rib = 1 + .10 * np.sin(U * 90).reshape(-1)
        # a yoke from the collar down into the chest, and no neck below it
        g = np.linspace(0, 1, 10)
        U2, G = np.meshgrid(u, g, indexing='ij')
        Y2 = -15.6 - 1.9 * np.cos(U2) - 4.6 * G
        Q = np.stack([(rx + .15 + 1.9 * G) * np.sin(U2), Y2, -3.3 + (rz + .15 + 1.5 * G) * np.cos(U2)], -1).reshape(-1, 3)
        self.yoke = Part(Q, grid_faces(np.arange(len(Q)).reshape(U2.shape))[:, ::-1], CLOTH, self.p['shirt'], .06, 8)
        sv = self.skinV
        keep = sv[:, 1] > -16.4 - 1.9 * (sv[:, 2] + 3.3) / rz
        self.skinF = self.skinF[keep[self.skinF].all(1)]
        self.collar = Part(P, grid_faces(np.arange(len(P)).reshape(U.shape))[:, ::-1], CLOTH, self.p['shirt'][None] * rib[:, None] * .9, .06, 8)

    # ---------------------------------------------------------------- colour
    def hairline(self, azd):
        a = np.abs(azd)
        if self.p['style'] == 'long':
            return np.interp(a, [0, 25, 45, 60, 72, 90, 180], [6.6, 6.3, 4.6, 1.5, -1.5, -3.0, -7.5])
        return PchipInterpolator([0, 20, 38, 50, 60, 69, 77, 84, 92, 104, 120, 181],
                                 [6.5, 6.6, 6.2, 4.6, 2.6, 1.2, -1.4, .2, 1.6, -2.4, -5.0, -6.6])(a)

    def _paint(self):
        p, V = self.p, self.skinV
        x, y, z = V.T
        base = p['skin']
        col = np.broadcast_to(base, (len(V), 3)).copy()
        n1, n2 = noise3(V, 11, 1.6), noise3(V, 12, .35)
        col *= (1 + .035 * n1 + .03 * n2)[:, None]
        red = .75 * np.exp(-((np.abs(x) - 3.7) / 1.9) ** 2 - ((y + 3.3) / 1.7) ** 2) \
            + .75 * np.exp(-(x / 1.2) ** 2 - ((y + 3.5) / 1.0) ** 2) + .30 * np.exp(-(x / 1.8) ** 2 - ((y + 9.6) / 1.0) ** 2) \
            + .25 * np.exp(-((np.abs(x) - 1.5) / .4) ** 2 - ((y + 4.1) / .5) ** 2)
        red = np.clip(red * (1 + .25 * n1) * self.front + .06 * n2, 0, 1.2)
        col *= 1 - red[:, None] * np.array([.0, .25, .24])
        for k in (0, 1):
            c = self.eyes[k]
            rr = np.hypot((x - c[0]) / 1.7, (y - c[1] - .05) / 1.05)
            ring = np.exp(-(rr / 1.0) ** 4) * self.front
            col *= 1 - ring[:, None] * np.array([.10, .20, .17])
            bag = np.exp(-((x - c[0] * .93) / 1.2) ** 2 - ((y + 1.35) / .4) ** 2) * self.front
            col *= 1 - bag[:, None] * np.array([.07, .10, .07])
        beard = p['stubble'] * smoothstep(-3.6, -5.2, y + .25 * np.maximum(np.abs(x) - 2.6, 0) * -1) * self.front \
            * smoothstep(-13.0, -11.0, y) * (1 - .75 * np.exp(-((np.abs(x) - 2.6) / 1.1) ** 2 - ((y + 4.6) / 1.2) ** 2))
        self.beard = beard * (1 - self.lipmask)
        col *= 1 - .30 * (self.beard * (1 + .3 * noise3(V, 15, .12)))[:, None] * np.array([1.0, .92, .84])
        lm = (self.lipmask * (.90 + .10 * n2))[:, None]
        lines = 1 + .07 * np.sin(x * 26 + 2 * np.sin(x * 7 + y * 3)) * self.lipmask
        lip = base * np.array([.86, .50, .52]) * lines[:, None] * (1 - .12 * (~self.lower))[:, None]
        col = col * (1 - lm) + lip * lm
        azd = np.degrees(np.arctan2(x, z))
        hl = self.hairline(azd)
        self.scalp = smoothstep(-.35, .55, y - hl + .35 * n2 + .2 * n1) * (z < 30) * (y > -9)
        sc = self.scalp[:, None]
        col = col * (1 - .93 * sc) + (p['hair'] * .7 + .02 * base) * .93 * sc
        self.col = np.clip(col, .003, .95)
        lms = self.lipmask
        self.spec = (.30 + .20 * np.exp(-(x / 1.6) ** 2 - ((y + 1.5) / 5) ** 2) * self.front + .35 * lms) * (1 - .9 * self.scalp)
        self.gloss = 16 + 6 * self.front + 26 * lms
        ao = np.ones(len(V))
        nl, nw = p['nose_l'], p['nose_w']
        for s in (-1, 1):
            dn = np.sqrt(((x - s * .62 * nw) / .36) ** 2 + ((y + 4.33 + nl) / .42) ** 2 + ((z - 9.9) / .55) ** 2)
            ao *= 1 - .93 * smoothstep(1.15, .5, dn)
        ao *= 1 - .28 * np.exp(-((np.abs(x) - self.hw) / .25) ** 2 - (self.t / .22) ** 2) * self.front
        ao *= 1 - .45 * np.exp(-(self.t / .09) ** 2) * (np.abs(self.s) < 1) * self.front
        ao *= 1 - .5 * smoothstep(-10.5, -14, y) * smoothstep(-2, 3, z) * .55
        self.ao = ao

    # ------------------------------------------------------------------ hair
    def _radius_at(self, D):
        azs, pts, R = self.radius
        az = np.degrees(np.arctan2(D[:, 0], D[:, 2]))
        pt = np.degrees(np.arcsin(np.clip(D[:, 1], -1, 1)))
        i = np.clip(np.interp(az, azs, np.arange(len(azs))), 0, len(azs) - 1.001)
        j = np.clip(np.interp(-pt, -pts, np.arange(len(pts))), 0, len(pts) - 1.001)
        i0, j0 = i.astype(int), j.astype(int)
        fi, fj = i - i0, j - j0
        return (R[j0, i0] * (1 - fi) * (1 - fj) + R[j0, i0 + 1] * fi * (1 - fj)
                + R[j0 + 1, i0] * (1 - fi) * fj + R[j0 + 1, i0 + 1] * fi * fj)

    def _hair(self):
        p, V = self.p, self.skinV
        r = np.random.default_rng(77 + p['seed'])
        F = self.skinF
        tri = V[F]
        area = np.linalg.norm(np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0]), axis=1)
        dens = self.scalp[F].mean(1)
        w = area * np.where(dens > .25, dens, 0)
        longs = p['style'] == 'long'
        N = 15000 if longs else 21000
        f = r.choice(len(F), N, p=w / w.sum())
        b = r.dirichlet((1, 1, 1), N)
        root = (tri[f] * b[..., None]).sum(1)
        C = np.array([0, RAY_Y, 0])
        D = root - C
        D /= np.linalg.norm(D, axis=1)[:, None]
        x, y, z = root.T
        clump = np.stack([noise3(root, 31 + k, 1.0) for k in range(3)], -1)
        fine = r.normal(size=(N, 3))
        steps = 14 if longs else 9
        pts = [root]
        if longs:
            part = -1.6
            sgn = np.where(x > part, 1., -1.)
            flow = np.stack([sgn * smoothstep(14, 4, y) * 1.3 + 0, -1.2 + 0 * x, -.35 + .0 * z + .25 * smoothstep(4, 9, z) * 0 - .55 * smoothstep(2, 8, z)], -1)
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
            edge = smoothstep(0, 1.6, y - self.hairline(np.degrees(np.arctan2(x, z))))
            length *= .40 + .60 * edge
            thick = (.16 + 1.25 * top * (.45 + .55 * edge)) * r.uniform(.35, 1, N)
        flow = flow + .30 * clump + .13 * fine
        seg = length / steps
        q = root.copy()
        vel = None
        for k in range(1, steps + 1):
            a = k / steps
            Dq = q - C
            rq = np.linalg.norm(Dq, axis=1)
            Dq /= rq[:, None]
            d = flow.copy()
            if longs:
                fall = smoothstep(2.5, -3.5, q[:, 1])[:, None]
                d = d * (1 - fall) + fall * (np.array([0, -1.6, .06]) + .10 * clump + np.stack([.06 * np.sign(q[:, 0]) * (1 - a * 1.6), 0 * x, 0 * x], -1))
            d -= (d * Dq).sum(1)[:, None] * Dq * (1 - (fall if longs else 0))
            d /= np.linalg.norm(d, axis=1)[:, None] + 1e-9
            if not longs:
                d += Dq * (.9 * (1 - a) ** 1.5 * smoothstep(.2, 1, thick))[:, None]
                d /= np.linalg.norm(d, axis=1)[:, None]
            q = q + d * seg[:, None]
            if longs:                                          # a curtain beside the face, never across it
                azq, flat = np.arctan2(q[:, 0], q[:, 2]), np.hypot(q[:, 0], q[:, 2])
                m = np.abs(azq)
                azq = sgn * (m + np.maximum(curtain - m, 0) * smoothstep(6.6, 4.6, q[:, 1]))
                q = np.stack([flat * np.sin(azq), q[:, 1], flat * np.cos(azq)], -1)
            Dq = q - C
            rq = np.linalg.norm(Dq, axis=1)
            Dq /= rq[:, None]
            want = self._radius_at(Dq) + thick * np.sqrt(a) * (1.0 if longs else (.35 + .65 * np.sin(min(a, .75) * np.pi * .66)))
            if longs:
                on = q[:, 1] > -2.0
                q = np.where((on | (rq < want))[:, None], C + Dq * np.where(on, want * .6 + np.maximum(rq, want) * .4, np.maximum(rq, want))[:, None], q)
            else:
                q = C + Dq * (want * .75 + np.maximum(rq, want) * .25)[:, None]
            pts.append(q)
        self.strands = np.stack(pts, 1).astype(np.float32)            # (N, steps+1, 3)
        shade = (1 + .25 * r.normal(size=N).clip(-2, 2) + .22 * clump[:, 0]).clip(.35, 1.8)
        self.strand_col = (p['hair'][None] * shade[:, None]).astype(np.float32)
        rel = thick / (thick.max() + 1e-6)
        self.strand_ao = (.45 + .55 * rel).astype(np.float32)

        # brows and lashes: strands that ride on skin vertices
        n = self.nr * self.nc
        bx, by = np.abs(V[:n, 0]), V[:n, 1]
        ux = (bx - 1.25) / 3.45                                      # 0 inner, 1 outer
        yc = 1.72 + 1.15 * np.sin(np.clip(ux, 0, 1) * 2.35) * .62 - .35 * np.clip(ux - .55, 0, 1)
        th = (.34 * (1 - .72 * np.clip(ux, 0, 1) ** 1.6)) * p['brow_t']
        m = smoothstep(1.15, .55, np.abs(by - yc) / th) * smoothstep(-.06, .08, ux) * smoothstep(1.03, .9, ux) * (V[:n, 2] > 4)
        self.brow_mask = m
        self.col[:n] = self.col[:n] * (1 - .45 * m[:, None]) + p['hair'] * .45 * m[:, None]
        M = 2600
        vi = r.choice(n, M, p=m / m.sum())
        sx = np.sign(V[vi, 0])
        u = np.clip(ux[vi], 0, 1)
        rel = (by[vi] - yc[vi]) / th[vi]
        d = np.stack([sx * (.35 + .9 * u), .95 * (1 - u) ** 1.2 - .35 * u - .35 * rel * (.3 + u), -.05 - .45 * u], -1) + .16 * r.normal(size=(M, 3))
        d /= np.linalg.norm(d, axis=1)[:, None]
        L = r.uniform(.35, .75, M)[:, None] * (1 - .25 * u[:, None])
        jit = r.normal(size=(M, 3)) * .05
        outn = np.stack([.25 * sx, 0 * u, np.ones(M)], -1)
        self.tufts = [(vi, np.stack([jit + outn * .02, jit + d * L * .5 + outn * .09, jit + d * L + outn * .07], 1),
                       np.broadcast_to(p['hair'] * .8, (M, 3)))]
        for k in (0, 1):
            R, a, b, up, dn = self.edges[1 + k]
            for e, lowlid in ((up, False), (dn, True)):
                cnt = 26 if lowlid else 240
                ii = r.integers(1, len(e) - 1, cnt)
                vi = e[ii]
                _, fx, uu = self.lid_line(V[vi, 0], k)
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
                self.tufts.append((vi, np.stack([o0 + j, o1 + j, o2 + j], 1), np.broadcast_to(p['hair'] * .3 + (.03 if lowlid else .004), (m2, 3))))

    # ------------------------------------------------------------- animation
    def pose(self, e):
        """Deform everything for the expression dictionary e.

        Returns (parts, strands, strand_colours, strand_ao, opening_points);
        parts is a list of (vertices, Part-like paint) in head space.
        """
        g = lambda k: float(e.get(k, 0.0))
        V = self.skinV.copy()
        for k, fd in self.fields.items():
            if abs(g(k)) > 1e-4:
                V += g(k) * fd
        ang = np.radians(11.5) * g('jaw')

        def jaw(P, w):
            c, s = np.cos(ang * w), np.sin(ang * w)
            dy, dz = P[:, 1] - JAW_Y, P[:, 2] - JAW_Z
            Q = P.copy()
            Q[:, 1] = JAW_Y + c * dy - s * dz
            Q[:, 2] = JAW_Z + s * dy + c * dz + .25 * g('jaw') * w
            return Q
        V = jaw(V, self.wjaw)
        R, a, b, up, dn = self.edges[0]
        # lips meet: move both edges of every column towards each other
        gap = V[up] - V[dn]
        seal = np.clip(g('seal'), 0, 1)
        over = np.clip(-gap[:, 1], 0, None)               # never let lips overlap
        mv = gap * seal
        mv[:, 1] -= over * (1 - seal)
        i, c = self.seal_idx, self.seal_col
        w = self.seal_w[i][:, None]
        lo = self.lower[i][:, None]
        V[i] += np.where(lo, .62 * w * mv[c], -.38 * w * mv[c])
        # lids
        ao = self.ao.copy()
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
        parts = [(V, self.skinF, self.skinV, self.col, self.spec, self.gloss, ao, SKIN)]

        def add(P, part, ao=None):
            parts.append((P, part.F, part.rest, part.albedo, part.spec, part.gloss, part.ao if ao is None else ao, part.mat))

        # mouth bag follows the lip edges, deeper rows follow skull and jaw
        k, n = self.bag_rows, self.bag_n
        B = self.bag.V.reshape(2, k, n, 3)
        dU, dL = V[up] - self.skinV[up], V[dn] - self.skinV[dn]
        out = np.empty_like(B)
        f = self.bag_f[:, None, None]
        Lj = jaw(B[1].reshape(-1, 3), np.full(k * n, .9)).reshape(k, n, 3) - B[1]
        out[0] = B[0] + (1 - f) * dU[None]
        out[1] = B[1] + (1 - f) * dL[None] + f * Lj
        for q, dd in ((0, dU), (1, dL)):
            out[q, ..., 0] = B[q, ..., 0] + np.minimum(dd[:, 0] * np.sign(B[q, ..., 0]), (1 - f[..., 0]) * dd[:, 0] * np.sign(B[q, ..., 0])) * np.sign(B[q, ..., 0])
        add(out.reshape(-1, 3), self.bag)
        opening = float(np.linalg.norm(V[up[len(up) // 2]] - V[dn[len(dn) // 2]]))
        light = np.clip(.6 + opening * .5, 0, 1)
        add(self.teeth[0].V, self.teeth[0], self.teeth[0].ao * light)
        one = lambda P: jaw(P, np.ones(len(P)))
        add(one(self.teeth[1].V), self.teeth[1], self.teeth[1].ao * light)
        T = self.tongue.V.copy()
        T[:, 1] += self.tongue_w * (.75 * g('tongue')) + .35 * g('tongue_back') * (1 - self.tongue_w)
        T[:, 2] += self.tongue_w * .35 * g('tongue_out') + .15 * g('tongue')
        add(one(T), self.tongue, self.tongue.ao * light)
        gx, gy = g('gaze_x'), g('gaze_y')
        for kk, (ball, c) in enumerate(zip(self.balls, self.eyes)):
            ay = gx + (.035 if kk == 0 else -.035)
            Ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
            Rx = np.array([[1, 0, 0], [0, np.cos(gy), np.sin(gy)], [0, -np.sin(gy), np.cos(gy)]])
            P = ball.V @ (Ry @ Rx).T + c
            upl = V[self.edges[1 + kk][3]]
            ytop = np.interp(P[:, 0], upl[:, 0], upl[:, 1])
            sh = np.clip((ytop - P[:, 1]) / .55, 0, 1)
            add(P, ball, .42 + .58 * sh)
        for kk, e_, part in self.rims:
            E = V[e_]
            I2 = self.eyes[kk] + (E - self.eyes[kk]) * (1.19 / np.linalg.norm(E - self.eyes[kk], axis=1))[:, None]
            add(np.concatenate([E, I2]), part)
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
