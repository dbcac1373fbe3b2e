"""What a prepared set holds: counted over the records of all its movies."""
from collections import Counter

from data import files


def of(out):
    """The report of a set: {"kept", "dropped", "splits", "bytes", "clips"}; times in seconds."""
    records = [r for path in sorted((out / "records").glob("*.json")) if (r := files.read_json(path))]
    kept = [r for r in records if r["kept"]]
    synced = [r for r in kept if r["sound"] and r["av_offset"] not in ("none", "unknown")]
    measured = [r for r in records if r.get("offset") is not None]
    splits = {}
    for record in kept:
        empty = dict(clips=0, stills=0, frames=0, seconds=0.0, in_time=0, persons=set())
        row = splits.setdefault(record["split"], empty)
        row["stills" if record["still"] else "clips"] += 1
        row["frames"] += record["faces"]
        row["seconds"] = round(row["seconds"] + record["seconds"], 2)
        row["in_time"] += record in synced
        row["persons"].add(record["person"] if record["person"] != "-" else record["name"])
    for row in splits.values():
        row["persons"] = len(row["persons"])
    sizes = Counter()
    for record in kept:
        sizes.update(record["bytes"])
    shown = ("name", "person", "split", "kept", "reason", "bad", "faces", "side", "seconds", "declared", "offset",
             "confidence", "av_offset")
    return dict(
        kept=dict(clips=len(kept), frames=sum(r["faces"] for r in kept),
                  seconds=round(sum(r["seconds"] for r in kept), 2), sound_in_time=len(synced)),
        splits=splits, dropped=dict(Counter(r["reason"] for r in records if not r["kept"])),
        sound_not_used=dict(Counter(r["reason"] for r in kept if r["reason"] and not r["still"])),
        sound_unchecked=sum(r["av_offset"] == "" for r in synced), offsets=dict(measured=len(measured), agree=sum(
            abs(r["offset"] - int(r["av_offset"])) <= 1 for r in measured
            if r["kept"] and r["av_offset"].lstrip("+-").isdigit())),
        frames_cut=sum(r.get("cut", 0) for r in kept), bytes=dict(sizes),
        clips=[{key: r.get(key) for key in shown if r.get(key) is not None} for r in records])


def table(summary):
    """The lines that are printed of a report."""
    lines = ["", f"{'split':10s}{'clips':>8s}{'stills':>8s}{'persons':>9s}{'frames':>10s}{'hours':>8s}{'in time':>9s}"]
    for split, row in sorted(summary["splits"].items(), reverse=True):
        lines.append(f"{split:10s}{row['clips']:8d}{row['stills']:8d}{row['persons']:9d}{row['frames']:10d}"
                     f"{row['seconds'] / 3600:8.2f}{row['in_time']:9d}")
    for title, counts in (("dropped", summary["dropped"]), ("kept, sound not used", summary["sound_not_used"])):
        for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
            lines.append(f"{title}: {count} ({reason})")
    if summary["sound_unchecked"]:
        lines.append(f"sound taken as in sync, unmeasured (--sync-checkpoints): {summary['sound_unchecked']}")
    if summary["frames_cut"]:
        lines.append(f"frames of other shots left out: {summary['frames_cut']}")
    sizes = {key: size / 2 ** 20 for key, size in summary["bytes"].items()}
    lines.append(f"{sum(sizes.values()):.1f} MiB: " + ", ".join(f"{key} {size:.1f}" for key, size in sizes.items()))
    return "\n".join(lines)
