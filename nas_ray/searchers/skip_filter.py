"""REA inside a filter on the number of skip connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.searchers.base import members
from nas_ray.searchers.evolution import RegularizedEvolution
from nas_ray.searchers.fitness import Fitness

if TYPE_CHECKING:
    from torch import nn

    from nas_ray.spaces.base import SearchSpace

SKIP = "skip_connect"
MAX_REJECTIONS = 10_000


@dataclass(frozen=True)
class SkipCount:
    """Accepts archs whose cell has between `minimum` and `maximum` operations `skip_connect`, both included.

    Raises:
        UsageError: the bounds are negative or in the wrong order.
    """

    minimum: int = 0
    maximum: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum:
            raise UsageError(
                f"The skip filter needs 0 <= min-skips <= max-skips, got min-skips={self.minimum} and "
                f"max-skips={self.maximum}."
            )

    def __call__(self, arch: str) -> bool:
        """Returns whether `arch` passes."""
        return self.minimum <= arch.count(SKIP) <= self.maximum


class FilteredSpace:
    """The archs of `space` that `accept`: sampling and neighbours stay inside, so no searcher can leave it.

    Sampling rejects, at most a fixed number of times, and then draws from the enumerated members, so it
    always ends.

    Raises:
        UsageError: nothing passes the filter.
    """

    def __init__(self, space: SearchSpace, accept: Callable[[str], bool]) -> None:
        self.space = space
        self.accept = accept
        self._members: list[str] | None = None
        self.sample(np.random.default_rng(0))

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a member drawn uniformly."""
        if self._members is None:
            for _ in range(MAX_REJECTIONS):
                arch = self.space.sample(rng)
                if self.accept(arch):
                    return arch
            self._members = list(self)
        if not self._members:
            raise UsageError(f"No arch of the space passes {self.accept}; widen the filter.")
        return self._members[int(rng.integers(len(self._members)))]

    def neighbors(self, arch: str) -> list[str]:
        """Returns the neighbours of `arch` that are members; may be empty."""
        return [neighbor for neighbor in self.space.neighbors(arch) if self.accept(neighbor)]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns the net of `arch`."""
        return self.space.build(arch, num_classes)

    def __iter__(self) -> Iterator[str]:
        return (arch for arch in members(self.space) if self.accept(arch))


class SkipRea(RegularizedEvolution):
    """REA that generates and mutates only archs with `min_skips` to `max_skips` skip connections.

    A parent without a neighbour inside the filter is replaced by a fresh random member, so the search always
    goes on.

    Source: the filter as described by the course project "How Powerful are Skip Connections in Neural
    Architecture Search without Training" (2022): 0 or 1 `skip_connect` at random generation and at mutation.
    Differs: its code for NASWOT repeats a mutation until the child has exactly one skip, which never ends for
    a parent with three or more; here the child is drawn uniformly from the neighbours that pass.

    Args:
        space: see `ArchSearcher`.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        population: see `RegularizedEvolution`.
        sample: see `RegularizedEvolution`.
        min_skips: fewest skip connections allowed.
        max_skips: most skip connections allowed.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness,
        seed: int = 0,
        population: int = 50,
        sample: int = 10,
        min_skips: int = 0,
        max_skips: int = 1,
    ) -> None:
        inside = FilteredSpace(space, SkipCount(min_skips, max_skips))
        super().__init__(inside, fitness=fitness, seed=seed, population=population, sample=sample)
