"""The front of a whole table, and how much of it a set of archs has: hypervolume ratio and IGD+."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.searchers.hypervolume import MOST_OBJECTIVES, growth, hypervolume
from nas_ray.searchers.pareto import first_front

RULE = (
    "Ratio: the hypervolume of the front that was found as a share of that of the true front. IGD+: how much "
    "the front that was found is worse than a point of the true front, on average over these. Each objective "
    "counts linearly from 0, its worst value in the whole table, to 1, its best; the reference point is the "
    "worst of all objectives."
)


@dataclass(frozen=True)
class TrueFront:
    """What can be had at best: the archs of a table that no other dominates.

    The table fixes the scale: in each objective 0 is the worst value of all archs and 1 the best, linearly.
    So the reference point of the hypervolume is the worst of all objectives, whatever a search has seen.

    Args:
        values: `[archs, objectives]` of all archs of the table, larger is better; an arch without all of
            them, such as one with an undefined score, has no part in it.

    Raises:
        UsageError: no arch has all objectives, or their number is not from 2 to 4.
    """

    values: np.ndarray

    def __post_init__(self) -> None:
        if not 2 <= self.values.shape[1] <= MOST_OBJECTIVES:
            raise UsageError(
                f"A true front needs 2 to {MOST_OBJECTIVES} objectives, got {self.values.shape[1]}; name "
                "others."
            )
        if not np.isfinite(self.values).all(axis=1).any():
            raise UsageError("A true front needs finite values of at least one arch; complete the table.")

    @cached_property
    def places(self) -> np.ndarray:
        """The archs on the front, as rows of `values`, the best in the first objective first.

        Of archs that are equal in all objectives it has the first.
        """
        distinct, first = np.unique(self.values, axis=0, return_index=True)
        return np.asarray(first[first_front(distinct)][::-1])

    @cached_property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """The worst and the best of each objective `[objectives]` over the table."""
        known = self.values[np.isfinite(self.values).all(axis=1)]
        return known.min(axis=0), known.max(axis=0)

    @cached_property
    def hypervolume(self) -> float:
        """The share of the box between the worst and the best of each objective that the front dominates."""
        return hypervolume(self.points)

    @cached_property
    def points(self) -> np.ndarray:
        """The front `[points, objectives]` on the scale."""
        return self.scaled(self.values[self.places])

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Returns `values [n, objectives]` on the scale; an objective that never differs is 1."""
        low, high = self.box
        spread = high - low
        return np.asarray(np.where(spread > 0, (values - low) / np.where(spread > 0, spread, 1.0), 1.0))

    def ratio(self, values: np.ndarray) -> float:
        """Returns the hypervolume of `values [n, objectives]` as a share of that of the true front.

        Source: Zitzler and Thiele, "Multiobjective Evolutionary Algorithms", IEEE TEC 1999.
        """
        return hypervolume(self.scaled(values[first_front(values)])) / self.hypervolume

    def course(self, values: np.ndarray) -> np.ndarray:
        """Returns `[n]`, the ratio of the first of `values [n, objectives]`, of the first two, and so on."""
        return growth(self.scaled(values)) / self.hypervolume

    def igd_plus(self, values: np.ndarray) -> float:
        """Returns how far the points of the true front are from what `values [n, objectives]` dominate.

        The distance of a point to a row counts only the objectives in which the row is worse; each point of
        the front takes the nearest row, and the mean over the points is returned. 0 is the whole front.

        Source: Ishibuchi, Masuda, Tanigaki and Nojima, "Modified Distance Calculation in Generational
        Distance and Inverted Generational Distance", EMO 2015.
        """
        found = self.scaled(values[first_front(values)])
        if not len(found):
            return float("nan")
        lacking = np.maximum(self.points[:, None] - found[None], 0.0)
        return float(np.sqrt((lacking**2).sum(axis=2)).min(axis=1).mean())
