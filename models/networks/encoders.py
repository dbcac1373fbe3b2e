"""The three encoders (section 3.3) and the lip hint."""
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


class SqueezeBlock(nn.Module):
    """Residual block with squeeze-and-excitation (SE-ResNet); kernel (rows, 3)."""

    def __init__(self, inputs, outputs, stride, rows=3):
        super().__init__()
        kernel, padding = (rows, 3), (rows // 2, 1)
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False), nn.BatchNorm2d(outputs),
            nn.ReLU(), nn.Conv2d(outputs, outputs, kernel, padding=padding, bias=False), nn.BatchNorm2d(outputs))
        self.squeeze = nn.Linear(outputs, max(8, outputs // 8))
        self.excite = nn.Linear(max(8, outputs // 8), outputs)
        self.skip = (nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
                     if stride != 1 or inputs != outputs else nn.Identity())

    def forward(self, x):
        """x [N, inputs, R, C] -> [N, outputs, R', C'], divided by the stride."""
        y = self.body(x)
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean((2, 3))))))
        return F.relu(self.skip(x) + y * gate[:, :, None, None])


class AudioTower(nn.Module):
    """Mel window [N, mels, frames] -> feature [N, hidden]: an SE-ResNet.

    `flat`: the stem spans all bands and the rest runs along time alone, fifty times cheaper."""

    def __init__(self, config):
        super().__init__()
        options, mel = config["audio"], config["mel"]
        widths, flat = options["channels"], options["flat"]
        stem = (nn.Conv2d(1, widths[0], (mel["mels"], 3), padding=(0, 1), bias=False) if flat
                else nn.Conv2d(1, widths[0], 3, stride=(2, 1), padding=1, bias=False))
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(widths[0]), nn.ReLU())
        rows, columns = (1 if flat else (mel["mels"] + 1) // 2), mel["frames"]
        layers, previous = [], widths[0]
        for index, (width, count) in enumerate(zip(widths, options["blocks"])):
            for block in range(count):
                stride = 2 if block == 0 and index else 1
                layers.append(SqueezeBlock(previous, width, (1 if flat else stride, stride), 1 if flat else 3))
                rows, columns = (rows if flat else -(-rows // stride)), -(-columns // stride)
                previous = width
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(previous * rows * columns, options["hidden"])
        self.dropout = nn.Dropout(options["dropout"])

    def forward(self, mel):
        """mel [N, 80, F], log10 magnitudes -> [N, hidden]."""
        # log10 magnitudes run from -5 (the floor) to about 1.5.
        x = self.layers(self.stem((mel[:, None] + 2.5) / 2.0))
        return F.relu(self.linear(self.dropout(x.flatten(1))))


class AudioEncoder(nn.Module):
    """E_aud: mel window [N, 80, frames] -> a_t [N, 14, dim] and the mouth's shape [N, mouth].

    The codes are computed from the mouth's shape (coefficients of the face model). Both parts are trained
    separately, shape to codes with pictures, audio to shape without, which helps most with unseen people.
    `rest`, zero at first, lets the joint stage add to the codes what the shape lacks. `"by_shape": false` in
    the config is the paper's encoder: codes straight from the sound, the shape a by-product.
    """

    def __init__(self, config):
        super().__init__()
        hidden, self.dim = config["audio"]["hidden"], config["dim"]
        self.codes = 2 * len(config["channels"])
        self.tower = AudioTower(config)
        self.shape = nn.Linear(hidden, config["mouth"])
        self.to_code = nn.Sequential(Dense(config["mouth"], hidden), nn.LeakyReLU(SLOPE),
                                     Dense(hidden, self.codes * self.dim, gain=0.3))
        # The range of each coefficient in training: a gain on the shape is limited to it, smoothly.
        self.register_buffer("reach", torch.full((config["mouth"],), 1e3))
        self.by_shape = config["audio"].get("by_shape", True)
        self.rest = Dense(hidden, self.codes * self.dim, gain=0.0 if self.by_shape else 0.3)

    def encode_shape(self, shape):
        """Codes [N, 14, dim] of mouth shapes [N, mouth]."""
        return self.to_code(shape).view(-1, self.codes, self.dim)

    def forward(self, mel):
        """mel [N, 80, F] -> (codes [N, 14, dim], shapes [N, mouth])."""
        feature = self.tower(mel)
        shape = self.reach * torch.tanh(self.shape(feature) / self.reach)
        rest = self.rest(feature).view(-1, self.codes, self.dim)
        return (self.encode_shape(shape) + rest if self.by_shape else rest), shape


class ShapeCode(nn.Module):
    """The part of E_aud after the mouth's shape: shapes [N, mouth] -> a_t [N, 14, dim]. It gives codes for mouths
    without their audio (the unpaired speech of adaptation)."""

    def __init__(self, audio_encoder):
        super().__init__()
        self.audio_encoder = audio_encoder

    def forward(self, shape):
        """shape [N, mouth] -> [N, 14, dim]."""
        return self.audio_encoder.encode_shape(shape)


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
