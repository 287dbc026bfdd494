"""All answers of one column of a proxy, as scores of archs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nas_ray.correlate.check_proxy.pieces import FEW, FEWER, FEWEST, Answer, Facts, Piece

FAULT: Final = "fault"
DOUBT: Final = "doubt"
UNKNOWN: Final = "unknown"
NOTE: Final = "note"
FINE: Final = "fine"
WORST_FIRST: Final = (FAULT, DOUBT, UNKNOWN, NOTE, FINE)
ROUNDING: Final = 1e-6
"""Share by which float32 rounds a number, tenfold: 2^-24 is 6e-8."""


@dataclass(frozen=True)
class Finding:
    """What a check says.

    Attributes:
        check: its name.
        verdict: one of the words above.
        reason: sentences.
        figure: the number that decided, where there is one.
    """

    check: str
    verdict: str
    reason: str
    figure: float | None = None


@dataclass(frozen=True)
class Subject:
    """One column of a proxy.

    Attributes:
        name: of the proxy.
        column: of its scores.
        archs: that were drawn.
        apart: archs without a path from images to outputs, beside these.
        batch: images of a minibatch.
        train_images: of the training split.
        answers: by piece; of calls that were made.
        accuracy: `[archs]` in percent; None where no benchmark knows them.
        source: what that accuracy is, or why there is none.
        counts: whether it is a count of the arch by its name.
        parts: whether it says that it cuts the minibatch into parts.
        resamples: draws of the bootstrap.
        seed: of the bootstrap.
    """

    name: str
    column: str
    archs: Sequence[str]
    apart: Sequence[str]
    batch: int
    train_images: int
    answers: Mapping[Piece, Answer]
    accuracy: np.ndarray | None
    source: str
    counts: bool
    parts: bool
    resamples: int
    seed: int

    @property
    def few(self) -> Sequence[str]:
        """The archs that are scored again and again."""
        return self.archs[:FEW]

    @property
    def fewer(self) -> Sequence[str]:
        """The archs that are scored in float64."""
        return self.archs[:FEWER]

    @property
    def fewest(self) -> Sequence[str]:
        """The archs of single questions."""
        return self.archs[:FEWEST]

    def one(self, arch: str, **how: Any) -> Answer | None:
        """Returns an answer, None where the call was not made."""
        return self.answers.get(Piece(arch, **how))

    def main(self, arch: str) -> Answer | None:
        """Returns the answer to the first call on an arch."""
        return self.one(arch, facts=True)

    def facts(self, arch: str) -> Facts | None:
        """Returns what is known of an arch without the proxy."""
        answer = self.main(arch)
        return None if answer is None else answer.facts

    def score(self, arch: str, **how: Any) -> float:
        """Returns a score, NaN where there is none; without `how` that of the first call."""
        answer = self.one(arch, **(how or {"facts": True}))
        return float("nan") if answer is None else answer.values.get(self.column, float("nan"))

    def scores(self, archs: Sequence[str], **how: Any) -> np.ndarray:
        """Returns scores `[archs]`, as `score` does."""
        return np.array([self.score(arch, **how) for arch in archs])

    def table(self, archs: Sequence[str], **how: Any) -> np.ndarray:
        """Returns scores `[seeds, archs]` by the one seed that `how` names, of which 0 is the first call."""
        (name, seeds), *_ = how.items()
        return np.array([self.scores(archs, **({name: seed} if seed else {})) for seed in range(seeds)])

    def made(self) -> Iterator[tuple[Piece, Answer]]:
        """Yields the calls that came back."""
        yield from ((piece, answer) for piece, answer in self.answers.items() if answer.ended is None)

    @property
    def constant(self) -> bool:
        """Whether all archs have one score, so that nothing can be said of ranks."""
        return is_constant(self.scores(self.archs))


def is_constant(values: np.ndarray) -> bool:
    """Returns whether at least three values are defined, and these are equal but for rounding."""
    known = values[np.isfinite(values)]
    return len(known) > 2 and float(np.ptp(known)) <= ROUNDING * float(np.abs(known).max())


def ranked(values: np.ndarray) -> np.ndarray:
    """Returns scores in which what is undefined is the worst, as in a search."""
    return np.where(np.isfinite(values), values, -np.inf)


def differences(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the relative differences of scores where both are finite, and infinity where one alone is."""
    both, either = np.isfinite(one) & np.isfinite(other), np.isfinite(one) | np.isfinite(other)
    one, other, both = one[either], other[either], both[either]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        largest = np.maximum(np.abs(one), np.abs(other))
        share = np.where(largest > 0, np.abs(one - other) / largest, 0.0)
    return np.where(both, share, np.inf)
