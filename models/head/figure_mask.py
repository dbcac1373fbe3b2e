"""The pose-aware mask drawn step by step, as in the paper's Figure 2, from the rendered head.

    cd models
    python -m head.figure_mask --config config/lite.json --work W/checkpoints \
        --face-model W/checkpoints/face_model.npz --frame head/clip/frames/0030.jpg --out head/mask.png

Needs Pillow in addition to `requirements.txt`. The checkpoints are a bundle's (`resume.py`).
"""
import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from data import geometry
from data.face_model import INSIDE_LIPS, lower_face
from data.pack import CENTRE, SIDE
from tracker import Tracker

PANEL, GAP, CAPTION = 232, 26, 26
INK, OPEN, CLOSED = (60, 60, 60), (214, 82, 42), (38, 150, 84)


def triangles(mean):
    """Delaunay triangles of the mean seen from the front, the mouth's inside left out."""
    low, size = mean[:, :2].min(0) - 0.01, np.ptp(mean[:, :2], axis=0) + 0.02
    at = ((mean[:, :2] - low) / size.max() * 1000).astype(np.float32)
    plane = cv2.Subdiv2D((0, 0, 1001, 1001))
    for x, y in at:
        plane.insert((float(x), float(y)))
    corners = plane.getTriangleList().reshape(-1, 3, 2)
    away = np.linalg.norm(corners[:, :, None] - at, axis=-1)
    found = [tuple(t) for t, d in zip(away.argmin(-1), away.min(-1)) if d.max() < 0.01]
    inside = set(INSIDE_LIPS)
    return [t for t in found if not set(t) <= inside]


class Panel:
    """A square picture, drawn at three times its size; points are in [0, 1]."""

    def __init__(self, picture=None):
        self.size = 3 * PANEL
        self.image = np.full((self.size, self.size, 3), 255, np.uint8) if picture is None \
            else cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_CUBIC)

    def at(self, points):
        """Sixteenths of pixels of points [.., 2] in [0, 1]."""
        return np.round(np.asarray(points) * self.size * 16).astype(np.int32)

    def wires(self, points, faces, colour, width=2):
        """Draws the edges of faces, triples of point numbers."""
        at = self.at(points)
        for face in faces:
            cv2.polylines(self.image, [at[list(face)]], True, colour, width, cv2.LINE_AA, 4)

    def area(self, points, colour, share):
        """Fills a polygon; `share`: its opacity."""
        layer = self.image.copy()
        cv2.fillPoly(layer, [self.at(points)], colour, cv2.LINE_AA, 4)
        self.image = cv2.addWeighted(layer, share, self.image, 1 - share, 0)

    def outline(self, points, colour, width=6):
        """Draws a closed polygon."""
        cv2.polylines(self.image, [self.at(points)], True, colour, width, cv2.LINE_AA, 4)

    def dots(self, points, colour):
        """Draws a dot at each point."""
        for x, y in self.at(points):
            cv2.circle(self.image, (int(x), int(y)), 6 * 16, colour, -1, cv2.LINE_AA, 4)

    def done(self):
        """The picture at its size [PANEL, PANEL, 3]."""
        return cv2.resize(self.image, (PANEL, PANEL), interpolation=cv2.INTER_AREA)


def panels(frame, face, model, options, mouth):
    """[(caption, picture)], in the figure's order."""
    matrix = geometry.crop_to_frame(face.pose, CENTRE, SIDE * 1.25, geometry.IMAGE)
    view = geometry.sample(frame, matrix, geometry.IMAGE)
    seen = lambda mesh: geometry.apply(geometry.invert(matrix), face.pose.project(mesh)) / geometry.IMAGE
    front = lambda mesh: (mesh[:, :2] - np.asarray(CENTRE)[:2]) / (SIDE * 1.25) + 0.5
    wide, shut = geometry.meshes(model, face.identity, face.expression, mouth)
    own = geometry.mesh(model, face.identity, face.expression)
    mesh, ring = triangles(model["mean"]), model["ring"]
    lower = [t for t in mesh if lower_face(model["mean"])[list(t)].min() > 0.02]

    tracked = Panel(view)
    tracked.wires(seen(own), mesh, (255, 255, 255), 2)
    changed = []
    for posed, colour in ((wide, OPEN), (shut, CLOSED)):
        changed.append(Panel())
        changed[-1].wires(seen(posed), mesh, colour)
    neutral, kept = Panel(), Panel()
    for posed, colour in ((shut, CLOSED), (wide, OPEN)):
        neutral.wires(front(posed), mesh, colour, 1)
    for posed, colour in ((wide, OPEN), (shut, CLOSED)):
        kept.area(front(posed)[ring], colour, 0.18)
        kept.wires(front(posed), lower, tuple((255 + 2 * v) // 3 for v in colour), 1)
    for posed, colour in ((wide, OPEN), (shut, CLOSED)):
        kept.outline(front(posed)[ring], colour, 4)
        kept.dots(front(posed)[ring], colour)
    union = Panel(view)
    for posed, colour in ((wide, OPEN), (shut, CLOSED)):
        union.area(seen(posed)[ring], colour, 0.25)
        union.outline(seen(posed)[ring], colour, 5)

    # The mask itself lives in the generator's crop, which is the middle of this view.
    inner = geometry.crop_to_frame(face.pose, CENTRE, SIDE)
    polygons = geometry.masked_regions(model, face.pose, face.identity, face.expression, mouth, inner)
    _, alpha = geometry.pose_aware_mask(polygons, options["grow"], options["feather"], options["inset"])
    to_view = geometry.invert(matrix)[:, :2] @ inner[:, :2]
    shift = geometry.apply(geometry.invert(matrix), inner[:, 2])
    warp = np.concatenate([to_view, (shift + to_view @ [0.5, 0.5] - 0.5)[:, None]], 1)
    alpha = cv2.warpAffine(alpha, warp, (geometry.IMAGE,) * 2)
    mask = np.repeat((alpha[..., None] * 255).astype(np.uint8), 3, 2)
    return [("face", Panel(view)), ("its mesh", tracked), ("mouth open", changed[0]), ("mouth closed", changed[1]),
            ("neutral pose", neutral), ("lower front", kept), ("posed back, joined", union), ("mask", Panel(mask))]


def compose(drawn, columns=4):
    """One picture of [(caption, Panel)], numbered, with arrows from each to the next."""
    rows = -(-len(drawn) // columns)
    width, height = columns * PANEL + (columns + 1) * GAP, rows * (PANEL + CAPTION) + (rows + 1) * GAP // 2
    sheet = np.full((height, width, 3), 255, np.uint8)
    for k, (caption, panel) in enumerate(drawn):
        x, y = GAP + k % columns * (PANEL + GAP), GAP // 2 + k // columns * (PANEL + CAPTION + GAP // 2)
        sheet[y: y + PANEL, x: x + PANEL] = panel.done()
        cv2.rectangle(sheet, (x, y), (x + PANEL - 1, y + PANEL - 1), (200, 200, 200), 1)
        cv2.putText(sheet, f"{k + 1}. {caption}", (x, y + PANEL + 17), cv2.FONT_HERSHEY_SIMPLEX, 0.48, INK, 1,
                    cv2.LINE_AA)
        if k % columns:
            middle = (x - GAP + 4, y + PANEL // 2)
            cv2.arrowedLine(sheet, middle, (x - 4, y + PANEL // 2), INK, 2, cv2.LINE_AA, tipLength=0.4)
    return sheet


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("config", "work", "face-model", "frame", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    model = dict(np.load(arguments.face_model))
    frame = cv2.imread(str(arguments.frame), cv2.IMREAD_COLOR)[..., ::-1]
    faces = Tracker(config, arguments.work).track([frame])[0]
    if not faces:
        raise SystemExit(f"{arguments.frame}: no face found")
    sheet = compose(panels(frame, faces[0], model, config["mask"], config["mouth"]))
    Image.fromarray(sheet).quantize(256, dither=Image.Dither.NONE).save(arguments.out, optimize=True)
    print(f"confidence {faces[0].confidence:.3f}, {arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
