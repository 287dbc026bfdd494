"""The front of a search with several objectives: rows, hypervolume, picture, report."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.report.front import course, draw_front, front_of
from nas_ray.report.front_table import print_front
from nas_ray.report.html_report import write_report
from nas_ray.runs.folder import update_run
from nas_ray.searchers.pareto import parse_objectives
from tests.report.page import Page
from tests.report.runs import make_search, search_rows

BOTH = parse_objectives("naswot,-seconds")


def rows_of(*pairs: tuple[float, float]) -> pd.DataFrame:
    table = pd.DataFrame(pairs, columns=["naswot", "seconds"])
    return table.assign(arch=[f"a{n}" for n in range(len(table))], reused=False)


def test_the_front_begins_with_the_best_in_the_first_objective() -> None:
    rows = rows_of((1.0, 1.0), (3.0, 4.0), (2.0, 4.0), (2.0, 2.0), (np.nan, 0.0))
    assert front_of(rows, BOTH)["arch"].tolist() == ["a1", "a3", "a0"]


def test_of_equal_points_the_first_is_there() -> None:
    rows = rows_of((3.0, 4.0), (3.0, 4.0), (2.0, 2.0), (2.0, 2.0), (1.0, 1.0))
    assert front_of(rows, BOTH)["arch"].tolist() == ["a0", "a2", "a4"]


def test_a_repeated_arch_is_there_once() -> None:
    rows = rows_of((1.0, 1.0), (1.0, 1.0))
    rows["arch"], rows["reused"] = "a", [False, True]
    assert len(front_of(rows, BOTH)) == 1


def test_an_arch_that_failed_first_is_there_once_it_was_evaluated() -> None:
    rows = rows_of((np.nan, 0.1), (2.0, 1.0), (1.0, 0.5))
    rows["arch"] = ["a", "a", "b"]
    assert front_of(rows, BOTH)["arch"].tolist() == ["a", "b"]


def test_an_objective_that_nothing_got_as_far_as_leaves_no_front() -> None:
    rows = rows_of((1.0, 1.0)).drop(columns="naswot")
    assert front_of(rows, BOTH).empty
    said = io.StringIO()
    print_front(front_of(rows, BOTH), rows, BOTH, Console(file=said, width=200))
    assert "There is no front, since no evaluation has all of naswot and -seconds." in said.getvalue()


def test_hypervolume_by_hand_and_never_falls() -> None:
    # On the scale from worst to best: (0.5, 0.5), then (1, 0), which adds nothing, then (0, 1), likewise, and
    # an arch without a score.
    rows = rows_of((2.0, 2.0), (3.0, 3.0), (1.0, 1.0), (np.nan, 0.5))
    assert course(rows, BOTH)["hypervolume"].tolist() == [0.25, 0.25, 0.25, 0.25]
    grown = course(search_rows(60, failed=2).assign(seconds=np.arange(60.0)), BOTH)["hypervolume"]
    assert (grown.diff().dropna() >= 0).all()
    assert grown.iloc[0] == 0  # failed
    assert 0.2 < grown.iloc[-1] <= 1


def test_a_score_that_spans_magnitudes_counts_by_its_logarithm() -> None:
    rows = rows_of((1e10, 3.0), (1e40, 2.0), (1e70, 1.0), (1e10, 1.0))
    rows = pd.concat([rows, rows_of((1e10, 3.0))])  # most are small
    assert course(rows, BOTH)["hypervolume"].iloc[1] == pytest.approx(0.25)


def test_the_terminal_shows_both_ends_of_a_long_front() -> None:
    rows = rows_of(*[(float(n), float(n)) for n in range(30)])
    said = io.StringIO()
    print_front(front_of(rows, BOTH), rows, BOTH, Console(file=said, width=200), lambda arch: f"<{arch}>")
    text = said.getvalue()
    assert "30 of 30 archs, by naswot and -seconds" in text
    assert "<a29>" in text
    assert "<a0>" in text
    assert "Shown are 10 of 30, evenly; all are in front.csv." in text


@pytest.mark.parametrize("text", ["naswot,-seconds", "naswot,-synflow,-seconds"])
def test_the_picture_has_something_in_it(text: str, tmp_path: Path) -> None:
    rows = search_rows(60, failed=2).assign(seconds=np.arange(60.0))
    draw_front(rows, tmp_path / "front.png", objectives=parse_objectives(text))
    orange = (
        np.abs(imread(tmp_path / "front.png")[..., :3] - np.array([0xD5, 0x5E, 0]) / 255).max(axis=2) < 0.02
    )
    assert orange.mean() > 0.001


def test_a_report_shows_the_front_of_what_was_searched(tmp_path: Path) -> None:
    rows = search_rows(40, failed=3).assign(seconds=np.arange(40.0))
    runs = [make_search(tmp_path / f"run{seed}", rows, seed=seed) for seed in range(2)]
    for run in runs:
        update_run(run, objectives=["naswot", "-seconds"])
    page = Page(write_report(runs[:1]))
    every, front = page.json["front-1"]["data"]
    found = front_of(rows, BOTH)
    assert sorted(front["y"]) == sorted(found["naswot"])
    assert len(every["x"]) == 40
    assert page.json["front-2"]["data"][0]["y"][-1] == pytest.approx(
        course(rows, BOTH)["hypervolume"].iloc[-1]
    )
    assert found["arch"].iloc[0] in page.texts
    both = Page(write_report(runs, tmp_path / "both.html"))
    assert "hypervolume of the front" in json.dumps(both.json["front-2"])


def test_objectives_that_are_none_are_told(tmp_path: Path) -> None:
    run = make_search(tmp_path / "run", search_rows(12))
    update_run(run, objectives=[3])
    with pytest.raises(UsageError, match=r"must have objectives as a list of names, got '\[3\]'"):
        write_report([run])
