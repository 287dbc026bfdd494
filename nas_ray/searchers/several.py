"""What searchers share that maximise several things at once."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_ray.rows import Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness, Single, Unsaid
from nas_ray.searchers.pareto import Negated, pareto_front, parse_objectives

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class SeveralObjectives(ArchSearcher, ABC):
    """A searcher with objectives, each a function of rows.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`; only the final table uses it if `objectives` are given, of which it is
            the first unless it is given as well.
        seed: see `ArchSearcher`.
        objectives: what is maximised, as functions of rows or as text such as `naswot,-flops`; None means
            every score of `fitness`.

    Raises:
        UsageError: an objective without a name, or named twice.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        objectives: Sequence[Fitness] | str | None = None,
    ) -> None:
        self._given = parse_objectives(objectives) if isinstance(objectives, str) else objectives
        if self._given and isinstance(fitness, Unsaid):
            fitness = self._given[0]
        super().__init__(space, fitness=fitness, seed=seed)

    @property
    def objectives(self) -> Sequence[Fitness]:  # type: ignore[override]  # follows the fitness
        """What is maximised."""
        return _scores_of(self.fitness) if self._given is None else list(self._given)

    def front(self) -> list[Row]:
        """Returns the rows of everything evaluated that no other row dominates."""
        return pareto_front(self.history, self.objectives)


def _scores_of(fitness: Fitness) -> list[Fitness]:
    names: Sequence[str] = () if isinstance(fitness, Negated) else getattr(fitness, "names", ())
    return [Single((name,)) for name in names] or [fitness]
