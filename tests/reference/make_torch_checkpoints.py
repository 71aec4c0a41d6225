"""Every network that Burncam takes from PyTorch, in every format, and what PyTorch computes with it:

    python make_torch_checkpoints.py ../../target/checkpoints
    cargo xtask compare target/checkpoints

Needs requirements-torch.txt. Each network of torch_networks.py gets a folder `<network>-<variant>` (and the maker, where two
make the same), with the weights as `torch.pth`, as `torch_legacy.pth` (the format before PyTorch 1.6), as `torch.safetensors`, and as the ONNX files of
both exporters, and with `reference.npz`, the output of each module for one image.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors.torch import save_file

from dump_torch import run
from torch_networks import GOLDENS, NETWORKS, images, make

# name in torch_networks.py: the folder
FOLDERS = {
    "resnet50": "ResNet50-torchvision",
    "resnet50_timm": "ResNet50-torchvision-timm",
    "resnet50_vggface2": "ResNet50-vggface2-pytorch",
    "senet50_vggface2": "SENet50-vggface2-pytorch",
    "seresnet50_timm": "SENet50-timm-legacy",
    "inception_v3": "IncepV3-torchvision",
    "inception_v3_timm": "IncepV3-torchvision-timm",
    "vgg16": "VGG16-torchvision",
    "vgg16_bn": "VGG16-torchvision-bn",
    "vgg16_timm": "VGG16-torchvision-timm",
    "ncnn_pain": "NCNN-darkrubiks",
    "vgg16_pain": "VGG16-darkrubiks",
}
# Heads of fewer neurons than the family's are stated beside the weights.
NARROW = "flatten; linear 64; relu; dropout; linear 64; relu; dropout; linear"
HEADS = {"vgg16": NARROW, "vgg16_bn": NARROW, "vgg16_pain": NARROW}
# One of each kind of graph: folded, with squeezes, with branches, with convolutions for dense layers.
GRAPHS = ["resnet50", "senet50_vggface2", "inception_v3", "vgg16_timm"]
GOLDEN_GRAPHS = GOLDENS / "torch" / "onnx"


def write(name, folder):
    """Writes the files of one network."""
    folder.mkdir(parents=True, exist_ok=True)
    model, _, size, prepare, _ = make(name)
    state = model.state_dict()
    if name in HEADS:
        (folder / "head.txt").write_text(HEADS[name] + "\n")
    torch.save(state, folder / "torch.pth")
    torch.save(state, folder / "torch_legacy.pth", _use_new_zipfile_serialization=False)
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / "torch.safetensors")

    x = images(size, prepare)[1:2]
    if getattr(model, "transform_input", False):
        x, model.transform_input = model._transform_input(x), False
    # The auxiliary head has no part in inference.
    if getattr(model, "AuxLogits", None) is not None:
        model.AuxLogits, model.aux_logits = None, False
    logits, layers = run(model, x)
    arrays = {f"layer/{key}": output.permute(0, 2, 3, 1).numpy() for key, output in layers.items()}
    np.savez(folder / "reference.npz", input=x.permute(0, 2, 3, 1).numpy(), logits=logits.numpy(), **arrays)
    for exporter, dynamo in (("script", False), ("dynamo", True)):
        torch.onnx.export(model, (x,), folder / f"torch_{exporter}.onnx", dynamo=dynamo, opset_version=18,
                          verbose=False)
    print(f"{folder}: {len(layers)} layers", flush=True)


def graphs(folder):
    """Writes the ONNX graphs of some networks without their weights into ../goldens/torch/onnx."""
    for name in GRAPHS:
        proto = onnx.load(folder / FOLDERS[name] / "torch_script.onnx")
        del proto.graph.value_info[:]
        for node in proto.graph.node:
            node.doc_string = ""
        GOLDEN_GRAPHS.mkdir(parents=True, exist_ok=True)
        onnx.save(proto, GOLDEN_GRAPHS / f"{name}.onnx", save_as_external_data=True, location="weights.bin",
                  size_threshold=64)
        (GOLDEN_GRAPHS / "weights.bin").unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--graphs", action="store_true", help="then write the goldens, graphs without weights")
    parser.add_argument("--only", help="only the networks of torch_networks.py whose names begin so")
    args = parser.parse_args()
    torch.manual_seed(0)
    for name in NETWORKS:
        if name.startswith(args.only or ""):
            write(name, args.out / FOLDERS[name])
    if args.graphs:
        graphs(args.out)


if __name__ == "__main__":
    main()
