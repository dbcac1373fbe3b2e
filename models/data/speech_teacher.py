"""The phonetic teacher: hidden layers of the phoneme recogniser in the PyPI package `hama`, at training time only.

`hama` 1.7.0 (Apache-2.0) holds a small Conformer that was trained on English and Korean phonemes. Nothing of it
ships: our phonetic encoder (`networks/phonetic.py`) is trained to predict its three upper hidden layers. Input:
16 kHz mono samples in [-1, 1]. Output: 50 columns a second, the k-th centred at sample 320 k.
"""
import struct
from importlib import resources

import numpy as np
import torch
import torch.nn.functional as F

PACKAGE, VERSION = "hama", "1.7.0"
RATE, HOP = 16000, 320                       # of the hidden layers: samples a second, samples between two columns
WIDTH, HEADS, BLOCKS = 144, 4, 4
UPPER = 3                                    # how many of the blocks, from the top, are predicted
FEATURES = UPPER * WIDTH

# The file numbers the matrices of its linear layers. Of the first block; each further one adds nine.
FIRST_MATRIX = {"ffn1.in": 829, "ffn1.out": 830, "attn.in": 831, "attn.out": 835, "ffn2.in": 836, "ffn2.out": 837}


def read_tensors(data):
    """{name: float32 tensor} of a `.hama` file: a table of name, type, shape, offset and size, then the values."""
    count, = struct.unpack_from("<H", data, 8)
    place, rows = 12, []
    for _ in range(count):
        length, = struct.unpack_from("<H", data, place)
        name = data[place + 2:place + 2 + length].decode()
        half, rank = struct.unpack_from("<BB", data, place + 2 + length)
        place += 4 + length
        shape = struct.unpack_from(f"<{rank}I", data, place)
        offset, size = struct.unpack_from("<QQ", data, place + 4 * rank)
        place += 4 * rank + 16
        rows.append((name, np.float16 if half else np.float32, shape, offset, size))
    values = len(data) - max(offset + size for _, _, _, offset, size in rows)
    return {name: torch.from_numpy(np.frombuffer(data, kind, size // np.dtype(kind).itemsize, values + offset)
                                   .astype(np.float32).reshape(shape)) for name, kind, shape, offset, size in rows}


class Teacher:
    """Runs the recogniser's Conformer. Not thread safe only where torch is not."""

    def __init__(self):
        try:
            file = resources.files("hama.assets") / "asr_waveform.hama"
        except ModuleNotFoundError as error:
            raise SystemExit(f"the phonetic teacher needs the PyPI package {PACKAGE}=={VERSION}") from error
        self.weights = read_tensors(file.read_bytes())

    def block(self, index):
        """Looks tensors of one block up by their short names."""
        prefix = f"acoustic_model.model.blocks.{index}."
        numbered = {name: self.weights[f"onnx::MatMul_{number + 9 * index}"] for name, number in FIRST_MATRIX.items()}
        return lambda name: numbered[name] if name in numbered else self.weights[prefix + name]

    def spectrum(self, samples):
        """[80, T] natural logarithm of mel power, 100 columns a second."""
        power = torch.stft(samples, 400, 160, window=torch.hann_window(400), center=True, pad_mode="reflect",
                           return_complex=True).abs().square()
        return (self.weights["mel_fb"].T @ power).clamp(min=1e-6).log()

    @torch.no_grad()
    def hidden(self, samples):
        """samples [N] float32 -> [T, 432]: the three upper blocks' outputs, one after the other."""
        samples = torch.as_tensor(samples, dtype=torch.float32)
        stem = F.conv1d(self.spectrum(samples)[None], self.weights["onnx::Conv_801"], self.weights["onnx::Conv_802"],
                        stride=2, padding=1)
        x, outputs = F.relu(stem).transpose(1, 2), []
        for index in range(BLOCKS):
            x = self.conformer(x, index)
            outputs.append(x[0])
        return torch.cat(outputs[-UPPER:], 1)

    def conformer(self, x, index):
        """Half a feed-forward layer, self-attention, a convolution, half a feed-forward layer, a norm."""
        get = self.block(index)

        def normed(value, name):
            return F.layer_norm(value, (WIDTH,), get(f"{name}.weight"), get(f"{name}.bias"))

        def feed_forward(value, name):
            inner = F.silu(normed(value, f"{name}.norm") @ get(f"{name}.in") + get(f"{name}.fc1.bias"))
            return 0.5 * (inner @ get(f"{name}.out") + get(f"{name}.fc2.bias"))

        x = x + feed_forward(x, "ffn1")
        projected = normed(x, "attn_norm") @ get("attn.in") + get("attn.in_proj_bias")
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in projected.chunk(3, -1))
        attended = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x = x + attended @ get("attn.out") + get("attn.out_proj.bias")
        y = F.glu(F.conv1d(normed(x, "conv.norm").transpose(1, 2), get("conv.pointwise1.weight"),
                           get("conv.pointwise1.bias")), 1)
        y = F.silu(F.conv1d(y, self.weights[f"onnx::Conv_{804 + 3 * index}"],
                            self.weights[f"onnx::Conv_{805 + 3 * index}"], padding=15, groups=WIDTH))
        x = x + F.conv1d(y, get("conv.pointwise2.weight"), get("conv.pointwise2.bias")).transpose(1, 2)
        x = x + feed_forward(x, "ffn2")
        return normed(x, "norm")
