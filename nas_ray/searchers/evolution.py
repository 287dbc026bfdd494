"""REA: regularized (ageing) evolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import Repeats
from nas_ray.searchers.variation import Children, draw, node_first_children
from nas_ray.spaces.needs import cell_space, neighborhood, recombining

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


LARGEST = 1_000_000
"""Largest population and tournament."""

MUTATIONS = ("uniform", "node")
"""As the space says: uniform over the neighbours, or children of its own; or over nodes first."""


class RegularizedEvolution(ArchSearcher):
    """Evolution in which the oldest member dies, not the worst.

    The first `population` archs are random. Then, for each new arch: draw `sample` members, take the fittest
    (the first drawn among equals), and mutate it; the child joins the population and the oldest member leaves
    it. A parent that has no child is replaced by a random arch. The search ends after a thousand known archs
    in a row.

    A space that makes children itself (`RecombiningSpace`) is given the winners of two tournaments for each
    of them. In a space of sequences without neighbours a mutation changes one decision (`sequence_children`).

    With k evaluations in flight this is the asynchronous evolution of the paper with k workers: a tournament
    draws from the members whose rows have arrived. With one it is the sequential algorithm.

    Source: Real, Aggarwal, Huang and Le, "Regularized Evolution for Image Classifier Architecture Search",
    AAAI 2019, algorithm 1; `mutation="node"` is that of the released code of NATS-Bench (Dong et al., TPAMI
    2021); `ageing=False` is the non-ageing tournament selection that the paper compares with.
    Differs: mutation is uniform over the neighbours that the space gives; the paper's two kinds of mutation
    belong to its own space. A failed evaluation is a member with the worst fitness, so it ages and leaves
    like any other.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`; a relative one is relative to everything evaluated so far.
        seed: see `ArchSearcher`.
        population: P, number of living members.
        sample: S, members drawn for one tournament.
        mutation: `uniform`: uniform over the neighbours, or what a `RecombiningSpace` makes; `node`: a node,
            then one of its incoming edges, then another operation (`node_first_children`), for a `CellSpace`.
        replacement: draw a tournament with replacement; without, it has at most as many as are alive.
        ageing: the oldest member leaves; otherwise the worst, and the oldest of equals.

    Raises:
        UsageError: population or sample is out of range, the mutation unknown or not one for this space.
    """

    recombines: ClassVar[bool] = True
    """Whether a space may make the children; variants that choose among all of them say no."""

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        population: int = 50,
        sample: int = 10,
        mutation: str = "uniform",
        replacement: bool = True,
        ageing: bool = True,
    ) -> None:
        if not 1 <= population <= LARGEST or not 1 <= sample <= LARGEST:
            raise UsageError(
                f"population and sample must be from 1 to {LARGEST}, got population={population} and "
                f"sample={sample}."
            )
        if mutation not in MUTATIONS:
            raise UsageError(unknown_name("mutation", mutation, list(MUTATIONS)))
        super().__init__(space, fitness=fitness, seed=seed)
        self.population = population
        self.sample = sample
        self.replacement = replacement
        self.ageing = ageing
        free = mutation != "node"
        self._cells = None if free else cell_space(space, "The mutation 'node'")
        self._recombining = recombining(space) if free and self.recombines else None
        needed = free and self._recombining is None
        self._neighbors = neighborhood(space, type(self).__name__, self.rng) if needed else None
        self._alive: list[int] = []  # places in history, oldest first
        self._to_draw = population
        self._repeats = Repeats()

    def ask(self) -> str | None:
        """Returns a random arch while the first population is drawn, then a child of a winner.

        Raises:
            StopIteration: a long row of children were known, so a budget of seconds would never be spent.
        """
        self._repeats.check()
        if self._to_draw:
            self._to_draw -= 1
            return self.first()
        if not self._alive:
            return None
        return self.child(self.history[self._winner()]["arch"])

    def tell(self, arch: str, row: Row) -> None:
        """Adds the arch as the youngest member; one leaves once the population is full."""
        self._repeats.tell(row)
        if row.get(GIVEN):  # a member of the first population
            self._to_draw = max(0, self._to_draw - 1)
        self._alive.append(self.position(arch))
        if len(self._alive) > self.population:
            self._alive.pop(0 if self.ageing else int(np.argmin(self.fitness_of(self._alive))))

    # What variants override.

    def first(self) -> str:
        """Returns the next arch of the first population."""
        return self.space.sample(self.rng)

    def children(self, parent: str) -> Children:
        """Returns the possible children of `parent` and their chances."""
        if self._cells is not None:
            return node_first_children(self._cells, parent)
        if self._neighbors is None:  # of a space that makes children, and a variant that wants them all
            self._neighbors = neighborhood(self.space, type(self).__name__, self.rng)
        return self._neighbors(parent), None

    def child(self, parent: str) -> str:
        """Returns a child of `parent`, a random arch if it has none."""
        if self._recombining is not None:
            mate: str = self.history[self._winner()]["arch"]
            return self._recombining.sample_from((parent, mate), self.rng)
        return draw(self.children(parent), self.rng) or self.first()

    def _winner(self) -> int:
        alive = len(self._alive)
        if self.replacement:
            places = self.rng.integers(alive, size=self.sample)
        else:
            places = self.rng.choice(alive, size=min(self.sample, alive), replace=False)
        drawn: list[int] = [self._alive[place] for place in places.tolist()]
        return drawn[int(np.argmax(self.fitness_of(drawn)))]
