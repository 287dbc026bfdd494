"""REA: regularized (ageing) evolution."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import Fitness, Row

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


LARGEST = 1_000_000
"""Largest population and tournament."""


class RegularizedEvolution(ArchSearcher):
    """Evolution in which the oldest member dies, not the worst.

    The first `population` archs are random. Then, for each new arch: draw `sample` members with replacement,
    take the fittest (the first drawn among equals), and mutate it to a uniformly chosen neighbour; the child
    joins the population and the oldest member leaves it.

    With k evaluations in flight this is the asynchronous evolution of the paper with k workers: a tournament
    draws from the members whose rows have arrived. With one it is the sequential algorithm.

    Source: Real, Aggarwal, Huang and Le, "Regularized Evolution for Image Classifier Architecture Search",
    AAAI 2019, algorithm 1.
    Differs: mutation is uniform over the neighbours that the space gives; the paper's two kinds of mutation
    belong to its own space. A failed evaluation is a member with the worst fitness, so it ages and leaves
    like any other.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`; a relative one is relative to everything evaluated so far.
        seed: see `ArchSearcher`.
        population: P, number of living members.
        sample: S, members drawn for one tournament.

    Raises:
        UsageError: population or sample is out of range.
    """

    def __init__(
        self, space: SearchSpace, *, fitness: Fitness, seed: int = 0, population: int = 50, sample: int = 10
    ) -> None:
        if not 1 <= population <= LARGEST or not 1 <= sample <= LARGEST:
            raise UsageError(
                f"population and sample must be from 1 to {LARGEST}, got population={population} and "
                f"sample={sample}."
            )
        super().__init__(space, fitness=fitness, seed=seed)
        self.sample = sample
        self._alive: deque[int] = deque(maxlen=population)  # places in history, oldest first
        self._to_draw = population

    def ask(self) -> str | None:
        """Returns a random arch while the first population is drawn, then a child of a winner."""
        if self._to_draw:
            self._to_draw -= 1
            return self.space.sample(self.rng)
        if not self._alive:
            return None
        neighbors = self.space.neighbors(self.history[self._winner()]["arch"])
        return neighbors[self.rng.integers(len(neighbors))] if neighbors else self.space.sample(self.rng)

    def tell(self, arch: str, row: Row) -> None:
        """Adds the arch as the youngest member; the oldest leaves once the population is full."""
        self._alive.append(self.position(arch))

    def _winner(self) -> int:
        drawn = [self._alive[i] for i in self.rng.integers(len(self._alive), size=self.sample)]
        return drawn[int(np.argmax(self.fitness_of(drawn)))]
