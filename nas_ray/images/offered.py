"""What `predict` is given, whatever it is, image by image: files, folders, pictures, arrays and tensors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.images.decode import picture_pixels, read_image
from nas_ray.images.folder_files import image_paths
from nas_ray.images.given import laid_out, seen, white_of
from nas_ray.images.splits import resize

FORMS = "paths of files and folders, pictures of Pillow, arrays and tensors, or a list of these"
_AT_ONCE = 64  # images of an array that are converted together
Named = tuple[str | int, Tensor]
"""The file of an image, or its number where it has none, and its pixels `[3, S, S]` in 0..1."""


@dataclass
class Offered:
    """Images by their names, made what a net sees one after the other.

    Args:
        given: anything of `FORMS`; that all files of a list exist is looked at before the first is read.
        size: S in pixels.
        skip_unreadable: leave files that cannot be decoded out.

    Attributes:
        skipped: a sentence for each file that was left out.
    """

    given: Any
    size: int
    skip_unreadable: bool = False
    skipped: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Named]:
        """Yields name and image.

        Raises:
            UsageError: what is given is no image, cannot be read, or can be taken for several things.
        """
        number = 0
        alone = _is_one(self.given)
        for place, one in enumerate([self.given] if alone else _listed(self.given)):
            for name, image in self._images(one, "" if alone else f"Number {place} of what is given: "):
                yield (number if name is None else name), image
                number += 1

    def _images(self, one: Any, about: str) -> Iterator[tuple[str | None, Tensor]]:
        if isinstance(one, (str, os.PathLike)):
            yield from self._files(one)
            return
        try:
            if isinstance(one, Image.Image):
                name = getattr(one, "filename", "") or None
                yield name and str(name), resize(picture_pixels(one), self.size)
            else:
                yield from ((None, image) for image in self._of_tensor(as_tensor(one)))
        except UsageError as error:
            raise UsageError(f"{about}{error}") from error

    def _files(self, path: str | os.PathLike[str]) -> Iterator[tuple[str, Tensor]]:
        for file in image_paths(path):
            try:
                image = read_image(file)
            except UsageError as error:
                if not self.skip_unreadable:
                    raise
                self.skipped.append(str(error))
                continue
            yield file, resize(image, self.size)

    def _of_tensor(self, images: Tensor) -> Iterator[Tensor]:
        placed, white = laid_out(images, self.size), white_of(images)
        for start in range(0, len(placed), _AT_ONCE):
            yield from seen(placed[start : start + _AT_ONCE], white, self.size)


def as_tensor(value: Any) -> Tensor:
    """Returns an array or a tensor as a tensor on the CPU, of the same numbers.

    Raises:
        UsageError: it is neither, or holds no numbers.
    """
    if isinstance(value, Tensor):
        if value.is_meta or value.is_quantized or value.layout is not torch.strided:
            raise UsageError(f"A tensor of images must hold its numbers one by one, got {value.layout}.")
        return value.detach().cpu()
    if not isinstance(value, np.ndarray):
        raise UsageError(f"Images must be {FORMS}, got {_kind(value)}.")
    if value.dtype.kind not in "buif" or value.dtype.itemsize > 8:
        raise UsageError(f"An array of images must hold uint8, or floats in 0..1, got {value.dtype}.")
    array = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("="))
    return torch.from_numpy(array if array.flags.writeable else array.copy()).reshape(value.shape)


def _is_one(given: Any) -> bool:
    names = isinstance(given, np.ndarray) and given.dtype.kind in "UO" and given.ndim == 1  # a column
    return isinstance(given, (str, os.PathLike, Image.Image, Tensor, np.ndarray)) and not names


def _listed(given: Any) -> Iterable[Any]:
    """Returns what is given one by one; of a list every path is looked at first.

    Raises:
        UsageError: it is no list of images, or a path leads nowhere.
    """
    frame = hasattr(given, "columns")  # of pandas, which would give its columns' names
    if frame or not isinstance(given, Iterable) or isinstance(given, (Mapping, Set, bytes, bytearray)):
        raise UsageError(f"Images must be {FORMS}, got {_kind(given)}.")
    if isinstance(given, (Sequence, np.ndarray)):
        for one in given:
            if isinstance(one, (str, os.PathLike)):
                image_paths(one)
    return given


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
