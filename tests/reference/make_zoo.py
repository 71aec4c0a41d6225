"""Writes the classifiers of keras.applications or torchvision with generated weights, and what they compute:

    python make_zoo.py OUT --framework keras [--only NAME...] [--formats h5 keras] [--most MEGABYTES]
    python make_zoo.py OUT --framework torch [--only NAME...] [--dynamic] [--most MEGABYTES]

Each network gets a folder of its name; zoo_files.py says what lies in it. Keras 2.15 writes `keras2.h5`, Keras 3
`keras3.keras`; `--formats` names others. PyTorch writes `torch_script.onnx` and `torch_dynamo.onnx`, by its two exporters, and with
`--dynamic` both again for batches of any size.

`--only` takes beginnings of names. Of a network whose files are larger than `--most` the files are deleted again, and
the numbers kept. A network that is there already is left alone. `OUT/operators.txt` lists what each is made of.
"""

import argparse
import os
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import zoo_files

ENDINGS = (".h5", ".keras", ".onnx", ".data")


def drop_large(folder, most):
    """Deletes the files of a large network."""
    files = [path for path in folder.iterdir() if path.suffix in ENDINGS]
    size = sum(path.stat().st_size for path in files)
    if most and size > most << 20:
        for path in files:
            path.unlink()
        print(f"{folder.name}: {size >> 20} MB deleted", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--framework", choices=("keras", "torch"), required=True)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="networks whose names begin so")
    parser.add_argument("--formats", nargs="*", metavar="ENDING", help="of Keras: h5, keras")
    parser.add_argument("--dynamic", action="store_true", help="of PyTorch: batches of any size, too")
    parser.add_argument("--most", type=int, metavar="MEGABYTES", help="larger files are not kept")
    args = parser.parse_args()
    if args.framework == "keras":
        import zoo_applications as zoo
    else:
        import zoo_torch as zoo
    names = [name for name in zoo.names() if not args.only or name.startswith(tuple(args.only))]
    failed = []
    for name in names:
        folder = args.out / name
        if (folder / "network.json").exists():
            continue
        try:
            zoo.write(name, folder, args)
            drop_large(folder, args.most)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    zoo_files.list_operators(args.out)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
