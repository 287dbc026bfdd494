"""Evolution in which a proxy proposes the mutation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_ray.rows import Row
from nas_ray.searchers.area import Area
from nas_ray.searchers.cheap_score import best_first
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.terminal.ranges import SOME, Range

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class Move(Area):
    """REA with zero-cost move: of several mutations of the parent, the best by a proxy is evaluated.

    Archs that were told already are left out while there are others, so that a parent does not give the same
    child again. The first population is random unless `pool` says how many archs to score for it.

    Source: Abdelfattah, Mehrotra, Dudziak and Lane, "Zero-Cost Proxies for Lightweight NAS", ICLR 2021,
    section 5, zero-cost move proposal.
    Differs: known archs are left out.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`.
        proposals: mutations that are scored for each child, drawn without replacement; 0 for all.
        pool: see `Area`.
        options: see `Area`.

    Raises:
        UsageError: no proxy, or a negative number of proposals.
    """

    recombines: ClassVar[bool] = False

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        proposals: int = 0,
        pool: int = 0,
        **options: Any,
    ) -> None:
        Range(0, SOME.most).check("proposals of move", proposals)
        super().__init__(space, fitness=fitness, pool=pool, **options)
        self.proposals = proposals
        self._told: set[str] = set()

    def tell(self, arch: str, row: Row) -> None:
        """Remembers the arch and lets it age."""
        self._told.add(arch)
        super().tell(arch, row)

    def child(self, parent: str) -> str:
        """Returns the best mutation of `parent` by the proxy."""
        archs, chances = self.children(parent)
        new = np.array([arch not in self._told for arch in archs], dtype=bool)
        if new.any():
            archs = [arch for arch, kept in zip(archs, new, strict=True) if kept]
            chances = chances[new] / chances[new].sum() if chances is not None else None
        if self.proposals and len(archs) > self.proposals:
            drawn = self.rng.choice(len(archs), size=self.proposals, replace=False, p=chances)
            archs = [archs[i] for i in drawn]
        return best_first(self.proxy, archs)[0] if archs else self.first()
