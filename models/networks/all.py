"""Every network of a bundle, by the name of its graph, with example inputs."""
import functools

import torch

from networks.encoders import AudioEncoder, Detector, MeshPredictor, ReferenceEncoder, ShapeCode
from networks.generator import Generator
from networks.mals import MaLS
from networks.occlusion import Occlusion
from networks.phonetic import PhoneticBlock, PhoneticEncoder
from networks.recognition import Recognition
from networks.syncnet import SPOKEN, FaceTower, ShapeTower, SoundTower

NETWORKS = {
    "detector": Detector,
    "mesh": MeshPredictor,
    "phonetic": PhoneticEncoder,
    "audio_encoder": functools.partial(AudioEncoder, output="near"),
    "audio_encoder_far": functools.partial(AudioEncoder, output="far"),
    "shape_code": ShapeCode,
    "reference_encoder": ReferenceEncoder,
    "mals": MaLS,
    "generator": Generator,
    "occlusion": Occlusion,
    "recognition": Recognition,
    "sync_sound": SoundTower,
    "sync_shape": ShapeTower,
    "sync_face": FaceTower,
}

OUTPUTS = {
    "detector": ["score", "box"],
    "mesh": ["identity", "expression", "rotation", "translation", "log_scale", "confidence"],
    "phonetic": ["features"],
    "phonetic_far": ["features"],
    "audio_encoder": ["shape"],
    "audio_encoder_far": ["shape"],
    "shape_code": ["code"],
    "reference_encoder": ["code"],
    "mals": ["code"],
    "generator": ["image"],
    "occlusion": ["logits"],
    "recognition": ["embedding"],
    "sync_sound": ["sound"],
    "sync_shape": ["mouth"],
    "sync_face": ["mouth"],
}

# What a bundle may lack: rendering works without it.
OPTIONAL = {"occlusion", "recognition", "sync_face"}

# The graphs whose batch may be of any size.
BATCHED = {"audio_encoder", "audio_encoder_far", "shape_code", "sync_sound", "sync_shape", "sync_face"}


def build(config):
    """{name: network} of a config, with fresh weights."""
    return {name: network(config) for name, network in NETWORKS.items()}


def graphs(name, network):
    """{graph: module} of a network. The phonetic encoder's outputs are graphs of their own, which share its tensors."""
    if name != "phonetic":
        return {name: network}
    return {"phonetic": PhoneticBlock(network, far=False), "phonetic_far": PhoneticBlock(network, far=True)}


def example_inputs(name, config, seed=0):
    """{input name: tensor} of one run of a graph."""
    draw = torch.Generator().manual_seed(seed)
    image = lambda size: torch.rand(1, 3, size, size, generator=draw) * 2 - 1
    size, dim, codes = config["image"], config["dim"], 2 * len(config["channels"])
    frames = config["syncnet"]["frames"]
    batch = 7
    phonetic = lambda far: {"mel": torch.rand(1, config["mel"]["mels"], PhoneticBlock(
        PhoneticEncoder(config), far).columns, generator=draw) * 5 - 4.5}
    features = lambda columns: torch.randn(batch, config["phonetic"]["components"], columns, generator=draw)
    spoken = lambda output: {"features": features(AudioEncoder(config, output).columns)}
    return {
        "detector": lambda: {"frame": image(config["detector"]["size"])},
        "mesh": lambda: {"crop": image(config["mesh"]["size"])},
        "phonetic": lambda: phonetic(False),
        "phonetic_far": lambda: phonetic(True),
        "audio_encoder": lambda: spoken("near"),
        "audio_encoder_far": lambda: spoken("far"),
        "reference_encoder": lambda: {"reference": image(size)},
        "mals": lambda: {"codes": torch.randn(1, 7, codes, dim, generator=draw),
                         "reference": torch.randn(1, codes, dim, generator=draw)},
        "generator": lambda: {"face": image(size),
                              "lips": torch.rand(1, config["lip_hint"]["points"], 2, generator=draw) * 1.6 - 0.8,
                              "code": torch.randn(1, codes, dim, generator=draw),
                              **({"carried": image(size)} if config.get("carry") else {})},
        "occlusion": lambda: {"crop": image(size)},
        "recognition": lambda: {"crop": image(config["mesh"]["size"])},
        "shape_code": lambda: {"shape": (torch.randn(batch, config["mouth"], generator=draw) * 0.7).half().float()},
        "sync_sound": lambda: {"features": features(2 * SPOKEN + 1)},
        "sync_shape": lambda: {"shapes": torch.randn(batch, frames, config["mouth"], generator=draw)},
        "sync_face": lambda: {"mouths": torch.rand(2, 3 * frames, 64, 128, generator=draw) * 2 - 1},
    }[name]()
