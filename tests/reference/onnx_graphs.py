"""Writes small networks that Burncam does not know, as PyTorch exports them, and what PyTorch computes with them:

    python onnx_graphs.py ../goldens/onnx_graphs.zip

The archive has each network as `.onnx`, and `expected.json`: by network the logits of two inputs, `sin(0.01 * i)` for
number `i` of both. Each network has operators and settings that are easily read in a wrong way. Needs
requirements-torch.txt.
"""

import io
import json
import sys
import zipfile

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH = 33, 30


class Windows(nn.Module):
    """Groups, dilations, uneven padding, pooling with windows past the border."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=(2, 1), dilation=(2, 1))
        self.slopes = nn.PReLU(8)
        self.groups = nn.Conv2d(8, 12, 3, stride=2, padding=1, groups=4, bias=False)
        self.deep = nn.Conv2d(12, 24, 3, padding=1, groups=12)
        self.narrow = nn.Conv2d(24, 6, 1)
        self.head = nn.Linear(6 * 3 * 2, 5)

    def forward(self, x):
        x = F.max_pool2d(self.slopes(self.first(x)), 2, 1, padding=1, ceil_mode=True)
        x = F.relu6(self.groups(x) * 3)
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        x = F.leaky_relu(self.deep(x), 0.1)
        x = F.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False)
        x = F.avg_pool2d(x, 3, 1, padding=(1, 0))
        x = F.max_pool2d(x, (2, 1), (2, 1), padding=(1, 0))
        return self.head(torch.flatten(self.narrow(x), 1))


class Channels(nn.Module):
    """Channels that are shuffled, split, picked, squeezed and put together."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 12, 5, stride=3)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.down, self.up = nn.Conv2d(12, 4, 1), nn.Conv2d(4, 12, 1)
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        red = x[:, 0:1] * 1.5 + 0.1
        x = torch.cat([red, x[:, 1].unsqueeze(1) - 0.2, x[:, [2]]], 1)
        a, b = torch.relu(self.first(x)).chunk(2, 1)
        x = torch.cat([a, self.second(b)], 1)
        n, c, h, w = x.shape
        x = x.view(n, 3, c // 3, h, w).transpose(1, 2).reshape(n, c, h, w)
        factors = torch.sigmoid(self.up(F.silu(self.down(x.mean((2, 3), keepdim=True)))))
        x = x * factors + x.flatten(2).amax(2).view(n, c, 1, 1)
        return self.head(x.mean(3).mean(2)) - 1


class Norms(nn.Module):
    """Normalisations, channels last, GELU in parts."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 4, stride=4)
        self.layer, self.group, self.instance = nn.LayerNorm(8), nn.GroupNorm(4, 8), nn.InstanceNorm2d(8, affine=True)
        self.wide, self.back = nn.Linear(8, 16), nn.Linear(16, 8)
        self.scale = nn.Parameter(torch.rand(8, 1, 1) + 0.5)
        self.last = nn.BatchNorm1d(8 * 8 * 7)
        self.head = nn.Linear(8 * 8 * 7, 5)

    def forward(self, x):
        x = self.first((x - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)) / torch.tensor([0.5, 0.6, 0.7]).view(1, 3, 1, 1))
        y = self.layer(x.permute(0, 2, 3, 1))
        y = self.back(F.gelu(self.wide(y))).permute(0, 3, 1, 2)
        x = self.instance(self.group(x + self.scale * y))
        return self.head(self.last(F.hardswish(x).flatten(1)))


class Functions(nn.Module):
    """Functions, arithmetic of maps and numbers, maps that grow, a part of a map laid flat."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2)
        self.grown = nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1)
        self.shift = nn.Parameter(torch.rand(4, 1, 1) + 1)
        self.last = nn.Conv2d(4, 2, 5, stride=3)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = torch.tanh(self.first(x)) - F.elu(x[:, :, 1:-1:2, ::2][:, :, :, :14].mean(1, keepdim=True))
        x = self.grown(x)
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = 1 / (self.shift + x * x) + self.shift / (torch.abs(x) + 2)
        x = torch.maximum(torch.clamp(x, 0.2, 0.9), F.softplus(-x)) + torch.sqrt(torch.exp(x) + 1) ** 3
        x = F.pad(x, (1, 2, 0, 3))
        x = torch.minimum(F.selu(x), F.hardsigmoid(x) * 4)
        x = F.max_pool2d(self.last(x), 7, 7)
        return self.head(x[:, :, :2, :2].flatten(1))


NETWORKS = {"windows": (Windows, 17), "channels": (Channels, 11), "norms": (Norms, 13), "functions": (Functions, 18)}


def fill(model):
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0.1, 0.4)


def main(target):
    torch.manual_seed(7)
    count = 2 * 3 * HEIGHT * WIDTH
    values = np.sin(np.arange(count, dtype=np.float32) * np.float32(0.01)).reshape(2, 3, HEIGHT, WIDTH)
    inputs, expected = torch.from_numpy(values), {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (network, opset) in NETWORKS.items():
            model = network().eval()
            fill(model)
            with torch.no_grad():
                expected[name] = model(inputs).tolist()
            file = io.BytesIO()
            torch.onnx.export(model, (inputs[:1],), file, opset_version=opset, dynamo=False,
                              input_names=["images"], output_names=["logits"])
            archive.writestr(zipfile.ZipInfo(f"{name}.onnx"), file.getvalue(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("expected.json"), json.dumps(expected), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main(sys.argv[1])
