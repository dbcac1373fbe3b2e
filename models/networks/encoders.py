"""The three encoders (section 3.3) and the lip hint."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from networks.blocks import SLOPE, Dense, DownBlock, Residual, strided


class LipHint(nn.Module):
    """Lip and jaw points [B, P, 2] in [-1, 1] -> one map per group of points [B, G, size, size].

    A sum of Gaussians is a product of two small matrices, so that it is cheap and needs no rasteriser
    outside the network. Not in the paper; `lip_hint: null` leaves it out.
    """

    def __init__(self, config, size):
        super().__init__()
        self.groups = config["groups"]
        self.sharpness = 0.5 / config["sigma"] ** 2
        self.register_buffer("grid", (torch.arange(size) + 0.5) / size * 2 - 1, persistent=False)

    def forward(self, points):
        """points [B, P, 2] -> [B, G, size, size] in [0, 1.5]."""
        distance = points[..., None] - self.grid                     # [B, P, 2, size]
        bell = torch.exp(-self.sharpness * distance * distance)
        along_x, along_y = bell[:, :, 0], bell[:, :, 1].transpose(1, 2)
        maps, begin = [], 0
        for count in self.groups:
            end = begin + count
            maps.append(torch.matmul(along_y[:, :, begin:end], along_x[:, begin:end]))
            begin = end
        return torch.stack(maps, 1).clamp(max=1.5)


class FaceEncoder(nn.Module):
    """E_face: masked crop [B, 3, 256, 256] (and lip points) -> features {128, 64, .., 4}.

    With `"carry"` in the config three more channels hold the warped reference (`networks/reference_warp.py`).

    The 7x7 stem works on the crop at half size; the finest feature is a thin layer of its own whose
    way down begins at zero. So the network trains at 128x128 first (`forward` takes either size)
    and grows to 256x256 without forgetting.
    """

    def __init__(self, config):
        super().__init__()
        channels = {int(k): v for k, v in config["channels"].items()}
        self.top = config["image"] // 2
        stem = self.top // 2
        self.sizes = [r for r in sorted(channels, reverse=True) if r <= stem]
        seen = 6 if config.get("carry") else 3
        self.fine = nn.Conv2d(seen, channels[self.top], 5, stride=2, padding=2)
        self.fine_down = nn.Conv2d(channels[self.top], channels[stem], 3, stride=2, padding=1)
        nn.init.zeros_(self.fine_down.weight)
        nn.init.zeros_(self.fine_down.bias)
        self.stem = nn.Conv2d(seen, channels[stem], 7, stride=2, padding=3)
        self.hint = LipHint(config["lip_hint"], stem) if config.get("lip_hint") else None
        if self.hint:
            self.hint_conv = nn.Conv2d(len(config["lip_hint"]["groups"]), channels[stem], 3, padding=1)
        extra = config["face_blocks"] - 1
        self.blocks = nn.ModuleList(DownBlock(channels[r], channels[r // 2], extra=extra)
                                    for r in self.sizes[:-1])

    def forward(self, face, lips=None):
        """face [B, 3 or 6, S, S], S the image's size or half of it; lips [B, P, 2]."""
        features = {}
        if face.shape[-1] == 2 * self.top:
            features[self.top] = fine = F.leaky_relu(self.fine(face), SLOPE)
            x = self.stem(F.avg_pool2d(face, 2)) + self.fine_down(fine)
        else:
            x = self.stem(face)
        if self.hint:
            x = x + self.hint_conv(self.hint(lips))
        features[self.sizes[0]] = x = F.leaky_relu(x, SLOPE)
        for r, block in zip(self.sizes[1:], self.blocks):
            features[r] = x = block(x)
        return features


class ReferenceEncoder(nn.Module):
    """E_ref: crop of one frame of the person [B, 3, 256, 256] -> w_ref [B, 14, dim].

    Six down-sampling residual blocks with instance norm; `pool` averages the last map before the
    linear layer, which else holds most of the network's parameters."""

    def __init__(self, config):
        super().__init__()
        options = config["reference"]
        widths = options["channels"]
        self.shrink, self.dim, self.pool = options["shrink"], config["dim"], options["pool"]
        self.codes = 2 * len(config["channels"])
        self.stem = nn.Conv2d(3, widths[0], 7, padding=3, stride=1 if self.shrink == 1 else 2)
        steps = [widths[0], *widths] if self.shrink == 1 else [widths[0], *widths[1:]]
        self.blocks = nn.ModuleList(DownBlock(a, b, nn.InstanceNorm2d) for a, b in zip(steps, steps[1:]))
        self.linear = Dense(widths[-1] * (1 if self.pool else 16), self.codes * self.dim, gain=0.3)

    def forward(self, reference):
        """reference [B, 3, 256, 256] -> [B, 14, dim]."""
        x = reference if self.shrink == 1 else F.avg_pool2d(reference, self.shrink)
        x = F.leaky_relu(self.stem(x), SLOPE)
        for block in self.blocks:
            x = block(x)
        x = x.mean((2, 3)) if self.pool else x.flatten(1)
        return self.linear(x).view(-1, self.codes, self.dim)


class ShapeHead(nn.Module):
    """One member of `AudioEncoder`: standardised features [N, components, C] -> shapes [N, mouth]."""

    def __init__(self, config, columns):
        super().__init__()
        options, components = config["audio"], config["phonetic"]["components"]
        self.layers = nn.Sequential(
            nn.Dropout(options["dropout"] / 2), nn.Conv1d(components, options["narrow"], 1), nn.ReLU(), nn.Flatten(),
            nn.Dropout(options["dropout"]), nn.Linear(options["narrow"] * columns, options["hidden"]), nn.ReLU(),
            nn.Dropout(options["dropout"]), nn.Linear(options["hidden"], config["mouth"]))

    def forward(self, features):
        """features [N, components, C] -> shapes [N, mouth]."""
        return self.layers(features)


class AudioEncoder(nn.Module):
    """The last part of E_aud: phonetic features around a frame's time [N, components, C] -> mouth's shape [N, mouth].

    Column j lies (j - before) * 20 ms from the frame's time (`phonetic_features.py`). There is one for each output of
    the phonetic encoder, `near` and `far`. The shape is the mean of a few small heads, trained without different people
    (`train_shape.py`); `ShapeCode` makes the codes a_t of it.

    What audio cannot tell makes a prediction smaller than the truth: lips neither open as far nor close. So the mean's
    lip opening is mapped to the true openings' distribution by a monotone, piecewise linear function, and the shape
    moves `along` by the difference. It is the identity until `calibrate` is called."""

    KNOTS = 10

    def __init__(self, config, output):
        """`output`: "near" or "far"."""
        super().__init__()
        options, components = config["audio"], config["phonetic"]["components"]
        self.columns = options[output]["before"] + options[output]["after"] + 1
        # The features' mean and inverse deviation in training.
        self.register_buffer("mean", torch.zeros(components, 1))
        self.register_buffer("scale", torch.ones(components, 1))
        self.members = nn.ModuleList(ShapeHead(config, self.columns) for _ in range(options["members"]))
        # The range of each coefficient in training: the shape is limited to it, smoothly.
        self.register_buffer("reach", torch.full((config["mouth"],), 1e3))
        # The opening of a shape is its product with `gap`; one unit of `along` opens it by 1.
        self.register_buffer("gap", torch.zeros(config["mouth"]))
        self.register_buffer("along", torch.zeros(config["mouth"]))
        # What is added to an opening: `offset` at and below the first knot, then a slope that changes at each knot.
        self.register_buffer("knots", torch.zeros(self.KNOTS))
        self.register_buffer("bends", torch.zeros(self.KNOTS))
        self.register_buffer("offset", torch.zeros(1))

    def calibrate(self, gap, along, predicted, true):
        """Maps openings `predicted` [KNOTS] to `true` [KNOTS], both ascending, linearly between them; beyond the ends
        the difference stays as it is there. `gap`, `along`: [mouth]."""
        added = true - predicted
        slopes = np.concatenate([[0], np.diff(added) / np.diff(predicted), [0]])
        for buffer, value in ((self.gap, gap), (self.along, along), (self.knots, predicted),
                              (self.bends, np.diff(slopes)), (self.offset, added[:1])):
            buffer.copy_(torch.as_tensor(np.asarray(value, np.float32)))

    def opened(self, shape):
        """Shapes with the calibrated lip opening."""
        opening = shape @ self.gap[:, None]
        added = F.relu(opening - self.knots) @ self.bends[:, None] + self.offset
        return shape + added * self.along

    def limited(self, shape):
        """Shapes within the range of the training set."""
        return self.reach * torch.tanh(shape / self.reach)

    def member(self, index, features):
        """The shapes of one head, for its training: without the calibrated opening."""
        return self.limited(self.members[index]((features - self.mean) * self.scale))

    def forward(self, features):
        """features [N, components, C] -> shapes [N, mouth]."""
        standard = (features - self.mean) * self.scale
        return self.opened(self.limited(sum(member(standard) for member in self.members) / len(self.members)))


class ShapeCode(nn.Module):
    """The mouth's shape [N, mouth] -> a_t [N, 14, dim]. Trained with the pictures, on true shapes."""

    def __init__(self, config):
        super().__init__()
        self.codes, self.dim = 2 * len(config["channels"]), config["dim"]
        hidden = config["shape_code"]["hidden"]
        self.layers = nn.Sequential(Dense(config["mouth"], hidden), nn.LeakyReLU(SLOPE),
                                    Dense(hidden, self.codes * self.dim, gain=0.3))

    def forward(self, shape):
        """shape [N, mouth] -> [N, 14, dim]."""
        return self.layers(shape).view(-1, self.codes, self.dim)


class MeshPredictor(nn.Module):
    """Crop [B, 3, 128, 128] -> identity, expression, rotation vector, translation, log scale, confidence."""

    def __init__(self, config):
        super().__init__()
        widths = config["mesh"]["channels"]
        self.sizes = [config["identity"], config["expression"], 3, 2, 1, 1]
        layers = [*strided_stage(3, widths[0], 5, residual=False)]
        for a, b in zip(widths, widths[1:]):
            layers += strided_stage(a, b, 3)
        self.layers = nn.Sequential(*layers)
        final = config["mesh"]["size"] >> len(widths)
        self.linear = nn.Sequential(nn.Linear(widths[-1] * final ** 2, 384), nn.ReLU())
        self.head = nn.Linear(384, sum(self.sizes))
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def look(self, crop):
        """(maps after each stage, for perceptual distances; the outputs)."""
        maps, x = [], crop
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, Residual):
                maps.append(x)
        return maps, self.read(x)

    def read(self, x):
        """The outputs, from the last map."""
        return torch.split(self.head(self.linear(x.flatten(1))), self.sizes, 1)

    def forward(self, crop):
        """crop [B, 3, 128, 128] -> the outputs, in the order of `all.OUTPUTS`."""
        return self.read(self.layers(crop))


def strided_stage(inputs, outputs, kernel, residual=True):
    """Layers that halve the size: a strided convolution and, if asked, a residual block."""
    return [strided(inputs, outputs, kernel), *([Residual(outputs)] if residual else [])]


class Detector(nn.Module):
    """Letterboxed frame [B, 3, 192, 192] -> score logits [B, 1, 24, 24], boxes [B, 3, 24, 24].

    A box is (dx, dy) from the cell's centre in cells and the log of the face's side in cells."""

    def __init__(self, config):
        super().__init__()
        a, b, c, d = config["detector"]["channels"]
        self.fine = nn.Sequential(strided(3, a, 5), strided(a, b), strided(b, c), Residual(c))
        self.coarse = nn.Sequential(strided(c, d), Residual(d), strided(d, d), Residual(d))
        self.join = nn.Conv2d(d, c, 1)
        self.last = Residual(c)
        self.score = nn.Conv2d(c, 1, 1)
        self.box = nn.Conv2d(c, 3, 1)
        nn.init.constant_(self.score.bias, -4.0)

    def forward(self, frame):
        """frame [B, 3, 192, 192] in [-1, 1] -> (score, box)."""
        x = self.fine(frame)
        wide = F.interpolate(self.join(self.coarse(x)), scale_factor=4, mode="bilinear", align_corners=False)
        x = self.last(F.relu(x + wide))
        return self.score(x), self.box(x)
