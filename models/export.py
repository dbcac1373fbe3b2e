"""Writes a bundle: weightless ONNX graphs, weights.safetensors, manifest.json, golden values.

    python export.py --config config/lite.json --checkpoints DIR --face-model face_model.npz \
                     --out lite [--golden ../tests/golden]

A graph holds structure only: each of its tensors above LITTLE values is declared external and
stored, as fp16, in weights.safetensors under "<graph>.<tensor>". A network without a checkpoint is
an error, unless --random says that a bundle for tests is wanted.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.numpy import save_file

import checkpoint
from data.pack import CENTRE, SIDE
from networks.all import BATCHED, OPTIONAL, OUTPUTS, build, example_inputs

FORMAT = 1
OPSET = 18
LITTLE = 16                          # scalars and shapes stay in the graph
WEIGHTS = "weights.safetensors"


def export_graph(name, network, inputs, path):
    """Exports one network and moves its tensors out of the graph; gives {tensor: array}."""
    axes = ({key: {0: "batch"} for key in [*inputs, *OUTPUTS[name]]} if name in BATCHED else None)
    with torch.no_grad():
        torch.onnx.export(network, tuple(inputs.values()), str(path), input_names=list(inputs),
                          output_names=OUTPUTS[name], dynamic_axes=axes, opset_version=OPSET,
                          dynamo=False, do_constant_folding=False)
    model = onnx.load(str(path))
    tensors = {}
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.size <= LITTLE or array.dtype != np.float32:
            continue
        tensors[tensor.name] = array
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        del tensor.external_data[:]
        for key, value in (("location", WEIGHTS), ("offset", "0"), ("length", str(array.nbytes))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "stylelipsync", "", ""
    for node in model.graph.node:
        node.doc_string = ""
    path.write_bytes(model.SerializeToString())
    return tensors


def shapes(name, values):
    return {key: [("batch" if name in BATCHED and axis == 0 else size) for axis, size in enumerate(v.shape)]
            for key, v in values.items()}


def half(array):
    """fp16 on disk; the network is rounded the same way before parity values are taken."""
    return array.astype(np.float16)


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def round_to_half(network):
    with torch.no_grad():
        for value in [*network.parameters(), *network.buffers()]:
            if value.dtype == torch.float32 and value.numel() > LITTLE:
                value.copy_(value.half().float())


def named_norms(network):
    """(module, name of a convolution, name of the batch norm that follows it) of a network."""
    for module in list(network.modules()):
        names = [name for name, _ in module.named_children()]
        pairs = (zip(names, names[1:]) if isinstance(module, torch.nn.Sequential)
                 else [("one", "norm_one"), ("two", "norm_two")])        # blocks.Residual
        for first, second in pairs:
            if (isinstance(getattr(module, first, None), torch.nn.Conv2d)
                    and isinstance(getattr(module, second, None), torch.nn.BatchNorm2d)):
                yield module, first, second


def norm_pairs(network):
    """(convolution, batch norm) of a network."""
    return [(getattr(module, first), getattr(module, second)) for module, first, second in named_norms(network)]


def fold_batch_norm(network):
    """Batch norm after a convolution becomes part of it, before weights are rounded."""
    for module, first, second in list(named_norms(network)):
        conv, norm = getattr(module, first), getattr(module, second)
        setattr(module, first, torch.nn.utils.fuse_conv_bn_eval(conv, norm))
        setattr(module, second, torch.nn.Identity())
    return network


def folded(network, inputs):
    """The network with its batch norms folded, after a check that this changed nothing."""
    flat = lambda values: torch.cat([v.flatten() for v in (values if isinstance(values, (tuple, list)) else [values])])
    with torch.no_grad():
        before = flat(network(*inputs.values()))
        network = fold_batch_norm(network)
        after = flat(network(*inputs.values()))
    if not torch.allclose(before, after, rtol=1e-3, atol=1e-3 * float(before.abs().max())):
        raise SystemExit(f"folding batch norms changed an output by {float((before - after).abs().max())}")
    return network


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "face-model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--provenance", type=Path, help="JSON file put into the manifest")
    parser.add_argument("--random", action="store_true")
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    weights, graphs, golden = {}, {}, {}
    for name, network in build(config).items():
        if not (arguments.checkpoints and checkpoint.restore(arguments.checkpoints, name, network)):
            if name in OPTIONAL:
                print(f"{name}: no checkpoint, left out")
                continue
            if not arguments.random:
                raise SystemExit(f"{name}: no checkpoint in {arguments.checkpoints}")
        inputs = {key: value.half().float() for key, value in example_inputs(name, config).items()}
        network = folded(network.eval(), inputs)
        round_to_half(network)
        path = arguments.out / f"{name}.onnx"
        tensors = export_graph(name, network, inputs, path)
        weights |= {f"{name}.{key}": half(value) for key, value in tensors.items()}
        with torch.no_grad():
            values = network(*inputs.values())
        values = dict(zip(OUTPUTS[name], values if isinstance(values, (tuple, list)) else [values]))
        golden |= {f"{name}.in.{k}": half(v.numpy()) for k, v in inputs.items()}
        golden |= {f"{name}.out.{k}": v.numpy() for k, v in values.items()}
        graphs[name] = {"file": path.name, "sha256": sha256(path), "inputs": shapes(name, inputs),
                        "outputs": shapes(name, values)}
        print(f"{name}: {path.stat().st_size} bytes of graph, {sum(t.size for t in tensors.values())} numbers")
    model = dict(np.load(arguments.face_model))
    for key in ("mean", "identity", "expression", "open", "closed"):
        weights[f"face_model.{key}"] = half(model[key])
    for key in ("ring", "lips"):
        weights[f"face_model.{key}"] = model[key].astype(np.int32)
    save_file(weights, str(arguments.out / WEIGHTS))
    (arguments.out / WEIGHTS).chmod(0o644)
    manifest = {
        "format": FORMAT, "name": config["name"], "version": "0.1.0",
        "latent": {"dim": config["dim"], "codes": 2 * len(config["channels"])}, "image": config["image"],
        "mel": config["mel"], "crop": {"centre": CENTRE, "side": SIDE},
        "face_model": {"vertices": len(model["mean"]), "identity": config["identity"],
                       "expression": config["expression"], "mouth": config["mouth"]},
        "mask": config["mask"], "lips": config["lip_hint"]["points"],
        **({"carry": config["carry"]} if config.get("carry") else {}),
        "detector": {k: config["detector"][k] for k in ("size", "stride", "threshold")},
        "mesh": {k: config["mesh"][k] for k in ("size", "margin")},
        "syncnet": {"frames": config["syncnet"]["frames"], "dim": config["syncnet"]["dim"]},
        "graphs": graphs,
        "weights": {"file": WEIGHTS, "sha256": sha256(arguments.out / WEIGHTS)},
        "provenance": json.loads(arguments.provenance.read_text()) if arguments.provenance else {"weights": "random"},
    }
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    if arguments.golden:
        arguments.golden.mkdir(parents=True, exist_ok=True)
        save_file({k: np.ascontiguousarray(v) for k, v in golden.items()},
                  str(arguments.golden / f"{config['name']}.safetensors"))
        (arguments.golden / f"{config['name']}.safetensors").chmod(0o644)
    print(f"weights: {(arguments.out / WEIGHTS).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
