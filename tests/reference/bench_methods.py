"""What other libraries take for each of their methods on the same images, for `cargo xtask bench`:

    python bench_methods.py PEER NETWORK IMAGES
    python bench_methods.py which

PEER is pytorch-grad-cam, torch-cam or captum; NETWORK is vgg16, resnet50 or ncnn, with random weights (torch_networks.py).
IMAGES is a folder with folders of images. `which` names the peers whose packages are there.

A worker: it answers `ready` and versions once its network is there. To each line `METHOD[:name=value,...] BATCH` that it
reads, it answers with the wall and CPU time of an image in milliseconds, or `none` where the library has no such method or
has it wrong. Methods and options have Burncam's names: `samples`, `steps`, `patch`, `stride`. All else is as the library
has it, and the class is the one that is predicted. Files are not in the time; what tells the class is. A method whose run
takes long is measured the first time, without a run to warm up.

The network is as the users of these libraries have it: all its parameters want gradients, each rectifier is a module of
its own, which does not write over its input, and that with one logit has two. Captum would hold the passes of all samples
or steps at once, more than memory has; it is told to compute few at once.

Needs Pillow, NumPy, PyTorch, torchvision, timm, and grad-cam 1.5.5, torchcam 0.5.0 or captum 0.8.0.
"""

# First: what it sets must be set before PyTorch is there.
from bench_peers import answering, files, measure, torch_network

import copy
import gc
import os
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

os.environ["TQDM_DISABLE"] = "1"

LONG = 2  # seconds of a run that is not repeated
AT_ONCE = 32  # images that one pass of Captum holds, where it would hold those of all samples


@dataclass
class Explained:
    """A network of its own for each method: some libraries leave hooks in it, or put other modules in."""

    network: str
    model: Any
    layer: Any
    classes: int

    def predicted(self, batch):
        import torch

        with torch.no_grad():
            return self.model(batch).argmax(1)


def rectified(model):
    """The network with a module for each call of `torch.relu`: libraries change modules only."""
    import torch
    from torch import fx, nn
    from torch_networks import CaffeBlock

    class Tracer(fx.Tracer):
        def is_leaf_module(self, module, name):
            return isinstance(module, fx.GraphModule) or super().is_leaf_module(module, name)

    def traced(module):
        graph = Tracer().trace(module)
        for number, node in enumerate(node for node in graph.nodes if node.target is torch.relu):
            node.op, node.target = "call_module", f"relu{number}"
            module.add_module(node.target, nn.ReLU())
        return fx.GraphModule(module, graph)

    for name, module in list(model.named_modules()):
        if isinstance(module, CaffeBlock):
            model.set_submodule(name, traced(module))
    return traced(model)


def two_logits(model):
    """The network of one logit with two, as Burncam has it."""
    import torch
    from torch import nn

    one = model.classifier[-1]
    two = nn.Linear(one.in_features, 2)
    with torch.no_grad():
        two.weight.copy_(torch.cat([-one.weight, one.weight]))
        two.bias.copy_(torch.cat([-one.bias, one.bias]))
    model.classifier[-1] = two
    return model


def pytorch_grad_cam(explained, method, **options):
    import pytorch_grad_cam as cams

    kinds = {
        "grad-cam": cams.GradCAM, "hires-cam": cams.HiResCAM, "grad-cam++": cams.GradCAMPlusPlus,
        "xgrad-cam": cams.XGradCAM, "layer-cam": cams.LayerCAM, "elementwise-cam": cams.GradCAMElementWise,
        "eigen-cam": cams.EigenCAM, "eigen-grad-cam": cams.EigenGradCAM, "fem": cams.FEM, "finer-cam": cams.FinerCAM,
        "random-cam": cams.RandomCAM, "score-cam": cams.ScoreCAM, "ablation-cam": cams.AblationCAM,
        "full-grad": cams.FullGrad,
    }
    model = explained.model
    if method == "guided-backprop":
        guided = cams.GuidedBackpropReLUModel(model, "cpu", **options)
        return lambda batch: [guided(batch[i : i + 1]) for i in range(len(batch))]
    if method not in kinds:
        return None
    # It takes layers of its own for full-grad, and says so if it is given others.
    cam = kinds[method](model, [] if method == "full-grad" else [explained.layer], **options)
    # Its default compares with three classes, whether or not there are so many.
    arguments = {"comparison_categories": list(range(1, min(4, explained.classes)))} if method == "finer-cam" else {}
    return lambda batch: cam(input_tensor=batch, targets=None, **arguments)


def torch_cam(explained, method, **options):
    """Its grad-cam++, smooth-grad-cam++ and is-cam are wrong: make_attributions.py has none of them."""
    import torch
    import torchcam.methods as cams

    kinds = {
        "grad-cam": cams.GradCAM, "layer-cam": cams.LayerCAM, "xgrad-cam": cams.XGradCAM, "finer-cam": cams.FinerCAM,
        "score-cam": cams.ScoreCAM, "ss-cam": cams.SSCAM, "cam": cams.CAM,
    }
    if method not in kinds or method == "cam" and explained.network != "resnet50":
        return None
    if method == "cam":
        options["fc_layer"] = "fc"
    if "samples" in options:
        options["num_samples"] = options.pop("samples")
    model = explained.model
    cam = kinds[method](model, explained.layer, **options)

    def run(batch):
        with torch.set_grad_enabled(method not in ("score-cam", "ss-cam", "cam")):
            logits = model(batch)
        return cam(logits.argmax(1).tolist(), logits)

    return run


def captum(explained, method, **options):
    import captum.attr as attr
    import torch

    model, layer = explained.model, explained.layer

    def with_noise(kind):
        own = attr.NoiseTunnel(attr.Saliency(model))

        def run(batch, target, samples=5):
            few = max(1, min(samples, AT_ONCE // len(batch)))
            return own.attribute(batch, nt_type=kind, nt_samples=samples, nt_samples_batch_size=few, target=target)

        return run

    def integrated(batch, target, steps=50):
        own = attr.IntegratedGradients(model)
        few = max(AT_ONCE, len(batch))
        return own.attribute(batch, target=target, n_steps=steps, internal_batch_size=few)

    def shap(batch, target, samples=5):
        own, total = attr.GradientShap(model), 0
        few = max(1, AT_ONCE // len(batch))
        for start in range(0, samples, few):
            count = min(few, samples - start)
            total += own.attribute(batch, torch.zeros_like(batch[:1]), n_samples=count, target=target) * count
        return total / samples

    def occlusion(batch, target, patch=20, stride=10):
        channels = batch.shape[1]
        windows = {"sliding_window_shapes": (channels, patch, patch), "strides": (channels, stride, stride)}
        return attr.Occlusion(model).attribute(batch, target=target, **windows)

    kinds = {
        "grad-cam": attr.LayerGradCam(model, layer).attribute,
        "guided-grad-cam": attr.GuidedGradCam(model, layer).attribute,
        "saliency": attr.Saliency(model).attribute,
        "input-x-gradient": attr.InputXGradient(model).attribute,
        "guided-backprop": attr.GuidedBackprop(model).attribute,
        "deconvolution": attr.Deconvolution(model).attribute,
        "smooth-grad": with_noise("smoothgrad"),
        "square-grad": with_noise("smoothgrad_sq"),
        "var-grad": with_noise("vargrad"),
        "integrated-gradients": integrated,
        "gradient-shap": shap,
        "occlusion": occlusion,
    }
    if method not in kinds:
        return None
    return lambda batch: kinds[method](batch, target=explained.predicted(batch), **options).detach().numpy()


# Each with the packages that it needs, and its name among distributions.
PEERS = {
    "pytorch-grad-cam": (pytorch_grad_cam, ["pytorch_grad_cam", "torchvision", "timm"], "grad-cam"),
    "torch-cam": (torch_cam, ["torchcam", "torchvision", "timm"], "torchcam"),
    "captum": (captum, ["captum", "torchvision", "timm"], "captum"),
}


def which(peers):
    """Those that can run here."""
    return [peer for peer, (_, packages, *_) in peers.items() if all(map(find_spec, packages))]


def once(run, batch, size):
    """Wall and CPU milliseconds of an image, as `measure` has them."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(batch)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall * 1e3 / size, cpu * 1e3 / size


def serve(peers, start):
    """Answers lines. `start` makes a peer's network, and returns its framework and a function that makes of a line what is
    run, or None, its images and their number."""
    if sys.argv[1] == "which":
        print(*which(peers))
        return
    peer, network, folder = sys.argv[1:4]
    answer, distribution = answering(), peers[peer][2]
    framework, prepared = start(peer, network, files(folder))
    answer(f"ready {distribution} {version(distribution)}, {framework}")
    for line in sys.stdin:
        run, batch, size = prepared(line)
        if run is None:
            answer("none")
            continue
        wall, cpu = once(run, batch, size)
        if wall * size < LONG * 1e3:
            wall, cpu = measure(run, batch, size)
        answer(f"wall={wall} cpu={cpu}")
        del run, batch
        gc.collect()


def asked(line):
    """Method, options and batch size of a line."""
    method, size = line.split()
    method, _, options = method.partition(":")
    pairs = (option.split("=") for option in filter(None, options.split(",")))
    return method, {name: int(value) for name, value in pairs}, int(size)


def start(peer, network, paths):
    torch, model, layer, inputs = torch_network(network, paths)
    model = {"resnet50": rectified, "ncnn": two_logits}.get(network, lambda model: model)(model)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    with torch.no_grad():
        classes = model(inputs(1)).shape[1]

    def prepared(line):
        method, options, size = asked(line)
        own = copy.deepcopy(model)
        explained = Explained(network, own, own.get_submodule(layer), classes)
        return PEERS[peer][0](explained, method, **options), inputs(size), size

    return f"PyTorch {torch.__version__}", prepared


if __name__ == "__main__":
    serve(PEERS, start)
