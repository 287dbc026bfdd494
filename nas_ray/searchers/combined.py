"""Several scores as one number: sums of ranks, of shares, and mixtures with weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.searchers.columns import column
from nas_ray.searchers.ranks import ranks
from nas_ray.terminal.ranges import Range


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

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
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

    Source: the form of Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search",
    2022, where a proxy and the accuracy after a few epochs are added with a weight, that of the proxy.
    Differs: the terms are standardised over all rows known, so that their units do not matter (`MixedRaw`
    does not).
    """

    weight: float = 0.5
    title: ClassVar[str] = "mixed score"
    kind: ClassVar[str] = "mixed"

    def __post_init__(self) -> None:
        if len(self.names) < 2:
            raise UsageError(f"Fitness {self.kind} takes at least two scores, got {', '.join(self.names)}.")
        Range(0.0, 1.0).check(f"The weight in {self.kind}=WEIGHT", self.weight)

    def combine(self, columns: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """Returns weighted sums of the terms of scores."""
        terms = self.terms(columns[:, defined])
        mixed: np.ndarray = (1 - self.weight) * terms[:-1].mean(axis=0) + self.weight * terms[-1]
        return mixed

    def terms(self, known: np.ndarray) -> np.ndarray:
        """Returns what is weighted of `known [scores, rows]`; a score that is the same everywhere adds 0."""
        spread = known.std(axis=1, keepdims=True)
        terms: np.ndarray = (known - known.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
        return terms

    def __str__(self) -> str:
        return f"{super().__str__()} (the last weighs {self.weight:g})"


class MixedRanks(Mixed):
    """The same sum of ranks, each over the number of rows: 1 for the best, and ties share the mean of theirs.

    A score whose values lie close together, but for a few, counts as much as any other.
    """

    title = "mixture of ranks"
    kind = "mixed_ranks"

    def terms(self, known: np.ndarray) -> np.ndarray:
        """Returns ranks within `known [scores, rows]`, as shares."""
        return np.array([ranks(score) / len(score) for score in known])


class MixedRaw(Mixed):
    """The same sum of the scores as they are, whatever their units; it does not depend on other rows.

    `mixed_raw=0.25:lcmnas,valid_acc` is that of the released code of LCMNAS, `0.75 * score + 0.25 * accuracy`
    with the accuracy in percent: there the score of nets that work hardly varies, so that the accuracy alone
    ranks them.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, and its
    released code.
    """

    title = "sum as it is"
    kind = "mixed_raw"
    relative: ClassVar[bool] = False

    def terms(self, known: np.ndarray) -> np.ndarray:
        """Returns the scores."""
        return known
