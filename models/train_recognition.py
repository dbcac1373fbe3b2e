"""The recognition network: which faces of a clip are the same person (`networks/recognition.py`).

    python train_recognition.py --config config/lite.json --data DIR --face-model F --work DIR --minutes 40

Trained on the names of the people alone: no other face-recognition network teaches it. Each crop is compared with
one learned vector for each person; the angle to the own one is made harder by a margin (Wang et al. 2018, CosFace,
equation 4). The validation figures are of people that were never seen (`verification`).
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
import configuration
import training
from data import geometry
from networks.recognition import Recognition
from train_mesh import WIDE, Pictures, decode, degrade, occlude

SCALE, MARGIN = 24.0, 0.25
PEOPLE = 16                                  # of a batch, each with the same number of crops


class PeopleBatches:
    """Crops of 128 as the tracker's second fit sees them, with the numbers of their people. `train=False`: no change
    but a small displacement."""

    def __init__(self, rows, config, random, train=True):
        self.random, self.train = random, train
        self.size, self.margin = config["mesh"]["size"], config["mesh"]["margin"]
        self.people = {}
        for row in rows:
            if row["kind"] == "wide":
                self.people.setdefault(row["person"], []).append(row)
        self.names = sorted(self.people)

    def one(self, row):
        """The crop [3, S, S] of a row."""
        random, size = self.random, self.size
        spread = 1.0 if self.train else 0.5
        step = self.margin / 2 * np.exp(random.normal(0, 0.04 * spread)) * WIDE / size
        angle = random.normal(0, 0.06 * spread)
        c, s = step * np.cos(angle), step * np.sin(angle)
        matrix = np.array([[c, -s, 0.0], [s, c, 0.0]])
        if self.train and random.random() < 0.5:
            matrix[:, 0] *= -1
        centre = WIDE * (0.5 + random.normal(0, 0.012 * spread, 2))
        matrix[:, 2] = centre - matrix[:, :2] @ np.full(2, size / 2)
        x = geometry.sample(decode(row["jpeg"]), matrix, size)
        if not self.train:
            return (x.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
        x = degrade(x, random) if random.random() < 0.6 else x.astype(np.float32) / 255
        if random.random() < 0.5:
            x = self.elsewhere(x)
        if random.random() < 0.2:
            occlude(x, random)
        return (x * 2 - 1).transpose(2, 0, 1)

    def elsewhere(self, x):
        """x before another background: a face is to be known by itself, not by the room or the studio."""
        random, size = self.random, self.size
        at = (np.arange(size) + 0.5) / size * 2 - 1
        wide, high = random.uniform(0.6, 0.8), random.uniform(0.75, 0.95)
        away = np.hypot(at[None] / wide, (at[:, None] + random.uniform(-0.05, 0.1)) / high)
        inside = np.clip((1.1 - away) / 0.2, 0, 1)[..., None].astype(np.float32)
        if random.random() < 0.5:
            other = np.broadcast_to(random.random(3).astype(np.float32), x.shape)
        else:
            rows = self.people[self.names[random.integers(len(self.names))]]
            picture = decode(rows[random.integers(len(rows))]["jpeg"])[:size, -size:]
            other = picture.astype(np.float32) / 255
        return x * inside + other * (1 - inside)

    @torch.no_grad()
    def middles(self, network, count=8):
        """The mean embedding [people, size] of each person: the vectors that a network trained before begins with."""
        network.eval()
        means = []
        for name in self.names:
            rows = self.people[name]
            crops = np.stack([self.one(rows[pick]) for pick in self.random.integers(len(rows), size=count)])
            means.append(F.normalize(network(torch.from_numpy(crops.astype(np.float32))).mean(0), dim=0))
        network.train()
        return torch.stack(means)

    def batch(self, count):
        """(crops [PEOPLE * count, 3, S, S], numbers of their people)."""
        people = self.random.choice(len(self.names), min(PEOPLE, len(self.names)), replace=False)
        crops, numbers = [], []
        for person in people:
            rows = self.people[self.names[person]]
            for pick in self.random.integers(len(rows), size=count):
                crops.append(self.one(rows[pick]))
                numbers.append(person)
        return torch.from_numpy(np.stack(crops).astype(np.float32)), torch.tensor(np.array(numbers))


def loss(embedding, proxies, numbers):
    """CosFace: the own vector's cosine less a margin, against those of all people."""
    cosine = embedding @ F.normalize(proxies, dim=1).t()
    own = F.one_hot(numbers, len(proxies))
    return F.cross_entropy(SCALE * (cosine - MARGIN * own), numbers)


@torch.no_grad()
def verification(network, batches):
    """The validation figures as a line of the log: of all pairs of crops, how many of one person are above the
    similarity that 1 % and 0.1 % of those of two people reach."""
    network.eval()
    embedding, numbers = zip(*((network(crops), numbers) for crops, numbers in batches))
    network.train()
    embedding, numbers = torch.cat(embedding), torch.cat(numbers)
    pairs = torch.triu_indices(len(numbers), len(numbers), 1)
    similarity = (embedding @ embedding.t())[pairs[0], pairs[1]].numpy()
    same = (numbers[pairs[0]] == numbers[pairs[1]]).numpy()
    shares = []
    for false in (0.01, 0.001):
        limit = np.quantile(similarity[~same], 1 - false)
        share = (similarity[same] > limit).mean()
        shares.append(f"{100 * share:.1f} % above {limit:.2f} ({100 * false:g} % of others)")
    return f"dev, {len(set(numbers.tolist()))} people: " + ", ".join(shares)


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=40, every=500)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--crops", type=int, default=3, help="of each person of a batch")
    arguments = parser.parse_args(options)
    config = configuration.load(arguments)
    run = training.Run(arguments, "train_recognition")
    people = PeopleBatches(Pictures(arguments.data, "train", rights=arguments.rights).rows, config, run.random)
    dev = PeopleBatches(Pictures(arguments.data, "dev").rows, config, np.random.default_rng(1), train=False)
    judged = [dev.batch(4) for _ in range(12)]
    network = Recognition(config)
    proxies = torch.nn.Parameter(torch.randn(len(people.names), config["recognition"]["size"]))
    known = checkpoint.restore(arguments.work, "recognition", network)
    run.print(f"{len(people.names)} people, {sum(p.numel() for p in network.parameters())} parameters")
    optimisers = {"recognition": torch.optim.AdamW([*network.parameters(), proxies], lr=arguments.rate,
                                                   weight_decay=0.05)}
    extra = run.resume(optimisers, known)
    with torch.no_grad():
        if known and "proxies" not in extra:
            proxies.copy_(people.middles(network))
        proxies.copy_(extra.get("proxies", proxies))

    def keep():
        run.save({"recognition": network}, optimisers, {"proxies": proxies.detach()})
        run.log(verification(network, judged))

    for spent in run.steps():
        rate = arguments.rate * training.cosine(spent, 0.02) * min(1, run.step / 100)
        training.set_rate(optimisers["recognition"], rate)
        crops, numbers = people.batch(arguments.crops)
        optimisers["recognition"].zero_grad(set_to_none=True)
        value = loss(network(crops), proxies, numbers)
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimisers["recognition"].step()
        run.note({"loss": value})
        if run.due():
            keep()
    if not run.due():
        keep()


if __name__ == "__main__":
    main()
