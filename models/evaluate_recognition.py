"""Whether people keep their numbers: over crossings, cuts and absences, by the command line's own tracking.

    python evaluate_recognition.py --data ../../shared/data --cli ../target/release/stylelipsync [--bundle lite]

Two people of the `dev` split are put into one film by ffmpeg, so that who is where is known:
- crossing: they walk past each other, one behind the other for a while;
- dialogue: four shots of one person each, by turns, at the same place;
- absence: one leaves for more than half a second and comes back at another place.
Also counted: numbers for each clip of one person that has no cut. More than one is a person taken for two.
"""
import argparse
import itertools
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from data import sources

WIDTH, SIDE, FRAMES = 960, 360, 75          # of a film; side of a person's square
SHOT = 25                                   # frames of a shot of the dialogue
GONE = range(25, 45)                        # frames of an absence
LEFT_OUT = {"visualvoice__noisy_restaurant"}     # shows two people


def ffmpeg(inputs, graph, out, frames):
    """Runs a filter graph over files; the result is lossless."""
    command = ["ffmpeg", "-v", "error", "-y"]
    for path in inputs:
        command += ["-i", str(path)]
    subprocess.run([*command, "-filter_complex", graph, "-frames:v", str(frames), "-an", "-c:v", "ffv1", str(out)],
                   check=True)


def seconds(path):
    """The length of a movie."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def square(label):
    """The middle of an input, as a square of SIDE pixels at 25 frames a second, from its second second on."""
    side = "min(iw\\,ih)"
    return (f"[{label}:v]fps=25,crop={side}:{side},scale={SIDE}:{SIDE},setsar=1,trim=start_frame=25,"
            f"setpts=PTS-STARTPTS,tpad=stop=-1:stop_mode=clone")


def backdrop():
    """A grey picture of the film's size and length."""
    return f"color=gray:s={WIDTH}x{SIDE}:r=25:d={FRAMES / 25}[back]"


def crossing(pair, out):
    """The film, and the centre of each person by the frame's index."""
    step = (WIDTH - SIDE) / (FRAMES - 1)
    ffmpeg(pair, f"{backdrop()};{square(0)},crop=240:{SIDE}[a];{square(1)},crop=240:{SIDE}[b];"
                 f"[back][b]overlay=x='{WIDTH - 300}-n*{step}':y=0[p];[p][a]overlay=x='60+n*{step}':y=0", out, FRAMES)
    return [lambda n: 180 + n * step, lambda n: WIDTH - 180 - n * step]


def dialogue(pair, out):
    """Four shots."""
    ffmpeg(pair, f"{square(0)},split[a0][a1];{square(1)},split[b0][b1];"
                 + "".join(f"[{x}{k}]trim=start_frame={k * SHOT}:end_frame={(k + 1) * SHOT},setpts=PTS-STARTPTS"
                           f"[{x}t{k}];" for x in "ab" for k in range(2))
                 + "[at0][bt0][at1][bt1]concat=n=4:v=1", out, 4 * SHOT)


def absence(pair, out):
    """One person, who is away in GONE and comes back further to the right."""
    ffmpeg(pair[:1], f"{backdrop()};{square(0)},crop=240:{SIDE}[a];"
                     f"[back][a]overlay=x='if(lt(n,{GONE.start}),60,if(lt(n,{GONE.stop}),{2 * WIDTH},560))':y=0",
           out, FRAMES)


def faces(arguments, film, folder):
    """{frame: [face]} of a film."""
    found = folder / "faces.json"
    command = [str(arguments.cli), "analyze", "--video", str(film), "--out", str(folder / "clip.slsa"),
               "--faces", str(found), "--provider", "cpu"]
    if arguments.bundle:
        command += ["--bundle", str(arguments.bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not found.exists() and "no face" not in done.stderr:
        raise SystemExit(done.stderr)
    frames = json.loads(found.read_text())["frames"] if found.exists() else {}
    found.unlink(missing_ok=True)
    return {int(index): seen for index, seen in frames.items()}


def usual(seen, frames, at=None):
    """The most frequent number in some frames; `at`: of the face nearest to a place, by the frame's index."""
    ids = Counter()
    for n in frames:
        near = [f for f in seen.get(n, []) if f["confidence"] > 0.5 and (at is None or abs(f["x"] - at(n)) < 100)]
        if near:
            ids[min(near, key=lambda f: abs(f["x"] - at(n)) if at else 0)["id"]] += 1
    return ids.most_common(1)[0][0] if ids else None


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--people", type=int, default=20)
    arguments = parser.parse_args()
    clips = {}
    for clip in sources.find(arguments.data):
        if clip.split == "dev" and clip.person not in LEFT_OUT and seconds(clip.path) >= 4:
            clips.setdefault(clip.person, clip.path)
    people = list(clips.items())[:arguments.people]
    print("people:", ", ".join(name for name, _ in people))
    kept, counted = Counter(), Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "film.mkv"
        for (one, a), (other, b) in zip(people, people[1:] + people[:1]):
            pair = [a, b]
            places = crossing(pair, film)
            seen = faces(arguments, film, folder)
            before = [usual(seen, range(0, 15), at) for at in places]
            after = [usual(seen, range(FRAMES - 15, FRAMES), at) for at in places]
            for was, now in zip(before, after):
                if was is not None and now is not None:
                    counted["crossing"] += 1
                    kept["crossing"] += was == now
            dialogue(pair, film)
            seen = faces(arguments, film, folder)
            shots = [usual(seen, range(k * SHOT, (k + 1) * SHOT)) for k in range(4)]
            for first, again in ((0, 2), (1, 3)):
                if None not in (shots[first], shots[again]):
                    counted["same person after a cut"] += 1
                    kept["same person after a cut"] += shots[first] == shots[again]
            for first, second in itertools.pairwise(range(4)):
                if None not in (shots[first], shots[second]):
                    counted["other person after a cut"] += 1
                    kept["other person after a cut"] += shots[first] != shots[second]
            absence(pair, film)
            seen = faces(arguments, film, folder)
            was, now = usual(seen, range(GONE.start)), usual(seen, range(GONE.stop, FRAMES))
            if None not in (was, now):
                counted["absence"] += 1
                kept["absence"] += was == now
            seen = faces(arguments, a, folder)
            ids = Counter(f["id"] for frame in seen.values() for f in frame if f["confidence"] > 0.5)
            counted["clip of one person"] += 1
            kept["clip of one person"] += sum(count >= 5 for count in ids.values()) == 1
            print(f"{one} and {other}: crossing {before} -> {after}, shots {shots}, absence {was} -> {now}, "
                  f"numbers of {one}: {dict(ids)}", flush=True)
    for kind, count in counted.items():
        print(f"{kind}: right in {kept[kind]} of {count}")


if __name__ == "__main__":
    main()
