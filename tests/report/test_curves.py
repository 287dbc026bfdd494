from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.report.accuracies import Accuracies
from nas_ray.report.curve_panels import curve_panels, late_range
from nas_ray.report.curves import POINTS, curve_of, quartiles
from nas_ray.report.kinds import Kind, kinds_of
from nas_ray.report.read_runs import read_runs
from tests.report.runs import make_search, search_rows


def curve(x: list[float], y: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"finished_at": x, "accuracy": y})


def test_quartiles_by_hand() -> None:
    curves = [curve([1, 2, 5], [10, 20, 30]), curve([2, 4], [0, 40]), curve([1, 3, 9], [50, 60, 70])]
    table = quartiles(curves, "finished_at", "accuracy")
    # All three are known from 2 to 4; at 2 they are at 20, 0, 50, at 3 at 20, 0, 60, at 4 at 20, 40, 60.
    assert table["finished_at"].tolist() == [2, 3, 4]
    assert table["median"].tolist() == [20, 20, 40]
    assert table["low"].tolist() == [10, 10, 30]
    assert table["high"].tolist() == [35, 40, 50]


def test_one_curve_is_its_own_median() -> None:
    table = quartiles([curve([1, 2, 3], [np.nan, 5, 6])], "finished_at", "accuracy")
    assert table["median"].tolist() == [5, 6]


def test_a_curve_without_values_leaves_nothing() -> None:
    both = [curve([1, 2], [1, 2]), curve([1, 2], [np.nan, np.nan])]
    assert quartiles(both, "finished_at", "accuracy").empty
    apart = [curve([1, 2], [1, 2]), curve([3, 4], [1, 2])]
    assert quartiles(apart, "finished_at", "accuracy").empty


def test_long_curves_are_thinned_to_both_ends() -> None:
    x = list(map(float, range(1000)))
    table = quartiles([curve(x, x)], "finished_at", "accuracy")
    assert len(table) == POINTS
    assert table["median"].iloc[[0, -1]].tolist() == [0, 999]


@pytest.fixture
def kinds(tmp_path: Path) -> list[Kind]:
    folders = [
        make_search(tmp_path / "a0", search_rows(9, 0), seed=0, out="/x/a0"),
        make_search(tmp_path / "b0", search_rows(9, 1), seed=0, population=9),
        make_search(tmp_path / "a1", search_rows(9, 2), seed=1, out="/x/a1"),
        make_search(tmp_path / "r", search_rows(9, 3), experiment="random_search"),
    ]
    accuracies = Accuracies()
    return kinds_of([run for folder in folders for run in read_runs(folder, accuracies)])


def test_kinds_differ_in_more_than_seeds(kinds: list[Kind]) -> None:
    assert [kind.label for kind in kinds] == ["rea", "rea, population 9", "random_search"]
    assert [[run.name for run in kind.runs] for kind in kinds] == [["a0", "a1"], ["b0"], ["r"]]
    assert len({kind.color for kind in kinds}) == 3


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ([{"num_samples": None}, {"num_samples": 300}], ["rea", "rea, 300 evaluations"]),
        ([{"population": 10, "mutation": "node"}, {"population": 20, "mutation": "uniform"}],
         ["rea, population 10", "rea, population 20"]),
        ([{"population": 10, "sample": 3}, {"population": 10, "sample": 5}, {"population": 20, "sample": 5}],
         [f"rea, population {a}, sample {b}" for a, b in ((10, 3), (10, 5), (20, 5))]),
        ([{"images": "folder:a", "ageing": True}, {"images": "folder:a", "ageing": False}],
         ["rea, ageing", "rea, no ageing"]),
        ([{"name": "mine", "seed": 1}, {"name": "mine", "population": 9}], ["mine", "mine, population 9"]),
        ([{"dataset": "cifar10"}, {"dataset": "cifar100"}], ["rea, cifar10", "rea, cifar100"]),
    ],
)  # fmt: skip
def test_kinds_are_called_by_the_shortest_text_that_tells_them_apart(
    given: list[dict[str, object]], labels: list[str], tmp_path: Path
) -> None:
    folders = [make_search(tmp_path / str(n), search_rows(5), **args) for n, args in enumerate(given)]
    accuracies = Accuracies()
    kinds = kinds_of([run for folder in folders for run in read_runs(folder, accuracies)])
    assert [kind.label for kind in kinds] == labels


def test_accuracy_of_the_incumbent_is_that_of_its_row(kinds: list[Kind]) -> None:
    run = kinds[0].runs[0]
    table, rows = curve_of(run), run.rows.set_index("arch")["accuracy"]
    assert table["accuracy"].tolist() == rows[table["arch"]].tolist()


def test_a_relative_fitness_of_several_searches_is_not_drawn(kinds: list[Kind]) -> None:
    several, one = curve_panels(kinds), curve_panels([kinds[1]])
    assert [panel.title.split()[0] for panel in several] == ["Accuracy", "Accuracy"]
    assert [panel.title.split()[0] for panel in one] == ["Fitness", "Fitness", "Accuracy", "Accuracy"]


def test_the_axis_of_accuracy_fits_what_comes_after_the_start() -> None:
    line = pd.DataFrame(
        {"evaluation": [1, 10, 50, 100], "low": [10.0, 80, 89, 90], "median": [20.0, 85, 90, 91]}
    )
    line["high"] = line["median"] + 1
    low, high = late_range([line]) or [0.0, 0.0]
    assert (low, high) == pytest.approx((80 - 0.08 * 12, 92 + 0.08 * 12))
    assert late_range([line.iloc[:0]]) is None
