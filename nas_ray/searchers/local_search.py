"""Local search: hill climbing with restarts."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import sample_new
from nas_ray.spaces.needs import neighborhood
from nas_ray.terminal.ranges import SOME

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class LocalSearch(ArchSearcher):
    """Climbs to the best neighbour until none is better, then starts again from new random archs.

    A climb starts from the best of `starts` random archs. All neighbours of the point are evaluated, and the
    best of them is the next point if it is better. With `first_improvement` the climb goes on from the first
    neighbour that is better. Neighbours come in random order, and what is known is not asked for again. The
    search ends when the space is exhausted.

    With several evaluations in flight a climb goes on once its last neighbours were asked for; a row that
    arrives later counts for the climb that is on.

    Source: White, Nolen and Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021,
    algorithm 1; `first_improvement` is its variant that queries until it finds an improvement.
    Differs: the paper stops at the first local optimum; here the budget says when to stop.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        starts: random archs evaluated for each climb, of which the best is its first point.
        first_improvement: move to the first better neighbour instead of the best.

    Raises:
        UsageError: starts is not positive, or archs of the space have no neighbours.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        starts: int = 1,
        first_improvement: bool = False,
    ) -> None:
        SOME.check("starts of local_search", starts)
        super().__init__(space, fitness=fitness, seed=seed)
        self._neighbors = neighborhood(space, "local_search", self.rng)
        self.starts = starts
        self.first_improvement = first_improvement
        self._proposed: set[str] = set()
        self._told: set[str] = set()
        self._queue: deque[str] = deque()
        self._climb: list[int] = []  # places in history told since the last restart
        self._expanded: set[str] = set()
        self._to_start = starts

    def ask(self) -> str:
        """Returns a random arch to start from, or the next neighbour of the point.

        Raises:
            StopIteration: every arch was proposed.
        """
        if self.first_improvement and self._queue and self._point() not in self._expanded:
            self._queue.clear()  # a neighbour was better
        while not self._queue:
            point = self._point()
            if self._to_start or point is None:
                return self._start()
            if point in self._expanded:
                self._climb, self._to_start = [], self.starts
            else:
                self._expand(point)
        arch = self._queue.popleft()
        self._proposed.add(arch)
        return arch

    def tell(self, arch: str, row: Row) -> None:
        """Adds the arch to the climb."""
        self._told.add(arch)
        if row.get(GIVEN):  # a climb starts from the best of these
            self._proposed.add(arch)
            self._to_start = max(0, self._to_start - 1)
        self._climb.append(self.position(arch))

    def _point(self) -> str | None:
        """Returns the fittest arch of the climb, the first told among equals."""
        if not self._climb:
            return None
        best = self._climb[int(np.argmax(self.fitness_of(self._climb)))]
        return str(self.history[best]["arch"])

    def _start(self) -> str:
        arch = sample_new(self.space, self._proposed, self.rng)
        if arch is None:
            raise StopIteration
        self._to_start = max(0, self._to_start - 1)
        self._proposed.add(arch)
        return arch

    def _expand(self, point: str) -> None:
        """Queues the new neighbours of `point`, in random order, and adds the known ones to the climb."""
        self._expanded.add(point)
        neighbors = self._neighbors(point)
        for place in self.rng.permutation(len(neighbors)):
            neighbor = neighbors[place]
            if neighbor not in self._proposed:
                self._queue.append(neighbor)
            elif neighbor in self._told:
                self._climb.append(self.position(neighbor))
