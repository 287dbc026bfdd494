from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from nas_ray.report.accuracies import Accuracies
from nas_ray.report.kinds import kinds_of
from nas_ray.report.panels import sample, shown
from nas_ray.report.read_runs import read_runs
from nas_ray.report.run_data import RunData
from nas_ray.report.score_panels import pareto_front, rank_table, skip_shares
from tests.report.runs import make_search, search_rows


@pytest.fixture
def run(tmp_path: Path) -> RunData:
    return read_runs(make_search(tmp_path / "run", search_rows(30)), Accuracies())[0]


def test_front_by_hand() -> None:
    cost = np.array([2.0, 1.0, 1.0, 3.0, np.nan, 4.0, 5.0])
    value = np.array([5.0, 3.0, 4.0, 5.0, 9.0, np.inf, 6.0])
    # 1 at cost 1 loses to 2, 3 costs more than 0 and is not better, 4 and 5 are not finite.
    assert pareto_front(cost, value).tolist() == [2, 0, 6]
    assert pareto_front(np.array([]), np.array([])).tolist() == []


def test_front_equals_the_definition() -> None:
    rng = np.random.default_rng(0)
    cost, value = rng.integers(0, 12, 200).astype(float), rng.integers(0, 12, 200).astype(float)
    pairs = {
        (c, v)
        for c, v in zip(cost, value, strict=True)
        if not np.any((cost <= c) & (value >= v) & ((cost < c) | (value > v)))
    }
    front = pareto_front(cost, value)
    assert {(cost[i], value[i]) for i in front} == pairs
    assert len(front) == len(pairs)


def test_ranks_equal_scipy(run: RunData) -> None:
    table = rank_table(kinds_of([run])).set_index("score")
    rows = run.rows
    for name in ("naswot", "synflow", "fitness"):
        assert table.loc[name, "spearman"] == pytest.approx(spearmanr(rows[name], rows["accuracy"]).statistic)
        assert table.loc[name, "kendall"] == pytest.approx(kendalltau(rows[name], rows["accuracy"]).statistic)


def test_few_archs_and_repeats_say_nothing(run: RunData) -> None:
    repeated = dataclasses.replace(run, rows=pd.concat([run.rows.head(4)] * 5))
    table = rank_table(kinds_of([repeated]))
    assert table["archs"].tolist() == [4, 4, 4]
    assert table["spearman"].isna().all()


def test_skip_shares_by_hand() -> None:
    def arch(*ops: str) -> str:
        return "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*ops)

    none, two = arch(*["none"] * 6), arch(*["skip_connect"] * 2, *["none"] * 4)
    rows = pd.DataFrame(
        {"arch": [none, none, two, two, "of another space"], "fitness": [1.0, np.nan, 5, 2, 9]}
    )
    table = skip_shares(rows)
    assert table["skips"].tolist() == [0, 1, 2]
    assert table["all"].tolist() == [50.0, 0.0, 50.0]
    assert table["top"].tolist() == [0.0, 0.0, 100.0]
    assert skip_shares(rows.tail(1)).empty


def test_a_sample_keeps_order_and_ends() -> None:
    rows = pd.DataFrame({"x": range(1000)})
    some = sample(rows, 30)["x"]
    assert len(some) == 30
    assert some.is_monotonic_increasing
    assert (some.iloc[0], some.iloc[-1]) == (0, 999)
    assert sample(rows, 1000) is rows


def test_markup_of_plotly_is_only_text() -> None:
    assert shown("<b>a & b</b>") == "&lt;b&gt;a &amp; b&lt;/b&gt;"
