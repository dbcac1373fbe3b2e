"""Times the generator and one of Wav2Lip's shape (Prajwal et al. 2020) on one ONNX Runtime, alternately in one run.

    python time_generator.py --bundle lite [--threads 1] [--steps 30]

The other one has Wav2Lip's layers and sizes (36 M parameters, 96x96). Its weights are random, which its
time does not depend on.
Batch norm is folded into the convolutions by ONNX Runtime. Printed are medians, the fastest runs, and their ratios.
"""
import argparse
import json
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.numpy import load_file
from torch import nn

from time_adaptation import session


class Layer(nn.Module):
    """Convolution (`up`: transposed), batch norm, ReLU; a skip where nothing changes in size."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, padding=1, up=None):
        super().__init__()
        self.conv = (nn.Conv2d(inputs, outputs, kernel, stride, padding) if up is None
                     else nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, up))
        self.norm = nn.BatchNorm2d(outputs)
        self.skip = (inputs, stride, kernel) == (outputs, 1, 3) and padding == 1 and up is None

    def forward(self, x):
        """[B, inputs, H, W] -> [B, outputs, H', W']."""
        y = self.norm(self.conv(x))
        return torch.relu(y + x if self.skip else y)


def same(channels, count):
    """Layers that keep size and channels."""
    return [Layer(channels, channels) for _ in range(count)]


class Wav2LipShaped(nn.Module):
    """mel [B, 1, 80, 16], face [B, 6, 96, 96] -> image [B, 3, 96, 96]."""

    def __init__(self):
        super().__init__()
        down = lambda a, b, more: nn.Sequential(Layer(a, b, stride=2), *same(b, more))
        up = lambda a, b, more: nn.Sequential(Layer(a, b, stride=2, up=1), *same(b, more))
        self.face = nn.ModuleList([
            nn.Sequential(Layer(6, 16, 7, 1, 3)), down(16, 32, 2), down(32, 64, 3), down(64, 128, 2), down(128, 256, 2),
            down(256, 512, 1), nn.Sequential(Layer(512, 512, 3, 1, 0), Layer(512, 512, 1, 1, 0))])
        self.sound = nn.Sequential(
            Layer(1, 32), *same(32, 2), Layer(32, 64, stride=(3, 1)), *same(64, 2),
            Layer(64, 128, stride=3), *same(128, 2), Layer(128, 256, stride=(3, 2)),
            *same(256, 1), Layer(256, 512, 3, 1, 0), Layer(512, 512, 1, 1, 0))
        self.decoder = nn.ModuleList([
            nn.Sequential(Layer(512, 512, 1, 1, 0)),
            nn.Sequential(Layer(1024, 512, 3, 1, 0, up=0), *same(512, 1)),
            up(1024, 512, 2), up(768, 384, 2), up(512, 256, 2), up(320, 128, 2), up(160, 64, 2)])
        self.last = nn.Sequential(Layer(80, 32), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel, face):
        """As the class says."""
        kept = []
        for block in self.face:
            face = block(face)
            kept.append(face)
        x = self.sound(mel)
        for block in self.decoder:
            x = torch.cat([block(x), kept.pop()], 1)
        return self.last(x)


def other(threads):
    """A session of it."""
    network = Wav2LipShaped().eval()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = str(Path(folder) / "other.onnx")
        torch.onnx.export(network, (torch.zeros(1, 1, 80, 16), torch.zeros(1, 6, 96, 96)), path,
                          input_names=["mel", "face"], dynamo=False)
        return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=30)
    arguments = parser.parse_args()
    manifest = json.loads((arguments.bundle / "manifest.json").read_text())
    weights = load_file(str(arguments.bundle / manifest["weights"]["file"]))
    ours, kept = session(arguments.bundle, manifest, "generator", weights, arguments.threads)
    draw = np.random.default_rng(0)
    runs = []
    for graph in (ours, other(arguments.threads)):
        given = {i.name: draw.uniform(-1, 1, i.shape).astype(np.float32) for i in graph.get_inputs()}
        runs.append(lambda graph=graph, given=given: graph.run(None, given))
        runs[-1]()
    times = ([], [])
    for _ in range(arguments.steps):
        for run, measured in zip(runs, times):
            begin = time.perf_counter()
            run()
            measured.append((time.perf_counter() - begin) * 1e3)
    for name, pick in (("median", statistics.median), ("fastest", min)):
        made, theirs = (pick(measured) for measured in times)
        print(f"{name}: generator {made:.1f} ms, Wav2Lip's shape {theirs:.1f} ms, ratio {theirs / made:.2f}, "
              f"{arguments.threads} threads")
    del kept


if __name__ == "__main__":
    main()
