"""Main stage: E_face, E_ref, E_aud's codes, MaLS and G learn to fill the mouth in (sections 3.2-3.4).

Codes come from the true mouth shapes (`--codes shapes`; `train_audio.py` teaches sound to give them)
or from the sound, as in the paper (`--codes sound`). `--consecutive --frames 5` is the paper's T; the
sync loss needs it. `--set` makes the ablations of Table 3: samf.modulated=false, mals.smooth=false,
mask.rectangle=true, lip_hint=null. Resumable; stops by the clock. Under torchrun every process draws
its own batches and gradients are averaged.

    python train_generator.py --config config/lite.json --data DIR --face-model F --work DIR \
        --size 128 --minutes 60
"""
import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.distributed
import torch.nn.functional as F

import checkpoint
import configuration
import losses
from data import dataset, geometry
from from_prior import start_from_prior
from networks.carry import Carry
from networks.discriminator import Discriminator
from networks.encoders import AudioEncoder, MeshPredictor, ReferenceEncoder
from networks.generator import Generator
from networks.mals import MaLS, REACH
from networks.syncnet import FaceTower, ShapeTower, SoundTower
from train_mesh import LinearFace

NETWORKS = {"generator": Generator, "reference_encoder": ReferenceEncoder, "audio_encoder": AudioEncoder, "mals": MaLS}
SYNC = {"pixels": {"sync_face": FaceTower}, "shapes": {"sync_shape": ShapeTower},
        "both": {"sync_face": FaceTower, "sync_shape": ShapeTower}}


def masked(target, hole):
    """What E_face sees: -1 in the hole."""
    return target * (1 - hole) - hole


class Painter:
    """The networks in their order (Figure 2): batch -> image. `mesh` is the frozen judge that says which mouth a
    reference shows (`losses.MeshJudge`), as the engine's tracker does."""

    def __init__(self, networks, face, config, sound, mesh):
        self.networks, self.sound, self.mesh, self.lips = networks, sound, mesh, len(face["lips"])
        self.weights = torch.tensor(config["mals"]["weights"])
        basis = face["expression"][:config["mouth"]][:, geometry.carried(face)].astype(np.float32)
        self.basis = torch.from_numpy(basis)                             # [mouth, C, 3]
        self.carry = Carry(config) if config.get("carry") else None

    def moved(self, rest, turn, shape):
        """[B, C, 2] points of mouth shapes [B, mouth]."""
        return rest + torch.einsum("bs,spv,bcv->bpc", shape, self.basis, turn)

    def carried(self, batch, wanted, frames):
        """The reference's picture with the wanted points, as large as the target."""
        reference = batch["reference"]
        with torch.no_grad():
            seen = self.moved(batch["reference_rest"], batch["reference_turn"], self.mesh.look(reference)[2])
        size = batch["target"].shape[-1]
        if reference.shape[-1] != size:
            reference = F.interpolate(reference, size=size, mode="area")
        each = lambda x: x.repeat_interleave(frames, 0)
        return self.carry(each(reference), each(seen), wanted)

    def __call__(self, batch, frames):
        face = masked(batch["target"], batch["hole"])
        w_ref = self.networks["reference_encoder"](batch["reference"]).repeat_interleave(frames, 0)
        points = batch["points"]
        if self.sound:
            a, shapes = self.networks["audio_encoder"](batch["mels"].flatten(0, 1))
            shapes = shapes.view(-1, 2 * REACH + 1, shapes.shape[1])
            # The engine's: the moving average of the middle three.
            shape = torch.einsum("k,bks->bs", self.weights, shapes[:, REACH - 1: REACH + 2])
            points = self.moved(batch["rest"], batch["turn"], shape)
        else:
            a = self.networks["audio_encoder"].encode_shape(batch["shapes"].flatten(0, 1))
        codes = self.networks["mals"](a.view(len(face), 2 * REACH + 1, *a.shape[1:]), w_ref)
        carried = self.carried(batch, points, frames) if self.carry else None
        return self.networks["generator"](face, points[:, :self.lips], codes, carried)


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
    pick = list(range(len(image)))[:rows]
    composed = batch["target"] * (1 - batch["alpha"]) + image * batch["alpha"]
    seen = masked(batch["target"], batch["hole"])
    frames = len(image) // len(batch["reference"])
    size = image.shape[-1]
    reference = F.interpolate(batch["reference"], size=size, mode="area").repeat_interleave(frames, 0)
    grid = torch.cat([torch.cat([x[i] for i in pick], 1) for x in (reference, seen, composed, batch["target"])], 2)
    cv2.imwrite(str(path), ((grid.permute(1, 2, 0).detach().clamp(-1, 1).numpy() + 1) * 127.5).astype(np.uint8)[..., ::-1])


def restored(arguments, name, network):
    """A frozen judge: its checkpoint must be there."""
    if not checkpoint.restore(arguments.work, name, network):
        raise SystemExit(f"{name}: no checkpoint in {arguments.work}, and this run asks for it")
    return network


def begin_from(arguments, config):
    """The networks, from the work folder or, what fits of it, from --start."""
    networks = {name: network(config).to(memory_format=torch.channels_last) for name, network in NETWORKS.items()}
    for name, network in networks.items():
        if not checkpoint.restore(arguments.work, name, network) and arguments.start and name not in arguments.fresh:
            fresh = checkpoint.restore_what_fits(arguments.start, name, network)
            print(f"{name} begins from {arguments.start}" + (f"; new: {', '.join(fresh)}" if fresh else ""))
    if arguments.prior and not (arguments.work / "generator.safetensors").exists():
        size = start_from_prior(networks["generator"], networks["mals"], arguments.prior)
        if not size:
            raise SystemExit(f"--prior {arguments.prior}: no prior.safetensors there")
        print(f"synthesis and w_avg of the prior, trained at {size}x{size}")
    if arguments.size == config["image"]:
        networks["generator"].grow()
    return networks


def trained(networks, arguments):
    """The parameters that this run changes."""
    frozen = {id(p) for p in networks["generator"].decoder.synthesis_parameters().values()} if arguments.freeze_synthesis else set()
    if not arguments.codes == "sound":                      # the sound is not heard: its tower stays
        audio = networks["audio_encoder"]
        frozen |= {id(p) for part in (audio.tower, audio.shape, audio.rest) for p in part.parameters()}
    for network in networks.values():
        for p in network.parameters():
            p.requires_grad_(id(p) not in frozen)
    return [p for network in networks.values() for p in network.parameters() if p.requires_grad]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    configuration.add_arguments(parser)
    for name in ("data", "face-model", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoints to begin from when --work has none")
    parser.add_argument("--prior", type=Path, help="checkpoints of train_prior.py: G's synthesis and w_avg begin there")
    parser.add_argument("--fresh", action="append", default=[], choices=list(NETWORKS), help="a network that --start shall not give")
    parser.add_argument("--size", type=int, choices=[128, 256], default=128)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--steps", type=int, default=None, help="stop after so many instead: a budget that no load changes")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--final-rate", type=float, default=None)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--consecutive", action="store_true", help="the frames of a clip follow each other")
    parser.add_argument("--codes", choices=["shapes", "sound"], default="shapes")
    parser.add_argument("--freeze-synthesis", action="store_true", help="the prior's network stays as it is")
    parser.add_argument("--fine", type=float, default=1.0, help="share of the picture loss at full size; the rest is at a quarter")
    for name in ("perceptual", "landmarks", "texture", "sync", "adversarial"):
        parser.add_argument(f"--{name}", type=float, default=0.0, help=f"weight of the {name} loss")
    parser.add_argument("--sync-on", choices=list(SYNC), default="both", help="what the sync loss looks at")
    parser.add_argument("--rights", choices=["cleared"], default=None)
    parser.add_argument("--emphasis", default="", help="person=factor,... drawn more often")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config = configuration.load(arguments)
    if arguments.sync and not (arguments.consecutive and arguments.frames == config["syncnet"]["frames"]):
        parser.error(f"--sync looks at {config['syncnet']['frames']} frames: --consecutive --frames {config['syncnet']['frames']}")
    return arguments, config


def main():
    arguments, config = parse()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1:
        torch.distributed.init_process_group("gloo")
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(arguments.seed)
    model = dict(np.load(arguments.face_model))
    clips = dataset.load(arguments.data, model, config["mouth"], rights=arguments.rights)
    emphasis = dict((k, float(v)) for k, v in (e.split("=") for e in arguments.emphasis.split(",") if e))
    sound = arguments.codes == "sound"
    batches = dataset.LipSyncBatches(clips, config, arguments.size, arguments.clips, arguments.frames,
                                     seed=int(time.time()) + arguments.seed + 7919 * rank, weights=emphasis,
                                     consecutive=arguments.consecutive, sound=sound)
    print(f"{len(batches.clips)} clips of {len({c.person for c in batches.clips})} persons, "
          f"{sum(int(c.valid.sum()) for c in batches.clips)} frames", flush=True)

    networks = begin_from(arguments, config)
    if sound:
        networks["audio_encoder"].tower.eval()              # its batch norms have seen many voices
    parameters = trained(networks, arguments)
    optimiser = torch.optim.Adam(parameters, lr=arguments.rate, betas=(0.9, 0.99))
    mesh = sync = adversary = None
    judged = arguments.perceptual or arguments.landmarks or arguments.sync
    if judged or config.get("carry"):
        mesh = losses.MeshJudge(restored(arguments, "mesh", MeshPredictor(config)), LinearFace(model), model["lips"], config)
    painter = Painter(networks, model, config, sound, mesh)
    if arguments.sync:
        towers = {"sync_sound": SoundTower, **SYNC[arguments.sync_on]}
        sync = losses.SyncJudge({name: restored(arguments, name, tower(config)) for name, tower in towers.items()}, config)
    if arguments.adversarial:
        adversary = losses.Adversary(Discriminator(config))
        checkpoint.restore(arguments.work, "judge", adversary.judge)

    def keep():
        for name, network in networks.items():
            checkpoint.save(arguments.work, name, network)
        if adversary:
            checkpoint.save(arguments.work, "judge", adversary.judge)
        sheet(arguments.work / "sheet.png", batch, image)

    begin, step, mean, told = time.time(), 0, {}, time.time()
    def done():
        """Share of the budget that is spent."""
        return step / arguments.steps if arguments.steps else agreed((time.time() - begin) / 60, world) / arguments.minutes

    while (spent := done()) < 1:
        final = arguments.final_rate or arguments.rate / 5
        warm = min(1.0, (step + 1) / 60)
        rate = (final + (arguments.rate - final) * 0.5 * (1 + np.cos(np.pi * spent))) * warm
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = batches.batch()
        image = painter(batch, arguments.frames)
        composed = batch["target"] * (1 - batch["hole"]) + image * batch["hole"]
        terms = {"picture": losses.blended(image, batch["target"], losses.weights(batch["hole"], batch["points"]), arguments.fine)}
        if arguments.texture:
            terms["texture"] = arguments.texture * losses.texture(image, batch["target"], batch["hole"])
        if judged:
            with torch.no_grad():
                true = mesh.look(batch["target"])
            made = mesh.look(composed)
            features, points = mesh.compare(made, true)
            terms |= {"perceptual": arguments.perceptual * features, "landmarks": arguments.landmarks * points}
        if sync:
            terms["sync"] = arguments.sync * sync.loss(composed, made[2], batch)
        if adversary:
            terms["adversarial"] = arguments.adversarial * adversary.loss(composed)
        optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        average(parameters, world)
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if not torch.isfinite(norm):
            raise SystemExit(f"step {step}: the gradient is not finite; the last checkpoint stands")
        optimiser.step()
        if adversary:
            terms["judge"] = adversary.learn(composed, batch["target"], lambda p: average(p, world))
        step += 1
        for key, value in terms.items():
            mean[key] = 0.98 * mean.get(key, float(value.detach())) + 0.02 * float(value.detach())
        if rank == 0 and time.time() - told > 20:
            told = time.time()
            speed = step * world * arguments.clips * arguments.frames / (time.time() - begin)
            print(f"{(time.time() - begin) / 60:6.1f} min step {step} {speed:.1f} fps rate {rate:.1e} "
                  + " ".join(f"{k} {v:.4f}" for k, v in mean.items()), flush=True)
        if rank == 0 and step % 250 == 0:
            keep()
    if rank == 0:
        keep()
        print(f"{step} steps, {step * world * arguments.clips * arguments.frames} frames", flush=True)


if __name__ == "__main__":
    main()
