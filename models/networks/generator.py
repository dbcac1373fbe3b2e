"""E_face and G in one network, which runs once a frame (eq. 5)."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.decoder import Decoder
from networks.encoders import FaceEncoder


class SkinGauge(nn.Module):
    """The colour of the skin around the mask, per channel: masked crop [B, 3, S, S] -> gain [B, 3, 1, 1].

    Light, camera and complexion multiply the colours of a face. The network's input is divided by the gain,
    so that all cheeks have one colour, and its output is multiplied by it: the network need not model
    complexions, for which a small training set is not enough. Not in the paper; `"gauge": null` leaves it out.
    """

    GRID = 32                                   # cells a side
    REACH = 2                                   # cells around the mask that count

    def __init__(self, config):
        super().__init__()
        self.register_buffer("skin", torch.tensor(config["gauge"]["skin"]).view(1, 3, 1, 1), persistent=False)
        # Cheeks and nose: below and next to them are necks, hair and walls.
        cheeks = torch.zeros(1, 1, self.GRID, self.GRID)
        cheeks[:, :, self.GRID * 5 // 16: self.GRID * 5 // 8, self.GRID * 3 // 16: self.GRID * 13 // 16] = 1
        self.register_buffer("cheeks", cheeks, persistent=False)

    def forward(self, face):
        """face [B, 3, S, S] in [-1, 1], -1 in the mask -> gain [B, 3, 1, 1]."""
        cell = face.shape[-1] // self.GRID
        seen = (face.amax(1, keepdim=True) > -0.9999).to(face.dtype)
        light = F.avg_pool2d((face + 1) * 0.5 * seen, cell)
        seen = F.avg_pool2d(seen, cell)
        near = F.max_pool2d(1 - seen, 2 * self.REACH + 1, stride=1, padding=self.REACH) * self.cheeks
        mean = (light * near).sum((2, 3), keepdim=True) / ((seen * near).sum((2, 3), keepdim=True) + 1e-3)
        return mean.clamp(0.05, 1.0) / self.skin


class Generator(nn.Module):
    """Masked crop [B, 3, 256, 256], lip points [B, P, 2], codes [B, 14, dim] -> image [B, 3, 256, 256].

    With `"carry"` in the config the warped reference `carried` [B, 3, 256, 256] comes last."""

    def __init__(self, config):
        super().__init__()
        self.face = FaceEncoder(config)
        self.decoder = Decoder(config)
        self.gauge = SkinGauge(config) if config.get("gauge") else None

    def forward(self, face, lips, codes, carried=None, fused=True):
        """face and carried [B, 3, S, S], lips [B, P, 2], codes [B, 14, dim] -> image [B, 3, S, S]; what was painted
        alone unless `fused`."""
        if self.gauge is None:
            return self.paint(face, lips, codes, carried, fused)
        gain = self.gauge(face)
        level = lambda image: (image + 1) / gain - 1
        image = self.paint(level(face), lips, codes, None if carried is None else level(carried), fused)
        return (image + 1) * gain - 1

    def paint(self, face, lips, codes, carried, fused):
        """The image without the skin gauge."""
        seen = face if carried is None else torch.cat([face, carried], 1)
        return self.decoder(codes, self.face(seen, lips), face.shape[-1], carried if fused else None)

    def grow(self):
        """Prepares for the full size after training at half of it: the last block then adds nothing yet.

        Does nothing once the finest layers have been trained."""
        if not self.face.fine_down.weight.any():
            with torch.no_grad():
                self.decoder.blocks[-1].rgb.weight.zero_()
