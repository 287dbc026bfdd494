"""How rows become one number each; larger is better, non-finite values are always worst."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.errors.checks import TEXT
from nas_ray.rows import Row
from nas_ray.searchers.columns import Negated, column
from nas_ray.searchers.ranks import ranks
from nas_ray.terminal.ranges import Range

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


@dataclass(frozen=True)
class Combined:
    """Several scores as one number, relative to the rows given; a row with an undefined score is worst.

    Attributes:
        names: the scores that are combined.
        title: what the combination is called.
    """

    names: tuple[str, ...]
    relative: ClassVar[bool] = True
    title: ClassVar[str]

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Returns `[rows]` fitness values."""
        columns = np.array([column(rows, name) for name in self.names])
        defined = np.all(np.isfinite(columns), axis=0)
        fitness = np.full(len(rows), -np.inf)
        if defined.any():
            fitness[defined] = self.combine(columns, defined)
        return fitness

    @abstractmethod
    def combine(self, columns: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """Returns `[defined rows]` values from `columns [scores, rows]`; what is undefined there is -inf."""

    def __str__(self) -> str:
        return f"{self.title} of {' and '.join(self.names)}"


class RankSum(Combined):
    """The sum over scores of the rank within the rows given (1 = worst, ties share the mean rank)."""

    title = "rank sum"

    def combine(self, columns: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """Returns sums of ranks."""
        return np.asarray(np.sum([ranks(values)[defined] for values in columns], axis=0))


class LogRankSum(Combined):
    """The sum over scores of `log(rank / m)`, with m rows given and rank m the best.

    Being bad in one score costs more than being good in another can bring.

    Source: Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024,
    equation 12; the aggregate of Tybl and Neumann's VKDNW, CVPR 2025, has the same form.
    """

    title = "log rank sum"

    def combine(self, columns: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """Returns sums of logarithms of relative ranks; 0 for a row that is best in everything."""
        logs = [np.log(ranks(values)[defined] / len(values)) for values in columns]
        return np.asarray(np.sum(logs, axis=0))


class NormalisedSum(Combined):
    """The sum over scores of `score / max |score|`, the maximum over the rows given in which it is defined.

    Source: Cavagnero et al., "FreeREA: Training-Free Evolution-based Architecture Search", WACV 2023,
    section 3.3.
    Differs: there an undefined score becomes the smallest of its column; here its row is worst.
    """

    title = "normalised sum"

    def combine(self, columns: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """Returns sums of normalised scores; a score that is 0 in all rows adds nothing."""
        largest = np.abs(np.where(np.isfinite(columns), columns, 0.0)).max(axis=1, keepdims=True)
        normalised: np.ndarray = columns[:, defined] / np.where(largest > 0, largest, 1.0)
        return np.asarray(normalised.sum(axis=0))


@dataclass(frozen=True)
class Mixed(Combined):
    """The weighted sum of the standardised scores before the last and of the last one.

    `(1 - weight) * mean(z(score), ...) + weight * z(last)`, with `z(x) = (x - mean) / std` over the rows
    given in which all scores are defined. With `valid_acc` last, it weighs short training against proxies.

    Source: the form of Lopes and Alexandre, "Guided Evolutionary Neural Architecture Search With Efficient
    Performance Estimation", 2022, where proxy and training terms are added with a weight.
    Differs: the terms are standardised over all rows known, so that their units do not matter.
    """

    weight: float = 0.5
    title: ClassVar[str] = "mixed score"

    def __post_init__(self) -> None:
        if len(self.names) < 2:
            raise UsageError(f"Fitness mixed takes at least two scores, got {', '.join(self.names)}.")
        Range(0.0, 1.0).check("The weight in mixed=WEIGHT", self.weight)

    def combine(self, columns: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """Returns weighted sums; a score that is the same in all rows adds nothing."""
        known = columns[:, defined]
        spread = known.std(axis=1, keepdims=True)
        standard = (known - known.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
        mixed: np.ndarray = (1 - self.weight) * standard[:-1].mean(axis=0) + self.weight * standard[-1]
        return mixed

    def __str__(self) -> str:
        return f"{super().__str__()} (the last weighs {self.weight:g})"


FITNESSES: dict[str, Callable[[tuple[str, ...]], Fitness]] = {
    "log_rank_sum": LogRankSum,
    "mixed": Mixed,
    "normalised_sum": NormalisedSum,
    "rank_sum": RankSum,
    "single": Single,
}


def parse_fitness(text: str | None, scores: Sequence[str]) -> Fitness:
    """Returns the fitness that `text` describes, such as `naswot` or `rank_sum:naswot,synflow`.

    Args:
        text: `KIND:SCORE,...`, `KIND` (over all scores), `SCORE`, or `-SCORE` of one that is to be small;
            `mixed=WEIGHT` gives the weight of the last score. None means the only score, or the rank sum of
            all.
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
    if kind != "mixed":
        raise UsageError(f"Fitness {text!r}: only mixed takes a weight, as in mixed=0.5:synflow,valid_acc.")
    return Mixed(names, _weight(weight))


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        given = printable([text])[0]
        raise UsageError(f"The weight in mixed=WEIGHT must be a number, got '{given}'.") from error
