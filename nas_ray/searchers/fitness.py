"""How rows become one number each; larger is better, non-finite values are always worst."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.stats import rankdata

from nas_ray.errors import UsageError
from nas_ray.plugins import unknown_name

Row = dict[str, Any]
"""One evaluated arch: `arch`, one value per score, `seconds`, `error`."""

Fitness = Callable[[Sequence[Row]], np.ndarray]
"""One number per row `[rows]`, larger is better; it may be relative to the rows given."""


def column(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """Returns column `name` as `[rows]` floats, with everything non-finite or missing as -inf."""
    values = np.array([_number(row.get(name)) for row in rows], dtype=float)
    return np.where(np.isfinite(values), values, -np.inf)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


@dataclass(frozen=True)
class Single:
    """The value of one score, such as `single:naswot`."""

    names: tuple[str, ...]
    relative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if len(self.names) != 1:
            raise UsageError(
                f"Fitness single takes exactly one score, got {', '.join(self.names)}; try rank_sum."
            )

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns `[rows]` scores."""
        return column(rows, self.names[0])

    def __str__(self) -> str:
        return self.names[0]


@dataclass(frozen=True)
class RankSum:
    """The sum over scores of the rank within the rows given (1 = worst, ties share the mean rank).

    A row in which any of the scores is not finite is worst: -inf.
    """

    names: tuple[str, ...]
    relative: ClassVar[bool] = True

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns `[rows]` rank sums."""
        columns = [column(rows, name) for name in self.names]
        ranks = np.sum([rankdata(values) for values in columns], axis=0)
        return np.where(np.all(np.isfinite(columns), axis=0), ranks, -np.inf)

    def __str__(self) -> str:
        return f"rank sum of {' and '.join(self.names)}"


FITNESSES: dict[str, Callable[[tuple[str, ...]], Fitness]] = {
    "rank_sum": RankSum,
    "single": Single,
}


def parse_fitness(text: str | None, scores: Sequence[str]) -> Fitness:
    """Returns the fitness that `text` describes, such as `naswot` or `rank_sum:naswot,synflow`.

    Args:
        text: `KIND:SCORE,...`, `KIND` (over all scores), or `SCORE`; None means the only score, or the
            rank sum of all.
        scores: names of the scores that rows will have.

    Raises:
        UsageError: unknown kind or score; the message has the nearest match.
    """
    if text is None:
        return Single(tuple(scores)) if len(scores) == 1 else RankSum(tuple(scores))
    if text in scores:
        return Single((text,))
    kind, colon, listed = text.partition(":")
    if kind not in FITNESSES:
        raise UsageError(unknown_name("fitness", kind, [*FITNESSES, *scores]))
    names = tuple(name.strip() for name in listed.split(",")) if colon else tuple(scores)
    for name in names:
        if name not in scores:
            raise UsageError(
                f"Fitness {text!r}: {unknown_name('score', name, list(scores))} Add it with --proxies."
            )
    return FITNESSES[kind](names)
