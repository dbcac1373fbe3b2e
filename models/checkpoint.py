"""Checkpoints: one safetensors file of weights for each network, and one file of training state for each command."""
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def save(folder, name, module):
    """Writes `<folder>/<name>.safetensors`, complete or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.safetensors"
    state = {k: v.detach().contiguous().cpu() for k, v in module.state_dict().items()}
    save_file(state, str(target) + ".part")
    Path(str(target) + ".part").rename(target)


def restore(folder, name, module):
    """Loads a network if its checkpoint exists; gives whether it does."""
    path = Path(folder) / f"{name}.safetensors"
    if not path.exists():
        return False
    module.load_state_dict(load_file(str(path)))
    return True


def restore_what_fits(folder, name, module):
    """Loads the tensors of a checkpoint that the network also has, in the same shape: how a variant
    begins from another's weights. A convolution with more input channels than the stored one ignores
    the added ones at first. Gives the names of the network's tensors that stay as they were."""
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


def save_state(folder, name, state):
    """Writes `<folder>/<name>.state.pt`: a dict of numbers, strings and optimisers' state dicts."""
    path = Path(folder) / f"{name}.state.pt"
    torch.save(state, str(path) + ".part")
    Path(str(path) + ".part").rename(path)


def restore_state(folder, name):
    """The dict that `save_state` wrote, tensors on the CPU; None where there is none."""
    path = Path(folder) / f"{name}.state.pt"
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def restore_optimiser(optimiser, state):
    """Loads an optimiser's moments if they fit its parameters; gives whether they do. Rates and the other options stay
    those of `optimiser`."""
    sizes = lambda groups: [len(group["params"]) for group in groups]
    if state is None or sizes(state["param_groups"]) != sizes(optimiser.param_groups):
        return False
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for number, parameter in zip(numbers, parameters):
        moments = state["state"].get(number, {}).values()
        if any(torch.is_tensor(m) and m.dim() and m.shape != parameter.shape for m in moments):
            return False
    options = [{k: v for k, v in group.items() if k != "params"} for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    for group, own in zip(optimiser.param_groups, options):
        group.update(own)
    return True
