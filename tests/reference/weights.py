"""Reproducible weights: each value follows from the network's key, the layer's name, the weight's
name, and its place in Keras's layout. `tests/src/generator.rs` states the same rule in Rust.

FNV-1a of `<network>/<layer>/<weight>` seeds SplitMix64, whose upper 24 bits become a number in
[-1, 1); scale and offset depend on the kind of weight. A `/` in a layer's name counts as `_`.

    python weights.py       compares the rule with goldens/weights_manifest.tsv
"""

import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MANIFEST = Path(__file__).parent.parent / "goldens" / "weights_manifest.tsv"

# The last batch normalisation of a block is weak, or the sums of 16 blocks would grow without end.
LAST_OF_BLOCK = ("_1x1_increase_bn", "_3_bn")


@dataclass(frozen=True)
class Recipe:
    """What belongs to one network's weights."""

    first_conv: str | None  # weaker by 64, where the mean is subtracted from 0..255
    last_dense: str
    head_gain: float
    head_bias: float | None  # between the logits of two classes; None: as any bias


RECIPES = {
    "VGG16": Recipe("conv1_1", "dense_2", 0.94, 5.003),
    "ResNet50": Recipe("conv1_7x7_s2", "dense_1", 0.272, 1.951),
    "SENet50": Recipe("conv1_7x7_s2", "dense_3", 0.532, -1.076),
    "IncepV3": Recipe(None, "dense_2", 0.985, -2.509),
    "NCNN": Recipe(None, "output", 2.19, -1.282),
    "VGG16-applications": Recipe("block1_conv1", "predictions", 1.0, None),
    "ResNet50-applications": Recipe("conv1_conv", "predictions", 0.5, None),
}

# Class of a layer: its weights in Keras's order. Those that a layer's settings leave out are skipped.
WEIGHTS = {
    "Conv2D": ("kernel", "bias"),
    "Dense": ("kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}
SETTINGS = {"bias": "use_bias", "gamma": "scale", "beta": "center"}


def noise(key, count):
    """`count` outputs of SplitMix64 as numbers in [-1, 1), exact in float32."""
    seed = 0xCBF29CE484222325
    for byte in key.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    x = np.arange(1, count + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        x *= np.uint64(0x9E3779B97F4A7C15)
        x += np.uint64(seed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x ^= x >> np.uint64(shift)
            x *= np.uint64(factor)
        x ^= x >> np.uint64(31)
    x >>= np.uint64(40)
    return x.astype(np.float32) / np.float32(2**23) - np.float32(1)


def tensor(network, layer, weight, shape):
    """One weight."""
    recipe = RECIPES[network]
    layer = layer.replace("/", "_")
    last = layer == recipe.last_dense
    if last and weight == "bias" and recipe.head_bias is not None:
        half = np.float32(recipe.head_bias / 2)
        return np.array([half, -half], np.float32)
    offset, scale = {"bias": (0, 0.05), "gamma": (1, 0.2), "moving_variance": (1, 0.4)}.get(weight, (0, 0.2))
    if weight == "kernel":
        gain = recipe.head_gain if last else 1 / 64 if layer == recipe.first_conv else 1
        scale = gain * math.sqrt(6 / math.prod(shape[:-1]))
    elif weight == "gamma" and layer.endswith(LAST_OF_BLOCK):
        offset, scale = 0.3, 0.06
    values = np.float32(scale) * noise(f"{network}/{layer}/{weight}", math.prod(shape))
    if offset:
        values += np.float32(offset)
    return values.reshape(shape)


def fill(model, network):
    """Gives every layer of a Keras model its weights."""
    for layer in model.layers:
        names = [name for name in WEIGHTS.get(type(layer).__name__, ())
                 if getattr(layer, SETTINGS.get(name, "name"))]
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if len(names) != len(shapes):
            raise ValueError(f"no rule for the weights of {layer.name}: {shapes}")
        layer.set_weights([tensor(network, layer.name, *weight) for weight in zip(names, shapes)])


def main():
    rows = [line.split("\t") for line in MANIFEST.read_text().splitlines()[1:]]
    for key, shape, crc, _ in rows:
        values = tensor(*key.split("/"), tuple(int(size) for size in shape.split("x")))
        if zlib.crc32(values.astype("<f4").tobytes()) != int(crc, 16):
            raise SystemExit(f"{key} differs from {MANIFEST}")
    print(f"{len(rows)} weights are those of {MANIFEST.name}")


if __name__ == "__main__":
    main()
