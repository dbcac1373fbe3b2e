"""Who the rendered head is: proportions and colours by seed."""
import numpy as np

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
