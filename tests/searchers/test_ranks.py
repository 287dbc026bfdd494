"""Ranks are those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from nas_ray.searchers.ranks import ranks


@pytest.mark.parametrize("distinct", [1, 3, 50, 10**9])
def test_ranks_are_those_of_scipy(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    for length in (0, 1, 2, 60):
        values = rng.integers(0, distinct, length) / 7 - 1
        values[rng.random(length) < 0.2] = -np.inf
        np.testing.assert_array_equal(ranks(values), rankdata(values))
