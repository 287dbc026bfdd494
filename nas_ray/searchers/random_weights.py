"""Several objectives for any searcher of one: a scalar fitness whose weights are drawn again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.searchers.around import Around
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.pareto import column_of, objective_values, objectives_of
from nas_ray.searchers.several import SeveralObjectives
from nas_ray.terminal.ranges import SOME, Range

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

_RHO = Range(0.0, 1.0)


class Chebyshev:
    """The augmented weighted Chebyshev scalarisation of several objectives, as a fitness.

    Each objective counts from 0, the worst of the rows, to 1, the best. A row has minus the largest weighted
    distance from the best in everything, minus `rho` times the sum of the weighted distances.

    Source: Steuer and Choo, "An Interactive Weighted Tchebycheff Procedure for Multiple Objective
    Programming", 1983; Knowles, "ParEGO", IEEE TEC 2006, section III A, equation 2, with rho .05.

    Args:
        objectives: functions of rows, larger is better.
        rho: of the sum.

    Attributes:
        weights: `[objectives]`, which sum to 1.
    """

    relative: ClassVar[bool] = True

    def __init__(self, objectives: Sequence[Fitness], rho: float) -> None:
        self.objectives, self.rho = list(objectives), rho
        self.weights = np.full(len(self.objectives), 1 / len(self.objectives))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return tuple(name for name in map(column_of, self.objectives) if name)

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns `[rows]`, -inf for a row without all objectives."""
        values = objective_values(rows, self.objectives) if len(rows) else np.empty((0, len(self.objectives)))
        known = np.isfinite(values).all(axis=1)
        fitness = np.full(len(values), -np.inf)
        if known.any():
            low, high = values[known].min(axis=0), values[known].max(axis=0)
            far = self.weights * (high - values[known]) / np.where(high > low, high - low, 1.0)
            fitness[known] = -far.max(axis=1) - self.rho * far.sum(axis=1)
        return fitness

    def __str__(self) -> str:
        return f"chebyshev of {', '.join(map(str, self.objectives))}"


class RandomWeights(SeveralObjectives, Around):
    """Any searcher that maximises one fitness, towards a front: it goes another way after every few archs.

    The searcher inside maximises an augmented Chebyshev scalarisation (`Chebyshev`), whose weights are drawn
    uniformly from those that sum to 1 before every `every` of its asks. So a tournament of `rea`, say, is won
    by what is best for the weights of the moment.

    Source: Ishibuchi and Murata, "A Multi-Objective Genetic Local Search Algorithm and Its Application to
    Flowshop Scheduling", IEEE SMC 1998, for weights that are drawn for each parent; Knowles, "ParEGO", IEEE
    TEC 2006, for the scalarisation.
    Differs: ParEGO draws from a grid of weights, here they are uniform (Dirichlet of ones).

    Args:
        space: see `ArchSearcher`.
        fitness: see `SeveralObjectives`.
        seed: see `ArchSearcher`.
        objectives: see `SeveralObjectives`.
        of: the searcher inside, by its name.
        options: its options, joined by a plus sign, such as `population=20+sample=5`.
        every: asks for which weights stay.
        rho: of the scalarisation.

    Raises:
        UsageError: no such searcher, one that has objectives itself, or a number out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        objectives: Sequence[Fitness] | str | None = None,
        of: str = "rea",
        options: str = "",
        every: int = 1,
        rho: float = 0.05,
    ) -> None:
        from nas_ray.searchers.named import make_searcher  # which knows this searcher as well

        SOME.check("every of random_weights", every)
        _RHO.check("rho of random_weights", rho)
        super().__init__(space, fitness=fitness, seed=seed, objectives=objectives)
        self.rng = np.random.default_rng([seed, 1])  # the searcher inside draws from the seed alone
        self.every, self.rho = every, rho
        self.scalar = Chebyshev(self.objectives, rho)
        texts = [text for text in options.split("+") if text]
        self.inner = make_searcher(of, space, texts=texts, fitness=self.scalar, seed=seed)
        if isinstance(self.inner, SeveralObjectives) or objectives_of(self.inner.objectives):
            raise UsageError(f"random_weights needs a searcher of one fitness, got {of}; use it by itself.")
        self.inner._in_flight = self._in_flight
        self._surroundings = self.inner._surroundings  # it may be foreign
        self._left = 0

    def maximise(self, fitness: Fitness) -> None:
        """Takes what is maximised; without objectives of its own these follow."""
        super().maximise(fitness)
        if hasattr(self, "scalar"):
            self.scalar.objectives = list(self.objectives)
            self.scalar.weights = np.full(len(self.scalar.objectives), 1 / len(self.scalar.objectives))
            self._surroundings = self.inner._surroundings

    def ask(self) -> str | None:
        """Returns the next arch of the searcher inside.

        Raises:
            StopIteration: it has none.
        """
        before = self.rng.bit_generator.state, self._left, self.scalar.weights
        if not self._left:
            self.scalar.weights = self.rng.dirichlet(np.ones(len(self.scalar.objectives)))
            self._left = self.every
        self._left -= 1
        arch = self.inner.ask()
        if arch is None:  # it waits, and then nothing may have changed
            self.rng.bit_generator.state, self._left, self.scalar.weights = before
        return self._asked_for(arch)

    def tell(self, arch: str, row: Row) -> None:
        """Tells the searcher inside."""
        self._hear(arch, row)
