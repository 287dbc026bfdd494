"""What several searches attained: surfaces that a share of them reaches, over two objectives."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

SHARES = (0.25, 0.5, 0.75)
"""What a quarter, half and three quarters of the searches attained."""


def attainment_surface(runs: Sequence[np.ndarray], share: float) -> np.ndarray:
    """Returns the corners `[points, 2]` of what a share of `runs` attained, the first objective falling.

    A point is attained by a run if a row of the run is at least as good in both objectives. The surface is
    the best of what at least `share` of the runs attained, so that of a half is the median; each corner takes
    a value of each objective from some run.

    Source: Fonseca and Fleming, "On the Performance Assessment and Comparison of Stochastic Multiobjective
    Optimizers", PPSN 1996; Grunert da Fonseca, Fonseca and Hall, "Inferential Performance Assessment of
    Stochastic Optimisers and the Attainment Function", EMO 2001.

    Args:
        runs: `[evaluations, 2]` of each, larger is better; rows that are not finite are attained by nothing.
        share: above 0, at most 1.
    """
    known = [values[np.isfinite(values).all(axis=1)] for values in runs]
    needed = max(1, math.ceil(share * len(runs) - 1e-9))
    firsts = np.unique(np.concatenate([values[:, 0] for values in known]))[::-1] if known else np.array([])
    best = np.array([_best_second(values, firsts) for values in known]).reshape(len(known), len(firsts))
    reached = (
        np.sort(best, axis=0)[::-1][needed - 1] if len(known) >= needed else np.full(len(firsts), -np.inf)
    )
    risen = reached > np.maximum.accumulate(np.append(-np.inf, reached[:-1]))
    return np.column_stack([firsts[risen], reached[risen]])


def _best_second(values: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """Returns the best second objective of rows whose first is at least each of `firsts`, which fall."""
    order = np.argsort(-values[:, 0], kind="stable")
    best = np.append(-np.inf, np.maximum.accumulate(values[order, 1]))
    return np.asarray(best[np.searchsorted(-values[order, 0], -firsts, side="right")])
