"""What the training commands share: their common arguments, seeds, the budget, the device, and resuming.

A command that was stopped goes on when it is started again with the same arguments and the same --work: the weights,
the optimisers, the step and the clock come from the checkpoint. The random state needs no storing: every step draws
from generators that are seeded by (--seed, run, process, step). So a resumed run computes what an uninterrupted one
would have computed, to the bit on one CPU thread with --steps.

Started with other arguments, or once its budget is spent, a command begins another run from the stored weights: step
and clock begin at 0, and the optimiser's moments are kept if they fit.
"""
import math
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.distributed

import checkpoint
import configuration

SECONDS = 20                        # between two lines of the log
WITHOUT_EFFECT = {"minutes", "steps", "every", "device", "threads", "pictures", "measure"}   # do not make another run


def add_arguments(parser, *, minutes, every, folders=("data", "face-model", "work")):
    """The arguments of every training command; `minutes` and `every` are the defaults of two of them."""
    configuration.add_arguments(parser)
    for name in folders:
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--rights", choices=["cleared"], default=None, help="train on cleared clips alone")
    parser.add_argument("--minutes", type=float, default=minutes, help="length of the run by the clock")
    parser.add_argument("--steps", type=int, default=None,
                        help="length of the run in steps instead, which the machine's load does not change")
    parser.add_argument("--every", type=int, default=every, help="steps between validations and checkpoints")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of all draws")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1)


def average(parameters, world):
    """Replaces the gradients of `parameters` by their means over all processes."""
    if world > 1:
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        torch.distributed.all_reduce(flat)
        for gradient, part in zip(gradients, flat.div_(world).split([g.numel() for g in gradients])):
            gradient.copy_(part.view_as(gradient))


def cosine(spent, final):
    """Factor on the learning rate: from 1 to `final` along half a cosine, `spent` in [0, 1]."""
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * spent))


def to(device, batch):
    """A batch (a tensor, or a list or dict of tensors) on a device."""
    if isinstance(batch, dict):
        return {key: value.to(device) for key, value in batch.items()}
    return [value.to(device) for value in batch] if isinstance(batch, (list, tuple)) else batch.to(device)


class Run:
    """One run of a training command. Under torchrun each process has a Run and draws batches of its own.

    `random` is a NumPy generator for everything that draws a batch. `step` is the number of the step under way, the
    first one being 1."""

    def __init__(self, arguments, name):
        """`name`: of the file that holds the state, `<work>/<name>.state.pt`."""
        self.arguments, self.name = arguments, name
        self.settings = {k: str(v) for k, v in sorted(vars(arguments).items()) if k not in WITHOUT_EFFECT}
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device(arguments.device)
        if self.world > 1:
            # gloo averages on either device; every process must have one of its own.
            torch.distributed.init_process_group("gloo")
            if self.device.type == "cuda":
                self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        torch.set_num_threads(arguments.threads)
        cv2.setNumThreads(1)
        torch.manual_seed(arguments.seed)           # the same first weights in every process
        self.random = np.random.default_rng([arguments.seed, self.rank])
        self.number = self.step = self.resumed = 0
        self.earlier, self.begin, self.logged, self.means = 0.0, time.time(), time.time(), {}

    @property
    def minutes(self):
        """The run's time, that before an interruption included."""
        return self.earlier + (time.time() - self.begin) / 60

    @property
    def speed(self):
        """Steps a second since the command was started."""
        return (self.step - self.resumed) / max(1e-9, time.time() - self.begin)

    def spent(self):
        """Share of the budget that is spent, the same in every process."""
        if self.arguments.steps:
            return self.step / self.arguments.steps
        minutes = self.minutes
        if self.world > 1:
            value = torch.tensor([minutes])
            torch.distributed.broadcast(value, 0)
            minutes = float(value)
        return minutes / self.arguments.minutes

    def resume(self, optimisers, weights=True):
        """Takes over the state of an earlier start: {name: optimiser}, step and clock. Gives the stored `extra`.

        `weights`: whether the networks came from a checkpoint. Without them a stored state is not theirs."""
        self.begin = time.time()
        state = checkpoint.restore_state(self.arguments.work, self.name) if weights else None
        if state is None:
            return {}
        self.step, self.earlier, self.number = state["step"], state["minutes"], state["number"]
        same = state["settings"] == self.settings and self.spent() < 1
        if not same:
            self.step, self.earlier, self.number = 0, 0.0, state["number"] + 1
        self.resumed = self.step
        kept = [name for name, optimiser in optimisers.items()
                if checkpoint.restore_optimiser(optimiser, state["optimisers"].get(name))]
        self.print(f"goes on at step {self.step}" if same else "begins another run from the stored weights"
                   + ("" if len(kept) == len(optimisers) else "; the optimiser begins anew"))
        return state["extra"] if same else {}

    def save(self, networks, optimisers, extra=None):
        """Writes {name: network} and the state, in the first process only."""
        if self.rank:
            return
        for name, network in networks.items():
            checkpoint.save(self.arguments.work, name, network)
        checkpoint.save_state(self.arguments.work, self.name, {
            "step": self.step, "minutes": self.minutes, "number": self.number, "settings": self.settings,
            "optimisers": {name: optimiser.state_dict() for name, optimiser in optimisers.items()},
            "extra": extra or {}})

    def seed(self, *purpose):
        """Seeds `random` and torch's generators for the step under way."""
        sequence = np.random.SeedSequence([self.arguments.seed, self.number, self.rank, self.step, *purpose])
        self.random.bit_generator.state = np.random.PCG64(sequence).state
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    def steps(self):
        """Yields the share of the budget that is spent before each step, until it is 1."""
        self.begin = self.logged = time.time()
        while (spent := self.spent()) < 1:
            self.step += 1
            self.seed()
            yield spent

    def due(self):
        """Whether a validation and a checkpoint follow the step under way."""
        return self.step % self.arguments.every == 0

    def note(self, terms, keep=0.98):
        """Adds {name: loss} to the running means, and logs them every SECONDS."""
        for key, value in terms.items():
            value = float(value.detach()) if isinstance(value, torch.Tensor) else float(value)
            self.means[key] = keep * self.means.get(key, value) + (1 - keep) * value
        if time.time() - self.logged > SECONDS:
            self.log()

    def log(self, text=""):
        """Prints time, step, speed and mean losses, and `text` behind them."""
        self.logged = time.time()
        self.print(f"{self.minutes:6.1f} min step {self.step} {self.speed:.2f} steps/s "
                   + " ".join(f"{k} {v:.4f}" for k, v in self.means.items()) + (f" | {text}" if text else ""))

    def print(self, text):
        """Prints in the first process only."""
        if self.rank == 0:
            print(text, flush=True)


def set_rate(optimiser, rate):
    """Sets the learning rate of all groups."""
    for group in optimiser.param_groups:
        group["lr"] = float(rate)          # the state holds plain numbers alone
