"""Weights, saved files and numbers of any Keras classifier, for make_zoo.py and make_refused.py; Keras 2.15 or 3."""

import inspect
import math
import time

import keras
import numpy as np
import tensorflow as tf

import zoo_files
from weights import noise

K3 = hasattr(keras, "ops")
VERSION = "keras3" if K3 else "keras2"
# Kind of weight: offset and scale. The rest are kernels.
SPREADS = {
    "bias": (0, 0.05), "beta": (0, 0.2), "gamma": (1, 0.2), "moving_mean": (0, 0.2), "moving_variance": (1, 0.4),
    "alpha": (0.2, 0.1), "layer_scale": (0.3, 0.1),
}
# What `Normalization` was adapted to, where it was not: ImageNet's.
MEAN, VARIANCE = [0.485, 0.456, 0.406, 0.5], [0.229**2, 0.224**2, 0.225**2, 0.25**2]
# Settings that say nothing of what is computed at inference.
SILENT = ("name", "dtype", "trainable", "filters", "units", "seed", "layer", "layers", "batch_input_shape",
          "batch_shape", "build_config", "rate", "shared_object_id", "momentum", "config", "function_state")
SILENT_ENDS = ("_initializer", "_regularizer", "_constraint")
# Shares of a batch of deviation that the head's logits get.
LOGITS = 2.0


# ------------------------------------------------------------------------------------ layers
def is_model(layer):
    return isinstance(layer, keras.Model)


def leaves(model, path=""):
    """Path and layer of all that computes, in models within models too, each once."""
    found, seen = [], set()

    def walk(model, path):
        for layer in getattr(model, "operations", None) or model.layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if is_model(layer):
                walk(layer, f"{path}{layer.name}/")
            else:
                found.append((path + layer.name, layer))

    walk(model, path)
    return found


def kind(layer):
    return type(layer).__name__


def kernel_scale(layer, weight, shape):
    """He's, by what one output is summed of."""
    fan = math.prod(shape[:-1])
    if "depthwise" in weight or kind(layer) == "DepthwiseConv2D":
        fan = math.prod(shape[:2])
    elif "Transpose" in kind(layer):
        fan = max(1, math.prod(shape[:2]) * shape[3] / math.prod(layer.strides))
    return math.sqrt(6 / max(1, fan))


def fill(model, network):
    """Gives every layer weights that follow from the network's name, the layer's and the weight's."""
    for path, layer in leaves(model):
        if not hasattr(layer, "weights") or not layer.weights:
            continue
        if kind(layer) == "Normalization":
            # Adapted or not, the file has a mean and a variance.
            if getattr(layer, "adapt_mean", None) is not None and not np.asarray(layer.adapt_mean).any():
                shape = layer.adapt_mean.shape
                count = math.prod(shape)
                layer.adapt_mean.assign(np.reshape(MEAN[:count], shape))
                layer.adapt_variance.assign(np.reshape(VARIANCE[:count], shape))
                layer.finalize_state()
            continue
        for variable in layer.weights:
            if not tf.as_dtype(variable.dtype).is_floating:
                continue
            weight = variable.name.split("/")[-1].split(":")[0]
            if kind(layer) == "LayerScale":
                weight = "layer_scale"
            shape = tuple(variable.shape)
            offset, scale = SPREADS.get(weight, (0, None))
            if scale is None:
                scale = kernel_scale(layer, weight, shape)
            values = np.float32(scale) * noise(f"{network}/{path}/{weight}", math.prod(shape)) + np.float32(offset)
            variable.assign(values.reshape(shape))


def preactivation(model):
    """The last layer with weights."""
    return [layer for _, layer in leaves(model) if getattr(layer, "weights", None)][-1]


def settle(model, batch):
    """Batch normalisations take the statistics of the batch, so that values neither die nor explode; then the head's
    weights are scaled so that the classes' logits lie apart."""
    norms, rates = [], []
    for _, layer in leaves(model):
        if kind(layer) == "BatchNormalization":
            norms.append((layer, layer.momentum))
            layer.momentum = 0.0
        for name in ("rate", "drop_path_rate"):
            if isinstance(getattr(layer, name, None), float):
                rates.append((layer, name, getattr(layer, name)))
                setattr(layer, name, 0.0)
    augmented = any(kind(layer).startswith("Random") for _, layer in leaves(model))
    if norms and not augmented:
        model(batch, training=True)
    for layer, momentum in norms:
        layer.momentum = momentum
    for layer, name, rate in rates:
        setattr(layer, name, rate)
    logits = Recording(model, batch[:2]).logits.numpy()
    last = preactivation(model)
    if logits.shape[-1] > 1 and hasattr(last, "kernel"):
        last.kernel.assign(np.asarray(last.kernel) * np.float32(LOGITS / max(1e-6, logits.std(-1).mean())))


# ------------------------------------------------------------------------- what is computed
class Recording:
    """One run of a model that keeps what each layer reads and gives, in models within models too."""

    def __init__(self, model, x):
        self.edges, self.tensors, self.names, self.layers, self.calls = {}, {}, {}, {}, {}
        self.zs = {}
        x = tf.convert_to_tensor(x)
        undo = []
        for path, layer in leaves(model):
            if kind(layer) != "InputLayer":
                undo += self.watch(path, layer)
        self.tape = tf.GradientTape()
        try:
            with self.tape:
                self.tape.watch(x)
                self.keep(x, ())
                self.output = model(x, training=False)
                last = self.layers.get(id(self.output))
                self.last = last
                if last is not None and kind(last) == "Softmax":
                    z = self.tensors[self.edges[id(self.output)][0]]
                else:
                    z = self.zs.get(id(last), self.output)
                self.logits = tf.concat([-z, z], -1) if z.shape[-1] == 1 else z
                self.score = tf.reduce_sum(tf.reduce_max(self.logits, -1))
        finally:
            for layer, name, value in reversed(undo):
                if value is None:
                    layer.__dict__.pop(name, None)
                else:
                    layer.__dict__[name] = value

    def keep(self, tensor, inputs):
        self.edges[id(tensor)] = list(inputs)
        self.tensors[id(tensor)] = tensor

    def watch(self, path, layer):
        """Puts a step between the layer and whoever calls it."""
        undo = [(layer, "call", layer.__dict__.get("call"))]
        call, activation = layer.call, getattr(layer, "activation", None)

        def recorded(*args, **more):
            given = [one for one in tf.nest.flatten((args, more)) if id(one) in self.tensors]
            result = call(*args, **more)
            self.calls[path] = self.calls.get(path, 0) + 1
            for tensor in tf.nest.flatten(result):
                # A layer that does nothing gives what it was given.
                if tf.is_tensor(tensor) and id(tensor) not in self.tensors:
                    self.keep(tensor, [id(one) for one in given])
                    self.names[id(tensor)], self.layers[id(tensor)] = path, layer
            return result

        layer.__dict__["call"] = recorded
        if callable(activation):
            undo.append((layer, "activation", layer.__dict__.get("activation")))

            def kept(z, *args, **more):
                self.zs[id(layer)] = z
                return activation(z, *args, **more)

            layer.__dict__["activation"] = kept
        return undo

    def chain(self):
        return zoo_files.passages(self.edges, id(self.output))

    def map(self, chain):
        def spatial(value):
            shape = self.tensors[value].shape
            return tuple(shape[1:3]) if len(shape) == 4 and value in self.names else None

        return zoo_files.map_of(chain, spatial)

    def maps(self, chain):
        """Outputs for the first picture of layers that run once, by name, as far as they are not too many."""
        def shown(values):
            found = {}
            for value in values:
                tensor, path = self.tensors[value], self.names.get(value)
                if path and self.calls[path] == 1 and len(tensor.shape) == 4:
                    found[self.layers[value].name] = tensor[:1]
            return found

        every = shown(self.edges)
        if sum(4 * math.prod(tensor.shape) for tensor in every.values()) > zoo_files.MOST_LAYERS:
            every = shown(chain)
        return {name: tensor.numpy() for name, tensor in every.items()}


# ------------------------------------------------------------------------------------ files
def defaults(layer):
    found = {}
    for cls in type(layer).__mro__:
        if "__init__" in vars(cls):
            for name, parameter in inspect.signature(cls.__init__).parameters.items():
                found.setdefault(name, parameter.default)
    return found


def operators(model):
    """Classes of layers, and the settings in which they differ from what the class does by itself."""
    kinds = {}
    for _, layer in leaves(model):
        name = kind(layer)
        settings = kinds.setdefault(name, {})
        try:
            config = layer.get_config()
        except Exception as error:
            config = {"no configuration": str(error)[:80]}
        usual = defaults(layer)
        for key, value in config.items():
            if key in SILENT or key.endswith(SILENT_ENDS) or key in usual and usual[key] == value:
                continue
            if not isinstance(value, (str, int, float, dict, type(None))):
                value = value.tolist() if hasattr(value, "tolist") else value
                value = list(value) if hasattr(value, "__iter__") else value
            count(settings, key, value)
    for name, call in calls(model.get_config()):
        count(kinds.setdefault(name, {}), "call", call)
    return kinds


def count(settings, key, value):
    text = str(value)[:300]
    counts = settings.setdefault(key, {})
    counts[text] = counts.get(text, 0) + 1


def calls(config):
    """How operators that are no layers are called, tensors as `T`; in models within models, too."""
    for layer in config.get("layers", ()):
        inner = layer.get("config", {})
        if isinstance(inner, dict) and "layers" in inner:
            yield from calls(inner)
        is_layer = hasattr(keras.layers, layer["class_name"]) or layer["class_name"] in ("Functional", "LayerScale")
        if is_layer and layer["class_name"] != "TFOpLambda":
            continue
        for node in layer.get("inbound_nodes", ()):
            if isinstance(node, dict):
                yield layer["class_name"], shortened([node["args"], node["kwargs"]])
            else:
                yield layer["class_name"], f"{inner.get('function', '')} {shortened(node)}"


def shortened(value):
    """Without the names of tensors and their shapes."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return "T"
        return {name: shortened(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) >= 3 and isinstance(value[0], str) and value[0] != "_CONSTANT_VALUE":
            return ["T", *(shortened(one) for one in value[3:])]
        return [shortened(one) for one in value]
    return value


def add(folder, network, model, formats, preprocessing="none", preprocess=None, size=None, compiled=True):
    """Fills, saves and runs a model; `size` is that of the pictures, where the model takes any."""
    start = time.time()
    folder.mkdir(parents=True, exist_ok=True)
    shape = model.inputs[0].shape
    height, width = size or (shape[1], shape[2])
    pixels = zoo_files.pictures(height, width, shape[3])
    batch = pixels.astype(np.float32)
    if preprocess:
        batch = np.ascontiguousarray(preprocess(batch.copy()), np.float32)
    fill(model, network)
    settle(model, batch)
    if compiled:
        model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    files = {}
    for ending in formats:
        file = folder / f"{VERSION}.{ending}"
        model.save(str(file))
        files[file.name] = operators(model)
    run = Recording(model, batch[:2])
    chain = run.chain()
    place = run.map(chain)
    gradients = run.tape.gradient(run.score, run.tensors[place])
    probabilities = run.output if run.logits is not run.output else tf.nn.softmax(run.logits)
    activations = run.tensors[place].numpy()
    arrays = {
        "images": batch[:2].transpose(0, 3, 1, 2), "logits": run.logits.numpy(),
        "probabilities": np.asarray(probabilities), "classes": run.logits.numpy().argmax(-1),
        "activations": activations.transpose(0, 3, 1, 2), "gradients": gradients.numpy().transpose(0, 3, 1, 2),
    }
    path = run.names[place]
    facts = {
        "network": network, "layer": run.layers[place].name, "layer_path": path, "layer_class": kind(run.layers[place]),
        "preprocessing": preprocessing, "faces": zoo_files.FACES[:2], "operators": files,
        "parameters": int(model.count_params()), "logits_equal_probabilities": run.logits is run.output,
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__}, "seconds": round(time.time() - start),
    }
    zoo_files.write(folder, arrays, run.maps(chain), facts, pixels[:2])
