"""How far Keras's own float32 is from its float64, for networks of make_zoo.py: what rounding alone does to them.

    python zoo_precision.py ZOO NAME...

For each network of `ZOO` prints the largest difference of a logit, and that as a share of the largest logit.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import zoo_applications

sys.setrecursionlimit(10_000)


def logits(name, weights, image):
    model, _, _ = zoo_applications.build(name)
    model.layers[-1].activation = keras.activations.linear
    model.set_weights(weights)
    return model.predict(image, verbose=0)[0]


def main():
    zoo = Path(sys.argv[1])
    for name in sys.argv[2:]:
        weights = keras.models.load_model(zoo / name / "keras2.h5", compile=False).get_weights()
        image = np.load(zoo / name / "images.npy")[:1].transpose(0, 2, 3, 1)
        found = []
        for precision in ("float64", "float32"):
            keras.backend.set_floatx(precision)
            found.append(logits(name, [own.astype(precision) for own in weights], image.astype(precision)))
        keras.backend.set_floatx("float32")
        exact, single = found
        apart = np.abs(single - exact).max()
        print(f"{name}: {apart:.2e}, {apart / np.abs(exact).max():.2e} of the largest", flush=True)


if __name__ == "__main__":
    main()
