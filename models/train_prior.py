"""The prior: StyleGAN2 with adaptive discriminator augmentation on face crops (section 3.2, 4.1).

The generator is the decoder without encoded features, under a mapping network. Non-saturating logistic loss, lazy R1
on the discriminator's input, path-length regularisation by switch. Trains from small to large: --size 64 first, then
with the same --work 128 and 256. Under torchrun every process draws its own batches and gradients are averaged.
Writes prior.safetensors (see `from_prior.py`) and prior_judge.safetensors.

    python train_prior.py --config config/lite.json --data DIR --work DIR --size 64 --minutes 60

The validation figure is r_v of StyleGAN2-ADA (Karras et al. 2020, eq. 1) on crops of the `dev` split: how far the
discriminator overfits, from 0 (not at all) to 1. At the end, or alone with --measure, a Frechet distance on features
of the mesh predictor is printed (`frechet.py`) if --work has the mesh predictor's checkpoint.
"""
import argparse

import cv2
import numpy as np
import torch
import torch.distributed
import torch.nn.functional as F

import checkpoint
import configuration
import frechet
import training
from data import geometry
from data.faces import REDUCED, Faces
from networks.augment import Adaptation, augment
from networks.blocks import SLOPE
from networks.discriminator import Discriminator
from networks.encoders import MeshPredictor
from networks.generator import SkinGauge
from networks.prior import Prior, learning_scales


class Palette:
    """Crops [B, 3, S, S] in the colours that the decoder paints in (`SkinGauge`), cut to [-1, 1].

    The prior has no mask: the skin colour is measured around the rectangle of the ablation."""

    def __init__(self, config, size, device):
        self.gauge = SkinGauge(config).to(device) if config.get("gauge") else None
        self.mask = torch.from_numpy(geometry.rectangle(config["mask"], size)[0]).to(device)

    def __call__(self, crops):
        """Crops in [-1, 1] -> the same, skin of one colour."""
        if self.gauge is None:
            return crops
        return ((crops + 1) / self.gauge(crops * (1 - self.mask) - self.mask) - 1).clamp(-1, 1)


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
    """Steps of generator and discriminator, with their optimisers."""

    R1_EVERY, PATH_EVERY = 16, 4

    def __init__(self, prior, judge, arguments, device, world=1):
        self.prior, self.judge, self.options, self.device, self.world = prior, judge, arguments, device, world
        self.made_by = adam(prior.trained(), self.PATH_EVERY if arguments.path_length else None)
        self.judged_by = adam(dict(judge.named_parameters()), self.R1_EVERY)
        self.adaptation = Adaptation(float(prior.probability), arguments.ada_images, arguments.ada_target)
        self.gamma = arguments.r1 or 0.0002 * arguments.size ** 2 / arguments.batch      # StyleGAN2-ADA's rule
        self.path, self.step, self.wait = torch.zeros((), device=device), 0, 0

    def state(self):
        """What a checkpoint stores in addition to weights and optimisers."""
        return {"step": self.step, "wait": self.wait, "path": float(self.path), "adaptation": self.adaptation.state()}

    def load(self, state):
        """Restores an output of `state`."""
        self.step, self.wait = state["step"], state["wait"]
        self.path.fill_(state["path"])
        self.adaptation.load(state["adaptation"])

    def mixed_precision(self, exact=False):
        """bfloat16 on a GPU; `exact`: none."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda" and not exact)

    def codes(self, count):
        """Codes [count, 14, dim] of random z, some with mixed styles."""
        draw = lambda: torch.randn(count, self.prior.dim, device=self.device)
        return self.prior.mixed(draw(), draw(), self.options.mixing, self.options.size)

    def score(self, images, exact=False):
        """The discriminator's logits [B] of images [B, 3, S, S]."""
        with self.mixed_precision(exact):
            return self.judge(images).float()

    def advance(self, optimiser, loss, parameters):
        """Backward, mean over processes, step. A gradient that is not finite ends the run."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = list(parameters)
        training.average(parameters, self.world)
        if not torch.isfinite(torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])):
            raise SystemExit(f"step {self.step}: the gradient is not finite; the last checkpoint is kept")
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
        """One step on real crops [B, 3, S, S]; gives {name: number} for the log."""
        p, terms = self.adaptation.probability, {}
        self.judge.requires_grad_(False)
        with self.mixed_precision():
            made = self.prior.decoder(self.codes(len(real)), size=self.options.size)
        made = made.float()
        if self.step >= self.wait:
            loss = F.softplus(-self.score(augment(made, p))).mean()
            terms["generator"] = loss
            if self.options.path_length and self.step % self.PATH_EVERY == 0:
                loss = loss + self.path_length()
            self.advance(self.made_by, loss, self.prior.trained().values())
        self.judge.requires_grad_(True)
        penalised = self.step % self.R1_EVERY == 0
        # R1 at what the discriminator sees: the warp of the augmentation has no second derivative.
        seen = augment(real, p).detach().requires_grad_(penalised)
        score = self.score(seen, exact=penalised)
        loss = terms["judge"] = F.softplus(-score).mean() + F.softplus(self.score(augment(made.detach(), p))).mean()
        if penalised:
            gradient, = torch.autograd.grad(score.sum(), seen, create_graph=True)
            terms["r1"] = gradient.square().sum((1, 2, 3)).mean()
            loss = loss + self.R1_EVERY * 0.5 * self.gamma * terms["r1"]
        self.advance(self.judged_by, loss, self.judge.parameters())
        self.finish(score.detach())
        return {k: float(v.detach()) for k, v in terms.items()}

    @torch.no_grad()
    def overfitting(self, train, held_out):
        """r_v of StyleGAN2-ADA, eq. 1, of crops [B, 3, S, S] of the training split and of people outside it:
        (E[D(train)] - E[D(held_out)]) / (E[D(train)] - E[D(made)]). Changes no state, w_avg included."""
        codes = self.prior.mapping(torch.randn(len(train), self.prior.dim, device=self.device))
        made = self.prior.decoder(codes[:, None].expand(-1, self.prior.codes, -1), size=self.options.size)
        on_train, on_held_out, on_made = (float(self.score(x, exact=True).mean()) for x in (train, held_out, made))
        return (on_train - on_held_out) / (on_train - on_made) if on_train != on_made else 0.0

    def finish(self, score):
        """After a step: adapts p to the logits of the real crops, counts images, moves the averages."""
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
    """Writes a picture: four rows of samples, one row of the first of them truncated to psi 0.5, one of real crops
    [8, 3, S, S]."""
    z = torch.randn(32, prior.dim, generator=torch.Generator().manual_seed(1)).to(device)
    near = prior.sample(z[:8], size, 0.5)
    rows = torch.cat([prior.sample(z, size), near, real]).cpu().clamp(-1, 1).view(6, 8, 3, size, size)
    grid = rows.permute(0, 3, 1, 4, 2).reshape(6 * size, 8 * size, 3)
    cv2.imwrite(str(path), ((grid.numpy() + 1) * 127.5).round().astype(np.uint8)[..., ::-1])


def measure(prior, arguments, config, device, train):
    """{name: Frechet distance} on mesh features, None without a mesh predictor. Reseeds the draws of `train`."""
    mesh = MeshPredictor(config)
    if not checkpoint.restore(arguments.work, "mesh", mesh):
        return None
    features = frechet.MeshFeatures(mesh.to(device), config)
    held_out = Faces(arguments.data, arguments.size, "dev", arguments.rights, seed=1)
    palette, draw = Palette(config, arguments.size, device), torch.Generator().manual_seed(0)
    train.random = np.random.default_rng(2)
    noise = lambda n: torch.randn(n, prior.dim, generator=draw).to(device)
    sources = {"made": lambda n: prior.sample(noise(n), arguments.size),
               "held_out": lambda n: palette(held_out.batch(n).to(device)),
               "seen": lambda n: palette(train.batch(n).to(device))}
    many = lambda source: torch.cat([features(source(64)) for _ in range(arguments.pictures // 64)]).cpu()
    return frechet.distances(**{name: many(source) for name, source in sources.items()})


def parse(options=None):
    """(arguments, config)."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=30, every=250, folders=("data", "work"))
    parser.add_argument("--size", type=int, choices=sorted(REDUCED), default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--r1", type=float, default=None, help="weight of R1 (default: 0.0002 size^2 / batch)")
    parser.add_argument("--path-length", type=float, default=0.0,
                        help="weight of path-length regularisation (StyleGAN2: 2)")
    parser.add_argument("--mixing", type=float, default=0.9, help="share of samples whose style is mixed")
    parser.add_argument("--ada-target", type=float, default=0.6)
    parser.add_argument("--ada-images", type=int, default=500_000, help="images in which p can go from 0 to 1")
    parser.add_argument("--judge-first", type=int, default=50, help="steps of the discriminator alone at a new size")
    parser.add_argument("--measure", action="store_true", help="print the Frechet distances and end")
    parser.add_argument("--pictures", type=int, default=1024, help="pictures of each kind to measure on")
    arguments = parser.parse_args(options)
    return arguments, configuration.load(arguments)


def held_out(arguments):
    """Faces of the `dev` split, None where it has none."""
    try:
        return Faces(arguments.data, arguments.size, "dev", arguments.rights, seed=3)
    except SystemExit:
        return None


def main(options=None):
    """The command; `options` instead of the command line's."""
    arguments, config = parse(options)
    run = training.Run(arguments, "train_prior")
    device = run.device
    prior, judge = Prior(config, arguments.size), Discriminator(config)
    initialise(judge)
    prior, judge = (m.to(device, memory_format=torch.channels_last) for m in (prior, judge))
    restore = lambda name, module: checkpoint.restore(arguments.work, name, module)
    known = [restore("prior", prior), restore("prior_judge", judge)]
    faces = Faces(arguments.data, arguments.size, "train", arguments.rights, run.random)
    run.print(f"{len(faces)} crops of {faces.people} persons; {int(prior.seen)} images seen before")

    def print_distances():
        for name, value in (measure(prior, arguments, config, device, faces) or {}).items():
            print(f"Frechet distance on mesh features at {arguments.size}, {name}: {value:.1f}", flush=True)

    if arguments.measure:
        return print_distances()
    trainer = Trainer(prior, judge, arguments, device, run.world)
    optimisers = {"prior": trainer.made_by, "judge": trainer.judged_by}
    extra = run.resume(optimisers, all(known))
    if extra:
        trainer.load(extra)
    elif known[0] and int(prior.size) < arguments.size:
        trainer.wait = arguments.judge_first
    palette = Palette(config, arguments.size, device)
    take = lambda source: palette(source.batch(arguments.batch).to(device))
    dev = held_out(arguments)
    shown = palette(Faces(arguments.data, arguments.size, "train", arguments.rights, 0).batch(8).to(device))

    def keep():
        run.save({"prior": prior, "prior_judge": judge}, optimisers, trainer.state())
        if run.rank == 0:
            sheet(arguments.work / "prior.png", prior, shown, arguments.size, device)
            adaptation = trainer.adaptation
            run.log(f"images {int(prior.seen)} p {adaptation.probability:.3f} r_t {adaptation.rate:+.2f} "
                    + (f"r_v on dev {trainer.overfitting(take(faces), take(dev)):+.2f}" if dev else "no dev crops"))

    before = int(prior.seen)
    for _ in run.steps():
        run.note(trainer(take(faces)))
        if run.due():
            keep()
    if not run.due():
        keep()
    run.print(f"{trainer.step} steps, {int(prior.seen) - before} images, {int(prior.seen)} in all")
    if run.rank == 0:
        print_distances()


if __name__ == "__main__":
    main()
