from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from nas_ray.reproduce.lines import compared
from nas_ray.reproduce.published import Figures
from nas_ray.reproduce.statistics import AGREES, DIFFERS, NO_COMPARISON, Summary, summarise, verdict, welch

VALUES = np.random.default_rng(3).normal(93.0, 0.5, size=60)


def test_summary_against_numpy_and_the_normal_interval() -> None:
    found = summarise(VALUES, resamples=4_000)
    assert (found.mean, found.std, found.median) == (VALUES.mean(), VALUES.std(ddof=1), np.median(VALUES))
    assert found.runs == 60
    low, high = stats.norm.interval(0.95, VALUES.mean(), stats.sem(VALUES))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_equal_runs_have_an_interval_of_no_width_and_one_run_none() -> None:
    same = summarise(np.full(7, 93.1), resamples=50)
    assert np.full(7, 93.1).std() > 0  # what sums leave
    assert (same.mean, same.std, same.low, same.high) == (93.1, 0.0, 93.1, 93.1)
    one = summarise(np.array([94.0]), resamples=50)
    assert math.isnan(one.std)
    assert math.isnan(one.low)


def test_welch_against_scipy_on_samples() -> None:
    theirs = np.random.default_rng(4).normal(93.3, 1.0, size=10)
    expected = stats.ttest_ind(VALUES, theirs, equal_var=False).pvalue
    ours = summarise(VALUES, resamples=10)
    assert welch(ours, theirs.mean(), theirs.std(ddof=1), 10) == pytest.approx(expected)


def summary(mean: float, std: float = 0.5, runs: int = 300) -> Summary:
    return Summary(mean, std, mean, mean, mean, runs)


@pytest.mark.parametrize(
    ("ours", "theirs", "std", "runs", "word"),
    [
        (summary(93.0), 93.3, 0.5, 300, DIFFERS),  # far and certain
        (summary(93.0), 93.3, 0.5, 4, AGREES),  # far, but four runs say little
        (summary(93.0, 0.1, 10_000), 93.09, 0.1, 10_000, AGREES),  # certain, but near
        (summary(93.0), 93.3, None, None, DIFFERS),  # what is not given is taken to be ours
        (summary(93.0, 5.0), 93.3, None, None, AGREES),
        (summary(94.36, 0.0), 94.36, 0.0, None, AGREES),  # no spread at all: the distance decides
        (summary(94.36, 0.0), 94.20, 0.0, None, DIFFERS),
    ],
)
def test_the_rule(ours: Summary, theirs: float, std: float | None, runs: int | None, word: str) -> None:
    assert verdict(ours, theirs, std, runs)[0] == word


def test_a_comparison_takes_the_figures_of_its_dataset() -> None:
    figures = Figures((93.0, 70.0, 45.0), (0.5, 1.0, 2.0), 10, seconds=("1", "2", "3"))
    told = compared(summary(70.1), figures, 1)
    assert (told["published_mean"], told["published_std"], told["published_seconds"]) == (70.0, 1.0, "2")
    assert told["verdict"] == AGREES
    other = compared(summary(70.1), figures, 0, "of another meaning")
    assert (other["verdict"], other["reason"]) == (NO_COMPARISON, "of another meaning")
    assert math.isnan(float(str(other["p"])))
    assert compared(summary(70.1), None, 0)["verdict"] == ""
