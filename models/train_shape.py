"""Phonetic features to mouth shape: the heads of E_aud, trained without pictures.

    python train_shape.py --config config/lite.json --data W/pack --face-model W/face_model.npz --work W/checkpoints

Trains `audio_encoder` (on the phonetic encoder's `near` output) and `audio_encoder_far`, which needs
<work>/phonetic.safetensors. Prints the lip opening's correlation with the truth and its size on the `dev` split.
"""
import argparse

import numpy as np
import torch

import checkpoint
import configuration
import speech
import training
from data.dataset import openings
from networks.encoders import AudioEncoder
from phonetic_features import restored

NAMES = {"near": "audio_encoder", "far": "audio_encoder_far"}
REACH = 98                                   # percentile of the training shapes,
ROOM = 1.5                                   # and the share of it that the prediction cannot exceed


class ShapeTraining:
    """One head, against the shapes of the teacher's landmarks."""

    BATCH, RESTING = 256, 0.03               # windows; share of them that are silence, with a mouth at rest

    def __init__(self, clips, basis, config, output, run):
        """`basis`: of `speech.lip_basis`. The loss is of lip points, since coefficients do not weigh alike."""
        self.output, self.window, self.run, self.basis = output, config["audio"][output], run, basis
        self.inputs = np.concatenate([speech.windows(c, output, **self.window)[c.valid].astype(np.float16)
                                      for c in clips])
        self.shapes = np.concatenate([c.shape[c.valid] for c in clips])
        self.weight = np.cumsum(speech.fair_weights(clips))
        self.silent = clips[0].features[output][:, :1]
        self.network = AudioEncoder(config, output).to(run.device)
        self.measure(clips)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=run.arguments.rate,
                                           weight_decay=run.arguments.decay)

    def measure(self, clips):
        """Sets what the network knows of the training set: the features' mean and scale, the shapes' range."""
        mean, scale = speech.standard(clips, self.output)
        reach = np.percentile(np.abs(self.shapes), REACH, axis=0) * ROOM
        self.network.mean.copy_(mean), self.network.scale.copy_(scale)
        self.network.reach.copy_(torch.from_numpy(reach.astype(np.float32)))

    def draw(self):
        """A batch (features [N, components, C], shapes [N, mouth])."""
        random = self.run.random
        index = np.searchsorted(self.weight, random.random(self.BATCH)).clip(max=len(self.inputs) - 1)
        x, y = self.inputs[index].astype(np.float32), self.shapes[index]
        resting = random.random(self.BATCH) < self.RESTING
        x[resting], y[resting] = self.silent, 0
        return torch.from_numpy(x), torch.from_numpy(y)

    def step(self):
        """One step; gives {name: loss}."""
        x, y = training.to(self.run.device, self.draw())
        made = self.network(x)
        points, true = (torch.einsum("nk,kpc->npc", s, self.basis) for s in (made, y))
        a, b = openings(points), openings(true)
        terms = {"points": 30 * (points - true).abs().mean(), "opening": 20 * (a - b).abs().mean(),
                 "shape": 0.05 * (made - y).square().mean()}
        self.optimiser.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        self.optimiser.step()
        return {f"{self.output} {name}": value for name, value in terms.items()}

    @torch.no_grad()
    def predict(self, clip):
        """Shapes [frames, mouth] of a clip."""
        windows = speech.windows(clip, self.output, **self.window)
        return self.network(torch.from_numpy(windows).to(self.run.device)).cpu().numpy()

    def report(self, clips, basis):
        """The validation figures of clips."""
        self.network.eval()
        line = speech.told(speech.summary(speech.judge(self.predict, clips, basis)))
        self.network.train()
        return f"{self.output}: {line}"


def train(arguments, config, face):
    """Trains both heads until the budget is spent."""
    run = training.Run(arguments, "train_shape")
    phonetic = restored(arguments.work, config)
    basis = speech.lip_basis(face, config["mouth"])
    clips = speech.load(arguments.data, "train", config["mouth"], phonetic, arguments.rights)
    judged = speech.load(arguments.data, "dev", config["mouth"], phonetic)
    heads = {NAMES[o]: ShapeTraining(clips, basis.to(run.device), config, o, run) for o in NAMES}
    networks = {name: head.network for name, head in heads.items()}
    optimisers = {name: head.optimiser for name, head in heads.items()}
    known = [checkpoint.restore(arguments.work, name, network) for name, network in networks.items()]
    run.print(f"{len(clips)} clips of {len({c.person for c in clips})} people; validated on {len(judged)} clips of dev")
    run.resume(optimisers, all(known))

    def keep():
        run.save(networks, optimisers)
        run.log("; ".join(head.report(judged, basis) for head in heads.values()))

    for spent in run.steps():
        for head in heads.values():
            training.set_rate(head.optimiser, arguments.rate * training.cosine(spent, 0.01))
            run.note(head.step())
        if run.due():
            keep()
    if not run.due():
        keep()


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training.add_arguments(parser, minutes=3, every=200)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    arguments = parser.parse_args(options)
    train(arguments, configuration.load(arguments), dict(np.load(arguments.face_model)))


if __name__ == "__main__":
    main()
