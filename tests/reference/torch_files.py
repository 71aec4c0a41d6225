"""Small files as PyTorch, safetensors and NumPy write them, of darkrubiks's N-CNN with the weights of
torch_networks.py:

    python torch_files.py   # writes ../goldens/torch/files/

logits.json has what PyTorch computes with each file's weights, as float32, for one image.
"""

import argparse
import json
import pickle

import numpy as np
import torch
from safetensors.torch import save_file

from torch_networks import GOLDENS, images, make

FILES = GOLDENS / "torch" / "files"


def checkpoint(state):
    """What a training script saves: the weights inside, behind DataParallel, with odd strides."""
    wrapped = {f"module.{name}": tensor.bfloat16() for name, tensor in state.items()}
    # Two weights share one storage, and one is stored the other way round.
    bias = torch.cat([wrapped["module.center_branch.0.bias"], wrapped["module.right_branch.0.bias"]])
    wrapped["module.center_branch.0.bias"], wrapped["module.right_branch.0.bias"] = bias[:64], bias[64:]
    dense = wrapped["module.classifier.0.weight"]
    wrapped["module.classifier.0.weight"] = torch.nn.Parameter(dense.t().contiguous().t())
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    return {"epoch": 3, "loss": 0.25, "best_acc1": torch.tensor(76.1), "args": argparse.Namespace(model="ncnn"),
            "state_dict": wrapped, "optimizer": optimizer.state_dict()}


def averaged(state):
    """The state_dict of an AveragedModel: a counter of its own stands beside the names behind `module`."""
    return {"n_averaged": torch.tensor(5)} | {f"module.{name}": tensor.bfloat16() for name, tensor in state.items()}


def turned(arrays):
    """The same arrays, one of them by columns, and one turned from the order that Keras has."""
    dense, conv = "classifier.0.weight", "center_branch.0.weight"
    keras = np.ascontiguousarray(arrays[conv].transpose(2, 3, 1, 0))
    return arrays | {dense: np.asfortranarray(arrays[dense]), conv: keras.transpose(3, 2, 0, 1)}


def main():
    model, _, size, prepare, _ = make("ncnn_pain")
    state = model.state_dict()
    FILES.mkdir(parents=True, exist_ok=True)
    torch.save(state, FILES / "ncnn.pt")
    halves = {name: tensor.half() for name, tensor in state.items()}
    halves["classifier.3.weight"] = halves["classifier.3.weight"].double()
    torch.save(halves, FILES / "ncnn_legacy.pth", _use_new_zipfile_serialization=False)
    nested = checkpoint(state)
    torch.save(nested, FILES / "ncnn_checkpoint.pth")
    save_file({name: tensor.bfloat16().contiguous() for name, tensor in state.items()}, FILES / "ncnn.safetensors")
    arrays = {name: tensor.half().numpy() for name, tensor in state.items()}
    with open(FILES / "ncnn_arrays.pkl", "wb") as file:
        pickle.dump(arrays, file, protocol=2)
    with open(FILES / "ncnn_arrays5.pkl", "wb") as file:
        pickle.dump(turned(arrays), file, protocol=5)
    torch.save(averaged(state), FILES / "ncnn_averaged.pth")

    plain = {name.removeprefix("module."): tensor.detach() for name, tensor in nested["state_dict"].items()}
    saved = {"ncnn.pt": state, "ncnn_legacy.pth": halves, "ncnn_checkpoint.pth": plain, "ncnn.safetensors": plain,
             "ncnn_arrays.pkl": halves, "ncnn_arrays5.pkl": halves, "ncnn_averaged.pth": plain}
    batch = images(size, prepare)[1:2]
    logits = {}
    for name, weights in saved.items():
        model.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
        with torch.no_grad():
            logits[name] = float(model(batch))
    (FILES / "logits.json").write_text(json.dumps(logits, indent=1) + "\n")
    for path in sorted(FILES.iterdir()):
        print(path.name, path.stat().st_size, logits.get(path.name))


if __name__ == "__main__":
    main()
