"""Writes what a PyTorch network computes for one image, to be compared with Burncam:

    python dump_torch.py torchvision:resnet50 weights.pth image.png dump.npz --imagenet
    cargo xtask compare weights.pth --reference dump.npz

Needs PyTorch, NumPy and Pillow, and torchvision or timm where they have the network. A network of your own is
`path/to/file.py:function`, a function that makes it.

The dump holds `input`, what the first layer reads, as [1, height, width, 3]; `layer/<name>`, the output of each module
that runs once and gives a map, as [1, height, width, channels]; and `logits`. All are float32.

Both sides compute on `input`, so it matters little how the image became numbers:

    --imagenet                            (x / 255 - mean) / deviation, as torchvision and timm do
    --divide 1 --bgr --mean 104,117,124   Caffe's way: BGR minus the mean
"""

import argparse
import importlib.util

import numpy as np
import torch
from PIL import Image

IMAGENET = {"divide": 255.0, "mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"}
# Where training scripts put the weights.
STATE_KEYS = ["state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights"]
PREFIXES = ["module.", "model.", "_orig_mod.", "net.", "network."]


def build(spec, classes):
    """The network that `torchvision:name`, `timm:name` or `file.py:function` names."""
    place, name = spec.rsplit(":", 1)
    if place == "torchvision":
        import torchvision
        options = {"init_weights": False, "transform_input": True} if name == "inception_v3" else {}
        return torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
    if place == "timm":
        import timm
        return timm.create_model(name, num_classes=classes)
    module_spec = importlib.util.spec_from_file_location("network", place)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return getattr(module, name)()


def weights(path):
    """The dict of tensors in a file, without what wrappers put before each name."""
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        key = next((key for key in STATE_KEYS if isinstance(state.get(key), dict)), None)
        state = state[key] if key else state
    while prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in state)), None):
        state = {name[len(prefix):]: tensor for name, tensor in state.items()}
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def prepare(path, size, divide, mean, std, bgr):
    """The image as network input, resized by nearest neighbour."""
    image = Image.open(path).convert("RGB").resize((size, size), Image.NEAREST)
    x = np.asarray(image, dtype=np.float32)
    x = x[..., ::-1] if bgr else x
    numbers = [np.asarray([float(v) for v in text.split(",")], np.float32) for text in (mean, std)]
    x = (x / np.float32(divide) - numbers[0]) / numbers[1]
    return torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1)[None].contiguous()


def run(model, x):
    """Logits and the output of every module that runs once and gives a map."""
    outputs, runs = {}, {}

    def hook(name):
        def keep(_module, _inputs, output):
            runs[name] = runs.get(name, 0) + 1
            if torch.is_tensor(output) and output.ndim == 4:
                # A rectifier may overwrite it.
                outputs[name] = output.clone()
        return keep

    for name, module in model.named_modules():
        # timm's BatchNormAct2d holds a rectifier too: what it gives is what the block around it gives.
        if name and type(module).__name__ != "BatchNormAct2d":
            module.register_forward_hook(hook(name))
    with torch.no_grad():
        logits = model(x)
    once = {name: output for name, output in outputs.items() if runs[name] == 1}
    return logits.reshape(1, -1), once


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("network", help="torchvision:NAME, timm:NAME or file.py:function")
    parser.add_argument("weights", help=".pt, .pth or .safetensors file")
    parser.add_argument("image")
    parser.add_argument("dump", help="the .npz file to write")
    parser.add_argument("--classes", type=int, default=1000, help="outputs of the network")
    parser.add_argument("--size", type=int, default=224, help="height and width of the input")
    parser.add_argument("--divide", type=float, default=255, help="divides each pixel")
    parser.add_argument("--mean", default="0,0,0", help="subtracted next, in the network's order")
    parser.add_argument("--std", default="1,1,1", help="divides last")
    parser.add_argument("--bgr", action="store_true", help="the network reads blue, green, red")
    parser.add_argument("--imagenet", action="store_true", help="ImageNet's mean and deviation")
    parser.add_argument("--layers", help="only these modules, separated by commas, for a small dump")
    args = parser.parse_args()
    if args.imagenet:
        vars(args).update(IMAGENET)

    model = build(args.network, args.classes).eval()
    model.load_state_dict(weights(args.weights))
    x = prepare(args.image, args.size, args.divide, args.mean, args.std, args.bgr)
    if getattr(model, "transform_input", False):
        x, model.transform_input = model._transform_input(x), False
    logits, layers = run(model, x)
    if args.layers:
        layers = {name: layers[name] for name in args.layers.split(",")}
    arrays = {f"layer/{name}": output.permute(0, 2, 3, 1).numpy() for name, output in layers.items()}
    np.savez_compressed(args.dump, input=x.permute(0, 2, 3, 1).numpy(), logits=logits.numpy(), **arrays)
    print(f"{args.dump}: input, logits and {len(layers)} layers")


if __name__ == "__main__":
    main()
