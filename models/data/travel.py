"""A prepared set under a given size, for a machine that trains and has no decoder but OpenCV.

    travel.json     protocol, what was kept, a hash of every shard
    shard-000.zip   below 16 MiB each; for every clip
        NAME.crops.mp4                    the aligned crops, H.264
        NAME.wide.mp4, NAME.whole.mp4     if asked for
        NAME.labels.xz                    poses, coefficients, sound (`sound_code.py`), provenance

Poses travel at half precision (scale and shift at single), coefficients on a grid of 1/32 of their
spread. Persons take turns, the one with the fewest frames first, until the budget is spent: many
people matter more than many sentences of one. Every clip that is kept is kept whole, since losses look
at neighbouring frames. `unpack` makes of it the folder that `pack.py` would have written, but for the
teacher's points, which exist only where a wide crop does.
"""
import lzma
import subprocess
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from data import files, geometry, pack, protocol, sound_code

SHARD = 15 << 20
FORMAT = 1
GRID, POINT = 32, 16            # steps a unit of a coefficient, a pixel of a wide crop
SIZES = {"crops": geometry.IMAGE, "wide": pack.WIDE_SIZE, "whole": 320}


@dataclass
class Options:
    """What `pack_set` may use: MiB in all, H.264 quality, the dev split's share of the MiB, wide crops or not."""
    budget_mib: float = 45
    crf: int = 24
    dev_share: float = 0.1
    wide: bool = False


def encode_pictures(jpegs, offsets, size, crf, path):
    """Encodes consecutive JPEGs as H.264; frames without a picture are left out."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.mp4"
        child = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size}x{size}", "-r", "25",
             "-i", "-", "-c:v", "libx264", "-preset", "medium", "-threads", "1", "-crf", str(crf), "-g", "250",
             "-pix_fmt", "yuv420p", "-bitexact", str(target)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            for begin, end in zip(offsets, offsets[1:]):
                if end > begin:
                    jpeg = np.frombuffer(jpegs, np.uint8)[begin:end]
                    child.stdin.write(cv2.imdecode(jpeg, cv2.IMREAD_COLOR).tobytes())
            child.stdin.close()
        except BrokenPipeError:
            pass                                        # ffmpeg's message follows
        with child.stderr:
            message = child.stderr.read().decode().strip()
        if child.wait() or not target.exists():
            why = message.splitlines()[-1] if message else "no message"
            raise SystemExit(f"ffmpeg does not encode H.264 here: {why}")
        with files.whole(path) as file:
            file.write(target.read_bytes())


def decode_pictures(data, count, name):
    """Yields the BGR pictures of an mp4; SystemExit if there are not `count`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.mp4"
        path.write_bytes(data)
        movie, seen = cv2.VideoCapture(str(path)), 0
        while (answer := movie.read())[0]:
            seen += 1
            yield answer[1]
        movie.release()
    if seen != count:
        raise SystemExit(f"{name}: {seen} pictures decoded of {count}")


def drawn(offsets):
    """Frames with a picture, from offsets [T + 1]."""
    return int((np.diff(offsets) > 0).sum())


def labels_of(meta, wide):
    """Everything of a clip but its pictures, compressed."""
    delta = np.clip(np.round(meta["delta"] * GRID), -32000, 32000).astype(np.int16)
    coefficients, levels = sound_code.encode(meta["audio"])
    keep = dict(
        valid=np.packbits(meta["valid"]), count=len(meta["valid"]), has=np.packbits(np.diff(meta["crops"]) > 0),
        delta=planes(np.diff(delta, axis=0, prepend=0)), identity=meta["identity"].astype(np.float32),
        scale=meta["scale"].astype(np.float32), shift=meta["shift"].astype(np.float32),
        rotation=meta["rotation"].astype(np.float16), sound=coefficients.T.copy(), levels=levels.T.copy(),
        samples=len(meta["audio"]), **{key: meta[key] for key in ("person", "split", "rights", "av_offset")})
    if wide:
        at = meta["wide_frames"].astype(int)
        vertices = meta["points"].shape[1]
        points = [geometry.apply(geometry.invert(matrix), p)
                  for matrix, p in zip(meta["wide_matrices"], meta["points"][at][..., :2])]
        grid = np.round(np.asarray(points).reshape(-1, vertices, 2) * POINT).clip(-32000, 32000).astype(np.int16)
        keep |= dict(wide_frames=at.astype(np.int32), wide_matrices=meta["wide_matrices"].astype(np.float64),
                     points=planes(np.diff(grid, axis=0, prepend=0)), vertices=vertices,
                     whole_frames=meta["whole_frames"].astype(np.int32), whole_steps=meta["whole_steps"])
    raw = BytesIO()
    np.savez(raw, **keep)
    return lzma.compress(raw.getvalue(), preset=6)


def planes(values):
    """int16 with low and high bytes apart, which compress better."""
    flat = np.ascontiguousarray(values, np.int16).reshape(len(values), int(np.prod(values.shape[1:]))).T.copy()
    return np.stack([flat.view(np.uint8).reshape(flat.shape + (2,))[..., i] for i in (0, 1)])


def unplanes(stored, shape):
    """The inverse, summed along time: [N, *shape] int16."""
    flat = np.ascontiguousarray(stored.transpose(1, 2, 0)).view(np.int16)[..., 0].T
    return np.cumsum(flat, 0, dtype=np.int16).reshape(len(flat), *shape)


class Shards:
    """Zip files below SHARD bytes, filled one after the other. Entries are stored as they are."""

    def __init__(self, folder):
        self.folder, self.names, self.file, self.size, self.used = folder, [], None, 0, 0

    @staticmethod
    def cost(entries):
        """Bytes of a zip file that [(name, data)] take."""
        return sum(len(data) + 2 * len(name) + 160 for name, data in entries)

    def add(self, entries):
        """Writes [(name, data)] into one shard, a new one if the last is full."""
        cost = self.cost(entries)
        if cost > SHARD:
            raise SystemExit(f"{entries[0][0]}: {cost / 2 ** 20:.1f} MiB do not fit into a shard; a higher --crf?")
        if self.file is None or self.size + cost > SHARD:
            self.close()
            self.names.append(f"shard-{len(self.names):03d}.zip")
            self.file = zipfile.ZipFile(self.folder / (self.names[-1] + ".part"), "w", zipfile.ZIP_STORED)
            self.size, self.used = 64, self.used + 64
        for name, data in entries:
            self.file.writestr(zipfile.ZipInfo(name), data)
        self.size, self.used = self.size + cost, self.used + cost

    def close(self):
        """Completes the last shard."""
        if self.file is not None:
            self.file.close()
            (self.folder / (self.names[-1] + ".part")).replace(self.folder / self.names[-1])
            self.file = None


def turns(clips):
    """Clips in the order in which persons take turns, the one with the fewest frames first."""
    waiting = {}
    for clip in clips:
        waiting.setdefault(clip[1], []).append(clip)
    given = dict.fromkeys(waiting, 0)
    while waiting:
        person = min(waiting, key=lambda p: (given[p], p))
        clip = waiting[person].pop(0)
        given[person] += clip[2]
        if not waiting[person]:
            del waiting[person]
        yield clip


def pack_set(out, target, options, quiet=False):
    """Packs the set in `out` (see `prepare.py`) into the folder `target`. Encoded clips wait in
    `out`/travel-cache, so that an interrupted run continues. The same set and options give the same bytes."""
    manifest = files.read_json(out / "pack" / protocol.NAME)
    if manifest is None:
        raise SystemExit(f"{out / 'pack'} has no {protocol.NAME}: prepare the set first")
    cache = out / "travel-cache"
    for folder in (target, cache):
        folder.mkdir(parents=True, exist_ok=True)
    for old in [*target.glob("shard-*.zip"), *target.glob("*.part"), *target.glob("travel.json")]:
        old.unlink()
    face = (out / "face_model.npz").read_bytes()
    shards, budget = Shards(target), options.budget_mib * 2 ** 20 - (512 << 10)    # for travel.json
    shards.add([("face_model.npz", face)])
    if shards.used > budget:
        raise SystemExit(f"--budget-mib {options.budget_mib:g} does not even hold the face model")
    have = {"train": [], "dev": []}
    for path in sorted((out / "pack").glob("*.npz")):
        with np.load(path) as file:
            if file["valid"].sum() >= 12 or (options.wide and len(file["wide_frames"])):
                person = str(file["person"])
                have.setdefault(str(file["split"]), []).append(
                    (path, person if person != "-" else path.stem, int(file["valid"].sum())))
    kept, left = [], 0
    for split, clips in sorted(have.items()):               # dev first: the rest of the budget is train's
        limit = shards.used + (budget - shards.used) * options.dev_share if split == "dev" else budget
        bar = files.Progress(f"pack {split}", len(clips), quiet=quiet)
        full = 0
        for path, person, frames in turns(clips):
            bar.step(frames)
            if full >= 8:                                   # eight in a row did not fit: the budget is spent
                left += 1
                continue
            entries, summary = clip_entries(path, options, cache)
            if shards.used + Shards.cost(entries) > limit:
                full, left = full + 1, left + 1
                continue
            full = 0
            shards.add(entries)
            kept.append(dict(name=path.stem, person=person, split=split, frames=frames, shard=shards.names[-1],
                             **summary))
    shards.close()
    if not kept:
        raise SystemExit(f"--budget-mib {options.budget_mib:g} holds no clip of the set")
    summary = dict(
        clips=len(kept), left_out=left, frames=sum(c["frames"] for c in kept), persons=len({c["person"] for c in kept}),
        seconds=round(sum(c["seconds"] for c in kept), 1), psnr=round(float(np.mean([c["psnr"] for c in kept])), 2),
        bytes={key: sum(c["bytes"][key] for c in kept) for key in kept[0]["bytes"]})
    files.write_json(target / "travel.json", dict(
        format=FORMAT, options=vars(options), manifest=manifest, counts=summary,
        shards={name: files.sha256(target / name) for name in shards.names}, clips=kept))
    whole = sum(p.stat().st_size for p in target.iterdir())
    if whole > options.budget_mib * 2 ** 20:
        raise SystemExit(f"{target} is {whole / 2 ** 20:.2f} MiB, over the budget")
    print(f"{whole / 2 ** 20:.2f} MiB in {len(shards.names)} shards: {summary['clips']} clips "
          f"of {summary['persons']} persons, {summary['frames']} frames, "
          f"{summary['seconds'] / 3600:.2f} h, {summary['left_out']} clips left out; crops "
          f"{summary['bytes']['crops'] / summary['frames']:.0f} bytes a frame at {summary['psnr']:.1f} dB, labels "
          f"{summary['bytes']['labels'] / 2 ** 20:.1f} MiB")
    return summary


def clip_entries(path, options, cache):
    """(the shard's entries of one clip, their sizes and quality)."""
    with np.load(path) as file:
        meta = {key: file[key] for key in file.files}
    entries, sizes = [], {}
    mark = files.fingerprint(path)[-16:]
    for kind in SIZES if options.wide else ("crops",):
        if drawn(meta[kind]):
            movie = cache / f"{path.stem}.{mark}.{kind}.{options.crf}.mp4"
            if not movie.exists():
                encode_pictures(path.with_suffix(f".{kind}").read_bytes(), meta[kind], SIZES[kind], options.crf, movie)
            entries.append((f"{path.stem}.{kind}.mp4", movie.read_bytes()))
            sizes[kind] = len(entries[-1][1])
    entries.append((f"{path.stem}.labels.xz", labels_of(meta, options.wide)))
    sizes["labels"] = len(entries[-1][1])
    return entries, dict(bytes={"crops": 0, **sizes}, seconds=len(meta["valid"]) / protocol.RATE,
                         psnr=loss(path, meta, entries[0][1]) if drawn(meta["crops"]) else 60.0)


def loss(path, meta, movie):
    """PSNR in dB of a clip's encoded crops against its JPEGs, over every 25th."""
    jpegs = np.frombuffer(path.with_suffix(".crops").read_bytes(), np.uint8)
    at = np.nonzero(np.diff(meta["crops"]) > 0)[0]
    errors = []
    for i, picture in enumerate(decode_pictures(movie, len(at), path.stem)):
        if i % 25 == 0:
            true = cv2.imdecode(jpegs[meta["crops"][at[i]]: meta["crops"][at[i] + 1]], cv2.IMREAD_COLOR)
            errors.append(np.square(true.astype(np.float32) - picture).mean())
    return float(10 * np.log10(255 ** 2 / max(np.mean(errors), 1e-3)))


def unpack(source, out, jobs=1, quiet=False):
    """Makes `out`/pack and `out`/face_model.npz of a folder that `pack_set` wrote. Existing clips are skipped."""
    travelled = files.read_json(source / "travel.json")
    if travelled is None:
        raise SystemExit(f"{source} has no travel.json: it is not a pack, or incomplete")
    if travelled.get("format") != FORMAT:
        raise SystemExit(f"{source} is of format {travelled.get('format')}, this program reads {FORMAT}")
    for name, digest in travelled["shards"].items():
        if not (source / name).exists():
            raise SystemExit(f"{source / name} is missing")
        if files.sha256(source / name) != digest:
            raise SystemExit(f"{source / name} is damaged: its hash is not the one in travel.json")
    (out / "pack").mkdir(parents=True, exist_ok=True)
    manifest = travelled["manifest"]
    protocol.agree(out / "pack", manifest["protocol"])
    with zipfile.ZipFile(source / "shard-000.zip") as archive, files.whole(out / "face_model.npz") as file:
        file.write(archive.read("face_model.npz"))
    if files.sha256(out / "face_model.npz") != manifest["protocol"]["face_model"]["sha256"]:
        raise SystemExit(f"{source}: its face model is not the one that its clips were packed with")
    more = {"travelled": travelled["options"], "counts": travelled["counts"]}
    files.write_json(out / "pack" / protocol.NAME, manifest | more)
    bar = files.Progress("unpacking", len(travelled["clips"]), quiet=quiet)

    def one(clip):
        if not (out / "pack" / f"{clip['name']}.npz").exists():
            with zipfile.ZipFile(source / clip["shard"]) as archive:
                rebuild(archive, clip["name"], out / "pack" / clip["name"])
        return clip["frames"]
    with ThreadPoolExecutor(jobs) as pool:
        for frames in pool.map(one, travelled["clips"]):
            bar.step(frames)
    return travelled["counts"]


def rebuild(archive, name, stem):
    """One clip's .crops, .wide, .whole and .npz out of a shard."""
    with np.load(BytesIO(lzma.decompress(archive.read(f"{name}.labels.xz")))) as file:
        small = {key: file[key] for key in file.files}
    count = int(small["count"])
    bits = lambda key: np.unpackbits(small[key])[:count].astype(bool)
    valid, has = bits("valid"), bits("has")
    rotation = np.zeros((count, 3, 3))
    rotation[valid] = pack.orthonormal(small["rotation"][valid].astype(np.float64))
    scale, shift = small["scale"].astype(np.float64), small["shift"].astype(np.float64)
    matrices = [geometry.crop_to_frame(geometry.Pose(scale[t], rotation[t], shift[t]), pack.CENTRE, pack.SIDE)
                if valid[t] else np.zeros((2, 3)) for t in range(count)]
    meta = dict(
        valid=valid, scale=scale, rotation=rotation, shift=shift, matrix=np.asarray(matrices, np.float32),
        identity=small["identity"], delta=(unplanes(small["delta"], (-1,)) / GRID).astype(np.float32),
        audio=sound_code.decode(small["sound"].T, small["levels"].T, int(small["samples"])),
        points=np.zeros((count, 0, 3), np.float32), wide_frames=np.zeros(0, int), wide_matrices=np.zeros((0, 2, 3)),
        whole_frames=np.zeros(0, int), whole_steps=np.zeros(0),
        **{key: small[key] for key in ("person", "split", "rights", "av_offset")})
    if "wide_frames" in small:
        vertices, at = int(small["vertices"]), small["wide_frames"]
        points = unplanes(small["points"], (vertices, 2)) / POINT
        meta["points"] = np.zeros((count, vertices, 3), np.float32)
        for t, matrix, crop in zip(at, small["wide_matrices"], points):
            meta["points"][t, :, :2] = geometry.apply(matrix, crop)
        meta |= {key: small[key] for key in ("wide_frames", "wide_matrices", "whole_frames", "whole_steps")}
    entries = set(archive.namelist())
    with ExitStack() as stack:
        for kind, pictures in (("crops", has), ("wide", np.ones(len(meta["wide_frames"]), bool)),
                               ("whole", np.ones(len(meta["whole_frames"]), bool))):
            jpegs = pack.Jpegs(stack.enter_context(files.whole(stem.with_suffix(f".{kind}"))))
            entry = f"{name}.{kind}.mp4"
            movie = decode_pictures(archive.read(entry), int(pictures.sum()), entry) if entry in entries else iter(())
            for there in pictures:
                jpegs.add(next(movie)[..., ::-1]) if there else jpegs.skip()
            for _ in movie:                             # the count is checked at the end
                pass
            meta[kind] = jpegs.table()
    with files.whole(stem.with_suffix(".npz")) as file:
        np.savez(file, **meta)
