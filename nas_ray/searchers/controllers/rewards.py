"""What a controller learns from: rewards made of fitness, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

AUTO, RAW, RANK = "auto", "raw", "rank"

INVERSE_SQUARE: Final = 80.0
"""c in c / perplexity^2, as published."""

SHAPES: Final[Mapping[str, Callable[[float, float], float]]] = {
    RAW: lambda fitness, c: fitness,
    "cubed": lambda fitness, c: (fitness / 100) ** 3,
    "inverse_square": lambda fitness, c: c / fitness**2 if fitness else np.inf,
}
"""By name, the reward of a fitness and c: the fitness as it is; the cube of an accuracy in percent, as a
share; and c over the square of a perplexity, whose sign does not matter.

Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, section 4.
"""

REWARDS: Final = (AUTO, *SHAPES, RANK)

MOST: Final = 1e12
"""Most by which a reward differs from what it is compared with: nothing that is made of it overflows."""


def shaped(shape: str, fitness: float, c: float = INVERSE_SQUARE) -> float:
    """Returns the reward of a fitness by one of `SHAPES`, infinite or NaN where that has none."""
    try:
        return SHAPES[shape](fitness, c)
    except (OverflowError, ZeroDivisionError):
        return np.inf


def rank_of(values: np.ndarray, place: int) -> float:
    """Returns the share of `values [rows]` below the one at `place`; half of those that are equal count.

    NaN is below every number. The share is in (0, 1) however many rows there are, so that what came early
    can be compared with what comes late.
    """
    own = values[place]
    return float((np.sum(~(values >= own)) + np.sum(values == own) / 2) / len(values))


class Baseline:
    """The exponential moving average of all rewards, corrected for its beginning.

    A reward counts before it is compared, as in the released code of NATS-Bench. That scales what is learnt
    from it by a number that does not depend on it, and changes no direction.

    Args:
        momentum: what is kept of the average with each reward.
    """

    def __init__(self, momentum: float) -> None:
        self.momentum, self._sum, self._weight = momentum, 0.0, 0.0

    def add(self, reward: float) -> float:
        """Returns the average, `reward` included."""
        self._sum = self.momentum * self._sum + (1 - self.momentum) * reward
        self._weight = self.momentum * self._weight + 1 - self.momentum
        return self._sum / self._weight

    def state(self) -> dict[str, Any]:
        """Returns what `add` changes."""
        return {"sum": self._sum, "weight": self._weight}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned."""
        self._sum, self._weight = state["sum"], state["weight"]
