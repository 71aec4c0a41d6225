"""The networks that Burncam knows, in Keras 2 or Keras 3, with untrained weights.

VGG16, ResNet50 and SENet50 are laid out as keras-vggface lays them out, N-CNN and the heads as in
the training notebook of GCoutrin/cnns-dor_neonatal; InceptionV3 and the networks of variant
keras-applications are Keras's own. Layer names that Keras 2 takes may hold a `/`; Keras 3 refuses
them, so there it is a `_`.
"""

from dataclasses import dataclass
from typing import Callable

import keras
from keras import layers

IS_KERAS_3 = keras.__version__.startswith("3")
SLASH = "_" if IS_KERAS_3 else "/"

CAFFE = (103.939, 116.779, 123.68)

# filters, convolutions
VGG_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
# filters, blocks
RESIDUAL_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
# size and activation of a branch's convolutions, each with the size of the pooling after it
BRANCHES = (
    ((5, "conv_5x5", "leaky_1", 3, "maxpool_3x3"), (2, "conv_2x2", "leaky_2", 3, "maxpool_3x3_")),
    ((5, "conv_5x5_", "leaky_3", 10, "maxpool_10x10_"),),
)


def head(x, *hidden, dropout=0.5):
    """Dense layers with dropout, then two classes."""
    for units in hidden:
        x = layers.Dropout(dropout)(layers.Dense(units, activation="relu")(x))
    return layers.Dense(2, activation="softmax")(x)


def vgg16():
    image = x = layers.Input((224, 224, 3))
    for stage, (filters, convs) in enumerate(VGG_STAGES, 1):
        for conv in range(1, convs + 1):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{stage}_{conv}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    return keras.Model(image, head(layers.Flatten()(x), 512, 512))


def residual(epsilon, squeeze):
    """ResNet50, or with `squeeze` SENet50."""

    def conv_norm(x, filters, size, name, **settings):
        x = layers.Conv2D(filters, size, use_bias=False, name=name, **settings)(x)
        return layers.BatchNormalization(epsilon=epsilon, name=name + SLASH + "bn")(x)

    def relu(x):
        return layers.Activation("relu")(x)

    def excited(x, filters, name):
        """Each channel times a share that a small network gives it."""
        share = layers.Reshape((1, 1, filters))(layers.GlobalAveragePooling2D()(x))
        share = relu(layers.Conv2D(filters // 16, 1, name=name + "_1x1_down")(share))
        share = layers.Conv2D(filters, 1, name=name + "_1x1_up")(share)
        return layers.Multiply()([x, layers.Activation("sigmoid")(share)])

    image = layers.Input((224, 224, 3))
    x = relu(conv_norm(image, 64, 7, f"conv1{SLASH}7x7_s2", strides=2, padding="same"))
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, (filters, blocks) in enumerate(RESIDUAL_STAGES, 2):
        for block in range(1, blocks + 1):
            name, shortcut = f"conv{stage}_{block}", x
            strides = 2 if block == 1 and stage > 2 else 1
            x = relu(conv_norm(x, filters, 1, name + "_1x1_reduce", strides=strides))
            x = relu(conv_norm(x, filters, 3, name + "_3x3", padding="same"))
            x = conv_norm(x, 4 * filters, 1, name + "_1x1_increase")
            if squeeze:
                x = excited(x, 4 * filters, name)
            if block == 1:
                shortcut = conv_norm(shortcut, 4 * filters, 1, name + "_1x1_proj", strides=strides)
            x = relu(layers.Add()([x, shortcut]))
    x = layers.GlobalAveragePooling2D()(layers.AveragePooling2D(7, name="avg_pool")(x))
    return keras.Model(image, head(x, 1000))


def resnet50():
    return residual(1e-3, squeeze=False)


def senet50():
    """The second that is built in a process, as in the notebook, so that it has the same names."""
    residual(1e-4, squeeze=True)
    return residual(1e-4, squeeze=True)


def inception_v3():
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg")
    return keras.Model(base.inputs, head(layers.Flatten()(base.output), 512, 512))


def ncnn():
    def pool(x, size, name):
        return layers.MaxPooling2D(size, strides=size, padding="same", name=name)(x)

    image = layers.Input((120, 120, 3), name="input")
    joined = [pool(image, 10, "maxpool_10x10")]
    slope = {"negative_slope" if IS_KERAS_3 else "alpha": 0.01}
    for branch in BRANCHES:
        x = image
        for size, conv, leaky, pooled, name in branch:
            x = layers.Conv2D(64, size, padding="same", name=conv)(x)
            x = pool(layers.LeakyReLU(name=leaky, **slope)(x), pooled, name)
        if x.shape[1] != 12:
            x = layers.Resizing(12, 12)(x)
        joined.append(layers.Dropout(0.1)(x))
    x = layers.Concatenate()(joined)
    x = layers.Conv2D(64, 2, padding="same", activation="relu", name="conv_2x2_")(x)
    x = layers.Flatten()(pool(x, 2, "maxpool_2x2_"))
    x = layers.Dropout(0.1)(layers.Dense(8, activation="relu", name="FC1")(x))
    return keras.Model(image, layers.Dense(2, activation="softmax", name="output")(x))


@dataclass(frozen=True)
class Network:
    """A network and how its input is made of 0..255 RGB."""

    title: str
    variant: str
    key: str  # in weights.py
    new: Callable
    divide: float = 1
    mean: tuple = (0, 0, 0)
    bgr: bool = False
    has_slashes: bool = False  # in its layer names

    @property
    def folder(self):
        return f"{self.title}-{self.variant}"

    def build(self):
        """A Keras model, its layers numbered from the start."""
        keras.backend.clear_session()
        return self.new()


def caffe(title, variant, key, new, mean=CAFFE, **more):
    """Blue, green, red minus the mean."""
    return Network(title, variant, key, new, mean=mean, bgr=True, **more)


FACES = (91.4953, 103.8827, 131.0912)
NETWORKS = (
    Network("NCNN", "keras", "NCNN", ncnn, divide=255),
    caffe("VGG16", "keras-vggface", "VGG16", vgg16, (93.5940, 104.7624, 129.1863)),
    caffe("VGG16", "keras-applications", "VGG16-applications",
          lambda: keras.applications.VGG16(weights=None)),
    caffe("ResNet50", "keras-vggface", "ResNet50", resnet50, FACES, has_slashes=True),
    caffe("ResNet50", "keras-applications", "ResNet50-applications",
          lambda: keras.applications.ResNet50(weights=None)),
    caffe("SENet50", "keras-vggface", "SENet50", senet50, FACES, has_slashes=True),
    Network("IncepV3", "keras-applications", "IncepV3", inception_v3, divide=127.5, mean=(1, 1, 1)),
)
