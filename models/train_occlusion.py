"""The segmenter of what lies in front of the mouth, trained on crops with made-up occluders (`data/occluders.py`).

    python train_occlusion.py --config config/lite.json --data DIR --face-model F --work DIR --minutes 60

Half of the crops have nothing in front, so that beards, teeth, tongues and glasses count as face. The validation
figures are of `dev` crops: the share of the matte that is lost where nothing is in front, and precision and recall of
made-up occluders inside the mask.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
import configuration
import training
from data import dataset, geometry
from data.occluders import occlude
from data.variety import Variety
from networks.occlusion import Occlusion

FREE = 0.5                                   # share of crops with nothing in front
OUTSIDE = 0.15                               # weight of pixels outside the mask


class OccludedCrops:
    """Endless batches: crops [B, 3, 256, 256], alpha [B, 1, 128, 128] of what lies in front, mask [B, 1, 128, 128]."""

    def __init__(self, clips, config, face, count, random):
        self.clips, self.count, self.random, self.options = clips, count, random, config["mask"]
        self.variety = Variety(face, config["mouth"])
        persons = {}
        for clip in clips:
            persons[clip.person] = persons.get(clip.person, 0) + len(clip.valid)
        weight = np.array([len(c.valid) / np.sqrt(persons[c.person]) for c in clips])
        self.weight = weight / weight.sum()

    def crop(self, change=None):
        """(crop in [0, 1], contours) of a random frame."""
        clip = self.clips[self.random.choice(len(self.clips), p=self.weight)]
        t = self.random.choice(np.nonzero(clip.valid)[0])
        image = clip.crop(t)
        middle = np.full(2, geometry.IMAGE / 2)
        if change is None:
            return image.astype(np.float32) / 255, None
        return (change.moved(image).astype(np.float32) / 255,
                [change.bent(c / middle - 1) * middle @ change.linear.T + middle for c in clip.contours[t]])

    def one(self):
        """(crop uint8, alpha, mask) of one example."""
        random = self.random
        change = self.variety.draw(random)
        image, contours = self.crop(change)
        alpha = np.zeros(image.shape[:2], np.float32)
        mask, _ = geometry.inpainting_mask(contours, self.options)
        if random.random() >= FREE:
            ys, xs = np.nonzero(mask)
            pick = random.integers(len(ys)) if len(ys) else 0
            at = np.array([xs[pick], ys[pick]], float) if len(ys) else random.uniform(40, 216, 2)
            other, _ = self.crop()
            image, alpha = occlude(random, image, other, at)
        picture = change.coloured((image * 255).astype(np.uint8), random)
        return picture * 2 - 1, alpha, mask

    def batch(self):
        """{name: tensor}."""
        rows = [self.one() for _ in range(self.count)]
        half = lambda x: cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        tensor = lambda arrays: torch.from_numpy(np.stack(arrays).astype(np.float32))
        return {"crop": tensor([row[0].transpose(2, 0, 1) for row in rows]),
                "alpha": tensor([half(row[1])[None] for row in rows]),
                "mask": tensor([half(row[2])[None] for row in rows])}


def losses(logits, batch):
    """{name: loss}: the likelihood, and the overlap inside the mask of crops with something in front."""
    alpha, mask = batch["alpha"], batch["mask"]
    weight = mask + OUTSIDE * (1 - mask)
    likelihood = (F.binary_cross_entropy_with_logits(logits, alpha, reduction="none") * weight).sum() / weight.sum()
    made = torch.sigmoid(logits) * mask
    true = alpha * mask
    overlap = (2 * (made * true).sum((1, 2, 3)) + 1) / (made.sum((1, 2, 3)) + true.sum((1, 2, 3)) + 1)
    some = (true.sum((1, 2, 3)) > 20).float()
    return {"likelihood": likelihood, "overlap": 0.2 * ((1 - overlap) * some).sum() / (some.sum() + 1e-6)}


@torch.no_grad()
def figures(network, batches):
    """The validation figures as a line of the log."""
    network.eval()
    lost, free, hit, made_sum, true_sum = 0.0, 0.0, 0.0, 0.0, 0.0
    for batch in batches:
        made, mask = torch.sigmoid(network(batch["crop"])), batch["mask"]
        clear = batch["alpha"].amax((1, 2, 3)) == 0
        lost += float((made * mask)[clear].sum())
        free += float(mask[clear].sum())
        found, true = (made > 0.5) & (mask > 0.5), (batch["alpha"] > 0.5) & (mask > 0.5)
        hit += float((found & true)[~clear].sum())
        made_sum += float(found[~clear].sum())
        true_sum += float(true[~clear].sum())
    network.train()
    return (f"dev: {100 * lost / max(1, free):.2f} % of the matte lost where nothing is in front; made-up occluders: "
            f"precision {hit / max(1, made_sum):.3f}, recall {hit / max(1, true_sum):.3f}")


def sheet(path, network, batch):
    """Writes a picture: rows of crop, truth, prediction."""
    with torch.no_grad():
        made = F.interpolate(torch.sigmoid(network(batch["crop"])), scale_factor=2)
    grey = lambda x: F.interpolate(x, scale_factor=2).expand(-1, 3, -1, -1) * 2 - 1
    rows = [batch["crop"], grey(batch["alpha"]), made.expand(-1, 3, -1, -1) * 2 - 1]
    grid = torch.cat([torch.cat(list(row), 2) for row in rows], 1)
    pixels = (grid.permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 127.5
    cv2.imwrite(str(path), pixels.astype(np.uint8)[..., ::-1])


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    training.add_arguments(parser, minutes=60, every=500)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--crops", type=int, default=8, help="of a batch")
    arguments = parser.parse_args(options)
    config, face = configuration.load(arguments), dict(np.load(arguments.face_model))
    run = training.Run(arguments, "train_occlusion")
    load = lambda split, rights: dataset.load(arguments.data, face, config["mouth"], rights=rights, split=split)
    crops = OccludedCrops(load("train", arguments.rights), config, face, arguments.crops, run.random)
    dev = OccludedCrops(load("dev", None), config, face, 16, np.random.default_rng(1))
    judged = [dev.batch() for _ in range(12)]
    network = Occlusion(config)
    known = checkpoint.restore(arguments.work, "occlusion", network)
    run.print(f"{len(crops.clips)} clips, {sum(p.numel() for p in network.parameters())} parameters")
    optimisers = {"occlusion": torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=0.01)}
    run.resume(optimisers, known)

    def keep():
        run.save({"occlusion": network}, optimisers)
        sheet(Path(arguments.work) / "occlusion.png", network, judged[0])
        run.log(figures(network, judged))

    for spent in run.steps():
        rate = arguments.rate * training.cosine(spent, 0.02) * min(1, run.step / 50)
        training.set_rate(optimisers["occlusion"], rate)
        terms = losses(network((batch := crops.batch())["crop"]), batch)
        optimisers["occlusion"].zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimisers["occlusion"].step()
        run.note(terms)
        if run.due():
            keep()
    if not run.due():
        keep()


if __name__ == "__main__":
    main()
