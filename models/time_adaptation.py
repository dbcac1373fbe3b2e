"""Times a step of adaptation in ONNX Runtime, as in the library, and in PyTorch, alternately in one run.

    python time_adaptation.py --config config/lite.json --bundle lite [--threads 2] [--steps 15]

Both step the shipped weights on the same inputs: losses of eq. 10 and the gradients of the synthesis network. In half
of the steps the job encodes another frame of the person first; that is timed on its own, and with the step. PyTorch's
encoder leaves no gradient either. Printed are medians and their ratio, ONNX Runtime over PyTorch; other jobs on the
machine show in the seconds and hardly in the ratio.
"""
import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file

import export_adaptation
from losses import MeshJudge
from networks.adaptation import INPUTS, Adaptation
from networks.all import build
from resume import restore, tensors_of
from train_mesh import LinearFace


def session(bundle, manifest, name, weights, threads):
    """The graph with the bundle's weights, run as the library runs it."""
    entry = manifest["graphs"][name]
    path, prefix = bundle / entry["file"], "" if entry.get("shares") else f"{name}."
    outside = [t.name for t in onnx.load(str(path), load_external_data=False).graph.initializer if t.external_data]
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(weights[prefix + name].astype(np.float32)) for name in outside]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_external_initializers(outside, values)
    made = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return made, values                             # which the session does not keep alive


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "bundle"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=15)
    arguments = parser.parse_args()
    bundle, threads = arguments.bundle, arguments.threads
    torch.set_num_threads(threads)
    config = json.loads(arguments.config.read_text())
    manifest = json.loads((bundle / "manifest.json").read_text())
    weights = load_file(str(bundle / manifest["weights"]["file"]))
    networks = build(config)
    for name in ("generator", "mesh", "sync_shape", "reference_encoder"):
        restore(networks[name].eval(), tensors_of(bundle, manifest, name, weights))
    face = {k[len("face_model."):]: v for k, v in weights.items() if k.startswith("face_model.")}
    judge = MeshJudge(networks["mesh"], LinearFace(face), face["lips"], config)
    step = Adaptation(networks["generator"], judge, networks["sync_shape"])
    theta, inputs = step.theta(), export_adaptation.enlarged(export_adaptation.coarse_inputs(config))
    picture = inputs[0][:1]

    graph, kept = session(bundle, manifest, "adaptation", weights, threads)
    encoder, also_kept = session(bundle, manifest, "reference_encoder", weights, threads)
    given = {f"theta.{k}": v.numpy() for k, v in theta.items()} | {k: v.numpy() for k, v in zip(INPUTS, inputs)}

    def torch_encode():
        with torch.no_grad():
            return networks["reference_encoder"](picture)

    runs = {"step": (lambda: graph.run(None, given), lambda: step(theta, *inputs)),
            "encoder": (lambda: encoder.run(None, {"reference": picture.numpy()}), torch_encode)}
    terms = [float(v) for v in runs["step"][0]()[:3]], [float(v) for v in runs["step"][1]()[:3]]
    if not np.allclose(*terms, rtol=1e-3):
        raise SystemExit(f"the two do not compute the same: {terms[0]} and {terms[1]}")
    times = {name: ([], []) for name in runs}
    for _ in range(arguments.steps):
        for name, pair in runs.items():
            for run, taken in zip(pair, times[name]):
                begin = time.perf_counter()
                run()
                taken.append(time.perf_counter() - begin)
    ours, theirs = (np.array([statistics.median(times[name][side]) for name in ("step", "encoder")]) for side in (0, 1))
    for label, a, b in (("step", ours[0], theirs[0]), ("encoder", ours[1], theirs[1]),
                        ("step with another reference", ours.sum(), theirs.sum())):
        print(f"{label}: ONNX Runtime {a * 1e3:.0f} ms, PyTorch {b * 1e3:.0f} ms, {a / b:.2f} times, {threads} threads")


if __name__ == "__main__":
    main()
