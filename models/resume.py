"""Turns a shipped bundle back into checkpoints, so that training can start from the repository alone.

    python resume.py --config config/lite.json --bundle lite --work W/checkpoints \
        [--golden ../tests/golden/lite.safetensors]

Weights have the bundle's half precision. Batch norms, which the export folds into their convolutions,
become the identity with the folded bias. With --golden every network's output is compared with the stored one.
Also writes <work>/face_model.npz; its `still`, the weights of the pose fit, is computed from the mean.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.numpy import load_file

import checkpoint
from data.face_model import lower_face
from export import norm_pairs
from networks.all import OUTPUTS, build, graphs


def tensors_of(bundle, manifest, name, weights):
    """{tensor: array} of one network, the small ones inside its graph included."""
    graph = onnx.load(str(bundle / manifest["graphs"][name]["file"]), load_external_data=False).graph
    found = {t.name: numpy_helper.to_array(t) for t in graph.initializer if not t.external_data}
    return found | {k[len(name) + 1:]: v for k, v in weights.items() if k.startswith(name + ".")}


@torch.no_grad()
def difference(graph, module, inputs, golden):
    """The largest difference of a graph's outputs from the stored ones."""
    values = module(*(torch.from_numpy(golden[f"{graph}.in.{key}"].astype(np.float32)) for key in inputs))
    values = values if isinstance(values, (tuple, list)) else [values]
    return max(float((v - torch.from_numpy(golden[f"{graph}.out.{key}"])).abs().max())
               for key, v in zip(OUTPUTS[graph], values))


def restore(network, tensors):
    """Loads a network in place; gives the names of tensors that the bundle lacks."""
    state = network.state_dict()
    names = {id(module): prefix for prefix, module in network.named_modules()}
    loaded = {key: torch.from_numpy(np.array(value, np.float32))
              for key, value in tensors.items() if key in state}
    for conv, norm in norm_pairs(network):
        prefix = names[id(norm)]
        loaded[f"{prefix}.bias"] = torch.from_numpy(np.array(tensors[f"{names[id(conv)]}.bias"], np.float32))
        loaded[f"{prefix}.weight"] = torch.full_like(state[f"{prefix}.weight"], float(np.sqrt(1 + norm.eps)))
        loaded[f"{prefix}.running_mean"] = torch.zeros_like(state[f"{prefix}.running_mean"])
        loaded[f"{prefix}.running_var"] = torch.ones_like(state[f"{prefix}.running_var"])
        loaded[f"{prefix}.num_batches_tracked"] = state[f"{prefix}.num_batches_tracked"]
    missing = sorted(set(state) - set(loaded))
    network.load_state_dict({**state, **{k: v.view_as(state[k]) for k, v in loaded.items()}})
    return missing


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "bundle", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--golden", type=Path)
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    manifest = json.loads((arguments.bundle / "manifest.json").read_text())
    weights = load_file(str(arguments.bundle / manifest["weights"]["file"]))
    golden = load_file(str(arguments.golden)) if arguments.golden else None
    for name, network in build(config).items():
        if name not in manifest["graphs"]:
            print(f"{name}: not in this bundle")
            continue
        missing = restore(network.eval(), tensors_of(arguments.bundle, manifest, name, weights))
        note = f"not in the bundle: {missing}" if missing else "whole"
        if golden:
            off = max(difference(graph, module, manifest["graphs"][graph]["inputs"], golden)
                      for graph, module in graphs(name, network).items())
            note += f", off by {off:.1e}"
        checkpoint.save(arguments.work, name, network)
        print(f"{name}: {note}")
    face = {k[len("face_model."):]: v.astype(np.float64 if v.dtype == np.float16 else v.dtype)
            for k, v in weights.items() if k.startswith("face_model.")}
    np.savez(arguments.work / "face_model.npz", still=(1 - lower_face(face["mean"])) + 0.02, **face)


if __name__ == "__main__":
    main()
