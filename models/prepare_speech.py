"""The corpus of the phonetic encoder: speech without pictures, synthetic voices, and the teacher's targets.

    python prepare_speech.py --data DATA --out W/speech [--text LANGUAGE=FILE ...] [--hold-out 8]

DATA has a MANIFEST.tsv and folders `speech`, `audio/train`; each `train` clip with sound gives its sound. With
`--text` synthetic voices say sentences of a plain text file: `de=texts/german` for espeak-ng's `de`,
`flite=FILE` and `festival:VOICE=FILE` for the other programs. `--hold-out` speakers of the labelled real speech are
never trained on; the report is on them. Written once, whole; `data/corpus.py` says what lies where.
"""
import argparse
import csv
import json
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from data import files, speech_teacher, voices
from data.sources import plain

RATE, LONGEST, SHORTEST = 16000, 30 * 16000, 16000 // 2
CODECS = [options.split() for options in (
    "-c:a libopus -b:a 8k -f ogg", "-c:a libopus -b:a 14k -f ogg", "-c:a libmp3lame -b:a 24k -f mp3",
    "-c:a libmp3lame -b:a 16k -ar 16000 -f mp3", "-c:a pcm_mulaw -ar 8000 -f wav", "-c:a libspeex -b:a 8k -f ogg",
    "-c:a libvorbis -q:a -1 -f ogg", "-c:a adpcm_ms -f wav")]


def real_speech(data):
    """Yields (name, speaker, rights, path) of every recording of the training split."""
    for path in sorted((data / "speech").rglob("*.opus")):
        parts = path.relative_to(data / "speech").parts
        labelled = len(parts) == 3
        yield plain("__".join(parts)), parts[1] if labelled else "", "cleared", path
    with open(data / "MANIFEST.tsv", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            path = data / row["file"]
            movie = row["file"].startswith("video/") and row["sound"] == "y"
            if row["split"] == "train" and (movie or row["file"].startswith("audio/train")):
                yield plain(path.stem), f"clip-{row['person']}", row["rights"] or "unknown", path


def through_codec(samples, draw):
    """The same samples through a drawn lossy codec, aligned to them; unchanged where the codec is not built in."""
    with tempfile.TemporaryDirectory() as folder:
        coded = Path(folder) / "coded"
        answer = subprocess.run(["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-",
                                 *draw.choice(CODECS), str(coded)], input=samples.tobytes(), capture_output=True)
        if answer.returncode:
            return samples
        back = voices.decode(coded)
    return align(back, samples)


def align(coded, samples, reach=1200):
    """Shifts a coded copy to where it correlates best with the original: not all codecs report the delay they add."""
    size = 1 << (len(samples) + len(coded)).bit_length()
    first, second = (np.fft.rfft(s.astype(np.float64), size) for s in (coded, samples))
    product = np.fft.irfft(first * np.conj(second))
    lags = np.concatenate([np.arange(0, reach), np.arange(-reach, 0)])
    lag = int(lags[np.argmax(product[lags])])
    shifted = coded[lag:] if lag > 0 else np.concatenate([np.zeros(-lag, np.int16), coded])
    return np.concatenate([shifted, np.zeros(max(0, len(samples) - len(shifted)), np.int16)])[:len(samples)]


class Writer:
    """Appends items to the corpus' files."""

    def __init__(self, out):
        self.out, self.rows, self.samples, self.columns = out, [], 0, 0
        self.audio, self.coded, self.hidden = (open(out / name, "wb") for name in
                                               ("audio.i16", "coded.i16", "hidden.f16.part"))

    def add(self, name, speaker, rights, kind, samples, coded, hidden):
        """One item: samples and coded copy [N] int16, the teacher's layers [columns, 432]."""
        self.audio.write(samples.tobytes())
        self.coded.write(coded.tobytes())
        self.hidden.write(hidden.astype(np.float16).tobytes())
        self.rows.append(dict(name=name, speaker=speaker, rights=rights, kind=kind, begin=self.samples,
                              samples=len(samples), column=self.columns, columns=len(hidden)))
        self.samples += len(samples)
        self.columns += len(hidden)

    def close(self):
        """Ends the three files."""
        for file in (self.audio, self.coded, self.hidden):
            file.close()


def principal_components(hidden, count):
    """Mean, directions and scales of the teacher's layers. A component is divided by the square root of its standard
    deviation (soft whitening): strong ones still weigh more, weak ones are not noise blown up."""
    sample = hidden[:: max(1, len(hidden) // 200_000)].astype(np.float64)
    mean = sample.mean(0)
    values, vectors = np.linalg.eigh(np.cov((sample - mean).T))
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    return dict(mean=mean.astype(np.float32), directions=vectors.astype(np.float32).copy(),
                scale=(values ** -0.25).astype(np.float32), variance=sample.var(0).astype(np.float32)), \
        values.sum() / sample.var(0).sum()


def held_out_speakers(rows, count):
    """`count` labelled speakers of the real speech, evenly spaced in alphabetical order."""
    speakers = sorted({r["speaker"] for r in rows if r["kind"] == "real" and r["speaker"].startswith("SPEAKER")})
    return set(speakers[:: max(1, len(speakers) // count)][:count]) if count else set()


def items(arguments):
    """Yields (name, speaker, rights, kind, samples): the real recordings, then the synthetic voices."""
    for name, speaker, rights, path in real_speech(arguments.data):
        if arguments.rights not in (None, rights):
            continue
        try:
            yield name, speaker or name, rights, "real", voices.decode(path)
        except ValueError as error:
            print(f"left out: {error}", flush=True)
    for entry in arguments.text:
        voice, _, path = entry.partition("=")
        program, _, argument = voice.partition(":")
        if program not in voices.PROGRAMS:
            program, argument = "espeak", voice
        for name, speaker, samples in voices.speak(program, argument, path, arguments.sentences, arguments.seed):
            yield name, speaker, "cleared", "synthetic", samples


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rights", choices=["cleared"], help="leaves out all other recordings")
    parser.add_argument("--text", action="append", default=[], metavar="VOICE=FILE")
    parser.add_argument("--sentences", type=int, default=150, help="of each --text")
    parser.add_argument("--hold-out", type=int, default=8, metavar="SPEAKERS")
    parser.add_argument("--coded", type=float, default=0.4, help="share of the recordings that get a lossy copy")
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if (arguments.out / "index.json").exists():
        raise SystemExit(f"{arguments.out} holds a corpus already")
    teacher, writer, draw = speech_teacher.Teacher(), Writer(arguments.out), random.Random(arguments.seed)
    for name, speaker, rights, kind, samples in items(arguments):
        for begin in range(0, len(samples), LONGEST):
            piece = samples[begin:begin + LONGEST]
            if len(piece) < SHORTEST:
                continue
            hidden = teacher.hidden(piece.astype(np.float32) / 32768).numpy()
            coded = through_codec(piece, draw) if draw.random() < arguments.coded else piece
            writer.add(f"{name}@{begin // RATE}", speaker, rights, kind, piece, coded, hidden)
            if len(writer.rows) % 200 == 0:
                print(f"{len(writer.rows)} items, {writer.samples / RATE / 3600:.2f} hours", flush=True)
    writer.close()
    hidden = np.memmap(arguments.out / "hidden.f16.part", np.float16, "r").reshape(-1, speech_teacher.FEATURES)
    basis, share = principal_components(hidden, arguments.components)
    save_file(basis, str(arguments.out / "basis.safetensors"))
    with files.whole(arguments.out / "target.f16") as file:
        for begin in range(0, len(hidden), 100_000):
            part = (hidden[begin:begin + 100_000].astype(np.float32) - basis["mean"]) @ basis["directions"]
            file.write((part * basis["scale"]).astype(np.float16).tobytes())
    (arguments.out / "hidden.f16.part").unlink()
    aside = held_out_speakers(writer.rows, arguments.hold_out)
    for row in writer.rows:
        row["held_out"] = row["speaker"] in aside
    teacher = f"{speech_teacher.PACKAGE} {speech_teacher.VERSION}"
    files.write_json(arguments.out / "index.json",
                     dict(teacher=teacher, components=arguments.components, items=writer.rows))
    hours = {kind: round(sum(r["samples"] for r in writer.rows if r["kind"] == kind) / RATE / 3600, 2)
             for kind in ("real", "synthetic")}
    print(json.dumps(dict(hours=hours, speakers=len({r["speaker"] for r in writer.rows}), held_out=sorted(aside),
                          variance_kept=round(float(share), 3))))


if __name__ == "__main__":
    main()
