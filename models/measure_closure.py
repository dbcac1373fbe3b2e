"""Do the lips close for /p b m/? Synthetic speech with known phoneme times, in several languages.

    python measure_closure.py --config config/lite.json --face-model F --work CHECKPOINTS

espeak-ng speaks sentences and reports its phonemes; the phonetic encoder and the audio encoder give mouth shapes every
10 ms; MaLS's average over three shapes of 40 ms is applied as in the engine. A /p b m/ counts as closed where the inner
lips of the mean face come closer than 3 % of the distance of the outer eye corners at any time of the phoneme. Also
printed: how far the lips are apart between these phonemes, since a mouth that never opens closes always.
"""
import argparse
from pathlib import Path

import numpy as np

import configuration
from data.dataset import openings
from head.speech import synthesise
from phonetic_features import AudioToShape
from speech import lip_basis

CLOSED = 0.03                                # of the distance of the outer eye corners, 1 in the face model
STEP = 160                                   # samples between the instants that are looked at
VOICES = ("en-us", "de", "fr", "es", "it", "ko")
TEXTS = {
    "en-us": ["My mother bought a big purple umbrella.", "People maybe remember the problem better by Monday.",
              "Bob put the maple syrup on top of my pancake.", "The company became a member of the public board."],
    "de": ["Meine Mutter brachte viele bunte Blumen mit.", "Am Abend bleibt Peter immer im Park.",
           "Bitte pass auf den Ball am Baum auf.", "Papa malt oben am Berg ein Bild."],
    "fr": ["Maman prépare un beau panier de pommes.", "Le petit bateau passe sous le pont.",
              "Mon ami habite près de la mairie.", "Il embarque son beau bagage pour Bordeaux."],
    "es": ["Mi mamá prepara una buena sopa.", "El público aplaude mucho al pintor.",
           "Pablo compra un billete para Panamá.", "El hombre trabaja en el campo."],
    "it": ["La mamma prepara una buona pizza.", "Il bambino beve prima il brodo.",
           "Paolo porta la bambola in campagna.", "Abbiamo bisogno di un po' di tempo."],
    "ko": ["엄마가 밥을 먹고 바나나를 봅니다.", "봄바람이 불면 마음이 편합니다.", "비빔밥은 매우 맵습니다.",
           "아빠가 피아노를 배웁니다."],
}


def smoothed(shapes):
    """The moving average over 40 ms to each side, of shapes [T, mouth] 10 ms apart."""
    reach = 4
    padded = np.pad(shapes, ((reach, reach), (0, 0)), mode="edge")
    return 0.25 * padded[:-2 * reach] + 0.5 * padded[reach:-reach] + 0.25 * padded[2 * reach:]


def language(predict, voice, basis, rest):
    """(closed, phonemes, mean opening elsewhere) of a voice."""
    closed = count = 0
    elsewhere = []
    for text in TEXTS[voice]:
        audio, phonemes = synthesise(text, voice)
        audio = np.pad(0.5 * audio / np.abs(audio).max(), 8000).astype(np.float32)
        shapes = smoothed(predict(audio, np.arange(0, len(audio), STEP)))
        gap = rest + openings(np.einsum("tk,kpc->tpc", shapes, basis))
        spoken = np.ones(len(gap), bool)
        spoken[:60] = spoken[-60:] = False
        for begin, end, phoneme in phonemes:
            if phoneme[:1] in ("p", "b", "m"):
                first, last = int((begin + 0.5) * 100), int(np.ceil((end + 0.5) * 100))
                closed += gap[first: last + 1].min() < CLOSED
                count += 1
                spoken[max(0, first - 5): last + 6] = False
        elsewhere.append(gap[spoken])
    return int(closed), count, float(np.concatenate(elsewhere).mean())


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    configuration.add_arguments(parser)
    for name in ("face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--gain", type=float, default=1.0, help="on the mouth's movement")
    arguments = parser.parse_args()
    config = configuration.load(arguments)
    face = dict(np.load(arguments.face_model))
    basis = arguments.gain * lip_basis(face, config["mouth"]).numpy()
    rest = float(openings(face["mean"][face["lips"]][None, :, :2].astype(np.float32))[0])
    print(f"inner lips at rest are {rest:.3f} apart")
    for output in ("near", "far"):
        predict, others = AudioToShape.restored(arguments.work, config, output), []
        for voice in VOICES:
            closed, count, apart = language(predict, voice, basis, rest)
            print(f"{output} {voice}: {closed} of {count} closed ({100 * closed / count:.0f} %), "
                  f"elsewhere {apart:.3f} apart")
            if voice != VOICES[0]:
                others.append((closed, count))
        closed, count = np.sum(others, 0)
        print(f"{output}, the other {len(others)} languages: {closed} of {count} closed ({100 * closed / count:.0f} %)")


if __name__ == "__main__":
    main()
