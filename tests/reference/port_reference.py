"""Networks for `cargo xtask port`, and what PyTorch computes with them.

Usage: python port_reference.py NAME FOLDER, where NAME is mobilenet_v2, densenet121, efficientnet_b0
(torchvision, random seeded weights) or tiny (the network of ported/generator/tests/tiny.onnx).

Writes FOLDER/NAME.onnx, exported by torch.onnx, and FOLDER/NAME/*.npy: two images, logits, the map
layer's output and gradient by autograd, and the raw map of pytorch-grad-cam (package `grad-cam`).
Needs torch, torchvision, onnx, onnxscript and grad-cam.
"""

import pathlib
import sys

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn


class Residual(nn.Module):
    """A convolution, a batch normalisation that cannot be folded, and a bypass."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x):
        return x + self.conv(torch.relu(self.norm(x)))


class Tiny(nn.Module):
    """A classifier of three classes with what a cut has to deal with."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU(), Residual(6),
            nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(),
        )
        self.norm = nn.BatchNorm2d(8)
        self.classifier = nn.Linear(8 * 4 * 4, 3)

    def forward(self, x):
        x = self.norm(self.features(x))
        x = nn.functional.max_pool2d(x, 2)
        return torch.softmax(self.classifier(x.reshape(x.shape[0], -1)), 1)


def halves(name, net):
    """The network up to its map, and from there to the logits."""
    if name == "tiny":
        tail = [net.norm, nn.MaxPool2d(2), nn.Flatten(), net.classifier]
        return net.features, nn.Sequential(*tail)
    # DenseNet's last rectifier is no module of its own, and works in place.
    last = [nn.ReLU()] if name == "densenet121" else []
    tail = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), net.classifier]
    return nn.Sequential(net.features, *last), nn.Sequential(*tail)


def network(name):
    """A network with random weights and statistics, and the size of its images."""
    torch.manual_seed(20)
    net, size = (Tiny(), 32) if name == "tiny" else (getattr(torchvision.models, name)(), 224)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.1)
            module.momentum = None
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.bias, 0.0, 0.1)
    with torch.no_grad():
        net.train()(torch.randn(8, 3, size, size))
    return net.eval(), size


def main():
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    net, size = network(name)
    images = torch.randn(2, 3, size, size)
    torch.onnx.export(
        net, (images[:1],), folder / f"{name}.onnx", external_data=False, verbose=False
    )
    features, head = halves(name, net)
    with torch.no_grad():
        maps = features(images)
    maps.requires_grad_()
    logits = head(maps)
    classes = logits.argmax(1)
    logits.gather(1, classes[:, None]).sum().backward()

    model = nn.Sequential(features, head)
    targets = [ClassifierOutputTarget(int(index)) for index in classes]
    with GradCAM(model=model, target_layers=[features]) as cam:
        cam(images, targets=targets)
        seen = cam.activations_and_grads
        seen = [list_[0].cpu().numpy() for list_ in (seen.activations, seen.gradients)]
        raw = cam.get_cam_image(images, features, targets, *seen, eigen_smooth=False)
    arrays = {
        "images": images, "logits": logits, "activations": maps, "gradients": maps.grad,
        "classes": classes, "map": torch.as_tensor(raw),
    }
    (folder / name).mkdir(exist_ok=True)
    for key, value in arrays.items():
        np.save(folder / name / f"{key}.npy", np.ascontiguousarray(value.detach().numpy()))
    print(f"{name}: classes {classes.tolist()}, map {raw.shape}, largest {np.abs(raw).max():.6g}")


main()
