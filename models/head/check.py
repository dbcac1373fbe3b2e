"""Does an ordinary face tracker follow the rendered head?

Needs mediapipe and opencv:  python check.py clip/   or   check.py NAME.mp4
Prints in how many frames the face is found and how the tracked inner-lip
opening (landmarks 13 and 14) correlates with the true one.
"""
import json
import sys
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np


def frames(path):
    """BGR pictures of an mp4 or of a clip's folder."""
    if path.suffix == '.mp4':
        v = cv2.VideoCapture(str(path))
        while True:
            ok, f = v.read()
            if not ok:
                return
            yield f
    else:
        for f in sorted((path / 'frames').glob('*.jpg')):
            yield cv2.imread(str(f))


def main(path):
    """Prints the figures of one clip."""
    path = Path(path)
    meta = json.loads((path.with_suffix('.json') if path.suffix == '.mp4' else path / 'clip.json').read_text())
    truth = meta['truth']
    for tracking in (True, False):
        m = mp.solutions.face_mesh.FaceMesh(static_image_mode=not tracking, max_num_faces=1, refine_landmarks=True)
        got, want, off, lost = [], [], [], []
        for i, f in enumerate(frames(path)):
            r = m.process(cv2.cvtColor(f, cv2.COLOR_BGR2RGB)).multi_face_landmarks
            if not r:
                lost.append(i)
                continue
            p = np.array([[q.x * f.shape[1], q.y * f.shape[0]] for q in r[0].landmark])
            t = truth[i]
            got.append(np.linalg.norm(p[13] - p[14]))
            want.append(t['lip_opening_px'])
            off.append(np.linalg.norm((p[13] + p[14]) / 2 - (np.array(t['upper_lip']) + t['lower_lip']) / 2))
        got, want = np.array(got), np.array(want)
        k = np.polyfit(want, got, 1)
        print(f"{'tracking' if tracking else 'every frame alone'}: found in {len(got)} of {len(truth)} frames"
              f"{f' lost {lost}' if lost else ''}; opening correlation {np.corrcoef(got, want)[0, 1]:.3f}, "
              f"tracked = {k[0]:.2f} true {k[1]:+.1f} px; "
              f"mouth centre off by {np.median(off):.1f} px (median), {max(off):.1f} (worst)")


if __name__ == '__main__':
    for a in sys.argv[1:]:
        print(a)
        main(a)
