"""Reads a config of the networks; single values can be set from the command line, for ablations."""
import json
from pathlib import Path


def add_arguments(parser):
    """--config and --set."""
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], metavar="A.B=JSON",
                        help='changes one value of the config: --set samf.modulated=false --set lip_hint=null')


def load(arguments):
    """The config of the parsed arguments. An unknown key is an error: a misspelt ablation would change nothing."""
    config = json.loads(arguments.config.read_text())
    for change in arguments.set:
        path, _, value = change.partition("=")
        place, *rest = [config, *path.split(".")]
        for key in rest[:-1]:
            place = place.get(key) if isinstance(place, dict) else None
        if not isinstance(place, dict) or (rest[-1] not in place and path not in OPTIONAL):
            raise SystemExit(f"--set {change}: the config has no {path}")
        place[rest[-1]] = json.loads(value)
    return config


OPTIONAL = {"mask.rectangle"}                # keys that a config may lack
