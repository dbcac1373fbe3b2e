"""Renders the mouths of packed clips with checkpoints, at crop level, to compare variants.

The engine renders only the shipped networks; variants (`--set`, `--codes`) exist in PyTorch. For each
clip writes `<out>/<clip>/result.mkv`, `truth.mkv` (both lossless, 384x384: the crop amid its own
repeated edges, so that a face detector finds a whole face) and `sound.wav`; `stylelipsync evaluate`
measures them.

    python render_crops.py --config config/lite.json --data PACK --face-model F --work CHECKPOINTS --out DIR
"""
import argparse
import subprocess
import wave
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
import configuration
import losses
from data import dataset, geometry
from networks.encoders import MeshPredictor
from networks.mals import REACH
from phonetic_features import AudioToShape
from train_generator import NETWORKS, Painter
from train_mesh import LinearFace

EDGE = 64


def chosen(clips, seconds):
    """One clip of each person with audio in sync, the longest; [(clip, frames without a gap)]."""
    best = {}
    for clip in clips:
        if not clip.sync:
            continue
        count = min(len(clip.valid), len(clip.audio) // dataset.STEP)
        runs = np.split(np.arange(count), np.nonzero(~clip.valid[:count])[0])
        run = max(runs, key=len)
        run = run[clip.valid[run]][: int(25 * seconds)]
        if len(run) >= 50 and len(run) > len(best.get(clip.person, (None, []))[1]):
            best[clip.person] = (clip, run)
    return [best[person] for person in sorted(best)]


def batches(clip, shapes, frames, config, size, chunk=8):
    """Batches of a clip without augmentation, as in the engine; the middle frame is the reference. `shapes`
    [T, mouth]: what is rendered."""
    middle = frames[len(frames) // 2]
    shown = dict(reference=dataset.to_tensor(clip.crop(middle)), reference_rest=clip.rest[middle],
                 reference_turn=clip.turn[middle])
    for k in range(0, len(frames), chunk):
        rows = []
        for t in frames[k: k + chunk]:
            mask, alpha = geometry.inpainting_mask(list(clip.contours[t] * size / geometry.IMAGE), config["mask"], size)
            around = np.clip(np.arange(t - REACH, t + REACH + 1), 0, len(clip.shape) - 1)
            rows.append(dict(target=dataset.to_tensor(clip.crop(t, half=size == geometry.IMAGE // 2)),
                             mask=mask[None], alpha=alpha[None], points=clip.points[t], rest=clip.rest[t],
                             turn=clip.turn[t], shapes=shapes[around]))
        batch = {key: torch.from_numpy(np.stack([row[key] for row in rows]).astype(np.float32)) for key in rows[0]}
        whole = np.stack([dataset.to_tensor(clip.crop(t)) for t in frames[k: k + chunk]])
        yield batch | {"whole": torch.from_numpy(whole),
                       **{key: torch.from_numpy(np.stack([value] * len(rows))) for key, value in shown.items()}}


class Movie:
    """A lossless movie of padded crops."""

    def __init__(self, path):
        side = geometry.IMAGE + 2 * EDGE
        self.pipe = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{side}x{side}", "-r", "25",
             "-i", "-", "-c:v", "ffv1", "-threads", "1", str(path)], stdin=subprocess.PIPE)

    def add(self, images):
        """Appends images [B, 3, 256, 256] in [-1, 1]."""
        for image in ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy():
            self.pipe.stdin.write(cv2.copyMakeBorder(image, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_REPLICATE).tobytes())

    def close(self):
        """Completes the movie; SystemExit if ffmpeg failed."""
        self.pipe.stdin.close()
        if self.pipe.wait():
            raise SystemExit("ffmpeg could not write a movie")


def write_wave(path, samples):
    """Writes samples in [-1, 1] at 16 kHz as 16-bit mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    configuration.add_arguments(parser)
    for name in ("data", "face-model", "work", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--codes", choices=["shapes", "sound"], default="sound")
    parser.add_argument("--size", type=int, default=geometry.IMAGE)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config, model = configuration.load(arguments), dict(np.load(arguments.face_model))
    networks = {name: network(config).eval() for name, network in NETWORKS.items()}
    for name, network in networks.items():
        if not checkpoint.restore(arguments.work, name, network):
            raise SystemExit(f"{name}: no checkpoint in {arguments.work}")
    mesh = MeshPredictor(config)
    if config.get("carry") and not checkpoint.restore(arguments.work, "mesh", mesh):
        raise SystemExit(f"mesh: no checkpoint in {arguments.work}")
    judge = losses.MeshJudge(mesh, LinearFace(model), model["lips"], config)
    sound = AudioToShape.restored(arguments.work, config) if arguments.codes == "sound" else None
    painter = Painter(networks, model, config, sound is not None, judge)
    clips = dataset.load(arguments.data, model, config["mouth"], split=arguments.split)
    for clip, frames in chosen(clips, arguments.seconds):
        folder = arguments.out / clip.name
        shapes = sound(clip.audio, np.arange(len(clip.shape)) * dataset.STEP) if sound else clip.shape
        folder.mkdir(parents=True, exist_ok=True)
        result, truth = Movie(folder / "result.mkv"), Movie(folder / "truth.mkv")
        with torch.no_grad():
            for batch in batches(clip, shapes, frames, config, arguments.size):
                image, alpha, true = painter(batch, 1), batch["alpha"], batch["whole"]
                if arguments.size != geometry.IMAGE:
                    image, alpha = (F.interpolate(x, size=geometry.IMAGE, mode="bilinear") for x in (image, alpha))
                result.add(true * (1 - alpha) + image * alpha)
                truth.add(true)
        result.close()
        truth.close()
        write_wave(folder / "sound.wav", clip.audio[frames[0] * dataset.STEP: (frames[-1] + 1) * dataset.STEP])
        print(clip.name, len(frames), flush=True)


if __name__ == "__main__":
    main()
