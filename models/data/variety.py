"""Changes that turn a clip's pictures into those of somebody who does not exist: mirrored, stretched, bent, in
other colours and light, through another camera. The painter is trained on few people, and without them it learns their
mouths by heart: 28.5 dB in the mask on the people it was trained on, 26.2 on strangers.

Target and reference of a clip are changed alike, so the reference still shows the wanted mouth."""
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from data import geometry

MIRROR = np.array([-1.0, 1.0, 1.0])
MOUTH_AT = np.array([0.0, 0.2])              # in a crop, [-1, 1]


def about_centre(linear, image):
    """The shift [2] of a linear map about the centre of a square picture."""
    middle = np.full(2, len(image) / 2)
    return middle - linear @ middle


def warped(image, linear, shift):
    """A picture [S, S, C] under an affine map of its pixels, edges at integers; its edge is repeated."""
    shift = shift + linear @ np.full(2, 0.5) - 0.5           # OpenCV has pixel centres at integers
    return cv2.warpAffine(image, np.concatenate([linear, shift[:, None]], 1), image.shape[1::-1],
                          flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def mirror_order(mean):
    """[V]: the vertex [V, 3] that takes the place of each after mirroring. The face model's mesh is symmetric but for
    some per cent."""
    return linear_sum_assignment(np.linalg.norm(mean[:, None] * MIRROR - mean[None], axis=2))[1]


def mirrored_basis(basis, order):
    """[K, K] that gives the coefficients of the mirrored face: basis [K, V, 3], vertices in the order of
    `mirror_order`."""
    flat = lambda x: x.reshape(len(basis), -1).T
    basis = basis.astype(np.float64)
    return np.linalg.lstsq(flat(basis), flat(basis[:, order] * MIRROR), rcond=None)[0].astype(np.float32)


class Mirror:
    """What a mirrored face does to the vertices of the warp and to mouth shapes."""

    def __init__(self, model, mouth):
        """`model`: the face model, whole; `mouth`: the length of a shape."""
        vertices = geometry.warp_vertices(model)
        self.order = mirror_order(model["mean"][vertices])
        self.shapes = mirrored_basis(model["expression"][:mouth][:, vertices], self.order)

    def shape(self, shape):
        """Shapes [.., mouth] of the mirrored face."""
        return shape @ self.shapes.T


class Bend:
    """Another face's proportions: a smooth field that moves the points of a crop, in [-1, 1], a few per cent. It is
    fixed to the crop, so it does not follow a head that turns."""

    WAVES, LONGEST, SIZE = 4, 3.8, 0.018    # radians for each unit of length; deviation of each wave's height

    def __init__(self, random):
        self.waves = random.uniform(-self.LONGEST, self.LONGEST, (self.WAVES, 2))
        self.phases = random.uniform(0, 2 * np.pi, self.WAVES)
        self.heights = random.normal(0, self.SIZE, (self.WAVES, 2))

    def shift(self, points):
        """What is added to points [.., 2]."""
        return np.cos(points @ self.waves.T + self.phases) @ self.heights

    def moved(self, points):
        """Points [.., 2]."""
        return points + self.shift(points)

    def slope(self, point):
        """[2, 2]: what it makes of a small step at a point [2]."""
        waves = -np.sin(self.waves @ point + self.phases)[:, None] * self.heights
        return np.eye(2) + waves.T @ self.waves

    def pulled(self, image):
        """A picture [S, S, C] whose points are moved; its edge is repeated."""
        size = len(image)
        at = (np.arange(size) + 0.5) / (size / 2) - 1
        made = np.stack(np.meshgrid(at, at), -1)
        # The field is so smooth that two steps towards its inverse leave less than a tenth of a pixel.
        source = made - self.shift(made - self.shift(made))
        x, y = ((source + 1) * (size / 2) - 0.5).astype(np.float32).transpose(2, 0, 1)
        return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@dataclass
class Change:
    """One change for all pictures of a clip."""
    linear: np.ndarray                      # [2, 2] about the crop's centre, after `bend`
    mirror: Mirror | None
    colour: np.ndarray                      # [3, 3] of RGB in [0, 1]
    gamma: float
    light: np.ndarray                       # [2] of the logarithm, from one edge of the crop to the other
    blur: float                             # sigma in pixels of a 256 crop; 0: none
    noise: float                            # deviation in [0, 1]
    quality: int                            # of a JPEG; 0: none
    bend: Bend | None = None

    def bent(self, points):
        """Points [C, 2] in [-1, 1] before `linear`."""
        return self.bend.moved(points) if self.bend else points

    def pulled(self, image):
        """A crop [S, S, 3], uint8, before `linear`."""
        return self.bend.pulled(image) if self.bend else image

    def placed(self, points):
        """Points [C, 2] in [-1, 1]."""
        return self.bent(points[self.mirror.order] if self.mirror else points) @ self.linear.T

    def turned(self, turn):
        """What moves points by a vector of the face model [2, 3]."""
        turn = turn * MIRROR if self.mirror else turn
        return self.linear @ (self.bend.slope(MOUTH_AT) @ turn if self.bend else turn)

    def shape(self, shape):
        """Shapes [.., mouth]."""
        return self.mirror.shape(shape) if self.mirror else shape

    def moved(self, image):
        """A crop [S, S, 3], uint8."""
        image, same = self.pulled(image), (self.linear == np.eye(2)).all()
        return image if same else warped(image, self.linear, about_centre(self.linear, image))

    def coloured(self, image, random):
        """A crop [S, S, 3], uint8 -> float32 in [0, 1]. `random` draws the noise alone."""
        size = len(image)
        x = (image.astype(np.float32) / 255) ** self.gamma @ self.colour.T.astype(np.float32)
        ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
        x *= np.exp(self.light[0] * ramp[None, :, None] + self.light[1] * ramp[:, None, None])
        if self.blur:
            x = cv2.GaussianBlur(x, (0, 0), self.blur * size / geometry.IMAGE)
        if self.noise:
            x += random.normal(0, self.noise, x.shape).astype(np.float32)
        x = x.clip(0, 1)
        if self.quality:
            pixels = (x * 255 + 0.5).astype(np.uint8)
            x = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1],
                             cv2.IMREAD_COLOR).astype(np.float32) / 255
        return x


def colours(random):
    """A Change of colours alone, and a small one."""
    gain = np.exp(random.normal(0, 0.08, 3) + random.normal(0, 0.12))
    return Change(np.eye(2), None, np.diag(gain), float(np.exp(random.normal(0, 0.15))), np.zeros(2), 0, 0, 0)


class Variety:
    """Draws changes. `random` is given to each draw, so that a resumed run draws the same."""

    def __init__(self, model, mouth):
        self.mirror = Mirror(model, mouth)

    def draw(self, random):
        """A Change."""
        mirror = random.random() < 0.5
        stretch = np.exp(random.normal(0, 0.05, 2))
        lean = random.normal(0, 0.04)
        linear = np.array([[stretch[0], lean], [0.0, stretch[1]]]) @ np.diag([-1.0 if mirror else 1.0, 1.0])
        grey = np.full((3, 3), 1 / 3)
        saturation = np.exp(random.normal(0, 0.25))
        gain = np.exp(random.normal(0, 0.1, 3) + random.normal(0, 0.18))
        colour = gain[:, None] * (grey + saturation * (np.eye(3) - grey))
        some = lambda share, value: value if random.random() < share else 0
        return Change(linear, self.mirror if mirror else None, colour, float(np.exp(random.normal(0, 0.22))),
                      random.normal(0, 0.2, 2), some(0.25, random.uniform(0.4, 1.2)),
                      some(0.25, random.uniform(0.004, 0.02)), int(some(0.25, random.integers(40, 95))),
                      Bend(random))
