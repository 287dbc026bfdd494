"""Draws without repetition, and when a search that only repeats itself ends."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.rows import Row
from nas_ray.spaces.needs import members

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

MAX_REJECTIONS = 1_000
MAX_REPEATS = 1_000
"""Known archs in a row after which a search has nothing new to propose."""


def sample_new(space: SearchSpace, taken: Container[str], rng: np.random.Generator) -> str | None:
    """Returns an arch drawn uniformly from those not in `taken`, None if there are none.

    Rejects at most `MAX_REJECTIONS` draws and then draws from the list of what is left, so it always ends; a
    space that cannot be listed counts as exhausted then.
    """
    for _ in range(MAX_REJECTIONS):
        arch = space.sample(rng)
        if arch not in taken:
            return arch
    rest = [arch for arch in members(space) if arch not in taken]
    return rest[int(rng.integers(len(rest)))] if rest else None


def sample_distinct(space: SearchSpace, size: int, rng: np.random.Generator) -> list[str]:
    """Returns `size` archs drawn without replacement, all there are if the space is smaller."""
    drawn: dict[str, None] = {}
    while len(drawn) < size:
        arch = sample_new(space, drawn, rng)
        if arch is None:
            break
        drawn[arch] = None
    return list(drawn)


class Repeats:
    """Counts the known archs that were told in a row.

    Attributes:
        count: so far.
    """

    def __init__(self) -> None:
        self.count = 0

    def tell(self, row: Row) -> None:
        """Takes the next row."""
        self.count = self.count + 1 if row.get("reused") else 0

    def check(self) -> None:
        """Ends a search that proposes nothing new any more.

        Raises:
            StopIteration: the last `MAX_REPEATS` archs were known.
        """
        if self.count >= MAX_REPEATS:
            raise StopIteration
