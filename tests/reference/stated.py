"""Writes tests/goldens/stated.zip: small networks of which a file leaves something open, and what they compute.

    python stated.py FOLDER --framework keras     # Keras 2.15 or 3
    python stated.py FOLDER --framework torch     # PyTorch 2.9 or later
    python stated.py FOLDER --pack

Each network gets a folder with a `reference.npz` for `burncam compare`.
"""

import argparse
import zipfile
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "goldens" / "stated.zip"
SIZE = 24


def reference(folder, image, logits):
    np.savez(folder / "reference.npz", input=image.astype(np.float32), logits=logits.astype(np.float32))


def write_keras(out):
    import keras
    from keras import layers

    rng = np.random.default_rng(21)
    image = rng.random((1, SIZE, SIZE, 3)).astype(np.float32)

    def save(name, model, logits, endings=("h5", "keras")):
        model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        for ending in endings:
            model.save(folder / f"network.{ending}")
        reference(folder, image, np.asarray(keras.Model(model.inputs, logits).predict(image, verbose=0)))

    def base():
        image = keras.Input((SIZE, SIZE, 3), name="image")
        x = layers.Conv2D(6, 3, activation="relu", name="first")(image)
        return image, layers.Conv2D(8, 3, strides=2, activation="relu", name="last")(x)

    image_in, x = base()
    pooled = layers.GlobalAveragePooling2D(name="pool")(x)
    age = layers.Dense(1, name="age")(pooled)
    logits = layers.Dense(3, name="logits")(pooled)
    save("two_outputs", keras.Model(image_in, [age, layers.Softmax(name="pain")(logits)]), logits)

    image_in, x = base()
    pooled = layers.GlobalAveragePooling2D(name="pool")(layers.Conv2D(3, 1, name="classes")(x))
    save("pooled", keras.Model(image_in, pooled), pooled, ["keras"])

    image_in, x = base()
    other = keras.Input((SIZE, SIZE, 3), name="other")
    joined = layers.concatenate([layers.GlobalMaxPooling2D()(x), layers.GlobalMaxPooling2D()(other)])
    folder = out / "two_inputs"
    folder.mkdir(parents=True, exist_ok=True)
    keras.Model([image_in, other], layers.Dense(2, activation="softmax")(joined)).save(folder / "network.keras")


def write_torch(out):
    import torch
    from torch import nn

    torch.manual_seed(21)

    def network():
        return nn.Sequential(
            nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 12, 3, groups=2), nn.BatchNorm2d(12),
            nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3)).eval()

    folder = out / "like"
    folder.mkdir(parents=True, exist_ok=True)
    image = torch.rand(1, 3, SIZE, SIZE)
    example, trained = network(), network()
    for module in trained.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean):
                tensor.normal_()
            module.running_var.uniform_(0.5, 2.0)
    torch.onnx.export(example, (image,), folder / "network.onnx", dynamo=True, optimize=False, external_data=False)
    torch.onnx.export(example, (image,), folder / "folded.onnx", dynamo=False)
    torch.save(trained.state_dict(), folder / "trained.pt")
    parallel = {f"module.{name}": tensor for name, tensor in trained.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": parallel}, folder / "parallel.pth")
    lacking = trained.state_dict()
    del lacking["4.running_mean"]
    torch.save(lacking, folder / "lacking.pt")
    with torch.no_grad():
        reference(folder, image.numpy().transpose(0, 2, 3, 1), trained(image).numpy())


def pack(out):
    with zipfile.ZipFile(GOLDEN, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(out.glob("*/*")):
            name = path.relative_to(out).as_posix()
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--framework", choices=("keras", "torch"))
    parser.add_argument("--pack", action="store_true", help="writes the archive of what is in the folder")
    args = parser.parse_args()
    if args.framework:
        (write_keras if args.framework == "keras" else write_torch)(args.folder)
    if args.pack:
        pack(args.folder)


if __name__ == "__main__":
    main()
