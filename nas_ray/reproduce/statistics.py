"""Means with intervals, and the one rule that says whether ours and theirs agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from nas_ray.terminal.ranges import DRAWN_AT_ONCE

LEVEL = 0.01
TOLERANCE = 0.1
AGREES, DIFFERS, NO_COMPARISON = "agrees", "differs", "cannot be compared"

RULE = (
    f"*{DIFFERS}*: Welch's t-test gives p < {LEVEL:.0%} and the means are more than {TOLERANCE} points "
    f"apart; else *{AGREES}*. A standard deviation or a number of runs that a source does not give is "
    f"taken to be ours. *{NO_COMPARISON}*: accuracy has another meaning; the reason is given."
)


@dataclass(frozen=True)
class Summary:
    """Accuracies of runs in percent: mean, sample standard deviation, median, 95 % interval of the mean."""

    mean: float
    std: float
    median: float
    low: float
    high: float
    runs: int


def at_a_time(runs: int) -> int:
    """Returns how many draws of so many runs a bootstrap may hold at once."""
    return max(1, min(100, DRAWN_AT_ONCE // runs))


def summarise(values: np.ndarray, *, resamples: int, seed: int = 0) -> Summary:
    """Returns the summary of `values [runs]`; std and interval are NaN for a single run.

    The interval is the percentile bootstrap; of equal values it is that value.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    if len(values) > 1 and np.ptp(values) == 0:  # sums would leave a spread of rounding
        same = float(values[0])
        return Summary(same, 0.0, same, same, same, len(values))
    mean, low, high = float(np.mean(values)), float("nan"), float("nan")
    if len(values) > 1:
        drawn = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=resamples,
            batch=at_a_time(len(values)),
            method="percentile",
            rng=np.random.default_rng(seed),
        )
        low, high = (float(limit) for limit in drawn.confidence_interval)
    std = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Summary(mean, std, float(np.median(values)), low, high, len(values))


def ranks(accuracy: np.ndarray) -> np.ndarray:
    """Returns the rank of each of `accuracy [archs]`, 1 for the best; of equals each has the best one."""
    ordered = np.sort(accuracy)
    return np.asarray(len(ordered) - np.searchsorted(ordered, accuracy, side="right") + 1)


def welch(ours: Summary, mean: float, std: float | None, runs: int | None) -> float:
    """Returns the p-value of Welch's t-test of ours against a mean; what is None is taken to be ours.

    NaN where neither side has a spread, so that there is nothing to test.
    """
    theirs = ours.std if std is None else std
    if ours.std == 0 and theirs == 0:
        return float("nan")
    test = stats.ttest_ind_from_stats(
        ours.mean, ours.std, ours.runs, mean, theirs, ours.runs if runs is None else runs, equal_var=False
    )
    return float(test.pvalue)


def verdict(ours: Summary, mean: float, std: float | None, runs: int | None) -> tuple[str, float]:
    """Returns `agrees` or `differs` by the rule, and the p-value; without spread the distance decides."""
    p = welch(ours, mean, std, runs)
    far = abs(ours.mean - mean) > TOLERANCE + 1e-9
    return (DIFFERS if far and not p >= LEVEL else AGREES), p
