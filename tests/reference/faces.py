"""Newborn-like faces drawn from numbers, with the regions that carry the evidence of pain.

A face is a subject (who), an expression (what the face does) and a picture (how it was taken).
Every pixel depends on its own position alone, so drawing only the pixels that nearest-neighbour
resizing keeps gives the same result as drawing the whole picture and resizing it (`reduced`).

Pain is told, as in neonatal pain scales, by a bulging lowered brow, eyes squeezed shut and a deep
nasolabial furrow. The mouth says little: babies in pain cry or press their lips, and babies at
rest sleep, yawn or cry too.

    python faces.py [SEED]       a contact sheet of 32 faces, faces.png
"""

import sys
from dataclasses import dataclass

import numpy as np
from PIL import Image

# Grey values of the regions in a mask; 0 is everywhere else.
BROW, EYES, FURROW, MOUTH = 64, 128, 192, 255
REGIONS = {"brow": BROW, "eyes": EYES, "furrow": FURROW, "mouth": MOUTH}

SKIN = np.array([[247, 209, 190], [240, 193, 168], [226, 172, 140], [203, 145, 110],
                 [168, 112, 82], [128, 82, 60]], np.float32)
PASTEL = np.array([[178, 205, 226], [236, 226, 205], [193, 219, 196], [231, 200, 208],
                   [208, 199, 228], [244, 240, 234], [160, 190, 190], [238, 214, 170],
                   [122, 146, 172], [150, 160, 150]], np.float32)
MOUTHS = ("closed", "pressed", "wide", "tall")


@dataclass
class Subject:
    """What stays the same in all pictures of one baby."""

    skin: np.ndarray
    hair: np.ndarray
    hair_amount: float
    width: float
    cheeks: float
    eye_gap: float
    eye_height: float
    eye_size: float
    nose: float
    mouth_height: float
    brow_dark: float
    wears_cap: float


@dataclass
class Expression:
    """What the face does; `brow`, `eyes` and `furrow` run from 0 (relaxed) to 1 (strongest)."""

    pain: bool
    brow: float
    eyes: float
    furrow: float
    eye_open: float
    mouth: str
    mouth_size: float
    flush: float


@dataclass
class Picture:
    """How the picture was taken: frame, pose, light, surroundings."""

    width: int
    height: int
    x: float
    y: float
    scale: float
    tilt: float
    turn: float
    light: np.ndarray
    ambient: float
    brightness: float
    warmth: float
    grain: float
    cap: bool
    seed: int


def random_subject(rng):
    """A baby."""
    tone = rng.uniform(0, len(SKIN) - 1)
    i = min(int(tone), len(SKIN) - 2)
    skin = SKIN[i] + (SKIN[i + 1] - SKIN[i]) * np.float32(tone - i)
    hair = np.array([[50, 34, 26], [92, 62, 40], [150, 112, 72]], np.float32)
    return Subject(
        skin=skin + rng.normal(0, 4, 3).astype(np.float32),
        hair=hair[rng.integers(3) if tone < 3 else 0], hair_amount=rng.uniform(0.1, 0.9),
        width=rng.uniform(0.655, 0.735), cheeks=rng.uniform(0.05, 0.12),
        eye_gap=rng.uniform(0.26, 0.30), eye_height=rng.uniform(0.04, 0.10),
        eye_size=rng.uniform(0.125, 0.145), nose=rng.uniform(0.75, 1.05),
        mouth_height=rng.uniform(0.47, 0.51), brow_dark=rng.uniform(0.35, 0.75),
        wears_cap=rng.uniform(0.1, 0.9))


def random_expression(rng, pain):
    """A face in pain or at rest. Each of the three signs varies by itself; the mouth hardly tells."""
    level = (lambda: rng.uniform(0.55, 1.0)) if pain else (lambda: rng.uniform(0.0, 0.18))
    shares = (0.05, 0.38, 0.45, 0.12) if pain else (0.40, 0.12, 0.20, 0.28)
    mouth = MOUTHS[rng.choice(4, p=shares)]
    opened = mouth in ("wide", "tall")
    drowsy = rng.random() < (0.75 if opened else 0.5)
    return Expression(
        pain=pain, brow=level(), eyes=level(), furrow=level(),
        eye_open=0.0 if pain or drowsy else rng.uniform(0.6, 1.0),
        mouth=mouth, mouth_size=rng.uniform(0.75, 1.15),
        flush=rng.uniform(0.3, 1.0) if pain or opened else rng.uniform(0.1, 0.8))


def random_picture(rng, subject):
    """A frame around the face, 160 to 320 pixels a side."""
    width = int(rng.integers(160, 289))
    height = int(np.clip(width * rng.uniform(0.9, 1.12), 160, 320))
    side = rng.uniform(-0.75, 0.75)
    light = np.array([side, rng.uniform(-0.85, -0.25), rng.uniform(0.75, 1.1)])
    return Picture(
        width=width, height=height, x=rng.uniform(-0.16, 0.16), y=rng.uniform(-0.13, 0.10),
        scale=rng.uniform(0.86, 1.18), tilt=rng.normal(0, 0.17), turn=rng.uniform(-0.06, 0.06),
        light=(light / np.linalg.norm(light)).astype(np.float32),
        ambient=rng.uniform(0.44, 0.62), brightness=rng.uniform(0.80, 1.03),
        warmth=rng.uniform(-0.05, 0.05),
        grain=rng.choice([0.0, 0.0, 0.0, rng.uniform(0.5, 3.0)]),
        cap=rng.random() < subject.wears_cap, seed=int(rng.integers(1 << 30)))


# ------------------------------------------------------------------------------- small shapes
def blob(u, v, x, y, rx, ry):
    """A soft hill of height 1."""
    return np.exp(-(((u - x) / rx) ** 2 + ((v - y) / ry) ** 2))


def inside(d, edge):
    """1 where the distance `d` is below 0, 0 where it is above, soft over `edge`."""
    t = np.clip(0.5 - d / edge, 0, 1)
    return t * t * (3 - 2 * t)


def arc(u, v, x, y, half, thick, bend=0.0, slope=0.0):
    """A soft line around (x, y): `bend` > 0 hangs down in the middle, `slope` leans it."""
    t = (u - x) / half
    line = y + bend * (1 - t * t) + slope * t
    return np.exp(-((v - line) / thick) ** 2) * inside(np.abs(t) - 1, 0.5)


def upright(u, v, y0, y1, x_of, thick):
    """A soft line running down from y0 to y1 at u = x_of(t), t from 0 to 1."""
    t = (v - y0) / (y1 - y0)
    return np.exp(-((u - x_of(np.clip(t, -0.2, 1.2))) / thick) ** 2) * inside(np.abs(t - 0.5) - 0.5, 0.4)


def bumps(u, v, rng, count, spread):
    """Smooth random texture in -1..1."""
    total = 0
    for _ in range(count):
        k = rng.normal(0, spread, 2)
        total = total + np.sin(k[0] * u + k[1] * v + rng.uniform(0, 6.3)) / count
    return total


def pixel_noise(columns, rows, seed):
    """Noise in -1..1 that depends on the pixel's place only."""
    n = columns[None, :].astype(np.uint32) * np.uint32(374761393) + rows[:, None].astype(np.uint32) * np.uint32(668265263)
    n = (n ^ np.uint32(seed)) * np.uint32(2246822519)
    n = (n ^ (n >> np.uint32(13))) * np.uint32(3266489917)
    return ((n >> np.uint32(16)) & np.uint32(255)).astype(np.float32) / 127.5 - 1


# ------------------------------------------------------------------------------- the face
class Face:
    """One face in its own coordinates: centre (0, 0), the head about 0.7 wide and 0.85 high."""

    def __init__(self, subject, expression):
        self.s, self.e = subject, expression
        s, e = subject, expression
        self.eye_y = s.eye_height
        self.brow_y = self.eye_y - 0.185 + 0.075 * e.brow
        self.nose_y = self.eye_y + 0.17
        self.mouth_y = s.mouth_height + 0.3 * (s.eye_height - 0.07)
        size = e.mouth_size
        self.mouth_w, self.mouth_h = {
            "closed": (0.115 * size, 0.0), "pressed": (0.155 * size, 0.0),
            "wide": (0.185 * size, 0.115 * size), "tall": (0.115 * size, 0.165 * size)}[e.mouth]
        if e.mouth == "tall":
            self.mouth_y += 0.03
        self.chin = 0.78 + 0.45 * self.mouth_h

    def outline(self, u, v):
        """1 on the edge of the head, less inside: a round skull, full cheeks, a small chin."""
        s = self.s
        half = s.width * (1 + s.cheeks * blob(0 * v, v, 0, 0.30, 1, 0.28) - 0.06 * inside(0.62 - v, 0.3))
        tall = np.where(v < 0, 0.84, self.chin)
        return ((np.abs(u) / half) ** 2.15 + (np.abs(v) / tall) ** 2.15) ** (1 / 2.15)

    def furrow_x(self, side):
        """The nasolabial furrow: from the wing of the nose around the corner of the mouth."""
        end = max(self.mouth_w + 0.07, 0.22)
        return lambda t: side * (0.125 + (end - 0.105) * t - 0.02 * t * t)

    def furrow_line(self, u, v, side, thick):
        return upright(u, v, self.nose_y - 0.01, self.mouth_y + 0.03, self.furrow_x(side), thick)

    def height(self, u, v):
        """Relief of the face, lit by `draw`."""
        s, e = self.s, self.e
        d = np.clip(self.outline(u, v), 0, 1)
        z = 0.62 * np.sqrt(1.03 - d ** 2.2)
        z = z + 0.100 * s.nose * blob(u, v, 0, self.nose_y, 0.085, 0.07)
        z = z + 0.040 * s.nose * blob(u, v, 0, self.nose_y - 0.15, 0.06, 0.14)
        z = z + 0.045 * blob(u, v, 0, self.chin - 0.13, 0.15, 0.08)
        z = z + 0.035 * blob(u, v, 0, self.mouth_y - 0.02, 0.20, 0.10)
        z = z - 0.022 * blob(u, v, 0, self.mouth_y + 0.115 + 0.8 * self.mouth_h, 0.12, 0.03)
        z = z - 0.012 * blob(u, v, 0, self.nose_y + 0.12, 0.025, 0.05)
        z = z + 0.030 * e.brow * blob(u, v, 0, self.brow_y - 0.03, 0.07, 0.07)
        for side in (-1, 1):
            x = side * s.eye_gap
            z = z + 0.038 * s.nose * blob(u, v, side * 0.075, self.nose_y + 0.02, 0.04, 0.035)
            z = z + 0.060 * (1 + 0.6 * e.furrow) * blob(u, v, side * 0.36, self.nose_y + 0.12 - 0.04 * e.furrow, 0.17, 0.15)
            z = z - 0.045 * blob(u, v, x * 0.93, self.eye_y - 0.02, 0.17, 0.10)
            z = z + 0.045 * blob(u, v, x, self.eye_y + 0.01, 0.12, 0.065)
            # the brow bulges and its inner end comes down
            z = z + 0.050 * e.brow * blob(u, v, side * 0.17, self.brow_y - 0.05, 0.13, 0.055)
            z = z - 0.024 * e.brow * upright(u, v, self.brow_y - 0.10, self.brow_y + 0.09,
                                             lambda t: side * (0.05 - 0.015 * t), 0.017)
            z = z - 0.014 * e.brow * arc(u, v, side * 0.18, self.brow_y - 0.125, 0.15, 0.018, 0.0, side * -0.02)
            # lids squeezed together
            z = z + 0.030 * e.eyes * blob(u, v, x, self.eye_y - 0.045, 0.12, 0.035)
            z = z + 0.030 * e.eyes * blob(u, v, x, self.eye_y + 0.075, 0.12, 0.035)
            z = z - 0.034 * e.eyes * arc(u, v, x, self.eye_y + 0.02, s.eye_size * 0.95, 0.022, 0.0, side * 0.012)
            z = z - 0.042 * e.furrow * self.furrow_line(u, v, side, 0.026)
            if e.mouth == "pressed":
                z = z - 0.022 * blob(u, v, side * (self.mouth_w + 0.02), self.mouth_y, 0.03, 0.045)
        if e.mouth in ("closed", "pressed"):
            thin = 1.0 if e.mouth == "closed" else 0.45
            z = z + 0.030 * thin * blob(u, v, 0, self.mouth_y + 0.035 * thin, 0.09, 0.025)
            z = z + 0.022 * thin * (blob(u, v, -0.04, self.mouth_y - 0.028, 0.05, 0.022)
                                    + blob(u, v, 0.04, self.mouth_y - 0.028, 0.05, 0.022))
        return z

    def paint(self, u, v, rng):
        """Colours of the face before light, with lines, eyes and mouth."""
        s, e = self.s, self.e
        colour = np.broadcast_to(s.skin, u.shape + (3,)).copy()
        red = s.skin * np.array([1.02, 0.66, 0.64], np.float32)
        deep = s.skin * np.array([0.50, 0.34, 0.32], np.float32)

        def put(amount, c):
            nonlocal colour
            colour += np.clip(amount, 0, 1)[..., None] * (np.asarray(c, np.float32) - colour)

        put(0.10 + 0.10 * bumps(u, v, rng, 6, 7.0), red)
        put(0.16 * e.flush + 0 * u, red)
        for side in (-1, 1):
            put((0.18 + 0.35 * e.flush) * blob(u, v, side * 0.38, self.nose_y + 0.13, 0.18, 0.15), red)
        put((0.2 + 0.2 * e.flush) * blob(u, v, 0, self.nose_y + 0.01, 0.09, 0.07), red)
        put(s.hair_amount * inside(v + 0.50 - 0.10 * np.cos(2.2 * u) - 0.02 * np.sin(17 * u + 5 * v), 0.45), s.hair)
        for side in (-1, 1):
            put(0.55 * blob(u, v, side * 0.052, self.nose_y + 0.055, 0.026, 0.015), deep)      # nostrils
            self.paint_eye(u, v, side, put, deep, red)
            brow = arc(u, v, side * (s.eye_gap - 0.035 * e.brow), self.brow_y, 0.155, 0.024,
                       -0.040 * (1 - e.brow), side * (0.012 - 0.062 * e.brow))
            put(s.brow_dark * brow * (0.8 + 0.2 * e.brow), s.hair * 0.9)
            for x, lean in ((0.045, -0.012), (0.015, 0.0)):                                    # frown lines
                put(0.55 * e.brow * upright(u, v, self.brow_y - 0.08, self.brow_y + 0.075,
                                            lambda t: side * (x + lean * t), 0.010), deep)
            put(0.30 * e.brow * arc(u, v, side * 0.17, self.brow_y - 0.125, 0.13, 0.012, 0, side * -0.02), deep)
            put(0.50 * e.furrow * self.furrow_line(u, v, side, 0.017), deep)
        self.paint_mouth(u, v, put, deep)
        return colour

    def paint_eye(self, u, v, side, put, deep, red):
        s, e = self.s, self.e
        x, y, half = side * s.eye_gap, self.eye_y + 0.015, s.eye_size
        put(0.20 * blob(u, v, x, y, half * 1.2, 0.07), red)
        if e.eye_open > 0:
            t = np.clip((u - x) / half, -1, 1)
            opening = 0.070 * e.eye_open * (1 - t * t)
            eye = inside(np.abs(v - y) - opening, 0.018) * inside(np.abs(u - x) - half, 0.03)
            put(eye, [232, 226, 222])
            r = np.hypot(u - x + 0.01 * side, v - y + 0.004)
            put(eye * inside(r - 0.064, 0.018), [74, 72, 80])
            put(eye * inside(r - 0.032, 0.015), [22, 20, 24])
            put(eye * inside(np.hypot(u - x + 0.02, v - y + 0.022) - 0.013, 0.012), [255, 255, 255])
            put(0.75 * arc(u, v, x, y, half, 0.013, -0.070 * e.eye_open), deep)
            put(0.25 * arc(u, v, x, y, half, 0.012, 0.070 * e.eye_open), deep)
            put(0.28 * arc(u, v, x, y - 0.045, half, 0.013, -0.06), deep)
            return
        squeeze = e.eyes
        hang = 0.040 * (1 - squeeze) - 0.006 * squeeze
        put(0.80 * arc(u, v, x, y, half * (1 - 0.06 * squeeze), 0.012 + 0.007 * squeeze, hang, side * 0.012), deep)
        if squeeze < 0.4:                                                          # lashes, and a smooth lid
            for k in (-0.6, 0.0, 0.6):
                cx = x + k * half
                cy = y + hang * (1 - k * k)
                put(0.45 * upright(u, v, cy, cy + 0.035, lambda t: cx + 0.35 * k * 0.05 * t, 0.008), deep)
            put(0.22 * arc(u, v, x, y - 0.045, half * 0.9, 0.012, -0.035), deep)
            return
        for lift, dark in ((-0.055, 0.45), (0.052, 0.45), (0.09, 0.28)):          # folds above and below
            put(dark * squeeze * arc(u, v, x, y + lift, half * 0.9, 0.012, 0.25 * -lift, 0.0), deep)
        corner = x + side * half * 1.22
        for slope in (-0.042, 0.0, 0.042):                                         # wrinkles at the corner
            put(0.45 * squeeze * arc(u, v, corner, y + slope, 0.055, 0.010, 0, side * slope * 0.8), deep)

    def paint_mouth(self, u, v, put, deep):
        s, e = self.s, self.e
        y, w, h = self.mouth_y, self.mouth_w, self.mouth_h
        lips = s.skin * np.array([0.86, 0.56, 0.56], np.float32)
        if h == 0:
            full = 1.0 if e.mouth == "closed" else 0.5
            t = np.clip(u / w, -1, 1)
            bow = 0.010 * np.cos(t * 9.0) * (1 - t * t)
            upper = inside(np.abs(v - (y - 0.020 * full)) - 0.028 * full * (1 - t * t) - bow * full, 0.02)
            lower = inside(np.abs(v - (y + 0.026 * full)) - 0.032 * full * (1 - t * t), 0.02)
            span = inside(np.abs(u) - w, 0.05)
            put(0.75 * np.maximum(upper, lower) * span, lips)
            bend = 0.010 if e.mouth == "closed" else -0.018
            put(0.80 * arc(u, v, 0, y, w * 1.04, 0.011, bend), deep)
            return
        p = 3.0 if e.mouth == "wide" else 2.1
        width = w * (1 - 0.12 * np.clip((v - y) / h, -1, 1) * (1 if e.mouth == "wide" else 0))
        d = (np.abs(u / width) ** p + np.abs((v - y) / h) ** p) ** (1 / p)
        put(0.85 * inside(d - 1 - 0.024 / h, 0.025 / h), lips)
        put(inside(d - 1, 0.10), [98, 26, 30])
        put(inside(d - 0.92, 0.25) * inside(y - 0.25 * h - v, 0.9 * h) * 0.35, [60, 8, 14])
        put(0.9 * inside(np.hypot(u / (0.66 * w), (v - y - 0.62 * h) / (0.50 * h)) - 1, 0.3) * inside(d - 0.95, 0.1),
            [196, 96, 100])
        put(0.55 * inside(d - 0.97, 0.1) * inside(v - (y - 0.74 * h), 0.10 * h), [214, 130, 130])

    def mask(self, u, v):
        """The regions in which the two classes differ, as grey values."""
        s, e = self.s, self.e
        out = np.zeros(u.shape, np.uint8)
        for side in (-1, 1):
            band = np.abs(u - self.furrow_x(side)(np.clip((v - self.nose_y) / (self.mouth_y - self.nose_y + 0.07), 0, 1)))
            out[(band < 0.055) & (v > self.nose_y - 0.03) & (v < self.mouth_y + 0.07)] = FURROW
        span = self.mouth_h + 0.05, self.mouth_w + 0.04
        out[((v - self.mouth_y) / span[0]) ** 2 + (u / span[1]) ** 2 < 1] = MOUTH
        out[(np.abs(v - self.brow_y + 0.02) < 0.085) & (np.abs(u) < s.eye_gap + 0.16)] = BROW
        for side in (-1, 1):
            far = ((u - side * (s.eye_gap + 0.015)) / (s.eye_size + 0.06)) ** 2 + ((v - self.eye_y - 0.02) / 0.10) ** 2
            out[(far < 1) & (v > self.brow_y + 0.05)] = EYES
        return out

    def landmarks(self):
        """iBUG's 68 points, (68, 2): jaw, brows, nose, eyes, outer and inner lips, from left to right in the picture."""
        s, e = self.s, self.e
        points = [self.outline_point(angle) for angle in np.linspace(np.pi, 0, 17)]
        for side in (-1, 1):
            x = side * (s.eye_gap - 0.035 * e.brow)
            points += [(x + 0.155 * t, self.brow_y - 0.040 * (1 - e.brow) * (1 - t * t) + side * (0.012 - 0.062 * e.brow) * t)
                       for t in np.linspace(-1, 1, 5)]
        points += [(0, v) for v in np.linspace(self.eye_y, self.nose_y, 4)]
        points += [(x, self.nose_y + y) for x, y in
                   ((-0.108, 0.045), (-0.056, 0.072), (0, 0.082), (0.056, 0.072), (0.108, 0.045))]
        for side in (-1, 1):
            points += self.eye_points(side)
        return np.array(points + self.lip_points())

    def outline_point(self, angle):
        """Where the skin ends in a direction, seen from between the eyes: 0 is right, a quarter turn down."""
        near, far = 0.0, 2.0
        for _ in range(40):
            middle = (near + far) / 2
            u, v = np.array([middle * np.cos(angle)]), np.array([self.eye_y + middle * np.sin(angle)])
            near, far = (middle, far) if self.outline(u, v)[0] < 0.98 else (near, middle)
        return u[0], v[0]

    def eye_points(self, side):
        """The corners and lids of an eye, as `paint_eye` draws them."""
        s, e = self.s, self.e
        x, y, half = side * s.eye_gap, self.eye_y + 0.015, s.eye_size
        if e.eye_open > 0:
            hang, lean, apart = 0.0, 0.0, 0.070 * e.eye_open
        else:
            half *= 1 - 0.06 * e.eyes
            hang, lean, apart = 0.040 * (1 - e.eyes) - 0.006 * e.eyes, side * 0.012, 0.012 + 0.007 * e.eyes

        def at(t, lid):
            return x + half * t, y + lean * t + (hang + lid * apart) * (1 - t * t)

        return [at(-1, 0), at(-1 / 3, -1), at(1 / 3, -1), at(1, 0), at(1 / 3, 1), at(-1 / 3, 1)]

    def lip_points(self):
        """The outer and the inner edge of the lips, as `paint_mouth` draws them."""
        y, w, h = self.mouth_y, self.mouth_w, self.mouth_h
        if h == 0:
            full, bend = (1.0, 0.010) if self.e.mouth == "closed" else (0.5, -0.018)

            def upper(t):
                return w * t, y - full * (0.020 + (0.028 + 0.010 * np.cos(9 * t)) * (1 - t * t))

            def lower(t):
                return w * t, y + full * (0.026 + 0.032 * (1 - t * t))

            def between(t):
                return w * t, y + bend * (1 - t * t)

            sixths, inner = np.linspace(-2 / 3, 2 / 3, 5), (-0.9, -0.45, 0.0, 0.45, 0.9)
            return ([(-w, y), *map(upper, sixths), (w, y), *map(lower, sixths[::-1])]
                    + [between(t) for t in (*inner, *inner[3:0:-1])])
        p = 3.0 if self.e.mouth == "wide" else 2.1

        def edge(angle, d):
            c, s = -np.cos(angle), -np.sin(angle)
            down = d * np.sign(s) * np.abs(s) ** (2 / p)
            width = w * (1 - 0.12 * np.clip(down, -1, 1) * (self.e.mouth == "wide"))
            return width * d * np.sign(c) * np.abs(c) ** (2 / p), y + h * down

        return ([edge(np.pi / 6 * k, 1 + 0.024 / h) for k in range(12)] + [edge(np.pi / 4 * k, 1) for k in range(8)])


# ------------------------------------------------------------------------------- the picture
def surroundings(x, y, rng):
    """A blanket with a pattern, folds and a few things lying on it."""
    base, other = PASTEL[rng.choice(len(PASTEL), 2, replace=False)]
    angle, pitch = rng.uniform(0, 3.2), rng.uniform(9, 26)
    a = np.cos(angle) * x + np.sin(angle) * y
    b = np.cos(angle) * y - np.sin(angle) * x
    kind = rng.integers(5)
    amount = 0 * x
    if kind == 1:
        amount = inside(np.sin(pitch * a), 0.9)
    elif kind == 2:
        amount = 0.5 * inside(np.sin(pitch * a), 0.9) + 0.5 * inside(np.sin(pitch * b), 0.9)
    elif kind == 3:
        amount = inside(0.75 - np.sin(pitch * a) * np.sin(pitch * b), 0.4)
    elif kind == 4:
        amount = inside(np.sin(pitch * a + 2 * np.sin(3 * b)), 0.9)
    colour = base + (0.75 * amount)[..., None] * (other - base)
    for _ in range(rng.integers(0, 7)):                                  # folds, cables, toys, shadows
        px, py = rng.uniform(-1.1, 1.1, 2)
        if rng.random() < 0.6:
            turn = rng.uniform(0, 3.2)
            p = np.cos(turn) * (x - px) + np.sin(turn) * (y - py)
            q = np.cos(turn) * (y - py) - np.sin(turn) * (x - px)
            thing = arc(p, q, 0, 0, rng.uniform(0.1, 0.6), rng.uniform(0.010, 0.04), rng.uniform(-0.1, 0.1))
        else:
            thing = inside(np.hypot((x - px) / rng.uniform(0.05, 0.25), (y - py) / rng.uniform(0.05, 0.25)) - 1, 0.3)
        ink = rng.choice([40, 90, 150], 3) if rng.random() < 0.5 else PASTEL[rng.integers(len(PASTEL))]
        colour += (thing * rng.uniform(0.3, 0.9))[..., None] * (ink - colour)
    return colour * (1 + 0.10 * bumps(x, y, rng, 4, 3.5))[..., None]


def draw(subject, expression, picture, columns=None, rows=None):
    """RGB and mask (both uint8) of the given pixel columns and rows, all of them by default."""
    p, face = picture, Face(subject, expression)
    columns = np.arange(p.width) if columns is None else columns
    rows = np.arange(p.height) if rows is None else rows
    rng = np.random.default_rng(p.seed)
    short = min(p.width, p.height)
    x, y = np.meshgrid(((2 * columns + 1 - p.width) / short).astype(np.float32),
                       ((2 * rows + 1 - p.height) / short).astype(np.float32))
    c, s = np.float32(np.cos(p.tilt)), np.float32(np.sin(p.tilt))
    dx, dy = (x - np.float32(p.x)) / np.float32(p.scale), (y - np.float32(p.y)) / np.float32(p.scale)
    u, v = c * dx + s * dy, c * dy - s * dx
    light = np.array([c * p.light[0] + s * p.light[1], c * p.light[1] - s * p.light[0], p.light[2]])

    image = surroundings(x, y, rng)
    swaddle = PASTEL[rng.integers(len(PASTEL))]
    cap = PASTEL[rng.integers(len(PASTEL))]
    rib = rng.choice([0.0, 36.0, 60.0])
    cap_line = rng.uniform(-0.42, -0.34)

    def put(amount, colour):
        nonlocal image
        image = image + amount[..., None] * (colour - image)

    edge = face.outline(u, v)
    put(0.45 * np.exp(-(np.clip(face.outline(u + 0.07 * light[0], v - 0.06), 1, 9) - 1) / 0.10), image * 0.45)
    body = inside(np.hypot(u / 1.05, (v - 1.42) / 0.78) - 1, 0.05)
    fold = 0.90 + 0.10 * np.cos(7 * (u * 0.8 + 0.5 * np.abs(v - 0.8))) * blob(u, v, 0, 1.0, 0.9, 0.5)
    put(body, swaddle * fold[..., None])
    put(body * 0.35 * np.exp(-np.clip(edge - 1, 0, 9) / 0.08), swaddle * 0.4)

    # Faces turn a little: features slide sideways inside the outline.
    uf = u - np.float32(p.turn) * (1 - np.clip(edge, 0, 1) ** 2)
    step = np.float32(0.006)
    z = face.height(uf, v)
    zx, zy = (face.height(uf + step, v) - z) / step, (face.height(uf, v + step) - z) / step
    norm = np.sqrt(1 + zx * zx + zy * zy)
    facing = (-zx * light[0] - zy * light[1] + light[2]) / norm
    lit = p.ambient + (1.12 - p.ambient) * np.clip((facing + 0.30) / 1.30, 0, 1.1)
    shine = 0.10 * np.clip(facing, 0, 1) ** 14
    tint = np.stack([lit ** 0.80, lit ** 1.05, lit ** 1.12], -1)           # shadows in skin are warm

    for side in (-1, 1):
        ear = np.hypot((u - side * subject.width * 1.0) / 0.085, (v - 0.10) / 0.15)
        put(inside(ear - 1, 0.12), subject.skin * (0.80 + 0.12 * side * light[0]) * [1, 0.9, 0.88])
        put(0.5 * inside(ear - 0.55, 0.5), subject.skin * [0.66, 0.5, 0.48])
    head = inside(edge - 0.98, 0.03)
    put(head, face.paint(uf, v, rng) * tint + 255 * shine[..., None])
    if p.cap:
        rim = cap_line - 0.05 * np.cos(2.4 * u)
        wool = inside(edge - 1.06 - 0.05 * blob(u, v, 0, -0.9, 0.5, 0.3), 0.03) * inside(v - rim, 0.025)
        weave = 1 + (0.05 * np.sin(rib * u) if rib else 0.03 * np.cos(30 * v))
        band = 1 - 0.10 * inside(np.abs(v - rim + 0.07) - 0.006, 0.02) + 0.04 * inside(rim - 0.07 - v, 0.02)
        put(0.35 * head * inside(v - rim - 0.03, 0.09), subject.skin * 0.45)
        round_u, round_v = u / 0.88, v / 1.05
        depth = np.sqrt(np.clip(1 - round_u ** 2 - round_v ** 2, 0.02, 1))
        soft = np.clip(p.ambient + 0.10 + 0.50 * (round_u * light[0] + round_v * light[1] + depth * light[2]), 0.4, 1.12)
        put(wool, cap * (soft * weave * band)[..., None])
    image = image * p.brightness * np.array([1 + p.warmth, 1, 1 - p.warmth])
    image = image + p.grain * 2 * pixel_noise(columns, rows, p.seed & 0xFFFF)[..., None]
    mask = face.mask(uf, v) * (edge < 1).astype(np.uint8)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), mask


def landmarks(subject, expression, picture):
    """iBUG's 68 points of the face that `draw` draws, (68, 2): x and y in pixels, 0 in the middle of the first."""
    p, face = picture, Face(subject, expression)
    features, v = face.landmarks().T
    u = features
    for _ in range(50):                                                    # as far as `draw` slides them
        u = features + p.turn * (1 - np.clip(face.outline(u, v), 0, 1) ** 2)
    u[:17] = features[:17]
    c, s, short = np.cos(p.tilt), np.sin(p.tilt), min(p.width, p.height)
    x, y = p.x + p.scale * (c * u - s * v), p.y + p.scale * (s * u + c * v)
    return np.stack([short * x + p.width - 1, short * y + p.height - 1], -1) / 2


def nearest(source, target):
    """The source index that Pillow's NEAREST resize takes for each target index."""
    step = source / target
    return np.floor(np.cumsum(np.concatenate([[step * 0.5], np.full(target - 1, step)]))).astype(int)


def reduced(subject, expression, picture, size=120):
    """`draw` followed by Pillow's NEAREST resize to `size` x `size`, without drawing the rest."""
    return draw(subject, expression, picture, nearest(picture.width, size), nearest(picture.height, size))


def baby(stream, number, shots):
    """The faces of baby `number` of a stream of seeds, in turn in pain and at rest."""
    rng = np.random.default_rng([*stream, number])
    subject = random_subject(rng)
    for shot in range(shots):
        yield subject, random_expression(rng, (shot + number) % 2 == 0), random_picture(rng, subject)


if __name__ == "__main__":
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    shown = [face for number in range(16) for face in baby((seed,), number, 2)]
    tiles = [np.asarray(Image.fromarray(draw(*face)[0]).resize((200, 200))) for face in shown]
    lines = [np.concatenate(tiles[i:i + 8], 1) for i in range(0, 32, 8)]
    Image.fromarray(np.concatenate(lines)).save("faces.png")
