#!/usr/bin/env python3
"""Compares what two builds of burncam write, byte by byte.

    compare_runs.py OLD NEW [--weights FILE ...] [--data FOLDER]

OLD and NEW are programs. Each makes the same runs: the demo, clean overlays on one scale, raw maps, another
class and layer, a run that is killed and resumed, and two shards that are joined; with --weights and --data a
run of those networks, too. Every file that OLD writes must be there in NEW with the same bytes. What differs by its
nature is taken out first: times, the command line, folders, and the page's own script and style. Files that only
NEW writes are listed.

Of run.json and report.json those fields are compared that OLD has; fields whose place has changed are named in
MOVED.
"""

import argparse
import csv
import io
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FACES = ROOT / "assets/demo/faces"
WEIGHTS = ROOT / "assets/demo/NCNN.h5"

# Fields of JSON that hold times, places or the program itself, at any depth.
VOLATILE = {
    "arguments", "commit", "finished", "folder", "milliseconds", "path", "seconds", "settings", "started",
    "working_folder", "verified",
}
# Fields that stand elsewhere since attributions have rows of their own.
MOVED = {
    "agreement", "batch", "batch_requested", "by_status", "layer", "map", "map_max", "map_peak", "map_size",
    "mean_maps", "options", "overlay", "peaks", "schema", "status", "target", "thumbnail",
}
# A layer that is not the default one stands in the names of folder and explanation since several can be explained.
RENAMED = (
    ("NCNN_GradCAM_conv_2x2", "NCNN_GradCAM"),
    ("thumbs/NCNN_GradCAM/", "thumbs/NCNN/"),
    ("Explained by Grad-CAM at conv_2x2;", "Explained by Grad-CAM;"),
)


def run(program, out, *arguments, kill_after=None):
    """Runs `explain` or `report` in a folder of its own."""
    command = [program, *arguments, "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if kill_after is not None:
        journal = Path(out) / "images.jsonl"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if journal.exists() and journal.read_bytes().count(b"\n") > kill_after:
                process.send_signal(signal.SIGKILL)
            time.sleep(0.005)
    _, errors = process.communicate()
    if kill_after is None and process.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{errors}")


def runs(program, base, weights, data):
    """Makes every run below `base`."""
    explain = ["explain", "--device", "cpu"]
    demo = [*explain, "--weights", WEIGHTS, "--data", FACES]
    run(program, base / "demo", *explain)
    run(program, base / "notebook", *demo, "--maps", "npy", "--subject", "(S[0-9]+)")
    run(program, base / "clean", *demo, "--overlay", "clean", "--norm", "fold", "--colormap", "magma")
    run(program, base / "class", *demo, "--class", "Pain", "--no-report", "--top", "1")
    run(program, base / "layer", *demo, "--layer", "conv_2x2", "--overlay", "clean", "--norm", "run")
    run(program, base / "resumed", *demo, kill_after=12)
    run(program, base / "resumed", *demo, "--resume")
    for part in ("1/2", "2/2"):
        run(program, base / f"part{part[0]}", *demo, "--shard", part)
    run(program, base / "joined", "report", base / "part1", base / "part2")
    if weights:
        run(program, base / "own", *explain, "--weights", *weights, "--data", data, "--maps", "npy")


def plain(value):
    """JSON without what differs by its nature."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in VOLATILE | MOVED}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def renamed(text):
    """A path, or a text with paths, as it was before."""
    for now, before in RENAMED:
        text = text.replace(now, before)
    return text


def normalised(path):
    """The content of a file without what differs by its nature."""
    content = path.read_bytes()
    if path.suffix in (".csv", ".json", ".html"):
        content = renamed(content.decode()).encode()
    if path.name == "predictions.csv":
        rows = list(csv.reader(io.StringIO(content.decode())))
        at = rows[0].index("milliseconds")
        return [row[:at] + row[at + 1 :] for row in rows]
    if path.name in ("run.json", "report.json"):
        return plain(json.loads(content))
    if path.name == "index.html":
        text = content.decode()
        text = re.sub(r"<script.*?</script>|<style>.*?</style>", "", text, flags=re.S)
        # What was run stands in the last section.
        return re.sub(r'<section id="run">.*?</section>', "", text, flags=re.S)
    return content


def holds(new, old):
    """Whether `new` has everything of `old`: objects may have more fields."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and holds(new[key], value) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(holds(a, b) for a, b in zip(new, old))
    return new == old


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--weights", type=Path, nargs="+", default=[])
    parser.add_argument("--data", type=Path, default=FACES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Both write to folders of the same name, which stands in some files.
        bases = [Path(folder) / name for name in ("old", "new")]
        for program, base in zip((asked.old, asked.new), bases):
            base.mkdir()
            runs(program.resolve(), base, asked.weights, asked.data)
        old, new = (
            {renamed(str(f.relative_to(b))): f for f in b.rglob("*") if f.is_file()} for b in bases
        )
        differing = []
        both, missing = sorted(old.keys() & new.keys()), sorted(old.keys() - new.keys())
        for name in both:
            if Path(name).name == "images.jsonl":
                continue
            a, b = normalised(old[name]), normalised(new[name])
            if not (holds(b, a) if name.endswith(".json") else a == b):
                differing.append(name)
        print(f"{len(both)} files of both, {len(differing)} differ, {len(missing)} are missing")
        for name in differing:
            print(f"  differs: {name}")
        for name in missing:
            print(f"  missing: {name}")
        added = sorted(new.keys() - old.keys())
        print(f"{len(added)} files are new, such as {', '.join(added[:3])}" if added else "no file is new")
    return bool(differing or missing)


if __name__ == "__main__":
    sys.exit(main())
