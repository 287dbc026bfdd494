"""What the notebook of autoNet draws between two points, its wrong sign included."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from nas_ray.searchers.recipes.coordinates import Coordinate, Coordinates, interval_of
from nas_ray.spaces.setting_values import number_of

FIRST_SHARES = (0.33, 0.33 + 0.67 * 0.67)
"""Where its first two points lie: the lower end of the range is replaced before the second is computed."""
BASE = 3.0
CANDIDATES = 100


class Scales:
    """The numbers that the notebook computes with: logarithms to base 3, numbers, or places of a choice.

    Args:
        coordinates: of the space.
    """

    def __init__(self, coordinates: Coordinates) -> None:
        self.kinds: Mapping[str, Coordinate] = coordinates.kinds

    def number(self, name: str, value: str) -> float:
        """Returns the number of a value."""
        interval = interval_of(self.kinds[name])
        if interval is None:
            return float(self.kinds[name].place(value))
        number = float(number_of(value))
        return math.log(number, BASE) if interval.log else number

    def value(self, name: str, number: float) -> str:
        """Returns the value of a number, the end of the range where it lies outside."""
        kind = self.kinds[name]
        interval = interval_of(kind)
        if interval is None:
            return kind.texts[round(min(max(number, 0), len(kind.texts) - 1))]
        low, high = (math.log(x, BASE) if interval.log else x for x in (interval.least, interval.most))
        share = (min(max(number, low), high) - low) / (high - low)
        return kind.texts[round(share * (len(kind.texts) - 1))]


def drawn_between(
    scales: Scales, points: Sequence[Mapping[str, str]], losses: Sequence[float], rng: np.random.Generator
) -> dict[str, str]:
    """Returns the values of the next point, each drawn by itself between those of the best two.

    Where `low` and `high` are the smaller and the larger number, `mid` lies between them, and the candidates
    are middles of equal cells: of `[low - mid / 2, mid]` as many as the loss of the other one counts in
    percent, and of `[mid, high + mid / 2]` likewise. One of them is drawn.
    """
    drawn: dict[str, str] = {}
    for name in scales.kinds:
        there = [(scales.number(name, point[name]), loss) for point, loss in zip(points, losses, strict=True)
                 if name in point]  # fmt: skip
        if len(there) < 2:
            continue  # a setting that one of them does not have, which is drawn anew
        (low, loss_low), (high, loss_high) = sorted(there, key=lambda one: one[0])
        middle = (low + high) / 2
        parts = (
            _middles(low - middle / 2, middle, _share(loss_high, loss_low)),
            _middles(middle, high + middle / 2, _share(loss_low, loss_high)),
        )
        candidates = np.concatenate(parts)
        drawn[name] = scales.value(name, float(candidates[int(rng.integers(len(candidates)))]))
    return drawn


def _share(loss: float, other: float) -> int:
    total = loss + other
    return min(max(int(CANDIDATES * loss / total) if total else CANDIDATES // 2, 1), CANDIDATES - 1)


def _middles(begin: float, end: float, count: int) -> np.ndarray:
    edges = np.linspace(begin, end, count + 1)
    return (edges[1:] + edges[:-1]) / 2
