"""Writes small Keras classifiers of the kinds that people have, with generated weights, and what they compute:

    python make_refused.py OUT [--only NAME...] [--formats h5 keras]

With Keras 2.15 each gets `keras2.h5`, with Keras 3 `keras3.h5` and `keras3.keras`, or what `--formats` names. Each has a folder of its name; zoo_files.py
says what else lies in it. `two_inputs`, `two_outputs`, `lambda` and `own_class` have no numbers: they must be refused.
"""

import argparse
import os
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import zoo_files
import zoo_keras
from front_models import adapted

K3 = zoo_keras.K3
L = keras.layers
A = keras.applications
CLASSES = 3
SLOPE = "negative_slope" if K3 else "alpha"
# Names of activations in both versions, and those of Keras 3 alone.
ACTIVATIONS = ["elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax",
               "softplus", "softsign", "swish", "tanh"]
ACTIVATIONS_OF_3 = ["celu", "hard_shrink", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid",
                    "log_softmax", "relu6", "silu", "soft_shrink", "sparse_plus", "sparse_sigmoid", "squareplus",
                    "tanh_shrink"]


def chain(x, *layers):
    for layer in layers:
        x = layer(x)
    return x


def dense(units=CLASSES, activation="softmax", **more):
    return L.Dense(units, activation=activation, **more)


def image(size=32, channels=3):
    size = size if isinstance(size, tuple) else (size, size)
    return L.Input((*size, channels))


def flat(build, size=32, channels=3):
    """A functional model: `build` makes the logits' layer from the input."""
    x = image(size, channels)
    return keras.Model(x, build(x))


def small(*middle, size=32, channels=3, head=None):
    """Two convolutions with `middle` between them, and a head."""
    head = head or (L.GlobalAveragePooling2D(), dense())
    return flat(lambda x: chain(x, L.Conv2D(8, 3, padding="same", activation="relu"), *middle,
                                L.Conv2D(12, 3, activation="relu"), *head), size, channels)


def vgg(size=96):
    return A.VGG16(include_top=False, weights=None, input_shape=(size, size, 3))


def on(base, *head):
    """A head on a base in one graph, as `Model(base.input, ...)` has it."""
    return keras.Model(base.inputs, chain(base.outputs[0], *head))


def stacked(base, *head):
    """The base as one layer of a sequential model."""
    return keras.Sequential([base, *head])


def flatten_head():
    return L.Flatten(), L.Dense(256, activation="relu"), L.Dropout(0.5), dense()


def pooled_head():
    return L.GlobalAveragePooling2D(), L.Dropout(0.2), dense()


def inside(base, module, size=96, **options):
    """`preprocess_input` within the model, in front of the base as a layer, as Keras's guide to transfer learning does."""
    base = base(include_top=False, weights=None, input_shape=(size, size, 3), **options)
    return flat(lambda x: chain(base(module.preprocess_input(x), training=False), *pooled_head()), size)


def unnamed_vgg(sequential):
    layers = []
    for filters, convs in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        layers += [L.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convs)]
        layers.append(L.MaxPooling2D(2, 2))
    layers += flatten_head()
    if sequential:
        return keras.Sequential([L.Input((96, 96, 3)), *layers])
    return flat(lambda x: chain(x, *layers), 96)


def as_imagenet(function, size, **options):
    """With `weights="imagenet"`, but for the weights: some networks then have a layer more."""
    function = getattr(A, function)
    module = sys.modules[function.__module__]
    # Nothing is downloaded; `fill` gives the weights.
    holder = module.file_utils if K3 else module.data_utils
    old, holder.get_file = holder.get_file, lambda *_, **__: "none"
    model_class = keras.Model
    load, model_class.load_weights = model_class.load_weights, lambda *_, **__: None
    try:
        base = function(include_top=False, weights="imagenet", input_shape=(size, size, 3), **options)
    finally:
        holder.get_file, model_class.load_weights = old, load
    return base


def sequential_cnn():
    return keras.Sequential([
        L.Conv2D(16, (3, 3), activation="relu", input_shape=(64, 64, 3)) if not K3 else L.Input((64, 64, 3)),
        *([L.Conv2D(16, (3, 3), activation="relu")] if K3 else []),
        L.BatchNormalization(), L.MaxPooling2D((2, 2)), L.Conv2D(32, (3, 3)), L.BatchNormalization(),
        L.Activation("relu"), L.MaxPooling2D((2, 2)), L.SpatialDropout2D(0.2), L.Conv2D(32, 3, activation="relu"),
        L.MaxPooling2D(), L.Flatten(), L.Dense(64), L.BatchNormalization(), L.Activation("relu"), L.Dropout(0.5),
        dense()])


def separable():
    return small(L.SeparableConv2D(16, 3, padding="same", depth_multiplier=2, activation="relu"),
                 L.BatchNormalization(scale=False), L.SeparableConv2D(12, 3, strides=2, padding="same", use_bias=False),
                 L.ReLU(), L.SeparableConv2D(12, 3, dilation_rate=2))


def depthwise():
    return small(L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu"),
                 L.DepthwiseConv2D(5, strides=2, padding="same", use_bias=False), L.BatchNormalization(center=False),
                 L.ReLU(6.0), L.Conv2D(16, 3, groups=4, padding="same"), L.Conv2D(16, 3, dilation_rate=2, padding="same"),
                 L.Conv2D(16, (1, 5), padding="same"), L.DepthwiseConv2D(3, dilation_rate=2))


def transposed():
    return small(L.MaxPooling2D(2), L.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
                 L.Conv2DTranspose(8, 2, strides=2), L.Conv2DTranspose(8, 4, strides=2, padding="same", use_bias=False),
                 L.AveragePooling2D(4), L.UpSampling2D(2), L.UpSampling2D((2, 3), interpolation="bilinear"),
                 L.Conv2DTranspose(8, 3, padding="valid"))


def normalised():
    return small(L.GroupNormalization(4), L.Conv2D(8, 3), L.LayerNormalization(), L.Conv2D(8, 3, activation="relu"),
                 L.UnitNormalization(), L.Conv2D(8, 3), L.GroupNormalization(groups=-1, epsilon=1e-5), L.ReLU(),
                 L.LayerNormalization(axis=[1, 2, 3], epsilon=1e-5, scale=False),
                 L.BatchNormalization(axis=-1, center=False, scale=False, epsilon=1e-5))


def rectified():
    slopes = {"max_value": 4.0, "negative_slope": 0.1, "threshold": 0.2}
    layers = [L.PReLU(), L.PReLU(shared_axes=[1, 2]), L.ELU(alpha=0.7), L.ReLU(**slopes), L.LeakyReLU(**{SLOPE: 0.3}),
              L.LeakyReLU(), L.ReLU(max_value=6), L.ReLU(negative_slope=0.2), L.ReLU(threshold=0.3)]
    if not K3:
        layers.append(L.ThresholdedReLU(theta=0.3))
    both = []
    for layer in layers:
        both += [layer, L.Conv2D(8, 3, padding="same")]
    return small(*both)


def merged():
    def build(x):
        a, b, c = (L.Conv2D(8, 3, padding="same", activation="relu")(x) for _ in range(3))
        x = L.Concatenate()([L.Average()([a, b, c]), L.Maximum()([a, b]), L.Minimum()([b, c]), L.Subtract()([a, c]),
                             L.Multiply()([a, b, c]), L.Add()([a, b, c])])
        x = L.Conv2D(8, 3, activation="relu")(L.Concatenate(axis=1)([x, x]))
        return chain(x, *pooled_head())
    return flat(build)


def dotted():
    """Bilinear pooling."""
    def build(x):
        x = chain(x, L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(3), L.Conv2D(6, 3, activation="relu"))
        x = L.Reshape((-1, 6))(x)
        return chain(L.Dot(axes=(1, 1), normalize=True)([x, x]), L.Flatten(), dense())
    return flat(build)


def moved():
    return small(L.Permute((2, 1, 3)), L.Cropping2D(((1, 2), (3, 4))), L.ZeroPadding2D((2, 1)), L.Reshape((27, 33, 8)),
                 L.Cropping2D(1), L.Permute((1, 3, 2)), L.Conv2D(8, 3), L.AveragePooling2D(3, 2, padding="same"),
                 L.MaxPooling2D((2, 1), padding="same"), size=(32, 32), head=(L.Reshape((-1,)), dense()))


def squeezed():
    """Squeeze-and-excitation in three ways, and a branch of the head for each pooling."""
    def build(x):
        x = L.Conv2D(8, 3, activation="relu")(x)
        for keep in (True, False):
            share = L.GlobalAveragePooling2D(keepdims=keep)(x)
            if not keep:
                share = L.Reshape((1, 1, 8))(share)
            share = L.Conv2D(8, 1, activation="sigmoid")(L.Conv2D(4, 1, activation="relu")(share))
            x = L.Multiply()([x, share])
            x = L.Conv2D(8, 3, activation="relu")(x)
        share = chain(L.GlobalMaxPooling2D()(x), dense(4, "relu"), dense(8, "hard_sigmoid"))
        x = L.Multiply()([x, L.Reshape((1, 1, 8))(share)])
        both = L.Concatenate()([L.GlobalAveragePooling2D()(x), L.GlobalMaxPooling2D()(x)])
        return chain(both, L.BatchNormalization(), L.Dropout(0.3), dense())
    return flat(build)


def every_activation(names, layers):
    def build(x):
        x = L.Conv2D(8, 3, activation="relu")(x)
        found = [L.Activation(name)(L.Conv2D(4, 3)(x)) if layers else L.Conv2D(4, 3, activation=name)(x)
                 for name in names]
        return chain(L.Concatenate()(found), L.Conv2D(8, 3, activation="tanh"), *pooled_head())
    return flat(build)


def operations():
    """Arithmetic without layers."""
    def build(x):
        x = (x - 127.5) * 0.0078125
        x = L.Conv2D(8, 3, padding="same")(x)
        x = (keras.ops if K3 else tf.nn).relu(x)
        y = L.Conv2D(8, 3, padding="same")(x)
        x = x + y
        x = 1.0 - x / 2.0
        x = -x * y + abs(y) ** 2
        joined = keras.ops.concatenate([x, y], -1) if K3 else tf.concat([x, y], -1)
        joined = joined[:, 1:-1, 2:, :12]
        x = L.Conv2D(8, 3)(joined)
        x = x * (keras.ops if K3 else tf).sigmoid(x)
        x = keras.ops.max(x, axis=-1, keepdims=True) + x if K3 else tf.reduce_max(x, -1, keepdims=True) + x
        x = keras.ops.mean(x, axis=[1, 2]) if K3 else tf.reduce_mean(x, [1, 2])
        return dense()(x)
    return flat(build)


def shared():
    def build(x):
        conv, relu, pool = L.Conv2D(8, 3, padding="same"), L.ReLU(), L.MaxPooling2D(2)
        x = relu(L.Conv2D(8, 3, padding="same")(x))
        x = pool(relu(conv(x)))
        x = pool(relu(conv(x)))
        return chain(x, L.Conv2D(8, 3, activation="relu"), *pooled_head())
    return flat(build)


def shared_model():
    """A model called twice."""
    inner = image(30, 8)
    block = keras.Model(inner, L.ReLU()(L.Conv2D(8, 3, padding="same")(inner)), name="block")
    return flat(lambda x: chain(x, L.Conv2D(8, 3), block, block, L.Conv2D(8, 3, activation="relu"), *pooled_head()))


def nested():
    """Models in models in models."""
    inner = keras.Sequential([L.Input((30, 30, 8)), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(2)], name="inner")
    base = flat(lambda x: inner(L.Conv2D(8, 3)(x)))
    head = keras.Sequential([L.Flatten(), L.Dense(16, activation="relu")], name="head")
    return flat(lambda x: chain(base(L.Rescaling(1 / 255)(x)), L.Conv2D(8, 3, activation="relu"), head, dense()))


def two_outputs():
    x = image()
    y = chain(x, L.Conv2D(8, 3, activation="relu"), L.GlobalAveragePooling2D())
    return keras.Model(x, [dense()(y), dense(1, "sigmoid")(y)])


def two_inputs():
    x, y = image(), image()
    both = [L.Conv2D(8, 3, activation="relu")(one) for one in (x, y)]
    return keras.Model([x, y], chain(L.Concatenate()(both), *pooled_head()))


def with_lambda():
    # Compiled by itself, so that the file does not hold the place of this one.
    scale = eval(compile("lambda x: x / 127.5 - 1", "scale", "eval"))
    return small(L.Lambda(scale))


class Scaled(L.Layer):
    def call(self, x):
        return 2 * x


def augmentation():
    return [L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.2), L.RandomContrast(0.1)]


def noisy():
    return small(L.GaussianNoise(0.1), L.GaussianDropout(0.2), L.SpatialDropout2D(0.2), L.Dropout(0.3),
                 L.AlphaDropout(0.1), L.ActivityRegularization(l2=0.01), L.Activation("linear"))


VGG = A.vgg16.preprocess_input
TF = A.mobilenet_v2.preprocess_input
RAW, CAFFE, INCEPTION = ("none", None), ("vgg16.preprocess_input", VGG), ("mobilenet_v2.preprocess_input", TF)
UNIT = ("divided by 255", lambda x: x / np.float32(255))
# Name: how it is made, what happens before it, size of the pictures where any is taken.
CASES = {
    "vgg16_150_flatten": (lambda: on(vgg(150), *flatten_head()), CAFFE),
    "vgg16_150_flatten_nested": (lambda: stacked(vgg(150), *flatten_head()), UNIT),
    "vgg16_pooled": (lambda: on(vgg(), *pooled_head()), CAFFE),
    "vgg16_leaky": (lambda: on(vgg(), L.Flatten(), L.Dense(64), L.LeakyReLU(**{SLOPE: 0.1}), L.BatchNormalization(),
                               dense()), CAFFE),
    "vgg16_conv_after": (lambda: on(vgg(), L.Conv2D(64, 3, padding="same", activation="relu"), *pooled_head()), CAFFE),
    "vgg16_caffe_inside": (lambda: inside(A.VGG16, A.vgg16), RAW),
    "mobilenetv2_tf_inside": (lambda: inside(A.MobileNetV2, A.mobilenet_v2, alpha=0.35), RAW),
    "densenet121_torch_inside": (lambda: inside(A.DenseNet121, A.densenet), RAW),
    "resnet50_caffe_inside_flat": (lambda: flat(lambda x: chain(
        A.ResNet50(include_top=False, weights=None, input_tensor=A.resnet50.preprocess_input(x)).outputs[0],
        *pooled_head()), 96), RAW),
    "vgg16_unnamed": (lambda: unnamed_vgg(False), UNIT),
    "vgg16_unnamed_sequential": (lambda: unnamed_vgg(True), UNIT),
    "resnet50v2": (lambda: stacked(A.ResNet50V2(include_top=False, weights=None, input_shape=(96, 96, 3)),
                                   *pooled_head()), INCEPTION),
    "mobilenetv2": (lambda: on(A.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3), alpha=0.35),
                               *pooled_head()), INCEPTION),
    "mobilenetv2_max": (lambda: stacked(A.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3),
                                                      alpha=0.35, pooling="max"), dense()), INCEPTION),
    "efficientnetb0": (lambda: on(as_imagenet("EfficientNetB0", 96), L.GlobalAveragePooling2D(),
                                  L.BatchNormalization(), L.Dropout(0.2), dense()), RAW),
    "efficientnetb0_nested": (lambda: stacked(as_imagenet("EfficientNetB0", 96), *flatten_head()), RAW),
    "sequential": (sequential_cnn, UNIT),
    "separable": (separable, UNIT),
    "depthwise": (depthwise, UNIT),
    "transposed": (transposed, UNIT),
    "normalised": (normalised, UNIT),
    "rectified": (rectified, UNIT),
    "softmaxes": (lambda: small(L.Softmax(), L.Conv2D(8, 3), L.Softmax(axis=[1, 2]), L.Rescaling(900.0)), UNIT),
    "softmax_layer": (lambda: small(head=(L.Flatten(), dense(activation=None), L.Softmax())), UNIT),
    "softmax_activation": (lambda: small(head=(L.Flatten(), dense(activation=None), L.Activation("softmax"))), UNIT),
    "convolution_head": (lambda: small(head=(L.Conv2D(CLASSES, 1), L.GlobalAveragePooling2D(),
                                             L.Activation("softmax"))), UNIT),
    "merged": (merged, UNIT),
    "dotted": (dotted, UNIT),
    "moved": (moved, UNIT),
    "squeezed": (squeezed, UNIT),
    "grey": (lambda: small(channels=1), UNIT),
    "four_channels": (lambda: small(channels=4), UNIT),
    "open": (lambda: small(L.MaxPooling2D(2), size=(None, None)), UNIT, (40, 56)),
    "open_mobilenetv2": (lambda: on(A.MobileNetV2(include_top=False, weights=None, input_shape=(None, None, 3),
                                                  alpha=0.35), *pooled_head()), INCEPTION, (101, 96)),
    "wide": (lambda: small(size=(24, 40)), UNIT),
    "one_neuron": (lambda: small(head=(L.Flatten(), dense(1, "sigmoid"))), UNIT),
    "one_neuron_pooled": (lambda: small(head=(L.GlobalMaxPooling2D(), dense(16, "relu"), dense(1, "sigmoid"))), UNIT),
    "several_sigmoids": (lambda: small(head=(L.Flatten(), dense(CLASSES, "sigmoid"))), UNIT),
    "logits": (lambda: small(head=(L.Flatten(), dense(activation=None))), UNIT),
    "dense_on_map": (lambda: small(dense(8, "relu"), dense(8, "gelu")), UNIT),
    "activations": (lambda: every_activation(ACTIVATIONS, False), UNIT),
    "activation_layers": (lambda: every_activation(ACTIVATIONS, True), UNIT),
    "activations_as_layers": (lambda: flat(lambda x: chain(
        x, L.Conv2D(8, 3, activation=L.LeakyReLU(0.1)), L.DepthwiseConv2D(3, activation=L.ReLU(4.0)),
        L.Conv2D(8, 3, activation=L.ELU(0.7)), *pooled_head())), UNIT),
    "activations_of_3": (lambda: every_activation(ACTIVATIONS_OF_3, False), UNIT),
    "augmented": (lambda: keras.Sequential([L.Input((32, 32, 3)), *augmentation(), L.Rescaling(1 / 127.5, offset=-1),
                                            L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(),
                                            dense()]), RAW),
    "augmented_nested": (lambda: flat(lambda x: chain(
        x, keras.Sequential(augmentation(), name="augmentation"), L.Rescaling(1 / 255), L.Conv2D(8, 3), L.ReLU(),
        L.MaxPooling2D(), *pooled_head())), RAW),
    "adapted": (lambda: flat(lambda x: chain(x, adapted(), L.Conv2D(8, 3, activation="relu"), *pooled_head())), RAW),
    "resized": (lambda: flat(lambda x: chain(x, L.Resizing(24, 28), L.Rescaling(1 / 255), L.CenterCrop(20, 22),
                                             L.Conv2D(8, 3, activation="relu"), *pooled_head())), RAW),
    "noisy": (noisy, UNIT),
    "operations": (operations, RAW),
    "nested": (nested, RAW),
    "shared": (shared, UNIT),
    "shared_model": (shared_model, UNIT),
}
# These must be refused.
WRONG = {
    "two_outputs": two_outputs, "two_inputs": two_inputs, "lambda": with_lambda,
    "own_class": lambda: small(Scaled()),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", metavar="NAME")
    parser.add_argument("--formats", nargs="*", metavar="ENDING", help="h5, keras")
    args = parser.parse_args()
    formats = args.formats or (["h5", "keras"] if K3 else ["h5"])
    failed = []
    for name, (build, (preprocessing, preprocess), *size) in CASES.items():
        if args.only and name not in args.only or name.endswith("_of_3") and not K3:
            continue
        try:
            keras.backend.clear_session()
            zoo_keras.add(args.out / name, name, build(), formats, preprocessing, preprocess, *size)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    for name, build in WRONG.items():
        if args.only and name not in args.only:
            continue
        keras.backend.clear_session()
        model = build()
        zoo_keras.fill(model, name)
        (args.out / name).mkdir(parents=True, exist_ok=True)
        for ending in formats:
            model.save(str(args.out / name / f"{zoo_keras.VERSION}.{ending}"))
    zoo_files.list_operators(args.out)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
