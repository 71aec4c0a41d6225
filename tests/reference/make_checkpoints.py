"""Writes every network that Burncam knows in every format that a Keras version has:

    keras2/bin/python make_checkpoints.py DIR        Keras 2.15, and what its layers compute
    keras3/bin/python make_checkpoints.py DIR        Keras 3, the same weights
    cargo xtask compare DIR

DIR gets a folder for each network, `<network>-<variant>`, with its checkpoints and, from Keras 2,
`reference.npz`, as dump_activations.py writes it for one of the golden faces. The weights are
random but reproducible (weights.py), so both versions write the same ones. About 8 GB for all.
"""

import argparse
from pathlib import Path

import keras

import weights
from dump_activations import dump, prepare
from networks import IS_KERAS_3, NETWORKS

FACE = Path(__file__).parent.parent / "goldens" / "faces" / "Fold0" / "S02_dor_01.png"

# File: how it is written.
FORMATS_OF_2 = {
    "keras2.h5": lambda model, path: model.save(path),
    "keras2.keras": lambda model, path: model.save(path),
    "keras2.weights.h5": lambda model, path: model.save_weights(path),
    "keras2_legacy.h5": lambda model, path: model.save_weights(path, save_format="h5"),
}
FORMATS_OF_3 = {
    "keras3.h5": lambda model, path: model.save(path),
    "keras3.keras": lambda model, path: model.save(path),
    "keras3.weights.h5": lambda model, path: model.save_weights(path),
}


def compiled(model):
    """A model that was trained keeps how; `explain` has no use for it."""
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy")
    return model


def write(network, folder):
    """All formats of one network, and its reference."""
    model = compiled(network.build())
    weights.fill(model, network.key)
    folder.mkdir(parents=True, exist_ok=True)
    for name, save in (FORMATS_OF_3 if IS_KERAS_3 else FORMATS_OF_2).items():
        save(model, str(folder / name))
        print(f"{folder / name}: {(folder / name).stat().st_size:,} bytes", flush=True)
    if IS_KERAS_3:
        return
    _, height, width, _ = model.inputs[0].shape
    x = prepare(FACE, height, width, network.divide, network.mean, network.bgr)
    reference = folder / "reference.npz"
    print(f"{reference}: input, logits and {dump(model, x, reference)} layers", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--only", metavar="A,B", help="only folders with such names: ncnn,resnet50-keras-vggface")
    args = parser.parse_args()
    chosen = NETWORKS
    if args.only:
        wanted = [name.strip().lower() for name in args.only.split(",")]
        chosen = [network for network in NETWORKS if network.folder.lower().startswith(tuple(wanted))]
        if not all(any(network.folder.lower().startswith(name) for network in chosen) for name in wanted):
            parser.error("there are only " + ", ".join(network.folder for network in NETWORKS))
    print(f"Keras {keras.__version__}")
    for network in chosen:
        if IS_KERAS_3 and network.has_slashes:
            print(f"{network.folder}: Keras 3 refuses the / in its layer names, so they have a _ here")
        write(network, args.folder / network.folder)


if __name__ == "__main__":
    main()
