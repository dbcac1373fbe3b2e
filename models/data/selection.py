"""Which clips are kept, and whether their audio may be trained on: a function of the measurements."""
from dataclasses import dataclass

WORDS = ("none", "unknown")             # MANIFEST: faces only; not measurable


@dataclass
class Filters:
    """Limits of `prepare.py`; see its options."""
    min_face: float = 112
    min_frames: int = 12
    max_offset: int = 5
    min_confidence: float = 3.0
    drop_unsynced: bool = False
    remeasure: bool = False


def declared(note):
    """MANIFEST's offset as a number ("0?" = 0), None where it holds none."""
    text = note.strip().rstrip("?").lstrip("+")
    return int(text) if text.lstrip("-").isdigit() else None


def sync(record, filters):
    """(av_offset for the clip's file, why its sound is not used or "").

    The measured offset, where one was measured and is asked for or nothing is declared; then
    MANIFEST's; with neither the sound is taken as it is. An offset within the limit is corrected by
    the loader, which shifts the sound by it."""
    if not record["sound"]:
        return "none", "no sound"
    note = record["declared"]
    if note == "none":
        return "none", "declared for faces only"
    number, measured = declared(note), record.get("offset")
    if measured is not None and (number is None or filters.remeasure):
        if record["confidence"] < filters.min_confidence:
            return "unknown", "A/V offset not sure"
        number = measured
    if number is None:
        return ("unknown", "A/V offset declared unknown") if note == "unknown" else ("", "")
    if abs(number) > filters.max_offset:
        return "unknown", f"A/V offset over {filters.max_offset} frames"
    return f"{number:+d}" if number else "0", ""


def decide(record, filters):
    """(kept, reason, av_offset): the reason says why a clip is dropped, or why its sound is not used."""
    if record.get("bad"):
        return False, record["bad"].split(":")[0], ""
    if not record["faces"]:
        return False, "no face found", ""
    if not record["still"] and record["faces"] < filters.min_frames:
        return False, f"fewer than {filters.min_frames} frames with a face", ""
    if record["side"] < filters.min_face:
        return False, f"face under {filters.min_face:g} pixels", ""
    note, why = sync(record, filters)
    if why and filters.drop_unsynced and not record["still"]:
        return False, why, note
    return True, why, note
