"""Things in front of a face, made up: hands with skin of other faces, microphones, cups and other objects.

Each is a shape of which the distance to its outline is known, a texture and a shading. A shadow falls on the face, but
does not count as occluded."""
import cv2
import numpy as np


class Canvas:
    """Distances (in pixels, negative inside) and heights of shapes on a picture of `size` pixels."""

    def __init__(self, size):
        self.size = size
        axis = np.arange(size, dtype=np.float32) + 0.5
        self.x, self.y = np.meshgrid(axis, axis)
        self.distance = np.full((size, size), 1e3, np.float32)
        self.height = np.zeros((size, size), np.float32)      # 0 at an outline, 1 in the middle of a part
        self.seam = np.ones((size, size), np.float32)         # dark where one part begins over another

    def add(self, distance, radius):
        """A part of which the distance to its outline is `distance`; it lies over what was drawn."""
        inside = distance < 0
        height = np.sqrt(np.clip(-distance / radius, 0, 1) * (2 - np.clip(-distance / radius, 0, 1)))
        self.seam = np.where(inside, 1, self.seam * (1 - 0.35 * np.exp(-np.clip(distance, 0, None) / (0.15 * radius))))
        self.height = np.where(inside, height, self.height)
        self.distance = np.minimum(self.distance, distance)

    def capsule(self, a, b, radius, end=None):
        """A rod with round ends from a to b, of `radius` at a and `end` at b."""
        end = radius if end is None else end
        along = np.asarray(b, np.float32) - a
        t = ((self.x - a[0]) * along[0] + (self.y - a[1]) * along[1]) / max(1e-3, float(along @ along))
        t = t.clip(0, 1)
        away = np.hypot(self.x - a[0] - t * along[0], self.y - a[1] - t * along[1])
        self.add(away - (radius + (end - radius) * t), max(radius, end))

    def ellipse(self, centre, radii, angle):
        """An ellipse; distances are near enough for a shading."""
        c, s = np.cos(angle), np.sin(angle)
        u, v = self.x - centre[0], self.y - centre[1]
        u, v = (c * u + s * v) / radii[0], (c * v - s * u) / radii[1]
        self.add((np.hypot(u, v) - 1) * min(radii), min(radii))

    def box(self, centre, half, angle, corner):
        """A rectangle with round corners."""
        c, s = np.cos(angle), np.sin(angle)
        u, v = self.x - centre[0], self.y - centre[1]
        u, v = np.abs(c * u + s * v) - half[0] + corner, np.abs(c * v - s * u) - half[1] + corner
        away = np.hypot(np.maximum(u, 0), np.maximum(v, 0)) + np.minimum(np.maximum(u, v), 0) - corner
        self.add(away, min(half))

    def blob(self, random, centre, radius):
        """An outline of random waves."""
        angle = np.arctan2(self.y - centre[1], self.x - centre[0])
        waves = sum(random.normal(0, 0.25 / k) * np.cos(k * angle + random.uniform(0, 6.3)) for k in range(1, 6))
        self.add((np.hypot(self.x - centre[0], self.y - centre[1]) - radius * (1 + waves)).astype(np.float32), radius)


def hand(canvas, random, at, scale):
    """A palm with two to five fingers; `at`: where a finger or the palm touches the face; `scale`: a face's half."""
    angle = random.uniform(0, 6.3)
    out = np.array([np.cos(angle), np.sin(angle)])
    side = np.array([-out[1], out[0]])
    width = scale * random.uniform(0.09, 0.16)
    length = scale * random.uniform(0.45, 0.9)
    palm = np.asarray(at) + out * (length * random.uniform(0.2, 1.3))
    if random.random() < 0.8:
        canvas.capsule(palm + out * 3 * scale, palm + out * width * 2, width * random.uniform(1.5, 2.2))    # the arm
    canvas.ellipse(palm, [width * random.uniform(2, 2.6), width * random.uniform(1.8, 2.4)], angle)
    count, spread = random.integers(2, 6), random.uniform(0.05, 0.5)
    for k in random.permutation(count):
        place = k - (count - 1) / 2
        turn = place * spread * 0.5 + random.normal(0, 0.1)
        way = -out * np.cos(turn) + side * np.sin(turn)
        knuckle = palm + side * place * width * 1.25 - out * width * 1.2
        middle = knuckle + way * length * random.uniform(0.4, 0.6)
        bend = way + side * random.normal(0, 0.35)
        canvas.capsule(knuckle, middle, width * 0.62, width * 0.56)
        canvas.capsule(middle, middle + bend * length * random.uniform(0.2, 0.5), width * 0.56, width * 0.45)


def microphone(canvas, random, at, scale):
    """A rod, often with a thicker head: microphones, pens, spoons, straws."""
    angle, thick = random.uniform(0, 6.3), scale * random.choice([0.03, 0.06, 0.12, 0.2])
    out = np.array([np.cos(angle), np.sin(angle)])
    at = np.asarray(at) + random.normal(0, 0.15 * scale, 2)
    canvas.capsule(at, at + out * 3 * scale, thick * random.uniform(0.5, 1), thick)
    if random.random() < 0.7:
        canvas.ellipse(at, thick * random.uniform(1, 2.2, 2), angle)


def thing(canvas, random, at, scale):
    """A cup, a telephone, a piece of food."""
    at = np.asarray(at) + random.normal(0, 0.3 * scale, 2)
    kind = random.integers(3)
    if kind == 0:
        canvas.box(at, scale * random.uniform(0.15, 0.7, 2), random.uniform(0, 6.3), scale * random.uniform(0.01, 0.12))
    elif kind == 1:
        canvas.ellipse(at, scale * random.uniform(0.1, 0.6, 2), random.uniform(0, 6.3))
    else:
        canvas.blob(random, at, scale * random.uniform(0.12, 0.5))


def skin(random, crop):
    """A texture [S, S, 3]: a patch of a cheek or forehead, enlarged."""
    size = len(crop)
    side = random.integers(size // 10, size // 5)
    x = random.choice([size * 5 // 16, size * 9 // 16]) + random.integers(-size // 20, size // 20)
    y = size * 3 // 8 + random.integers(-size // 16, size // 16)
    patch = crop[y: y + side, x: x + side]
    texture = cv2.resize(patch, (size, size), interpolation=cv2.INTER_CUBIC)
    # Its own light goes, its colour and its grain stay.
    light = cv2.GaussianBlur(texture, (0, 0), size / 6)
    return texture - light + patch.mean((0, 1))


def surface(random, crop):
    """A texture [S, S, 3] of an object: one colour or two in stripes, or a part of another picture."""
    size = len(crop)
    if random.random() < 0.4:
        side = random.integers(size // 4, size)
        x, y = random.integers(0, size - side + 1, 2)
        return cv2.resize(crop[y: y + side, x: x + side], (size, size))[::-1]
    colour = random.uniform(0, 1, 3) if random.random() < 0.5 else np.full(3, random.choice([0.04, 0.1, 0.5, 0.9]))
    texture = np.ones((size, size, 3), np.float32) * colour
    if random.random() < 0.4:
        axis = np.arange(size) * random.uniform(0.05, 1.5)
        wave = (np.sin(axis)[:, None] * (np.sin(axis * random.uniform(0, 1))[None] if random.random() < 0.5 else 1)) > 0
        texture = np.where(np.broadcast_to(wave, (size, size))[..., None], texture, random.uniform(0, 1, 3))
    return texture + random.normal(0, 0.02, texture.shape)


def occlude(random, crop, other, at):
    """(picture [S, S, 3], alpha [S, S] of what lies in front), float32. `crop` and `other`, another person's, in
    [0, 1]; `at` [2]: what is covered, in pixels."""
    size = len(crop)
    canvas, scale = Canvas(size), size / 2
    kind = random.random()
    draw = hand if kind < 0.5 else microphone if kind < 0.72 else thing
    draw(canvas, random, at, scale)
    textured = skin(random, other if random.random() < 0.7 else crop) if draw is hand else surface(random, other)
    alpha = (0.5 - canvas.distance).clip(0, 1)
    soft = random.uniform(0.3, 1.4)
    alpha = cv2.GaussianBlur(alpha, (0, 0), soft)
    if random.random() < 0.25:                                # it moves faster than the face
        length = random.integers(3, 13)
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), random.uniform(0, 180), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        alpha = cv2.filter2D(alpha, -1, kernel / kernel.sum())
    level = random.uniform(0.55, 1.0)
    lit = (level + (random.uniform(0.9, 1.25) - level) * canvas.height) * canvas.seam
    ramp = np.exp(random.normal(0, 0.25) * (canvas.x / size - 0.5) + random.normal(0, 0.25) * (canvas.y / size - 0.5))
    front = (textured * (lit * ramp)[..., None]).clip(0, 1)
    shadow = np.roll(alpha, random.integers(-size // 24, size // 24 + 1, 2), (0, 1))
    shadow = cv2.GaussianBlur(shadow, (0, 0), size * random.uniform(0.005, 0.04))
    behind = crop * (1 - random.uniform(0, 0.5) * shadow[..., None])
    mixed = behind + (front - behind) * alpha[..., None]
    return mixed.astype(np.float32), alpha.astype(np.float32)
