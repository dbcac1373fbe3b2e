"""Writes a bundle: weightless ONNX graphs, weights.safetensors, manifest.json, golden values.

    python export.py --config config/lite.json --checkpoints DIR --face-model face_model.npz \
                     --bank bank.safetensors --out lite [--golden ../tests/golden]

A graph holds structure only: each of its tensors above LITTLE values, and all that adaptation changes,
is declared external and stored, as fp16, in weights.safetensors under "<graph>.<tensor>". The graphs of
adaptation (`export_adaptation.py`) share the others' tensors, by their whole names, and need the bank of
foreign words (`bank.py`); without --bank they are left out. A network without a checkpoint is an error,
unless --random says that a bundle for tests is wanted.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

import checkpoint
import export_adaptation
from data.pack import CENTRE, SIDE
from losses import MeshJudge
from networks.adaptation import Adaptation
from networks.all import BATCHED, OPTIONAL, OUTPUTS, build, example_inputs
from networks.encoders import ShapeCode
from train_mesh import LinearFace

FORMAT = 1
OPSET = 18
LITTLE = 16                          # scalars and shapes stay in the graph
WEIGHTS = "weights.safetensors"


def move_out(tensor):
    """Declares an initializer external; its array."""
    array = numpy_helper.to_array(tensor)
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    del tensor.external_data[:]
    for key, value in (("location", WEIGHTS), ("offset", "0"), ("length", str(array.nbytes))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return array


def export_graph(name, network, inputs, path, adapted=()):
    """Exports one network and moves its tensors out of the graph; gives {tensor: array}. `adapted`: tensors
    that are moved out however little they are, and each by itself: the exporter makes one of equal ones,
    so that they are given other values meanwhile."""
    state = {key: value.clone() for key, value in network.state_dict().items() if key in adapted}
    network.load_state_dict({key: torch.randn_like(value) for key, value in state.items()}, strict=False)
    axes = ({key: {0: "batch"} for key in [*inputs, *OUTPUTS[name]]} if name in BATCHED else None)
    with torch.no_grad():
        torch.onnx.export(network, tuple(inputs.values()), str(path), input_names=list(inputs),
                          output_names=OUTPUTS[name], dynamic_axes=axes, opset_version=OPSET,
                          dynamo=False, do_constant_folding=False)
    network.load_state_dict(state, strict=False)
    model = onnx.load(str(path))
    tensors = {}
    for tensor in model.graph.initializer:
        size = int(np.prod(tensor.dims))
        if tensor.data_type == onnx.TensorProto.FLOAT and (size > LITTLE or tensor.name in adapted):
            array = move_out(tensor)
            tensors[tensor.name] = state[tensor.name].numpy() if tensor.name in state else array
    if missing := sorted(set(adapted) - set(tensors)):
        raise SystemExit(f"{name}: the graph has no {missing[0]}, which adaptation changes")
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


def round_to_half(network, adapted=()):
    """As the bundle holds it."""
    with torch.no_grad():
        for key, value in [*network.named_parameters(), *network.named_buffers()]:
            if value.dtype == torch.float32 and (value.numel() > LITTLE or key in adapted):
                value.copy_(value.half().float())


def adaptation(networks, config, face_model, weights, out):
    """Writes the step's graph; gives (its manifest entry, golden values)."""
    judge = MeshJudge(networks["mesh"], LinearFace(face_model), face_model["lips"], config)
    step = Adaptation(networks["generator"], judge, networks["sync_shape"])
    parameters = {f"{name}.{key}": p for name in ("generator", "mesh", "sync_shape")
                  for key, p in [*networks[name].named_parameters(), *networks[name].named_buffers()]}
    coarse = export_adaptation.coarse_inputs(config)
    inputs = export_adaptation.enlarged(coarse)
    model, taken, outputs = export_adaptation.write(step, inputs, {id(p): name for name, p in parameters.items()})
    for name in taken:
        tensor = numpy_helper.from_array(parameters[name].detach().numpy(), name)
        if name in weights:
            move_out(tensor)
        model.graph.initializer.append(tensor)
    path = out / "adaptation.onnx"
    path.write_bytes(model.SerializeToString())
    golden = {f"adaptation.in.{k}": half(v.numpy()) for k, v in coarse.items()}
    for name, value in outputs.items():
        if name.startswith("grad."):
            golden[f"adaptation.out.{name}"], golden[f"adaptation.norm.{name}"] = export_adaptation.samples(value)
        else:
            golden[f"adaptation.out.{name}"] = value.numpy().reshape(1)
    given = {f"theta.{k}": v for k, v in step.theta().items()} | dict(zip(export_adaptation.INPUTS, inputs))
    entry = {"file": path.name, "sha256": sha256(path), "shares": True,
             "inputs": {k: list(v.shape) for k, v in given.items()}, "outputs": {k: list(v.shape) for k, v in outputs.items()}}
    print(f"adaptation: {path.stat().st_size} bytes of graph, {len(model.graph.node)} nodes")
    return entry, golden


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
    parser.add_argument("--bank", type=Path, help="of foreign words; with it the bundle can be adapted")
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--provenance", type=Path, help="JSON file put into the manifest")
    parser.add_argument("--random", action="store_true")
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    weights, graphs, golden = {}, {}, {}
    networks = build(config)
    adapted = {f"decoder.{key}" for key in networks["generator"].decoder.synthesis_parameters()}
    for name, network in list(networks.items()):
        if not (arguments.checkpoints and checkpoint.restore(arguments.checkpoints, name, network)):
            if name in OPTIONAL:
                print(f"{name}: no checkpoint, left out")
                del networks[name]
                continue
            if not arguments.random:
                raise SystemExit(f"{name}: no checkpoint in {arguments.checkpoints}")
        inputs = {key: value.half().float() for key, value in example_inputs(name, config).items()}
        networks[name] = network = folded(network.eval(), inputs)
        changed = adapted if name == "generator" else ()
        round_to_half(network, changed)
        path = arguments.out / f"{name}.onnx"
        tensors = export_graph(name, network, inputs, path, changed)
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
    bank = {}
    if arguments.bank:
        network, inputs = ShapeCode(networks["audio_encoder"]), example_inputs("shape_code", config)
        path = arguments.out / "shape_code.onnx"
        shared = export_graph("shape_code", network, inputs, path)
        if any(key not in weights for key in shared):
            raise SystemExit("shape_code: has tensors of its own")
        with torch.no_grad():
            values = {"code": network(*inputs.values())}
        graphs["shape_code"] = {"file": path.name, "sha256": sha256(path), "shares": True,
                                "inputs": shapes("shape_code", inputs), "outputs": shapes("shape_code", values)}
        golden |= {"shape_code.in.shape": half(inputs["shape"].numpy()), "shape_code.out.code": values["code"].numpy()}
        graphs["adaptation"], stored = adaptation(networks, config, model, weights, arguments.out)
        golden |= stored
        bank = load_file(str(arguments.bank))
        weights |= {f"bank.{key}": half(value) for key, value in bank.items()}
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
        **({"bank": dict(zip(("streams", "frames"), bank["shape"].shape))} if bank else {}),
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
