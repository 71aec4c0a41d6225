"""What PyTorch computes with networks whose heads are somebody's own, or fastai's:

    python torch_heads.py   # writes ../goldens/torch/heads/

Needs requirements-torch.txt and fastai 2.8.12. The weights follow from their names as in torch_networks.py. For each
network the goldens hold names, shapes, offset and scale of its weights; logits.json has the logits for one image.
"""

import json

import torch
from torch import nn

from torch_networks import GOLDENS, IMAGENET, UNIT, PainNcnn, fill, images, tv

FOLDER = GOLDENS / "torch" / "heads"


def ncnn(*head):
    """N-CNN with a head of somebody's own."""
    model = PainNcnn()
    model.classifier = nn.Sequential(*head)
    return model


def resnet(*head):
    """torchvision's ResNet50 with a head of somebody's own."""
    model = tv.resnet50()
    model.fc = nn.Sequential(*head)
    return model


def fastai(pool):
    """What fastai's `vision_learner(dls, resnet50)` makes: the body, then `create_head`."""
    from fastai.vision.learner import create_body, create_head
    return nn.Sequential(create_body(tv.resnet50(), cut=-2), create_head(2048, 3, concat_pool=pool))


class Wrapped(nn.Module):
    """A backbone of numbered modules, and a head beside it."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(*list(tv.resnet50().children())[:-1])
        self.head = nn.Linear(2048, 3)

    def forward(self, x):
        return self.head(self.backbone(x).flatten(1))


# name: how it is made, size, preprocessing
NETWORKS = {
    "ncnn_dropout": (lambda: ncnn(nn.Linear(1600, 16), nn.Dropout(), nn.Linear(16, 2)), 120, UNIT),
    "ncnn_relu": (lambda: ncnn(nn.Linear(1600, 16), nn.ReLU(), nn.Linear(16, 2)), 120, UNIT),
    "ncnn_tanh": (lambda: ncnn(nn.Linear(1600, 16), nn.Tanh(), nn.Dropout(), nn.Linear(16, 2)), 120, UNIT),
    "ncnn_norms": (lambda: ncnn(
        nn.BatchNorm1d(1600), nn.Dropout(), nn.Linear(1600, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(),
        nn.Linear(16, 2)), 120, UNIT),
    "resnet50_dropout": (lambda: resnet(nn.Linear(2048, 16), nn.Dropout(), nn.Linear(16, 2)), 224, IMAGENET),
    "resnet50_norms": (lambda: resnet(
        nn.BatchNorm1d(2048), nn.Dropout(), nn.Linear(2048, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(),
        nn.Linear(16, 2)), 224, IMAGENET),
    "resnet50_fastai": (lambda: fastai(True), 224, IMAGENET),
    "resnet50_fastai_mean": (lambda: fastai(False), 224, IMAGENET),
    "resnet50_wrapped": (Wrapped, 224, IMAGENET),
}


def main():
    torch.manual_seed(0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    logits = {}
    for name, (build, size, prepare) in NETWORKS.items():
        model = build().eval()
        with torch.no_grad():
            rows = fill(name, model, {})
            logits[name] = model(images(size, prepare)[1:2])[0].tolist()
        (FOLDER / f"{name}.tsv").write_text("\n".join(rows) + "\n")
        print(name, logits[name], torch.tensor(logits[name]).softmax(0).tolist())
    (FOLDER / "logits.json").write_text(json.dumps(logits, indent=1) + "\n")


if __name__ == "__main__":
    main()
