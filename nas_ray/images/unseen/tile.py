"""The images of `generated:tile`: four images, two by two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.images.splits import Source, Split
from nas_ray.images.unseen.draws import TEST, TRAIN, Bytes, Generated, balanced, draws, one_of, split_of
from nas_ray.images.unseen.made_of_others import Tile
from nas_ray.images.unseen.others import Heap, heaps_of

_PLACES = 4
_SHARED = (
    np.array([(0, 0, 0, 0)]),
    np.array(
        [(0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 1, 1), (0, 1, 0, 0), (0, 1, 0, 1), (0, 1, 1, 0), (0, 1, 1, 1)]
    ),
    np.array([(0, 0, 1, 2), (0, 1, 0, 2), (0, 1, 1, 2), (0, 1, 2, 0), (0, 1, 2, 1), (0, 1, 2, 2)]),
    np.array([(0, 1, 2, 3)]),
)
"""For each number of classes all ways in which four places share them."""


def tile_images(definition: Tile, source: Source) -> Generated:
    """Returns the images of a definition.

    Raises:
        UsageError: images of others with too few classes, or of a size that does not fit.
    """
    train, test = (
        replace(heap, pixels=_shrunk(heap.pixels, definition))
        for heap in heaps_of(definition.images, source, least=_PLACES)
    )
    if len(train.number) < _PLACES:
        raise UsageError(
            f"Images of generated:tile must be made of images of {_PLACES} classes or more, but "
            f"{definition.images} has {len(train.number)}."
        )
    splits = (
        _split(definition, TRAIN, definition.train, train),
        _split(definition, TEST, definition.test, test),
    )
    return Generated(*splits, tuple(str(different + 1) for different in range(_PLACES)))


def _split(definition: Tile, split: int, count: int, heap: Heap) -> Split:
    which, order, images = draws(definition.seed, split, count, 1, len(heap.number), _PLACES)
    labels = balanced(count, _PLACES)
    way = one_of(_SHARED, labels, which[:, 0])
    classes = np.take_along_axis(order.argsort(1), way, 1)
    places = heap.draw(classes, images)
    for place in range(1, _PLACES):  # the next of its class, until it is none of those before
        for _ in range(place):
            again = (places[:, :place] == places[:, place, None]).any(1)
            places[again, place] = heap.next(places[again, place], classes[again, place])
    four = heap.pixels[places]
    upper = np.concatenate((four[:, 0], four[:, 1]), axis=2)
    lower = np.concatenate((four[:, 2], four[:, 3]), axis=2)
    return split_of(np.concatenate((upper, lower), axis=1), labels)


def _shrunk(pixels: Bytes, definition: Tile) -> Bytes:
    """Returns images at half the size of the definition, by means of blocks.

    Raises:
        UsageError: their sides are no whole multiple of it.
    """
    side, wanted = pixels.shape[1], definition.image_size // 2
    if pixels.shape[2] != side or side % wanted:
        raise UsageError(
            f"size of generated:tile must be {2 * side} for images of {side}x{pixels.shape[2]} pixels, or "
            f"that divided by a whole number, and they must be square, but {definition.image_size} was given."
        )
    times = side // wanted
    if times == 1:
        return pixels
    blocks = pixels.reshape(len(pixels), wanted, times, wanted, times, *pixels.shape[3:])
    means: Bytes = np.round(blocks.mean((2, 4), dtype=np.float32)).astype(np.uint8)
    return means
