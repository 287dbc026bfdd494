"""The images of `generated:pairs`: arrays from a definition and its seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nas_ray.images.generated import Pairs
from nas_ray.images.unseen.draws import TEST, TRAIN, Generated, split_of

LONG, SHORT = 5, 3
"""Pixels that a pair spans, ends counted."""
BACKGROUND, CONTRAST = 0.5, 0.35


def both_splits(pairs: Pairs) -> Generated:
    """Returns the images of a definition."""
    train = split_of(*pair_images(pairs, TRAIN, pairs.train))
    test = split_of(*pair_images(pairs, TEST, pairs.test))
    return Generated(train, test, ("alike", "unlike"))


def pair_images(
    pairs: Pairs, split: int, count: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Returns `count` images `[N, size, size]` in 0..1 and their labels `[N]`; see `Pairs`.

    Args:
        pairs: the definition.
        split: `TRAIN` or `TEST`, which differ in what is drawn alone.
        count: N; fewer images are the first of more.
    """
    number, size = pairs.pairs, pairs.size
    draws = np.random.default_rng([pairs.seed, split])
    noise = np.random.default_rng([pairs.seed, split, 1])
    # One draw for everything of an image, so that image i is the same however many there are.
    rows, columns, order, agrees = np.split(
        draws.random((count, size + 4 * number + 1)), [size, size + 2 * number, size + 4 * number], axis=1
    )
    labels = np.arange(count) % 2
    said = np.where(agrees[:, 0] < pairs.shortcut, labels, 1 - labels)
    images = noise.standard_normal((count, size, size)) * pairs.noise + BACKGROUND
    row = rows.argsort(1)[:, : 2 * number]
    every = np.arange(count)
    for place in range(2 * number):
        short = place >= number
        span = SHORT if short else LONG
        mine = order[:, number:] if short else order[:, :number]
        first = np.where(mine.argsort(1).argsort(1)[:, place % number] < number // 2, 1, -1)
        last = np.where(said if short else labels, -first, first)
        column = (columns[:, place] * (size - span + 1)).astype(np.int64)
        images[every, row[:, place], column] += CONTRAST * first
        images[every, row[:, place], column + span - 1] += CONTRAST * last
    return images.clip(0, 1).astype(np.float32), labels.astype(np.int64)
