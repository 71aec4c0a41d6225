"""What other libraries take for measures of maps of the same images, for `cargo xtask bench`:

    python bench_measures.py PEER NETWORK IMAGES
    python bench_measures.py which

PEER is quantus, pytorch-grad-cam, torch-cam, captum or xplique; NETWORK is vgg16, resnet50 or ncnn, with random weights: of
torch_networks.py, for Xplique of networks.py. IMAGES is a folder with folders of images. `which` names the peers whose packages
are there.

A worker, as bench_methods.py is: to each line `MEASURE BATCH` it answers with the wall and CPU time of an image in
milliseconds, or `none` where the library has no such measure or has it wrong. Measures have Burncam's names. Each image has one
map, Grad-CAM's, with hardly any values alike; it is not in the time. The score is the probability of the class that is predicted, and
what is removed becomes 0 where it enters the network. Of a measure that needs more maps, those are in the time: Grad-CAM, of
Captum or of Xplique.

    deletion, insertion       20 steps. torch-cam computes both at once, so each is given half of that time. Quantus's pixel
                              flipping takes 18 to 21, whatever divides the pixels, and has no insertion
    road                      10 to 90 %, from both ends. Quantus's is left out: with a map of one channel its indices exceed it
    average-drop              the image times its map
    faithfulness-correlation  100 draws: Quantus of 224 numbers, Xplique of the cells of a 9 x 9 grid (MuFidelity)
    head-down                 Quantus randomises layer by layer from the head on. Xplique's is left out: its Grad-CAM goes on
                              computing with the trained network
    max-sensitivity           10 noisy copies

Needs Pillow, NumPy and: PyTorch, torchvision, timm, Captum 0.8.0, and quantus 0.6.0, grad-cam 1.5.5 or torchcam 0.5.0; or
TensorFlow 2.20 and xplique 2.0.2.
"""

# First: what it sets must be set before PyTorch is there.
from bench_peers import batches, keras_input, tapped_layer, torch_network

import os
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from bench_methods import asked, serve, two_logits

os.environ["TQDM_DISABLE"] = "1"

STEPS = 20
DRAWS = 100
GRID = 9
COPIES = 10  # that noise is added to
RADIUS = 0.02
AT_ONCE = {("torch-cam", "deletion"): 2, ("torch-cam", "insertion"): 2}  # measures of one computation
PERCENT = list(range(10, 100, 10))


@dataclass
class Images:
    """Images as they enter the network, their classes, and a map of each, `[images, height, width]` of 0..1."""

    values: Any
    classes: list
    maps: np.ndarray


@dataclass
class Measured:
    """A network and its layer that maps are of."""

    model: Any
    layer: Any


# ---------------------------------------------------------------------------------- PyTorch
def captum_maps(model, layer, images, classes):
    """Grad-CAM before values below 0 are cut off, at the images' size."""
    from captum.attr import LayerAttribution, LayerGradCam

    maps = LayerGradCam(model, model.get_submodule(layer)).attribute(images, target=classes)
    return LayerAttribution.interpolate(maps, images.shape[2:], "bilinear").detach()


def quantus(measured, name):
    import quantus
    import torch

    model, layer = measured.model, measured.layer

    def explain(model, inputs, targets, **_):
        return captum_maps(model, layer, torch.as_tensor(inputs), torch.as_tensor(targets)).numpy()

    def steps(pixels):
        """The count of features nearest to a 20th of three channels that divides the pixels."""
        divisors = [count for count in range(1, pixels + 1) if pixels % count == 0]
        return min(divisors, key=lambda count: abs(3 * pixels / count - STEPS))

    def run(make, softmax, images):
        images_of = {"x_batch": images.values.numpy(), "y_batch": np.array(images.classes), "a_batch": images.maps[:, None]}
        metric = make(images.maps[0].size, disable_warnings=True)
        return metric(model=model, **images_of, softmax=softmax, device="cpu", explain_func=explain)

    zero = {"perturb_baseline": 0.0}
    kinds = {
        "deletion": (lambda pixels, **more: quantus.PixelFlipping(
            features_in_step=steps(pixels), return_auc_per_sample=True, **zero, **more), True),
        "faithfulness-correlation": (lambda _, **more: quantus.FaithfulnessCorrelation(
            nr_runs=DRAWS, return_aggregate=False, **zero, **more), True),
        "head-down": (lambda _, **more: quantus.MPRT(layer_order="top_down", **more), False),
        "max-sensitivity": (lambda _, **more: quantus.MaxSensitivity(
            nr_samples=COPIES, lower_bound=RADIUS, **more), False),
    }
    return partial(run, *kinds[name]) if name in kinds else None


def pytorch_grad_cam(measured, name):
    from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence
    from pytorch_grad_cam.metrics.road import ROADCombined
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

    kinds = {"road": lambda: ROADCombined(PERCENT), "average-drop": DropInConfidence}
    if name not in kinds:
        return None
    metric = kinds[name]()

    def run(images):
        targets = [ClassifierOutputSoftmaxTarget(label) for label in images.classes]
        return metric(images.values, images.maps, targets, measured.model)

    return run


class Given:
    """What torch-cam takes for a method, with maps that are there already."""

    def __init__(self, model):
        self.model, self.maps = model, None

    def __call__(self, *_, **__):
        return [self.maps]

    def fuse_cams(self, maps):
        return maps[0]

    def _hooks_off(self):
        return nullcontext()


def torch_cam(measured, name):
    import torch
    from torchcam.metrics import ClassificationMetric, DeletionInsertionMetric

    kinds = {"deletion": partial(DeletionInsertionMetric, steps=STEPS),
             "insertion": partial(DeletionInsertionMetric, steps=STEPS), "average-drop": ClassificationMetric}
    if name not in kinds:
        return None
    given = Given(measured.model)

    def run(images):
        given.maps = torch.from_numpy(images.maps)
        metric = kinds[name](given, partial(torch.softmax, dim=-1))
        with torch.no_grad():
            metric.update(images.values, images.classes)
        return metric.summary()

    return run


def captum(measured, name):
    from captum.attr import LayerGradCam
    from captum.metrics import sensitivity_max

    if name != "max-sensitivity":
        return None
    cam = LayerGradCam(measured.model, measured.model.get_submodule(measured.layer))
    return lambda images: sensitivity_max(
        cam.attribute, images.values, perturb_radius=RADIUS, n_perturb_samples=COPIES, target=images.classes)


def in_torch(network, paths):
    """A network, and a function from a count to so many images."""
    torch, model, layer, inputs = torch_network(network, paths)
    model = two_logits(model) if network == "ncnn" else model
    for parameter in model.parameters():
        parameter.requires_grad_(True)

    def images(size):
        values = inputs(size)
        with torch.no_grad():
            classes = model(values).argmax(1).tolist()
        return Images(values, classes, scaled(captum_maps(model, layer, values, classes)[:, 0].numpy()))

    return Measured(model, layer), images, f"PyTorch {torch.__version__}"


# ------------------------------------------------------------------------------- TensorFlow
def xplique(measured, name):
    from xplique import metrics

    kinds = {
        "deletion": partial(metrics.Deletion, steps=STEPS, baseline_mode=0.0),
        "insertion": partial(metrics.Insertion, steps=STEPS, baseline_mode=0.0),
        "average-drop": metrics.AverageDropMetric,
        "faithfulness-correlation": partial(metrics.MuFidelity, grid_size=GRID, subset_percent=0.2, nb_samples=DRAWS),
    }
    if name not in kinds:
        return None
    return lambda images: kinds[name](measured.model, images.values, images.classes)(images.maps)


def in_keras(network, paths):
    """The same of Keras: channels come last, and classes are rows with a 1."""
    import networks
    import tensorflow as tf
    from xplique.attributions import GradCAM

    titles = {"vgg16": "VGG16", "resnet50": "ResNet50", "ncnn": "NCNN"}
    model = next(known for known in networks.NETWORKS if known.title == titles[network]).build()
    layer = tapped_layer(network, model)
    inputs = batches(keras_input(network, model, paths))

    def images(size):
        values = inputs(size)
        found = model(values).numpy()
        classes = np.eye(found.shape[1], dtype=np.float32)[found.argmax(1)]
        maps = np.asarray(GradCAM(model, conv_layer=layer).explain(values, classes))
        return Images(values, classes, scaled(maps[..., 0]))

    return Measured(model, layer), images, f"TensorFlow {tf.__version__}"


# --------------------------------------------------------------------------------- the table
def scaled(maps):
    """Each map from 0 to 1, with hardly any values alike."""
    def stretched(maps):
        low, high = (edge(maps, axis=(1, 2), keepdims=True) for edge in (np.min, np.max))
        return ((maps - low) / np.maximum(high - low, 1e-12)).astype(np.float32)

    slope = np.linspace(0, 1e-3, maps[0].size).reshape(maps.shape[1:])
    return stretched(stretched(maps) + slope)


TORCH = ["captum", "torchvision", "timm"]
# Each with the packages that it needs, its name among distributions, and where its network is.
PEERS = {
    "quantus": (quantus, ["quantus", *TORCH], "quantus", in_torch),
    "pytorch-grad-cam": (pytorch_grad_cam, ["pytorch_grad_cam", *TORCH], "grad-cam", in_torch),
    "torch-cam": (torch_cam, ["torchcam", *TORCH], "torchcam", in_torch),
    "captum": (captum, TORCH, "captum", in_torch),
    "xplique": (xplique, ["xplique", "tensorflow"], "xplique", in_keras),
}


def start(peer, network, paths):
    measures, _, _, made = PEERS[peer]
    measured, images, framework = made(network, paths)

    def prepared(line):
        name, _, size = asked(line)
        return measures(measured, name), images(size), size * AT_ONCE.get((peer, name), 1)

    return framework, prepared


if __name__ == "__main__":
    serve(PEERS, start)
