#!/usr/bin/env python3
"""Compares the table of the misuse harnesses with the stored one: the same calls and statuses in the same order.

Messages are equal too, except those of the operating system.
"""

import pathlib
import sys


def rows(path):
    lines = pathlib.Path(path).read_text(encoding="utf-8").replace("\r", "").splitlines()
    return [line.strip("| ").split(" | ", 2) for line in lines if line.startswith("| `")]


def main():
    stored, found = map(rows, sys.argv[1:])
    if [row[:2] for row in stored] != [row[:2] for row in found]:
        for row in found:
            if row[:2] not in [known[:2] for known in stored]:
                print(f"not in the table: {row}")
        sys.exit(f"{len(found)} rows instead of {len(stored)}, or other calls or statuses")
    other = [row for known, row in zip(stored, found) if known[2].replace("FOLDER", ".") != row[2]]
    for row in other:
        print(f"another message: {row[0]}: {row[2]}")
    if any("os error" not in row[2] for row in other):
        sys.exit("a message that is not the operating system's differs")
    print(f"note: {len(found)} calls, of which {len(other)} have a message of the operating system")


if __name__ == "__main__":
    main()
