"""Which movies a folder holds, and who speaks in them.

Three layouts are known, in this order:

    MANIFEST.tsv    columns split, person, file, sound, rights, av_offset
    VoxCeleb2       .../id00012/<video>/00001.mp4; the sound may lie next to the movie or in a tree
                    called aac, m4a or wav where the movies' is called mp4; `test` is the dev split
    a folder        HDTF's names (RD_Radio10_000, WDA_KatieHill_000) tell the person; else the first
                    sub-folder is the person, or the movie itself where there is none
"""
import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from data.landmarks import IMAGES, MOVIES

SOUNDS = (".wav", ".m4a", ".aac", ".flac", ".mp3", ".ogg")
VOX_PERSON = re.compile(r"id\d{5}")
HDTF_NAME = re.compile(r"(RD_Radio\d+|W[DR]A_[A-Za-z]+?)\d*_\d{3}")


@dataclass
class Source:
    """One movie (or still) to prepare."""
    path: Path
    name: str                   # unique in the set: letters, digits, _ and -
    person: str
    split: str                  # train, dev
    rights: str                 # cleared, ...
    sound: Path | None          # where the sound is read from; None: there is none to use
    av_offset: str              # MANIFEST's entry: frames, + = audio late; "", "unknown", "none"

    @property
    def still(self):
        """Whether it is a picture, not a movie."""
        return self.path.suffix.lower() in IMAGES


def plain(text):
    """A text in letters, digits, _ and - alone."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)


def of_manifest(data, stills):
    """The Sources of a folder with a MANIFEST.tsv."""
    with open(data / "MANIFEST.tsv", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        missing = {"split", "person", "file", "sound"} - set(reader.fieldnames or [])
        if missing:
            raise SystemExit(f"{data / 'MANIFEST.tsv'} lacks the column(s) {', '.join(sorted(missing))}")
        splits = {}
        for row in reader:
            path = data / row["file"]
            # A file that is listed again counts once; in two splits it would be judged by what it was trained on.
            if path in splits:
                if splits[path] != row["split"]:
                    raise SystemExit(f"{data / 'MANIFEST.tsv'} lists {row['file']} in two splits")
                continue
            splits[path] = row["split"]
            kind = path.suffix.lower()
            if kind in MOVIES or (stills and kind in IMAGES):
                person = row["person"] if row["person"] != "-" or kind in IMAGES else plain(path.stem)
                yield Source(path, plain(path.stem), person, row["split"], row.get("rights") or "unknown",
                             path if row["sound"] == "y" else None, row.get("av_offset") or "")


def sound_of(path):
    """The sound file that belongs to a movie: the same stem, next to it or in VoxCeleb2's other tree."""
    places = [path]
    for tree in ("aac", "m4a", "wav"):
        parts = [tree if part == "mp4" else part for part in path.parts]
        places += [Path(*parts)] if parts != list(path.parts) else []
    for place in places:
        for suffix in SOUNDS:
            if place.with_suffix(suffix).exists():
                return place.with_suffix(suffix)
    return path                                 # its own, if it has any


def of_folder(data, stills, rights):
    """The Sources of a folder in VoxCeleb2's or HDTF's layout, or of any other."""
    kinds = MOVIES | (IMAGES if stills else set())
    for path in sorted(p for p in data.rglob("*") if p.suffix.lower() in kinds and p.is_file()):
        within = path.relative_to(data)
        vox = [part for part in path.parts[:-1] if VOX_PERSON.fullmatch(part)]
        hdtf = HDTF_NAME.match(path.stem)
        if vox:
            person = vox[-1]
        elif hdtf:
            person = hdtf[1]
        else:
            person = plain(within.parts[0] if len(within.parts) > 1 else path.stem)
        split = "dev" if vox and "test" in within.parts[:-1] else "train"
        name = plain("__".join(within.with_suffix("").parts))
        yield Source(path, name, person, split, rights, sound_of(path), "")


def find(data, stills=False, rights="unknown"):
    """Every movie of a folder. SystemExit with a message if there is none."""
    if not data.is_dir():
        raise SystemExit(f"{data} is not a folder")
    manifest = (data / "MANIFEST.tsv").exists()
    found = list(of_manifest(data, stills) if manifest else of_folder(data, stills, rights))
    if not found:
        raise SystemExit(f"no movie in {data} (looked for {' '.join(sorted(MOVIES))})")
    return found


def find_all(folders, stills=False, rights="unknown"):
    """Every movie of every folder; where two have a name in common, their paths tell them apart."""
    named = {}
    for folder in folders:
        for source in find(folder, stills, rights):
            place = f"{folder.resolve().name}/{source.path.relative_to(folder)}"
            named.setdefault(source.name, []).append((source, place))
    for same in named.values():
        for source, place in same if len(same) > 1 else ():
            source.name += "_" + hashlib.sha256(place.encode()).hexdigest()[:8]
    return [source for same in named.values() for source, _ in same]
