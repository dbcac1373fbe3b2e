"""Files written completely or not at all, content fingerprints, and a progress bar on stderr."""
import hashlib
import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

PIECE = 1 << 20


@contextmanager
def whole(path, mode="wb"):
    """A file that appears under its name only when the block ends without an error. Its folder must exist."""
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    try:
        with open(partial, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path, value):
    """Writes a value as indented JSON, complete or not at all."""
    with whole(path, "w") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")


def read_json(path):
    """The value of a JSON file, None where there is none or it is incomplete."""
    try:
        return json.loads(Path(path).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def sha256(path):
    """The hash of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path):
    """Size and a hash of the first and last mebibyte: content, not name or date, and cheap on
    corpora of many gigabytes."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        digest.update(file.read(PIECE))
        if size > 2 * PIECE:
            file.seek(-PIECE, 2)
        digest.update(file.read())
    return f"{size}-{digest.hexdigest()[:32]}"


class Progress:
    """A progress bar, redrawn on a terminal; elsewhere a line every ten seconds."""

    def __init__(self, title, total, unit="clips", quiet=False):
        self.title, self.total, self.unit, self.quiet = title, total, unit, quiet
        self.done = self.frames = 0
        self.begin = self.shown = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def step(self, frames=0):
        """One more unit is done, with that many frames."""
        self.done, self.frames = self.done + 1, self.frames + frames
        now = time.monotonic()
        if not self.quiet and (now - self.shown > (0.2 if self.terminal else 10) or self.done == self.total):
            self.shown = now
            self.show(now - self.begin)

    def show(self, elapsed):
        """Draws the bar; `elapsed` in seconds."""
        filled = 24 * self.done // max(1, self.total)
        left = elapsed / self.done * (self.total - self.done)
        text = (f"{self.title:10s} [{'#' * filled}{'.' * (24 - filled)}] {self.done}/{self.total} {self.unit}"
                + (f", {self.frames / max(elapsed, 1e-9):.0f} frames/s" if self.frames else "")
                + f", {int(left) // 60}:{int(left) % 60:02d} left")
        end = "\n" if not self.terminal or self.done == self.total else ""
        sys.stderr.write(("\r" if self.terminal else "") + text + end)
        sys.stderr.flush()
