"""Parts next to the skin: eyeballs and the rims of their lids, ears, clothes."""
import numpy as np

from mesh import CLOTH, EYE, SKIN, Part, grid_faces, noise3, smoothstep
from shape import cap, cast, ell, head_sdf, smin


def eyeballs(head):
    """Gives a head its eyeballs, lid rims and caruncles."""
    th = np.r_[np.linspace(0, .75, 26), np.linspace(.8, np.pi, 22)]
    ph = np.linspace(0, 2 * np.pi, 49)
    T, Ph = np.meshgrid(th, ph, indexing='ij')
    D = np.stack([np.sin(T) * np.cos(Ph), np.sin(T) * np.sin(Ph), np.cos(T)], -1).reshape(-1, 3)
    r = 1.215 + .06 * np.exp(-(T.reshape(-1) / .42) ** 4)     # corneal bulge
    I = np.arange(len(D)).reshape(T.shape)
    head.balls = []
    for _ in head.eyes:
        e = Part(D * r[:, None], grid_faces(I), EYE, (.7, .66, .62), .9, 220, rest=D)
        head.balls.append(e)
    # lid rims
    head.rims = []
    for k in (0, 1):
        R, a, b, up, dn = head.edges[1 + k]
        for e, lowlid in ((up, False), (dn, True)):
            m = len(e)
            I = np.arange(2 * m).reshape(2, m)
            F = grid_faces(I)
            part = Part(np.zeros((2 * m, 3)), F if lowlid else F[:, ::-1], SKIN,
                        head.p['skin'] * np.array([.95, .62, .58]), .5, 60)
            part.rest = np.concatenate([head.skinV[e], head.skinV[e]])
            head.rims.append((k, e, part))
    # caruncle: a small pink wet bead in the inner corner
    T, Ph = np.meshgrid(np.linspace(0, np.pi, 9), np.linspace(0, 2 * np.pi, 13), indexing='ij')
    D = np.stack([np.sin(T) * np.cos(Ph), np.cos(T), np.sin(T) * np.sin(Ph)], -1).reshape(-1, 3)
    head.car = []
    for k, c in enumerate(head.eyes):
        sgn = 1 if k == 0 else -1
        P = D * [.17, .12, .14] + c + [sgn * 1.30, -.16 - head.p['tilt'], .56]
        head.car.append(Part(P, grid_faces(np.arange(len(D)).reshape(T.shape)), SKIN, (.5, .2, .17), .8, 80))


def ears(head):
    """Gives a head its ears: a height field over an ellipse."""
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
    helix = .52 * np.exp(-((r - .92) / .085) ** 2) * smoothstep(-.85, -.3, b_ + .6 * np.maximum(a_, 0)) \
        * (smoothstep(-1.2, -.2, a_ + .6 * b_))
    anti = .34 * np.exp(-((r - .60 - .06 * b_) / .11) ** 2) * smoothstep(-.5, .3, a_)
    concha = -.85 * np.exp(-((A + .15) / .62) ** 2 - ((B + .35) / .95) ** 2)
    tragus = .42 * np.exp(-((A + 1.05) / .3) ** 2 - ((B + .4) / .5) ** 2)
    lob = .14 * np.exp(-((A - .1) / .7) ** 2 - ((B + 2.3) / .7) ** 2)
    H = .25 + helix + anti + concha + tragus + lob - .1 * r ** 6
    H = np.where(back[:, None], .25 - .38 - .55 * np.clip(1 - Rr, 0, 1) ** .8, H)
    H[26] = .12
    q = np.linspace(3, 10, 400)
    inside = head_sdf(np.stack([q, 0 * q - 1.1, 0 * q + .5], -1), head.p) < 0
    head.ear_x = float(q[inside].max())
    head.ears = []
    for sgn in (-1, 1):
        k = .93 * head.p['ear']
        fl = np.radians(31)
        x0 = head.ear_x
        a3, b3, h3 = A * k, B * k, H * k
        X = sgn * (x0 - .12 + h3 * np.cos(fl) + (a3 + .9) * np.sin(fl))
        Y = b3 - 1.1
        Zp = -.3 - (a3 * np.cos(fl) - h3 * np.sin(fl) * .6) - .14 * b3
        P = np.stack([X, Y, Zp], -1).reshape(-1, 3)
        F = grid_faces(np.arange(len(P)).reshape(X.shape))
        if sgn > 0:
            F = F[:, ::-1]
        part = Part(P, F, SKIN, head.p['skin'] * np.array([1.0, .80, .76]), .25, 18)
        part.ao = np.clip(1 + .85 * concha - .45 * np.exp(-((r - .77) / .06) ** 2) * (b_ > -.4), .25, 1).reshape(-1)
        head.ears.append(part)


def clothes(head):
    """Gives a head a shirt with collar and yoke, and takes the skin below it away."""
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
    V = O + cast(O, D, head.p, 34, torso)[:, None] * D
    fold = noise3(V * [1, .45, 1], 5, 2.3)
    V += D * (.16 * fold * smoothstep(-16, -24, V[:, 1]))[:, None]
    head.cloth = Part(V, grid_faces(np.arange(len(V)).reshape(A.shape)), CLOTH, head.p['shirt'], .06, 8)
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
    head.yoke = Part(Q, grid_faces(np.arange(len(Q)).reshape(U2.shape))[:, ::-1], CLOTH, head.p['shirt'], .06, 8)
    sv = head.skinV
    keep = sv[:, 1] > -16.4 - 1.9 * (sv[:, 2] + 3.3) / rz
    head.skinF = head.skinF[keep[head.skinF].all(1)]
    head.collar = Part(P, grid_faces(np.arange(len(P)).reshape(U.shape))[:, ::-1], CLOTH,
                       head.p['shirt'][None] * rib[:, None] * .9, .06, 8)
