"""Moving-average based latent smoothing (section 3.3, eq. 4)."""
import torch
from torch import nn

from networks.blocks import SLOPE

REACH = 3                                   # one step of averaging and two convolutions of three


class MaLS(nn.Module):
    """a_{t-3..t+3} [B, 7, 14, dim] and w_ref [B, 14, dim] -> w~_t [B, 14, dim].

    Adds both to w_t = w_ref + a_t (eq. 3), then smooths. Fourteen modules, one for each code: the moving average
    (.25, .5, .25), then two Conv1d of three steps; w_ref and the prior's average code are added. `"smooth": false` in
    the config is the ablation "w/o MaLS" of Table 3: the code of the frame itself.
    """

    def __init__(self, config):
        super().__init__()
        self.codes, self.dim, self.smooth = 2 * len(config["channels"]), config["dim"], config["mals"]["smooth"]
        width = self.codes * self.dim
        self.register_buffer("weights", torch.tensor(config["mals"]["weights"]))
        self.register_buffer("average", torch.zeros(self.codes, self.dim))
        if self.smooth:
            self.first = nn.Conv1d(width, width, 3, groups=self.codes)
            self.second = nn.Conv1d(width, width, 3, groups=self.codes)
            for conv in (self.first, self.second):
                nn.init.normal_(conv.weight, std=0.02)
                with torch.no_grad():
                    conv.weight[torch.arange(width), torch.arange(width) % self.dim, 1] += 0.7
                nn.init.zeros_(conv.bias)

    def forward(self, codes, reference):
        """codes [B, 7, 14, dim], reference [B, 14, dim] -> [B, 14, dim]."""
        codes = codes + reference[:, None]
        if not self.smooth:
            return reference + codes[:, REACH] + self.average
        mean = (self.weights[0] * codes[:, :-2] + self.weights[1] * codes[:, 1:-1]
                + self.weights[2] * codes[:, 2:])
        x = mean.flatten(2).transpose(1, 2)                       # [B, 14 dim, 5]
        x = self.second(nn.functional.leaky_relu(self.first(x), SLOPE / 2))
        return reference + x[:, :, 0].view(-1, self.codes, self.dim) + self.average
