"""What PyTorch computes with each network that Burncam takes from PyTorch:

    python torch_networks.py            # writes ../goldens/torch/
    python torch_networks.py resnet50   # those whose name begins so

Needs requirements-torch.txt. The weights follow from their names by a rule: offset + scale *
`noise`, which tests/src/torch_weights.rs has too, so that no weights need to be kept. For each network the goldens hold names,
shapes, offset and scale of its weights; and for three images the logits, and at the layer that Burncam explains, for the logit of the predicted class: the mean
gradient of each channel, the raw Grad-CAM map, and every so many-th value of activation and gradient.
"""

import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from timm.layers import ClassifierHead
from timm.models.vgg import ConvMlp
from torch import nn

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
IMAGES = ["Fold0/S01_sem_dor_01.png", "Fold0/S02_dor_01.png", "Fold1/rgba_dor.png"]
SAMPLES = 1024


# --------------------------------------------------------------------------------- the rule
def noise(key, count):
    """`count` numbers in [-1, 1): FNV-1a of the key seeds SplitMix64."""
    seed = 0xCBF29CE484222325
    for byte in key.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)


def spread(name, shape, names, gains):
    """Offset and scale of the weight called `name` in a network whose weights are called `names`."""
    layer, weight = name.rsplit(".", 1)
    normed = f"{layer}.running_mean" in names
    offset, scale = 0, 0.2
    if len(shape) > 1:
        scale = gains.get(layer, 1.0) * (6 / np.prod(shape[1:], dtype=np.float64)) ** 0.5
    elif weight == "bias":
        scale = 0.2 if normed else 0.05
    elif weight == "weight":
        offset, scale = (0.3, 0.06) if layer.endswith("bn3") else (1, 0.2)
    elif weight == "running_var":
        offset, scale = 1, 0.4
    return np.float32(offset), np.float32(scale)


def fill(network, model, gains):
    """Gives a model its weights and returns what `tensors.tsv` has of them."""
    state = model.state_dict()
    shapes = {name: list(tensor.shape) for name, tensor in state.items() if tensor.is_floating_point()}
    rows = ["tensor\tshape\toffset\tscale"]
    for name, shape in shapes.items():
        offset, scale = spread(name, shape, shapes, gains)
        array = offset + scale * noise(f"{network}/{name}", int(np.prod(shape)))
        state[name].copy_(torch.from_numpy(array.reshape(shape)))
        rows.append(f"{name}\t{'x'.join(map(str, shape))}\t{offset}\t{scale}")
    return rows


# ------------------------------------------------------- networks that are in no package
class CaffeBlock(nn.Module):
    """A bottleneck with its stride in the first convolution; with `conv4` and `conv5`, SENet's."""

    def __init__(self, inputs, width, stride, squeeze):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if inputs != 4 * width or stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False),
                                            nn.BatchNorm2d(4 * width))
        self.squeeze = squeeze
        if squeeze:
            self.conv4 = nn.Conv2d(4 * width, width // 4, 1)
            self.conv5 = nn.Conv2d(width // 4, 4 * width, 1)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        if self.squeeze:
            y = y * torch.sigmoid(self.conv5(torch.relu(self.conv4(y.mean((2, 3), keepdim=True)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class VggFace2(nn.Module):
    """The networks of cydonia999/VGGFace2-pytorch, by their settings and names."""

    def __init__(self, squeeze, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
        inputs = 64
        for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 1):
            stack = []
            for block in range(blocks):
                stack.append(CaffeBlock(inputs, width, 2 if block == 0 and stage > 1 else 1, squeeze))
                inputs = 4 * width
            setattr(self, f"layer{stage}", nn.Sequential(*stack))
        self.avgpool = nn.AvgPool2d(7, stride=1)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class PainNcnn(nn.Module):
    """`NCNN` of darkrubiks/AI-Assessment-of-Pain-in-Newborns, by its settings and names."""

    def __init__(self):
        super().__init__()
        self.left_branch = nn.Sequential(nn.MaxPool2d(10, 10))
        self.center_branch = nn.Sequential(
            nn.Conv2d(3, 64, 5), nn.LeakyReLU(0.01), nn.MaxPool2d(3, 3),
            nn.Conv2d(64, 64, 2), nn.LeakyReLU(0.01), nn.MaxPool2d(3, 3), nn.Dropout(0.1))
        self.right_branch = nn.Sequential(
            nn.Conv2d(3, 64, 5, padding=2), nn.LeakyReLU(0.01), nn.MaxPool2d(10, 10), nn.Dropout(0.1))
        self.merge_branch = nn.Sequential(nn.Conv2d(131, 64, 2), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten())
        self.classifier = nn.Sequential(nn.Linear(1600, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))

    def forward(self, x):
        branches = [self.left_branch(x), self.center_branch(x), self.right_branch(x)]
        return self.classifier(self.merge_branch(torch.cat(branches, 1)))


class PainVggFace(nn.Module):
    """`VGGFace` of the same repository: Caffe's layer names, and a head of its own (here narrower)."""

    def __init__(self):
        super().__init__()
        layers, inputs = {}, 3
        for stage, (filters, convs) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
            for conv in range(1, convs + 1):
                layers[f"conv{stage}_{conv}"] = nn.Conv2d(inputs, filters, 3, padding=1)
                layers[f"relu{stage}_{conv}"] = nn.ReLU()
                inputs = filters
            layers[f"pool{stage}"] = nn.MaxPool2d(2, 2)
        self.VGGFace = nn.Module()
        self.VGGFace.features = nn.Sequential()
        for name, layer in layers.items():
            self.VGGFace.features.add_module(name, layer)
        self.VGGFace.classifier = nn.Sequential(
            nn.Linear(512 * 49, 64), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 1))

    def forward(self, x):
        return self.VGGFace.classifier(self.VGGFace.features(x).flatten(1))


def narrow_head(model):
    """A VGG16 of torchvision with few neurons after the convolutions, to keep it small."""
    model.classifier = nn.Sequential(
        nn.Linear(512 * 49, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(),
        nn.Linear(64, 10))
    return model


def narrow_timm_head(model):
    """The same for timm's, whose dense layers are convolutions."""
    model.pre_logits = ConvMlp(512, 64, 7, act_layer=nn.ReLU, conv_layer=nn.Conv2d)
    model.head = ClassifierHead(64, 10)
    return model


# ------------------------------------------------------------------------------ the table
def scaled(divisor, mean, deviation, bgr=False):
    def prepare(x):
        x = x[..., ::-1] if bgr else x
        x = x / np.float32(divisor) - np.asarray(mean, np.float32)
        return np.ascontiguousarray(x / np.asarray(deviation, np.float32))
    return prepare


IMAGENET = scaled(255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = scaled(127.5, [1, 1, 1], [1, 1, 1])
VGGFACE2 = scaled(1, [91.4953, 103.8827, 131.0912], [1, 1, 1], bgr=True)
UNIT = scaled(255, [0, 0, 0], [1, 1, 1])
PAIN_FACE = scaled(255, [0.506, 0.410, 0.367], [1, 1, 1], bgr=True)

tv = torchvision.models
# name: how it is made, size, preprocessing, the module that is explained, gains by layer
NETWORKS = {
    "resnet50": (lambda: tv.resnet50(num_classes=10), 224, IMAGENET, "layer4.2", {"fc": 0.6}),
    "resnet50_timm": (lambda: timm.create_model("resnet50", num_classes=10), 224, IMAGENET, "layer4.2", {"fc": 0.5}),
    "resnet50_vggface2": (lambda: VggFace2(False, 8631), 224, VGGFACE2, "layer4.2", {"conv1": 1 / 64, "fc": 0.3}),
    "senet50_vggface2": (lambda: VggFace2(True, 10), 224, VGGFACE2, "layer4.2", {"conv1": 1 / 64, "fc": 1}),
    "seresnet50_timm": (lambda: timm.create_model("legacy_seresnet50", num_classes=10), 224, IMAGENET,
                        "layer4.2", {"last_linear": 1}),
    "inception_v3": (lambda: tv.inception_v3(num_classes=10, transform_input=True, init_weights=False), 299,
                     IMAGENET, "Mixed_7c", {"fc": 1}),
    "inception_v3_timm": (lambda: timm.create_model("inception_v3", num_classes=10), 299, HALF, "Mixed_7c",
                          {"fc": 1}),
    "vgg16": (lambda: narrow_head(tv.vgg16()), 224, IMAGENET, "features.29", {"classifier.6": 1}),
    "vgg16_bn": (lambda: narrow_head(tv.vgg16_bn()), 224, IMAGENET, "features.42", {"classifier.6": 1}),
    "vgg16_timm": (lambda: narrow_timm_head(timm.create_model("vgg16")), 224, IMAGENET,
                   "features.29", {"head.fc": 1}),
    "ncnn_pain": (PainNcnn, 120, UNIT, "merge_branch.1", {"classifier.3": 3}),
    "vgg16_pain": (PainVggFace, 224, PAIN_FACE, "VGGFace.features.relu5_3", {"VGGFace.classifier.6": 3}),
}


# ------------------------------------------------------------------------------ the goldens
def make(name):
    """A network with its weights, ready to compute."""
    build, size, prepare, layer, gains = NETWORKS[name]
    model = build().eval()
    with torch.no_grad():
        rows = fill(name, model, gains)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return model, rows, size, prepare, layer


def images(size, prepare):
    """The images as a batch, `[batch, 3, size, size]`."""
    def one(path):
        image = Image.open(GOLDENS / "faces" / path).convert("RGB").resize((size, size), Image.NEAREST)
        return prepare(np.asarray(image, dtype=np.float32))
    return torch.from_numpy(np.stack([one(path) for path in IMAGES])).permute(0, 3, 1, 2).contiguous()


def explain(model, layer, batch):
    """Logits, activation and gradient of the predicted class's logit at a layer."""
    kept = []

    def keep(_module, _inputs, output):
        output.retain_grad()
        kept.append(output)

    handle = model.get_submodule(layer).register_forward_hook(keep)
    logits = model(batch)
    handle.remove()
    if logits.shape[1] == 1:
        logits = torch.cat([-logits, logits], 1)
    logits.max(1).values.sum().backward()
    return logits.detach(), kept[0].detach(), kept[0].grad


def sampled(array):
    """Every so many-th value of each image."""
    flat = array.flatten(1)
    return flat[:, :: max(1, flat.shape[1] // SAMPLES) | 1].contiguous()


def main():
    torch.manual_seed(0)
    for name in NETWORKS:
        if not name.startswith(tuple(sys.argv[1:]) or ("",)):
            continue
        model, rows, size, prepare, layer = make(name)
        logits, activation, gradient = explain(model, layer, images(size, prepare))
        pooled = gradient.mean((2, 3))
        raw = (pooled[:, :, None, None] * activation).sum(1)
        folder = GOLDENS / "torch" / name
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"logits": logits, "pooled": pooled, "raw": raw, "activation": sampled(activation),
                  "gradient": sampled(gradient)}
        for array, tensor in arrays.items():
            np.save(folder / f"{array}.npy", tensor.numpy())
        (folder / "tensors.tsv").write_text("\n".join(rows) + "\n")
        print(f"{name}: {len(rows) - 1} tensors, logits up to {logits.abs().max():.3f}, "
              f"predicted {logits.argmax(1).tolist()}, map up to {raw.abs().max():.3g}", flush=True)


if __name__ == "__main__":
    main()
