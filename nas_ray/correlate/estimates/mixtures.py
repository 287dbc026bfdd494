"""Scores and short trainings mixed, as LCMNAS's released code does it and as its paper describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from nas_ray.correlate.estimates.judging import SHORT
from nas_ray.rows import records
from nas_ray.searchers.fitness import parse_fitness

KINDS: Final = ("mixed_raw", "mixed", "mixed_ranks")
"""Mixtures: of the terms as they are, standardised, and of their ranks."""


def with_mixtures(rows: pd.DataFrame, mixed: str, lambdas: Sequence[float]) -> tuple[pd.DataFrame, list[str]]:
    """Returns rows with a column for each mixture, and the names of these columns.

    Each is a fitness as a search takes it, such as `mixed_raw=0.25:lcmnas,valid_acc`, where the number is
    what the short training counts.

    Args:
        rows: of archs, with a column `mixed` and one of the short training.
        mixed: a score.
        lambdas: what the score counts.
    """
    columns = (mixed, SHORT)
    names = [f"{kind}={1 - of:g}:{','.join(columns)}" for of in lambdas for kind in KINDS]
    made = records(rows)
    return rows.assign(**{name: parse_fitness(name, columns)(made) for name in names}), names
