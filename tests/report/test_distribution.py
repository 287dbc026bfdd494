from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from nas_ray.report.distribution import draw_distributions, histogram

RNG = np.random.default_rng(0)


def test_edges_are_at_equal_distances_or_at_equal_ratios() -> None:
    counts, edges = histogram(np.arange(100.0))
    assert len(counts) == 20
    assert counts.tolist() == [5] * 20
    np.testing.assert_allclose(np.diff(edges), 99 / 20)
    counts, edges = histogram(np.concatenate([[0.0], 10.0 ** np.arange(-50, 50)]))
    assert counts.sum() == 100
    np.testing.assert_allclose(edges[1:] / edges[:-1], 10 ** (99 / 20))


def test_a_few_huge_values_of_either_sign_are_left_out() -> None:
    counts, edges = histogram(np.concatenate([RNG.normal(size=998), [1e9, -1e9]]))
    assert edges[-1] < 4
    assert counts.sum() == 980


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e20, 1e-300])
def test_a_constant_has_one_bar(value: float) -> None:
    counts, edges = histogram(np.full(50, value))
    assert sorted(counts)[-2:] == [0, 50]
    assert edges[0] < value < edges[-1]


def test_picture(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": RNG.normal(size=50), "wide": 10 ** RNG.normal(0, 9, 50), "undefined": np.nan})
    draw_distributions(table, ["a", "wide", "undefined"], tmp_path / "scores.png")
    assert imread(tmp_path / "scores.png").shape[0] > 200
