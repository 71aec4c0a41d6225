"""The convolutional classifiers of torchvision as ONNX files, and what PyTorch computes with them, for make_zoo.py."""

import time

import numpy as np
import onnx
import torch
import torchvision
from onnx import defs
from torch import fx

import zoo_files
from torch_networks import IMAGENET, narrow_head, noise

CLASSES = 7
LOGITS = 2.0
FIRST = ["resnet18", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_b0", "densenet121",
         "convnext_tiny", "regnet_x_400mf", "regnet_y_400mf", "mnasnet0_5", "squeezenet1_1", "googlenet", "inception_v3",
         "efficientnet_v2_s", "resnext50_32x4d", "alexnet", "vgg11", "vgg11_bn"]
# The last has 645 million parameters, more than the older exporter writes.
WITHOUT = ("vit", "swin", "maxvit", "regnet_y_128gf")
# Their dense layers need the size that they were made for.
SIZES = {"alexnet": 224, "vgg": 224, "inception": 171}


def names():
    every = torchvision.models.list_models(module=torchvision.models)
    every = [name for name in every if not name.startswith(WITHOUT)]
    return FIRST + [name for name in every if name not in FIRST]


def size_of(name):
    return next((size for start, size in SIZES.items() if name.startswith(start)), 96)


def spread(name, shape, names):
    """Offset and scale of a weight."""
    layer, weight = name.rsplit(".", 1)
    if weight == "layer_scale":
        return 0.3, 0.1
    if len(shape) > 1:
        return 0, (6 / np.prod(shape[1:])) ** 0.5
    normed = f"{layer}.running_mean" in names
    return {"weight": (1, 0.2), "running_var": (1, 0.4), "bias": (0, 0.2 if normed else 0.05)}.get(weight, (0, 0.2))


def build(name):
    options = {}
    if name in ("googlenet", "inception_v3"):
        options = {"aux_logits": False, "init_weights": False, "transform_input": True}
    model = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    if name.startswith("vgg"):
        model = narrow_head(model)
    elif name == "alexnet":
        model.classifier[1], model.classifier[4] = torch.nn.Linear(9216, 64), torch.nn.Linear(64, 64)
        model.classifier[6] = torch.nn.Linear(64, CLASSES)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return model.eval()


def fill(model, network, batch):
    """Weights by name; batch normalisations take the statistics of the batch, and the head's logits lie apart."""
    state = model.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if tensor.is_floating_point():
                offset, scale = spread(name, tensor.shape, state)
                values = np.float32(scale) * noise(f"{network}/{name}", tensor.numel()) + np.float32(offset)
                tensor.copy_(torch.from_numpy(values.reshape(tensor.shape)))
        norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.train().momentum = None
            norm.reset_running_stats()
        model(batch)
        for norm, momentum in zip(norms, momenta):
            norm.eval().momentum = momentum
        last = [module for module in model.modules() if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d))][-1]
        last.weight.mul_(LOGITS / float(model(batch[:2]).std(1).mean()))


class Run(fx.Interpreter):
    """Keeps what each node gives."""

    def __init__(self, model):
        super().__init__(fx.symbolic_trace(model), garbage_collect_values=False)
        self.results = {}

    def run_node(self, node):
        result = super().run_node(node)
        self.results[node] = result
        if torch.is_tensor(result) and result.requires_grad and not result.is_leaf:
            result.retain_grad()
        return result


def same(node):
    """Does nothing at inference."""
    return isinstance(node.target, str) and "drop" in node.target.lower()


def map_size(shape):
    """Height and width of a map; ConvNeXt's head has its channels last for a while, after pooling."""
    return tuple(shape[2:]) if len(shape) == 4 and min(shape[2:]) > 1 else None


def explain(model, images):
    """Logits, the map layer's name, its output and gradient, and other maps of the first picture."""
    run = Run(model)
    logits = run.run(images)
    logits.max(1).values.sum().backward()
    nodes = run.module.graph.nodes
    # What begins with weights is no path.
    edges = {}
    for node in nodes:
        inputs = [one for one in node.all_input_nodes if one in edges]
        if inputs or node.op == "placeholder":
            edges[node] = inputs
    end = next(node for node in nodes if node.op == "output")

    def spatial(node):
        value = run.results[node]
        computes = node.op in ("call_module", "call_function", "call_method") and not same(node)
        return map_size(value.shape) if computes and torch.is_tensor(value) else None

    place = zoo_files.map_of(zoo_files.passages(edges, end), spatial)
    layers = {}
    for node in nodes:
        value = run.results[node]
        if node.op == "call_module" and torch.is_tensor(value) and value.ndim == 4:
            layers[str(node.target)] = value[:1].detach().permute(0, 2, 3, 1).numpy()
    if sum(values.nbytes for values in layers.values()) > zoo_files.MOST_LAYERS:
        layers = {}
    name = str(place.target) if place.op == "call_module" else place.name
    value = run.results[place]
    return logits.detach(), name, value.detach(), value.grad, layers


# ------------------------------------------------------------------------------------- ONNX
def values_of(proto, wanted, images):
    """What ONNX Runtime computes at some tensors, a picture at a time."""
    import onnxruntime

    graph = proto.graph
    del graph.output[:]
    graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    name = session.get_inputs()[0].name
    found = [session.run(wanted, {name: image[None].numpy()}) for image in images]
    return [np.concatenate([one[at] for one in found]) for at in range(len(wanted))]


def map_tensor(proto, images):
    """The tensor of the map layer, by the rule, and the operator that gives it."""
    graph = proto.graph
    constants = {one.name for one in graph.initializer}
    start = next(one.name for one in graph.input if one.name not in constants)
    edges, givers = {start: []}, {start: "input"}
    for node in graph.node:
        inputs = [one for one in node.input if one in edges]
        for output in node.output if inputs else ():
            edges[output], givers[output] = inputs, node.op_type
    chain = zoo_files.passages(edges, graph.output[0].name)[1:]
    shapes = {name: value.shape for name, value in zip(chain, values_of(proto, chain, images[:1]))}

    def spatial(value):
        return map_size(shapes[value]) if givers[value] != "Identity" else None

    value = zoo_files.map_of(chain, spatial)
    return value, givers[value]


def operators(proto):
    """Operators, and the attributes that differ from what the standard sets."""
    version = next(one.version for one in proto.opset_import if one.domain in ("", "ai.onnx"))
    kinds = {"opset": {"version": {str(version): 1}}}
    for node in proto.graph.node:
        settings = kinds.setdefault(node.op_type, {})
        usual = defs.get_schema(node.op_type, version, node.domain).attributes if node.domain == "" else {}
        for attribute in node.attribute:
            value = onnx.helper.get_attribute_value(attribute)
            if isinstance(value, onnx.TensorProto):
                value = f"tensor {list(value.dims)}"
            known = usual.get(attribute.name)
            if known is not None and known.default_value.type and onnx.helper.get_attribute_value(
                    known.default_value) == value:
                continue
            text = (value.decode() if isinstance(value, bytes) else str(value))[:80]
            counts = settings.setdefault(attribute.name, {})
            counts[text] = counts.get(text, 0) + 1
    return kinds


def export(model, images, folder, dynamic):
    """Files of both exporters."""
    first = images[:1]
    files = {}
    for exporter in ("script", "dynamo"):
        for free in (False, True) if dynamic else (False,):
            file = folder / f"torch_{exporter}{'_dynamic' if free else ''}.onnx"
            if exporter == "script":
                options = {"dynamic_axes": {"input": {0: "batch"}, "output": {0: "batch"}} if free else None,
                           "input_names": ["input"], "output_names": ["output"]}
            else:
                options = {"dynamic_shapes": ({0: torch.export.Dim("batch")},) if free else None}
            given = images if free else first
            torch.onnx.export(model, (given,), file, dynamo=exporter == "dynamo", verbose=False, **options)
            files[file.name] = file
    return files


def write(name, folder, args):
    start = time.time()
    folder.mkdir(parents=True, exist_ok=True)
    size = size_of(name)
    torch.manual_seed(0)
    pixels = zoo_files.pictures(size, size)
    batch = torch.from_numpy(IMAGENET(pixels.astype(np.float32))).permute(0, 3, 1, 2).contiguous()
    model = build(name)
    fill(model, name, batch)
    images = batch[:2]
    logits, layer, activations, gradients, layers = explain(model, images)
    facts = {"network": name, "layer": layer, "preprocessing": "(x / 255 - ImageNet's mean) / deviation",
             "faces": zoo_files.FACES[:2], "operators": {}, "onnx": {}, "parameters":
             sum(one.numel() for one in model.parameters()),
             "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__}}
    for file, path in export(model, images, folder, args.dynamic).items():
        proto = onnx.load(path)
        facts["operators"][file] = operators(proto)
        output = proto.graph.output[0].name
        tensor, giver = map_tensor(onnx.load(path), images)
        found = values_of(proto, [tensor, output], images)
        expected = (activations, logits)
        apart = [float(np.abs(a - b.numpy()).max() / b.abs().max()) if a.shape == b.shape else str(a.shape)
                 for a, b in zip(found, expected)]
        facts["onnx"][file] = {"layer": tensor, "operator": giver, "output": output,
                               "activation_differs": apart[0], "logits_differ": apart[1]}
        print(f"{name}: {file} {giver} {tensor}, ONNX Runtime differs by {apart}", flush=True)
    facts["seconds"] = round(time.time() - start)
    arrays = {"images": images, "logits": logits, "probabilities": logits.softmax(1), "classes": logits.argmax(1),
              "activations": activations, "gradients": gradients}
    arrays = {key: value.numpy() for key, value in arrays.items()}
    zoo_files.write(folder, arrays, layers, facts, pixels[:2])
