"""Writes N-CNNs with preprocessing layers in front, and one with one neuron, as Keras saves them, and what
they say of one image:

    python front_models.py ../goldens/faces/Fold0/S02_dor_01.png OUT
    python front_models.py pack OUT ../goldens/front.zip

The first runs with Keras 2.13, Keras 2.15 and Keras 3; OUT gets one folder for each. Weights come from a short
pattern, so that the files become small in an archive. `logits.json` has, by file, what Keras computes for
the image, `values.json`, by front, the CRC-32 of what enters the network. `wrong/` gets models that Burncam must refuse. The second packs what the tests read: all that was
adapted, of the others each front in each Keras, flat and nested, and some weights without configuration;
of Keras 2.13, which alone has another layout, one network as `.keras` and `.weights.h5`.
"""

import json
import os
import sys
import zipfile
import zlib

import keras
import numpy as np
from PIL import Image

L = keras.layers
K3 = hasattr(keras, "ops")
FOLDER = "k3" if K3 else "k213" if keras.__version__.startswith("2.13") else "k2"
SIZE = 120
MEAN, VARIANCE = [120.7, 110.3, 97.1], [4000.3, 3600.7, 3300.9]
UNIT_MEAN, UNIT_VARIANCE = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]


def trunk(x):
    """The layers up to the head, as the notebook names them."""
    slope = {"negative_slope" if K3 else "alpha": 0.01}

    def conv(y, size, name, activation=None):
        return L.Conv2D(64, size, padding="same", activation=activation, name=name)(y)

    def pool(y, size, name):
        return L.MaxPooling2D(size, strides=size, padding="same", name=name)(y)

    first = pool(x, 10, "maxpool_10x10")
    deep = pool(L.LeakyReLU(name="leaky_1", **slope)(conv(x, 5, "conv_5x5")), 3, "maxpool_3x3")
    deep = pool(L.LeakyReLU(name="leaky_2", **slope)(conv(deep, 2, "conv_2x2")), 3, "maxpool_3x3_")
    deep = L.Dropout(0.1)(L.Resizing(12, 12)(deep))
    wide = pool(L.LeakyReLU(name="leaky_3", **slope)(conv(x, 5, "conv_5x5_")), 10, "maxpool_10x10_")
    wide = L.Dropout(0.1)(wide)
    x = L.concatenate([first, deep, wide], axis=3)
    return pool(conv(x, 2, "conv_2x2_", "relu"), 2, "maxpool_2x2_")


def head(units, activation):
    return [
        L.Flatten(),
        L.Dense(8, activation="relu", name="FC1"),
        L.Dropout(0.1),
        L.Dense(units, activation=activation, name="output"),
    ]


def run(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def model(front, shape=(SIZE, SIZE, 3), nested=False, units=2, activation="softmax"):
    """A network behind `front`: in one model with it, as one layer of a sequential model ("_nested"), or that
    with front and head as layers which are sequential models, too ("_boxed")."""
    if nested:
        inner = L.Input((SIZE, SIZE, 3))
        base = keras.Model(inner, trunk(inner), name="base")
        *top, last = head(units, activation)
        if nested == "_boxed":
            front, top = [keras.Sequential(front, name="front")], [keras.Sequential(top, name="top")]
        return keras.Sequential([L.Input(shape), *front, base, *top, last])
    x = L.Input(shape, name="input")
    features = trunk(run(front, x))
    return keras.Model(x, run(head(units, activation), features))


def pattern(shape, gain):
    """Seventeen values, over and over."""
    values = (np.arange(np.prod(shape)) * 5 % 17 - 8).astype(np.float32) / 8
    return (values * np.float32(gain)).reshape(shape)


def fill(layer):
    for inner in getattr(layer, "layers", []):
        fill(inner)
    if type(layer).__name__ in ("Conv2D", "Dense"):
        kernel, bias = layer.get_weights()
        gain = 1.5 / np.sqrt(kernel[..., 0].size)
        layer.set_weights([pattern(kernel.shape, gain), pattern(bias.shape, 0.05)])


def adapted():
    """A Normalization that was shown noise with another mean and spread in each channel."""
    layer = L.Normalization(name="normalization")
    noise = np.random.default_rng(1).normal(MEAN, np.sqrt(VARIANCE), (64, 8, 8, 3)).astype(np.float32)
    layer.adapt(noise)
    return layer


def standard(**more):
    return L.Normalization(mean=UNIT_MEAN, variance=UNIT_VARIANCE, **more)


def unit():
    return L.Rescaling(1 / 255)


OPEN = (None, None, 3)
# name, layers in front, input shape
FRONTS = [
    ("adapted", lambda: [adapted()], (SIZE, SIZE, 3)),
    ("given", lambda: [L.Normalization(mean=np.array(MEAN), variance=np.array(VARIANCE))], (SIZE, SIZE, 3)),
    ("scalar", lambda: [L.Normalization(axis=None, mean=117.3, variance=3900.7), L.Rescaling(2.0, 0.1)], (SIZE, SIZE, 3)),
    ("rescaled_first", lambda: [unit(), standard()], (SIZE, SIZE, 3)),
    ("inverted", lambda: [unit(), standard(invert=True), L.Rescaling([1.5, 2.5, 3.5], [0.1, 0.2, 0.3])], (SIZE, SIZE, 3)),
    ("same_size", lambda: [L.Resizing(SIZE, SIZE)], (SIZE, SIZE, 3)),
    ("bilinear", lambda: [L.Resizing(SIZE, SIZE), unit()], (150, 131, 3)),
    ("nearest", lambda: [unit(), L.Resizing(SIZE, SIZE, interpolation="nearest")], (97, 203, 3)),
    ("bilinear_open", lambda: [L.Resizing(SIZE, SIZE), unit(), standard()], OPEN),
    ("nearest_open", lambda: [L.Resizing(SIZE, SIZE, interpolation="nearest"), unit()], OPEN),
]


def pixels(path, shape):
    image = Image.open(path).convert("RGB")
    if shape != OPEN:
        image = image.resize((shape[1], shape[0]), Image.NEAREST)
    return np.asarray(image, dtype=np.float32)[None]


def logits(net, x):
    last = net.layers[-1]
    activation, last.activation = last.activation, keras.activations.linear
    values = np.asarray(net(x, training=False))[0].tolist()
    last.activation = activation
    return values


def save(net, stem):
    """In every format of this Keras; gives the files' names."""
    endings = [".h5", ".keras", ".weights.h5"] if K3 else [".h5", ".keras", ".weights.h5", ".legacy.h5"]
    for ending in endings:
        file = stem + ending
        if ending == ".weights.h5":
            net.save_weights(file)
        elif ending == ".legacy.h5":
            net.save_weights(file, save_format="h5")
        else:
            net.save(file)
    return [os.path.basename(stem) + ending for ending in endings]


def right(image, out):
    found, values_of = {}, {}
    for name, front, shape in FRONTS:
        for nested in ("", "_nested", "_boxed"):
            keras.backend.clear_session()
            net = model(front(), shape, nested)
            fill(net)
            x = pixels(image, shape)
            if name == "same_size":
                x = x / np.float32(255)
            entering = np.ascontiguousarray(run(front(), x), "<f4")
            values_of[name] = zlib.crc32(entering.tobytes())
            values = logits(net, x)
            stem = os.path.join(out, name + nested)
            found |= {file: values for file in save(net, stem)}
            print(os.path.basename(stem), values, flush=True)
    keras.backend.clear_session()
    net = model([], units=1, activation="sigmoid")
    fill(net)
    x = pixels(image, (SIZE, SIZE, 3)) / np.float32(255)
    (z,) = logits(net, x)
    values_of["sigmoid"] = zlib.crc32(np.ascontiguousarray(x, "<f4").tobytes())
    found |= {file: [-z, z] for file in save(net, os.path.join(out, "sigmoid"))}
    with open(os.path.join(out, "logits.json"), "w") as file:
        json.dump(found, file, indent=0)
    with open(os.path.join(out, "values.json"), "w") as file:
        json.dump(values_of, file, indent=0)


def wrong(out):
    os.makedirs(out, exist_ok=True)
    # Compiled by itself, so that the file does not hold the place of this one.
    scale = eval(compile("lambda x: x / 127.5 - 1", "scale", "eval"))
    x, y = L.Input((SIZE, SIZE, 3), name="face"), L.Input((SIZE, SIZE, 3), name="context")
    features = trunk(L.Add(name="both")([x, y]))
    doubled = keras.Model([x, y], run(head(2, "softmax"), features))
    models = {
        "two_inputs": doubled,
        "lambda": model([L.Lambda(scale, name="scale")]),
        "cropped": model([L.Resizing(SIZE, SIZE, crop_to_aspect_ratio=True, name="fit")], (150, 131, 3)),
        "bicubic": model([L.Resizing(SIZE, SIZE, interpolation="bicubic", name="fit")], OPEN),
        "axes": model([L.Normalization(axis=(1, 2, 3))]),
    }
    keras.mixed_precision.set_global_policy("mixed_float16")
    models["mixed"] = model([])
    keras.mixed_precision.set_global_policy("float32")
    for name, net in models.items():
        fill(net)
        net.save(os.path.join(out, name + ".h5"))
        net.save(os.path.join(out, name + ".keras"))


def packed(path):
    """Whether the tests read this file."""
    keras_version, name = path.split("/", 1)
    stem, ending = name.split(".", 1)
    whole = {("k2", False): "h5", ("k2", True): "keras", ("k3", False): "keras", ("k3", True): "h5"}
    # Weights alone do not say in which order the parts of a head stand that lie in different models.
    if stem.endswith("_boxed") and (ending == "weights.h5" or not stem.startswith("adapted")):
        return False
    if keras_version == "k213":
        return stem in ("logits", "values") or stem.startswith("adapted") and ending in ("keras", "weights.h5")
    return (
        stem in ("logits", "values")
        or stem.startswith(("adapted", "sigmoid"))
        or ending == whole[keras_version, stem.endswith("_nested")]
        or name in ("given.weights.h5", "bilinear.weights.h5", "same_size.weights.h5", "same_size.legacy.h5")
        or name.startswith("wrong/") and ending == "h5"
    )


def pack(out, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for folder, _, names in sorted(os.walk(out)):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), out)
                if path.split("/")[0] in ("k2", "k3", "k213") and packed(path):
                    with open(os.path.join(folder, name), "rb") as source:
                        file.writestr(zipfile.ZipInfo(path), source.read(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    if sys.argv[1] == "pack":
        pack(*sys.argv[2:])
        sys.exit()
    image, out = sys.argv[1], os.path.join(sys.argv[2], FOLDER)
    os.makedirs(out, exist_ok=True)
    right(image, out)
    wrong(os.path.join(out, "wrong"))
