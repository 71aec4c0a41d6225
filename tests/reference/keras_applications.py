"""Writes the goldens of VGG16 and ResNet50 as keras.applications builds them, into tests/goldens:

    python keras_applications.py

Weights are those of weights.py, pictures some of the golden faces, resized by nearest neighbour
and preprocessed by Keras. For each picture: logits, probabilities, and of the predicted class's
logit the channel weights (`pooled`) and the raw Grad-CAM map, all float32.
"""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import weights
from dump_activations import logits_of, prepare
from networks import NETWORKS

GOLDENS = Path(__file__).parent.parent / "goldens"
FACES = ("Fold0/C03_rest_2.jpg", "Fold0/S02_dor_01.png", "Fold1/rgba_dor.png", "Fold2/mini_dor.png")

# Network, its map layer, its own preprocessing.
CASES = (
    ("VGG16-keras-applications", "block5_conv3", keras.applications.vgg16.preprocess_input),
    ("ResNet50-keras-applications", "conv5_block3_out", keras.applications.resnet50.preprocess_input),
)


def explain(model, x):
    """What the model says of one image, and why; `model` gives the map layer and the logits."""
    with tf.GradientTape() as tape:
        activations, logits = model(x)
        index = int(np.argmax(logits[0]))
        score = logits[:, index]
    pooled = tf.reduce_mean(tape.gradient(score, activations), axis=(0, 1, 2))
    raw = tf.linalg.matvec(activations[0], pooled)
    found = {"logits": logits[0], "probs": tf.nn.softmax(logits[0]), "pooled": pooled, "raw": raw}
    return index, {name: np.asarray(value, np.float32) for name, value in found.items()}


def main():
    networks = {network.folder: network for network in NETWORKS}
    for name, layer, preprocess in CASES:
        model = networks[name].build()
        weights.fill(model, networks[name].key)
        _, height, width, _ = model.inputs[0].shape
        tapped = keras.Model(model.inputs, [model.get_layer(layer).output, logits_of(model)])
        rows, arrays = [], {}
        for face in FACES:
            pixels = prepare(GOLDENS / "faces" / face, height, width, 1, (0, 0, 0), False)
            index, found = explain(tapped, preprocess(pixels))
            fold, image = face.split("/")
            rows.append({"fold": fold, "image": image, "index": index})
            for what, values in found.items():
                arrays.setdefault(what, []).append(values)
            logits = found["logits"]
            print(f"{name}, {face}: class {index}, logits {logits.min():.2f} to {logits.max():.2f}, "
                  f"p {found['probs'].max():.4f}, map {found['raw'].min():.3g} to {found['raw'].max():.3g}")
        folder = GOLDENS / name
        folder.mkdir(exist_ok=True)
        for what, values in arrays.items():
            np.save(folder / f"{what}.npy", np.stack(values))
        lines = ",\n".join(json.dumps(row) for row in rows)
        (folder / "rows.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
