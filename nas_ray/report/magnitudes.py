"""Numbers of any size as people read them: when a scale is logarithmic, and how a score is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

SPREAD = 100
"""A positive score whose largest value is this many times its median is shown on a logarithmic scale."""
LARGE, SMALL = 1e6, 1e-4
"""Sizes from which on a score is written as a power of ten."""
COUNT = 1e15
"""A whole number below it is a count, such as of parameters."""


def spans_magnitudes(values: np.ndarray) -> bool:
    """Returns whether finite `values` ask for a logarithmic axis."""
    return bool(len(values) and values.min() > 0 and values.max() > SPREAD * np.median(values))


def shown_score(value: float | None, digits: int = 6) -> str:
    """Returns a score as text: `0.731`, `1,073,466` parameters, and `10^49.85` where it spans magnitudes.

    Args:
        value: the score; a dash where it is None or not finite.
        digits: significant ones of a number of ordinary size.
    """
    if value is None or not math.isfinite(value):
        return "-"
    size = abs(value)
    if LARGE <= size < COUNT and float(value).is_integer():
        return f"{value:,.0f}"
    if size >= LARGE or 0 < size < SMALL:
        return f"{'-' if value < 0 else ''}10^{math.log10(size):.2f}"
    return f"{value:.{digits}g}"


def shown_perplexity(row: Mapping[Any, Any]) -> str:
    """Returns the perplexity of the text that a training held out; nothing where a row has none."""
    value = row.get("valid_perplexity")
    return f"{value:,.1f}" if isinstance(value, (int, float)) and math.isfinite(value) else ""
