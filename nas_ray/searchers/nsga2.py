"""NSGA-II: evolution towards several objectives at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.evolution import LARGEST
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.pareto import crowding_distances, fronts, objective_values
from nas_ray.searchers.sampling import Repeats, sample_new
from nas_ray.searchers.several import SeveralObjectives
from nas_ray.searchers.variation import crossover, mutate_each
from nas_ray.spaces.needs import decision_space

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class Nsga2(SeveralObjectives):
    """Evolution that keeps the best fronts of parents and children, and of the last one its least crowded.

    The first `population` archs are random and different. A child has two parents, each the winner of a
    tournament of two by front and then by crowding distance; with chance `crossover` it takes each decision
    from either, else it is the first parent; then each decision changes with chance 1 / number of decisions.
    After `population` children have been told, the best `population` of parents and children are the next
    parents.

    With several evaluations in flight children come from the parents at hand until enough were told.

    Source: Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
    NSGA-II", IEEE TEC 2002, section III.
    Differs: decisions are categorical, so crossover is uniform and a mutation takes another option, with the
    paper's chances. An arch is in the population once.

    Args:
        space: see `ArchSearcher`; a `DecisionSpace`.
        fitness: see `ArchSearcher`; only the final table uses it if `objectives` are given, of which it is
            the first unless it is given as well.
        seed: see `ArchSearcher`.
        objectives: what is maximised, as functions of rows or as text such as `naswot,-flops`; None means
            every score of `fitness`.
        population: N, number of parents and of children.
        crossover: chance of a crossover.

    Raises:
        UsageError: the space has no decisions, or a number is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        objectives: Sequence[Fitness] | str | None = None,
        population: int = 50,
        crossover: float = 0.9,
    ) -> None:
        if not 1 <= population <= LARGEST or not 0 <= crossover <= 1:
            raise UsageError(
                f"nsga2 needs a population from 1 to {LARGEST} and a crossover from 0 to 1, got "
                f"population={population} and crossover={crossover}."
            )
        super().__init__(space, fitness=fitness, seed=seed, objectives=objectives)
        self.population = population
        self.crossover = crossover
        self._decisions = decision_space(space, "nsga2")
        self._first: set[str] = set()
        self._parents: dict[int, tuple[int, float]] = {}  # place in history -> front and minus crowding
        self._arrived: list[int] = []
        self._to_draw = population
        self._repeats = Repeats()

    def ask(self) -> str | None:
        """Returns a new random arch while the first population is drawn, then a child.

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
        if not self._parents and not self._arrived:
            return None
        self._repeats.check()
        if not self._parents or len(self._arrived) >= self.population:
            self._select()
        return self._child()

    def tell(self, arch: str, row: Row) -> None:
        """Adds the arch to the children."""
        if row.get(GIVEN):  # a member of the first population
            self._to_draw = max(0, self._to_draw - 1)
            self._first.add(arch)
        self._arrived.append(self.position(arch))
        self._repeats.tell(row)

    def _select(self) -> None:
        """Makes the best of parents and children the next parents, with their fronts and distances."""
        places = list(dict.fromkeys([*self._parents, *self._arrived]))
        values = objective_values(self.history, self.objectives)[places]
        self._parents, self._arrived = {}, []
        for rank, front in enumerate(fronts(values)):
            distances = crowding_distances(values[front])
            for i in np.argsort(-distances, kind="stable")[: self.population - len(self._parents)]:
                self._parents[places[front[i]]] = (rank, -float(distances[i]))

    def _child(self) -> str:
        first, second = self._winner(), self._winner()
        child = first
        if self.rng.random() < self.crossover:
            child = crossover(self._decisions, first, second, self.rng)
        return mutate_each(self._decisions, child, 1 / len(self._decisions.choices()), self.rng)

    def _winner(self) -> str:
        """Returns the better of two random parents, the first drawn among equals."""
        parents = list(self._parents)
        one, other = (parents[i] for i in self.rng.integers(len(parents), size=2))
        place = min((one, other), key=self._parents.__getitem__)
        return str(self.history[place]["arch"])
