"""E_face and G in one: what runs once a frame (eq. 5)."""
import torch
from torch import nn

from networks.decoder import Decoder
from networks.encoders import FaceEncoder


class Generator(nn.Module):
    """Masked crop [B, 3, 256, 256], lip points [B, P, 2], codes [B, 14, dim] -> image [B, 3, 256, 256]."""

    def __init__(self, config):
        super().__init__()
        self.face = FaceEncoder(config)
        self.decoder = Decoder(config)

    def forward(self, face, lips, codes):
        return self.decoder(codes, self.face(face, lips), face.shape[-1])

    def grow(self):
        """Prepares for the full size after training at half of it: the last block then adds nothing yet.

        Does nothing once the finest layers have been trained."""
        if not self.face.fine_down.weight.any():
            with torch.no_grad():
                self.decoder.blocks[-1].rgb.weight.zero_()
