"""Maps of pytorch-grad-cam, torch-cam, Captum, Xplique and of formulas in NumPy, for tests/goldens/attributions.zip:

    python make_attributions.py OUT             # networks, and what the libraries of PyTorch and NumPy make of them
    python make_attributions.py OUT --xplique   # with Xplique, in an environment of TensorFlow
    python make_attributions.py OUT --pack      # compares libraries with the formulas, and writes the archive

    python make_attributions.py OUT --large     # the cheap methods of ResNet50 and VGG16, not in the archive

`manifest.csv` has a row for each map: network, library, method, the options of Burncam that give the same numbers, the
ONNX node of the layer, the class, whether the map is raw or what the library returns to its user, and how far Burncam
may be from it, as a share of its largest value by size. Random numbers are those of Burncam: image `i` has seed 1000 + i.

Needs torch, torchvision, onnx, grad-cam 1.5.5, torchcam 0.5.0, captum 0.8.0, numpy, pillow; and xplique 2.0.2,
tensorflow-cpu 2.15, numpy for --xplique.
"""

import argparse
import contextlib
import csv
import io
import os
import zipfile
from functools import cached_property
from pathlib import Path
from unittest import mock

import numpy as np

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
FACES = ("Fold0/S02_dor_01.png", "Fold1/rgba_dor.png")
COLUMNS = ("network", "peer", "method", "options", "layer", "class", "kind", "file", "tolerance", "remark")
# Scores of many passes go through an exponential, or a bend of the network lies between two roundings in one of many.
MANY = (
    "score-cam", "ss-cam", "is-cam", "smooth-grad-cam++", "smooth-grad", "square-grad", "var-grad", "gradient-shap",
    "integrated-gradients", "occlusion", "rise",
)
AT_INPUT = (
    "saliency", "guided-backprop", "deconvolution", "input-x-gradient", "smooth-grad", "square-grad", "var-grad",
    "integrated-gradients", "gradient-shap", "occlusion", "rise", "full-grad",
)
SIGN = "sign: the largest value by size is positive"
LARGEST = "all channels of the library, the largest by size"


class Random:
    """Burncam's random numbers: SplitMix64."""

    def __init__(self, image):
        self.state = 1000 + image

    def bits(self, count):
        with np.errstate(over="ignore"):
            steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            bits = np.uint64(self.state) + steps
            bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        self.state = (self.state + count * 0x9E3779B97F4A7C15) % 2**64
        return bits ^ (bits >> np.uint64(31))

    def shares(self, count):
        return (self.bits(count) >> np.uint64(40)).astype(np.float32) / np.float32(2**24)

    def normal(self, *shape):
        count = int(np.prod(shape))
        shares = self.shares((count + 1) // 2 * 2).astype(np.float64)
        radius, angle = np.sqrt(-2 * np.log(1 - shares[::2])), 2 * np.pi * shares[1::2]
        numbers = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)
        return numbers.ravel()[:count].reshape(shape)


def faces(size):
    """Faces in 0..1, with grain, so that no two places are alike."""
    from PIL import Image

    grain, images = np.random.default_rng(3), []
    for path in FACES:
        image = Image.open(GOLDENS / "faces" / path).convert("RGB").resize((size, size), Image.BICUBIC)
        pixels = np.asarray(image).astype(int) + grain.integers(-6, 7, (size, size, 3))
        images.append(pixels.clip(0, 255).transpose(2, 0, 1))
    return (np.stack(images) / 255).astype(np.float32)


# Networks.


def ncnn():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            self.body = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 12, 3, padding=1), nn.ReLU())
            self.pool, self.flat = nn.MaxPool2d(4), nn.Flatten()
            self.head = nn.Sequential(nn.Linear(12 * 49, 24), nn.ReLU(), nn.Linear(24, 3))

        def forward(self, x):
            return self.head(self.flat(self.pool(self.body(self.stem(x)))))

    torch.manual_seed(40)
    return Net(), lambda net: (net.body[3], "/body/body.3/Relu", net.head[2])


def se_resnet():
    import torch
    from torch import nn

    class Gate(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.mean = nn.AdaptiveAvgPool2d(1)
            self.reduce, self.relu = nn.Conv2d(channels, channels // 2, 1), nn.ReLU()
            self.expand, self.sigmoid = nn.Conv2d(channels // 2, channels, 1), nn.Sigmoid()

        def forward(self, x):
            return x * self.sigmoid(self.expand(self.relu(self.reduce(self.mean(x)))))

    class Block(nn.Module):
        def __init__(self, before, channels, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
            self.bn1, self.relu1 = nn.BatchNorm2d(channels), nn.ReLU()
            self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.bn2, self.gate = nn.BatchNorm2d(channels), Gate(channels)
            self.shortcut = nn.Sequential()
            if before != channels:
                self.shortcut = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
            self.relu2 = nn.ReLU()

        def forward(self, x):
            y = self.gate(self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x))))))
            return self.relu2(y + self.shortcut(x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
            self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2), Block(16, 24, 2))
            self.mean, self.flat, self.head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4)

        def forward(self, x):
            return self.head(self.flat(self.mean(self.blocks(self.stem(x)))))

    torch.manual_seed(57)
    return Net(), lambda net: (net.blocks[2].relu2, "/blocks/blocks.2/relu2/Relu", net.head)


def resnet50():
    import torch
    import torchvision
    from torch import nn

    class Bottleneck(torchvision.models.resnet.Bottleneck):
        """With a rectifier of its own at each place, as Captum's guided backpropagation needs."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            del self.relu
            self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()

        def forward(self, x):
            y = self.relu1(self.bn1(self.conv1(x)))
            y = self.bn3(self.conv3(self.relu2(self.bn2(self.conv2(y)))))
            return self.relu3(y + (x if self.downsample is None else self.downsample(x)))

    torch.manual_seed(24)
    net = torchvision.models.ResNet(Bottleneck, [3, 4, 6, 3])
    net.relu.inplace = False
    return net, lambda net: (net.layer4[2].relu3, "/layer4/layer4.2/relu3/Relu", net.fc)


def vgg16():
    import torch
    import torchvision
    from torch import nn

    torch.manual_seed(25)
    net = torchvision.models.vgg16()
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return net, lambda net: (net.features[29], "/features/features.29/Relu", net.classifier[6])


NETWORKS = {"ncnn": (ncnn, 56), "se_resnet": (se_resnet, 64)}
LARGE = {"resnet50": (resnet50, 224), "vgg16": (vgg16, 224)}


class Network:
    """A network with weights, its images, and the class that is explained; `exact`, in double precision."""

    def __init__(self, name):
        import torch

        self.name, self.is_large = name, name in LARGE
        make, size = {**NETWORKS, **LARGE}[name]
        self.images = faces(size)[: 1 if self.is_large else 2]
        self.net, self.parts = make()
        shown = np.random.default_rng(4).random((2, 1, 8, 8)) < 0.5
        masked = faces(size) * np.repeat(np.repeat(shown, size // 8, 2), size // 8, 3)
        seen = np.concatenate([faces(size), masked]).astype(np.float32)
        weights(self.net, self.parts(self.net)[2], torch.from_numpy(seen), self.is_large)
        self.layer, self.node, _ = self.parts(self.net)
        logits = self.net(torch.from_numpy(self.images)).detach().numpy()
        self.target = int(softmax(logits.astype(np.float64)).mean(0).argmax())
        print(f"{name}: logits {np.round(logits[:, :4], 2).tolist()}, class {self.target}")

    @cached_property
    def exact(self):
        import copy

        return copy.deepcopy(self.net).double()

    def image(self, number):
        import torch

        return torch.from_numpy(self.images[number : number + 1])

    def export(self, path):
        import onnx
        import torch

        path.parent.mkdir(parents=True, exist_ok=True)
        arguments = {"opset_version": 17, "dynamo": False, "training": torch.onnx.TrainingMode.PRESERVE}
        names = {"input_names": ["images"], "output_names": ["logits"], "dynamic_axes": {"images": {0: "batch"}}}
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(self.net, (self.image(0),), path, do_constant_folding=False, **arguments, **names)
        assert self.node in [node.name for node in onnx.load(path).graph.node], "the layer's node has another name"


def weights(net, head, images, is_large):
    """Weights that keep activations of one size from layer to layer, and logits of about 1 to 10, of masked images, too."""
    import torch
    from torch import nn

    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)) and not (is_large and isinstance(module, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.2)
                module.momentum = None
        net.train()
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        net(images)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean += 0.2 * module.running_var.sqrt() * torch.randn(module.running_mean.shape)
                module.running_var *= 0.7 + 0.6 * torch.rand(module.running_var.shape)
                module.momentum = 0.1
        net.eval()
        logits = net(images)
        head.weight *= 2 / (logits - logits.mean(1, keepdim=True)).std()
        if is_large:
            head.weight *= 2


# Formulas, in double precision. Each takes what is known of one image and Burncam's options.


def softmax(values, axis=-1):
    values = np.exp(values - values.max(axis, keepdims=True))
    return values / values.sum(axis, keepdims=True)


def largest(values):
    """Of each pixel's channels, the largest value by size."""
    return np.abs(values).max(0)


def enlarged(values, size, corners=False):
    """The last two axes at another size, bilinear with half-pixel centres or with corners on corners."""

    def weights(before, after):
        places = np.arange(after, dtype=np.float64)
        places = places * (before - 1) / (after - 1) if corners else (places + 0.5) * before / after - 0.5
        places = places.clip(0, before - 1)
        low = np.minimum(np.floor(places).astype(int), before - 1)
        high, share = np.minimum(low + 1, before - 1), places - low
        table = np.zeros((after, before))
        np.add.at(table, (np.arange(after), low), 1 - share)
        np.add.at(table, (np.arange(after), high), share)
        return table

    (height, width), (rows, columns) = values.shape[-2:], size
    return weights(height, rows) @ values @ weights(width, columns).T


def nearest(values, size):
    rows, columns = (np.arange(after) * before // after for before, after in zip(values.shape[-2:], size, strict=True))
    return values[..., rows[:, None], columns]


def ranged(values, axes, epsilon=0.0):
    values = values - values.min(axes, keepdims=True)
    most = values.max(axes, keepdims=True) + epsilon
    return values / np.where(most == 0, 1, most)


class One:
    """What is known of one image: activations, gradients, passes of changed images."""

    def __init__(self, network, number):
        self.network, self.number = network, number
        self.net, self.layer, self.target = network.exact, network.parts(network.exact)[0], network.target
        self.image = network.images[number]
        self.x = self.image.astype(np.float64)
        self.size = self.image.shape[-2:]

    def random(self):
        return Random(self.number)

    def logits(self, images, layer=None):
        """Of images in NumPy; with what the layer's output is instead, if given."""
        import torch

        found = []
        for some in np.array_split(np.asarray(images, np.float64), -(-len(images) // 32)):
            handles = []
            if layer is not None:
                handles = [self.layer.register_forward_hook(lambda *_: torch.from_numpy(layer))]
                some = np.repeat(some, len(layer), 0)
            with torch.no_grad():
                found.append(self.net(torch.from_numpy(some)).numpy())
            [handle.remove() for handle in handles]
        return np.concatenate(found)

    def scores(self, images, score):
        logits = self.logits(images)
        return (softmax(logits) if score == "probability" else logits)[:, self.target]

    def backward(self, image, places=(), rule=None, of=None):
        """The outputs of modules, and the gradients of the logit, or of `of(logits)`, there and at the image."""
        import torch
        from torch import nn

        outputs, handles = {}, []
        for place in places:
            handles.append(place.register_forward_hook(lambda module, _, output: outputs.__setitem__(module, output)))
        rules = {
            "guided": lambda _, before, after: (before[0].clamp(min=0),),
            "deconvolution": lambda _, before, after: (after[0].clamp(min=0),),
        }
        if rule:
            rectifiers = [module for module in self.net.modules() if isinstance(module, nn.ReLU)]
            handles += [module.register_full_backward_hook(rules[rule]) for module in rectifiers]
        image = torch.from_numpy(np.asarray(image, np.float64)[None]).requires_grad_(True)
        logits = self.net(image)[0]
        value = logits[self.target] if of is None else of(logits)
        wanted = [image, *(outputs[place] for place in places)]
        gradients = [gradient[0].numpy() for gradient in torch.autograd.grad(value, wanted)]
        [handle.remove() for handle in handles]
        return [outputs[place][0].detach().numpy() for place in places], gradients

    @cached_property
    def pass_(self):
        (activations,), (at_input, gradients) = self.backward(self.x, [self.layer])
        return activations, gradients, at_input

    a = property(lambda self: self.pass_[0])
    g = property(lambda self: self.pass_[1])
    dx = property(lambda self: self.pass_[2])
    sums = property(lambda self: self.a.sum((1, 2)))
    z = cached_property(lambda self: self.logits(self.x[None])[0])

    def weighted(self, weights):
        return np.tensordot(weights, self.a, 1)

    def noisy(self, samples, noise, unit):
        """Images with noise on them, in the same single precision as Burncam's."""
        random = self.random()
        deviation = np.float32(noise) * (np.ptp(self.image) if unit == "range" else np.float32(1))
        for _ in range(int(samples)):
            yield self.image + random.normal(*self.image.shape) * deviation


def cam(one):
    return one.weighted(one.net.head.weight.detach().numpy()[one.target])


def random_cam(one):
    return one.weighted(2 * one.random().shares(len(one.a)).astype(np.float64) - 1)


def grad_cam(one):
    return one.weighted(one.g.mean((1, 2)))


def grad_cam_plus_plus(one, epsilon=0.0):
    bend = 2 * one.g**2 + one.sums[:, None, None] * one.g**3 + epsilon
    alpha = np.divide(one.g**2, bend, out=np.zeros_like(bend), where=one.g > 0)
    return one.weighted((alpha * one.g.clip(0)).sum((1, 2)))


def xgrad_cam(one, epsilon=0.0):
    sums = one.sums + epsilon
    return one.weighted(np.divide((one.g * one.a).sum((1, 2)), sums, out=np.zeros_like(sums), where=sums != 0))


def principal(values, centre):
    channels, height, width = values.shape
    x = values.reshape(channels, -1).T
    x = x - x.mean(0) if centre == "yes" else x
    projected = x @ np.linalg.svd(x, full_matrices=False)[2][0]
    return upright(projected.reshape(height, width))


def upright(values):
    return values * np.sign(values.flat[np.abs(values).argmax()])


def fem(one, weights="mean", deviations=2.0):
    mean, deviation = (getattr(one.a, name)((1, 2), keepdims=True) for name in ("mean", "std"))
    strong = one.a > mean + deviations * deviation
    return (strong * mean).sum(0) if weights == "mean" else one.weighted(strong.mean((1, 2)))


def by_score(one, change, score="probability", corners="no", normalise="after", epsilon=0.0):
    """`change` makes several masks of one."""
    masks = ranged(one.a, (1, 2), epsilon) if normalise == "before" else one.a
    masks = enlarged(masks, one.size, corners == "yes")
    masks = masks if normalise == "before" else ranged(masks, (1, 2), epsilon)
    scores = [one.scores(one.x * np.stack(change(mask))[:, None], score).mean() for mask in masks]
    return one.weighted(softmax(np.array(scores)))


def score_cam(one, **options):
    return by_score(one, lambda mask: [mask], **options)


def ss_cam(one, samples=35, noise=2.0, **options):
    random = one.random()
    return by_score(one, lambda mask: [mask + noise * random.normal(*mask.shape) for _ in range(int(samples))], **options)


def is_cam(one, steps=10, **options):
    steps = int(steps)
    return by_score(one, lambda mask: [mask * step / steps for step in range(1, steps + 1)], **options)


def ablation_cam(one, divide="no"):
    ablated = np.repeat(one.a[None], len(one.a), 0)
    ablated[range(len(one.a)), range(len(one.a))] = 0
    weights = one.z[one.target] - one.logits(one.x[None], ablated)[:, one.target]
    return one.weighted(weights / one.z[one.target] if divide == "yes" else weights)


def smooth_grad_cam_plus_plus(one, samples=25, noise=0.15, unit="range"):
    gradients = [one.backward(image, [one.layer])[1][1] for image in one.noisy(samples, noise, unit)]
    m1, m2, m3 = (np.mean([gradient**power for gradient in gradients], 0) for power in (1, 2, 3))
    bend = 2 * m2 + one.sums[:, None, None] * m3
    alpha = np.divide(m2, bend, out=np.zeros_like(bend), where=bend > 0)
    return one.weighted((alpha * m1.clip(0)).sum((1, 2)))


def finer_cam(one, references=3, alpha=0.6, weights="equal"):
    others = [other for other in np.argsort(np.abs(one.z - one.z[one.target])) if other != one.target][: int(references)]

    def gap(logits):
        import torch

        gaps = logits[one.target] - alpha * logits[others]
        if weights == "equal":
            return gaps.mean()
        shares = torch.softmax(logits, 0)[others]
        return (shares * gaps).sum() / (shares.sum() + 1e-9)

    return one.weighted(one.backward(one.x, [one.layer], of=gap)[1][1].mean((1, 2)))


def moments(one, samples, noise, unit):
    gradients = np.stack([one.backward(image)[1][0] for image in one.noisy(samples, noise, unit)])
    return gradients.mean(0), (gradients**2).mean(0)


def smooth_grad(one, samples=50, noise=0.15, unit="range"):
    return largest(moments(one, samples, noise, unit)[0])


def square_grad(one, samples=50, noise=0.15, unit="range"):
    return largest(moments(one, samples, noise, unit)[1])


def var_grad(one, samples=50, noise=0.15, unit="range"):
    mean, squares = moments(one, samples, noise, unit)
    return largest(squares - mean**2)


def integrated_gradients(one, steps=50, rule="gauss-legendre", baseline=0.0):
    steps = int(steps)
    if rule == "gauss-legendre":
        places, shares = np.polynomial.legendre.leggauss(steps)
        places, shares = (places + 1) / 2, shares / 2
    else:
        places, shares = np.linspace(0, 1, steps), np.full(steps, 1 / (steps - 1))
        shares[[0, -1]] /= 2
    way = one.x - baseline
    return (way * sum(share * one.backward(baseline + place * way)[1][0] for place, share in zip(places, shares))).sum(0)


def gradient_shap(one, samples=50, noise=0.0, unit="range", baseline=0.0):
    random, total = one.random(), 0
    deviation = np.float32(noise) * (np.ptp(one.image) if unit == "range" else np.float32(1))
    for _ in range(int(samples)):
        place = random.shares(1)[0]
        image = one.image + random.normal(*one.image.shape) * deviation if noise > 0 else one.image
        way = image - np.float32(baseline)
        total = total + way.astype(np.float64) * one.backward(way * place + np.float32(baseline))[1][0]
    return total.sum(0) / samples


def guided_grad_cam(one, resize="bilinear"):
    guided = one.backward(one.x, rule="guided")[1][0]
    return largest(guided * (nearest if resize == "nearest" else enlarged)(grad_cam(one).clip(0), one.size))


def occlusion(one, patch=20, stride=10, baseline=0.0, score="probability", overlaps="mean"):
    patch, stride = int(patch), int(stride)
    rows, columns = (stride * np.arange(-(-max(side - patch, 0) // stride) + 1) for side in one.size)
    windows = np.zeros((len(rows), len(columns), *one.size))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            windows[i, j, row : row + patch, column : column + patch] = 1
    windows = windows.reshape(-1, 1, *one.size)
    lost = one.scores(one.x[None], score) - one.scores(one.x * (1 - windows) + baseline * windows, score)
    total = np.tensordot(lost, windows[:, 0], 1)
    return total if overlaps == "sum" else total / windows[:, 0].sum(0).clip(1)


def rise_masks(random, size, masks=4000, grid=7, p=0.5):
    """Grids, and how far each is shifted once it is enlarged."""
    masks, grid = int(masks), int(grid)
    cells, shifts, cell = [], [], [-(-side // grid) for side in size]
    for _ in range(masks):
        cells.append(random.shares(grid * grid).reshape(grid, grid) < np.float32(p))
        shifts.append([int(bits) % side for bits, side in zip(random.bits(2), cell)])
    return np.stack(cells).astype(np.float64), shifts, [(grid + 1) * side for side in cell]


def rise(one, masks=4000, grid=7, p=0.5, score="probability", divide="p"):
    cells, shifts, size = rise_masks(one.random(), one.size, masks, grid, p)
    height, width = one.size
    whole = enlarged(cells, size)
    cut = np.stack([mask[down : down + height, right : right + width] for mask, (down, right) in zip(whole, shifts)])
    total = np.tensordot(one.scores(one.x * cut[:, None], score), cut, 1)
    return total / (masks * p) if divide == "p" else total / (cut.sum(0) + 1e-4)


def full_grad(one, rescale="layer", epsilon=0):
    from torch import nn

    modules = [module for module in one.net.modules() if isinstance(module, (nn.Conv2d, nn.BatchNorm2d))]
    modules = [module for module in modules if module.bias is not None]
    axes = (0, 1, 2) if rescale == "layer" else (1, 2)
    _, (at_input, *gradients) = one.backward(one.x, modules)
    total = ranged(np.abs(one.x * at_input), axes, epsilon).sum(0)
    for module, gradient in zip(modules, gradients, strict=True):
        offset = module.bias
        if isinstance(module, nn.BatchNorm2d):
            offset = offset - module.running_mean * module.weight / (module.running_var + module.eps).sqrt()
        if gradient.shape[1:] == (1, 1):
            continue  # It has no place.
        product = np.abs(offset.detach().numpy()[:, None, None] * gradient)
        total = total + enlarged(ranged(product, axes, epsilon), one.size).sum(0)
    return total


FORMULAS = {
    "grad-cam": grad_cam,
    "hires-cam": lambda one: (one.g * one.a).sum(0),
    "layer-cam": lambda one: (one.g.clip(0) * one.a).sum(0),
    "elementwise-cam": lambda one: (one.g * one.a).clip(0).sum(0),
    "grad-cam++": grad_cam_plus_plus,
    "xgrad-cam": xgrad_cam,
    "eigen-cam": lambda one, centre="no": principal(one.a, centre),
    "eigen-grad-cam": lambda one, centre="no": principal(one.a * one.g, centre),
    "fem": fem,
    "cam": cam,
    "random-cam": random_cam,
    "score-cam": score_cam,
    "ss-cam": ss_cam,
    "is-cam": is_cam,
    "ablation-cam": ablation_cam,
    "smooth-grad-cam++": smooth_grad_cam_plus_plus,
    "finer-cam": finer_cam,
    "saliency": lambda one: largest(one.dx),
    "guided-backprop": lambda one: largest(one.backward(one.x, rule="guided")[1][0]),
    "deconvolution": lambda one: largest(one.backward(one.x, rule="deconvolution")[1][0]),
    "input-x-gradient": lambda one: (one.x * one.dx).sum(0),
    "smooth-grad": smooth_grad,
    "square-grad": square_grad,
    "var-grad": var_grad,
    "integrated-gradients": integrated_gradients,
    "gradient-shap": gradient_shap,
    "guided-grad-cam": guided_grad_cam,
    "occlusion": occlusion,
    "rise": rise,
    "full-grad": full_grad,
}
ALONE = (  # What NumPy gives, of every network.
    *((method, "") for method in (
        "grad-cam", "hires-cam", "layer-cam", "elementwise-cam", "grad-cam++", "xgrad-cam", "eigen-cam", "eigen-grad-cam", "fem",
        "random-cam", "saliency", "guided-backprop", "deconvolution", "input-x-gradient", "finer-cam", "guided-grad-cam",
        "full-grad", "integrated-gradients", "cam")),
    ("fem", "deviations=1"), ("finer-cam", "references=1,alpha=0.8"), ("full-grad", "rescale=channel"),
)
COSTLY = (  # And of the small ones.
    ("score-cam", ""), ("ablation-cam", ""), ("ss-cam", "samples=3"), ("is-cam", "steps=4"), ("smooth-grad-cam++", "samples=4"),
    ("smooth-grad", "samples=5"), ("square-grad", "samples=5"), ("var-grad", "samples=5"),
    ("integrated-gradients", "rule=trapezoid"), ("gradient-shap", "samples=5"), ("gradient-shap", "samples=5,noise=0.15"),
    ("occlusion", ""), ("rise", "masks=40"), ("rise", "masks=40,divide=coverage"),
)


def formula(network, method, options):
    """The maps of all images, `[images, height, width]`."""
    values = {}
    for option in filter(None, options.split(",")):
        name, value = option.split("=")
        try:
            values[name] = float(value)
        except ValueError:
            values[name] = value
    return np.stack([FORMULAS[method](One(network, number), **values) for number in range(len(network.images))])


def alone(network):
    """Maps by NumPy: method, options, kind, remark, maps."""
    for method, options in ALONE if network.is_large else ALONE + COSTLY:
        if method == "cam" and not hasattr(network.net, "mean"):
            continue
        remark = SIGN if method.startswith("eigen") else ""
        yield method, options, "raw", remark, formula(network, method, options)


# Libraries. Each gives method, options, kind, remark, maps.


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def pytorch_grad_cam(network):
    import pytorch_grad_cam as cams
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    classes = len(network.net(network.image(0))[0])
    finer = {"targets": None, "target_idx": network.target, "comparison_categories": list(range(1, min(4, classes)))}
    kinds = (
        ("grad-cam", "GradCAM", ""), ("hires-cam", "HiResCAM", ""), ("layer-cam", "LayerCAM", ""),
        ("elementwise-cam", "GradCAMElementWise", ""), ("grad-cam++", "GradCAMPlusPlus", "epsilon=1e-6"),
        ("xgrad-cam", "XGradCAM", "epsilon=1e-7"), ("eigen-cam", "EigenCAM", "centre=yes"),
        ("eigen-grad-cam", "EigenGradCAM", "centre=yes"), ("fem", "FEM", "weights=share"),
        ("finer-cam", "FinerCAM", "weights=probability,alpha=1"), ("full-grad", "FullGrad", "rescale=channel,epsilon=1e-7"),
        ("ablation-cam", "AblationCAM", "divide=yes"), ("score-cam", "ScoreCAM", "score=logit,corners=yes,epsilon=1e-8"),
    )
    for method, kind, options in kinds[:-2] if network.is_large else kinds:
        raws, finals = [], []
        for number in range(len(network.images)):
            with quiet():
                own = getattr(cams, kind)(network.net, [network.layer])
                base, name = getattr(own, "base_cam", own), "compute_cam_per_layer" if method == "full-grad" else "get_cam_image"
                step = getattr(base, name)

                def kept(*args, step=step):
                    raws.append(np.array(step(*args)))
                    return raws[-1].copy()

                arguments = finer if method == "finer-cam" else {"targets": [ClassifierOutputTarget(network.target)]}
                with mock.patch.object(base, name, kept):
                    finals.append(own(network.image(number), **arguments)[0])
                base.activations_and_grads.release()
        raws = np.stack([raw.reshape(raw.shape[-2:]) for raw in raws])
        if method.startswith("eigen"):
            yield method, options, "raw", SIGN, np.stack([upright(raw) for raw in raws])
            continue
        yield method, options, "raw", "", raws
        yield method, "like", "final", "", np.stack(finals)


def torch_cam(network):
    import torchcam.methods as cams

    names = {module: name for name, module in network.net.named_modules()}
    fitted = {"target_layer": names[network.layer], "input_shape": network.images.shape[1:]}
    kinds = [
        ("grad-cam", "GradCAM", "", {}), ("layer-cam", "LayerCAM", "", {}), ("xgrad-cam", "XGradCAM", "epsilon=1e-8", {}),
        ("finer-cam", "FinerCAM", "", {}),
    ]
    if hasattr(network.net, "mean"):
        kinds.append(("cam", "CAM", "", {"fc_layer": "head"}))
    if not network.is_large:
        kinds += [
            ("score-cam", "ScoreCAM", "score=logit,normalise=before,epsilon=1e-8", {}),
            ("ss-cam", "SSCAM", "samples=3,score=logit,normalise=before,epsilon=1e-8", {"num_samples": 3}),
        ]
    for method, kind, options, arguments in kinds:
        raws, finals = [], []
        for number in range(len(network.images)):
            for maps, normalized in ((raws, False), (finals, True)):
                own = getattr(cams, kind)(network.net, **fitted, **arguments)
                base = getattr(own, "base_cam", own)
                base._relu = base._relu and normalized
                if method == "ss-cam":
                    base._distrib = Noise(number, 3, 2.0)
                scores = network.net(network.image(number))
                (found,) = own(network.target, scores, normalized=normalized)
                base.remove_hooks()
                maps.append(found[0].detach().numpy())
        yield method, options, "raw", "", np.stack(raws)
        like = "like,samples=3" if method == "ss-cam" else "like"
        yield method, like, "final", "not rectified" if method == "cam" else "", np.stack(finals)


class Noise:
    """In the place of a distribution of PyTorch: all samples of a channel before those of the next."""

    def __init__(self, number, samples, deviation):
        self.number, self.samples, self.deviation, self.next = number, samples, deviation, 0

    def sample(self, size):
        import torch

        _, channels, height, width = size
        numbers = Random(self.number).normal(channels, self.samples, height, width)[:, self.next]
        self.next += 1
        return torch.from_numpy(numbers[None] * np.float32(self.deviation))


def captum(network):
    import captum.attr as attr
    import torch

    def maps(own, reduce, **arguments):
        found = []
        for number in range(len(network.images)):
            image = network.image(number).requires_grad_(True)
            with contextlib.ExitStack() as patches:
                if isinstance(own, attr.NoiseTunnel):
                    noise = lambda mean, deviation: torch.from_numpy(Random(number).normal(*deviation.shape)) * deviation + mean
                    patches.enter_context(mock.patch.object(torch, "normal", noise))
                if isinstance(own, attr.GradientShap):
                    shares = lambda low, high, count: Random(number).shares(count)
                    patches.enter_context(mock.patch.object(np.random, "uniform", shares))
                values = own.attribute(image, target=network.target, **arguments)
            found.append(reduce(values[0].detach().numpy()))
        return np.stack(found)

    def total(values):
        return values.sum(0)

    def only(values):
        return values[0]

    net = network.net
    yield "grad-cam", "", "raw", "", maps(attr.LayerGradCam(net, network.layer), only)
    yield "guided-grad-cam", "resize=nearest", "raw", LARGEST, maps(attr.GuidedGradCam(net, network.layer), largest)
    yield "saliency", "", "raw", LARGEST, maps(attr.Saliency(net), largest)
    yield "guided-backprop", "", "raw", LARGEST, maps(attr.GuidedBackprop(net), largest)
    yield "deconvolution", "", "raw", LARGEST, maps(attr.Deconvolution(net), largest)
    yield "input-x-gradient", "", "raw", "sum of channels", maps(attr.InputXGradient(net), total)
    own, per_pass = attr.IntegratedGradients(net), {"internal_batch_size": 5}
    yield "integrated-gradients", "", "raw", "sum of channels", maps(own, total, **per_pass)
    if network.is_large:
        return
    own = attr.NoiseTunnel(attr.Saliency(net))
    for method, kind in (("smooth-grad", "smoothgrad"), ("square-grad", "smoothgrad_sq"), ("var-grad", "vargrad")):
        for deviation in (1, 0.1):
            arguments = {"nt_type": kind, "nt_samples": 5, "stdevs": float(deviation), "abs": False}
            yield method, f"samples=5,noise={deviation},unit=input", "raw", LARGEST, maps(own, largest, **arguments)
    own, empty = attr.GradientShap(net), torch.zeros_like(network.image(0))
    yield "gradient-shap", "samples=5", "raw", "sum of channels", maps(own, total, n_samples=5, baselines=empty)
    own, windows = attr.Occlusion(net), {"sliding_window_shapes": (3, 20, 20), "strides": (3, 10, 10)}
    yield "occlusion", "score=logit", "raw", "", maps(own, only, **windows)


def xplique(out):
    """The small network without batch normalisation, with its weights, in Keras."""
    import tensorflow as tf
    import xplique.attributions as attr

    tf.config.run_functions_eagerly(True)
    layers, stored = tf.keras.layers, np.load(out / "weights.npz")
    images = np.load(out / "ncnn" / "images.npy").transpose(0, 2, 3, 1)
    target = int(stored["target"])
    convolution, size = {"kernel_size": 3, "padding": "same"}, images.shape[1]
    net = tf.keras.Sequential([
        layers.InputLayer((size, size, 3)), layers.Conv2D(8, **convolution), layers.ReLU(), layers.MaxPooling2D(2),
        layers.Conv2D(16, **convolution), layers.ReLU(), layers.Conv2D(12, **convolution), layers.ReLU(name="layer"),
        layers.MaxPooling2D(4), layers.Flatten(), layers.Dense(24), layers.ReLU(), layers.Dense(3),
    ])
    weights = [stored[name] for name in stored.files if name.endswith((".weight", ".bias"))]
    # From channels, rows, columns to rows, columns, channels.
    weights[6] = weights[6].reshape(24, 12, 7, 7).transpose(0, 2, 3, 1).reshape(24, -1)
    net.set_weights([values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T for values in weights])
    apart = np.abs(net(images).numpy() - stored["logits"]).max()
    print(f"xplique: logits differ from PyTorch's by {apart:.1e}")
    assert apart < 1e-4
    classes = np.eye(3, dtype=np.float32)[[target] * len(images)]

    def maps(kind, reduce, **arguments):
        found = []
        for number, image in enumerate(images):
            random = Random(number)

            def normal(shape, mean, deviation, dtype):
                # The library has all copies of one image in one call.
                copies, height, width, channels = shape
                return random.normal(copies, channels, height, width).transpose(0, 2, 3, 1) * np.float32(deviation)

            with mock.patch.object(tf.random, "normal", normal):
                values = getattr(attr, kind)(net, **arguments).explain(image[None], classes[number : number + 1])
            found.append(reduce(values.numpy()[0].transpose(2, 0, 1)))
        return np.stack(found)

    def only(values):
        return values[0]

    yield "saliency", "", "raw", "", maps("Saliency", only)
    yield "saliency", "like", "final", "", maps("Saliency", only)
    by_largest = f"reducer=None, {LARGEST}; by default, it takes the mean of channels"
    for method, kind in (("guided-backprop", "GuidedBackprop"), ("deconvolution", "DeconvNet")):
        yield method, "", "raw", by_largest, maps(kind, largest, reducer=None)
    by_sum = "reducer=sum; by default, it takes the mean of channels"
    yield "input-x-gradient", "", "raw", by_sum, maps("GradientInput", only, reducer="sum")
    yield "integrated-gradients", "rule=trapezoid", "raw", by_sum, maps("IntegratedGradients", only, reducer="sum")
    for method, kind in (("smooth-grad", "SmoothGrad"), ("square-grad", "SquareGrad"), ("var-grad", "VarGrad")):
        found, remark = maps(kind, largest, reducer=None, nb_samples=5, noise=0.2), by_largest
        if method == "var-grad":
            found, remark = found * (4 / 5), f"times 4/5, because it divides by samples - 1; {by_largest}"
        yield method, "samples=5,noise=0.2,unit=input", "raw", remark, found
    found = maps("Occlusion", only, patch_size=20, patch_stride=12)
    yield "occlusion", "patch=20,stride=12,score=logit,overlaps=sum", "raw", "", found

    own = attr.GradCAM(net, conv_layer="layer")
    activations, gradients = (values.numpy() for values in own._gradient(tf.constant(images), tf.constant(classes)))
    found = own._compute_weights(gradients, activations).numpy() * activations
    yield "grad-cam", "", "raw", "", found.sum(-1)
    enlarged_by = "rectified, and enlarged by tf.image.resize, bicubic"
    yield "grad-cam", "like", "final", enlarged_by, own.explain(images, classes).numpy()[..., 0]
    own = attr.FEM(net, conv_layer="layer")
    mean, strong = own._compute_weights(tf.constant(activations), own.k)
    yield "fem", "", "raw", "", own._apply_weights(mean, strong).numpy()
    yield "fem", "like", "final", "enlarged by tf.image.resize, bicubic", own.explain(images).numpy()[..., 0]

    for score in ("logit", "probability"):
        found = []
        for number, image in enumerate(images):
            cells, shifts, _ = rise_masks(Random(number), image.shape[:2], 40)
            cells, shifts = tf.constant(cells[..., None] > 0.5), iter(shifts)

            def crop(values, shape):
                down, right = next(shifts)
                return values[:, down : down + shape[1], right : right + shape[2]]

            # A batch of one: the library shifts all masks of a batch alike.
            model = net if score == "logit" else tf.keras.Sequential([net, layers.Softmax()])
            own = attr.Rise(model, batch_size=1, nb_samples=40)
            with mock.patch.object(tf.image, "random_crop", crop), mock.patch.object(attr.Rise, "_get_masks", lambda *_: cells):
                found.append(own.explain(image[None], classes[number : number + 1]).numpy()[0, ..., 0])
        options = "masks=40,divide=coverage" + (",score=logit" if score == "logit" else "")
        yield "rise", options, "raw", "batch_size=1, because it shifts all masks of a batch alike", np.stack(found)


# Files.


class Rows:
    """Maps in a folder, and the table of them."""

    def __init__(self, out, table):
        self.out, self.table, self.rows = out, table, []

    def add(self, network, node, target, peer, results):
        for method, options, kind, remark, maps in results:
            maps = np.asarray(maps, np.float32)
            assert np.isfinite(maps).all(), (network, peer, method)
            written = options.replace("=", "_").replace(",", "-")
            file = f"{network}/{peer}/{'-'.join(filter(None, [method, written, kind]))}.npy"
            (self.out / file).parent.mkdir(parents=True, exist_ok=True)
            np.save(self.out / file, maps)
            tolerance = tolerance_of(network, peer, method, options)
            layer = "" if method in AT_INPUT else node
            self.rows.append((network, peer, method, options, layer, target, kind, file, tolerance, remark))
        print(f"{network} {peer}: {sum(row[:2] == (network, peer) for row in self.rows)} rows", flush=True)

    def write(self):
        write_table(self.out / self.table, self.rows)


def tolerance_of(network, peer, method, options):
    return "1e-3" if method in MANY else "1e-4"


def write_table(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write(out, names, table):
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    rows = Rows(out, table)
    networks = {}
    for name in names:
        network = networks[name] = Network(name)
        network.export(out / name / "net.onnx")
        np.save(out / name / "images.npy", network.images)
        if name == "ncnn":
            stored = {key: values.numpy() for key, values in network.net.state_dict().items()}
            logits = network.net(torch.from_numpy(network.images)).detach().numpy()
            np.savez(out / "weights.npz", **stored, target=network.target, logits=logits)
        peers = {"pytorch-grad-cam": pytorch_grad_cam, "torch-cam": torch_cam, "captum": captum, "numpy": alone}
        for peer, results in peers.items():
            rows.add(name, network.node, network.target, peer, results(network))
        if network.is_large:
            share = rounding(network)
            rows.rows = [rounded(out, row, rows.rows, share) if row[0] == name else row for row in rows.rows]
    rows.write()
    check(out, rows.rows, networks)


def rounding(network):
    """How far PyTorch's gradient at the image is in single precision from that in double, as a share of its largest."""
    import torch

    def gradient(net, image):
        image.requires_grad_(True)
        return torch.autograd.grad(net(image)[0, network.target], image)[0].double().numpy()

    single, double = gradient(network.net, network.image(0)), gradient(network.exact, network.image(0).double())
    share = np.abs(single - double).max() / np.abs(double).max()
    print(f"{network.name}: PyTorch's single precision changes the gradient at the image by {share:.1e} of its largest value")
    return share


def rounded(out, row, rows, share):
    """A row of a large network. Small sums decide which rectifiers are open, so single precision changes gradients at the
    image: twice as far as a library's own map is from that in double precision is near enough; `share` is for methods of
    which that is not known."""
    network, peer, method, options, *_ = row
    if method not in (*AT_INPUT, "guided-grad-cam"):
        return row
    exact = {row[2:4]: row[7] for row in rows if row[0] == network and row[1] == "numpy"}
    shares = []
    for row_ in rows:
        if row_[0] == network and row_[1] != "numpy" and row_[2] == method and row_[6] == "raw" and row_[2:4] in exact:
            maps, own = (np.load(out / file).astype(np.float64) for file in (row_[7], exact[row_[2:4]]))
            shares.append(np.abs(maps - own).max() / np.abs(own).max())
    tolerance = max(float(row[8]), 2 * max(shares, default=share))
    remark = "; ".join(filter(None, ["large networks: within twice what single precision costs PyTorch", row[9]]))
    return (*row[:8], f"{tolerance:.1e}", remark)


def finished(peer, method, raw, size):
    """What pytorch-grad-cam and torch-cam make of a raw map."""
    if peer == "torch-cam":
        return ranged(raw if method == "cam" else raw.clip(0), (1, 2), 1e-8)
    return ranged(enlarged(ranged(raw.clip(0), (1, 2), 1e-7), size), (1, 2), 1e-7)


def check(out, rows, networks):
    """Prints how far libraries are from formulas with the same options."""
    exact = {(row[0], row[2], row[3]): row[7] for row in rows if row[1] == "numpy"}
    raws, worst = {}, []
    for network, peer, method, options, _, _, kind, file, tolerance, _ in rows:
        maps = np.load(out / file).astype(np.float64)
        if kind == "raw":
            raws[network, peer, method] = maps
        if peer == "numpy":
            continue
        if kind == "raw":
            known = exact.get((network, method, options))
            own = np.load(out / known) if known else formula(networks[network], method, options)
        elif peer == "xplique":
            continue
        else:
            own = finished(peer, method, raws[network, peer, method], networks[network].images.shape[2:])
        apart = np.abs(maps - own).max((1, 2)) / np.abs(own).max((1, 2))
        worst.append((apart.max() / float(tolerance), apart.max(), network, peer, method, options, kind))
    for excess, apart, *row in sorted(worst, reverse=True):
        print(f"{apart:.1e}{'  TOO FAR' if excess > 1 else ''}  {' '.join(row)}")


def pack(out):
    rows = [tuple(row.values()) for table in ("torch.csv", "xplique.csv") for row in read_table(out / table)]
    check(out, rows, {name: Network(name) for name in NETWORKS})
    write_table(out / "manifest.csv", rows)
    names = ["manifest.csv", *(f"{name}/{file}" for name in NETWORKS for file in ("net.onnx", "images.npy"))]
    path = GOLDENS / "attributions.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in [*names, *(row[7] for row in rows)]:
            archive.writestr(zipfile.ZipInfo(name), (out / name).read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{path}: {len(rows)} rows, {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    step = parser.add_mutually_exclusive_group()
    for name in ("xplique", "pack", "large"):
        step.add_argument(f"--{name}", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.xplique:
        rows = Rows(args.out, "xplique.csv")
        rows.add("ncnn", "/body/body.3/Relu", int(np.load(args.out / "weights.npz")["target"]), "xplique", xplique(args.out))
        rows.write()
    elif args.pack:
        pack(args.out)
    elif args.large:
        write(args.out, LARGE, "manifest.csv")
    else:
        write(args.out, NETWORKS, "torch.csv")


if __name__ == "__main__":
    main()
