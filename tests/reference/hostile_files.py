"""Small HDF5 files that claim what they do not have, as h5py lets anyone write them:

    python hostile_files.py   # writes ../goldens/hostile.zip

Each is a N-CNN of Keras, every weight of it 0.01, with one thing changed. The end-to-end test `hostile` hands
them to the program. Needs h5py.
"""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

GOLDENS = Path(__file__).parent.parent / "goldens"
GOOD = GOLDENS / "h5/NCNN_k2.h5"


def claim(file, shape, **settings):
    """A first dense layer whose kernel has this shape and no numbers in the file."""
    place = "model_weights/FC1/FC1/kernel:0"
    del file[place]
    file.create_dataset(place, shape, "f4", **settings)
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        if layer["name"] == "FC1":
            layer["config"]["units"] = shape[1]
    file.attrs["model_config"] = json.dumps(config)


def petabytes(file):
    claim(file, (2304, 10**12))


def petabytes_in_chunks(file):
    claim(file, (2304, 10**12), chunks=(1, 10**6), compression="gzip")


def half_of_memory(file):
    claim(file, (2304, 2**17))


def one_large_chunk(file):
    place = "model_weights/FC1/FC1/kernel:0"
    del file[place]
    data = file.create_dataset(place, (2304, 8), "f4", chunks=(2304, 80_000), maxshape=(2304, None), compression="gzip")
    data[...] = 0.5


def chunk_past_the_end(file):
    place = "model_weights/FC1/FC1/kernel:0"
    values = file[place][...]
    del file[place]
    file.create_dataset(place, data=values, chunks=(2304, 8), compression="gzip")


def lengthen_chunk(path):
    """Makes the only chunk 2 GB long, in the B-tree that lists it."""
    data = bytearray(path.read_bytes())
    node = data.index(b"TREE\x01\x00")
    # Signature, kind, level, entries and two neighbours: 24 bytes. Then the first key, which begins with the length.
    data[node + 24:node + 28] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)


def short_chunk(file):
    place = "model_weights/FC1/FC1/kernel:0"
    values = file[place][...]
    del file[place]
    file.create_dataset(place, data=values, chunks=(2304, 8))


def shorten_chunk(path):
    """Leaves four numbers of the only chunk, in the B-tree that lists it."""
    data = bytearray(path.read_bytes())
    node = data.index(b"TREE\x01\x00")
    data[node + 24:node + 28] = (16).to_bytes(4, "little")
    path.write_bytes(data)


def many_filters(file):
    """A kernel that was summed up twenty times."""
    place = "model_weights/FC1/FC1/kernel:0"
    values = file[place][...]
    del file[place]
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((2304, 8))
    for _ in range(20):
        settings.set_filter(h5py.h5z.FILTER_FLETCHER32)
    space = h5py.h5s.create_simple((2304, 8))
    kernel = h5py.h5d.create(file[place.rsplit("/", 1)[0]].id, b"kernel:0", h5py.h5t.IEEE_F32LE, space, settings)
    kernel.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(values))


def chunks_outside(file):
    """A kernel of which three more chunks are stored than it has."""
    place = "model_weights/FC1/FC1/kernel:0"
    del file[place]
    file.create_dataset(place, data=np.full((4 * 2304, 8), 0.01, "f4"), chunks=(2304, 8), maxshape=(4 * 2304, 8))


def shrink(path):
    """Makes that kernel as large as it should be."""
    data = path.read_bytes()
    sizes = [(rows).to_bytes(8, "little") + (8).to_bytes(8, "little") for rows in (4 * 2304, 2304)]
    assert sizes[0] in data
    path.write_bytes(data.replace(sizes[0], sizes[1], 1))


def many_weights(file):
    """A layer that names one weight 20,000 times."""
    layer = file["model_weights/FC1"]
    del layer.attrs["weight_names"]
    for part in range(4):
        layer.attrs[f"weight_names{part}"] = np.array([b"FC1/kernel:0"] * 5_000)


def many_names(file):
    names = np.array([b"conv_5x5"] * 20_000)
    del file["model_weights"].attrs["layer_names"]
    file["model_weights"].attrs["layer_names0"] = names[:5_000]
    for part in range(1, 4):
        file["model_weights"].attrs[f"layer_names{part}"] = names[:5_000]


def group_in_itself(file):
    del file["model_weights/FC1"]
    file["model_weights/FC1"] = file["model_weights"]


def soft_circle(file):
    del file["model_weights/FC1"]
    file["model_weights/FC1"] = h5py.SoftLink("/model_weights/FC1")


def link_to_another_file(file):
    del file["model_weights/FC1/FC1/kernel:0"]
    file["model_weights/FC1/FC1/kernel:0"] = h5py.ExternalLink("/etc/passwd", "/kernel")


def numbers_in_another_file(file):
    place = "model_weights/FC1/FC1/kernel:0"
    del file[place]
    file.create_dataset(place, (2304, 8), "f4", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)])


def minus_infinity(file):
    file["model_weights/conv_2x2/conv_2x2/bias:0"][5] = -np.inf


def name_that_is_no_text(file):
    names = [name for name in file["model_weights"].attrs["layer_names"]]
    names[0] = b"\xff\xfe\xfd"
    file["model_weights"].attrs["layer_names"] = np.array(names, dtype="S16")


def circle_of_layers(folder):
    """A `.weights.h5` of Keras 3 whose layers lie in themselves, again and again."""
    with h5py.File(folder / "circle.weights.h5", "w") as file:
        layers = file.create_group("layers")
        for number in range(12):
            group = layers.create_group(f"functional_{number}")
            group["layers"] = layers


CHANGES = [petabytes, petabytes_in_chunks, half_of_memory, one_large_chunk, chunk_past_the_end, short_chunk, many_filters, chunks_outside,
           many_weights, many_names, group_in_itself, soft_circle, link_to_another_file, numbers_in_another_file, minus_infinity,
           name_that_is_no_text]


def flatten(name, item):
    if isinstance(item, h5py.Dataset) and item.dtype == np.float32:
        item[...] = 0.01


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for change in CHANGES:
            path = folder / f"{change.__name__}.h5"
            shutil.copy(GOOD, path)
            with h5py.File(path, "r+") as file:
                file.visititems(flatten)
                change(file)
        lengthen_chunk(folder / "chunk_past_the_end.h5")
        shorten_chunk(folder / "short_chunk.h5")
        shrink(folder / "chunks_outside.h5")
        circle_of_layers(folder)
        with zipfile.ZipFile(GOLDENS / "hostile.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(folder.iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
