"""Points that were not proposed before, whatever draws them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nas_ray.searchers.sampling import sample_new

if TYPE_CHECKING:
    import numpy as np

    from nas_ray.spaces.base import SearchSpace

TRIES = 50
"""Draws that may be known or outside of the space before a random point is taken."""


class Proposed:
    """The points that were proposed.

    Args:
        space: of the points.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._known: set[str] = set()

    def keep(self, point: str) -> str:
        """Remembers a point and returns it."""
        self._known.add(point)
        return point

    def new(self, draw: Callable[[], str | None], rng: np.random.Generator) -> str:
        """Returns a point of `draw` that was not proposed, or else one drawn uniformly.

        Raises:
            StopIteration: all points were proposed.
        """
        for _ in range(TRIES):
            point = draw()
            if point is not None and point not in self._known:
                return self.keep(point)
        left = sample_new(self._space, self._known, rng)
        if left is None:
            raise StopIteration
        return self.keep(left)
