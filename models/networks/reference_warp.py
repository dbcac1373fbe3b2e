"""The reference crop, warped to the wanted mouth.

Codes hold no positions, and a generator trained on few people for a short time paints a blurred average. The person's
own skin, beard and lips are in the reference frame. Its crop is warped by vertices of the face model, from the mouth
that it shows to the wanted one, and given to E_face and to the decoder's last fusion. What no reference shows (teeth,
the inside of the mouth, the seam) is still painted by the network. Not in the paper; `"carry": null` leaves it out.
`src/face/reference_warp.rs` is the engine's version; `tests/golden/geometry.safetensors` checks that both agree.
"""
import torch
import torch.nn.functional as F

LEAST = 1e-3                        # weight of zero displacement: far from all vertices only the affine part is left
RIDGE = 1e-6


class ReferenceWarp:
    """Reference crops [B, 3, S, S], points seen in them and wanted points, both [B, C, 2] in [-1, 1] -> [B, 3, S, S].

    The affine map that fits best, plus what it leaves of each vertex, spread by a normalised Gaussian on a coarse
    grid. Differentiable with respect to the wanted points."""

    def __init__(self, config):
        options = config["carry"]
        self.grid = (torch.arange(options["grid"]) + 0.5) / options["grid"] * 2 - 1
        self.sharpness = 0.5 / options["sigma"] ** 2

    def field(self, seen, wanted):
        """[B, G, G, 2] in [-1, 1]: the place in the reference that each cell of the output is sampled from."""
        grid = self.grid.to(wanted.device)
        system = torch.cat([wanted, torch.ones_like(wanted[..., :1])], -1)              # [B, C, 3]
        normal = system.mT @ system + RIDGE * torch.eye(3, device=wanted.device)
        affine = torch.linalg.solve(normal, system.mT @ seen)                            # [B, 3, 2]
        left = seen - system @ affine
        bell = torch.exp(-self.sharpness * (wanted[..., None] - grid) ** 2)               # [B, C, 2, G]
        along_x, along_y = bell[:, :, 0], bell[:, :, 1]
        weight = torch.einsum("bcy,bcx->byx", along_y, along_x) + LEAST
        moved = torch.einsum("bcy,bcx,bcd->byxd", along_y, along_x, left)
        y, x = torch.meshgrid(grid, grid, indexing="ij")
        base = torch.einsum("yxk,bkd->byxd", torch.stack([x, y, torch.ones_like(x)], -1), affine)
        return base + moved / weight[..., None]

    def __call__(self, reference, seen, wanted):
        """The warped crops; outside the reference its edge is repeated."""
        size, field = reference.shape[-1], self.field(seen, wanted).permute(0, 3, 1, 2)
        field = F.interpolate(field, size=size, mode="bilinear", align_corners=False).permute(0, 2, 3, 1)
        return F.grid_sample(reference, field, mode="bilinear", padding_mode="border", align_corners=False)
