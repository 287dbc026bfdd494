"""The arch that a trial found: where it counts, what it may be, and rows without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.read_runs import read_runs
from nas_ray.report.run_data import complete
from nas_ray.report.score_panels import skip_shares
from nas_ray.report.search_curve import best_so_far
from nas_ray.report.summary import summarize
from nas_ray.report.tables import all_rows
from nas_ray.rows import final_arch, final_archs
from nas_ray.score_space.arch_list import wanted_archs
from nas_ray.search.finish import with_accuracy
from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss
from tests.report.runs import make_search, search_rows
from tests.report.toy import ARCHS, make_rows, toy
from tests.searchers.toy import Line

ASKED = tuple(f"toy,seed={number}" for number in range(4))
FITNESS = Single(("x",))


def one_shot_rows(found: tuple[object, ...] = ARCHS) -> pd.DataFrame:
    return make_rows([1.0, 4.0, 3.0, 2.0], ASKED, found=list(found))


def reported(found: object, **columns: Any) -> dict[str, Any]:
    """Returns the row that a searcher is told of a trial that reports `found`."""
    searcher = RandomSearch(Line(5), fitness=FITNESS)
    simulate(searcher, lambda arch, report: report({"x": 1.0, "found": found, **columns}), num_samples=1)
    return searcher.history[0]


def test_what_was_found_is_the_arch_of_a_row() -> None:
    assert final_arch({"arch": "a", "found": "b"}) == "b"
    for nothing in (None, "", np.nan, 3, pd.NA):
        assert final_arch({"arch": "a", "found": nothing}) == "a"
    assert final_archs(one_shot_rows(("p", None, np.nan, "q"))).tolist() == ["p", ASKED[1], ASKED[2], "q"]
    plain = make_rows([1.0, 2.0])
    assert final_archs(plain) is plain["arch"] or final_archs(plain).equals(plain["arch"])


@pytest.mark.parametrize(
    ("found", "must"),
    [
        (3.0, "must be an arch as a string, got 3.0"),
        (["a"], "must be an arch as a string, got ['a']"),
        ("", "must be an arch that is not empty, got ''"),
        ("\ud800", "must be an arch that UTF-8 can hold, got '\\ud800'"),
    ],
)
def test_what_is_no_arch_is_a_failed_row(found: object, must: str) -> None:
    row = reported(found)
    assert row["error"] == f"the column 'found' of a row {must}"
    assert row["error_kind"] == "raised"
    assert "found" not in row
    assert np.isnan(row["x"])  # a setting that found nothing is not the best
    assert reported(found, error="out of memory")["error_kind"] == "out_of_memory"


def test_an_arch_or_nothing_is_kept() -> None:
    assert (reported("b")["found"], reported("b").get("error")) == ("b", None)
    assert (reported(None)["found"], reported(None).get("error")) == (None, None)


def test_the_summary_is_of_what_was_found() -> None:
    rows = one_shot_rows()
    options: dict[str, Any] = {"proxies": ("x",), "benchmark": toy(), "wall_seconds": 1.0, "num_draws": 4}
    said = summarize(rows, best_row=rows.iloc[1].to_dict(), **options, space=ARCHS)
    assert (said["arch"], said["asked"], said["index"], said["accuracy"]) == (ARCHS[1], ASKED[1], 1, 94.0)
    plain = make_rows([1.0, 2.0])
    assert summarize(plain, best_row=plain.iloc[1].to_dict(), **options)["asked"] is None


def test_accuracy_is_that_of_what_was_found() -> None:
    found = with_accuracy(one_shot_rows((*ARCHS[:3], None)), toy(), ())
    assert found["test_acc"].tolist()[:3] == [90.0, 94.0, 94.0]
    assert np.isnan(found["test_acc"].iloc[3])  # it found nothing, so there is nothing to look up
    curve = best_so_far(one_shot_rows(), toy().test_acc, fitness=FITNESS)
    assert curve["arch"].tolist() == [ARCHS[0], ARCHS[1], ARCHS[1], ARCHS[1]]
    assert curve["accuracy"].tolist() == [90.0, 94.0, 94.0, 94.0]


def test_a_search_that_found_nothing_has_a_table() -> None:
    rows = make_rows([np.nan] * 2, ASKED, error="broken")
    assert with_accuracy(rows, toy(), ())["test_acc"].isna().all()


def test_figures_and_tables_of_a_report_show_what_was_found(tmp_path: Path) -> None:
    rows = search_rows(12)
    asked = rows.assign(found=rows["arch"], arch=[f"toy,seed={number}" for number in range(12)])
    plain, found = (
        read_runs(make_search(tmp_path / name, table), Accuracies())[0]
        for name, table in (("plain", rows), ("found", asked))
    )
    assert skip_shares(found.rows).equals(skip_shares(plain.rows))
    assert skip_shares(plain.rows)["all"].sum() == pytest.approx(100)
    columns = all_rows([found])["columns"]
    assert columns[:3] == ["test_acc", "arch", "found"]
    assert "found" not in all_rows([plain])["columns"]
    assert complete(asked, ("naswot",), FITNESS, tmp_path)["found"].equals(rows["arch"])


def test_archs_that_a_search_found_are_scored(tmp_path: Path) -> None:
    space = NatsTss()
    one_shot_rows()[["arch", "found"]].to_csv(tmp_path / "results.csv", index=False)
    archs, repeats = wanted_archs(space, tmp_path / "results.csv", 0, seed=0)
    assert (archs, repeats) == (list(ARCHS), 0)
