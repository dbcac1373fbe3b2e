"""Main stage: E_face, E_ref, the codes of shapes, MaLS and G are trained to inpaint the mouth (sections 3.2-3.4).

Codes come from the true mouth shapes (`--codes shapes`) or from those that E_aud predicts from the audio
(`--codes sound`; its weights, which `train_shape.py` trains, stay as they are). `--consecutive --frames 5` is the
paper's T; the sync loss needs it. `--set` makes the ablations of Table 3: samf.modulated=false, mals.smooth=false,
mask.rectangle=true, lip_hint=null. Under torchrun every process draws its own batches and gradients are averaged. The
validation figures are of clips of the `dev` split (see `Validation`).

    python train_generator.py --config config/lite.json --data DIR --face-model F --work DIR \
        --size 128 --minutes 60
"""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
import configuration
import losses
import training
from data import dataset, geometry
from data.variety import Variety
from from_prior import start_from_prior
from networks.discriminator import PatchDiscriminator
from networks.encoders import MeshPredictor, ReferenceEncoder, ShapeCode
from networks.generator import Generator
from networks.mals import REACH, MaLS
from networks.reference_warp import ReferenceWarp
from networks.syncnet import FaceTower, ShapeTower, SoundTower
from phonetic_features import AudioToShape, SpokenWindows
from train_mesh import LinearFace

NETWORKS = {"generator": Generator, "reference_encoder": ReferenceEncoder, "shape_code": ShapeCode, "mals": MaLS}
SYNC = {"pixels": {"sync_face": FaceTower}, "shapes": {"sync_shape": ShapeTower},
        "both": {"sync_face": FaceTower, "sync_shape": ShapeTower}}


def masked(target, mask):
    """The input of E_face: the crop, -1 inside the inpainting mask."""
    return target * (1 - mask) - mask


class Painter:
    """The networks in their order (Figure 2): batch -> image [N, 3, S, S]. `mesh` is the frozen judge
    (`losses.MeshJudge`) that finds the mouth shape of a reference, as the engine's tracker does. `sound`: a batch's
    shapes were predicted from audio, so that the points to paint follow from them too."""

    def __init__(self, networks, face, config, sound, mesh, device="cpu"):
        self.networks, self.sound, self.mesh, self.lips = networks, sound, mesh, len(face["lips"])
        self.weights = torch.tensor(config["mals"]["weights"], device=device)
        basis = face["expression"][:config["mouth"]][:, geometry.warp_vertices(face)].astype(np.float32)
        self.basis = torch.from_numpy(basis).to(device)                  # [mouth, C, 3]
        self.warp = ReferenceWarp(config) if config.get("carry") else None

    def moved(self, rest, turn, shape):
        """[B, C, 2] points of mouth shapes [B, mouth]."""
        return rest + torch.einsum("bs,spv,bcv->bpc", shape, self.basis, turn)

    def warped(self, batch, wanted, frames):
        """The references, warped to the wanted points [N, C, 2]: [N, 3, S, S], as large as the target."""
        reference = batch["reference"]
        with torch.no_grad():
            seen = self.moved(batch["reference_rest"], batch["reference_turn"], self.mesh.look(reference)[2])
        size = batch["target"].shape[-1]
        if reference.shape[-1] != size:
            reference = F.interpolate(reference, size=size, mode="area")
        each = lambda x: x.repeat_interleave(frames, 0)
        return self.warp(each(reference), each(seen), wanted)

    def __call__(self, batch, frames, fused=True):
        """The image for each target of a batch (see `LipSyncBatches.batch`) with `frames` frames a clip; `fused`: with
        what is carried."""
        face = masked(batch["target"], batch["mask"])
        w_ref = self.networks["reference_encoder"](batch["reference"]).repeat_interleave(frames, 0)
        points = batch["points"]
        shapes = batch["shapes"]
        if self.sound:
            # As in the engine: the moving average of the middle three.
            shape = torch.einsum("k,bks->bs", self.weights, shapes[:, REACH - 1: REACH + 2])
            points = self.moved(batch["rest"], batch["turn"], shape)
        a = self.networks["shape_code"](shapes.flatten(0, 1))
        codes = self.networks["mals"](a.view(len(face), 2 * REACH + 1, *a.shape[1:]), w_ref)
        warped = self.warped(batch, points, frames) if self.warp else None
        return self.networks["generator"](face, points[:, :self.lips], codes, warped, fused)


def sheet(path, batch, image, rows=6):
    """Writes a picture: rows of reference, input of E_face, composed output, truth."""
    pick = list(range(len(image)))[:rows]
    composed = batch["target"] * (1 - batch["alpha"]) + image * batch["alpha"]
    seen = masked(batch["target"], batch["mask"])
    frames = len(image) // len(batch["reference"])
    size = image.shape[-1]
    reference = F.interpolate(batch["reference"], size=size, mode="area").repeat_interleave(frames, 0)
    grid = torch.cat([torch.cat([x[i] for i in pick], 1) for x in (reference, seen, composed, batch["target"])], 2)
    pixels = (grid.permute(1, 2, 0).detach().clamp(-1, 1).cpu().numpy() + 1) * 127.5
    cv2.imwrite(str(path), pixels.astype(np.uint8)[..., ::-1])


def restored(arguments, name, network):
    """A frozen judge; its checkpoint must exist."""
    if not checkpoint.restore(arguments.work, name, network):
        raise SystemExit(f"{name}: no checkpoint in {arguments.work}, and this run needs it")
    return network


def begin_from(arguments, config, device="cpu"):
    """({name: network}, whether all came from --work). Networks that --work lacks begin from what fits of --start."""
    networks = {name: network(config).to(device, memory_format=torch.channels_last)
                for name, network in NETWORKS.items()}
    known = True
    for name, network in networks.items():
        if checkpoint.restore(arguments.work, name, network):
            continue
        known = False
        if arguments.start and name not in arguments.fresh:
            fresh = checkpoint.restore_what_fits(arguments.start, name, network)
            print(f"{name} begins from {arguments.start}" + (f"; new: {', '.join(fresh)}" if fresh else ""))
    if arguments.prior and not (arguments.work / "generator.safetensors").exists():
        size = start_from_prior(networks["generator"], networks["mals"], arguments.prior)
        if not size:
            raise SystemExit(f"--prior {arguments.prior}: no prior.safetensors there")
        print(f"synthesis and w_avg of the prior, trained at {size}x{size}")
    if arguments.size == config["image"]:
        networks["generator"].grow()
    return networks, known


def trained(networks, arguments):
    """The parameters that this run trains."""
    synthesis = networks["generator"].decoder.synthesis_parameters().values()
    frozen = {id(p) for p in synthesis} if arguments.freeze_synthesis else set()
    for network in networks.values():
        for p in network.parameters():
            p.requires_grad_(id(p) not in frozen)
    return [p for network in networks.values() for p in network.parameters() if p.requires_grad]


class Objective:
    """The weighted losses of an image (section 3.4, eq. 6 to 8, and the departures that the README lists)."""

    def __init__(self, arguments, config, model, device="cpu"):
        """Loads the frozen judges that the weights ask for."""
        self.arguments, self.mesh, self.sync, self.adversary = arguments, None, None, None
        self.judged = arguments.perceptual or arguments.landmarks or arguments.sync
        load = lambda name, network: restored(arguments, name, network(config)).to(device)
        if self.judged or config.get("carry"):
            self.mesh = losses.MeshJudge(load("mesh", MeshPredictor), LinearFace(model, device), model["lips"], config)
        if arguments.sync:
            towers = {"sync_sound": SoundTower, **SYNC[arguments.sync_on]}
            self.sync = losses.SyncJudge({name: load(name, tower) for name, tower in towers.items()}, config)
        if arguments.adversarial:
            self.adversary = losses.Adversary(PatchDiscriminator().to(device))
            checkpoint.restore(arguments.work, "judge", self.adversary.judge)

    @staticmethod
    def lips(batch):
        """[N, 40, 2] lip points of the targets, of which the mean is the mouth's centre."""
        return batch["points"][:, :40]

    def terms(self, batch, image):
        """({name: loss}, the crops with the mask filled in [N, 3, S, S])."""
        arguments, target, mask = self.arguments, batch["target"], batch["mask"]
        composed = target * (1 - mask) + image * mask
        weights = losses.weights(mask, batch["points"])
        terms = {"picture": losses.blended(image, target, weights, arguments.fine)}
        if arguments.texture:
            terms["texture"] = arguments.texture * losses.texture(image, target, mask)
        if self.judged:
            with torch.no_grad():
                true = self.mesh.look(target)
            made = self.mesh.look(composed)
            features, points = self.mesh.compare(made, true)
            terms |= {"perceptual": arguments.perceptual * features, "landmarks": arguments.landmarks * points}
        if self.sync:
            terms["sync"] = arguments.sync * self.sync.loss(composed, made[2], batch)
        if self.adversary:
            terms["adversarial"] = arguments.adversarial * self.adversary.loss(composed, target, self.lips(batch))
        return terms, composed


class Validation:
    """Figures on fixed batches of `dev` clips: PSNR inside the mask and, with a mesh judge, the mean distance of lip
    and jaw points between output and truth, in crop pixels."""

    BATCHES = 8

    def __init__(self, clips, config, arguments, sound=None, device="cpu"):
        """`clips`: of the `dev` split; where there are none, there are no figures. `sound` is that of
        `LipSyncBatches`."""
        self.batches, self.frames, self.device = [], arguments.frames, device
        if any(clip.sync or not sound for clip in clips):
            draw = dataset.LipSyncBatches(clips, config, arguments.size, arguments.clips, arguments.frames, seed=0,
                                          consecutive=arguments.consecutive, sound=sound)
            self.batches = [draw.batch() for _ in range(self.BATCHES)]

    @torch.no_grad()
    def __call__(self, painter, mesh=None):
        """The figures as a line of the log. The networks keep their modes."""
        if not self.batches:
            return "no dev clips"
        modules = [(m, m.training) for network in painter.networks.values() for m in network.modules()]
        for network in painter.networks.values():
            network.eval()
        square, area, distances = 0.0, 0.0, []
        for batch in self.batches:
            batch = training.to(self.device, batch)
            target, mask = batch["target"], batch["mask"]
            image = painter(batch, self.frames).clamp(-1, 1)
            square += float(((image - target) * mask).square().sum()) / 4              # of values in [0, 1]
            area += 3 * float(mask.sum())
            if mesh:
                made = mesh.look(target * (1 - mask) + image * mask)
                distances.append(float((made[1] - mesh.look(target)[1]).norm(dim=2).mean()) * geometry.IMAGE / 2)
        for module, mode in modules:
            module.training = mode
        psnr = 10 * np.log10(area / max(square, 1e-12))
        return f"dev: PSNR in mask {psnr:.2f} dB" + (f", landmarks off by {np.mean(distances):.2f} px" if mesh else "")


def parse(options=None):
    """(arguments, config)."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=30, every=250)
    parser.add_argument("--start", type=Path, help="checkpoints to begin from when --work has none")
    parser.add_argument("--prior", type=Path, help="checkpoints of train_prior.py: G's synthesis and w_avg begin there")
    parser.add_argument("--fresh", action="append", default=[], choices=list(NETWORKS),
                        help="a network that does not begin from --start")
    parser.add_argument("--size", type=int, choices=[128, 256], default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--final-rate", type=float, default=None)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--consecutive", action="store_true", help="the frames of a clip are consecutive")
    parser.add_argument("--codes", choices=["shapes", "sound"], default="shapes")
    parser.add_argument("--freeze-synthesis", action="store_true", help="the synthesis network is not trained")
    parser.add_argument("--fine", type=float, default=1.0,
                        help="share of the picture loss at full size; the rest is at a quarter")
    for name in ("perceptual", "landmarks", "texture", "sync", "adversarial"):
        parser.add_argument(f"--{name}", type=float, default=0.0, help=f"weight of the {name} loss")
    parser.add_argument("--alone", type=float, default=0.0, help="share of steps without the carried picture's fusion")
    parser.add_argument("--sync-on", choices=list(SYNC), default="both", help="what the sync loss compares with audio")
    parser.add_argument("--variety", action="store_true", help="mirrored, stretched, bent and recoloured clips")
    parser.add_argument("--emphasis", default="", help="person=factor,... drawn more often")
    arguments = parser.parse_args(options)
    config = configuration.load(arguments)
    if arguments.sync and not (arguments.consecutive and arguments.frames == config["syncnet"]["frames"]):
        frames = config["syncnet"]["frames"]
        parser.error(f"--sync needs {frames} consecutive frames: --consecutive --frames {frames}")
    return arguments, config


def learning_rate(arguments, spent, step):
    """The rate of a step: half a cosine down to --final-rate, after a linear warm-up of 60 steps."""
    final = arguments.final_rate or arguments.rate / 5
    return arguments.rate * training.cosine(spent, final / arguments.rate) * min(1.0, step / 60)


def main(options=None):
    """The command; `options` instead of the command line's."""
    arguments, config = parse(options)
    run = training.Run(arguments, "train_generator")
    model = dict(np.load(arguments.face_model))
    sound = AudioToShape.restored(arguments.work, config) if arguments.codes == "sound" else None
    spoken = SpokenWindows(arguments.work, config) if arguments.sync else None
    load = lambda split, rights: dataset.load(arguments.data, model, config["mouth"], rights=rights, split=split)
    emphasis = {k: float(v) for k, v in (e.split("=") for e in arguments.emphasis.split(",") if e)}
    batches = dataset.LipSyncBatches(load("train", arguments.rights), config, arguments.size, arguments.clips,
                                     arguments.frames, run.random, emphasis, arguments.consecutive, sound, spoken,
                                     Variety(model, config["mouth"]) if arguments.variety else None)
    validation = Validation(load("dev", None), config, arguments, sound, run.device)
    run.print(f"{len(batches.clips)} clips of {len({c.person for c in batches.clips})} persons, "
              f"{sum(int(c.valid.sum()) for c in batches.clips)} frames")
    networks, known = begin_from(arguments, config, run.device)
    parameters = trained(networks, arguments)
    objective = Objective(arguments, config, model, run.device)
    adversary = objective.adversary
    painter = Painter(networks, model, config, sound is not None, objective.mesh, run.device)
    optimisers = {"painter": torch.optim.Adam(parameters, lr=arguments.rate, betas=(0.9, 0.99))}
    if adversary:
        optimisers["judge"] = adversary.optimiser
    run.resume(optimisers, known)

    def keep():
        run.save(networks | ({"judge": adversary.judge} if adversary else {}), optimisers)
        if run.rank == 0:
            sheet(arguments.work / "sheet.png", batch, image)
            run.log(validation(painter, objective.mesh))

    for spent in run.steps():
        training.set_rate(optimisers["painter"], learning_rate(arguments, spent, run.step))
        batch = training.to(run.device, batches.batch())
        # At first the warped reference is better than the generated image. Without steps that use the generated image
        # alone, the blending mask saturates at the reference, and the generator gets no gradient.
        fused = not arguments.alone or run.random.random() >= arguments.alone
        image = painter(batch, arguments.frames, fused)
        terms, composed = objective.terms(batch, image)
        optimisers["painter"].zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        training.average(parameters, run.world)
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if not torch.isfinite(norm):
            raise SystemExit(f"step {run.step}: the gradient is not finite; the last checkpoint is kept")
        optimisers["painter"].step()
        if adversary:
            terms["judge"] = adversary.train(composed, batch["target"], objective.lips(batch),
                                             lambda p: training.average(p, run.world))
        run.note(terms)
        if run.due():
            keep()
    if not run.due():
        keep()
    run.print(f"{run.step} steps, {run.step * run.world * arguments.clips * arguments.frames} frames")


if __name__ == "__main__":
    main()
