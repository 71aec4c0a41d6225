"""What make_zoo.py and make_refused.py share, whatever the framework: pictures, the layer whose map is explained, and
the files beside a network.

Each network has a folder. In it, besides the network's own files:

| File | Holds |
| --- | --- |
| `reference.npz` | of the first picture, for `burncam compare`: `input`, `logits`, `layer/<name>` of maps, and `class`, `gradient/<layer>`, `map/<layer>` |
| `images.npy` | both pictures as the network takes them, [2, channels, height, width] |
| `pixels.npy` | the same before the framework's own preprocessing, 8 bits, [2, height, width, channels] |
| `logits.npy`, `probabilities.npy` | of both; what enters the last activation, and what leaves it |
| `classes.npy` | the class with the largest logit |
| `activations.npy`, `gradients.npy` | of the map layer, [2, channels, height, width]; of that class's logit |
| `pooled.npy` | the gradient's mean over height and width |
| `map.npy`, `map_positive.npy` | the raw Grad-CAM map, before and after ReLU, [2, height, width] |
| `network.json` | the map layer's name, the preprocessing, the versions, the layers that the network is made of |

The map layer is the last layer with height and width that the whole network passes through before the head pools
globally, flattens, or is dense. A layer that does nothing at inference is none.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
# The first two are compared; all measure the statistics of batch normalisation.
FACES = ("Fold0/S02_dor_01.png", "Fold0/S01_sem_dor_01.png", "Fold1/rgba_dor.png", "Fold0/C03_rest_2.jpg",
         "Fold2/mini_dor.png", "Fold0/C04_stick.jpeg", "Fold9/forest_dor.png", "Fold1/paleta_rest.png")
# Bytes of `layer/` arrays, past which only the layers that everything passes through are kept.
MOST_LAYERS = 24 << 20
# Values of a setting that are listed.
MOST_VALUES = 40


def pictures(height, width, channels=3):
    """The faces, 8 bits, [batch, height, width, channels]; each second one is mirrored for other statistics."""
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    found = []
    for path in FACES:
        image = Image.open(GOLDENS / "faces" / path).convert("RGB").convert(mode)
        found.append(np.asarray(image.resize((width, height), Image.NEAREST)).reshape(height, width, channels))
    return np.stack(found)


def passages(edges, end):
    """What every path to `end` passes through, in order. `edges` has for each value, in the order in which they
    are computed, those that it is computed from; what has none is where paths begin."""
    parent, depth = {}, {None: 0}
    for value, inputs in edges.items():
        known = [one for one in inputs if one in depth]
        over = known[0] if known else None
        for other in known[1:]:
            while over != other:
                if depth[over] >= depth[other]:
                    over = parent[over]
                else:
                    other = parent[other]
        parent[value], depth[value] = over, depth[over] + 1
    chain = []
    while end is not None:
        chain.append(end)
        end = parent[end]
    return chain[::-1]


def map_of(chain, spatial):
    """The last of `chain` that has height and width; `spatial` gives them or None."""
    for value in reversed(chain):
        size = spatial(value)
        if size and max(size) > 1:
            return value
    raise ValueError("no map before the head")


def write(folder, arrays, layers, facts, pixels=None):
    """Writes what lies beside a network. `arrays` are [batch, channels, height, width]; `layers` one picture's."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    gradients, activations = arrays["gradients"], arrays["activations"]
    arrays["pooled"] = gradients.mean((2, 3))
    arrays["map"] = (arrays["pooled"][:, :, None, None] * activations).sum(1)
    arrays["map_positive"] = np.maximum(arrays["map"], 0)
    for name, values in arrays.items():
        integer = values.dtype.kind in "iu"
        if not np.isfinite(values).all():
            raise ValueError(f"{folder.name}: {name} is not finite")
        np.save(folder / f"{name}.npy", values.astype(np.int64 if integer else np.float32))
    if pixels is not None:
        np.save(folder / "pixels.npy", pixels)
    shown = {f"layer/{name}": np.asarray(values, np.float32) for name, values in layers.items()}
    image = np.ascontiguousarray(arrays["images"][:1].transpose(0, 2, 3, 1), np.float32)
    layer = facts["layer"]
    shown["class"] = arrays["classes"][:1].astype(np.float32)
    shown[f"gradient/{layer}"] = np.ascontiguousarray(gradients[:1].transpose(0, 2, 3, 1), np.float32)
    shown[f"map/{layer}"] = arrays["map"][:1].astype(np.float32)
    np.savez(folder / "reference.npz", input=image, logits=arrays["logits"][:1].astype(np.float32), **shown)
    text = json.dumps(facts, indent=1, sort_keys=True, default=str)
    (folder / "network.json").write_text(text + "\n")
    logits = arrays["logits"]
    live = float((activations != 0).mean())
    print(f"{folder.name}: {facts['layer']} {list(activations.shape[1:])}, {live:.0%} not 0, classes "
          f"{arrays['classes'].tolist()}, logits {logits.min():.2f} to {logits.max():.2f}, "
          f"map {arrays['map'].min():.3g} to {arrays['map'].max():.3g}", flush=True)


def used(settings):
    """Lines of `class: setting=value ...` from `{class: {setting: {value: count}}}`, without long lists."""
    lines = []
    for kind, counts in sorted(settings.items()):
        words = []
        for name, values in sorted(counts.items()):
            shown = sorted(values)[:MOST_VALUES] + (["..."] if len(values) > MOST_VALUES else [])
            words.append(f"{name}={'|'.join(shown)}")
        lines.append(f"  {kind}: {'; '.join(words)}" if words else f"  {kind}")
    return lines


def list_operators(out):
    """Writes `operators.txt`: what each network in `out` is made of, and then all of them together."""
    lines, together = [], {}
    for path in sorted(out.glob("*/network.json")):
        facts = json.loads(path.read_text())
        for file, settings in facts["operators"].items():
            lines += [f"{path.parent.name} ({file})", *used(settings)]
            for kind, counts in settings.items():
                for name, values in counts.items():
                    together.setdefault(kind, {}).setdefault(name, {}).update(values)
                together.setdefault(kind, {})
    text = "\n".join(["All together", *used(together), "", *lines])
    (out / "operators.txt").write_text(text + "\n")
