"""What other programs take for Grad-CAM of the same images, for `cargo xtask bench`:

    python bench_peers.py PEER NETWORK FILE IMAGES [cuda]
    python bench_peers.py which [cuda]

NETWORK is vgg16, resnet50, senet50, inception_v3 or ncnn; or for onnxruntime `-`, any network of PyTorch. FILE is a Keras file for notebook and keras, an ONNX
file for onnxruntime; torch and pytorch-grad-cam pass over it and build the network with random weights
(torch_networks.py). IMAGES is a folder with folders of images. `which` names the peers whose packages are there. With `cuda`,
PyTorch computes on an NVIDIA GPU, and the images' way there and the results' way back are in the time.

A worker: it answers `ready` and its version once its network is there, and then each batch
size that it reads with the wall and CPU time of an image in milliseconds and its largest memory so far. On a GPU
`torch` answers `peak` with the rate of a large product of matrices and of a copy.

    notebook          the loop body of the notebook that Burncam replaces, files included
    keras             the same maps by one graph for forward, gradient and map, without files
    torch             a forward hook, the gradient of the tapped tensor, the map; without files
    torch-tf32        the same on a GPU, whose multipliers keep ten bits of each factor (TF32)
    pytorch-grad-cam  its GradCAM; without files
    onnxruntime       the forward pass alone: no map at all

Needs Pillow, NumPy and the peer's own packages: TensorFlow 2.15 and matplotlib; PyTorch, torchvision and
timm; grad-cam; onnxruntime.
"""

import os

# Threads that wait must not count as work.
os.environ.update(KMP_BLOCKTIME="0", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0", TF_CPP_MIN_LOG_LEVEL="3")

import resource
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

CUDA = "cuda"
DEVICE = CUDA if sys.argv[-1] == CUDA else "cpu"
TF32 = False  # PyTorch convolves with TF32 unless it is told not to
ON_CUDA = ["torch", "torch-tf32", "pytorch-grad-cam"]
IMAGES = 8  # different ones, as many as the largest usual batch
MEASURED = 0.4  # seconds that one measurement repeats the computation for
FACES = (91.4953, 103.8827, 131.0912)
# Keras layer that is explained, divisor, mean, whether blue comes first
KERAS = {
    "vgg16": ("conv5_3", 1, (93.5940, 104.7624, 129.1863), True),
    "resnet50": ("activation_48", 1, FACES, True),
    "senet50": ("activation_161", 1, FACES, True),
    "inception_v3": ("mixed10", 127.5, (1, 1, 1), False),
    "ncnn": ("conv_2x2_", 255, (0, 0, 0), False),
}
# Entries of torch_networks.py: the network closest to the notebook's.
TORCH = {"vgg16": "vgg16", "resnet50": "resnet50_vggface2", "senet50": "senet50_vggface2",
         "inception_v3": "inception_v3", "ncnn": "ncnn_pain"}


def pixels(path, size):
    """An image as [size, size, 3] of 0..255."""
    return np.asarray(Image.open(path).convert("RGB").resize((size, size), Image.NEAREST), np.float32)


def prepared(network, array):
    """Pixels as the Keras network reads them."""
    _, divisor, mean, bgr = KERAS[network]
    array = array[..., ::-1] if bgr else array
    return (array / np.float32(divisor) - np.asarray(mean, np.float32)).astype(np.float32)


def batches(values):
    """A function from a batch size to a batch of so many images, one after another."""
    return lambda size: np.stack([values[i % len(values)] for i in range(size)])


def keras_input(network, model, paths):
    size = model.inputs[0].shape[1]
    return [prepared(network, pixels(path, size)) for path in paths]


def tapped_layer(network, model):
    """The layer that is explained, whatever number Keras gave it when the file was saved."""
    name = KERAS[network][0]
    names = [layer.name for layer in model.layers]
    if name in names:
        return name
    kind = name.rsplit("_", 1)[0]
    return [own for own in names if own.rsplit("_", 1)[0] == kind][-1]


def without_softmax(tf, path):
    model = tf.keras.models.load_model(path, compile=False)
    model.layers[-1].activation = None
    return model


def notebook(network, path, paths):
    """One image at a time: predict, a new Keras model for the gradient, and two pictures on disk."""
    import matplotlib
    import tensorflow as tf
    from tensorflow.keras.preprocessing.image import array_to_img, img_to_array, load_img

    network_of_classes = tf.keras.models.load_model(path, compile=False)
    model = without_softmax(tf, path)
    layer, size = tapped_layer(network, model), model.inputs[0].shape[1]
    colours = matplotlib.colormaps["jet"](np.arange(256))[:, :3]
    folder = Path(tempfile.mkdtemp())

    def read(image):
        return img_to_array(load_img(image, target_size=(size, size)))

    def gradient_map(x, target):
        both = tf.keras.models.Model([model.inputs], [model.get_layer(layer).output, model.output])
        with tf.GradientTape() as tape:
            activations, logits = both(x)
            score = logits[:, target]
        weights = tf.reduce_mean(tape.gradient(score, activations), axis=(0, 1, 2))
        raw = tf.squeeze(activations[0] @ weights[..., tf.newaxis])
        return (tf.maximum(raw, 0) / tf.math.reduce_max(raw)).numpy()

    def save(image, heat, target):
        coloured = array_to_img(colours[np.uint8(255 * np.nan_to_num(heat))]).resize((size, size))
        array_to_img(img_to_array(coloured) * 0.4 + read(image)).save(target)

    def one(image):
        x = prepared(network, read(image))[np.newaxis]
        target = np.argmax(network_of_classes.predict(x, verbose=0))
        heat = gradient_map(x, target)
        for place in ("all", "fold"):
            save(image, heat, folder / f"{place}.png")

    def run(batch):
        for image in batch:
            one(image)

    return run, lambda size: [paths[i % len(paths)] for i in range(size)], f"TensorFlow {tf.__version__}"


def keras(network, path, paths):
    """Logits, their gradient and the maps in one graph."""
    import tensorflow as tf

    model = without_softmax(tf, path)
    both = tf.keras.Model(model.inputs, [model.get_layer(tapped_layer(network, model)).output, model.output])

    @tf.function
    def explain(x):
        with tf.GradientTape() as tape:
            activations, logits = both(x, training=False)
            score = tf.reduce_sum(tf.reduce_max(logits, axis=1))
        weights = tf.reduce_mean(tape.gradient(score, activations), axis=(1, 2))
        return tf.nn.softmax(logits), tf.einsum("bhwc,bc->bhw", activations, weights)

    def run(batch):
        return [found.numpy() for found in explain(tf.constant(batch))]

    return run, batches(keras_input(network, model, paths)), f"TensorFlow {tf.__version__}"


def onnxruntime(network, path, paths):
    """The forward pass."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    fed = session.get_inputs()[0]
    if network in KERAS:
        values = [prepared(network, pixels(path, fed.shape[1])) for path in paths]
    else:
        # Of PyTorch: channels come first. How pixels are prepared does not matter to the time.
        values = [np.ascontiguousarray(pixels(path, fed.shape[2]).transpose(2, 0, 1) / 255) for path in paths]
    return lambda batch: session.run(None, {fed.name: batch}), batches(values), f"ONNX Runtime {ort.__version__}"


def torch_network(network, paths):
    import torch
    import torch_networks

    torch.set_num_threads(os.cpu_count())
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = TF32
    torch.backends.cudnn.benchmark = True
    model, _, size, prepare, layer = torch_networks.make(TORCH[network])
    values = [np.ascontiguousarray(prepare(pixels(path, size)).transpose(2, 0, 1)) for path in paths]
    arrays = batches(values)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return torch, model.to(DEVICE), layer, lambda size: torch.from_numpy(arrays(size))


def torch(network, _path, paths):
    """The tapped output becomes the leaf of the graph, so the trunk is not differentiated."""
    torch, model, layer, inputs = torch_network(network, paths)
    kept = []

    def tap(_module, _inputs, output):
        kept[:] = [output.detach().requires_grad_()]
        return kept[0]

    model.get_submodule(layer).register_forward_hook(tap)

    def run(batch):
        logits = model(batch.to(DEVICE))
        score = logits.max(1).values.sum()
        gradient, = torch.autograd.grad(score, kept[0])
        raw = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1)
        return torch.softmax(logits, 1).detach().cpu().numpy(), raw.detach().cpu().numpy()

    return run, inputs, f"PyTorch {torch.__version__} {device_name(torch)}".strip()


def torch_tf32(network, path, paths):
    global TF32
    TF32 = True
    return torch(network, path, paths)


def device_name(torch):
    return f"on {torch.cuda.get_device_name()}" if DEVICE == CUDA else ""


def peak():
    """What the GPU does in a second, in thousand millions: multiplications and additions of f32, bytes."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    a, b = (torch.rand(8192, 8192, device=CUDA) for _ in range(2))

    def seconds(work, times=5):
        work()
        torch.cuda.synchronize()
        clock = time.perf_counter()
        for _ in range(times):
            work()
        torch.cuda.synchronize()
        return (time.perf_counter() - clock) / times

    gflops = 2 * 8192**3 / seconds(lambda: torch.mm(a, b)) / 1e9
    gigabytes = 2 * a.nbytes / seconds(lambda: a.copy_(b)) / 1e9
    return f"gflops={gflops} gigabytes={gigabytes}"


def pytorch_grad_cam(network, _path, paths):
    import importlib.metadata

    from pytorch_grad_cam import GradCAM

    torch, model, layer, inputs = torch_network(network, paths)
    # It differentiates the whole network, as its users do.
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    cam = GradCAM(model=model, target_layers=[model.get_submodule(layer)])
    version = importlib.metadata.version("grad-cam")
    return lambda batch: cam(input_tensor=batch.to(DEVICE), targets=None), inputs, f"grad-cam {version}, PyTorch {torch.__version__}"


# Each with the packages that it needs.
PEERS = {
    "notebook": (notebook, ["tensorflow", "matplotlib"]),
    "keras": (keras, ["tensorflow"]),
    "torch": (torch, ["torch", "torchvision", "timm"]),
    "torch-tf32": (torch_tf32, ["torch", "torchvision", "timm"]),
    "pytorch-grad-cam": (pytorch_grad_cam, ["pytorch_grad_cam", "torchvision", "timm"]),
    "onnxruntime": (onnxruntime, ["onnxruntime"]),
}


def which():
    """The peers that can run here."""
    known = ON_CUDA if DEVICE == CUDA else [peer for peer in PEERS if peer != "torch-tf32"]
    return [peer for peer in known if all(map(find_spec, PEERS[peer][1]))]


def measure(run, batch, size):
    """Wall and CPU milliseconds of an image."""
    run(batch)
    wall, cpu, computed = time.perf_counter(), time.process_time(), 0
    while not computed or time.perf_counter() - wall < MEASURED:
        run(batch)
        computed += size
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall * 1e3 / computed, cpu * 1e3 / computed


def answering():
    """A function that prints an answer; what libraries print must not mix with these."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return lambda text: print(text, file=answers, flush=True)


def files(folder):
    """The images that are measured with."""
    return sorted(file for file in Path(folder).rglob("*") if file.suffix.lower() in (".png", ".jpg"))[:IMAGES]


def main():
    if sys.argv[1] == "which":
        print(*which())
        return
    peer, network, path, folder = sys.argv[1:5]
    answer = answering()
    run, inputs, version = PEERS[peer][0](network, path, files(folder))
    answer(f"ready {version}")
    for line in sys.stdin:
        if line.strip() == "peak":
            answer(peak())
            continue
        size = int(line)
        wall, cpu = measure(run, inputs(size), size)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer(f"wall={wall} cpu={cpu} memory={memory}")


if __name__ == "__main__":
    main()
