"""Write ../goldens/other.zip: networks that Burncam does not have, as their frameworks save them.

    python other_networks.py torch    in an environment with torchvision and timm
    python other_networks.py keras    in an environment with Keras 2.15

Each call adds its files. Weights are zeros, in half precision where the format allows, so that the archive is
small; names, shapes and configurations are the frameworks' own.
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

ARCHIVE = Path(__file__).parent.parent / "goldens" / "other.zip"


def torch_files():
    import timm
    import torch
    import torchvision

    networks = {
        "resnet18.pth": torchvision.models.resnet18(num_classes=2),
        "resnet101.pth": timm.create_model("resnet101", num_classes=2),
        "densenet121.pth": torchvision.models.densenet121(num_classes=2),
        "mobilenet_v2.pth": torchvision.models.mobilenet_v2(num_classes=2),
        "vit_tiny.pth": timm.create_model("vit_tiny_patch16_224", num_classes=2),
    }
    for name, network in networks.items():
        zeros = {
            key: torch.zeros_like(value, dtype=torch.half if value.is_floating_point() else None)
            for key, value in network.state_dict().items()
        }
        file = io.BytesIO()
        torch.save(zeros, file)
        yield name, file.getvalue()


def keras_files():
    import keras
    import numpy as np

    def zero(model):
        model.set_weights([np.zeros_like(value) for value in model.get_weights()])
        return model

    base = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    layers = keras.layers
    tuned = [base, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    small = [
        layers.Input((64, 64, 3)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, parts in [("mobilenetv2.h5", tuned), ("small.h5", small), ("small.keras", small)]:
            path = Path(folder) / name
            zero(keras.Sequential(parts)).save(path)
            yield name, path.read_bytes()


makers = {"torch": torch_files, "keras": keras_files}
with zipfile.ZipFile(ARCHIVE, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, content in makers[sys.argv[1]]():
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
