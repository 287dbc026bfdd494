"""What an accuracy is worth: intervals over seeds, over test images, and of paired differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its 95 % interval; NaN where they are not defined."""

    mean: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        """Returns the mean, and the ends where they are defined, each in `form`, without one `.2f`."""
        form = form or ".2f"
        ends = "" if math.isnan(self.low) else f" ({self.low:{form}} to {self.high:{form}})"
        return f"{self.mean:{form}}{ends}"

    def __str__(self) -> str:
        return format(self)


def over_seeds(values: Sequence[float]) -> Interval:
    """Returns the mean and its t interval: what other seeds would give; one seed has no interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, math.nan, math.nan)
    error = float(stats.sem(values))
    if error == 0:
        return Interval(mean, mean, mean)
    low, high = stats.t.interval(CONFIDENCE, len(values) - 1, mean, error)
    return Interval(mean, float(low), float(high))


def within_percent(interval: Interval) -> Interval:
    """Returns an interval of percentages within 0 and 100; a t interval knows no bounds."""
    low, high = np.clip((interval.low, interval.high), 0.0, 100.0)
    return Interval(interval.mean, float(low), float(high))


def over_images(right: int, count: int) -> Interval:
    """Returns percent right and Wilson's binomial interval: what other test images would give one net.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    ends = stats.binomtest(right, count).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(100 * right / count, 100 * float(ends.low), 100 * float(ends.high))


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Returns the mean difference and its t interval, seed by seed."""
    return over_seeds([a - b for a, b in zip(ours, theirs, strict=True)])
