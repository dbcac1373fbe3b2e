"""The main stage's start: synthesis network and average code of the prior (section 3.2, 3.3)."""
from pathlib import Path

import torch
from safetensors.torch import load_file


@torch.no_grad()
def start_from_prior(generator, mals, work):
    """Copies the averaged synthesis network of `<work>/prior.safetensors` into `generator.decoder` and w_avg
    into every row of `mals.average`; the fusions stay as they are.

    Gives the size that the prior was trained at, 0 (and changes nothing) if there is no such file. Blocks beyond that
    size add nothing to the image yet. ValueError if the widths differ."""
    path = Path(work) / "prior.safetensors"
    if not path.exists():
        return 0
    stored = load_file(str(path))
    prefix = "ema_decoder."
    synthesis = {k[len(prefix):]: v for k, v in stored.items() if k.startswith(prefix)}
    targets = {k: v for k, v in generator.decoder.state_dict().items() if ".fuse." not in k}
    average = stored["ema_mapping.average"]
    wrong = sorted(set(targets) ^ set(synthesis)) or [k for k in targets if targets[k].shape != synthesis[k].shape]
    if wrong or average.shape != mals.average.shape[1:]:
        raise ValueError(f"{path} is of another config: {', '.join(wrong[:3]) or 'w_avg'}")
    for name, value in targets.items():
        value.copy_(synthesis[name])
    mals.average.copy_(average.expand_as(mals.average))
    return int(stored["size"])
