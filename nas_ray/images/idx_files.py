"""The four files of MNIST and of what is published like it: `idx` files, gzipped or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.images.splits import ArrayPixels, Images, Source, Split, check_labels, describe, own_path

_PARTS = ("train", "t10k")
_BYTES = 8  # the type of unsigned bytes, of which all published files are
_MOST = 2**31


def open_idx(source: Source) -> Images:
    """Returns the images of a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`.

    Names may have a dot for the second hyphen and end in `.gz`.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", which has the format.

    Raises:
        UsageError: a file is missing or not whole.
    """
    folder = own_path(source)
    train, test = (_split(folder, prefix, source) for prefix in _PARTS)
    height, width = train.pixels[0].shape[1:]
    what = describe(folder.name, len(train.labels), (height, width), True, source.dataset.image_size)
    return Images(train, test, what)


def _split(folder: Path, prefix: str, source: Source) -> Split:
    images = read_idx(_found(folder, f"{prefix}-images", "idx3-ubyte"), 3)
    labels = read_idx(_found(folder, f"{prefix}-labels", "idx1-ubyte"), 1).astype(np.int64)
    if len(images) != len(labels):
        raise UsageError(
            f"Images and labels must be equally many, but {prefix}-images in {folder} has {len(images)} and "
            f"{prefix}-labels {len(labels)}: bring files that belong together."
        )
    check_labels(labels, f"{prefix}-labels in {folder}", source.dataset)
    return Split(ArrayPixels(images), labels)


def _found(folder: Path, name: str, ending: str) -> Path:
    for between in "-.":
        for last in ("", ".gz"):
            if (path := folder / f"{name}{between}{ending}{last}").is_file():
                return path
    raise UsageError(
        f"idx:FOLDER needs the four files of MNIST, but {folder} has no {name}-{ending} "
        "with or without .gz: bring it."
    )


def read_idx(path: Path, axes: int) -> np.ndarray:
    """Returns the bytes of a file as an array of that many axes.

    Raises:
        UsageError: it is no such file, or not whole.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(4 + 4 * axes)
            sides = (
                [int(side) for side in np.frombuffer(head[4:], ">u4")] if len(head) == 4 + 4 * axes else []
            )
            whole = head[:4] == bytes([0, 0, _BYTES, axes]) and 0 < math.prod(sides) <= _MOST
            content = file.read(math.prod(sides) + 1) if whole else b""
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(
            f"{path} must be a whole file of MNIST's form, but it cannot be read: {error}."
        ) from error
    if not whole or len(content) != math.prod(sides):
        raise UsageError(
            f"{path} must be a whole file of MNIST's form, with bytes in {axes} axes, but it is not: "
            "bring it again."
        )
    return np.frombuffer(content, np.uint8).reshape(sides)
