"""Sounds that close the lips, in synthetic speech whose phoneme times are known."""
import random

import numpy as np

from data import voices
from head.speech import RATE, synthesise

LEAD = RATE // 2                             # samples of silence around a sentence
CLOSING = ("p", "b", "m")                    # an IPA name that begins so: aspirated and long ones too


def spoken(text, count, seed):
    """Yields (samples [N] float32 at 16 kHz, [(begin, end) in samples] of its /p b m/) of `count` sentences of a
    plain text file by espeak-ng. `text`: VOICE=FILE, as of `prepare_speech.py`."""
    voice, _, path = text.partition("=")
    draw = random.Random(f"{seed}-bilabials-{voice}")
    for sentence in voices.sentences(path, count, seed):
        variant = draw.choice(voices.VARIANTS)
        audio, phonemes = synthesise(sentence, f"{voice}+{variant}", draw.randint(120, 210), draw.randint(20, 80))
        level = 10 ** draw.uniform(-1.5, 0) / max(np.abs(audio).max(), 1e-6)
        closed = [(LEAD + begin * RATE, LEAD + end * RATE) for begin, end, name in phonemes
                  if name.startswith(CLOSING)]
        if closed:
            yield np.pad(level * audio, LEAD).astype(np.float32), closed
