"""Writes a bundle: ONNX graphs without weights, weights.safetensors, manifest.json, golden values.

    python export.py --config config/lite.json --checkpoints DIR --face-model face_model.npz \
                     --bank bank.safetensors --out lite [--golden ../tests/golden]

A graph holds structure only: each of its tensors above LITTLE values, and all that adaptation changes,
is declared external and stored, as fp16, in weights.safetensors under "<graph>.<tensor>". Some graphs share tensors,
by their full names: those of the phonetic encoder and that of adaptation (`export_adaptation.py`), which needs the
bank of unpaired speech (`bank.py`) and is left out without --bank. A network without a checkpoint is an error,
except with --random, which makes a bundle for tests.
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
from networks.all import BATCHED, OPTIONAL, OUTPUTS, build, example_inputs, graphs
from networks.phonetic import BLOCK, PhoneticEncoder
from phonetic_features import NAMES, AudioToShape
from train_mesh import LinearFace

FORMAT = 2
OPSET = 18
LITTLE = 16                          # scalars and shapes stay in the graph
WEIGHTS = "weights.safetensors"


def move_out(tensor):
    """Declares an initializer external; gives its array."""
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
    """Exports one network and moves its tensors out of the graph; gives {tensor: array}.

    `adapted`: tensors that are moved out whatever their size, each by itself. The exporter merges equal tensors, so
    these have random values during the export."""
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
    """{tensor: shape} for the manifest, with "batch" for a size that may vary."""
    return {key: [("batch" if name in BATCHED and axis == 0 else size) for axis, size in enumerate(v.shape)]
            for key, v in values.items()}


def half(array):
    """fp16 on disk; the network is rounded the same way before parity values are taken."""
    return array.astype(np.float16)


def sha256(path):
    """The hash of a file's content, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def round_to_half(network, adapted=()):
    """Rounds a network to what the bundle holds, in place."""
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
             "inputs": {k: list(v.shape) for k, v in given.items()},
             "outputs": {k: list(v.shape) for k, v in outputs.items()}}
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
    """Merges batch norms into the convolutions before them, in place; weights are rounded after that."""
    for module, first, second in list(named_norms(network)):
        conv, norm = getattr(module, first), getattr(module, second)
        setattr(module, first, torch.nn.utils.fuse_conv_bn_eval(conv, norm))
        setattr(module, second, torch.nn.Identity())
    return network


def folded(network, inputs):
    """The network with its batch norms folded; checks that the outputs stay."""
    flat = lambda values: torch.cat([v.flatten() for v in (values if isinstance(values, (tuple, list)) else [values])])
    with torch.no_grad():
        before = flat(network(*inputs.values()))
        network = fold_batch_norm(network)
        after = flat(network(*inputs.values()))
    if not torch.allclose(before, after, rtol=1e-3, atol=1e-3 * float(before.abs().max())):
        raise SystemExit(f"folding batch norms changed an output by {float((before - after).abs().max())}")
    return network


class Bundle:
    """What is collected for a bundle: `weights`, `golden` {tensor: array}, `graphs` {name: manifest entry}."""

    def __init__(self, config, out):
        """`out`: the folder that the graphs are written to."""
        self.config, self.out = config, out
        self.weights, self.graphs, self.golden = {}, {}, {}

    def add(self, name, network, inputs, changed=(), shares=False):
        """Exports a network, its weights and its golden values. `shares`: its tensors are named in full."""
        path = self.out / f"{name}.onnx"
        tensors = export_graph(name, network, inputs, path, changed)
        self.weights |= {key if shares else f"{name}.{key}": half(value) for key, value in tensors.items()}
        self.describe(name, path, network, inputs, **({"shares": True} if shares else {}))
        print(f"{name}: {path.stat().st_size} bytes of graph, {sum(t.size for t in tensors.values())} numbers")

    def describe(self, name, path, network, inputs, **more):
        """Adds a graph's manifest entry and the golden values of a run."""
        with torch.no_grad():
            values = network(*inputs.values())
        values = dict(zip(OUTPUTS[name], values if isinstance(values, (tuple, list)) else [values]))
        self.golden |= {f"{name}.in.{k}": half(v.numpy()) for k, v in inputs.items()}
        self.golden |= {f"{name}.out.{k}": v.numpy() for k, v in values.items()}
        self.graphs[name] = {"file": path.name, "sha256": sha256(path), **more, "inputs": shapes(name, inputs),
                             "outputs": shapes(name, values)}

    def add_speech(self, networks):
        """Golden values from audio to shapes: what `phonetic_features.py` does between the graphs."""
        time = np.arange(16000) / 16000
        sweep = np.sin(2 * np.pi * (100 * time + 1800 * time ** 2)) * (np.sin(2 * np.pi * 3 * time) > -0.5)
        audio = (0.2 * sweep + 0.01 * np.random.default_rng(5).standard_normal(len(time))).astype(np.float32)
        positions = np.array([-20000, -320, 0, 1, 640, 777, 4800, 10001, 15990, 17600, 50000], np.int64)
        self.golden |= {"speech.in.audio": audio, "speech.in.positions": positions}
        for output, name in NAMES.items():
            predict = AudioToShape(networks["phonetic"], networks[name], self.config, output)
            self.golden[f"speech.out.{output}"] = predict(audio, positions)

    def add_adaptation(self, networks, model, bank):
        """Exports the graph of adaptation, which shares the others' weights, and adds the bank {name: array}."""
        self.graphs["adaptation"], stored = adaptation(networks, self.config, model, self.weights, self.out)
        self.golden |= stored
        self.weights |= {f"bank.{key}": half(value) for key, value in bank.items()}

    def phonetic(self):
        """The manifest's entry of the phonetic features: what E_aud computes them from, and what its heads read."""
        config, encoder = self.config, PhoneticEncoder(self.config)
        entry = {"step": 2, "block": BLOCK, "components": config["phonetic"]["components"]}
        for output in ("near", "far"):
            past, future = encoder.reach(output == "far")
            entry[output] = {"past": past, "future": future, **config["audio"][output]}
        return entry

    def manifest(self, model, bank, provenance):
        """The manifest, once weights and graphs are written."""
        config = self.config
        return {
            "format": FORMAT, "name": config["name"], "version": "0.1.0",
            "latent": {"dim": config["dim"], "codes": 2 * len(config["channels"])}, "image": config["image"],
            "mel": config["mel"], "phonetic": self.phonetic(), "crop": {"centre": CENTRE, "side": SIDE},
            "face_model": {"vertices": len(model["mean"]), "identity": config["identity"],
                           "expression": config["expression"], "mouth": config["mouth"]},
            "mask": config["mask"], "lips": config["lip_hint"]["points"],
            **{key: config[key] for key in ("carry", "range") if config.get(key)},
            "detector": {k: config["detector"][k] for k in ("size", "stride", "threshold")},
            "mesh": {k: config["mesh"][k] for k in ("size", "margin")},
            "syncnet": {"frames": config["syncnet"]["frames"], "dim": config["syncnet"]["dim"]},
            **({"bank": dict(zip(("streams", "frames"), bank["shape"].shape))} if bank else {}),
            "graphs": self.graphs,
            "weights": {"file": WEIGHTS, "sha256": sha256(self.out / WEIGHTS)},
            "provenance": provenance,
        }

    def write_weights(self, model):
        """Adds the face model and writes the weights."""
        for key in ("mean", "identity", "expression", "open", "closed"):
            self.weights[f"face_model.{key}"] = half(model[key])
        for key in ("ring", "lips"):
            self.weights[f"face_model.{key}"] = model[key].astype(np.int32)
        save_file(self.weights, str(self.out / WEIGHTS))
        (self.out / WEIGHTS).chmod(0o644)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "face-model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--bank", type=Path, help="of unpaired speech (bank.py); with it the bundle can be adapted")
    parser.add_argument("--name", help="of the bundle; the config's by default")
    parser.add_argument("--golden", type=Path, help="folder for the golden values")
    parser.add_argument("--provenance", type=Path, help="JSON file put into the manifest")
    parser.add_argument("--random", action="store_true", help="random weights where there is no checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="of random weights")
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    config["name"] = arguments.name or config["name"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    bundle, networks = Bundle(config, arguments.out), build(config)
    adapted = {f"decoder.{key}" for key in networks["generator"].decoder.synthesis_parameters()}
    for name, network in list(networks.items()):
        if not (arguments.checkpoints and checkpoint.restore(arguments.checkpoints, name, network)):
            if name in OPTIONAL:
                print(f"{name}: no checkpoint, left out")
                del networks[name]
                continue
            if not arguments.random:
                raise SystemExit(f"{name}: no checkpoint in {arguments.checkpoints}")
        changed = adapted if name == "generator" else ()
        for graph, module in graphs(name, network.eval()).items():
            inputs = {key: value.half().float() for key, value in example_inputs(graph, config).items()}
            module = folded(module, inputs)
            round_to_half(module, changed)
            bundle.add(graph, module, inputs, changed, shares=module is not network)
    bundle.add_speech(networks)
    model = dict(np.load(arguments.face_model))
    bank = load_file(str(arguments.bank)) if arguments.bank else {}
    if bank:
        bundle.add_adaptation(networks, model, bank)
    bundle.write_weights(model)
    provenance = json.loads(arguments.provenance.read_text()) if arguments.provenance else {"weights": "random"}
    manifest = bundle.manifest(model, bank, provenance)
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    if arguments.golden:
        path = arguments.golden / f"{config['name']}.safetensors"
        arguments.golden.mkdir(parents=True, exist_ok=True)
        save_file({k: np.ascontiguousarray(v) for k, v in bundle.golden.items()}, str(path))
        path.chmod(0o644)
    print(f"weights: {(arguments.out / WEIGHTS).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
