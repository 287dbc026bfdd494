"""Pareto local search: neighbours of what no other arch beats, for several objectives at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.rows import GIVEN, Row
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.searchers.hypervolume import improvements
from nas_ray.searchers.pareto import column_of, crowding_distances, first_front, objective_values
from nas_ray.searchers.sampling import sample_new
from nas_ray.searchers.several import SeveralObjectives
from nas_ray.spaces.needs import neighborhood
from nas_ray.terminal.ranges import SOME, Range

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

MOST_COMPARED = 50
"""Neighbours whose promise is computed where there are more than two objectives, which is slow."""
_SHARE, _WEIGHT = Range(0.0, 1.0), Range(0.0, 1e6)


class ParetoLocalSearch(SeveralObjectives):
    """Evaluates neighbours of the front so far, one at a time, and no arch twice.

    The first `start` archs are random. Then a member of the front is drawn with a chance in proportion to its
    crowding distance, so where the front has gaps, and a new neighbour of it is evaluated; the ends of the
    front, which have no distance, count `ends` times the largest one.

    Where some objectives are known before an arch is evaluated (`know`), as latencies from a table are, the
    neighbour of any member is taken that promises most instead: it gets its known objectives, and of the
    others the mean of those archs evaluated that it is a neighbour of, plus `optimism` of the range that was
    seen. Its promise is by how much the hypervolume would grow. `ahead=false` leaves this out.

    With several evaluations in flight neighbours are of the front of what has arrived.

    Source: Paquete, Chiarandini and Stuetzle, "Pareto Local Optimum Sets in the Biobjective Traveling
    Salesman
    Problem: An Experimental Study", 2004; Dubois-Lacoste, Lopez-Ibanez and Stuetzle, "Anytime Pareto Local
    Search", EJOR 2015, for the choice by the gaps of the front, one neighbour after the other.
    Differs: members are drawn and not taken in turn, by crowding distance (Deb et al., 2002), which takes any
    number of objectives; what is known beforehand is not in the papers.

    Args:
        space: see `ArchSearcher`; with neighbours.
        fitness: see `SeveralObjectives`.
        seed: see `ArchSearcher`.
        objectives: see `SeveralObjectives`.
        start: random archs at the beginning.
        ends: weight of the ends of the front, in largest distances.
        ahead: whether objectives that are known beforehand choose among neighbours.
        optimism: what a neighbour is thought to be better than the archs around it, as a share of the range.

    Raises:
        UsageError: archs of the space have no neighbours, or a number is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        objectives: Sequence[Fitness] | str | None = None,
        start: int = 20,
        ends: float = 4.0,
        ahead: bool = True,
        optimism: float = 0.02,
    ) -> None:
        SOME.check("start of pareto_local_search", start)
        _WEIGHT.check("ends of pareto_local_search", ends)
        _SHARE.check("optimism of pareto_local_search", optimism)
        super().__init__(space, fitness=fitness, seed=seed, objectives=objectives)
        self._neighbors = neighborhood(space, "pareto_local_search", self.rng)
        self.start, self.ends, self.ahead, self.optimism = start, ends, ahead, optimism
        self._proposed: set[str] = set()
        self._to_draw = start
        self._front: list[int] = []  # places in history
        self._values: list[np.ndarray] = []  # objectives of each row of the history
        self._around: dict[int, list[str]] = {}  # place in history -> its neighbours
        self._near: dict[str, list[int]] = {}  # arch -> places of what it is a neighbour of
        self._looked_up: dict[str, np.ndarray] = {}  # arch -> what is known of it beforehand

    def ask(self) -> str:
        """Returns a new random arch at the beginning, then a new neighbour of the front.

        Raises:
            StopIteration: every arch was proposed.
        """
        arch = None
        if not self._to_draw and self._front:
            arch = self._promising() if self.ahead and self._known else next(self._drawn(), None)
        arch = sample_new(self.space, self._proposed, self.rng) if arch is None else arch
        if arch is None:
            raise StopIteration
        self._to_draw = max(0, self._to_draw - 1)
        self._proposed.add(arch)
        return arch

    def tell(self, arch: str, row: Row) -> None:
        """Takes the arch into the front if none there beats it."""
        if row.get(GIVEN):
            self._to_draw = max(0, self._to_draw - 1)
            self._proposed.add(arch)
        place = self.position(arch)
        if place not in self._around:
            self._around[place] = self._neighbors(arch)
            for neighbor in self._around[place]:
                self._near.setdefault(neighbor, []).append(place)
        relative = any(getattr(objective, "relative", True) for objective in self.objectives)
        self._values = [] if relative else self._values
        fresh = self.history[len(self._values) :]
        self._values += list(objective_values(fresh, self.objectives)) if fresh else []
        among = list(range(len(self.history))) if relative else list(dict.fromkeys([*self._front, place]))
        self._front = [among[at] for at in first_front(self._of(among))]

    def _of(self, places: Sequence[int]) -> np.ndarray:
        """Returns `[places, objectives]` of rows of the history."""
        return np.array([self._values[place] for place in places])

    @property
    def _known(self) -> list[int]:
        """Which objectives are known of an arch before it is evaluated."""
        columns = set(self.costs(str(self.history[0]["arch"]))) if self.costs and self.history else set()
        return [at for at, objective in enumerate(self.objectives) if column_of(objective) in columns]

    def _beforehand(self, archs: Sequence[str], known: Sequence[int]) -> np.ndarray:
        """Returns `[archs, known]`, the objectives that are known of archs without evaluating them."""
        assert self.costs is not None
        if fresh := [arch for arch in archs if arch not in self._looked_up]:
            rows = [self.costs(arch) for arch in fresh]
            columns = np.column_stack([self.objectives[at](rows) for at in known])
            self._looked_up.update(zip(fresh, columns, strict=True))
        return np.array([self._looked_up[arch] for arch in archs])

    def _drawn(self) -> Iterator[str]:
        """Yields a new neighbour of a member that was drawn by its crowding distance, if one has any."""
        weights = self._weights()
        left = list(range(len(self._front)))
        while left:
            chances = weights[left] / weights[left].sum() if weights[left].sum() else None
            at = left[int(self.rng.choice(len(left), p=chances))]
            new = self._new(at)
            if new:
                yield new[int(self.rng.integers(len(new)))]
            left.remove(at)

    def _weights(self) -> np.ndarray:
        """Returns `[members]`, the crowding distance of each member of the front, and that of its ends."""
        distances = crowding_distances(self._of(self._front))
        inner = distances[np.isfinite(distances)]
        most = float(inner.max()) if len(inner) and inner.max() > 0 else 1.0
        return np.where(np.isfinite(distances), distances, self.ends * most)

    def _new(self, at: int) -> list[str]:
        """Returns the neighbours of a member that were not proposed."""
        return [arch for arch in self._around[self._front[at]] if arch not in self._proposed]

    def _promising(self) -> str | None:
        """Returns the new neighbour of the front by which the hypervolume is thought to grow most."""
        new = list(dict.fromkeys(arch for at in range(len(self._front)) for arch in self._new(at)))
        if len(self.objectives) > 2 and len(new) > MOST_COMPARED:
            new = [new[at] for at in self.rng.choice(len(new), MOST_COMPARED, replace=False)]
        if not new:
            return None
        values = np.array(self._values)
        finite = np.isfinite(values).all(axis=1)
        low, high = values[finite].min(axis=0), values[finite].max(axis=0)
        spread = np.where(high > low, high - low, 1.0)
        scaled = np.where(finite[:, None], (values - low) / spread, 0.0)  # what failed is worst
        near = [self._near[arch] for arch in new]
        ends = np.cumsum([len(places) for places in near])
        sums = np.add.reduceat(scaled[np.concatenate(near)], np.append(0, ends[:-1]), axis=0)
        hoped = sums / np.diff(ends, prepend=0)[:, None] + self.optimism
        known = self._known
        hoped[:, known] = (self._beforehand(new, known) - low[known]) / spread[known]
        grown = improvements(scaled[self._front], hoped)
        best = np.flatnonzero(grown >= grown.max() * (1 - 1e-12))
        return new[int(best[self.rng.integers(len(best))])]
