"""Maps of pytorch-grad-cam and Captum, and how far Burncam's are from them:

    python attribution_peers.py OUT
    burncam explain --weights OUT/net.onnx --data OUT/faces --preprocess unit --labels none --class class_1 \\
        --layer /body/body.3/Relu --method METHODS --maps npy --out OUT/run
    python attribution_peers.py OUT --compare

The first writes a small network of PyTorch as ONNX, faces of its size, and the peers' raw maps, before they are rectified
or scaled; and prints METHODS. The last prints the table *method x peer x worst difference*, as a share of the largest
value of the map. Where a peer's arithmetic is not the paper's, NumPy's takes its place, as NOTES say.

Needs torch, onnx, grad-cam 1.5.5, captum 0.8.0, numpy, pillow.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
FACES = ("Fold0/S02_dor_01.png", "Fold0/S01_sem_dor_01.png", "Fold1/rgba_dor.png")
SIZE, TARGET = 56, 1
CAMS = {
    "grad-cam": "GradCAM", "hires-cam": "HiResCAM", "grad-cam++": "GradCAMPlusPlus", "xgrad-cam": "XGradCAM",
    "layer-cam": "LayerCAM", "elementwise-cam": "GradCAMElementWise", "ablation-cam": "AblationCAM",
}
NOTES = {
    "grad-cam++": "pytorch-grad-cam adds 1e-6 to a denominator of squared gradients",
    "ablation-cam": "pytorch-grad-cam divides by the logit; the map is compared as a share of its largest value by size",
    "eigen-cam": "pytorch-grad-cam centres the channels; NumPy's decomposition without centring, with the sign of SegEigenCAM",
    "eigen-grad-cam": "the same",
    "integrated-gradients": "at a bend of the network, rounding decides which side counts, in Captum's float32, too",
    "fem": "pytorch-grad-cam weights by the share of strong places; NumPy, by the mean as in the paper",
}


def network():
    import torch
    from torch import nn

    torch.manual_seed(22)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            self.body = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 24, 3, padding=1), nn.ReLU())
            self.pool, self.flat = nn.MaxPool2d(4), nn.Flatten()
            self.head = nn.Sequential(nn.Linear(24 * 49, 32), nn.ReLU(), nn.Linear(32, 3))

        def forward(self, x):
            return self.head(self.flat(self.pool(self.body(self.stem(x)))))

    net = Net().eval()
    with torch.no_grad():
        net.head[2].weight *= 20
    return net


def faces():
    images = []
    for path in FACES:
        image = Image.open(GOLDENS / "faces" / path).convert("RGB").resize((SIZE, SIZE), Image.BICUBIC)
        images.append(np.asarray(image))
    return images


def principal(values):
    """[channels, height, width] to its first component without centring, largest value by size positive."""
    channels, height, width = values.shape
    x = values.reshape(channels, -1).T.astype(np.float64)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    projected = u[:, 0] * s[0]
    return (projected * np.sign(projected[np.abs(projected).argmax()])).reshape(height, width)


def peers(net, image):
    """Raw maps of one image by (method, peer)."""
    import captum.attr as attr
    import pytorch_grad_cam as cams
    import torch
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    found = {}
    layer, targets = net.body[3], [ClassifierOutputTarget(TARGET)]

    def raw(kind):
        with getattr(cams, kind)(net, [layer]) as cam:
            cam(input_tensor=image.clone().requires_grad_(True), targets=targets)
            activations = cam.activations_and_grads.activations[0].numpy()
            gradients = cam.activations_and_grads.gradients
            gradients = gradients[0].numpy() if gradients else np.zeros_like(activations)
            arguments = (image, layer, targets, activations, gradients, False)
            return cam.get_cam_image(*arguments)[0], activations[0], gradients[0]

    for method, kind in CAMS.items():
        found[method, "pytorch-grad-cam"] = raw(kind)[0]
    _, activations, gradients = raw("GradCAM")
    found["eigen-cam", "NumPy"] = principal(activations)
    found["eigen-grad-cam", "NumPy"] = principal(activations * gradients)
    mean, deviation = (getattr(activations.astype(np.float64), name)((1, 2), keepdims=True) for name in ("mean", "std"))
    found["fem", "NumPy"] = ((activations > mean + 2 * deviation) * mean).sum(0)

    x = image.clone().requires_grad_(True)
    sums = {"input-x-gradient": attr.InputXGradient(net), "integrated-gradients": attr.IntegratedGradients(net)}
    for method, own in sums.items():
        found[method, "Captum"] = own.attribute(x, target=TARGET).sum(1)[0].detach().numpy()
    sizes = {"saliency": attr.Saliency(net), "guided-backprop": attr.GuidedBackprop(net), "deconvolution": attr.Deconvolution(net)}
    for method, own in sizes.items():
        found[method, "Captum"] = own.attribute(x, target=TARGET).abs().amax(1)[0].detach().numpy()
    return found


def write(out):
    import torch

    net = network()
    (out / "faces" / "Fold0").mkdir(parents=True, exist_ok=True)
    (out / "peers").mkdir(exist_ok=True)
    torch.onnx.export(net, (torch.zeros(1, 3, SIZE, SIZE),), out / "net.onnx", dynamo=False)
    methods = []
    for number, pixels in enumerate(faces()):
        Image.fromarray(pixels).save(out / "faces" / "Fold0" / f"face{number}.png")
        image = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        for (method, peer), values in peers(net, image).items():
            np.save(out / "peers" / f"{method} {peer} face{number}.npy", np.asarray(values, np.float32))
            methods.append(method)
    print(",".join(dict.fromkeys(methods)))


def compare(out):
    import csv

    worst = {}
    with open(out / "run" / "maps.csv") as table:
        maps = {(row["method"], Path(row["path"]).stem): np.load(out / "run" / row["map_file"]) for row in csv.DictReader(table)}
    for path in sorted((out / "peers").glob("*.npy")):
        method, peer, face = path.stem.rsplit(" ", 2)
        own, other = maps[method, face].astype(np.float64).squeeze(), np.load(path).astype(np.float64)
        if method == "ablation-cam":
            own, other = (values / np.abs(values).max() for values in (own, other))
            other *= np.sign((own * other).sum())
        apart = np.abs(own - other).max() / np.abs(other).max()
        worst[method, peer] = max(apart, worst.get((method, peer), 0.0))
    print("| Method | Peer | Worst difference | Remark |\n| --- | --- | --- | --- |")
    for (method, peer), apart in worst.items():
        print(f"| `{method}` | {peer} | {apart:.2e} | {NOTES.get(method, '')} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--compare", action="store_true")
    args = parser.parse_args()
    compare(args.out) if args.compare else write(args.out)


if __name__ == "__main__":
    main()
