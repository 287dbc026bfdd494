"""Images of others that generated images are made of, as bytes and by their classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.images.cifar_images import open_cifar
from nas_ray.images.datasets import OWN, DatasetInfo
from nas_ray.images.digits import open_digits
from nas_ray.images.idx_files import open_idx
from nas_ray.images.npz_images import open_npz
from nas_ray.images.splits import ArrayPixels, Opener, Source, Split
from nas_ray.images.unseen.draws import Bytes, Floats, Ints, chosen

_OPENERS: dict[str, Opener] = {
    "digits": open_digits,
    "cifar10": open_cifar,
    "cifar100": open_cifar,
    "npz": open_npz,
    "idx": open_idx,
}
_MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Heap:
    """Images of one split, sorted by their classes.

    Attributes:
        pixels: `[N, H, W]` or `[N, H, W, 3]`.
        first: `[C]` place of the first image of each class.
        number: `[C]` images of each class.
    """

    pixels: Bytes
    first: Ints
    number: Ints

    def draw(self, classes: Ints, uniform: Floats) -> Ints:
        """Returns places of images of the classes, each image of a class as likely, of any shape."""
        return self.first[classes] + chosen(uniform, self.number[classes])

    def next(self, places: Ints, classes: Ints) -> Ints:
        """Returns the places of the images that follow in their class, behind the last the first."""
        first = self.first[classes]
        return first + (places - first + 1) % self.number[classes]


def heaps_of(images: str, source: Source, least: int = 1) -> tuple[Heap, Heap]:
    """Returns the training and the test images that a definition names.

    Args:
        images: such as `digits`, `npz:PATH` or `cifar10`.
        source: of the generated images, which knows where files are looked for.
        least: images that each class must have in each split.

    Raises:
        UsageError: they cannot be read, or a class has too few.
    """
    kind, _, path = images.partition(":")
    anything = DatasetInfo(OWN, _MOST_CLASSES, source.dataset.image_size)
    opened = _OPENERS[kind](replace(source, spec=images, path=path, dataset=anything))
    splits = (opened.train, opened.test)
    classes = 1 + max(int(split.labels.max(initial=0)) for split in splits)
    train, test = (_heap(split, classes) for split in splits)
    for heap, name in ((train, "training"), (test, "test")):
        lacking = np.flatnonzero(heap.number < least)
        if len(lacking):
            raise UsageError(
                f"Images that others are made of must have {least} or more of each class in each split, but "
                f"{images} has {heap.number[lacking[0]]} {name} images of class {lacking[0]}."
            )
    return train, test


def _heap(split: Split, classes: int) -> Heap:
    assert isinstance(split.pixels, ArrayPixels)  # of all openers above
    order = np.argsort(split.labels, kind="stable")
    array = split.pixels.array[order]
    pixels = array if array.dtype == np.uint8 else np.round(array * 255)
    number = np.bincount(split.labels, minlength=classes)
    return Heap(pixels.astype(np.uint8, copy=False), np.cumsum(number) - number, number)
