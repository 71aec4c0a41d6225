"""Writes what a Keras model computes for one image, to be compared with Burncam:

    python dump_activations.py model.h5 image.png dump.npz
    cargo xtask compare model.h5 --reference dump.npz

Needs Keras 2 or 3, NumPy and Pillow. The dump holds `input`, the network's input as
[1, height, width, 3]; `layer/<name>`, the output of each layer that is a map; and `logits`, what
enters the last activation. All are float32.

Both sides compute on `input`, so it matters little how the image became numbers; --divide, --mean
and --bgr are there to give the network numbers of the size that it was trained on:

    --divide 255                          networks trained on x / 255 (the default)
    --divide 1 --bgr --mean 104,117,124   Caffe's way: BGR minus the mean
"""

import argparse

import keras
import numpy as np
from PIL import Image


def prepare(path, height, width, divide, mean, bgr):
    """The image as network input, resized by nearest neighbour."""
    image = Image.open(path).convert("RGB").resize((width, height), Image.NEAREST)
    x = np.asarray(image, dtype=np.float32)
    if bgr:
        x = x[..., ::-1]
    x = x / np.float32(divide) - np.asarray(mean, dtype=np.float32)
    return np.ascontiguousarray(x[np.newaxis], dtype=np.float32)


def logits_of(model):
    """The tensor that enters the last activation."""
    last = model.layers[-1]
    if type(last).__name__ in ("Activation", "Softmax"):
        return last.input
    last.activation = keras.activations.linear
    return last.output


def dump(model, x, path, wanted=None):
    """Writes what the model computes for `x`, and tells of how many layers. Afterwards the model
    gives logits, without its last activation."""
    outputs = {"logits": logits_of(model)}
    for layer in model.layers:
        if type(layer).__name__ == "InputLayer" or len(layer.output.shape) != 4:
            continue
        if wanted is None or layer.name in wanted:
            outputs["layer/" + layer.name] = layer.output
    values = keras.Model(model.inputs, list(outputs.values())).predict(x, verbose=0)
    arrays = {name: np.asarray(value, dtype=np.float32) for name, value in zip(outputs, values)}
    np.savez_compressed(path, input=x, **arrays)
    return len(arrays) - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", help=".h5 or .keras file with architecture and weights")
    parser.add_argument("image")
    parser.add_argument("dump", help="the .npz file to write")
    parser.add_argument("--divide", type=float, default=255, help="divides each pixel")
    parser.add_argument("--mean", default="0,0,0", help="subtracted next, in the network's order")
    parser.add_argument("--bgr", action="store_true", help="the network reads blue, green, red")
    parser.add_argument("--layers", help="only these layers, separated by commas, for a small dump")
    args = parser.parse_args()

    model = keras.models.load_model(args.model, compile=False)
    _, height, width, _ = model.inputs[0].shape
    mean = [float(value) for value in args.mean.split(",")]
    x = prepare(args.image, height, width, args.divide, mean, args.bgr)

    layers = dump(model, x, args.dump, args.layers.split(",") if args.layers else None)
    print(f"{args.dump}: input, logits and {layers} layers")


if __name__ == "__main__":
    main()
