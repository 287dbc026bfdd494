"""Ranks with ties, as the released code of TE-NAS has them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

PRECISION = 3
"""Digits behind the point of a relative change, and digits by which changes are sorted."""


def rounded(change: float) -> float:
    """Returns a relative change to `PRECISION` digits behind the point."""
    return round(change, PRECISION) if math.isfinite(change) else change


def ranks(values: Sequence[float], *, largest_first: bool) -> list[int]:
    """Returns the rank of each value, from 0; neighbours that are equal share one, and the next is one more.

    They are sorted by their first `PRECISION` digits, and keep their order where these are equal.
    """
    order = sorted(range(len(values)), key=lambda place: significant(values[place]), reverse=largest_first)
    found = [0] * len(values)
    for before, place in itertools.pairwise(order):
        found[place] = found[before] + (values[place] != values[before])
    return found


def significant(value: float) -> float:
    """Returns a number to `PRECISION` significant digits."""
    return float(f"{value:.{PRECISION - 1}e}") if math.isfinite(value) else value
