"""Training checkpoints that name their classes, as torch.save writes them:

    python class_names.py   # writes ../goldens/class_names.zip

Each holds darkrubiks's N-CNN with two outputs, all of whose weights are 0 but for the last bias, [0, 2]. So the
second output has the probability that this prints, whatever the image. Needs what requirements-torch.txt lists.
"""

import argparse
import io
import tempfile
import zipfile
from pathlib import Path

import torch
from torchvision.datasets import ImageFolder

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
BIAS = [0.0, 2.0]


def state():
    """The state_dict, in the order of the module."""
    rows = (GOLDENS / "torch" / "ncnn_pain" / "tensors.tsv").read_text().splitlines()[1:]
    tensors = {}
    for name, shape, *_ in (row.split("\t") for row in rows):
        tensors[name] = torch.zeros([int(size) for size in shape.split("x")])
    tensors["classifier.3.weight"] = torch.zeros(2, tensors["classifier.3.weight"].shape[1])
    tensors["classifier.3.bias"] = torch.tensor(BIAS)
    return tensors


def image_folder():
    """What torchvision's ImageFolder calls the classes of these folders."""
    with tempfile.TemporaryDirectory() as root:
        for name in ("Pain", "No_pain"):
            folder = Path(root) / name
            folder.mkdir()
            (folder / "x.png").touch()
        return ImageFolder(root).class_to_idx


def main():
    folder = image_folder()
    weights = state()
    files = {
        "image_folder.pth": {"state_dict": weights, "class_to_idx": folder, "epoch": 3},
        "reversed.pth": {"model": weights, "idx_to_class": {0: "Pain", 1: "No_pain"}},
        "arguments.pth": {"state_dict": weights, "args": argparse.Namespace(lr=0.1, classes=["calm", "crying"])},
        "hyper.pth": {"state_dict": weights, "hyper_parameters": {"data": {"class_names": ("calm", "crying")}}},
        "beside.pth": weights | {"labels": ["calm", "crying"]},
        "numbers.pth": {"state_dict": weights, "classes": 2, "labels": [0, 1, 1]},
        "disagree.pth": {"state_dict": weights, "classes": ["calm", "crying"], "class_to_idx": {"crying": 0, "calm": 1}},
        "three.pth": {"state_dict": weights, "classes": ["calm", "crying", "asleep"]},
        "gap.pth": {"state_dict": weights, "class_to_idx": {"calm": 1, "crying": 2}},
    }
    with zipfile.ZipFile(GOLDENS / "class_names.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, checkpoint in files.items():
            bytes_ = io.BytesIO()
            torch.save(checkpoint, bytes_)
            archive.writestr(zipfile.ZipInfo(name), bytes_.getvalue(), zipfile.ZIP_DEFLATED)
    print(folder, float(torch.softmax(torch.tensor(BIAS), 0)[1]))


if __name__ == "__main__":
    main()
