"""The reference's picture, carried to where and how the mouth shall be.

Codes carry no place, and what few people and little time teach is a blur; the person's own skin, beard and lips
are at hand in the reference frame. Its crop is warped by the face model's vertices, from the mouth that it shows
to the one that is wanted, and given to E_face and to the decoder's last fusion. What no reference shows (teeth, the
inside of the mouth, the seam) stays the network's to paint. Not in the paper; `"carry": null` leaves it out.
`src/face/carry.rs` is the engine's, `tests/golden/geometry.safetensors` holds both to one answer.
"""
import torch
import torch.nn.functional as F

LEAST = 1e-3                        # weight of standing still: far from all vertices the affine part rules alone
RIDGE = 1e-6


class Carry:
    """Reference crops [B, 3, S, S], its points and the wanted ones, [B, C, 2] in [-1, 1] -> [B, 3, S, S].

    The affine map that fits best, and what it leaves of each vertex, spread by a normalised Gaussian on a coarse
    grid. Differentiable with respect to the wanted points."""

    def __init__(self, config):
        options = config["carry"]
        self.grid = (torch.arange(options["grid"]) + 0.5) / options["grid"] * 2 - 1
        self.sharpness = 0.5 / options["sigma"] ** 2

    def field(self, seen, wanted):
        """[B, G, G, 2]: where in the reference the picture of each place is taken from."""
        system = torch.cat([wanted, torch.ones_like(wanted[..., :1])], -1)              # [B, C, 3]
        normal = system.mT @ system + RIDGE * torch.eye(3)
        affine = torch.linalg.solve(normal, system.mT @ seen)                            # [B, 3, 2]
        left = seen - system @ affine
        bell = torch.exp(-self.sharpness * (wanted[..., None] - self.grid) ** 2)          # [B, C, 2, G]
        along_x, along_y = bell[:, :, 0], bell[:, :, 1]
        weight = torch.einsum("bcy,bcx->byx", along_y, along_x) + LEAST
        moved = torch.einsum("bcy,bcx,bcd->byxd", along_y, along_x, left)
        y, x = torch.meshgrid(self.grid, self.grid, indexing="ij")
        base = torch.einsum("yxk,bkd->byxd", torch.stack([x, y, torch.ones_like(x)], -1), affine)
        return base + moved / weight[..., None]

    def __call__(self, reference, seen, wanted):
        size = reference.shape[-1]
        field = F.interpolate(self.field(seen, wanted).permute(0, 3, 1, 2), size=size, mode="bilinear", align_corners=False)
        return F.grid_sample(reference, field.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=False)
