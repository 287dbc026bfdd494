"""Archs whose parts are drawn from ranked parents, each from another, in any space of decisions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import END, SequenceSpace
from nas_ray.spaces.sequences import walked

MAX_TRIES: Final = 100
"""Draws that may make no arch, as in a filtered space, before a random arch takes their place."""

Graph = dict[str, dict[str, int]]
"""By decision, how often others follow it in an arch; `""` is before the first, `END` behind the last."""


Weights = tuple[list[str], list[int]]
"""Decisions, and the sums of their weights up to each."""


def by_rank(count: int, rng: np.random.Generator, least: int = 0) -> int | None:
    """Returns one of `count` places with a chance in proportion to its rank; None where none has a chance.

    Ranks go up by 1 from `least`, that of place 0. So the chances are `r / sum(r)`, and with 0 the first
    place has none.
    """
    sums = _sums(count, least)
    if not sums or not sums[-1]:
        return None
    return bisect_right(sums, rng.random() * sums[-1])


@lru_cache(maxsize=10_000)
def _sums(count: int, least: int) -> list[int]:
    return list(accumulate(range(least, least + count)))


class RankedSequences:
    """The sequences of `space`, each decision of which is drawn from a parent (a `RankedSpace`).

    An arch is a graph whose nodes are its decisions, such as the operations of a cell edge by edge: a text is
    one node wherever it stands, and weights count what follows what. For each decision a parent is drawn by
    its rank, among those in whose graph the decision before it is followed by one that may stand here, and
    then what follows by its weight. Where no parent has a chance, it is drawn uniformly from all that may.

    Args:
        space: sequences, or decisions of a fixed number.
        least: the rank of the worst of these parents: with 0 it has no chance, nor has one that alone has the
            decision before.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, where the
        layers of a net are such a graph; how its authors made graphs of cells is not released.
    """

    def __init__(self, space: SequenceSpace, least: int = 0) -> None:
        self.space = space
        self.least = least
        self._ranked: tuple[str, ...] = ()  # the same for a whole generation, and so is what follows
        self._graphs: list[Graph] = []
        self._able: dict[tuple[str, tuple[str, ...]], list[Weights]] = {}

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        """Returns a child of `ranked`, archs from the worst to the best.

        Args:
            ranked: one or more archs.
            rng: draws.
            uniform: whether all that follows a decision in a parent is equally likely, whatever its weight.
        """
        if self._ranked != tuple(ranked):
            known = dict(zip(self._ranked, self._graphs, strict=True))
            self._graphs = [known.get(arch) or self._graph(arch) for arch in ranked]
            self._ranked, self._able = tuple(ranked), {}

        def choose(prefix: tuple[str, ...], options: tuple[str, ...]) -> str:
            if len(options) == 1:
                return options[0]
            able = self._followers(prefix[-1] if prefix else "", tuple(options))
            place = by_rank(len(able), rng, self.least)
            if place is None:
                return options[int(rng.integers(len(options)))]
            taken, sums = able[place]
            if uniform:
                return taken[int(rng.integers(len(taken)))]
            return taken[bisect_right(sums, rng.random() * sums[-1])]

        for _ in range(MAX_TRIES):
            try:
                return self.space.assemble(walked(self.space, choose))
            except UsageError:  # outside of a filter
                continue
        return self.space.sample(rng)

    def _graph(self, arch: str) -> Graph:
        return graph_of_decisions(self.space.decisions(arch))

    def _followers(self, before: str, options: tuple[str, ...]) -> list[Weights]:
        """Returns for each parent that has any, what of `options` follows `before` in it."""
        if (before, options) not in self._able:
            able: list[Weights] = []
            for graph in self._graphs:
                after = graph.get(before, {})
                weights = {option: after[option] for option in options if option in after}
                if weights:
                    able.append((list(weights), list(accumulate(weights.values()))))
            self._able[before, options] = able
        return self._able[before, options]


def graph_of_decisions(decisions: Sequence[str]) -> Graph:
    """Returns what follows what in a sequence, and how often."""
    graph: Graph = {}
    for before, after in pairwise(("", *decisions, END)):
        following = graph.setdefault(before, {})
        following[after] = following.get(after, 0) + 1
    return graph
