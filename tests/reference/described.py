"""Packs small networks that make_refused.py wrote, with what Keras computes of their first picture, into
tests/goldens/described.zip:

    python described.py KERAS2 KERAS3

KERAS2 and KERAS3 are folders that make_refused.py wrote with Keras 2.15 and Keras 3.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "goldens" / "described.zip"
NETWORKS = {
    "keras2.h5": ["activations_as_layers", "convolution_head", "grey", "moved", "open", "operations", "rectified", "resized", "separable", "shared", "shared_model", "softmaxes",
                  "wide"],
    "keras3.keras": ["activations", "activations_as_layers", "activations_of_3", "adapted", "augmented_nested", "dense_on_map", "depthwise", "noisy",
                     "one_neuron_pooled", "operations", "shared_model", "squeezed"],
}


def main():
    folders = dict(zip(NETWORKS, map(Path, sys.argv[1:3]), strict=True))
    with zipfile.ZipFile(GOLDEN, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:

        def add(name, data):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

        for file, names in NETWORKS.items():
            for name in names:
                folder = folders[file] / name
                place = f"{name}-{file.split('.')[0]}"
                add(f"{place}/network.{file.split('.')[1]}", (folder / file).read_bytes())
                add(f"{place}/layer.txt", json.loads((folder / "network.json").read_text())["layer"])
                for array in ("images", "logits", "map"):
                    buffer = io.BytesIO()
                    np.save(buffer, np.load(folder / f"{array}.npy")[:1].astype("<f4"))
                    add(f"{place}/{array}.npy", buffer.getvalue())


if __name__ == "__main__":
    main()
