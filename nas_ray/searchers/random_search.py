"""Random search: archs drawn uniformly, none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.rows import Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.sampling import sample_new

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class RandomSearch(ArchSearcher):
    """Draws archs uniformly without replacement until the space is exhausted.

    Source: Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.
    Differs: an arch is not drawn twice, since its scores would be the same.
    """

    def __init__(self, space: SearchSpace, *, fitness: Fitness = UNSAID, seed: int = 0) -> None:
        super().__init__(space, fitness=fitness, seed=seed)
        self._drawn: set[str] = set()

    def ask(self) -> str:
        """Returns an arch not drawn before.

        Raises:
            StopIteration: every arch was drawn.
        """
        arch = sample_new(self.space, self._drawn, self.rng)
        if arch is None:
            raise StopIteration
        self._drawn.add(arch)
        return arch

    def tell(self, arch: str, row: Row) -> None:
        """Remembers what it was given."""
        self._drawn.add(arch)
