"""The images of `generated:add` and `generated:mult`: three digits, one in each channel."""

from __future__ import annotations

import itertools

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.images.splits import Source, Split
from nas_ray.images.unseen.draws import (
    TEST,
    TRAIN,
    Generated,
    Ints,
    balanced,
    chosen,
    draws,
    one_of,
    paste,
    split_of,
)
from nas_ray.images.unseen.made_of_others import Add, Calculated
from nas_ray.images.unseen.others import Heap, heaps_of

_DIGITS = 10


def calculated_images(definition: Calculated, source: Source) -> Generated:
    """Returns the images of a definition.

    Raises:
        UsageError: images of others that are not grey, not of ten digits, or do not fit.
    """
    heaps = heaps_of(definition.images, source)
    for heap in heaps:
        _check(heap, definition)
    train = _split(definition, TRAIN, definition.train, heaps[0])
    test = _split(definition, TEST, definition.test, heaps[1])
    first = 1 if isinstance(definition, Add) else 0  # the result of class 0
    return Generated(train, test, tuple(str(first + label) for label in range(definition.num_classes)))


def triples(definition: Calculated) -> list[Ints]:
    """Returns for each class all triples of digits `[T, 3]` with its result."""
    every = np.array(list(itertools.product(range(_DIGITS), repeat=3)))
    result = every.sum(1) - 1 if isinstance(definition, Add) else every.prod(1) % 10
    return [every[result == label] for label in range(definition.num_classes)]


def _split(definition: Calculated, split: int, count: int, heap: Heap) -> Split:
    size, side = definition.image_size, heap.pixels.shape[1]
    which, images, places = draws(definition.seed, split, count, 1, 3, 6)
    labels = balanced(count, definition.num_classes)
    digits = one_of(triples(definition), labels, which[:, 0])
    found = heap.pixels[heap.draw(digits, images)]
    corners = chosen(places, size - side + 1).reshape(count, 2, 3)
    pixels = np.zeros((count, size, size, 3), np.uint8)
    for channel in range(3):
        top, left = corners[:, :, channel].T
        paste(pixels[..., channel], top, left, found[:, channel])
    return split_of(pixels, labels)


def _check(heap: Heap, definition: Calculated) -> None:
    """Checks that images are of digits and have room.

    Raises:
        UsageError: they are not, or have none.
    """
    shape = heap.pixels.shape[1:]
    if len(heap.number) != _DIGITS or len(shape) != 2 or shape[0] != shape[1]:
        raise UsageError(
            f"Images of generated:{definition.kind} must be made of square grey images of ten digits, but "
            f"{definition.images} has {len(heap.number)} classes of shape {list(shape)}."
        )
    if shape[0] > definition.image_size:
        raise UsageError(
            f"size of generated:{definition.kind} must be {shape[0]} or more for the digits of "
            f"{definition.images}, but {definition.image_size} was given."
        )
