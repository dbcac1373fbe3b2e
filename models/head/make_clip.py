"""Render a talking head clip: python make_clip.py --help"""
import argparse
import json
import subprocess
import time
from pathlib import Path

import numpy as np
from PIL import Image

import speech
from face import Head
from identity import identity
from render import Renderer

DEFAULT = 'Blue waves from the open sea move my little boat.'
VOICES = {'short': ('en-us', 38), 'long': ('en-us+f3', 55)}


def drift(r, t, period, amp):
    """Smooth motion: three sines with unrelated periods, within +-amp."""
    out = np.zeros_like(t)
    for k, w in enumerate((.55, .30, .15)):
        out += w * np.sin(2 * np.pi * t / (period / (1, 1.7, 2.9)[k] * r.uniform(.8, 1.2)) + r.uniform(0, 6.28))
    return amp * out


def motion(seed, seconds, fps, amount=1.0):
    """({name: values of the head's motion}, {name: values of the muscles that do not speak}), one value a frame."""
    r = np.random.default_rng(4000 + seed)
    t = np.arange(int(round(seconds * fps))) / fps
    m = dict(yaw=drift(r, t, 4.5, 13 * amount), pitch=drift(r, t, 3.6, 4.5 * amount),
             roll=drift(r, t, 5.0, 3.6 * amount), dx=drift(r, t, 5.5, 1.1 * amount),
             dy=drift(r, t, 4.8, .55 * amount), zoom_=1 + drift(r, t, 9, .03 * amount))
    blink = np.zeros_like(t)
    b = r.uniform(.5, 1.3)
    while b < seconds:
        d = t - b
        blink = np.maximum(blink, np.where(d < 0, np.exp(-(d / .055) ** 2), np.exp(-(d / .09) ** 2)))
        b += r.uniform(1.6, 3.4)
    sac = np.zeros((2, len(t)))
    b = 0
    cur = np.zeros(2)
    while b < len(t):
        n = int(r.uniform(.4, 1.3) * fps)
        sac[:, b:b + n] = cur[:, None]
        cur = r.normal(size=2) * [.045, .025]
        b += n
    e = dict(blink=blink, gaze_x=np.clip(-np.radians(m['yaw']) * .75 + sac[0], -.32, .32),
             gaze_y=np.clip(-np.radians(m['pitch']) * .7 + sac[1], -.16, .16),
             brow=.25 + drift(r, t, 2.6, .45), brow_in=np.clip(drift(r, t, 3.1, .4), 0, 1),
             smile=np.clip(.12 + drift(r, t, 4.0, .16), 0, 1), squint=np.clip(drift(r, t, 3.3, .5), 0, 1))
    return m, e


def plan(text, seed, seconds, fps, lead, voice, speed, pitch, strength):
    """(samples, phonemes, motion, muscles, seconds) of a text spoken; seconds <= 0: as long as the text needs."""
    x, ph = speech.synthesise(text, voice, speed, pitch)
    if seconds <= 0:
        seconds = np.ceil((len(x) / speech.RATE + 2 * lead) * fps) / fps
    if len(x) / speech.RATE + lead > seconds:
        raise SystemExit(f"the speech lasts {len(x) / speech.RATE:.2f} s: too long for the clip")
    wav, ph = speech.place(x, ph, seconds, lead)
    m, e = motion(seed, seconds, fps)
    mus = speech.muscles(ph, seconds, fps, strength)
    talk = np.convolve(mus['jaw'], np.ones(5) / 5, 'same')
    m['pitch'] = np.clip(m['pitch'] - 1.6 * (talk - .25), -6, 6)
    for k, v in mus.items():
        e[k] = e.get(k, 0) + v
    return wav, ph, m, e, seconds


def tidy(meta):
    """JSON with one line a phoneme and one line a frame."""
    items = []
    for k, v in meta.items():
        t = json.dumps(v, ensure_ascii=False)
        if isinstance(v, list):
            t = '[\n' + ',\n'.join('  ' + json.dumps(q, ensure_ascii=False) for q in v) + '\n ]'
        items.append(f' {json.dumps(k)}: {t}')
    return '{\n' + ',\n'.join(items) + '\n}\n'


def options():
    """The parsed command line."""
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('out', type=Path, help='folder for JPEG frames, or a file NAME.mp4')
    a.add_argument('--text', default=DEFAULT)
    a.add_argument('--other', default='', help='also write other.wav with this text')
    a.add_argument('--identity', type=int, default=0)
    a.add_argument('--motion', type=int, default=1)
    a.add_argument('--seconds', type=float, default=0, help='0: as long as the text needs')
    a.add_argument('--lead', type=float, default=.22, help='seconds of silence before the speech')
    a.add_argument('--size', default='640x480')
    a.add_argument('--fps', type=int, default=25)
    a.add_argument('--speed', type=int, default=140, help='words a minute')
    a.add_argument('--strength', type=float, default=1.0, help='how wide the mouth moves')
    a.add_argument('--still', type=int, default=-1, help='render only this frame')
    return a.parse_args()


def encoder(path, size, fps, sound):
    """An ffmpeg process that makes an mp4 of raw pictures on its input and a sound file."""
    return subprocess.Popen(['ffmpeg', '-y', '-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', size,
                             '-r', str(fps), '-i', '-', '-i', str(sound), '-c:v', 'libx264', '-threads', '1',
                             '-crf', '14', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '96k', '-shortest',
                             str(path)], stdin=subprocess.PIPE)


def measured(info, m, i):
    """The entry of `truth` for frame i, from what the renderer tells of it and the motion."""
    point = lambda name: [round(q, 2) for q in info[name]]
    return dict(lip_opening_px=round(info['lip_opening_px'], 3), upper_lip=point('lip_up'), lower_lip=point('lip_low'),
                **{k: round(float(m[k][i]), 2) for k in ('yaw', 'pitch', 'roll')})


def main():
    """The command."""
    o = options()
    w, h = map(int, o.size.split('x'))
    p = identity(o.identity)
    voice, pitch = VOICES[p['style']]
    wav, ph, m, e, seconds = plan(o.text, o.motion, o.seconds, o.fps, o.lead, voice, o.speed, pitch, o.strength)
    n = int(round(seconds * o.fps))
    rd = Renderer(Head(p), w, h)
    video = o.out.suffix == '.mp4'
    base = o.out.parent if video else o.out
    base.mkdir(parents=True, exist_ok=True)
    if video:
        wp = o.out.with_suffix('.wav')
        speech.write_wav(wp, wav)
        pipe = encoder(o.out, o.size, o.fps, wp)
    else:
        (o.out / 'frames').mkdir(exist_ok=True)
        speech.write_wav(o.out / 'speech.wav', wav)
    truth, t0 = [], time.time()
    for i in range(n):
        if o.still >= 0 and i != o.still:
            continue
        img, info = rd.frame({k: v[i] for k, v in e.items()}, **{k: v[i] for k, v in m.items()}, seed=i)
        truth.append(measured(info, m, i))
        if video:
            pipe.stdin.write(img.tobytes())
        else:
            Image.fromarray(img).save(o.out / 'frames' / f'{i:04d}.jpg', quality=90, optimize=True)
    took = (time.time() - t0) / max(1, len(truth))
    meta = dict(fps=o.fps, width=w, height=h, frames=n, identity=o.identity, motion=o.motion, sentence=o.text,
                phonemes=[[round(x, 3), round(y, 3), s] for x, y, s in ph])
    if o.other and not video:
        y, ph2 = speech.synthesise(o.other, voice, o.speed, pitch)
        sec2 = len(y) / speech.RATE + 2 * o.lead
        y, ph2 = speech.place(y, ph2, sec2, o.lead)
        speech.write_wav(o.out / 'other.wav', y)
        meta.update(other_sentence=o.other, other_phonemes=[[round(x, 3), round(z, 3), s] for x, z, s in ph2])
    meta['truth'] = truth
    path = o.out.with_suffix('.json') if video else o.out / 'clip.json'
    path.write_text(tidy(meta), encoding='utf8')
    if video:
        pipe.stdin.close()
        pipe.wait()
    print(f"{len(truth)} frames, {took:.2f} s a frame")


if __name__ == '__main__':
    main()
