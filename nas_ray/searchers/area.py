"""Evolution that starts from the best of a pool by a proxy: AREA and zero-cost warmup."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from nas_ray.errors import UsageError
from nas_ray.searchers.cheap_score import CheapScore, best_first, cheap_score
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import sample_distinct
from nas_ray.terminal.ranges import SOME, Range

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class Area(RegularizedEvolution):
    """REA whose first population is the best of `pool` random archs by a proxy.

    The rest is `RegularizedEvolution`. In a space with fewer archs than the population the first population
    is filled up with random archs.

    Source: Mellor, Turner, Storkey and Crowley, "Neural Architecture Search without Training", ICML 2021,
    assisted regularised evolution.
    Differs: the pool has no arch twice; population and tournament have the defaults of
    `RegularizedEvolution`.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        proxy: the score: a function of archs or `TABLE:COLUMN`.
        pool: archs that are scored for the first population; 0 for a random first population.
        options: population, sample, mutation, replacement and ageing of `RegularizedEvolution`.

    Raises:
        UsageError: no proxy, or a pool smaller than the population.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        proxy: CheapScore | str | None = None,
        pool: int = 1_000,
        **options: Any,
    ) -> None:
        Range(0, SOME.most).check("pool", pool)
        super().__init__(space, fitness=fitness, seed=seed, **options)
        self.proxy = cheap_score(proxy, type(self).__name__.lower())
        if pool and pool < self.population:
            raise UsageError(
                f"pool must be at least the population of {self.population}, got {pool}; score more archs."
            )
        self.pool = pool
        self._ranked: deque[str] | None = None

    def first(self) -> str:
        """Returns the best arch of the pool that was not taken, a random one once the population is full."""
        if self._ranked is None:
            ranked = best_first(self.proxy, sample_distinct(self.space, self.pool, self.rng))
            self._ranked = deque(ranked[: self.population])
        return self._ranked.popleft() if self._ranked else super().first()


class Warmup(Area):
    """REA with zero-cost warmup: its first population is the best of a large pool by a proxy.

    The same algorithm as `Area`, with a larger pool; `NaswotSearch` is the warmup of
    random search.

    Source: Abdelfattah, Mehrotra, Dudziak and Lane, "Zero-Cost Proxies for Lightweight NAS", ICLR 2021,
    section 5, zero-cost warmup.
    Differs: as `Area`.
    """

    def __init__(
        self, space: SearchSpace, *, fitness: Fitness = UNSAID, pool: int = 3_000, **options: Any
    ) -> None:
        super().__init__(space, fitness=fitness, pool=pool, **options)
