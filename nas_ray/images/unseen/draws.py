"""Random numbers of images made from a seed, and what all of these are returned as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nas_ray.images.splits import ArrayPixels, Split

TRAIN, TEST = 0, 1
"""Splits, which differ in what is drawn and what it is drawn from."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Generated:
    """Images of a definition.

    Attributes:
        train: their pixels are one array.
        test: the same, of other draws.
        classes: names of the classes by number.
    """

    train: Split
    test: Split
    classes: tuple[str, ...]


def draws(seed: int, split: int, count: int, *widths: int) -> list[Floats]:
    """Returns uniform random numbers in 0..1 for each of `count` images, `[N, width]` for each width.

    Image i has the same ones however many there are.
    """
    numbers = np.random.default_rng([seed, split]).random((count, sum(widths)))
    return np.split(numbers, np.cumsum(widths)[:-1], axis=1)


def chosen(uniform: Floats, options: Ints | int) -> Ints:
    """Returns whole numbers from 0 to below `options`, each as likely, for uniform numbers of any shape."""
    return (uniform * options).astype(np.int64)


def balanced(count: int, classes: int) -> Ints:
    """Returns labels `[N]`: the classes in turn."""
    return np.arange(count) % classes


def split_of(images: Bytes, labels: Ints) -> Split:
    """Returns a split of images `[N, S, S]` or `[N, S, S, 3]`."""
    return Split(ArrayPixels(images), labels)
