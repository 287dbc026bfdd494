"""Random search from two fixed points, nearer to the better one: autoNet's "weighted random" search."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.errors import UsageError, unknown_name
from nas_ray.rows import Row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import UNSAID, Fitness, is_accuracy
from nas_ray.searchers.recipes.coordinates import Coordinates
from nas_ray.searchers.recipes.new_points import Proposed
from nas_ray.searchers.recipes.released import FIRST_SHARES, Scales, drawn_between
from nas_ray.searchers.sampling import Repeats
from nas_ray.spaces.setting_values import is_number

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace

FORMS = ("described", "released")
THIRDS = (1 / 3, 2 / 3)
TRIES = 1_000
"""Draws of a point until it is nearer to the one that was chosen."""


class WrsTwoPoint(ArchSearcher):
    """Two points that cut the diagonal in three, then random ones, rather nearer to the better one.

    Each setting is a side of a cube, on its scale; a choice counts in the order of its values. After the two
    points on the diagonal, x1 and x2 are the best two of all, v1 and v2 their losses: with probability
    v2 / (v1 + v2) the next point is drawn uniformly from what is nearer to x1, else from what is nearer to
    x2. Until two points are known it is drawn uniformly.

    Source: the README and notebook of arpitvaghela/autoNet (GitHub, 2021). `released` is what the notebook
    does: it draws each setting by itself between the two best values, from an interval that half of their
    mean widens, on the logarithm to base 3, or that it narrows and turns round where this mean is below 0,
    as the logarithms of values below 1 are; and the second of its first two points lies at 78 %.
    Differs: a loss is how far the fitness is below `ceiling`; the notebook adds the penalty of weights.
    Released values that leave their range, which the notebook trains with, are set to its end.

    Args:
        space: see `ArchSearcher`; of settings, of archs with decisions, or both.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        as_: `described` or `released`.
        ceiling: fitness whose loss is 0; `auto` is 100 for valid_acc, in percent, and 0 for anything else,
            such as the negative of a loss.

    Raises:
        UsageError: a form that is none, a ceiling that is no number, or a space without such sides.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        as_: str = "described",
        ceiling: str | float = "auto",
    ) -> None:
        super().__init__(space, fitness=fitness, seed=seed)
        if as_ not in FORMS:
            raise UsageError(unknown_name("form of the searcher", as_, list(FORMS)))
        if ceiling != "auto" and not is_number(str(ceiling)):
            raise UsageError(f"The option ceiling must be auto or a number, got {ceiling!r}.")
        self._released = as_ == "released"
        self._ceiling = math.nan if ceiling == "auto" else float(ceiling)
        self._coordinates = Coordinates(space, "wrs_two_point")
        self._scales = Scales(self._coordinates)
        self._proposed = Proposed(space)
        self._first = list(FIRST_SHARES if self._released else THIRDS)
        self._repeats = Repeats()

    def ask(self) -> str:
        """Returns the next point.

        Raises:
            StopIteration: there is no new one.
        """
        self._repeats.check()
        if self._first:
            share = self._first.pop(0)
            values = self._coordinates.at([share] * len(self._coordinates.names))
            point = self._coordinates.join(values, lambda setting: setting.sample(self.rng))
            if point is not None:
                return self._proposed.keep(point)
        best = self._best_two()
        if len(best) < 2:
            return self._proposed.new(lambda: self.space.sample(self.rng), self.rng)
        points, losses = [self._coordinates.split(point) for point, _ in best], [loss for _, loss in best]
        return self._proposed.new(partial(self._drawn, points, losses), self.rng)

    def tell(self, arch: str, row: Row) -> None:
        """Counts known points."""
        self._proposed.keep(arch)
        self._repeats.tell(row)

    def _drawn(self, points: list[dict[str, str]], losses: list[float]) -> str | None:
        """Returns the point that follows the best two; None where it is no point of the space."""
        if self._released:
            values = drawn_between(self._scales, points, losses, self.rng)
        else:
            values = self._nearer(points, losses)
        return self._coordinates.join(values, lambda setting: setting.sample(self.rng))

    def _best_two(self) -> list[tuple[str, float]]:
        """Returns the two points of the largest fitness with their losses, the first of equals first."""
        if not self.history:
            return []
        fitness = self.fitness_of(range(len(self.history)))
        order = [int(n) for n in np.argsort(-fitness, kind="stable")[:2] if np.isfinite(fitness[n])]
        ceiling = self._ceiling
        if math.isnan(ceiling):
            ceiling = 100.0 if is_accuracy(self.fitness) else 0.0
        return [(self.history[n]["arch"], max(0.0, ceiling - float(fitness[n]))) for n in order]

    def _nearer(self, points: list[dict[str, str]], losses: list[float]) -> dict[str, str]:
        """Returns the values of a point that is nearer to the first of two, or to the second."""
        total = sum(losses)
        chance = losses[1] / total if total else 0.5
        wanted = 0 if self.rng.random() < chance else 1
        ends = [self._coordinates.units(values) for values in points]
        for _ in range(TRIES):
            values = self._coordinates.at(self.rng.random(len(ends[0])))
            here = self._coordinates.units(values)
            distances = [float(np.sum((here - end) ** 2)) for end in ends]
            if distances[wanted] <= distances[1 - wanted]:
                return values
        return points[wanted]
