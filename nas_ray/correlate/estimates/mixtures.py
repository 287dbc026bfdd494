"""Scores and short trainings mixed, as LCMNAS's released code does it and as its paper describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from nas_ray.correlate.estimates.judging import SHORT
from nas_ray.rows import records
from nas_ray.searchers.fitness import Mixed

RELEASED: Final = "lcmnas_score"
"""The column of LCMNAS's score, where `jacob_cov` is there."""


def released_score(jacob_cov: np.ndarray) -> np.ndarray:
    """Returns LCMNAS's score of archs from their `jacob_cov`: of the same order, from 0 to 10^4 / images.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, released
    code: 10^4 / sum(log(v + k) + 1 / (v + k)) over the eigenvalues v.
    """
    return np.asarray(-1e4 / jacob_cov)


def with_mixtures(rows: pd.DataFrame, mixed: str, lambdas: Sequence[float]) -> tuple[pd.DataFrame, list[str]]:
    """Returns rows with a column for each mixture, and the names of these columns.

    Raw: `lambda * score + (1 - lambda) * valid_acc`, with the accuracy in percent; the score is that of
    LCMNAS where `mixed` is `jacob_cov`. Standardised: the same of both terms less their mean and divided by
    their deviation, over all rows.

    Args:
        rows: of archs, with a column `mixed` and one of the short training.
        mixed: a score.
        lambdas: what the score counts.
    """
    made, names = rows.copy(), []
    score = mixed
    if mixed == "jacob_cov":
        made[RELEASED] = released_score(made[mixed].to_numpy(float))
        score = RELEASED
    for weight in lambdas:
        raw, standard = (
            f"{way} {weight:g} {score} + {1 - weight:g} {SHORT}" for way in ("raw", "standardised")
        )
        made[raw] = weight * made[score].astype(float) + (1 - weight) * made[SHORT].astype(float)
        made[standard] = Mixed((score, SHORT), weight=1 - weight)(records(made))
        names += [raw, standard]
    return made, names
