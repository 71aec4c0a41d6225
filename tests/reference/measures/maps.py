"""Writes measures of small maps, each from a plain statement of its formula: maps.json.

    python tests/reference/measures/maps.py tests/goldens/measures/maps.json

Needs NumPy and SciPy (requirements.txt). With scikit-image, its structural similarity and its Sobel filter have to
agree; Canny's edges have to be nearly those of its own Canny.
"""

import json
import sys
from fractions import Fraction
from math import comb

import numpy as np
from scipy import ndimage, stats

try:
    from skimage import feature, filters, metrics
except ImportError:
    feature = filters = metrics = None

SEED = 2024
SIZES = [(9, 7), (16, 30), (32, 24)]
BITS = (1 << 64) - 1


def split_mix(seed):
    """SplitMix64, 64 bits at a time."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & BITS
        mixed = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & BITS
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & BITS
        yield mixed ^ (mixed >> 31)


def shares(seed, count):
    """Numbers from 0 to below 1, in steps of 2^-24."""
    bits = split_mix(seed)
    return np.array([next(bits) >> 40 for _ in range(count)], np.float32) / np.float32(1 << 24)


# Concentration

def sizes_of(values):
    a = np.abs(values.ravel())
    return a / a.sum()


def gini(values):
    a = np.sort(sizes_of(values))
    n = len(a)
    return sum((2 * k - n - 1) * a[k - 1] for k in range(1, n + 1)) / (n * a.sum())


def entropy(values):
    return stats.entropy(sizes_of(values))


def relative_entropy(values):
    return entropy(values) / np.log(values.size)


def border_share(values):
    height, width = values.shape
    down, right = max(height // 16, 1), max(width // 16, 1)
    inner = np.abs(values[down:height - down, right:width - right]).sum()
    return 1 - inner / np.abs(values).sum()


# Ground truth: a value, and what chance gives

def taken(values, count):
    """How likely each place is one of the `count` highest, where equal values at the end are as likely each."""
    least = np.sort(values.ravel())[-count]
    above, equal = values > least, values == least
    return above + equal * (count - above.sum()) / equal.sum()


def hypergeometric(everything, marked, drawn, value):
    total = sum(Fraction(comb(marked, h) * comb(everything - marked, drawn - h)) * value(h)
                for h in range(max(0, drawn + marked - everything), min(marked, drawn) + 1))
    return float(total / comb(everything, drawn))


def pointing_game(values, mask):
    highest = values == values.max()
    return (highest & mask).sum() / highest.sum(), mask.mean()


def energy_inside(values, mask):
    positive = np.maximum(values, 0)
    return positive[mask].sum() / positive.sum(), mask.mean()


def rank_accuracy(values, mask):
    return taken(values, mask.sum())[mask].sum() / mask.sum(), mask.mean()


def iou(values, mask):
    k = int(mask.sum())
    least = np.sort(values.ravel())[-k]
    above, equal = values > least, values == least
    sure = int((above & mask).sum())
    value = hypergeometric(int(equal.sum()), int((equal & mask).sum()), k - int(above.sum()),
                           lambda h: Fraction(sure + h, 2 * k - sure - h))
    return value, hypergeometric(mask.size, k, k, lambda h: Fraction(h, 2 * k - h))


# Agreement

def spearman(a, b):
    return stats.spearmanr(a.ravel(), b.ravel()).statistic


def unit(values):
    return (values - values.min()) / (values.max() - values.min())


def ssim(a, b):
    a, b = unit(a), unit(b)
    radius = min((min(a.shape) - 1) // 2, 5)
    place = np.arange(-radius, radius + 1)
    line = np.exp(-place ** 2 / (2 * 1.5 ** 2))
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2, similar = 0.01 ** 2, 0.03 ** 2, []
    for y in range(radius, a.shape[0] - radius):
        for x in range(radius, a.shape[1] - radius):
            cut = np.s_[y - radius:y + radius + 1, x - radius:x + radius + 1]
            mean = lambda values: (window * values[cut]).sum()
            ma, mb = mean(a), mean(b)
            saa, sbb, sab = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
            similar.append((2 * ma * mb + c1) * (2 * sab + c2)
                         / ((ma ** 2 + mb ** 2 + c1) * (saa + sbb + c2)))
    if metrics and radius == 5:
        theirs = metrics.structural_similarity(a, b, gaussian_weights=True, sigma=1.5,
                                               use_sample_covariance=False, data_range=1)
        assert abs(theirs - np.mean(similar)) < 1e-10, (theirs, np.mean(similar))
    return np.mean(similar)


def top_decile_overlap(a, b):
    count = -(-a.size // 10)
    a, b = (set(np.argsort(-values.ravel(), kind="stable")[:count]) for values in (a, b))
    return len(a & b) / count


# Robustness, with a network of our own whose map depends on the place

def explain(image):
    weight = 1 + np.arange(image.shape[2]) / image.shape[2]
    mixed = image[0].astype(float) + 0.5 * image[1]
    return (mixed ** 2 * weight).astype(np.float32).astype(float)


def sensitivities(image, seed):
    reach = np.float32(0.02) * (image.max() - image.min())
    noise = shares(seed, 10 * image.size).reshape(10, *image.shape)
    whole = explain(image)
    copies = image + reach * (np.float32(2) * noise - np.float32(1))
    return [np.linalg.norm(explain(copy) - whole) / np.linalg.norm(whole) for copy in copies]


def shift_sensitivity(image):
    whole, changes = explain(image), []
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = whole.shape
    for down, right in [(-1, 0), (1, 0), (0, -1), (0, 1)]:
        moved = padded[:, 1 - down:1 - down + height, 1 - right:1 - right + width]
        other = explain(moved)
        kept = np.s_[max(0, -down):height - max(0, down), max(0, -right):width - max(0, right)]
        back = np.s_[max(0, down):height + min(0, down), max(0, right):width + min(0, right)]
        changes.append(np.linalg.norm(other[back] - whole[kept]) / np.linalg.norm(whole[kept]))
    return np.mean(changes)


# Controls

def centred_gaussian(height, width):
    y, x = np.mgrid[:height, :width]
    down, right = (y - (height - 1) / 2) / (height / 4), (x - (width - 1) / 2) / (width / 4)
    return np.exp(-(down ** 2 + right ** 2) / 2)


def gradient(values):
    smooth, edge = np.array([1, 2, 1]) / 4, np.array([-1, 0, 1])
    return [ndimage.correlate(values, kernel, mode="nearest")
            for kernel in (np.outer(edge, smooth), np.outer(smooth, edge))]


def sobel(image):
    values = image.astype(float).mean(axis=0)
    down, right = gradient(values)
    magnitude = np.sqrt((down ** 2 + right ** 2) / 2)
    if filters:
        assert np.abs(filters.sobel(values) - magnitude).max() < 1e-12
    return magnitude


def canny(image):
    values = image.astype(float).mean(axis=0)
    down, right = gradient(ndimage.gaussian_filter(values, 1, mode="nearest", truncate=4))
    size = np.hypot(down, right)
    angle = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(int)
    padded, ridge = np.pad(size, 1), np.zeros(size.shape, bool)
    for y, x in np.ndindex(*size.shape):
        dy = int(np.rint(np.sin(angle[y, x] * np.pi / 4)))
        dx = int(np.rint(np.cos(angle[y, x] * np.pi / 4)))
        before, after = padded[y + 1 - dy, x + 1 - dx], padded[y + 1 + dy, x + 1 + dx]
        ridge[y, x] = size[y, x] > before and size[y, x] >= after
    largest = size.max()
    low, high = ridge & (size >= 0.1 * largest), ridge & (size >= 0.2 * largest)
    groups, _ = ndimage.label(low, np.ones((3, 3)))
    edges = low & np.isin(groups, groups[high])
    if feature:
        # Theirs interpolates across the edge and leaves out the image's border.
        theirs = feature.canny(values, sigma=1, mode="nearest",
                               low_threshold=0.4 * largest, high_threshold=0.8 * largest)
        inner = np.s_[2:-2, 2:-2]
        near = ndimage.binary_dilation(edges, np.ones((3, 3)))
        assert theirs.any() and near[inner][theirs[inner]].mean() > 0.9
    return ndimage.gaussian_filter(edges.astype(float), 2, mode="nearest", truncate=4)


def maps_of(size, random):
    """A smooth map, one of many zeros, one of few values, and a signed one."""
    smooth = unit(ndimage.gaussian_filter(random.normal(size=size), 2))
    other = unit(ndimage.gaussian_filter(random.normal(size=size), 1.5))
    zeros = np.maximum(other - 0.75, 0)
    ties = np.round(4 * np.clip(other * 0.6 + smooth * 0.6 - 0.1, 0, 1)) / 4
    ties[0, :3] = -0.0
    signed = ndimage.gaussian_filter(random.normal(size=size), 1)
    maps = {"smooth": smooth, "zeros": zeros, "ties": ties, "signed": signed}
    return {name: np.round(values, 4).astype(np.float32) for name, values in maps.items()}


def masks_of(size, random):
    y, x = np.mgrid[:size[0], :size[1]]
    ellipse = ((y - size[0] * 0.4) / (size[0] * 0.3)) ** 2 + ((x - size[1] * 0.6) / (size[1] * 0.3)) ** 2
    return {"ellipse": ellipse < 1, "dots": random.random(size) < 0.1, "most": ellipse > 0.5}


def plain(values):
    """Numbers as short as the file's precision allows."""
    return [float(f"{value:.9g}") for value in np.asarray(values, float).ravel()]


def image_of(size, random):
    image = ndimage.gaussian_filter(random.normal(size=(2, *size)), (0, 1.5, 1.5))
    image[:, size[0] // 3:, size[1] // 2:] += 0.8
    return np.round(image, 4).astype(np.float32)


def main(path):
    random = np.random.default_rng(SEED)
    groups = []
    for size in SIZES:
        maps, masks, image = maps_of(size, random), masks_of(size, random), image_of(size, random)
        exact = {name: values.astype(float) for name, values in maps.items()}
        alone = {"gini": gini, "entropy": entropy, "relative-entropy": relative_entropy,
                 "border-share": border_share}
        masked = {"pointing-game": pointing_game, "energy-inside": energy_inside,
                  "rank-accuracy": rank_accuracy, "iou": iou}
        paired = {"spearman": spearman, "ssim": ssim, "top-decile-overlap": top_decile_overlap}
        noisy = sensitivities(image, SEED)
        groups.append({
            "size": size,
            "maps": {name: plain(values) for name, values in maps.items()},
            "masks": {name: "".join("01"[int(inside)] for inside in mask.ravel())
                      for name, mask in masks.items()},
            "image": plain(image),
            "alone": [[measure, name, float(compute(exact[name]))]
                      for measure, compute in alone.items() for name in maps],
            "masked": [[measure, name, mask, *map(float, compute(exact[name], masks[mask]))]
                       for measure, compute in masked.items() for name in maps for mask in masks],
            "paired": [[measure, a, b, float(compute(exact[a], exact[b]))]
                       for measure, compute in paired.items()
                       for a in maps for b in maps if a <= b],
            "seed": SEED,
            "network": [["max-sensitivity", max(noisy)], ["mean-sensitivity", np.mean(noisy)],
                        ["shift-sensitivity", shift_sensitivity(image)]],
            "controls": {"random": plain(shares(SEED, size[0] * size[1])),
                         "centred-gaussian": plain(centred_gaussian(*size)),
                         "sobel": plain(sobel(image)), "canny": plain(canny(image))},
        })
    with open(path, "w") as file:
        json.dump(groups, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
