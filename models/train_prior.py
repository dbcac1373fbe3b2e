"""The prior: StyleGAN2 with adaptive discriminator augmentation on face crops (section 3.2, 4.1).

The generator is the decoder without encoded features, under a mapping network. Non-saturating logistic loss, lazy R1
on what the discriminator sees, path-length regularisation by switch. Trains from small to large: start with --size 64,
then go on with the same --work at 128 and 256. Resumable; stops by the clock; under torchrun every process draws its
own batches and gradients are averaged. Leaves prior.safetensors (see `from_prior.py`) and prior_judge.safetensors.

    python train_prior.py --config config/lite.json --data DIR --work DIR --size 64 --minutes 60

At the end, or alone with --measure, it prints a Frechet distance on features of the mesh predictor (`frechet.py`)
where --work has the mesh predictor's checkpoint.
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
import frechet
from data import geometry
from data.faces import REDUCED, Faces
from networks.augment import Adaptation, augment
from networks.blocks import SLOPE
from networks.discriminator import Discriminator
from networks.encoders import MeshPredictor
from networks.generator import SkinGauge
from networks.prior import Prior, learning_scales
from train_generator import agreed, average


class Palette:
    """Crops [B, 3, S, S] in the colours that the decoder paints in (`SkinGauge`), cut to [-1, 1].

    A crop of the prior has no mask: skin is gauged round the rectangle of the ablation, of the same place and size."""

    def __init__(self, config, size, device):
        self.gauge = SkinGauge(config).to(device) if config.get("gauge") else None
        self.hole = torch.from_numpy(geometry.rectangle(config["mask"], size)[0]).to(device)

    def __call__(self, crops):
        if self.gauge is None:
            return crops
        return ((crops + 1) / self.gauge(crops * (1 - self.hole) - self.hole) - 1).clamp(-1, 1)


def initialise(judge):
    """He's initialisation, which StyleGAN2's discriminator counts on."""
    for name, part in judge.named_modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight, a=1.0 if name.endswith("skip") else SLOPE)
            torch.nn.init.zeros_(part.bias)


def adam(parameters, interval=None):
    """Adam over {name: parameter} with equalised rates; `interval` corrects for a lazy term (StyleGAN2, appendix B)."""
    ratio = interval / (interval + 1) if interval else 1.0
    groups = {}
    for name, scale in learning_scales(parameters).items():
        groups.setdefault(scale, []).append(parameters[name])
    return torch.optim.Adam([{"params": p, "scale": scale * ratio} for scale, p in groups.items()],
                            betas=(0.0, 0.99 ** ratio), eps=1e-8)


class Trainer:
    """One step of generator and discriminator, and what they need."""

    R1_EVERY, PATH_EVERY = 16, 4

    def __init__(self, prior, judge, arguments, device, world=1):
        self.prior, self.judge, self.options, self.device, self.world = prior, judge, arguments, device, world
        self.made_by = adam(prior.trained(), self.PATH_EVERY if arguments.path_length else None)
        self.judged_by = adam(dict(judge.named_parameters()), self.R1_EVERY)
        self.adaptation = Adaptation(float(prior.probability), arguments.ada_images, arguments.ada_target)
        self.gamma = arguments.r1 or 0.0002 * arguments.size ** 2 / arguments.batch      # StyleGAN2-ADA's rule
        self.path, self.step, self.wait = torch.zeros((), device=device), 0, 0

    def mixed_precision(self, exact=False):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda" and not exact)

    def codes(self, count):
        draw = lambda: torch.randn(count, self.prior.dim, device=self.device)
        return self.prior.mixed(draw(), draw(), self.options.mixing, self.options.size)

    def score(self, images, exact=False):
        with self.mixed_precision(exact):
            return self.judge(images).float()

    def advance(self, optimiser, loss, parameters):
        """Backward, mean over processes, step. A gradient that is not finite ends the run."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = list(parameters)
        average(parameters, self.world)
        if not torch.isfinite(torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])):
            raise SystemExit(f"step {self.step}: the gradient is not finite; the last checkpoint stands")
        for group in optimiser.param_groups:
            group["lr"] = self.options.rate * group["scale"] * min(1.0, (self.step + 1) / 20)
        optimiser.step()

    def path_length(self):
        """Path-length regularisation: the image moves as far for any step in W."""
        codes = self.codes(max(1, self.options.batch // 2))
        made = self.prior.decoder(codes, size=self.options.size)
        noise = torch.randn_like(made) / made.shape[-1]
        gradient, = torch.autograd.grad((made * noise).sum(), codes, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        self.path = self.path.lerp(lengths.detach().mean(), 0.01)
        return (lengths - self.path).square().mean() * self.options.path_length * self.PATH_EVERY

    def __call__(self, real):
        """Real crops [B, 3, S, S]; gives what the log tells."""
        p, told = self.adaptation.probability, {}
        self.judge.requires_grad_(False)
        with self.mixed_precision():
            made = self.prior.decoder(self.codes(len(real)), size=self.options.size)
        made = made.float()
        if self.step >= self.wait:
            loss = F.softplus(-self.score(augment(made, p))).mean()
            told["generator"] = loss
            if self.options.path_length and self.step % self.PATH_EVERY == 0:
                loss = loss + self.path_length()
            self.advance(self.made_by, loss, self.prior.trained().values())
        self.judge.requires_grad_(True)
        penalised = self.step % self.R1_EVERY == 0
        # R1 at what the discriminator sees: the warp of the augmentation has no second derivative.
        seen = augment(real, p).detach().requires_grad_(penalised)
        score = self.score(seen, exact=penalised)
        loss = told["judge"] = F.softplus(-score).mean() + F.softplus(self.score(augment(made.detach(), p))).mean()
        if penalised:
            gradient, = torch.autograd.grad(score.sum(), seen, create_graph=True)
            told["r1"] = gradient.square().sum((1, 2, 3)).mean()
            loss = loss + self.R1_EVERY * 0.5 * self.gamma * told["r1"]
        self.advance(self.judged_by, loss, self.judge.parameters())
        self.finish(score.detach())
        return {k: float(v.detach()) for k, v in told.items()}

    def finish(self, score):
        signs = torch.stack([score.sign().sum(), torch.tensor(float(len(score)), device=score.device)]).cpu()
        if self.world > 1:
            torch.distributed.all_reduce(signs)
        self.adaptation.note(*signs.tolist())
        self.step += 1
        self.prior.seen += int(signs[1])
        self.prior.size.fill_(self.options.size)
        self.prior.probability.fill_(self.adaptation.probability)
        # The average's half-life grows with the run, up to StyleGAN2's 10,000 images.
        self.prior.follow(0.5 ** (float(signs[1]) / min(10_000, max(1.0, 0.05 * float(self.prior.seen)))))


def sheet(path, prior, real, size, device):
    """Four rows of samples, one row of the same draws drawn in to the average (psi 0.5), one of real crops [8, 3, S, S]."""
    z = torch.randn(32, prior.dim, generator=torch.Generator().manual_seed(1)).to(device)
    near = prior.sample(z[:8], size, 0.5)
    rows = torch.cat([prior.sample(z, size), near, real]).cpu().clamp(-1, 1).view(6, 8, 3, size, size)
    grid = rows.permute(0, 3, 1, 4, 2).reshape(6 * size, 8 * size, 3)
    cv2.imwrite(str(path), ((grid.numpy() + 1) * 127.5).round().astype(np.uint8)[..., ::-1])


def measure(prior, arguments, config, device, train):
    """Frechet distances on mesh features, or None without a mesh predictor. Leaves `train` at other draws."""
    mesh = MeshPredictor(config)
    if not checkpoint.restore(arguments.work, "mesh", mesh):
        return None
    features = frechet.MeshFeatures(mesh.to(device), config)
    held_out = Faces(arguments.data, arguments.size, "dev", arguments.rights, seed=1)
    palette, draw = Palette(config, arguments.size, device), torch.Generator().manual_seed(0)
    train.random = np.random.default_rng(2)
    sources = {"made": lambda n: prior.sample(torch.randn(n, prior.dim, generator=draw).to(device), arguments.size),
               "held_out": lambda n: palette(held_out.batch(n).to(device)),
               "seen": lambda n: palette(train.batch(n).to(device))}
    return frechet.distances(**{name: torch.cat([features(source(64)) for _ in range(arguments.pictures // 64)]).cpu()
                                for name, source in sources.items()})


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    configuration.add_arguments(parser)
    for name in ("data", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--size", type=int, choices=sorted(REDUCED), default=64)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--r1", type=float, default=None, help="weight of R1 (default: 0.0002 size^2 / batch)")
    parser.add_argument("--path-length", type=float, default=0.0, help="weight of path-length regularisation (StyleGAN2: 2)")
    parser.add_argument("--mixing", type=float, default=0.9, help="share of samples whose style is mixed")
    parser.add_argument("--ada-target", type=float, default=0.6)
    parser.add_argument("--ada-images", type=int, default=500_000, help="images in which p can go from 0 to 1")
    parser.add_argument("--judge-first", type=int, default=50, help="steps of the discriminator alone at a new size")
    parser.add_argument("--sheet", type=int, default=250, help="steps (or ten minutes) between checkpoints and sheets")
    parser.add_argument("--measure", action="store_true", help="print the Frechet distances and end")
    parser.add_argument("--pictures", type=int, default=1024, help="pictures of each kind to measure on")
    parser.add_argument("--rights", choices=["cleared"], default=None)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return arguments, configuration.load(arguments)


def main():
    arguments, config = parse()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    device = torch.device(arguments.device)
    if world > 1:
        # gloo averages on either device; every process must have one of its own.
        torch.distributed.init_process_group("gloo")
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(arguments.seed)
    prior, judge = Prior(config, arguments.size), Discriminator(config)
    initialise(judge)
    prior, judge = (m.to(device, memory_format=torch.channels_last) for m in (prior, judge))
    known = checkpoint.restore(arguments.work, "prior", prior)
    checkpoint.restore(arguments.work, "prior_judge", judge)
    torch.manual_seed(int(time.time()) + arguments.seed + 7919 * rank)
    faces = Faces(arguments.data, arguments.size, "train", arguments.rights, int(time.time()) + 7919 * rank)
    if rank == 0:
        print(f"{len(faces)} crops of {faces.people} persons; {int(prior.seen)} images seen before", flush=True)

    def tell_measure():
        for name, value in (measure(prior, arguments, config, device, faces) or {}).items():
            print(f"Frechet distance on mesh features at {arguments.size}, {name}: {value:.1f}", flush=True)

    if arguments.measure:
        return tell_measure()
    trainer = Trainer(prior, judge, arguments, device, world)
    for name, optimiser in (("prior", trainer.made_by), ("prior_judge", trainer.judged_by)):
        checkpoint.restore_optimiser(arguments.work, name, optimiser)
    if known and int(prior.size) < arguments.size:
        trainer.wait = arguments.judge_first

    def keep():
        arguments.work.mkdir(parents=True, exist_ok=True)
        for name, module, optimiser in (("prior", prior, trainer.made_by), ("prior_judge", judge, trainer.judged_by)):
            checkpoint.save(arguments.work, name, module)
            checkpoint.save_optimiser(arguments.work, name, optimiser, int(prior.seen))
        sheet(arguments.work / "prior.png", prior, shown, arguments.size, device)

    palette = Palette(config, arguments.size, device)
    shown = palette(faces.batch(8).to(device))
    begin = told = kept = time.time()
    mean, before = {}, int(prior.seen)
    while (elapsed := agreed((time.time() - begin) / 60, world)) < arguments.minutes:
        real = palette(faces.batch(arguments.batch).to(device))
        for key, value in trainer(real).items():
            mean[key] = 0.98 * mean.get(key, value) + 0.02 * value
        if rank == 0 and time.time() - told > 20:
            told = time.time()
            print(f"{elapsed:6.1f} min step {trainer.step} images {int(prior.seen)} "
                  f"{(int(prior.seen) - before) / (time.time() - begin):.1f} fps p {trainer.adaptation.probability:.3f} "
                  f"r_t {trainer.adaptation.rate:+.2f} " + " ".join(f"{k} {v:.3f}" for k, v in mean.items()), flush=True)
        if rank == 0 and (trainer.step % arguments.sheet == 0 or time.time() - kept > 600):
            keep()
            kept = time.time()
    if rank == 0 and trainer.step:
        keep()
        print(f"{trainer.step} steps, {int(prior.seen) - before} images, {int(prior.seen)} in all", flush=True)
        tell_measure()


if __name__ == "__main__":
    main()
