from __future__ import annotations

import math

import pandas as pd
import pytest

from nas_ray.report.intervals import over_images, over_seeds, paired, within_percent
from nas_ray.train.rows import summary_table


def test_t_interval_by_hand() -> None:
    found = over_seeds([90.0, 92.0, 94.0])  # s = 2, t(.975; 2) = 4.302653
    half = 4.302653 * 2 / math.sqrt(3)
    assert (found.mean, found.low, found.high) == pytest.approx((92, 92 - half, 92 + half), rel=1e-6)


def test_percentages_end_at_0_and_100() -> None:
    found = within_percent(over_seeds([2.0, 98.0]))
    assert (found.mean, found.low, found.high) == (50, 0, 100)
    assert math.isnan(within_percent(over_seeds([98.0])).low)


def test_one_seed_has_no_interval() -> None:
    found = over_seeds([90.0])
    assert found.mean == 90
    assert math.isnan(found.low)
    assert str(found) == "90.00"


def test_wilson_by_hand() -> None:
    p, n, z = 0.9, 100, 1.959964
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = over_images(90, 100)
    assert (found.low, found.high) == pytest.approx((100 * (centre - half), 100 * (centre + half)), rel=1e-6)


def test_a_paired_difference_ignores_what_seeds_share() -> None:
    found = paired([90.0, 80.0, 70.0], [89.0, 78.0, 69.0])
    assert found.mean == pytest.approx(4 / 3)
    assert found.low > 4 / 3 - 4.302653 * math.sqrt(1 / 3) / math.sqrt(3) - 1e-6


def test_the_summary_has_the_gap_to_the_first_arch() -> None:
    results = pd.DataFrame(
        {"label": ["found", "found", "other", "other"], "test_acc": [90.0, 92.0, 88.0, 89.0]}
    )
    table = summary_table(results, pd.DataFrame({"label": ["found", "other"]}))
    assert table["test_acc"].tolist() == [91, 88.5]
    assert math.isnan(table["behind"].iloc[0])
    assert table["behind"].iloc[1] == pytest.approx(2.5)  # 2 and 3
