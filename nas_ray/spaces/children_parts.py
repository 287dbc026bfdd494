"""What filtered spaces and products say of children: parts of `filtered_parts.py` and `product_parts.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nas_ray.spaces.about_children import RankedSpace, RecombiningSpace
from nas_ray.spaces.by_rank import MAX_TRIES, by_rank
from nas_ray.spaces.conditional import Setting
from nas_ray.spaces.dependence import completed
from nas_ray.spaces.settings import arch_of, point_of, settings_of


class _Inside:
    accept: Callable[[str], bool]
    sample: Callable[[np.random.Generator], str]

    def _inside(self, draw: Callable[[], str], rng: np.random.Generator) -> str:
        """Returns what `draw` returns if it is a member, a random member where many are none."""
        for _ in range(MAX_TRIES):
            if self.accept(arch := draw()):
                return arch
        return self.sample(rng)


class FilteredChildren(_Inside):
    """Children of two parents that are members."""

    space: RecombiningSpace

    def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
        """Returns a child of `parents` that is a member, a random member where many are none."""
        return self._inside(lambda: self.space.sample_from(parents, rng), rng)


class FilteredRanked(_Inside):
    """Children of ranked parents that are members."""

    space: RankedSpace

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        """Returns a child of `ranked` that is a member, a random member where many are none."""
        return self._inside(lambda: self.space.drawn_from(ranked, rng, uniform=uniform), rng)


class _Settings:
    settings: Mapping[str, Setting]

    def _beside(
        self, child: str, parents: Sequence[str], which: Callable[[int], int], rng: np.random.Generator
    ) -> str:
        """Returns the point of an arch and the settings of its parents, of which one may move.

        Args:
            child: the arch.
            parents: points, of which some may lack a setting.
            which: returns which of so many values is taken.
            rng: draws.
        """
        given = [settings_of(parent) for parent in parents]
        taken: dict[str, str] = {}
        for name in self.settings:
            having = [values[name] for values in given if name in values]
            taken |= {name: having[which(len(having))]} if having else {}
        moved = [*self.settings, None][int(rng.integers(len(self.settings) + 1))]
        if moved in taken and (near := self.settings[moved].neighbors(taken[moved])):
            taken[moved] = near[int(rng.integers(len(near)))]
        return point_of(child, completed(self.settings, taken, lambda setting: setting.sample(rng)))


class ProductChildren(_Settings):
    """Children of parents, with settings."""

    space: RecombiningSpace

    def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
        """Returns a child of the archs of `parents`, each of its settings from one of them.

        One setting, or none, with equal chances for all of these, then moves to one of its neighbours.
        """
        child = self.space.sample_from([arch_of(parent) for parent in parents], rng)
        return self._beside(child, parents, lambda count: int(rng.integers(count)), rng)


class ProductRanked(_Settings):
    """Children of ranked parents, with settings."""

    space: RankedSpace

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        """Returns a child of the archs of `ranked`, each of its settings from one of them by its rank.

        One setting, or none, with equal chances for all of these, then moves to one of its neighbours.
        """
        child = self.space.drawn_from([arch_of(parent) for parent in ranked], rng, uniform=uniform)
        return self._beside(child, ranked, lambda count: by_rank(count, rng, least=1) or 0, rng)
