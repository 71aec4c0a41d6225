"""Trains the demo weights: the N-CNN of the notebook on faces drawn by `faces.py`.

    python train_demo.py           draw, train, measure, write assets/demo (15 to 25 minutes on two cores)
    python train_demo.py measure   measure the weights in assets/demo again, train nothing
    python train_demo.py pictures  draw the demo pictures, masks and landmarks again, nothing else
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")

import numpy as np
from PIL import Image

import faces

SEED = 2022
TRAIN, CHECK, TEST, DEMO = ((SEED, 0), (SEED, 1), (SEED, 2), (SEED, 3))
BABIES = {TRAIN: (460, 12), CHECK: (40, 10), TEST: (80, 10)}     # babies, faces of each
BATCH = 32
MAP_LAYER = "conv_2x2_"
CLASSES = ("Pain", "No_pain")
DEMO_DIR = Path(__file__).resolve().parents[2] / "assets" / "demo"


# ------------------------------------------------------------------------------- data
def one_baby(job):
    """The faces of one baby as the network sees them: pixels, masks, classes."""
    stream, number, shots = job
    drawn = [(faces.reduced(s, e, p), e.pain) for s, e, p in faces.baby(stream, number, shots)]
    return [d[0][0] for d in drawn], [d[0][1] for d in drawn], [0 if d[1] else 1 for d in drawn]


def data_set(stream):
    """All faces of one stream: (n, 120, 120, 3) uint8, (n, 120, 120) uint8, (n,) class indices."""
    babies, shots = BABIES[stream]
    with ProcessPoolExecutor(2) as pool:
        parts = list(pool.map(one_baby, [(stream, n, shots) for n in range(babies)], chunksize=8))
    return tuple(np.concatenate([part[i] for part in parts]) for i in range(3))


# ------------------------------------------------------------------------------- network
def n_cnn():
    """The N-CNN with the notebook's layer names and two classes: Pain, No_pain."""
    from tensorflow.keras import Model, initializers, layers

    start = initializers.GlorotNormal

    def convolution(x, size, name, **options):
        return layers.Conv2D(64, size, padding="same", kernel_initializer=start(), name=name, **options)(x)

    def largest(x, size, name):
        return layers.MaxPooling2D(size, size, padding="same", name=name)(x)

    def leaky(x, number):
        return layers.LeakyReLU(0.01, name=f"leaky_{number}")(x)

    image = layers.Input((120, 120, 3), name="input")
    coarse = largest(image, 10, "maxpool_10x10")
    deep = largest(leaky(convolution(image, 5, "conv_5x5"), 1), 3, "maxpool_3x3")
    deep = largest(leaky(convolution(deep, 2, "conv_2x2"), 2), 3, "maxpool_3x3_")
    deep = layers.Dropout(0.1)(layers.Resizing(12, 12)(deep))
    wide = largest(leaky(convolution(image, 5, "conv_5x5_"), 3), 10, "maxpool_10x10_")
    wide = layers.Dropout(0.1)(wide)
    merged = layers.concatenate([coarse, deep, wide], axis=3)
    merged = convolution(merged, 2, MAP_LAYER, activation="relu")
    merged = layers.Flatten()(largest(merged, 2, "maxpool_2x2_"))
    merged = layers.Dense(8, "relu", kernel_initializer=start(), kernel_regularizer="l2", name="FC1")(merged)
    merged = layers.Dropout(0.1)(merged)
    scores = layers.Dense(2, "softmax", kernel_initializer=start(), name="output")(merged)
    return Model(image, scores)


def away_from_signs(masks):
    """1 for each of the 12 x 12 cells that sees nothing of a sign, else 0.

    A cell of the map layer sees its own square of the picture and those right of and below it.
    """
    squares = np.pad((masks > 0).reshape(-1, 12, 10, 12, 10).any((2, 4)), ((0, 0), (0, 1), (0, 1)))
    sees = squares[:, :-1, :-1] | squares[:, 1:, :-1] | squares[:, :-1, 1:] | squares[:, 1:, 1:]
    return 1 - sees.astype(np.float32)


def everywhere(masks):
    """1 for each of the 12 x 12 cells."""
    return np.ones((len(masks), 12, 12), np.float32)


# Epochs, first learning rate, epochs over which it falls, price, cells it is asked of.
STAGES = ((4, 6e-4, 10, 0.1, everywhere), (4, 4e-4, 4, 3.0, away_from_signs))


def train(network, train_set, check_set):
    """Cross-entropy plus a price on the activity of the map layer, in two stages.

    The first stage learns the task, with a small price everywhere. The second asks a higher price
    away from the signs only. Whatever the network decides on passes through the map layer, so the
    quieter that layer is away from the signs, the more surely a true explanation lies on them. The
    price acts in training only: the saved network is the plain N-CNN.
    """
    import tensorflow as tf
    from tensorflow.keras import Model, optimizers

    def priced(weights, activity):
        return tf.reduce_mean(weights[..., None] * activity, axis=(1, 2, 3))

    both = Model(network.input, [network.output, network.get_layer(MAP_LAYER).output])
    for number, (epochs, rate, falls_over, price, cells) in enumerate(STAGES):
        if number:
            tf.keras.utils.set_random_seed(SEED + number)
        steps = -(-len(train_set[0]) // BATCH)
        falling = optimizers.schedules.CosineDecay(rate, falls_over * steps, alpha=0.02)
        both.compile(optimizers.RMSprop(falling), loss=["sparse_categorical_crossentropy", priced],
                     loss_weights=[1.0, price], metrics=[["accuracy"], []])
        (x, y), check = ((pixels / np.float32(255), [labels, cells(masks)])
                         for pixels, masks, labels in (train_set, check_set))
        both.fit(x, y, BATCH, epochs, verbose=2, validation_data=check)


# ------------------------------------------------------------------------------- measures
def explain(network, pixels, batch=50):
    """Probabilities (n, 2) and raw Grad-CAM maps (n, 12, 12) of the predicted class's logit."""
    import tensorflow as tf
    from tensorflow.keras import Model

    last = network.get_layer("output")
    last.activation = tf.keras.activations.linear
    inner = Model(network.input, [network.get_layer(MAP_LAYER).output, last(network.layers[-2].output)])
    scores, maps = [], []
    for start in range(0, len(pixels), batch):
        with tf.GradientTape() as tape:
            activation, logits = inner(pixels[start:start + batch] / np.float32(255))
            chosen = tf.reduce_sum(tf.reduce_max(logits, axis=1))
        weights = tf.reduce_mean(tape.gradient(chosen, activation), axis=(1, 2), keepdims=True)
        maps.append(tf.reduce_sum(weights * activation, axis=3).numpy())
        scores.append(tf.nn.softmax(logits).numpy())
    last.activation = tf.keras.activations.softmax
    return np.concatenate(scores), np.concatenate(maps)


def inside_share(maps, masks):
    """Mean share of the positive map mass on the mask, and mean share of the mask's area."""
    positive = np.maximum(maps, 0)
    cells = (masks > 0).reshape(-1, 12, 10, 12, 10).mean((2, 4))
    total = positive.sum((1, 2))
    seen = total > 0
    return ((positive * cells).sum((1, 2))[seen] / total[seen]).mean(), (masks > 0).mean()


def with_sign(expression, other, sign):
    """`expression` with one sign taken from `other`."""
    if sign == "eyes":
        return replace(expression, eyes=other.eyes, eye_open=other.eye_open)
    if sign == "mouth":
        return replace(expression, mouth=other.mouth, mouth_size=other.mouth_size)
    return replace(expression, **{sign: getattr(other, sign)})


def what_moves(network, babies=12):
    """How far taking one sign from a face of the other class moves the probability of Pain."""
    def pain(drawn):
        return network.predict(np.stack(drawn) / np.float32(255), verbose=0)[:, 0]

    shots = [list(faces.baby(TEST, number, 10)) for number in range(babies)]
    pairs = [(s, e, other, p) for baby in shots
             for (s, e, p), (_, other, _) in zip(baby, baby[1:] + baby[:1])]
    before = pain([faces.reduced(s, e, p)[0] for s, e, _, p in pairs])
    return {sign: np.abs(pain([faces.reduced(s, with_sign(e, other, sign), p)[0] for s, e, other, p in pairs]) - before).mean()
            for sign in ("brow", "eyes", "furrow", "mouth")}


def report(network, name, pixels, masks, labels):
    """Prints what is quoted in the README files."""
    scores, maps = explain(network, pixels)
    predicted = scores.argmax(1)
    right = int((predicted == labels).sum())
    print(f"{name}: {right} of {len(labels)} right ({100 * right / len(labels):.1f} %), "
          f"{int((maps.max((1, 2)) <= 0).sum())} maps nowhere positive")
    for index, label in enumerate(CLASSES):
        chosen = predicted == index
        share, area = inside_share(maps[chosen], masks[chosen])
        print(f"  predicted {label}: {100 * share:.0f} % of the map on the signs, "
              f"which cover {100 * area:.0f} % of the picture")
    return scores, maps


# ------------------------------------------------------------------------------- demo pictures
def demo_pictures():
    """Yields fold, file name, face: four folds of nine pictures, no baby in two folds.

    They are the first faces of their stream: nothing is picked by how the network does on it.
    """
    number = 0
    for fold in range(4):
        for shots in (3, 2, 2, 2):
            number += 1
            unifesp = number % 3 != 0
            counts = {True: 0, False: 0}
            for shot, (subject, expression, picture) in enumerate(faces.baby(DEMO, number, shots)):
                counts[expression.pain] += 1
                count = counts[expression.pain]
                if unifesp:
                    stem = f"S{number:02}_{'dor' if expression.pain else 'sem_dor'}_{count:02}"
                elif expression.pain:
                    stem = f"C{number:02}_stick" + (f"_{count}" if count > 1 else "")
                else:
                    stem = f"C{number:02}_rest_{count}"
                small = min(1.0, 232 / max(picture.width, picture.height))
                jpeg = number % 4 == 3 and shot == number // 4 % 2
                if not jpeg:                                     # PNG files stay small without grain
                    picture = replace(picture, grain=0.0, width=round(picture.width * small),
                                      height=round(picture.height * small))
                yield f"Fold{fold}", stem + (".jpg" if jpeg else ".png"), (subject, expression, picture)


def write_pictures():
    """Writes faces/, masks/ and landmarks.csv of the demo."""
    rows = [["image"] + [f"{axis}{point}" for point in range(68) for axis in "xy"]]
    for fold, name, face in demo_pictures():
        pixels, mask = faces.draw(*face)
        for kind in ("faces", "masks"):
            (DEMO_DIR / kind / fold).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(DEMO_DIR / "faces" / fold / name, optimize=True, quality=88)
        Image.fromarray(mask).save((DEMO_DIR / "masks" / fold / name).with_suffix(".png"), optimize=True)
        rows.append([f"{fold}/{name}"] + [f"{value:.1f}" for value in faces.landmarks(*face).ravel()])
    (DEMO_DIR / "landmarks.csv").write_text("".join(",".join(row) + "\n" for row in rows))


def read_pictures():
    """The demo files as the notebook reads them, with masks, labels and names."""
    from tensorflow.keras.preprocessing.image import img_to_array, load_img

    paths = sorted((DEMO_DIR / "faces").glob("*/*.*"))
    pixels = [img_to_array(load_img(path, target_size=(120, 120))) for path in paths]
    masks = [np.asarray(Image.open(DEMO_DIR / "masks" / path.parent.name / f"{path.stem}.png").resize((120, 120), Image.NEAREST))
             for path in paths]
    labels = [1 if "sem" in path.name or "rest" in path.name else 0 for path in paths]
    return np.stack(pixels), np.stack(masks), np.array(labels), paths


def measure(network):
    """Held-out accuracy, maps against masks, and what moves the answer."""
    report(network, "held-out faces", *data_set(TEST))
    pixels, masks, labels, paths = read_pictures()
    scores, _ = report(network, "demo pictures", pixels, masks, labels)
    for path, label, score in zip(paths, labels, scores):
        if score.argmax() != label:
            print(f"  wrong: {path.parent.name}/{path.name} ({CLASSES[score.argmax()]}, {100 * score.max():.1f} %)")
    print("one sign taken from a face of the other class moves the probability of Pain by",
          ", ".join(f"{sign} {move:.2f}" for sign, move in what_moves(network).items()))


def main(task):
    """Runs one of the three tasks of this file's first lines."""
    if task in ("all", "pictures"):
        write_pictures()
    if task == "pictures":
        return
    import tensorflow as tf

    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    if task == "all":
        network = n_cnn()
        train(network, data_set(TRAIN), data_set(CHECK))
        network.save(DEMO_DIR / "NCNN.h5", save_format="h5", include_optimizer=False)
    measure(tf.keras.models.load_model(DEMO_DIR / "NCNN.h5", compile=False))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "all")
