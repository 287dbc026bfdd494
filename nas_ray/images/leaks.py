"""Images that stand in the training and in the test split: accuracy on them says nothing of new images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas_ray.images.identity import file_sha256, size_of

if TYPE_CHECKING:
    from nas_ray.images.splits import NetImages

Indices = npt.NDArray[np.int64]


def said_of_copies(train: NetImages, test: NetImages) -> str | None:
    """Returns the sentence about test images that are copies of training images; None if there are none.

    Copies are equal files, or equal arrays of pixels; only files of equal size are read.
    """
    first = dict(_reversed(_keys(train, test)))
    copies = [(place, first[key]) for place, key in _keys(test, train) if key in first]
    if not copies:
        return None
    place, other = copies[0]
    return (
        f"{len(copies):,} of the {len(test):,} test images are copies of training images, such as "
        f"{test.name(place)} of the test part and {train.name(other)} of the training part; accuracy on them "
        "says nothing of new images, so remove the copies."
    )


def copies_between(images: NetImages, first: Indices, second: Indices) -> list[tuple[int, int]]:
    """Returns positions in `second` of images that are copies of one in `first`, each with that one's."""
    keys = dict(_keys(images, images))
    known = {keys[place]: int(place) for place in first.tolist() if place in keys}
    return [(place, known[keys[place]]) for place in second.tolist() if keys.get(place) in known]


def _reversed(pairs: Iterable[tuple[int, bytes]]) -> Iterator[tuple[bytes, int]]:
    return ((key, place) for place, key in pairs)


def _keys(images: NetImages, others: NetImages) -> Iterator[tuple[int, bytes]]:
    """Yields position and content of the images that may be in `others` as well."""
    paths, array = (getattr(images.pixels, name, None) for name in ("paths", "array"))
    if paths is not None:
        sizes = {size_of(path) for path in getattr(others.pixels, "paths", ())}
        for place, path in enumerate(paths):
            if size_of(path) in sizes and (content := file_sha256(Path(path))):
                yield place, content
    elif array is not None:
        for place, image in enumerate(array):
            yield place, hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()
