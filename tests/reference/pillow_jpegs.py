"""Writes ../goldens/jpeg.zip: JPEGs, what Pillow reads from them, and what it writes.

    python pillow_jpegs.py

`decoded.tsv` has, of each JPEG in the archive, width, height and the CRC-32 of
`Image.open(name).convert("RGB")`. The files are Pillow's own, and simplejpeg's (libjpeg-turbo by its own interface)
where Pillow has no option for a sampling.

`encoded.tsv` has width, height and the CRC-32 of the file that `Image.save("x.jpg")` makes of `drawn(width, height)`,
which the test draws too.

`overlays.tsv` has the CRC-32 of the notebook's overlay files of the JPEGs among the golden faces, of its five
networks, as the notebook saves them (its `save_gradcam`): from the golden levels, which Keras computed. The pixels are
compared with those that the notebook itself made (`overlay_crc32` in `rows.json`) before they are saved.
"""

import io
import json
import zipfile
import zlib
from pathlib import Path

import matplotlib
import numpy as np
import simplejpeg
from PIL import Image

GOLDENS = Path(__file__).parent.parent / "goldens"
SIZES = ((1, 1), (2, 3), (7, 9), (16, 16), (17, 33), (33, 17), (61, 40))
QUALITIES = (30, 50, 75, 90, 95)
NETWORKS = {"NCNN": 120, "VGG16": 224, "ResNet50": 224, "SENet50": 224, "IncepV3": 299}


def picture(width, height, channels, seed):
    """Waves with grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / (3 + 9 * c) + y / (5 + 2 * c)) for c in range(channels)]
    grain = random.normal(0, 14, (height, width, channels))
    return np.clip(np.stack(waves, -1) + grain, 0, 255).astype(np.uint8)


def files():
    """Name and bytes of each JPEG."""
    number = 0
    for width, height in SIZES:
        for mode, channels in (("RGB", 3), ("L", 1), ("CMYK", 4)):
            for sampling in ("4:4:4", "4:2:2", "4:2:0", "rgb") if mode == "RGB" else ("",):
                for progressive in (False, True):
                    number += 1
                    options = {"quality": QUALITIES[number % 5], "progressive": progressive}
                    if sampling == "rgb":
                        options |= {"keep_rgb": True}  # no transform of colours
                    elif sampling:
                        options |= {"subsampling": sampling}
                    if number % 3 == 0:
                        options |= {"restart_marker_blocks": 1 + number % 4}
                    pixels = picture(width, height, channels, number)
                    image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode)
                    file = io.BytesIO()
                    image.save(file, "JPEG", **options)
                    kind = "progressive" if progressive else "baseline"
                    name = f"{mode}-{sampling.replace(':', '')}-{width}x{height}-{kind}.jpg".replace("--", "-")
                    yield name, file.getvalue()
        for sampling in ("440", "411"):
            number += 1
            pixels = picture(width, height, 3, number)
            data = simplejpeg.encode_jpeg(pixels, QUALITIES[number % 5], "RGB", sampling)
            yield f"RGB-{sampling}-{width}x{height}-baseline.jpg", data


def drawn(width, height):
    """A picture from whole numbers alone."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3].astype(np.uint32)
    ramp = x * (3 + c) + y * (5 - c) * 2
    grain = (x * 2654435761 + y * 40503 + c * 97) >> 27
    return ((ramp + grain) % 256).astype(np.uint8)


def saved(image):
    """The bytes of `Image.save("x.jpg")`."""
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def array_to_img(x):
    """As Keras's: stretched to the whole range, in float32."""
    x = np.asarray(x, np.float32)
    x = x - np.min(x)
    most = np.max(x)
    return Image.fromarray(((x / most if most != 0 else x) * 255).astype(np.uint8))


def overlays():
    """Network, fold, image and file of each overlay."""
    jet = matplotlib.colormaps["jet"](np.arange(256))[:, :3]
    for network, size in NETWORKS.items():
        rows = json.loads((GOLDENS / network / "rows.json").read_text())
        levels = np.load(GOLDENS / network / "level.npy")
        for row, level in zip(rows, levels, strict=True):
            if not row["image"].lower().endswith((".jpg", ".jpeg")):
                continue
            big = array_to_img(jet[level]).resize((size, size))
            face = Image.open(GOLDENS / "faces" / row["fold"] / row["image"]).convert("RGB")
            face = np.asarray(face.resize((size, size), Image.Resampling.NEAREST), np.float32)
            picture = array_to_img(np.asarray(big, np.float32) * 0.4 + face)
            assert zlib.crc32(picture.tobytes()) == row["overlay_crc32"], (network, row["image"])
            yield network, row["fold"], row["image"], saved(picture)


def main():
    # A fixed date, so that the archive is the same each time.
    entry = lambda name: zipfile.ZipInfo(name, (2022, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(GOLDENS / "jpeg.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        lines = []
        for name, data in files():
            image = Image.open(io.BytesIO(data)).convert("RGB")
            lines.append(f"{name}\t{image.width}\t{image.height}\t{zlib.crc32(image.tobytes())}\n")
            archive.writestr(entry(name), data, zipfile.ZIP_DEFLATED)
        archive.writestr(entry("decoded.tsv"), "".join(lines), zipfile.ZIP_DEFLATED)
        sizes = (*SIZES, (120, 120), (299, 299), (640, 427))
        files_of = [(width, height, saved(Image.fromarray(drawn(width, height)))) for width, height in sizes]
        lines = [f"{width}\t{height}\t{zlib.crc32(data)}\n" for width, height, data in files_of]
        archive.writestr(entry("encoded.tsv"), "".join(lines), zipfile.ZIP_DEFLATED)
        lines = [f"{n}\t{fold}\t{image}\t{zlib.crc32(data)}\n" for n, fold, image, data in overlays()]
        archive.writestr(entry("overlays.tsv"), "".join(lines), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
