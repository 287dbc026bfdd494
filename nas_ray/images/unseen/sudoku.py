"""The images of `generated:sudoku`: grids whose marked cell has one answer."""

from __future__ import annotations

import numpy as np

from nas_ray.images.splits import Split
from nas_ray.images.unseen.definitions import Sudoku
from nas_ray.images.unseen.draws import (
    TEST,
    TRAIN,
    Bytes,
    Flags,
    Floats,
    Generated,
    Ints,
    balanced,
    chosen,
    draws,
    split_of,
)

SIDE, CELL = 9, 4
"""Cells of a row, and pixels of a cell."""
PATTERNS = (
    "#.# ... #.#",
    ".#. #.# .#.",
    "##. ##. ...",
    "... .## .##",
    "..# .#. ##.",
    "### ..# ...",
    "##. ... ##.",
    "#.# #.. .#.",
    "#.. #.# #..",
)
"""Of the digits 1 to 9, row by row; each has four pixels, and two have two in common at most."""
_EMPTY, _MARKED = 9, 10
_DRAWN = (9, 3, 9, 3, 9, 1, 1, 81)  # rows, bands, columns, stacks, digits, mirrored, marked cell, emptied
_LEAVES = 2  # added to a rank so that it comes last


def sudoku_images(definition: Sudoku) -> Generated:
    """Returns the images of a definition."""
    train = _split(definition, TRAIN, definition.train)
    test = _split(definition, TEST, definition.test)
    return Generated(train, test, tuple(str(digit + 1) for digit in range(SIDE)))


def _split(definition: Sudoku, split: int, count: int) -> Split:
    rows, bands, columns, stacks, digits, mirrored, marked, order = draws(
        definition.seed, split, count, *_DRAWN
    )
    labels = balanced(count, SIDE)
    solved = _solved(_lines(rows, bands), _lines(columns, stacks), mirrored[:, 0] < 0.5)
    cell = chosen(marked[:, 0], SIDE * SIDE)
    named = digits.argsort(1)
    asked = solved[np.arange(count), cell]
    # A permutation of digits less what it makes of the one that is asked for, plus the label, is one that
    # makes the label of it, and each of these is as likely.
    shift = labels - named[np.arange(count), asked]
    grid = (np.take_along_axis(named, solved, 1) + shift[:, None]) % SIDE
    seen = np.where(_left(grid, cell, order, definition.shown), grid, _EMPTY)
    seen[np.arange(count), cell] = _MARKED
    return split_of(_drawn(seen), labels)


def _lines(within: Floats, between: Floats) -> Ints:
    """Returns orders `[N, 9]` of rows or columns that keep threes together."""
    inside = within.reshape(-1, 3, 3).argsort(2)
    blocks = between.argsort(1)
    return (3 * blocks[:, :, None] + np.take_along_axis(inside, blocks[:, :, None], 1)).reshape(-1, SIDE)


def _solved(rows: Ints, columns: Ints, mirrored: Flags) -> Ints:
    """Returns solved grids `[N, 81]` of 0 to 8."""
    place = np.arange(SIDE)
    base = (3 * (place[:, None] % 3) + place[:, None] // 3 + place) % SIDE
    grid = base[rows[:, :, None], columns[:, None, :]]
    return np.where(mirrored[:, None, None], grid.transpose(0, 2, 1), grid).reshape(-1, SIDE * SIDE)


def _left(grid: Ints, marked: Ints, order: Floats, shown: int) -> Flags:
    """Returns which cells `[N, 81]` are not emptied.

    Of each digit those are left that come first: one of those that the marked cell sees, then those that it
    does not see, then the others of those that it sees.

    Args:
        grid: `[N, 81]` of 0 to 8.
        marked: `[N]` cells.
        order: `[N, 81]` in 0..1, which decides where nothing else does.
        shown: cells of each digit.
    """
    count = len(grid)
    by_digit = np.argsort(grid, axis=1, kind="stable").reshape(count, SIDE, SIDE)  # the nine cells of each
    sees = _peers()[marked[:, None, None], by_digit]
    rank = np.take_along_axis(order, by_digit.reshape(count, -1), 1).reshape(by_digit.shape)
    best = np.where(sees, rank, np.inf).argmin(2)
    rank = np.where(sees | (by_digit == marked[:, None, None]), rank + _LEAVES, rank)
    first = np.arange(SIDE) == best[:, :, None]
    rank = np.where(first & sees, -1, rank)  # of the digit that is asked for the marked cell sees none
    kept = rank.argsort(2).argsort(2) < shown
    left = np.zeros((count, SIDE * SIDE), bool)
    np.put_along_axis(left, by_digit.reshape(count, -1), kept.reshape(count, -1), axis=1)
    return left


def _peers() -> Flags:
    """Returns `[81, 81]` which cells a cell sees: the others of its row, its column and its box."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    box = row // 3 * 3 + column // 3
    same = np.eye(SIDE, dtype=bool)
    rows, columns, boxes = (same[of[:, None], of] for of in (row, column, box))
    seen: Flags = (rows | columns | boxes) & ~np.eye(SIDE * SIDE, dtype=bool)
    return seen


def _drawn(seen: Ints) -> Bytes:
    """Returns images `[N, 36, 36]` of cells `[N, 81]`."""
    signs = np.zeros((_MARKED + 1, CELL, CELL), np.uint8)
    for digit, pattern in enumerate(PATTERNS):
        signs[digit, :3, :3] = [[255 * (sign == "#") for sign in row] for row in pattern.split()]
    signs[_MARKED, :3, :3] = 255
    cells = signs[seen].reshape(-1, SIDE, SIDE, CELL, CELL)
    return cells.transpose(0, 1, 3, 2, 4).reshape(-1, SIDE * CELL, SIDE * CELL)
