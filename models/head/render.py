"""Software renderer: z-buffer, shadow map, ambient occlusion, screen-space
subsurface scattering and strand hair, compiled with numba, one thread.

The world is the camera's: x right, y up, the camera at z = DIST looking
down -z.  Pixels are rendered at twice the size and averaged.
"""
import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from mesh import smoothstep
from raster import NONE, lines, normals, raster, splat_depth, ssao
from shading import hair_shade, resolve, scatter, shade

DIST = 95.0
LIFT = [0, 3.0, 0]      # from the head's space to the picture's


def unit(v):
    """A vector at length 1."""
    v = np.asarray(v, float)
    return v / np.linalg.norm(v)


KEY, KEYC = unit([-.55, .52, .72]), np.array([2.55, 2.40, 2.20])
FILL, FILLC = unit([.80, .10, .60]), np.array([.50, .55, .64])
RIM, RIMC = unit([.75, .45, -.55]), np.array([1.5, 1.55, 1.7])
SKY, GROUND = np.array([.52, .56, .62]), np.array([.23, .19, .165])


def rotation(yaw, pitch, roll):
    """The rotation matrix of angles in degrees."""
    y, p, r = np.radians([yaw, -pitch, roll])
    Ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    Rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    Rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return Rz @ Ry @ Rx


class Renderer:
    """Draws a head (`face.Head`) at width x height, from a raster `ss` times as fine."""

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
        for V, f, rs, al, sp, gl, _, m in parts:
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
        """Returns (uint8 image [height, width, 3], info with the true lip opening in pixels).

        e: strengths of the muscles; angles in degrees, dx, dy and bob in cm; seed: of the grain."""
        hd, ss = self.h, self.ss
        parts, n_head, tufts, lips = hd.pose(e)
        if self.static is None:
            self._gather(parts)
        F, rest, alb, spec, gloss, mat = self.static
        ao = np.concatenate([q[6] for q in parts])
        Rm = rotation(yaw, pitch, roll)
        place = self._placement(Rm, yaw, roll, dx, dy, bob)
        P = place(np.concatenate([q[0] for q in parts]), self._follows(parts, n_head, rest))
        long = hd.p['style'] == 'long'
        S_strand = place(hd.strands.astype(float),
                         smoothstep(-22, -9, hd.strands[..., 1]) if long else np.ones(hd.strands.shape[:2]))
        tf = [place(q, np.ones(q.shape[:2])) for q, _ in tufts]
        P += LIFT
        S_strand += LIFT
        tf = [q + LIFT for q in tf]
        N = normals(P, F)
        Hs, Ws = self.H * ss, self.W * ss
        f = 2.31 * Hs * zoom_
        cx, cy = Ws / 2, Hs / 2

        def project(Q):
            z = DIST - Q[..., 2]
            return np.stack([cx + f * Q[..., 0] / z, cy - f * Q[..., 1] / z, z], -1)
        zb, b1, b2, tmp, rgb, E, E2, A, SP, ib, mato = self._buffers(Hs, Ws)
        raster(project(P), F, zb, ib, b1, b2)
        sm, SA = shadow_map(P, F, S_strand)

        # strands
        c0 = place(np.array([[0, 3.0, 0]]), np.ones(1))[0] + LIFT
        N0 = S_strand[:, min(3, S_strand.shape[1] - 1)] - c0
        N0 /= np.linalg.norm(N0, axis=1)[:, None]
        C = np.zeros(S_strand.shape)
        hair_shade(S_strand, N0, hd.strand_col.astype(float), hd.strand_ao.astype(float), self.lights, self.amb,
                   sm, SA, C)
        occ = np.ones((self.H * ss // 2, self.W * ss // 2))
        lines(project(S_strand), C, zb, mato, rgb, .02)
        for q, (_, col) in zip(tf, tufts):
            Nn = np.tile(Rm @ [0, .25, .97], (len(q), 1))
            Ct = np.zeros(q.shape)
            hair_shade(q, Nn, np.ascontiguousarray(col, dtype=float), np.full(len(q), .9), self.lights, self.amb,
                       sm, SA, Ct)
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
        lp = project(place(np.array(lips), np.ones(2)) + LIFT)[:, :2] / ss
        return out, dict(lip_opening_px=float(np.linalg.norm(lp[0] - lp[1])),
                         lip_up=lp[0].tolist(), lip_low=lp[1].tolist())

    def _buffers(self, Hs, Ws):
        """Cleared buffers of the raster's size, kept between frames: page faults cost more than the fill."""
        if self.buf is None:
            self.buf = [np.zeros((Hs, Ws)) for _ in range(4)] + [np.zeros((Hs, Ws, 3)) for _ in range(5)] \
                + [np.zeros((Hs, Ws), np.int64) for _ in range(2)]
        zb, ib, mato = self.buf[0], *self.buf[9:]
        zb.fill(1e3)
        ib.fill(-1)
        mato.fill(NONE)
        return self.buf

    @staticmethod
    def _placement(Rm, yaw, roll, dx, dy, bob):
        """A function (points [.., 3], how far each follows the head [..]) -> points turned and moved."""
        piv = np.array([0, -9.5, -2.0])

        def place(P, headw):
            a = (P - piv) @ Rm.T + piv
            R2 = rotation(yaw * .18, 0, roll * .15)
            b = (P - [0, -20, -4]) @ R2.T + [0, -20, -4]
            out = a * headw[..., None] + b * (1 - headw[..., None])
            out[..., 0] += dx
            out[..., 1] += dy + bob * 1.0
            return out
        return place

    @staticmethod
    def _follows(parts, n_head, rest):
        """[V] how far each vertex follows the head: the neck in part, clothes not at all."""
        wh = np.zeros(sum(len(q[0]) for q in parts))
        wh[:sum(len(q[0]) for q in parts[:n_head])] = 1
        ns = len(parts[0][0])
        wh[:ns] = smoothstep(-17.5, -9.5, rest[:ns, 1])
        return wh


def shadow_map(P, F, strands):
    """(depths [640, 640] along the key light, the affine map [3, 4] into them) of triangles and hair."""
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
    splat_depth(light(strands[::2]), sm)
    return sm, SA
