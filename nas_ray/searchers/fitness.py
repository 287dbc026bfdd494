"""How rows become one number each; larger is better, non-finite values are always worst."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.errors.checks import TEXT
from nas_ray.rows import Row
from nas_ray.searchers.columns import Negated
from nas_ray.searchers.columns import column as column
from nas_ray.searchers.combined import Combined as Combined
from nas_ray.searchers.combined import LogRankSum as LogRankSum
from nas_ray.searchers.combined import Mixed as Mixed
from nas_ray.searchers.combined import MixedRanks as MixedRanks
from nas_ray.searchers.combined import MixedRaw as MixedRaw
from nas_ray.searchers.combined import NormalisedSum as NormalisedSum
from nas_ray.searchers.combined import RankSum as RankSum

Fitness = Callable[[Sequence[Row]], np.ndarray]
"""One number per row `[rows]`, larger is better; it may be relative to the rows given."""


@dataclass(frozen=True)
class Unsaid:
    """Stands where no fitness was given: `nas_ray.TuneSearcher` takes the metric of the tuner instead."""

    names: ClassVar[tuple[str, ...]] = ()
    relative: ClassVar[bool] = False

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Ranks nothing.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "A searcher must know what to maximise; give it one, such as fitness=Single(('valid_acc',))."
        )


UNSAID = Unsaid()


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


def is_accuracy(fitness: object) -> bool:
    """Returns whether a fitness is known to be an accuracy in percent: `valid_acc` alone."""
    return isinstance(fitness, Single) and fitness.names == ("valid_acc",)


def by_training(column: str) -> Single | Negated:
    """Returns what a search by trainings alone maximises: `valid_acc`, or `-valid_nats` on a text."""
    return Negated(column) if column == "valid_nats" else Single((column,))


WEIGHTED: dict[str, type[Mixed]] = {"mixed": Mixed, "mixed_ranks": MixedRanks, "mixed_raw": MixedRaw}
"""Kinds that take a weight."""

FITNESSES: dict[str, Callable[[tuple[str, ...]], Fitness]] = {
    "log_rank_sum": LogRankSum,
    **WEIGHTED,
    "normalised_sum": NormalisedSum,
    "rank_sum": RankSum,
    "single": Single,
}


def parse_fitness(text: str | None, scores: Sequence[str]) -> Fitness:
    """Returns the fitness that `text` describes, such as `naswot` or `rank_sum:naswot,synflow`.

    Args:
        text: `KIND:SCORE,...`, `KIND` (over all scores), `SCORE`, or `-SCORE` of one that is to be small;
            `mixed=WEIGHT`, `mixed_ranks=WEIGHT` and `mixed_raw=WEIGHT` give the weight of the last score.
            None means the only score, or the rank sum of all.
        scores: names of the scores that rows will have.

    Raises:
        UsageError: unknown kind or score; the message has the nearest match.
    """
    TEXT.or_none.check("A fitness", text)
    if text is None:
        return Single(tuple(scores)) if len(scores) == 1 else RankSum(tuple(scores))
    text = text.strip()
    if text in scores:
        return Single((text,))
    if text.startswith("-") and text[1:] in scores:
        return Negated(text[1:])
    kind, colon, listed = text.partition(":")
    kind, equals, weight = (part.strip() for part in kind.partition("="))
    if kind not in FITNESSES:
        raise UsageError(unknown_name("fitness", kind, [*FITNESSES, *scores]))
    names = tuple(name.strip() for name in listed.split(",")) if colon else tuple(scores)
    if len(set(names)) < len(names):
        raise UsageError(f"Fitness {text!r} must name each score once.")
    for name in names:
        if name not in scores:
            raise UsageError(
                f"Fitness {text!r}: {unknown_name('score', name, list(scores))} Add it with --proxies."
            )
    if not equals:
        return FITNESSES[kind](names)
    if kind not in WEIGHTED:
        raise UsageError(
            f"Fitness {text!r}: only {', '.join(WEIGHTED)} take a weight, as in mixed=0.5:synflow,valid_acc."
        )
    return WEIGHTED[kind](names, _weight(kind, weight))


def _weight(kind: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        given = printable([text])[0]
        raise UsageError(f"The weight in {kind}=WEIGHT must be a number, got '{given}'.") from error
