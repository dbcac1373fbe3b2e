"""Main stage: E_face, E_ref, shape-to-code, MaLS and G learn to fill the mouth in (sections 3.2-3.4).

The codes come from the true mouth shapes here; `train_audio.py` teaches sound to give them.
Resumable; stops by the clock. Under torchrun every process draws its own batches and gradients are averaged.

    python train_generator.py --config config/lite.json --data DIR --face-model F --work DIR \
        --size 128 --minutes 60
"""
import argparse
import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.distributed
import torch.nn.functional as F

import checkpoint
import losses
from data import dataset
from networks.discriminator import Discriminator
from networks.encoders import AudioEncoder, MeshPredictor, ReferenceEncoder
from networks.generator import Generator
from networks.mals import MaLS
from train_mesh import LinearFace

NETWORKS = {"generator": Generator, "reference_encoder": ReferenceEncoder, "audio_encoder": AudioEncoder, "mals": MaLS}


def masked(target, hole):
    """What E_face sees: -1 in the hole."""
    return target * (1 - hole) - hole


def codes(networks, batch, frames):
    """w~ [B, 14, dim] from the shapes of t-3..t+3 and the reference of each clip."""
    w_ref = networks["reference_encoder"](batch["reference"]).repeat_interleave(frames, 0)
    shapes = batch["shapes"]
    a = networks["audio_encoder"].encode_shape(shapes.flatten(0, 1))
    return networks["mals"](a.view(*shapes.shape[:2], *a.shape[1:]), w_ref)


def agreed(minutes, world):
    """The first process's clock, so that all stop at the same step."""
    if world == 1:
        return minutes
    value = torch.tensor([minutes])
    torch.distributed.broadcast(value, 0)
    return float(value)


def average(parameters, world):
    """Means the gradients of all processes."""
    if world > 1:
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        torch.distributed.all_reduce(flat)
        for gradient, part in zip(gradients, flat.div_(world).split([g.numel() for g in gradients])):
            gradient.copy_(part.view_as(gradient))


def sheet(path, batch, image, rows=6):
    """Rows of reference, what E_face sees, output composed, truth."""
    pick = list(range(0, len(image), 2))[:rows]
    composed = batch["target"] * (1 - batch["alpha"]) + image * batch["alpha"]
    seen = masked(batch["target"], batch["hole"])
    frames = len(image) // len(batch["reference"])
    size = image.shape[-1]
    reference = F.interpolate(batch["reference"], size=size, mode="area").repeat_interleave(frames, 0)
    grid = torch.cat([torch.cat([x[i] for i in pick], 1) for x in (reference, seen, composed, batch["target"])], 2)
    cv2.imwrite(str(path), ((grid.permute(1, 2, 0).detach().clamp(-1, 1).numpy() + 1) * 127.5).astype(np.uint8)[..., ::-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--final-rate", type=float, default=None)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--perceptual", type=float, default=0.0)
    parser.add_argument("--landmarks", type=float, default=0.0)
    parser.add_argument("--adversarial", type=float, default=0.0)
    parser.add_argument("--rights", choices=["cleared"], default=None)
    parser.add_argument("--emphasis", default="", help="person=factor,... drawn more often")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1:
        torch.distributed.init_process_group("gloo")
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(arguments.seed)
    config = json.loads(arguments.config.read_text())
    model = dict(np.load(arguments.face_model))
    clips = dataset.load(arguments.data, model, config["mouth"], rights=arguments.rights)
    emphasis = dict((k, float(v)) for k, v in (e.split("=") for e in arguments.emphasis.split(",") if e))
    batches = dataset.LipSyncBatches(clips, config, arguments.size, arguments.clips, arguments.frames,
                                     seed=int(time.time()) + arguments.seed + 7919 * rank, weights=emphasis)
    print(f"{len(clips)} clips of {len({c.person for c in clips})} persons, "
          f"{sum(int(c.valid.sum()) for c in clips)} frames", flush=True)

    networks = {name: network(config).to(memory_format=torch.channels_last) for name, network in NETWORKS.items()}
    for name, network in networks.items():
        checkpoint.restore(arguments.work, name, network)
    if arguments.size == config["image"]:
        networks["generator"].grow()
    parameters = [p for name, n in networks.items()
                  for k, p in n.named_parameters() if name != "audio_encoder" or k.startswith("to_code")]
    optimiser = torch.optim.Adam(parameters, lr=arguments.rate, betas=(0.9, 0.99))
    mesh = None
    if arguments.perceptual or arguments.landmarks:
        mesh = MeshPredictor(config)
        if not checkpoint.restore(arguments.work, "mesh", mesh):
            raise SystemExit("--perceptual and --landmarks need the mesh predictor's checkpoint")
        mesh = losses.MeshJudge(mesh, LinearFace(model), model["lips"], config)
    judge = judge_optimiser = None
    if arguments.adversarial:
        judge = Discriminator(config)
        checkpoint.restore(arguments.work, "judge", judge)
        judge_optimiser = torch.optim.Adam(judge.parameters(), lr=5e-4, betas=(0.0, 0.99))
    begin, step, mean, told = time.time(), 0, {}, time.time()
    while (elapsed := agreed((time.time() - begin) / 60, world)) < arguments.minutes:
        final = arguments.final_rate or arguments.rate / 5
        warm = min(1.0, (step + 1) / 60)
        rate = (final + (arguments.rate - final) * 0.5 * (1 + np.cos(np.pi * elapsed / arguments.minutes))) * warm
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = batches.batch()
        image = networks["generator"](masked(batch["target"], batch["hole"]), batch["lips"],
                                      codes(networks, batch, arguments.frames))
        terms = {"picture": losses.picture(image, batch["target"], losses.weights(batch["hole"], batch["lips"]))}
        composed = batch["target"] * (1 - batch["hole"]) + image * batch["hole"]
        if mesh is not None:
            with torch.no_grad():
                true = mesh.look(batch["target"])
            features, points = mesh.compare(mesh.look(composed), true)
            terms |= {"perceptual": arguments.perceptual * features, "landmarks": arguments.landmarks * points}
        if judge is not None:
            judge.requires_grad_(False)
            terms["adversarial"] = arguments.adversarial * F.softplus(-judge(composed)).mean()
        optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        average(parameters, world)
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if not torch.isfinite(norm):
            raise SystemExit(f"step {step}: the gradient is not finite; the last checkpoint stands")
        optimiser.step()
        if judge is not None:
            judge.requires_grad_(True)
            real = batch["target"].detach().requires_grad_(step % 8 == 0)
            score = judge(real)
            loss = F.softplus(-score).mean() + F.softplus(judge(composed.detach())).mean()
            if real.requires_grad:                       # lazy R1 (StyleGAN2)
                gradient, = torch.autograd.grad(score.sum(), real, create_graph=True)
                loss = loss + 8 * 0.5 * 1.0 * gradient.square().sum((1, 2, 3)).mean()
            judge_optimiser.zero_grad(set_to_none=True)
            loss.backward()
            average(list(judge.parameters()), world)
            judge_optimiser.step()
            terms["judge"] = loss
        step += 1
        for key, value in terms.items():
            mean[key] = 0.98 * mean.get(key, float(value.detach())) + 0.02 * float(value.detach())
        if rank == 0 and time.time() - told > 20:
            told = time.time()
            speed = step * world * arguments.clips * arguments.frames / (time.time() - begin)
            print(f"{elapsed:6.1f} min step {step} {speed:.1f} fps rate {rate:.1e} "
                  + " ".join(f"{k} {v:.4f}" for k, v in mean.items()), flush=True)
        if rank == 0 and step % 250 == 0:
            for name, network in networks.items():
                checkpoint.save(arguments.work, name, network)
            if judge is not None:
                checkpoint.save(arguments.work, "judge", judge)
            sheet(arguments.work / "sheet.png", batch, image)
    if rank == 0:
        for name, network in networks.items():
            checkpoint.save(arguments.work, name, network)
        if judge is not None:
            checkpoint.save(arguments.work, "judge", judge)
        sheet(arguments.work / "sheet.png", batch, image)


if __name__ == "__main__":
    main()
