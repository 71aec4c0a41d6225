"""Writes where on the face maps lie, computed in float64 with NumPy alone: regions.json.

    python tests/reference/measures/regions.py tests/goldens/measures/regions.json

Similarities are Umeyama's by a singular value decomposition, polygons are filled one pixel at a time, and the regions
of landmarks are stated again from their description in `FACE_REGIONS` and `FIVE_REGIONS`. Labels are packed as
[label, count] runs, row by row.
"""

import json
import sys

import numpy as np

MEAN_SIZE = (112, 112)
MEAN = np.array([[0.32, 0.38], [0.68, 0.38], [0.5, 0.74]])
FACE = ["background", "eyes", "mouth", "nose", "brow", "nasolabial", "chin", "cheeks", "forehead", "face"]
FIVE = ["background", "eyes", "mouth", "nose", "face"]


def umeyama(source, target):
    """Umeyama 1991, equations 40 to 42, with the determinant held at 1."""
    a, b = source.mean(0), target.mean(0)
    p, q = source - a, target - b
    u, d, vt = np.linalg.svd(q.T @ p / len(p))
    s = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ s @ vt
    scale = np.trace(np.diag(d) @ s) / (p ** 2).sum(1).mean()
    return scale, rotation, b - scale * rotation @ a


def warp(image, scale, rotation, shift, size):
    """Bilinear; outside of the outermost centres of pixels 0 and not valid."""
    height, width = image.shape
    y, x = np.mgrid[:size[0], :size[1]].astype(float)
    place = (np.stack([x.ravel(), y.ravel()], 1) - shift) / scale @ rotation
    x, y = place.T
    valid = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    x, y = np.where(valid, x, 0), np.where(valid, y, 0)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    dx, dy = x - left, y - top
    value = (image[top, left] * (1 - dx) * (1 - dy) + image[top, right] * dx * (1 - dy)
             + image[bottom, left] * (1 - dx) * dy + image[bottom, right] * dx * dy)
    return np.where(valid, value, 0).reshape(size), valid.reshape(size)


def inside(corners, x, y):
    """The even-odd rule: crossings of the line from the place to the right."""
    odd = False
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, 0)):
        if (ay > y) != (by > y) and (bx - ax) * (y - ay) / (by - ay) + ax > x:
            odd = not odd
    return odd


def filled(corners, size):
    corners = np.asarray(corners, float)
    return np.array([[inside(corners, x, y) for x in range(size[1])] for y in range(size[0])])


def ellipse(centre, right, half, size):
    y, x = np.mgrid[:size[0], :size[1]].astype(float)
    x, y = x - centre[0], y - centre[1]
    along = (x * right[0] + y * right[1]) / half[0]
    across = (y * right[0] - x * right[1]) / half[1]
    return along ** 2 + across ** 2 <= 1


def hull(points):
    """Gift wrapping."""
    points = np.unique(np.asarray(points, float), axis=0)
    chain = [points[0]]
    while True:
        here, best = chain[-1], None
        for point in points:
            if (point == here).all():
                continue
            if best is None:
                best = point
                continue
            (ax, ay), (bx, by) = best - here, point - here
            cross = ax * by - ay * bx
            if cross < 0 or (cross == 0 and bx ** 2 + by ** 2 > ax ** 2 + ay ** 2):
                best = point
        if (best == chain[0]).all():
            return np.array(chain)
        chain.append(best)


def axes(left, right, mouth):
    along = (right - left) / np.linalg.norm(right - left)
    down = np.array([-along[1], along[0]])
    down *= 1 if down @ (mouth - (left + right) / 2) >= 0 else -1
    return along, down, np.linalg.norm(right - left)


def dilated(points, radius, along, down):
    angles = np.arange(8) * np.pi / 4
    octagon = radius * (np.outer(np.cos(angles), along) + np.outer(np.sin(angles), down))
    return hull((np.asarray(points)[:, None] + octagon).reshape(-1, 2))


def regions_68(points, size):
    eyes = [points[36:42], points[42:48]]
    centres = [eye.mean(0) for eye in eyes]
    mouth = points[48:60]
    along, down, distance = axes(*centres, mouth.mean(0))
    brows = points[17:27]
    masks = [(1, filled(dilated(eye, 0.08 * distance, along, down), size)) for eye in eyes]
    masks += [(2, filled(mouth, size)), (3, filled(points[[27, 31, 32, 33, 34, 35]], size))]
    masks += [(4, filled(dilated(brows, 0.12 * distance, along, down), size))]
    for wing, corner, side in [(31, 48, -1), (35, 54, 1)]:
        out = side * 0.2 * distance * along
        band = [points[wing], points[wing] + out, points[corner] + out, points[corner]]
        masks.append((5, filled(band, size)))
    masks.append((6, filled(points[[5, 6, 7, 8, 9, 10, 11, 54, 55, 56, 57, 58, 59, 48]], size)))
    masks.append((7, filled(points[[0, 1, 2, 3, 4, 5, 48, 31, 39, 36]], size)))
    masks.append((7, filled(points[[16, 15, 14, 13, 12, 11, 54, 35, 42, 45]], size)))
    height = 2.5 * ((centres[0] + centres[1]) / 2 - brows.mean(0)) @ down
    ends = sorted([points[0] @ along, points[16] @ along])
    clipped = brows + np.outer(np.clip(brows @ along, *ends) - brows @ along, along)
    forehead = np.concatenate([clipped, clipped[::-1] - height * down])
    masks += [(8, filled(forehead, size)), (9, filled(hull(np.concatenate([points, forehead])), size))]
    return first(masks, size)


def regions_5(points, size):
    left, right, nose, *corners = points
    mouth = (corners[0] + corners[1]) / 2
    along, down, distance = axes(left, right, mouth)
    one = lambda centre, a, b: ellipse(centre, along, (a * distance, b * distance), size)
    middle = ((left + right) / 2 + mouth) / 2
    masks = [(1, one(left, 0.3, 0.18)), (1, one(right, 0.3, 0.18)), (2, one(mouth, 0.45, 0.28)),
             (3, one(nose - 0.15 * distance * down, 0.25, 0.4)), (4, one(middle, 1.1, 1.35))]
    return first(masks, size)


def first(masks, size):
    labels = np.zeros(size, int)
    for label, mask in reversed(masks):
        labels[mask] = label
    return labels


def face_68(rng):
    """A face of 68 points around the origin, its eyes 2 apart."""
    arc = lambda x, y, a, b, angles: [[x + a * np.cos(t), y + b * np.sin(t)] for t in np.radians(angles)]
    outline = arc(0, 0, 2.2, 3, np.linspace(185, -5, 17))
    brows = arc(-1, -0.5, 0.7, 0.3, np.linspace(190, 350, 5)) + arc(1, -0.5, 0.7, 0.3, np.linspace(190, 350, 5))
    nose = [[0, y] for y in (0, 0.3, 0.6, 0.9)] + [[x, 1.15 + 0.05 * (x == 0)] for x in (-.4, -.2, 0, .2, .4)]
    eyes = [[x + s * a, b] for s, x in ((1, -1), (1, 1)) for a, b in
            ((-.4, 0), (-.15, -.15), (.15, -.15), (.4, 0), (.15, .12), (-.15, .12))]
    mouth = arc(0, 1.9, 0.75, 0.35, np.linspace(180, 510, 12)) + arc(0, 1.9, 0.55, 0.12, np.linspace(180, 495, 8))
    points = np.array(outline + brows + nose + eyes + mouth)
    return points + rng.normal(0, 0.03, points.shape)


def placed(points, scale, degrees, centre):
    t = np.radians(degrees)
    return scale * points @ np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]) + centre


def runs(labels):
    packed = []
    for label in labels.ravel().tolist():
        if packed and packed[-1][0] == label:
            packed[-1][1] += 1
        else:
            packed.append([label, 1])
    return packed


def shares(values, labels, names):
    values = values.astype(float)
    mass = [float(values[labels == i].sum() / values.sum()) for i in range(len(names))]
    area = [float((labels == i).mean()) for i in range(len(names))]
    return [[name, m, a, m / a if a else None] for name, m, a in zip(names, mass, area)]


def main(path):
    rng = np.random.default_rng(11)
    cases = {"polygons": [], "faces": [], "similarities": [], "warps": []}
    for corners, size in ((3, (9, 12)), (5, (20, 15)), (9, (24, 24)), (40, (30, 31))):
        polygon = rng.uniform(-3, 33, (corners, 2)).round(3 if corners > 5 else 0)
        cases["polygons"].append({"corners": polygon.tolist(), "size": size, "mask": runs(filled(polygon, size) * 1)})
    for scale, degrees, size in ((12, 0, (96, 80)), (10, 25, (90, 100)), (9, -100, (80, 96)), (30, 5, (60, 64))):
        points = placed(face_68(rng), scale, degrees, (size[1] / 2 + 0.3, size[0] / 2 - 2.2))
        five = np.array([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
        values, signed = drawn(size, False), drawn(size, True)
        for name, points, labels, names in (("ibug68", points, regions_68(points, size), FACE),
                                            ("five", five, regions_5(five, size), FIVE)):
            cases["faces"].append({
                "scheme": name, "points": points.tolist(), "size": size, "labels": runs(labels),
                "shares": shares(np.maximum(values, 0), labels, names),
                "signed": shares(np.abs(signed), labels, names),
                "peak": names[int(labels.ravel()[np.argmax(np.abs(signed))])],
            })
    for _ in range(5):
        source, target = rng.uniform(0, 200, (2, 3, 2))
        scale, rotation, shift = umeyama(source, target)
        angle = np.arctan2(rotation[1, 0], rotation[0, 0])
        cases["similarities"].append({"from": source.tolist(), "to": target.tolist(), "scale": float(scale),
                                      "rotation": float(angle), "shift": shift.tolist()})
    for size, target, degrees, scale in (((20, 24), (16, 14), 20, 7), ((15, 12), (20, 20), -70, 5)):
        source = placed(np.array([[-1, 0], [1, 0], [0, 2.1]]), scale, degrees, (size[1] / 2, size[0] / 3))
        to = MEAN * [target[1], target[0]] - 0.5
        values, valid = warp(drawn(size, True).astype(float), *umeyama(source, to), target)
        cases["warps"].append({"eyes_and_mouth": source.tolist(), "size": size, "target": target,
                               "values": np.round(values, 9).ravel().tolist(), "valid": runs(valid * 1)})
    with open(path, "w") as file:
        json.dump(cases, file, separators=(",", ":"))
        file.write("\n")


def drawn(size, signed):
    """Values that the test computes as well: multiples of 1/64, from 0 to below 4 or, signed, from -2 to below 2."""
    place = np.arange(size[0] * size[1], dtype=np.int64)
    values = (place * 7919 + place * place * 31) % 256
    return ((values - 128 * signed) / 64).astype(np.float32).reshape(size)


if __name__ == "__main__":
    main(sys.argv[1])
