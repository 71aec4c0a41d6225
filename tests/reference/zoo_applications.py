"""The classifiers of keras.applications, for make_zoo.py."""

import sys

import keras

import zoo_keras

CLASSES = 7
# Name: function, its options, height and width of the input. These come first.
FIRST = {
    "MobileNetV2": ("MobileNetV2", {"alpha": 0.35}, 96),
    "MobileNet": ("MobileNet", {}, 128),
    "MobileNetV3Small": ("MobileNetV3Small", {}, 96),
    "EfficientNetB0": ("EfficientNetB0", {}, 101),
    "DenseNet121": ("DenseNet121", {}, 96),
    "Xception": ("Xception", {}, 101),
    "ResNet50V2": ("ResNet50V2", {}, 107),
    "ConvNeXtTiny": ("ConvNeXtTiny", {}, 96),
    "NASNetMobile": ("NASNetMobile", {}, 96),
    "InceptionResNetV2": ("InceptionResNetV2", {}, 107),
    "RegNetX002": ("RegNetX002", {}, 96),
    "RegNetY002": ("RegNetY002", {}, 96),
    "EfficientNetV2B0": ("EfficientNetV2B0", {}, 96),
    "ResNetRS50": ("ResNetRS50", {}, 96),
    "VGG19": ("VGG19", {}, 96),
}
SIZES = {"InceptionV3": 111, "NASNetLarge": 107}
# Variants whose graphs differ.
MORE = {
    "MobileNetV2-whole": ("MobileNetV2", {}, 101),
    "MobileNetV3Small-minimalistic": ("MobileNetV3Small", {"minimalistic": True}, 96),
    "MobileNetV3Large-bare": ("MobileNetV3Large", {"include_preprocessing": False, "alpha": 0.75}, 107),
    "MobileNet-odd": ("MobileNet", {"alpha": 0.25}, 101),
    "ResNet50-average": ("ResNet50", {"include_top": False, "pooling": "avg"}, 96),
}


def networks():
    found = dict(FIRST)
    used = {function for function, _, _ in FIRST.values()}
    for name, function in sorted(vars(keras.applications).items(), key=lambda item: (len(item[0]), item[0])):
        if callable(function) and name not in used:
            found[name] = (name, {}, SIZES.get(name, 96))
    found |= MORE
    return {name: spec for name, spec in found.items() if hasattr(keras.applications, spec[0])}


def names():
    return list(networks())


def build(name):
    function, options, size = networks()[name]
    keras.backend.clear_session()
    base = getattr(keras.applications, function)
    model = base(weights=None, input_shape=(size, size, 3), **{"classes": CLASSES, **options})
    if options.get("include_top") is False:
        model = keras.Model(model.inputs, keras.layers.Dense(CLASSES, activation="softmax")(model.outputs[0]))
    module = sys.modules[base.__module__]
    return model, module.__name__.rsplit(".", 1)[-1], module.preprocess_input


def write(name, folder, args):
    model, module, preprocess = build(name)
    formats = args.formats or (["keras"] if zoo_keras.K3 else ["h5"])
    zoo_keras.add(folder, name, model, formats, f"keras.applications.{module}.preprocess_input", preprocess)
