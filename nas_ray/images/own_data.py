"""Images of one's own: how many classes, which size the nets get, which files can be decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from nas_ray.errors import UsageError
from nas_ray.images.datasets import OWN, DatasetInfo
from nas_ray.images.decode import FORMATS
from nas_ray.images.folder_files import image_files
from nas_ray.images.folder_layout import folder_layout
from nas_ray.images.generated import parse_generated
from nas_ray.images.npz_images import read_arrays
from nas_ray.spaces.stems import STRIDED_ABOVE, check_image_size

LARGEST = 224
"""Pixels; larger images are shrunk to it, the usual size of ImageNet, unless another is asked for."""
_MEASURED_FILES = 1_000
_SMALLEST = 8


def own_dataset(images: str, image_size: int | None = None) -> DatasetInfo:
    """Returns classes and image size of `folder:PATH`, `npz:PATH` or `generated:DEFINITION`.

    Args:
        images: the source.
        image_size: pixels; None takes the median of the shorter sides, rounded so that nets can halve it, or
            what generated images have.

    Raises:
        UsageError: another source, unreadable, or a size that nets cannot halve.
    """
    kind, _, text = images.partition(":")
    if kind == "generated" and text.strip():
        generated = parse_generated(text)
        return DatasetInfo(OWN, generated.num_classes, image_size or generated.image_size)
    if kind not in ("folder", "npz") or not text.strip():
        raise UsageError(
            f"--dataset {OWN} needs images of your own, folder:PATH or npz:PATH, but {images!r} was given."
        )
    path = Path(text).expanduser()
    num_classes, sides = _of_folder(path) if kind == "folder" else _of_archive(path)
    if num_classes < 2:
        raise UsageError(
            f"Own images must have at least 2 classes, but {images} has {num_classes}; a class is a "
            "sub-folder, or a label of the archive."
        )
    size = rounded_size(float(np.median(sides))) if image_size is None else image_size
    check_image_size(size)
    return DatasetInfo(OWN, num_classes, size)


def rounded_size(side: float) -> int:
    """Returns the image size for a shorter side of `side` pixels: a multiple of 4, above 64 of 16."""
    side = min(max(side, _SMALLEST), LARGEST)
    step = 4 if side <= STRIDED_ABOVE else 16
    return step * max(1, round(side / step))


def _of_folder(path: Path) -> tuple[int, list[int]]:
    """Returns the number of classes and the shorter sides of some training images."""
    layout = folder_layout(path)
    files = image_files(layout.train, layout.names)[0]
    every = max(1, -(-len(files) // _MEASURED_FILES))
    sides = [side for file in files[::every] if (side := _short_side(file))]
    return len(layout.names), sides or [_SMALLEST]


def _short_side(file: str) -> int:
    """Returns the shorter side in pixels; 0 for a file without a header that says it."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            return min(image.size)
    except Exception:  # decoders fail in many ways; what cannot be read is told when files are checked
        return 0


def _of_archive(path: Path) -> tuple[int, list[int]]:
    arrays = read_arrays(path)
    labels = [arrays[name].ravel() for name in ("y_train", "y_test")]
    largest = max((int(of.max()) for of in labels if of.size and of.dtype.kind in "iu"), default=-1)
    shape = arrays["x_train"].shape
    return largest + 1, [min(shape[1:3])] if len(shape) > 2 else [_SMALLEST]
