"""Writes the networks that `cargo xtask bench --weights` is measured with as ONNX files for batches of any size:

    python bench_networks.py OUT

Weights are random; the statistics of batch normalisation are those of random images, and the logits lie apart, as a
trained network's do.
"""

import sys
from pathlib import Path

import timm
import torch
from torch import nn

SIZES = {"mobilenetv2_100": 224, "efficientnet_b0": 224, "densenet121": 224, "xception": 299, "resnetv2_50": 224}


def settle(model, size):
    """Makes activations of the same size throughout, and logits that differ."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.8, 1.2)
        nn.init.normal_(norm.bias, 0, 0.1)
    with torch.no_grad():
        model.train()
        for _ in range(3):
            model(torch.rand(8, 3, size, size))
        model.eval()
        last = [module for module in model.modules() if isinstance(module, (nn.Linear, nn.Conv2d))][-1]
        last.weight *= 20


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, size in SIZES.items():
        torch.manual_seed(1)
        model = timm.create_model(name, pretrained=False)
        settle(model, size)
        free = {"images": {0: "batch"}, "logits": {0: "batch"}}
        torch.onnx.export(model, (torch.rand(2, 3, size, size),), out / f"{name}.onnx", dynamo=False, opset_version=17,
                          input_names=["images"], output_names=["logits"], dynamic_axes=free)
        print(name, flush=True)


if __name__ == "__main__":
    main()
