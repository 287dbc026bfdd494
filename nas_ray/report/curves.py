"""Best-so-far curves of several runs as medians and quartiles, over evaluations or over seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nas_ray.report.run_data import RunData
from nas_ray.report.search_curve import best_so_far
from nas_ray.report.standing import best_standing, standing
from nas_ray.rows import final_archs

POINTS = 200
"""Places at which runs are compared, at most."""


def curve_of(run: RunData) -> pd.DataFrame:
    """Returns `best_so_far` of a search with the accuracy of its own rows.

    Its `fitness` is the best seen as `standing` shows it, which never falls.
    """
    known = dict(zip(final_archs(run.rows), run.rows["accuracy"], strict=True))
    rows = run.rows.assign(finished_at=_arrivals(run.rows), trial=range(len(run.rows)))
    curve = best_so_far(rows, lambda arch: float(known.get(arch, np.nan)), fitness=run.fitness)
    best = best_standing(standing(run.rows, run.fitness))
    return curve.assign(fitness=best[curve["evaluation"].to_numpy(dtype=int) + run.given - 1])


def _arrivals(rows: pd.DataFrame) -> pd.Series[float]:
    """Returns when each row arrived in seconds, NaN where the run did not say."""
    return rows["finished_at"] if "finished_at" in rows else pd.Series(np.nan, index=rows.index)


def quartiles(curves: Sequence[pd.DataFrame], over: str, value: str) -> pd.DataFrame:
    """Returns the quartiles of column `value` of several curves, each a staircase over column `over`.

    Columns: `over`, `low`, `median`, `high` (quartiles, linear between neighbours). It covers what all curves
    cover: from the last first point to the first last point.

    Args:
        curves: results of `curve_of`, each with its own points.
        over: `evaluation` or `finished_at`.
        value: `fitness` or `accuracy`.
    """
    known = [curve[[over, value]].astype(float).dropna().sort_values(over, kind="stable") for curve in curves]
    if not known or any(curve.empty for curve in known):
        return pd.DataFrame({name: pd.Series(dtype=float) for name in (over, "low", "median", "high")})
    start = max(curve[over].iloc[0] for curve in known)
    end = min(curve[over].iloc[-1] for curve in known)
    places = np.unique(np.concatenate([curve[over].to_numpy() for curve in known]))
    places = places[(places >= start) & (places <= end)]
    if len(places) > POINTS:
        places = places[np.unique(np.linspace(0, len(places) - 1, POINTS).round().astype(int))]
    table = np.array([_stairs(curve[over].to_numpy(), curve[value].to_numpy(), places) for curve in known])
    low, median, high = np.percentile(table, [25, 50, 75], axis=0) if len(places) else np.empty((3, 0))
    return pd.DataFrame({over: places, "low": low, "median": median, "high": high})


def _stairs(x: np.ndarray, y: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns `y` at the last `x` that is not beyond each place."""
    values: np.ndarray = y[np.searchsorted(x, places, side="right") - 1]
    return values
