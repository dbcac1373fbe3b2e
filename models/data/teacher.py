"""Runs `data.landmarks` in an interpreter that has MediaPipe, on files without landmarks."""
import shutil
import subprocess
import tempfile
import threading
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

from data import files

MODELS = Path(__file__).parent.parent


def version(python):
    """The teacher's version; SystemExit with advice if it is not installed."""
    try:
        answer = subprocess.run([python, "-c", "import mediapipe; print(mediapipe.__version__)"],
                                capture_output=True, text=True)
    except OSError as error:
        raise SystemExit(f"--teacher-python {python}: {error.strerror}") from None
    if answer.returncode:
        raise SystemExit(f"{python} has no mediapipe, which finds the faces: `pip install mediapipe==0.10.14` in an "
                         "environment of its own, and name that one's interpreter with --teacher-python")
    return answer.stdout.split()[-1]


def of(path):
    """(fingerprint, teacher) of a landmark file, ("", "") if it holds neither, None without a file."""
    try:
        with np.load(path) as file:
            return (str(file["source"]), str(file["teacher"])) if "source" in file.files else ("", "")
    except (OSError, ValueError, zipfile.BadZipFile):
        return None


def seed(source, target, mark):
    """Copies landmarks of an earlier run and adds the fingerprint of their movie."""
    with files.whole(target) as file:
        with open(source, "rb") as old:
            shutil.copyfileobj(old, file)
        file.flush()
        if "source.npy" not in zipfile.ZipFile(source).namelist():
            with zipfile.ZipFile(target.with_name(target.name + ".part"), "a") as archive:
                for key, value in (("source", mark), ("teacher", "of an earlier run")):
                    raw = BytesIO()
                    np.save(raw, np.asarray(value))
                    archive.writestr(f"{key}.npy", raw.getvalue())


def known(name, mark, out, seeds=None):
    """Which teacher a movie's landmarks are of, None where there are none; takes them from `seeds` if it can."""
    have = of(out / f"{name}.npz")
    if (have is None or have[0] != mark) and seeds:
        earlier = of(seeds / f"{name}.npz")
        if earlier is not None and earlier[0] in ("", mark):
            seed(seeds / f"{name}.npz", out / f"{name}.npz", mark)
            have = of(out / f"{name}.npz")
    return have[1] if have is not None and have[0] == mark else None


def teach(rows, out, python, jobs=1, quiet=False):
    """Landmarks of every (name, fingerprint, path); ({name: why there are none}, teachers' names)."""
    teachers, missing = set(), []
    for name, mark, path in rows:
        have = known(name, mark, out)
        if have is None:
            missing.append((name, mark, path))
        else:
            teachers.add(have)
    if not missing:
        return {}, teachers
    teachers.add(f"mediapipe {version(python)}")
    bad, bar, lock = {}, files.Progress("landmarks", len(missing), quiet=quiet), threading.Lock()

    def listen(child):
        for line in child.stdout:
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 3:
                continue
            with lock:
                if fields[1] == "bad":
                    bad[fields[0]] = fields[2]
                bar.step(int(fields[2]) if fields[1] != "bad" else 0)

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "list"
        table.write_text("".join(f"{name}\t{mark}\t{path.resolve()}\n" for name, mark, path in missing))
        command = [python, "-m", "data.landmarks", "--list", str(table), "--out", str(out.resolve()), "--shard"]
        children = [subprocess.Popen([*command, f"{k}/{jobs}"], cwd=MODELS, stdout=subprocess.PIPE,
                                     stderr=open(Path(folder) / f"stderr{k}", "w"), text=True) for k in range(jobs)]
        listeners = [threading.Thread(target=listen, args=(child,)) for child in children]
        try:
            for listener in listeners:
                listener.start()
            codes = [child.wait() for child in children]
            for listener in listeners:
                listener.join()
        finally:
            for child in children:
                child.kill()
        if any(codes):
            lines = (Path(folder) / f"stderr{[bool(c) for c in codes].index(True)}").read_text().strip().splitlines()
            raise SystemExit(f"the teacher stopped: {lines[-1] if lines else 'without a message'}; run again to go on")
    return bad, teachers
