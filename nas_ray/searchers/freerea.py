"""FreeREA: evolution with mutation and crossover on a sum of normalised zero-cost scores."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.combined import NormalisedSum
from nas_ray.searchers.evolution import LARGEST
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.sampling import Repeats, sample_new
from nas_ray.searchers.variation import crossover, draw
from nas_ray.spaces.needs import decision_space, neighborhood

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

SCORES = NormalisedSum(("naswot", "logsynflow", "skip"))
"""The fitness of the paper."""


class FreeRea(ArchSearcher):
    """Evolution of a population that is kept by rank, after the oldest member has left.

    The first `population` archs are random and different. Then, again and again: draw a tournament of
    `sample` members without replacement and take the best two; the next three archs are a mutation of each
    and their uniform crossover. Once the population is larger than `population`, its oldest member leaves and
    the best `population` of the rest stay. An arch that was seen before costs nothing and becomes the
    youngest member again. The answer is the best of everything evaluated.

    Members are compared by the fitness of the set compared, not of everything evaluated.

    With several evaluations in flight a tournament draws from the members whose rows have arrived.

    A search for small nets is this one on a space with limits (`nas_ray.evaluation.limits.limited`), and a
    search for 45 simulated seconds is `simulate(..., seconds=45)`.

    Source: Cavagnero, Robbiano, Caputo and Averta, "FreeREA: Training-Free Evolution-based Architecture
    Search", WACV 2023, section 3 and the released code.
    Differs: the released code draws its first population with repetition, and takes an undefined score as the
    smallest of its column where `NormalisedSum` ranks the arch last. Members of one generation are equally
    old there; here the first of them is older. A child outside of the limits is drawn again.

    Args:
        space: see `ArchSearcher`; a `DecisionSpace`.
        fitness: see `ArchSearcher`; the paper's by default.
        seed: see `ArchSearcher`.
        population: N, members that stay.
        sample: n, members of a tournament.

    Raises:
        UsageError: the space has no decisions, or a size is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = SCORES,
        seed: int = 0,
        population: int = 100,
        sample: int = 25,
    ) -> None:
        if not 2 <= population <= LARGEST or not 2 <= sample <= LARGEST:
            raise UsageError(
                f"population and sample of freerea must be from 2 to {LARGEST}, got population={population} "
                f"and sample={sample}."
            )
        super().__init__(space, fitness=fitness, seed=seed)
        self.population = population
        self.sample = sample
        self._decisions = decision_space(space, "freerea")
        self._neighbors = neighborhood(space, "freerea", self.rng)
        self._first: set[str] = set()
        self._to_draw = population
        self._alive: list[int] = []  # places in history, oldest first
        self._children: deque[str] = deque()
        self._repeats = Repeats()

    def ask(self) -> str | None:
        """Returns a new random arch while the first population is drawn, then the next child.

        Raises:
            StopIteration: a long row of children were known.
        """
        if self._to_draw:
            arch = sample_new(self.space, self._first, self.rng)
            if arch is not None:
                self._to_draw -= 1
                self._first.add(arch)
                return arch
            self._to_draw = 0  # the space is smaller than a population
        self._repeats.check()
        if not self._children:
            if not self._alive:
                return None
            self._select()
            self._breed()
        return self._children.popleft()

    def tell(self, arch: str, row: Row) -> None:
        """Makes the arch the youngest member, or again so."""
        if row.get(GIVEN):  # a member of the first population
            self._to_draw = max(0, self._to_draw - 1)
            self._first.add(arch)
        place = self.position(arch)
        self._alive = [*(member for member in self._alive if member != place), place]
        self._repeats.tell(row)

    def _best(self, members: Sequence[int], count: int) -> list[int]:
        """Returns the `count` fittest of `members`, fittest first, relative to `members` alone."""
        fitness = self._fitness_of([self.history[place] for place in members])
        return [members[i] for i in np.argsort(-fitness, kind="stable")[:count]]

    def _select(self) -> None:
        if len(self._alive) > self.population:
            rest = self._alive[1:]
            stay = set(self._best(rest, self.population))
            self._alive = [place for place in rest if place in stay]

    def _breed(self) -> None:
        size = min(self.sample, len(self._alive))
        drawn = self.rng.choice(len(self._alive), size=size, replace=False)
        winners = self._best([self._alive[i] for i in drawn], 2)
        parents = [self.history[place]["arch"] for place in winners]
        for parent in parents:
            self._children.append(draw((self._neighbors(parent), None), self.rng) or parent)
        self._children.append(crossover(self._decisions, parents[0], parents[-1], self.rng))
