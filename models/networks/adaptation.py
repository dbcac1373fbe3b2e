"""One step of unseen face adaptation (section 4): losses of eq. 10 and their gradients for the synthesis network.

Five consecutive frames of the person with their own speech, and the same frames with unpaired speech:

    L = weights . (L_picture + L_perceptual, 1 - cos(own), 1 - cos(unpaired))

The weights are lambda_1, lambda_2 and lambda_R of section 5.2; 0 leaves a term out. The encoders, the fusions (SaMF),
the judges and the codes are frozen; theta, the rest of the decoder, is an input, so that a runtime without training
operators can train it. `export_adaptation.py` turns this into a graph.

The landmark and texture losses of the main stage were tried in L_picture: mouths stay better defined, and the sync with
unpaired speech is worse (RESULTS.md).
"""
import torch
from torch import nn

import losses

# The inputs of a step in addition to theta, in the order of the graph's. "hole" is the inpainting mask, "carried" the
# warped reference; "other_" inputs belong to the unpaired speech.
INPUTS = ["target", "hole", "lips", "code", "carried", "sound",
          "other_lips", "other_code", "other_carried", "other_sound", "weights"]

# The outputs in addition to the gradients, before their weights.
TERMS = ["picture", "sync", "regulariser"]


class Adaptation(nn.Module):
    """The step of a generator. `judge`: losses.MeshJudge; `tower`: SyncNet's tower of mouth shapes."""

    def __init__(self, generator, judge, tower):
        super().__init__()
        self.generator, self.judge, self.tower = generator.eval(), judge, tower.eval()
        # The judge is not a module; its network is, and its weights are the graph's too.
        self.mesh = judge.mesh
        self.requires_grad_(False)

    def theta(self):
        """{name: tensor} of the synthesis network."""
        return {k: v.detach() for k, v in self.generator.decoder.synthesis_parameters().items()}

    def paint(self, theta, target, mask, lips, code, carried):
        """(crops with the mask filled in, images), both [T, 3, S, S]."""
        parameters = {f"decoder.{k}": v for k, v in theta.items()}
        seen = target * (1 - mask) - mask
        made = torch.func.functional_call(self.generator, parameters, (seen, lips, code, carried))
        return target * (1 - mask) + made * mask, made

    def sync(self, shapes, sound):
        """1 - cos of eq. 7 and 9; `sound` [1, dim], a unit vector."""
        mouth = self.tower(shapes[None])
        return 1 - (mouth * sound).sum()

    def terms(self, theta, target, mask, lips, code, carried, sound,
              other_lips, other_code, other_carried, other_sound):
        """(picture and perceptual, sync, regulariser), before their weights.

        target [T, 3, S, S], mask [T, 1, S, S], lips [T, P, 2], code [T, 14, dim], carried as target, sound [1, dim]."""
        count = len(target)
        both = lambda own, unpaired: torch.cat([own, unpaired])
        composed, made = self.paint(theta, both(target, target), both(mask, mask), both(lips, other_lips),
                                    both(code, other_code), both(carried, other_carried))
        features, _, shapes = self.judge.look(composed)
        true, _, _ = self.judge.look(target)
        distances = ((a[:count] - b).abs().mean() / (b.abs().mean() + 1e-3) for a, b in zip(features, true))
        perceptual = sum(distances) / len(true)
        picture = losses.picture(made[:count], target, losses.weights(mask, lips)) + perceptual
        return picture, self.sync(shapes[:count], sound), self.sync(shapes[count:], other_sound)

    def forward(self, theta, *inputs):
        """(picture, sync, regulariser, gradients of the weighted sum in theta's order); the last input: weights [3]."""
        leaves = {k: v.detach().requires_grad_() for k, v in theta.items()}
        *inputs, weights = inputs
        terms = self.terms(leaves, *inputs)
        total = (weights * torch.stack(terms)).sum()
        return (*(t.detach() for t in terms), *torch.autograd.grad(total, list(leaves.values())))
