"""Synthetic voices of Debian packages: espeak-ng, flite and festival speak sentences of plain text files."""
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

RATE = 16000
FLITE = ("kal16", "slt", "rms", "awb")
VARIANTS = ("m1", "m3", "m5", "m7", "f1", "f2", "f3", "f4", "f5", "whisper", "croak")    # of espeak-ng


def sentences(path, limit, seed):
    """Up to `limit` sentences of 25 to 160 characters of a text file, drawn by the seed."""
    text = re.sub(r"\n%\n|\n\n|^\s*--.*$", "\n", Path(path).read_text(errors="replace"), flags=re.M)
    text = re.sub(r"(?<![.!?])\n(?=\S)", " ", text)
    found = [" ".join(s.split()) for s in re.split(r"(?<=[.!?])\s+|\n+", text)]
    found = sorted({s for s in found if 25 <= len(s) <= 160 and not re.search(r"[<>@|=_\\{}\[\]]|https?:", s)})
    random.Random(seed).shuffle(found)
    return found[:limit]


def decode(path):
    """[N] int16 at 16 kHz mono of any file that ffmpeg reads."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    answer = subprocess.run(command, capture_output=True)
    if answer.returncode:
        raise ValueError(f"{path}: {answer.stderr.decode(errors='replace').strip()}")
    return np.frombuffer(answer.stdout, np.int16)


def espeak(sentence, language, draw, wave):
    """One sentence by espeak-ng with a drawn variant, pitch and speed; the speaker's name."""
    variant = draw.choice(VARIANTS)
    subprocess.run(["espeak-ng", "-v", f"{language}+{variant}", "-p", str(draw.randint(20, 80)),
                    "-s", str(draw.randint(120, 210)), "-w", str(wave), "--stdin"], input=sentence.encode(), check=True,
                   capture_output=True)
    return f"espeak-{language}-{variant}"


def flite(sentence, _, draw, wave):
    """One English sentence by a flite voice; the speaker's name."""
    voice = draw.choice(FLITE)
    subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(wave)], check=True, capture_output=True)
    return f"flite-{voice}"


def festival(sentence, voice, _, wave):
    """One sentence by a festival voice; the speaker's name."""
    subprocess.run(["text2wave", "-o", str(wave), "-eval", f"(voice_{voice})"],
                   input=sentence.encode("latin-1", "ignore"), check=True, capture_output=True)
    return f"festival-{voice}"


PROGRAMS = {"espeak": ("espeak-ng", espeak), "flite": ("flite", flite), "festival": ("text2wave", festival)}


def speak(program, argument, path, count, seed):
    """Yields (name, speaker, samples) of `count` sentences of a text file; nothing where the program is missing."""
    command, say = PROGRAMS[program]
    if not shutil.which(command):
        print(f"{command} is not installed: its voices are left out", flush=True)
        return
    draw = random.Random(f"{seed}-{program}-{argument}")
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "voice.wav"
        for number, sentence in enumerate(sentences(path, count, seed)):
            try:
                speaker = say(sentence, argument, draw, wave)
                samples = decode(wave)
            except (subprocess.CalledProcessError, ValueError):
                continue                     # a voice that cannot say this sentence
            if len(samples) > RATE // 2:
                yield f"{program}-{argument}-{number}", speaker, samples
