"""Clips of rendered heads as training data: python training_clips.py FOLDER

Twelve heads, each says one text. FOLDER gets their movies and a MANIFEST.tsv for `prepare.py`. Movies that are
complete are kept. About 1 s of one core a frame."""
import argparse
import subprocess
import sys
from pathlib import Path

TEXTS = ("Pour the coffee now.", "My father bought a map.", "The phone rings again.", "We moved the blue table.",
         "Put both books up there.", "Why would you open it?", "Five more people may come.",
         "Before the evening, please.", "A warm summer morning.", "Apples, bread and water.",
         "A small boat by the sea.", "Show me your window.")
FIRST = 4                                    # identities below are those of the tests
COLUMNS = ("split", "person", "file", "sound", "rights", "av_offset")


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [COLUMNS]
    for number, text in enumerate(TEXTS, FIRST):
        name = f"head{number}"
        # The truth is written after the movie's last frame.
        if not (folder / f"{name}.json").exists():
            subprocess.run([sys.executable, str(Path(__file__).parent / "make_clip.py"), str(folder / f"{name}.mp4"),
                            "--identity", str(number), "--motion", str(number + 11), "--size", "480x360", "--text",
                            text], check=True)
        rows.append(("train", name, f"{name}.mp4", "y", "cleared", "0"))
    (folder / "MANIFEST.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
