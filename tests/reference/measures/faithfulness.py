"""The faithfulness measures in NumPy and SciPy, float64: `python faithfulness.py OUT.json`.

Each function is the plain statement of a formula. The network is a toy that another language can
compute as well: logit = sum(w * x^2) + b, probability = sigmoid(logit), and its map is
max(sum over channels of 2 * w * x^2, 0).
"""

import json
import math
import sys

import numpy as np
from scipy.ndimage import correlate1d
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

SEED = 77
STEPS = 20
BLACK = np.array([-1.5, -1.25, -1.0])
MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def share(self):
        return (self.next() >> 40) / 2**24

    def normal(self, count):
        numbers = []
        while len(numbers) < count:
            radius = math.sqrt(-2 * math.log(1 - self.share()))
            angle = 2 * math.pi * self.share()
            numbers += [radius * math.cos(angle), radius * math.sin(angle)]
        return np.array(numbers[:count])

    def subset(self, count, end):
        indices = list(range(end))
        for place in range(count):
            other = place + ((self.next() * (end - place)) >> 64)
            indices[place], indices[other] = indices[other], indices[place]
        return indices[:count]


def weights(shape):
    return np.sin(np.arange(np.prod(shape)) * 0.7 + 0.3).reshape(shape) * 0.125


def score(image, scale):
    logit = (weights(image.shape) * image**2).sum() + 0.25
    return logit if scale == "logit" else 1 / (1 + math.exp(-logit))


def explain(image):
    return np.maximum((2 * weights(image.shape) * image**2).sum(0), 0)


def impute(image, removed):
    """A removed pixel is the mean of its neighbours: 1/6 along edges, 1/12 across corners."""
    height, width = removed.shape
    places = np.argwhere(removed)
    index = {tuple(place): i for i, place in enumerate(places)}
    matrix, right = lil_matrix((len(places), len(places))), np.zeros((len(places), len(image)))
    for i, (y, x) in enumerate(places):
        for dy, dx in [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]:
            other = (y + dy, x + dx)
            if not (0 <= other[0] < height and 0 <= other[1] < width):
                continue
            weight = 1 / 12 if dy and dx else 1 / 6
            matrix[i, i] += weight
            if other in index:
                matrix[i, index[other]] -= weight
            else:
                right[i] += weight * image[:, other[0], other[1]]
    result = image.copy()
    result[:, removed] = spsolve(matrix.tocsr(), right).reshape(right.shape).T
    return result


def remove(image, removed, baseline):
    mean = np.broadcast_to(image.mean((1, 2), keepdims=True), image.shape)
    if baseline == "noisy-linear":
        if not removed.any():
            return image
        filled = mean.copy() if removed.all() else impute(image, removed)
        noise = SplitMix64(SEED).normal(image.size).reshape(image.shape)
        return np.where(removed, filled + 0.01 * noise, image)
    if baseline == "mean":
        other = mean
    elif baseline == "zero":
        other = np.zeros_like(image)
    elif baseline == "black":
        other = np.broadcast_to(BLACK[:, None, None], image.shape)
    elif baseline == "blur":
        deviation = max(1, math.ceil(image.shape[1] / 20))
        kernel = np.exp(-0.5 * (np.arange(-3 * deviation, 3 * deviation + 1) / deviation) ** 2)
        other, share = image, np.ones_like(image)
        for axis in (1, 2):
            other = correlate1d(other, kernel, axis, mode="constant")
            share = correlate1d(share, kernel, axis, mode="constant")
        other = other / share
    return np.where(removed, other, image)


def order(saliency):
    """Places from the largest value to the smallest; equal values row by row."""
    return np.argsort(-saliency.ravel(), kind="stable")


def mask(places, shape):
    chosen = np.zeros(shape[0] * shape[1], bool)
    chosen[places] = True
    return chosen.reshape(shape)


def curve(image, saliency, baseline, scale, insert):
    places, pixels = order(saliency), saliency.size
    counts = [*range(0, pixels, math.ceil(pixels / STEPS)), pixels]
    scores = []
    for count in counts:
        removed = mask(places[count:] if insert else places[:count], saliency.shape)
        scores.append(score(remove(image, removed, baseline), scale))
    return np.trapezoid(scores, np.array(counts) / pixels)


def road(image, saliency, scale):
    places, pixels = order(saliency), saliency.size
    most, least = [], []
    for percent in range(10, 100, 10):
        count = math.floor(pixels * percent / 100 + 0.5)
        for scores, removed in ((most, places[:count]), (least, places[pixels - count :])):
            copy = remove(image, mask(removed, saliency.shape), "noisy-linear")
            scores.append(score(copy, scale))
    most, least = np.mean(most), np.mean(least)
    return {"road": (least - most) / 2, "road-most": most, "road-least": least}


def shown(image, saliency, baseline):
    share = np.maximum(saliency, 0) / saliency.max()
    empty = remove(image, np.ones(saliency.shape, bool), baseline)
    return share * image + (1 - share) * empty


def masked(image, saliency, baseline):
    copy = shown(image, saliency, baseline)
    y, y2 = score(image, "probability"), score(copy, "probability")
    drop = max(y - y2, 0) / y
    coherency = (np.corrcoef(saliency.ravel(), explain(copy).ravel())[0, 1] + 1) / 2
    complexity = (np.maximum(saliency, 0) / saliency.max()).mean()
    terms = [coherency, 1 - complexity, 1 - drop]
    return {
        "average-drop": drop,
        "increase": float(y2 > y),
        "gain": 0.0 if y == 1 else max(y2 - y, 0) / (1 - y),
        "coherency": coherency,
        "complexity": complexity,
        "adcc": 0.0 if 0 in terms else 3 / sum(1 / term for term in terms),
    }


def draws():
    generator = SplitMix64(SEED)
    return [generator.subset(16, 81) for _ in range(100)]


def faithfulness_correlation(image, saliency, baseline, scale):
    height, width = saliency.shape
    y, x = np.indices(saliency.shape)
    cells = (y * 9 // height) * 9 + x * 9 // width
    sums, drops = [], []
    for draw in draws():
        removed = np.isin(cells, draw)
        sums.append(saliency[removed].sum())
        drops.append(score(image, scale) - score(remove(image, removed, baseline), scale))
    return np.corrcoef(sums, drops)[0, 1]


def quantised(values):
    return np.round(np.asarray(values) * 256) / 256


def maps(image):
    _, height, width = image.shape
    y, x = np.indices((height, width))
    smooth = np.exp(-((y - 0.4 * height) ** 2 + (x - 0.6 * width) ** 2) / (0.1 * height * width))
    waves = np.sin(y * 1.3 + 0.5) * np.cos(x * 0.9)
    return {
        "smooth": quantised(smooth + 0.05),
        "zeros": quantised(np.where(smooth > 0.7, smooth, 0)),
        "ties": np.floor(4 * smooth),
        "signed": quantised(waves),
        "own": quantised(explain(image)),
    }


def case(height, width):
    numbers = SplitMix64(height * 100 + width).normal(3 * height * width) * 0.75
    colours = np.array([0.5, 0.25, -0.25])[:, None, None]
    image = quantised(numbers.reshape(3, height, width) + colours)
    values = []
    for name, saliency in maps(image).items():
        for baseline in ("mean", "zero", "black", "blur", "noisy-linear"):
            row = {"map": name, "baseline": baseline}
            for scale in ("probability", "logit"):
                results = {
                    "deletion": curve(image, saliency, baseline, scale, False),
                    "insertion": curve(image, saliency, baseline, scale, True),
                    "faithfulness-correlation": faithfulness_correlation(
                        image, saliency, baseline, scale
                    ),
                }
                if baseline == "noisy-linear":
                    results |= road(image, saliency, scale)
                if scale == "probability":
                    results |= masked(image, saliency, baseline)
                results = {name: float(value) for name, value in results.items()}
                values.append({**row, "scale": scale, "measures": results})
    return {
        "size": [height, width],
        "image": image.ravel().tolist(),
        "maps": {name: saliency.ravel().tolist() for name, saliency in maps(image).items()},
        "values": values,
    }


def main():
    cases = [case(12, 10), case(21, 11)]
    result = {"seed": SEED, "black": BLACK.tolist(), "cases": cases}
    with open(sys.argv[1], "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
