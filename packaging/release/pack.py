#!/usr/bin/env python3
"""Packs a folder: `pack.py FOLDER SECONDS` writes FOLDER.zip (Windows) or FOLDER.tar.gz, and its SHA-256.

All files get the time SECONDS (since 1970) and no owner, so that the same files give the same archive.
"""

import gzip
import hashlib
import os
import pathlib
import sys
import tarfile
import time
import zipfile


def write_zip(folder, seconds, path):
    when = time.gmtime(seconds)[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(str(pathlib.PurePosixPath(file.relative_to(folder.parent))), when)
            entry.external_attr = (0o755 if os.access(file, os.X_OK) else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def write_tar(folder, seconds, path):
    def normal(entry):
        entry.mtime = seconds
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=seconds) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for file in [folder, *sorted(folder.rglob("*"))]:
                archive.add(file, file.relative_to(folder.parent), recursive=False, filter=normal)


def main():
    folder, seconds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    is_windows = "windows" in folder.name
    path = folder.with_name(folder.name + (".zip" if is_windows else ".tar.gz"))
    (write_zip if is_windows else write_tar)(folder, seconds, path)
    total = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha256").write_text(f"{total}  {path.name}\n", newline="\n")
    print(f"{path.name} {path.stat().st_size} bytes, SHA-256 {total}")


if __name__ == "__main__":
    main()
