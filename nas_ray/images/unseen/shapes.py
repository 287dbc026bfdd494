"""The images of `generated:shapes`: discs among bars and triangles."""

from __future__ import annotations

import numpy as np

from nas_ray.images.splits import Split
from nas_ray.images.unseen.definitions import Shapes
from nas_ray.images.unseen.draws import (
    TEST,
    TRAIN,
    Flags,
    Generated,
    balanced,
    chosen,
    draws,
    paste,
    split_of,
)

CELL, SIDE = 8, 7
"""Pixels that a shape has for itself, and those that it may fill."""
DISC = ".###. ##### ##### ##### .###."
BAR = "####### ####### #######"
TRIANGLE = "...#... ..###.. .#####. .#####. #######"
"""Each has 21 pixels."""
BACKGROUND, DARKEST = 0.2, 0.4


def shape_images(definition: Shapes) -> Generated:
    """Returns the images of a definition."""
    train = _split(definition, TRAIN, definition.train)
    test = _split(definition, TEST, definition.test)
    return Generated(train, test, tuple(str(discs) for discs in range(definition.num_classes)))


def masks() -> Flags:
    """Returns `[7, 7, 7]`: the disc, two bars and four triangles, each in a square of its own."""
    found = []
    for drawn, turns in ((DISC, 1), (BAR, 2), (TRIANGLE, 4)):
        lines = np.array([[sign == "#" for sign in line] for line in drawn.split()])
        missing = [SIDE - side for side in lines.shape]
        whole = np.pad(lines, [(more // 2, more - more // 2) for more in missing])
        found += [np.rot90(whole, turn) for turn in range(turns)]
    return np.array(found)


def _split(definition: Shapes, split: int, count: int) -> Split:
    size, number = definition.size, definition.shapes
    across = size // CELL
    cells, others, colours, corners = draws(
        definition.seed, split, count, across**2, number, 3 * number, 2 * number
    )
    noise = np.random.default_rng([definition.seed, split, 1])
    labels = balanced(count, definition.num_classes)
    # Cells are in a random order, so the first shapes may be the discs.
    kind = np.where(np.arange(number) < labels[:, None], 0, 1 + chosen(others, 6))
    row, column = np.divmod(cells.argsort(1)[:, :number], across)
    jitter = chosen(corners, CELL - SIDE + 1).reshape(count, number, 2)
    colour = (DARKEST + (1 - DARKEST) * colours).reshape(count, number, 1, 1, 3)
    images = np.full((count, size, size, 3), BACKGROUND, np.float32)
    mask = masks()
    for place in range(number):
        drawn = np.where(mask[kind[:, place], :, :, None], colour[:, place], BACKGROUND)
        top, left = (of[:, place] * CELL + jitter[:, place, axis] for axis, of in enumerate((row, column)))
        paste(images, top, left, drawn)
    images += noise.standard_normal(images.shape, dtype=np.float32) * np.float32(definition.noise)
    return split_of(np.round(images.clip(0, 1) * 255).astype(np.uint8), labels)
