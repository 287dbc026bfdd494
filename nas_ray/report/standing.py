"""Where an arch stands among all that a search evaluated: what a relative fitness can be shown as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

PERCENTILE = "percentile of all evaluated"
EXPLAINED = "Percentile: the share of all evaluated archs that are no better, as known at the end."


def is_relative(fitness: Callable[..., Any]) -> bool:
    """Returns whether a fitness says nothing outside of the rows that it was computed with."""
    return bool(getattr(fitness, "relative", True))


def standing(rows: pd.DataFrame, fitness: Callable[..., Any]) -> np.ndarray:
    """Returns `[rows]`, what is shown of the fitness of each row; NaN where it is undefined.

    That is the fitness itself. One that is relative, such as a rank sum, is shown as a percentile of all
    archs evaluated at the end, so that the best so far never falls and a number says something.

    Args:
        rows: of a search, with its final `fitness`.
        fitness: what the search maximised.
    """
    values = rows["fitness"].to_numpy(dtype=float)
    defined = np.isfinite(values)
    if is_relative(fitness):
        once = np.sort(np.where(defined, values, -np.inf)[~rows["reused"].eq(True)])
        values = 100.0 * np.searchsorted(once, values, side="right") / max(1, len(once))
    return np.where(defined, values, np.nan)


def best_standing(shown: np.ndarray) -> np.ndarray:
    """Returns the best of `shown [rows]` after each row, NaN before the first that is defined."""
    best: np.ndarray = np.fmax.accumulate(shown) if len(shown) else shown
    return best


def rank_of(row: Mapping[str, Any], rows: pd.DataFrame, name: str, *, smallest: bool = False) -> str:
    """Returns the rank of a row by score `name` among the different archs of a search: `rank 3 of 298`.

    1 is the largest, or the smallest, and of equals each has the best rank; undefined scores do not count.
    """
    distinct = rows[~rows["reused"].eq(True)]
    values = distinct[name].to_numpy(dtype=float) if name in distinct else np.array([])
    values, sign = values[np.isfinite(values)], -1 if smallest else 1
    return f"rank {1 + int((sign * values > sign * float(row[name])).sum()):,} of {len(values):,}"
