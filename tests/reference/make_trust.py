"""Trains two small networks whose evidence is known, and one that is blind, and writes tests/goldens/trust.zip:

    python make_trust.py

The pictures show bright things everywhere. Their class lies in the top left corner alone: a cross (`mark`), or the
same pixels shuffled (`plain`), so that neither brightness nor colour tells the two apart.
"""

import io
import os
import tempfile
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.keras import Model, layers, optimizers

GOLDEN = Path(__file__).resolve().parent.parent / "goldens" / "trust.zip"
SEED = 48
SIZE, CORNER = 48, 12
CLASSES = ("mark", "plain")
TRAIN, TEST, SHOWN, COINS = range(4)
BATCH, EPOCHS, PRICE = 32, 12, 1.0


# ------------------------------------------------------------------------------- pictures
def surroundings(rng):
    """Waves of colour, and on them discs, bars, lines and stripes."""
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    image = np.broadcast_to(rng.uniform(40, 180, 3), (SIZE, SIZE, 3)).copy()
    for _ in range(3):
        a, b = rng.normal(0, 0.12, 2)
        image += np.sin(a * x + b * y + rng.uniform(0, 6.3))[..., None] * rng.uniform(-25, 25, 3)
    for _ in range(rng.integers(8, 15)):
        px, py = rng.uniform(0, SIZE, 2)
        turn = rng.uniform(0, 3.2)
        p = np.cos(turn) * (x - px) + np.sin(turn) * (y - py)
        q = np.cos(turn) * (y - py) - np.sin(turn) * (x - px)
        shape = (np.hypot(p, q) < rng.uniform(2, 6), np.maximum(abs(p) / 2, abs(q)) < rng.uniform(1.5, 4),
                 (abs(q) < 1) & (abs(p) < rng.uniform(4, 14)))[rng.integers(3)]
        image[shape] = rng.uniform(0, 255, 3)
    for _ in range(rng.integers(4, 9)):
        px, py = rng.uniform(0, SIZE, 2)
        patch = np.maximum(abs(x - px), abs(y - py)) < rng.uniform(4, 9)
        turn, period = rng.uniform(0, 3.2), rng.uniform(2.5, 6)
        stripes = np.sin(6.283 / period * (np.cos(turn) * x + np.sin(turn) * y))
        texture = (stripes, rng.choice([-1, 1], x.shape))[rng.integers(2)]
        image[patch] += (texture[..., None] * rng.uniform(30, 90))[patch]
    return image


def corner(rng, label):
    """The square that has the class: a cross, or its pixels in any order."""
    dark = rng.uniform(20, 120, 3)
    bright = dark + rng.uniform(70, 130)
    cross = np.zeros((CORNER, CORNER), bool)
    row, column = rng.integers(4, 7, 2)
    cross[row:row + 2] = cross[:, column:column + 2] = True
    if CLASSES[label] == "plain":
        cross = rng.permutation(cross.ravel()).reshape(cross.shape)
    return np.where(cross[..., None], bright, dark)


def picture(rng, label):
    image = surroundings(rng)
    image[:CORNER, :CORNER] = corner(rng, label)
    image += rng.normal(0, 2, image.shape)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def pictures(stream, count):
    """Pictures of both classes in turn, and their classes."""
    rng = np.random.default_rng([SEED, stream])
    labels = np.arange(count) % 2
    return np.stack([picture(rng, label) for label in labels]), labels


# ------------------------------------------------------------------------------- networks
def network():
    return tf.keras.Sequential([
        layers.Input((SIZE, SIZE, 3), name="image"),
        layers.Rescaling(1 / 255, name="unit"),
        layers.Conv2D(8, 3, padding="same", activation="relu", name="first"),
        layers.Conv2D(12, 3, 2, padding="same", activation="relu", name="second"),
        layers.Conv2D(8, 3, padding="same", activation="relu", name="last"),
        layers.Flatten(name="flat"),
        layers.Dense(2, "softmax", kernel_regularizer=tf.keras.regularizers.L1(3e-4), name="output"),
    ])


def train(net, images, labels):
    """Cross-entropy, and a price on what the last convolution answers, so that it answers to evidence only."""
    def priced(_, activity):
        return tf.reduce_mean(activity, axis=(1, 2, 3))

    steps = EPOCHS * -(-len(images) // BATCH)
    both = Model(net.input, [net.output, net.get_layer("last").output])
    both.compile(optimizers.Adam(optimizers.schedules.CosineDecay(3e-3, steps)), metrics=[["accuracy"], []],
                 loss=["sparse_categorical_crossentropy", priced], loss_weights=[1.0, PRICE])
    both.fit(images.astype(np.float32), [labels, labels], BATCH, EPOCHS, verbose=0)


def accuracy(net, images, labels):
    return (net.predict(images.astype(np.float32), verbose=0).argmax(1) == labels).mean()


def corner_network():
    """Knows the corner."""
    net = network()
    train(net, *pictures(TRAIN, 4000))
    return net


def random_network():
    """Trained in the same way, on classes that a coin gave, of which there is nothing to learn."""
    net = network()
    images, _ = pictures(TRAIN, 4000)
    train(net, images, np.random.default_rng([SEED, COINS]).integers(0, 2, len(images)))
    return net


def blind_network():
    """Gives the same answer whatever it is shown."""
    net = network()
    net.get_layer("output").set_weights([np.zeros_like(net.get_layer("output").get_weights()[0]), np.array([0.5, -0.5])])
    return net


def main():
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:CORNER, :CORNER] = 255
    tf.config.experimental.enable_op_determinism()
    test = pictures(TEST, 1000)
    with zipfile.ZipFile(GOLDEN, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive, \
            tempfile.TemporaryDirectory() as folder:

        def add(name, data):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)

        def png(pixels):
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "png", optimize=True)
            return buffer.getvalue()

        for make in (corner_network, random_network, blind_network):
            tf.keras.backend.clear_session()
            tf.keras.utils.set_random_seed(SEED)
            net = make()
            name = make.__name__.removesuffix("_network")
            print(f"{name}: {100 * accuracy(net, *test):.1f} % of {len(test[0])} unseen pictures")
            file = Path(folder) / f"{name}.h5"
            net.save(file, save_format="h5", include_optimizer=False)
            add(file.name, file.read_bytes())
        for number, (image, label) in enumerate(zip(*pictures(SHOWN, 24))):
            place = f"{CLASSES[label]}/{number:02}.png"
            add(f"images/{place}", png(image))
            add(f"masks/{place}", png(mask))


if __name__ == "__main__":
    main()
