"""Checkpoints as safetensors: one file per network, weights only or with the optimiser beside."""
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def save(folder, name, module):
    """Writes `<folder>/<name>.safetensors`, whole or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.safetensors"
    state = {k: v.detach().contiguous().cpu() for k, v in module.state_dict().items()}
    save_file(state, str(target) + ".part")
    Path(str(target) + ".part").rename(target)


def restore(folder, name, module):
    """Loads a network if its checkpoint is there; tells whether it was."""
    path = Path(folder) / f"{name}.safetensors"
    if not path.exists():
        return False
    module.load_state_dict(load_file(str(path)))
    return True


def restore_what_fits(folder, name, module):
    """Loads the tensors of a checkpoint that the network has too, in the same shape: how a variant
    begins from another's weights. A convolution that sees more channels than the stored one begins
    deaf to them. Gives the names of the network's tensors that stay as they were."""
    state = module.state_dict()
    stored = load_file(str(Path(folder) / f"{name}.safetensors"))
    for k, v in stored.items():
        wider = state.get(k)
        if (wider is not None and v.dim() == 4 == wider.dim() and v.shape[1] < wider.shape[1]
                and v.shape[:1] + v.shape[2:] == wider.shape[:1] + wider.shape[2:]):
            stored[k] = torch.cat([v, torch.zeros_like(wider[:, v.shape[1]:])], 1)
    fitting = {k: v for k, v in stored.items() if k in state and v.shape == state[k].shape}
    module.load_state_dict({**state, **fitting})
    return sorted(set(state) - set(fitting))


def save_optimiser(folder, name, optimiser, step):
    path = Path(folder) / f"{name}.optimiser.pt"
    torch.save({"optimiser": optimiser.state_dict(), "step": step}, str(path) + ".part")
    Path(str(path) + ".part").rename(path)


def restore_optimiser(folder, name, optimiser):
    """Loads an optimiser's state if it is there and fits; gives the step it was saved at."""
    path = Path(folder) / f"{name}.optimiser.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    optimiser.load_state_dict(state["optimiser"])
    return state["step"]
