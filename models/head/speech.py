"""Speech and mouth curves: espeak-ng speaks a text and reports when each
phoneme starts; phonemes become targets of a few muscles, blended in time.
"""
import ctypes
import ctypes.util
import wave

import numpy as np
from scipy.signal import resample_poly

RATE = 16000


class _Event(ctypes.Structure):
    class _Id(ctypes.Union):
        _fields_ = [('number', ctypes.c_int), ('name', ctypes.c_char_p), ('string', ctypes.c_char * 8)]
    _fields_ = [('type', ctypes.c_int), ('unique_identifier', ctypes.c_uint), ('text_position', ctypes.c_int),
                ('length', ctypes.c_int), ('audio_position', ctypes.c_int), ('sample', ctypes.c_int),
                ('user_data', ctypes.c_void_p), ('id', _Id)]


_lib = None


def _library():
    global _lib
    if _lib is None:
        name = ctypes.util.find_library('espeak-ng') or 'libespeak-ng.so.1'
        lib = ctypes.CDLL(name)
        rate = lib.espeak_Initialize(2, 0, None, 1 | 2)       # synchronous, phoneme events in IPA
        if rate <= 0:
            raise RuntimeError('espeak-ng did not start')
        _lib = (lib, rate)
    return _lib


def synthesise(text, voice='en-us', speed=150, pitch=45, spread=55):
    """Returns (samples at RATE, [(start s, end s, IPA phoneme)])."""
    lib, rate = _library()
    chunks, marks = [], []
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))

    def got(wav, n, ev):
        if n > 0:
            chunks.append(np.ctypeslib.as_array(wav, (n,)).copy())
        i = 0
        while ev[i].type != 0:
            if ev[i].type == 7:
                marks.append((ev[i].sample / rate, bytes(ev[i].id.string).split(b'\0')[0].decode('utf8', 'ignore')))
            i += 1
        return 0
    cb = kind(got)
    lib.espeak_SetSynthCallback(cb)
    if lib.espeak_SetVoiceByName(voice.encode()):
        raise RuntimeError('no voice ' + voice)
    for k, v in ((1, speed), (3, pitch), (4, spread)):
        lib.espeak_SetParameter(k, v, 0)
    t = text.encode()
    lib.espeak_Synth(t, len(t) + 1, 0, 1, 0, 1, None, None)
    lib.espeak_Synchronize()
    x = np.concatenate(chunks).astype(np.float64) / 32768
    loud = np.where(np.abs(x) > .004)[0]
    end = (loud[-1] + 1) / rate
    y = resample_poly(x, RATE, rate)
    ph = []
    for i, (a, s) in enumerate(marks):
        b = marks[i + 1][0] if i + 1 < len(marks) else end
        ph.append((a, min(max(b, a), end) if i + 1 == len(marks) else b, s))
    return y[:int(end * RATE) + 1], [p for p in ph if p[1] > p[0]]


def place(samples, phones, seconds, lead):
    """Speech inside a clip of given length, silence before and after."""
    n = int(round(seconds * RATE))
    out = np.zeros(n)
    k = int(round(lead * RATE))
    m = min(len(samples), n - k)
    out[k:k + m] = samples[:m]
    peak = np.abs(out).max() + 1e-9
    out *= .6 / peak
    return out, [(a + lead, b + lead, s) for a, b, s in phones if a + lead < seconds]


def write_wav(path, x):
    """Writes samples in [-1, 1] at RATE as 16-bit mono."""
    with wave.open(str(path), 'wb') as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes((np.clip(x, -1, 1) * 32767).astype('<i2').tobytes())


# muscles: jaw, wide, pucker, upper, lower, fv, press, seal, tongue, tongue_back, smile
_V = lambda **k: k
VISEMES = {
    'rest': _V(jaw=.0, seal=1.0),
    'm': _V(jaw=.10, seal=1.0, press=.8),
    'f': _V(jaw=.12, fv=1.0, upper=.45),
    'T': _V(jaw=.22, upper=.25, lower=.25, tongue=.75, tongue_out=1.0),
    't': _V(jaw=.16, wide=.25, upper=.28, lower=.40, tongue=.9),
    's': _V(jaw=.08, wide=.40, upper=.36, lower=.55, tongue=.4),
    'S': _V(jaw=.12, pucker=.62, upper=.52, lower=.60),
    'k': _V(jaw=.28, wide=.10, upper=.20, lower=.25, tongue_back=.9),
    'r': _V(jaw=.22, pucker=.48, upper=.25, lower=.30, tongue=.3),
    'l': _V(jaw=.34, wide=.10, upper=.22, lower=.22, tongue=1.0),
    'h': _V(jaw=.36, upper=.15, lower=.15),
    'w': _V(jaw=.14, pucker=1.0, upper=.10, lower=.12),
    'u': _V(jaw=.20, pucker=.95, upper=.15, lower=.18),
    'U': _V(jaw=.28, pucker=.62, upper=.20, lower=.22),
    'o': _V(jaw=.50, pucker=.72, upper=.20, lower=.22),
    'O': _V(jaw=.70, pucker=.42, upper=.15, lower=.20),
    'a': _V(jaw=.98, wide=.12, upper=.20, lower=.20),
    'A': _V(jaw=.82, wide=.55, upper=.34, lower=.28),
    'V': _V(jaw=.60, wide=.10, upper=.18, lower=.18),
    '@': _V(jaw=.40, upper=.15, lower=.15),
    'e': _V(jaw=.52, wide=.50, upper=.28, lower=.30),
    'i': _V(jaw=.22, wide=.95, upper=.36, lower=.46, tongue_back=.3),
    'I': _V(jaw=.32, wide=.55, upper=.26, lower=.32),
    '3': _V(jaw=.34, pucker=.35, upper=.24, lower=.26),
}
_PHONEMES = {
    'm': 'm b p', 'f': 'f v', 'T': 'θ ð', 't': 't d n ɾ t̬ ɾ̃ n̩', 's': 's z', 'S': 'ʃ ʒ tʃ dʒ', 'k': 'k ɡ g ŋ x ʔ',
    'r': 'ɹ r', 'l': 'l ɫ', 'h': 'h', 'w': 'w ʍ', 'u': 'u uː', 'U': 'ʊ', 'o': 'o oː oʊ əʊ', 'O': 'ɔ ɔː ɒ ɔːɹ oːɹ ɔɪ',
    'a': 'a aː ɑ ɑː aɪ aʊ ɑːɹ', 'A': 'æ aa', 'V': 'ʌ ɐ', '@': 'ə əl ɚ', 'e': 'e ɛ eɪ ɛɹ eə', 'i': 'i iː j',
    'I': 'ɪ ᵻ i̞ ɪɹ iə', '3': 'ɜ ɜː ɝ',
}
_MAP = {phoneme: key for key, names in _PHONEMES.items() for phoneme in names.split()}
_GLIDE = {'aɪ': 'I', 'eɪ': 'I', 'ɔɪ': 'I', 'aʊ': 'U', 'oʊ': 'u', 'əʊ': 'u', 'ɑːɹ': 'r', 'ɔːɹ': 'r', 'oːɹ': 'r',
          'ɛɹ': 'r', 'ɪɹ': 'r'}
# how firmly a sound holds a muscle against its neighbours
_FIRM = {'m': 5., 'f': 4., 'w': 2.5, 'u': 2., 'S': 2., 's': 1.6, 'o': 1.6, 'a': 1.5, 'A': 1.4, 'i': 1.4, 'T': 1.5,
         't': .8, 'k': .6, 'h': .45, '@': .8, 'rest': 2.}
# seconds of anticipation and release: lips start to round early, closures are sharp
_REACH = {'pucker': (.085, .07), 'wide': (.085, .07), 'seal': (.028, .026), 'press': (.028, .026), 'fv': (.028, .026)}


def viseme(ph):
    """The key in VISEMES of an IPA phoneme."""
    ph = ph.strip('ˈˌ_ ')
    if not ph:
        return 'rest'
    for n in (len(ph), 3, 2, 1):
        if ph[:n] in _MAP:
            return _MAP[ph[:n]]
    return '@'


def muscles(phones, seconds, fps, strength=1.0):
    """Muscle curves, one value a frame, by weighted blending of targets."""
    segs = []
    for a, b, s in phones:
        s = s.strip('ˈˌ ')
        v = viseme(s)
        if v == 'rest' and b - a < .06:
            continue
        if v == 'm' and b - a < .07:                      # the closure comes before the burst
            a = b - .07
        if s in _GLIDE:
            m = a + .55 * (b - a)
            segs += [(a, m, v), (m, b, _GLIDE[s])]
        else:
            segs.append((a, b, v))
    if not segs:
        return {k: np.zeros(int(round(seconds * fps))) for k in ('jaw',)}
    segs = [(-1., segs[0][0] - .05, 'rest')] + segs + [(segs[-1][1] + .03, seconds + 1, 'rest')]
    names = sorted({k for v in VISEMES.values() for k in v})
    sub = 4
    t = (np.arange(int(round(seconds * fps)) * sub) / sub + .5) / fps
    num = {k: np.zeros_like(t) for k in names}
    den = {k: np.full_like(t, 1e-6) for k in names}
    for a, b, v in segs:
        tg, firm = VISEMES[v], _FIRM.get(v, 1.)
        for k in names:
            pre, post = _REACH.get(k, (.050, .045))
            d = np.where(t < a, (a - t) / pre, np.where(t > b, (t - b) / post, 0))
            if v in ('m', 'f') and k in ('seal', 'fv', 'press'):
                mid, half = (a + b) / 2, max((b - a) / 2, .026)
                d = np.maximum(np.abs(t - mid) - half, 0) / .026
            w = firm * np.exp(-d ** 1.6)
            if v == 'm' and k == 'seal':
                w *= 3
            num[k] += w * tg.get(k, 0.)
            den[k] += w
    out = {}
    for k in names:
        c = (num[k] / den[k]).reshape(-1, sub).mean(1)
        out[k] = c * (strength if k in ('jaw', 'wide', 'pucker', 'upper', 'lower') else 1.)
    out['jaw'] *= 1 - .5 * np.clip(out['seal'], 0, 1)
    return out
