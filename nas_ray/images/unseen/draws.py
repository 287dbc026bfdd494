"""Random numbers of images made from a seed, and what all of these are returned as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


def one_of(groups: Sequence[Ints], which: Ints, uniform: Floats) -> Ints:
    """Returns rows of groups `[G, K]`, each row of a group as likely, `[..., K]`.

    Args:
        groups: arrays `[G, K]`, of as many rows as they please.
        which: numbers of groups.
        uniform: numbers in 0..1, of a shape with which that of `which` is broadcast.
    """
    number = np.array([len(group) for group in groups])
    first = np.cumsum(number) - number
    found: Ints = np.concatenate(groups)[first[which] + chosen(uniform, number[which])]
    return found


def paste(images: npt.NDArray[Any], top: Ints, left: Ints, parts: npt.NDArray[Any]) -> None:
    """Writes a part into each image, in place.

    Args:
        images: `[N, H, W, ...]`.
        top: `[N]` first rows.
        left: `[N]` first columns.
        parts: `[N, h, w, ...]`.
    """
    rows = top[:, None] + np.arange(parts.shape[1])
    columns = left[:, None] + np.arange(parts.shape[2])
    images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]] = parts


def balanced(count: int, classes: int) -> Ints:
    """Returns labels `[N]`: the classes in turn."""
    return np.arange(count) % classes


def split_of(images: Bytes | npt.NDArray[np.float32], labels: Ints) -> Split:
    """Returns a split of images `[N, S, S]` or `[N, S, S, 3]`: bytes, or numbers in 0..1."""
    return Split(ArrayPixels(images), labels)
