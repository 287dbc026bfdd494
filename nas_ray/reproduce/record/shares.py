"""Where a score stands among those of fixed archs: what makes a sum of ranks a function of one arch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MARKS = 201
"""Quantiles of a score that a rule keeps."""


def marks_of(scores: np.ndarray) -> list[float]:
    """Returns the quantiles of the defined ones of `scores [n]` in equal steps, to six digits."""
    defined = scores[np.isfinite(scores)]
    found = np.quantile(defined, np.linspace(0, 1, MARKS), method="inverted_cdf")
    return [float(f"{mark:.6g}") for mark in found]


def shares(scores: np.ndarray, marks: Sequence[float]) -> np.ndarray:
    """Returns for `scores [n]` the share of marks that are no better, between 0 and 1; NaN where undefined.

    A score that equals marks has the middle of their places, one between two marks what lies between their
    places in proportion, and one beyond the outermost has the share of that one. So what a rank is in a set
    of archs is here a number that does not depend on other archs.
    """
    places, counts = np.unique(np.asarray(marks, dtype=float), return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(marks)
    found = np.interp(scores, places, middles)
    return np.where(np.isfinite(scores), found, np.nan)
