"""A searcher that asks for a list of archs: scoring a set is a search without choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import Fitness

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class GivenArchs(ArchSearcher):
    """Asks for `archs` in order, each once.

    Args:
        space: the space that they belong to.
        fitness: see `ArchSearcher`; nothing is chosen by it.
        archs: what to evaluate.
    """

    def __init__(self, space: SearchSpace, *, fitness: Fitness, archs: Sequence[str]) -> None:
        super().__init__(space, fitness=fitness)
        self._archs = list(dict.fromkeys(archs))
        self._next_place = 0

    @property
    def count(self) -> int:
        """Number of different archs."""
        return len(self._archs)

    def ask(self) -> str:
        """Returns the next arch of the list.

        Raises:
            StopIteration: the list is at its end.
        """
        if self._next_place == len(self._archs):
            raise StopIteration
        self._next_place += 1
        return self._archs[self._next_place - 1]
