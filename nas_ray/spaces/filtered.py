"""A space that keeps only the archs that pass a filter, for any searcher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.needs import cell_space, decision_space, members

if TYPE_CHECKING:
    from torch import nn

    from nas_ray.spaces.base import SearchSpace

MAX_REJECTIONS = 10_000


class FilteredSpace:
    """The archs of `space` that `accept`: sampling and neighbours stay inside, so no searcher can leave it.

    Sampling rejects, at most a fixed number of times, and then draws from the enumerated members, so it
    always ends. Decisions are those of `space`; decisions that make an arch outside make none.

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

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of every decision of the space.

        Raises:
            UsageError: the space has no decisions.
        """
        return decision_space(self.space, "A filtered space with decisions").choices()

    def decisions(self, arch: str) -> tuple[str, ...]:
        """Returns the decisions of `arch`."""
        return decision_space(self.space, "A filtered space with decisions").decisions(arch)

    def assemble(self, decisions: Sequence[str]) -> str:
        """Returns the member that `decisions` make.

        Raises:
            UsageError: they make no member.
        """
        arch = decision_space(self.space, "A filtered space with decisions").assemble(decisions)
        if not self.accept(arch):
            raise UsageError(f"The arch must pass {self.accept}, got {arch}; decide otherwise.")
        return arch

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Returns the groups of the cell.

        Raises:
            UsageError: the space is no cell space.
        """
        return cell_space(self.space, "A filtered space with cells").groups()

    def __iter__(self) -> Iterator[str]:
        return (arch for arch in members(self.space) if self.accept(arch))
