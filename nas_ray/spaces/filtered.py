"""A space that keeps only the archs that pass a filter, for any searcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.filtered_parts import FILTERED
from nas_ray.spaces.needs import members
from nas_ray.spaces.wrapping import Wrapping

if TYPE_CHECKING:
    from torch import nn

    from nas_ray.spaces.base import SearchSpace

MAX_REJECTIONS = 10_000


class FilteredSpace(Wrapping):
    """The archs of `space` that `accept`: sampling and neighbours stay inside, so no searcher can leave it.

    Sampling rejects, at most a fixed number of times, and then draws from the enumerated members, so it
    always ends. Decisions are those of `space`; decisions that make an arch outside make none. It can be
    asked what `space` can be asked, and nothing else (`filtered_parts.py`).

    Raises:
        UsageError: nothing passes the filter.
    """

    PARTS: ClassVar[Mapping[type, type]] = MappingProxyType(FILTERED)

    def __init__(self, space: SearchSpace, accept: Callable[[str], bool]) -> None:
        self.space = space
        self.accept = accept
        self._members: list[str] | None = None  # once rejecting has failed
        self._listed: list[str] | None = None
        self.sample(np.random.default_rng(0))

    def sample(self, rng: np.random.Generator) -> str:
        """Returns a member, drawn as `space` draws: uniformly where that does."""
        if self._members is None:
            for _ in range(MAX_REJECTIONS):
                arch = self.space.sample(rng)
                if self.accept(arch):
                    return arch
            self._members = self.listed()
        if not self._members:
            raise UsageError(f"No arch of the space passes {self.accept}; widen the filter.")
        return self._members[int(rng.integers(len(self._members)))]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns the net of `arch`."""
        return self.space.build(arch, num_classes)

    def over(self, space: SearchSpace) -> FilteredSpace:
        """Returns the same filter on another space of these archs."""
        return FilteredSpace(space, self.accept)

    def listed(self) -> list[str]:
        """Returns the members in the order of `space`, which are looked for once; none if it has no list."""
        if self._listed is None:
            self._listed = [arch for arch in members(self.space) if self.accept(arch)]
        return self._listed
