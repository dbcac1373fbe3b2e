"""Phonetic features to mouth shape: the last part of E_aud, trained without pictures.

    python train_shape.py --config config/lite.json --data W/pack --face-model W/face_model.npz --work W/checkpoints \
        --text en-us=TEXT --text de=TEXT

Trains `audio_encoder` (on the phonetic encoder's `near` output) and `audio_encoder_far`; needs
<work>/phonetic.safetensors. Each of the heads that an encoder averages is trained without a part of the people, in
turn. The log tells the correlation of the lip opening with the truth and its size: `held out` of those people, each by
the head that did not see them, which is what a choice of options should look at; `dev` of the split's people, by all
heads. `--text VOICE=FILE`: sentences that espeak-ng says, whose /p b m/ must close the lips. At the end of the training
the mean's lip opening is calibrated (`AudioEncoder`): only `dev` figures from then on show it. `--what check` only
measures.
"""
import argparse

import numpy as np
import torch

import checkpoint
import configuration
import speech
import training
from data import bilabials
from data.dataset import STEP, openings
from data.sound_augment import RATE, Surroundings, mixed
from networks.encoders import AudioEncoder
from phonetic_features import COLUMN, MARGIN, NAMES, around, encoded, mel_columns, restored

REACH = 98                                   # percentile of the training shapes,
ROOM = 1.5                                   # and how many times it the prediction cannot exceed
GUIDE = 0.5                                  # share of the far prediction in the target of the near one
CONTACT = 0.01                               # lips touch: opening below this, in eye distances
SEALED = 0.01                                # the same that is asked for at /p b m/, after the average of MaLS
JUDGED = 12                                  # clips of a person held out that are measured
# Shares of the openings' distribution at the knots of the calibration.
SHARES = (0.005, 0.02, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95, 0.99)


class Windows:
    """The training windows of one head: people, their frames, and what surrounds speech without being any."""

    PEOPLE, FRAMES = 16, 16                  # of a batch
    RESTING = 0.03                           # share of a batch that is silence, noise or music, with a mouth at rest

    def __init__(self, clips, output, window, unspoken, basis):
        """`window`: columns before and after; `unspoken` [components, N]: features without speech; `basis`: of
        `speech.lip_basis`."""
        self.offsets = np.arange(-window["before"], window["after"] + 1)
        self.columns = np.concatenate([*(c.features[output] for c in clips), unspoken], 1).T.astype(np.float32)
        begin = np.cumsum([0, *(c.features[output].shape[1] for c in clips)])
        frames = [np.nonzero(c.valid)[0] for c in clips]
        self.places = np.concatenate([b + MARGIN + 2 * seen for b, seen in zip(begin, frames)])
        self.shapes = np.concatenate([c.shape[seen] for c, seen in zip(clips, frames)])
        self.rests = np.concatenate([np.full(len(seen), c.rest, np.float32) for c, seen in zip(clips, frames)])
        owners = np.concatenate([np.full(len(seen), c.person) for c, seen in zip(clips, frames)])
        self.people = [np.nonzero(owners == person)[0] for person in sorted(set(owners))]
        # People weigh by the square root of their frames.
        weight = np.sqrt([len(frames) for frames in self.people])
        self.weight = weight / weight.sum()
        mean = lambda frames: openings(torch.einsum("nk,kpc->npc", torch.from_numpy(self.shapes[frames]), basis)).mean()
        self.usual = float(np.average([mean(frames) for frames in self.people], weights=self.weight))
        self.unspoken = np.arange(begin[-1] + MARGIN, len(self.columns) - MARGIN)

    def draw(self, random):
        """(places [N] in `columns`, shapes [N, mouth], openings at rest [N]), person by person."""
        people = random.choice(len(self.people), self.PEOPLE, p=self.weight)
        index = np.concatenate([random.choice(self.people[p], self.FRAMES) for p in people])
        places, shapes = self.places[index], self.shapes[index]
        resting = random.random(len(index)) < self.RESTING
        places[resting], shapes[resting] = random.choice(self.unspoken, int(resting.sum())), 0
        return places, torch.from_numpy(shapes), torch.from_numpy(self.rests[index])

    def features(self, places):
        """Features [N, components, C] around places."""
        return torch.from_numpy(self.columns[places[:, None] + self.offsets].transpose(0, 2, 1))


class Closings:
    """/p b m/ of synthetic speech: features around the middle of each, and two columns before and behind, which are the
    shapes that MaLS averages at 25 frames a second. And those elsewhere in the same sentences, where the mouth must be
    as open as in real speech on average: without them a head learns that synthetic voices never open it."""

    COUNT, WEIGHT = 48, 30                   # of a batch; of their loss
    APART = 4                                # columns from a /p b m/ to what lies elsewhere

    def __init__(self, texts, sentences, phonetic, seed):
        """`texts`: VOICE=FILE each; `phonetic`: the encoder."""
        self.columns, self.places, self.elsewhere, begin = {"near": [], "far": []}, [], [], 0
        for text in texts:
            for audio, closed in bilabials.spoken(text, sentences, seed):
                for output, values in zip(("near", "far"), encoded(phonetic, mel_columns(audio))):
                    self.columns[output].append(values.T)
                middle = np.round(np.mean(closed, 1) / COLUMN).astype(int)
                others = np.arange(bilabials.LEAD // COLUMN, (len(audio) - bilabials.LEAD) // COLUMN)
                others = others[np.abs(others[:, None] - middle).min(1) >= self.APART]
                self.places.append(begin + MARGIN + middle)
                self.elsewhere.append(begin + MARGIN + others)
                begin += len(self.columns["near"][-1])
        if texts:
            self.columns = {output: np.concatenate(values) for output, values in self.columns.items()}
            self.places, self.elsewhere = np.concatenate(self.places), np.concatenate(self.elsewhere)

    def __len__(self):
        return len(self.places)

    def draw(self, random, output, offsets):
        """Features [4 COUNT, components, C]: before, at and behind the middle of drawn sounds; elsewhere."""
        places = random.choice(self.places, self.COUNT)
        places = np.concatenate([places - 2, places, places + 2, random.choice(self.elsewhere, self.COUNT)])
        return torch.from_numpy(self.columns[output][places[:, None] + offsets].transpose(0, 2, 1))

    @classmethod
    def loss(cls, made, basis, rest, usual):
        """How far the lips stay apart in the average of shapes [4 COUNT, mouth] of `draw`, on a face whose lips are
        `rest` apart at rest; and how far the mean opening elsewhere is from the `usual` one."""
        before, at, behind, elsewhere = made.view(4, -1, made.shape[1])
        gap = lambda shapes: openings(torch.einsum("nk,kpc->npc", shapes, basis))
        apart = (rest + gap(0.25 * before + 0.5 * at + 0.25 * behind) - SEALED).clamp(min=0).mean()
        return cls.WEIGHT * (apart + (gap(elsewhere).mean() - usual).abs())


def concordance(made, true):
    """Concordance correlation [people] of openings [people, frames]; a common offset counts a tenth. It is 1 only if
    the size of the movement is right too."""
    a, b = made - made.mean(1, keepdim=True), true - true.mean(1, keepdim=True)
    apart = 0.1 * (made.mean(1) - true.mean(1)).square()
    return 2 * (a * b).mean(1) / (a.square().mean(1) + b.square().mean(1) + apart + 1e-6)


def losses(made, true, rests, basis):
    """{name: loss} of shapes [N, mouth]. Of lip points, since coefficients do not weigh alike; `basis`: of
    `speech.lip_basis`; `rests` [N]: the lip opening at rest, since contact is a matter of the whole opening."""
    points, seen = (torch.einsum("nk,kpc->npc", s, basis) for s in (made, true))
    a, b = openings(points), openings(seen)
    touching = (b + rests < CONTACT).float()
    by_person = lambda x: x.view(Windows.PEOPLE, Windows.FRAMES)
    return {"points": 30 * (points - seen).abs().mean(), "opening": 20 * (a - b).abs().mean(),
            "shape": 0.05 * (made - true).square().mean(),
            "concordance": 10 * (1 - concordance(by_person(a), by_person(b)).mean()),
            "contact": 10 * ((a - b).clamp(min=0) * touching).sum() / (touching.sum() + 1)}


def quantiles(values, weight, shares):
    """The weighted quantiles [len(shares)] of values [N]."""
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    return np.interp(shares, (below - below[0]) / (below[-1] - below[0]), values[order])


class ShapeTraining:
    """The heads of one encoder."""

    def __init__(self, clips, unspoken, closings, face, config, output, run):
        """`clips`: of all people of the training split; `unspoken`: of `without_speech`; `face`: the face model."""
        basis = speech.lip_basis(face, config["mouth"])
        self.closings, self.rest = closings, float(openings(face["mean"][face["lips"]][None].astype(np.float32))[0])
        self.output, self.far, self.window, self.run = output, output == "far", config["audio"][output], run
        self.network = AudioEncoder(config, output).to(run.device)
        people, count = sorted({c.person for c in clips}), len(self.network.members)
        self.aside = [set(people[k::count]) for k in range(count)]
        self.members = [Windows([c for c in clips if c.person not in aside], output, self.window, unspoken[output],
                                basis)
                        for aside in self.aside]
        self.measure(clips)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=run.arguments.rate,
                                           weight_decay=run.arguments.decay)

    def measure(self, clips):
        """Sets what the network knows of the training set: the features' mean and scale, the shapes' range."""
        mean, scale = speech.standard(clips, self.output)
        reach = np.percentile(np.abs(np.concatenate([c.shape[c.valid] for c in clips])), REACH, axis=0) * ROOM
        self.network.mean.copy_(mean), self.network.scale.copy_(scale)
        self.network.reach.copy_(torch.from_numpy(reach.astype(np.float32)))

    def step(self, basis, guide=None, trust=0.0):
        """One step of each head; gives {name: loss}, means over the heads. `guide`: a ShapeTraining whose heads know
        more, and by how much the target moves to what they predict: it has less of what audio cannot tell."""
        total, device = {}, self.run.device
        for k, windows in enumerate(self.members):
            places, shapes, rests = windows.draw(self.run.random)
            shapes, rests = shapes.to(device), rests.to(device)
            if guide:
                shapes = shapes + trust * (guide.hint(k, places) - shapes)
            made = self.network.member(k, windows.features(places).to(device))
            terms = losses(made, shapes, rests, basis)
            if len(self.closings):
                closing = self.network.member(k, self.closings.draw(self.run.random, self.output,
                                                                    windows.offsets).to(device))
                terms["closing"] = self.closings.loss(closing, basis, self.rest, windows.usual)
            for name, value in terms.items():
                total[name] = total.get(name, 0) + value
        self.optimiser.zero_grad(set_to_none=True)
        sum(total.values()).backward()
        self.optimiser.step()
        return {f"{self.output} {name}": value / len(self.members) for name, value in total.items()}

    @torch.no_grad()
    def hint(self, member, places):
        """What a head predicts at places of its windows, which are the other encoder's too."""
        self.network.eval()
        shape = self.network.member(member, self.members[member].features(places).to(self.run.device))
        self.network.train()
        return shape

    @torch.no_grad()
    def calibrate(self, clips, basis):
        """Maps the quantiles of the predicted opening to those of the true one, over `clips`, each predicted by the
        head that did not see its person. People weigh alike.

        The mean of the heads moves less than one of them; by how much is measured on the same clips. The average of
        MaLS needs no correction here: the painter is trained with it and gives back the movement that it takes."""
        self.network.eval()
        self.network.bends.zero_(), self.network.offset.zero_()          # of an earlier run
        gap = openings(basis).numpy()
        true, made, weight, shares, shapes = [], [], [], [], []
        frames = {person: sum(int(c.valid.sum()) for c in clips if c.person == person) for person in
                  {c.person for c in clips}}
        for clip in clips:
            member = next(k for k, aside in enumerate(self.aside) if clip.person in aside)
            alone = (self.predict(clip, member) @ gap)[clip.valid]
            shares.append(np.std((self.predict(clip) @ gap)[clip.valid]) / (np.std(alone) + 1e-6))
            made.append(alone)
            true.append(clip.shape[clip.valid] @ gap)
            shapes.append(clip.shape[clip.valid])
            weight.append(np.full(len(alone), 1 / frames[clip.person]))
        made, true, weight, shapes = (np.concatenate(parts) for parts in (made, true, weight, shapes))
        predicted = quantiles(made * np.median(shares), weight, SHARES)
        along = (weight[:, None] * true[:, None] * shapes).sum(0) / (weight * true ** 2).sum()
        self.network.calibrate(gap, along / (along @ gap), predicted, quantiles(true, weight, SHARES))
        self.network.train()

    @torch.no_grad()
    def predict(self, clip, member=None):
        """Shapes [frames, mouth] of a clip, by all heads or by one."""
        windows = torch.from_numpy(speech.windows(clip, self.output, **self.window)).to(self.run.device)
        shape = self.network(windows) if member is None else self.network.member(member, windows)
        return shape.cpu().numpy()

    def report(self, clips, judged, basis):
        """The validation figures of people held out and of `judged` clips."""
        self.network.eval()
        rows = []
        for k, aside in enumerate(self.aside):
            some = [c for person in sorted(aside) for c in [c for c in clips if c.person == person][:JUDGED]]
            rows += speech.judge(lambda clip, k=k: self.predict(clip, k), some, basis)
        dev = speech.judge(self.predict, judged, basis)
        self.network.train()
        return f"{self.output} held out: {speech.told(rows)}; dev: {speech.told(dev)}"


def without_speech(phonetic, seed):
    """{"near", "far"}: features [components, N] of silence, noise and music."""
    random, stock = np.random.default_rng(seed), Surroundings(seed, rooms=1, pieces=12, seconds=5)
    parts = {"near": [], "far": []}
    for piece in [np.zeros(16000), *stock.noise, *stock.music]:
        sound = piece * 10 ** (random.uniform(-50, -15) / 20)
        for output, values in zip(("near", "far"), encoded(phonetic, mel_columns(sound))):
            parts[output].append(values.astype(np.float16))
    return {output: np.concatenate(values, 1) for output, values in parts.items()}


def surroundings(arguments, config, face, phonetic, encoders, basis):
    """Prints the figures of `dev` clips with music at 10 dB, and how much the lips move without speech."""
    random, stock = np.random.default_rng(arguments.seed + 1), Surroundings(arguments.seed + 1, rooms=1, pieces=12)
    music = lambda audio: mixed(audio.astype(np.float64), stock.piece(random, stock.music, len(audio)), 10)
    clips = speech.load(arguments.data, "dev", config, face, phonetic, change=music)
    plain = speech.load(arguments.data, "dev", config, face, phonetic)
    for encoder in encoders.values():
        encoder.network.eval()
        print(f"{encoder.output} dev, music at 10 dB: {speech.told(speech.judge(encoder.predict, clips, basis))}")
        moved = np.median([speech.opening(encoder.predict(clip), basis).std() for clip in plain])
        for name, pieces in (("silence", [np.zeros(16 * RATE)]), ("noise", stock.noise), ("music", stock.music)):
            spread, offset = [], []
            for piece in pieces:
                values = encoded(phonetic, mel_columns(piece * 10 ** -1.5))[encoder.far]
                windows = torch.from_numpy(around(values, np.arange(25, 375) * STEP, **encoder.window))
                with torch.no_grad():
                    made = speech.opening(encoder.network(windows), basis)
                spread.append(made.std() / moved)
                offset.append(made.mean() / moved)
            print(f"{encoder.output}, {name} alone at -30 dB: the opening's deviation over that with speech is "
                  f"{np.median(spread):.3f} (at most {np.max(spread):.3f}), its mean from rest {np.median(offset):.2f}")


def train(arguments, config, face):
    """Trains both encoders until the budget is spent."""
    run = training.Run(arguments, "train_shape")
    phonetic, basis = restored(arguments.work, config), speech.lip_basis(face, config["mouth"]).to(run.device)
    clips = speech.load(arguments.data, "train", config, face, phonetic, arguments.rights)
    judged = speech.load(arguments.data, "dev", config, face, phonetic)
    unspoken = without_speech(phonetic, arguments.seed)
    closings = Closings(arguments.text, arguments.sentences, phonetic, arguments.seed)
    encoders = {name: ShapeTraining(clips, unspoken, closings, face, config, output, run)
                for output, name in NAMES.items()}
    networks = {name: encoder.network for name, encoder in encoders.items()}
    optimisers = {name: encoder.optimiser for name, encoder in encoders.items()}
    known = [checkpoint.restore(arguments.work, name, network) for name, network in networks.items()]
    run.print(f"{len(clips)} clips of {len({c.person for c in clips})} people; {len(judged)} clips of dev; "
              f"{len(closings)} closings of the lips in synthetic speech")
    report = lambda: [run.print(encoder.report(clips, judged, basis.cpu())) for encoder in encoders.values()]
    if arguments.what == "check":
        report()
        return surroundings(arguments, config, face, phonetic, encoders, basis.cpu())
    run.resume(optimisers, all(known))
    near, far = (encoders[NAMES[output]] for output in ("near", "far"))
    for spent in run.steps():
        for encoder in encoders.values():
            training.set_rate(encoder.optimiser, arguments.rate * training.cosine(spent, 0.01))
        run.note(far.step(basis) | near.step(basis, far, GUIDE * min(1, 2 * spent)))
        if run.due():
            run.save(networks, optimisers)
            run.log()
            report()
    for encoder in encoders.values():
        encoder.calibrate(clips, basis.cpu())
    run.save(networks, optimisers)
    run.log()
    report()


def main(options=None):
    """The command; `options` instead of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    training.add_arguments(parser, minutes=4, every=300)
    parser.add_argument("--what", choices=["train", "check"], default="train")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--text", action="append", default=[], metavar="VOICE=FILE")
    parser.add_argument("--sentences", type=int, default=150, help="of each --text")
    arguments = parser.parse_args(options)
    train(arguments, configuration.load(arguments), dict(np.load(arguments.face_model)))


if __name__ == "__main__":
    main()
