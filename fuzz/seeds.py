"""The seeds that other programs write, for the small network of src/tiny.rs:

    python seeds.py keras corpus     # TensorFlow 2.15, or 2.21 with Keras 3
    python seeds.py torch corpus     # PyTorch with safetensors and onnx
    python seeds.py images corpus    # Pillow
    python seeds.py burncam corpus   # what `convert` writes, written here byte by byte

Each adds its files to the folders of the fuzzers that start from them. The weights are random.
"""

import io
import json
import math
import pickle
import struct
import sys
import zipfile
from pathlib import Path


def keras(out):
    import tensorflow as tf

    version = "2" if tf.__version__.startswith("2.15") else "3"
    layers = tf.keras.layers
    model = tf.keras.Sequential([
        tf.keras.Input((4, 4, 3)),
        layers.Conv2D(2, 3, padding="same", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.Activation("relu", name="relu"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Flatten(name="flatten"),
        layers.Dense(2, activation="softmax", name="dense"),
    ])
    model = tf.keras.Model(model.inputs, model.outputs) if version == "2" else model
    (out / "hdf5").mkdir(parents=True, exist_ok=True)
    (out / "zip").mkdir(parents=True, exist_ok=True)
    (out / "config").mkdir(parents=True, exist_ok=True)
    model.save(out / f"hdf5/keras{version}.h5")
    archive = out / f"zip/keras{version}.keras"
    model.save(archive)
    if version == "2":
        model.save_weights(out / "hdf5/keras2.legacy.h5")
    else:
        model.save_weights(out / "hdf5/keras3.weights.h5")
    chunks(out / f"hdf5/keras{version}.h5", out / f"hdf5/chunked{version}.h5",
           libver="latest" if version == "3" else "earliest")
    config = zipfile.ZipFile(archive).read("config.json")
    (out / f"config/keras{version}.json").write_bytes(config)


def chunks(source, target, **settings):
    """The same file in newer structures, its numbers in compressed pieces."""
    import h5py

    def copy(name, item):
        if isinstance(item, h5py.Dataset):
            new.create_dataset(name, data=item[()], chunks=True, compression="gzip", shuffle=True)
        else:
            new.require_group(name)
        for key, value in item.attrs.items():
            new[name].attrs[key] = value

    with h5py.File(source) as old, h5py.File(target, "w", **settings) as new:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        old.visititems(copy)


def torch(out):
    import numpy as np
    import torch
    from safetensors.torch import save_file

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features = torch.nn.Sequential(
                torch.nn.Conv2d(3, 2, 3, padding=1), torch.nn.BatchNorm2d(2), torch.nn.ReLU(),
                torch.nn.MaxPool2d(2))
            self.classifier = torch.nn.Linear(8, 2)

        def forward(self, x):
            return self.classifier(torch.flatten(self.features(x), 1))

    model = Tiny().eval()
    state = model.state_dict()
    for folder in ["zip", "pickle", "safetensors", "onnx"]:
        (out / folder).mkdir(parents=True, exist_ok=True)
    torch.save(state, out / "zip/torch.pt")
    torch.save({"epoch": 1, "state_dict": state}, out / "zip/torch_checkpoint.pt")
    archive = zipfile.ZipFile(out / "zip/torch.pt")
    name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
    (out / "pickle/data.pkl").write_bytes(archive.read(name))
    halves = {key: tensor.half() for key, tensor in state.items()}
    torch.save(halves, out / "pickle/torch_legacy.pth", _use_new_zipfile_serialization=False)
    arrays = {key: tensor.numpy() for key, tensor in state.items()}
    for protocol in [2, 4]:
        (out / f"pickle/arrays{protocol}.pkl").write_bytes(pickle.dumps(arrays, protocol))
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, out / "safetensors/torch.safetensors")
    image = torch.zeros(1, 3, 4, 4)
    torch.onnx.export(model, image, out / "onnx/torch_script.onnx", opset_version=13, dynamo=False)
    torch.onnx.export(model, image, out / "onnx/unfolded.onnx", opset_version=9, dynamo=False,
                      training=torch.onnx.TrainingMode.PRESERVE)
    (out / "npz").mkdir(parents=True, exist_ok=True)
    dump = {"a": np.zeros(2, np.float32), "b/c": np.ones((1, 2, 2, 2), np.float32)}
    np.savez(out / "npz/stored.npz", **dump)
    np.savez_compressed(out / "npz/compressed.npz", **dump)


def images(out):
    from PIL import Image

    (out / "image").mkdir(parents=True, exist_ok=True)
    rgb = Image.new("RGB", (5, 3))
    rgb.putdata([(40 * x, 80 * y, 200) for y in range(3) for x in range(5)])
    kinds = {"rgb": rgb, "grey": rgb.convert("L"), "palette": rgb.convert("P"), "alpha": rgb.convert("RGBA"),
             "grey_alpha": rgb.convert("LA"), "one_bit": rgb.convert("1"), "cmyk": rgb.convert("CMYK"),
             "grey16": rgb.convert("L").convert("I;16")}
    settings = {
        "png": [{}], "bmp": [{}], "webp": [{}, {"lossless": True}],
        "jpeg": [{}, {"progressive": True}, {"restart_marker_blocks": 1},
                 {"keep_rgb": True, "progressive": True, "restart_marker_blocks": 1}],
        "tiff": [{}, {"compression": "tiff_lzw"}, {"compression": "packbits"}, {"compression": "tiff_deflate"}],
    }
    for kind, image in kinds.items():
        for ending, variants in settings.items():
            for number, options in enumerate(variants):
                exif = Image.Exif()
                exif[0x0112] = 6
                file = io.BytesIO()
                try:
                    image.save(file, ending, exif=exif, **options)
                except (OSError, ValueError, KeyError):
                    continue
                (out / f"image/{kind}{number or ''}.{ending}").write_bytes(file.getvalue())


def cbor(value):
    """CBOR of texts, numbers that are not negative, lists and dicts."""
    kinds = {int: 0, str: 3, list: 4, dict: 5}
    text = value.encode() if isinstance(value, str) else b""
    count = value if isinstance(value, int) else len(text) if isinstance(value, str) else len(value)
    sizes = [(24, ""), (1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I")]
    index, code = next((i, code) for i, (most, code) in enumerate(sizes) if count < most)
    kind = kinds[type(value)] << 5
    head = bytes([kind | count]) if not index else bytes([kind | 23 + index]) + struct.pack(">" + code, count)
    inner = [item for pair in value.items() for item in pair] if isinstance(value, dict) else value
    return head + text + (b"".join(map(cbor, inner)) if isinstance(value, (list, dict)) else b"")


def burncam(out):
    shapes = {"conv/bias": [2], "conv/kernel": [3, 3, 3, 2], "dense/bias": [2], "dense/kernel": [8, 2],
              "norm/beta": [2], "norm/gamma": [2], "norm/moving_mean": [2], "norm/moving_variance": [2]}
    dense = {"units": 2, "use_bias": True, "activation": "linear"}
    description = json.dumps({
        "version": 1, "program": "0.1.0", "architecture": "tiny", "variant": "keras",
        "input": {"height": 4, "width": 4, "order": "rgb", "divisor": 255.0, "mean": [0.0] * 3, "deviation": [1.0] * 3},
        "head": {"layers": [{"name": "flatten", "class": "Flatten", "settings": None},
                            {"name": "dense", "class": "Dense", "settings": dense}], "output": "softmax"},
        "names": {"conv": "conv2d_7"}, "keras_version": "2.15.0", "notes": ["a note"]})
    for folder in ["burnpack", "safetensors"]:
        (out / folder).mkdir(parents=True, exist_ok=True)

    def numbers(alignment):
        offsets, data = {}, b""
        for name, shape in shapes.items():
            data += bytes(-len(data) % alignment)
            start = len(data)
            size = math.prod(shape)
            data += struct.pack(f"<{size}f", *(0.125 + i / 16 for i in range(size)))
            offsets[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
        return offsets, data

    offsets, data = numbers(1)
    header = json.dumps({"__metadata__": {"burncam": description}, **offsets}).encode()
    (out / "safetensors/burncam.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    offsets, data = numbers(256)
    header = cbor({"tensors": offsets, "metadata": {"burncam": description}})
    start = b"NRUB" + struct.pack("<HI", 1, len(header)) + header
    (out / "burnpack/burncam.bpk").write_bytes(start + bytes(-len(start) % 256) + data)


if __name__ == "__main__":
    {"keras": keras, "torch": torch, "images": images, "burncam": burncam}[sys.argv[1]](Path(sys.argv[2]))
