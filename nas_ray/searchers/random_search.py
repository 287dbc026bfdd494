"""Random search: archs drawn uniformly, none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_ray.searchers.base import ArchSearcher, members
from nas_ray.searchers.fitness import Fitness

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

MAX_REJECTIONS = 1_000


class RandomSearch(ArchSearcher):
    """Draws archs uniformly without replacement until the space is exhausted.

    Source: Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.
    Differs: an arch is not drawn twice, since its scores would be the same.
    """

    def __init__(self, space: SearchSpace, *, fitness: Fitness, seed: int = 0) -> None:
        super().__init__(space, fitness=fitness, seed=seed)
        self._drawn: set[str] = set()

    def ask(self) -> str:
        """Returns an arch not drawn before.

        Raises:
            StopIteration: every arch was drawn.
        """
        for _ in range(MAX_REJECTIONS):
            arch = self.space.sample(self.rng)
            if arch not in self._drawn:
                break
        else:
            arch = self._draw_from_rest()
        self._drawn.add(arch)
        return arch

    def _draw_from_rest(self) -> str:
        """Returns a draw from the list of what is left, once that is too little to be hit by chance."""
        rest = [arch for arch in members(self.space) if arch not in self._drawn]
        if not rest:
            raise StopIteration
        return rest[int(self.rng.integers(len(rest)))]
