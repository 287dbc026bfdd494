"""Weighted random search: what matters changes more often, the rest stays as it was best."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.rows import Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.recipes.coordinates import Coordinates, cells
from nas_ray.searchers.recipes.fanova import TREES, main_effects
from nas_ray.searchers.recipes.new_points import Proposed
from nas_ray.searchers.sampling import Repeats
from nas_ray.terminal.ranges import Range

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

INITIAL, FOREST = Range(1, 10**6), Range(1, 10_000)
FEWEST = 4
"""Points that succeeded, below which nothing is said about importance."""


class Wrs(ArchSearcher):
    """Random points, then the best one with new values: the more a coordinate matters, the oftener.

    After `initial` points the importance w of each coordinate is computed from them (`main_effects`), and
    with the largest w_1 its probability of change p = w / w_1. For each further point one u is drawn
    uniformly from [0, 1): all coordinates with p >= u get a new random value, the others keep that of the
    best point so far. So the sets of what changes are nested, and the most important coordinate always
    changes. Without any importance all change, as in random search.

    Source: Florea and Andonie, "Weighted Random Search for Hyperparameter Optimization", International
    Journal of Computers, Communications and Control 14(2), 2019; Hutter et al., ICML 2014, for importance.
    Differs: the number of random points is given, where the paper takes N / e of N points in all. The paper
    also draws a coordinate anew that had fewer values than a required number, which `initial` random points
    exceed. A point is not proposed twice.

    Args:
        space: see `ArchSearcher`; of settings, of archs with decisions, or both.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        initial: random points; of N in all the paper takes N / e, so 18 of 50.
        trees: of the forest that says what matters.

    Raises:
        UsageError: a number out of its range, or a space without coordinates.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        initial: int = 20,
        trees: int = TREES,
    ) -> None:
        INITIAL.check("The option initial", initial)
        FOREST.check("The option trees", trees)
        super().__init__(space, fitness=fitness, seed=seed)
        self._initial, self._trees = initial, trees
        self._coordinates = Coordinates(space, "wrs")
        self._proposed = Proposed(space)
        self._chances: np.ndarray | None = None
        self._repeats = Repeats()

    @property
    def chances(self) -> dict[str, float] | None:
        """By coordinate, its probability of change; None during the random points."""
        return (
            None if self._chances is None else dict(zip(self._coordinates.names, self._chances, strict=True))
        )

    def ask(self) -> str:
        """Returns the next point.

        Raises:
            StopIteration: there is no new one.
        """
        self._repeats.check()
        if self._chances is None:
            return self._proposed.new(lambda: self.space.sample(self.rng), self.rng)
        fitness = self.fitness_of(range(len(self.history)))
        best = self._coordinates.split(self.history[int(np.argmax(fitness))]["arch"])
        return self._proposed.new(partial(self._changed, best, self._chances), self.rng)

    def tell(self, arch: str, row: Row) -> None:
        """Computes what matters when enough points have arrived."""
        self._proposed.keep(arch)
        self._repeats.tell(row)
        if self._chances is None and len(self.history) >= self._initial:
            self._chances = self._chances_of_change()

    def _chances_of_change(self) -> np.ndarray | None:
        """Returns `[coordinates]` probabilities; None where too few points succeeded."""
        fitness = self.fitness_of(range(len(self.history)))
        finite = np.flatnonzero(np.isfinite(fitness))
        if len(finite) < FEWEST:
            return None
        points = [self._coordinates.split(self.history[place]["arch"]) for place in finite]
        shares = main_effects(
            cells(self._coordinates.kinds, points), fitness[finite], trees=self._trees, seed=self.seed % 2**32
        )
        return shares / shares.max() if shares.max() > 0 else np.ones_like(shares)

    def _changed(self, best: Mapping[str, str], chances: np.ndarray) -> str | None:
        """Returns the best point with new values for some coordinates; None where it is no point."""
        u = self.rng.random()
        kinds = self._coordinates.kinds.items()
        values = {
            name: best[name] if chance < u and name in best else kind.sample(self.rng)
            for chance, (name, kind) in zip(chances, kinds, strict=True)
        }
        return self._coordinates.join(values, lambda setting: setting.sample(self.rng))
