"""NASWOT search: the best of N random archs by a zero-cost proxy."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.cheap_score import CheapScore, best_first, cheap_score
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import sample_distinct
from nas_ray.terminal.ranges import SOME

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class NaswotSearch(ArchSearcher):
    """Draws `pool` random archs, scores them with a proxy, and asks for them from the best to the worst.

    The algorithm of the paper trains one arch only: `num_samples=1`. A larger budget evaluates the runners-up
    as well, which is random search warmed up by a proxy. The search ends with the pool.

    Source: Mellor, Turner, Storkey and Crowley, "Neural Architecture Search without Training", ICML 2021,
    algorithm 1; with more evaluations, Abdelfattah, Mehrotra, Dudziak and Lane, "Zero-Cost Proxies for
    Lightweight NAS", ICLR 2021, the warmup of random search.
    Differs: the pool has no arch twice.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        proxy: the score, naswot in the paper: a function of archs or `TABLE:COLUMN`.
        pool: N, archs that are scored.

    Raises:
        UsageError: no proxy, or an empty pool.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        proxy: CheapScore | str | None = None,
        pool: int = 1_000,
    ) -> None:
        SOME.check("pool of naswot_search", pool)
        super().__init__(space, fitness=fitness, seed=seed)
        self.proxy = cheap_score(proxy, "naswot_search")
        self.pool = pool
        self._ranked: deque[str] | None = None

    def ask(self) -> str:
        """Returns the best arch of the pool that was not asked for.

        Raises:
            StopIteration: the pool is empty.
        """
        if self._ranked is None:
            self._ranked = deque(best_first(self.proxy, sample_distinct(self.space, self.pool, self.rng)))
        if not self._ranked:
            raise StopIteration
        return self._ranked.popleft()
