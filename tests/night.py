"""What of a parametrized test runs by day, and what at night."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def by_day(cases: Iterable[Any], daily: Collection[Any], *, faster: str) -> list[Any]:
    """Returns the cases as parameters, of which those that are not `daily` run at night alone.

    Args:
        cases: parameters of a test.
        daily: those that run by day.
        faster: name of a test of the same that always runs, mostly of the test itself.
    """
    return [
        case if case in daily else pytest.param(case, marks=pytest.mark.slow(faster=faster)) for case in cases
    ]
