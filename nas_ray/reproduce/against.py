"""Whether one searcher beats another: differences of runs with intervals and corrected tests."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from nas_ray.images.datasets import DATASETS
from nas_ray.reproduce.statistics import at_a_time

LEVEL = 0.01
BETTER, WORSE, OPEN, DISAGREE = "better", "worse", "no difference seen", "undecided"

RULE = (
    f"*{BETTER}* or *{WORSE}*: the two-sided Mann-Whitney test of the runs gives p < {LEVEL:.0%}, corrected "
    "for all lines (Benjamini and Hochberg). Wins: how often a run of the row beats one of the other, equals "
    f"counted half. *{DISAGREE}*: no zero in the interval of the difference, but the test does not give that."
)


def differences(
    answers: pd.DataFrame, against: str | Mapping[str, str], *, resamples: int, seed: int = 0
) -> pd.DataFrame:
    """Returns how the runs of settings differ from those of others, a line per dataset.

    Columns: `setting`, `dataset`, `difference` of the means in points, `low` and `high` (95 % percentile
    bootstrap), `wins` in percent, `p` (corrected) and `verdict`.

    Source: Mann and Whitney 1947; Vargha and Delaney, "A Critique and Improvement of the CL Common Language
    Effect Size Statistics", 2000, for `wins`; Benjamini and Hochberg 1995.

    Args:
        answers: `setting`, `dataset`, `accuracy`, one line per run.
        against: a setting that all others are compared with, or for each that is compared the other one.
        resamples: draws of the bootstrap.
        seed: of the bootstrap.
    """
    if isinstance(against, str):
        against = {name: against for name in answers["setting"].unique() if name != against}
    lines = []
    for (setting, other), dataset in product(against.items(), datasets_of(answers)):
        ours, theirs = (runs_of(answers, name, dataset) for name in (setting, other))
        lines.append({"setting": setting, "dataset": dataset, **_compare(ours, theirs, resamples, seed)})
    table = pd.DataFrame(lines)
    if len(table):
        table["p"] = stats.false_discovery_control(table["p"].to_numpy(float))
        apart = (table["low"] > 0) | (table["high"] < 0)
        words = np.where(table["wins"] > 50, BETTER, WORSE)
        table["verdict"] = np.where(table["p"] < LEVEL, words, np.where(apart, DISAGREE, OPEN))
    return table


def datasets_of(answers: pd.DataFrame) -> list[str]:
    """Returns the datasets of runs, in their usual order, any others behind these."""
    order = {name: place for place, name in enumerate(DATASETS)}
    return sorted(dict.fromkeys(answers["dataset"]), key=lambda name: order.get(name, len(order)))


def runs_of(answers: pd.DataFrame, setting: str, dataset: str) -> np.ndarray:
    """Returns the accuracies `[runs]` of a setting in percent, without runs that found nothing."""
    chosen = (answers["setting"] == setting) & (answers["dataset"] == dataset)
    return answers.loc[chosen, "accuracy"].dropna().to_numpy(float)


def _compare(ours: np.ndarray, theirs: np.ndarray, resamples: int, seed: int) -> dict[str, float]:
    difference = float(np.mean(ours) - np.mean(theirs))
    if np.ptp(np.concatenate([ours, theirs])) == 0:  # all equal: nothing to test
        return {"difference": 0.0, "low": 0.0, "high": 0.0, "wins": 50.0, "p": 1.0}
    test = stats.mannwhitneyu(ours, theirs)
    drawn = stats.bootstrap(
        (ours, theirs),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        n_resamples=resamples,
        batch=at_a_time(len(ours) + len(theirs)),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = (float(limit) for limit in drawn.confidence_interval)
    wins = 100 * float(test.statistic) / (len(ours) * len(theirs))
    return {"difference": difference, "low": low, "high": high, "wins": wins, "p": float(test.pvalue)}
