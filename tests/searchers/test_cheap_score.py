from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.errors import UsageError
from nas_ray.searchers import ScoreTable
from nas_ray.searchers.cheap_score import best_first, cheap_score, cheap_scores, scores_of

FRAME = pd.DataFrame({"arch": ["a", "b", "c"], "x": [1.0, np.nan, 3.0], "y": [2, 1, 0]})


@pytest.fixture(params=["csv", "csv.gz", "parquet"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"scores.{request.param}"
    FRAME.to_parquet(path) if request.param == "parquet" else FRAME.to_csv(path, index=False)
    return path


def test_a_table_gives_its_column(table: Path) -> None:
    score = cheap_score(f"{table}:x", "area")
    np.testing.assert_array_equal(score(["c", "a", "b"]), [3, 1, np.nan])
    np.testing.assert_array_equal(scores_of(score, ["c", "a", "b"]), [3, 1, -np.inf])
    assert best_first(score, ["b", "a", "c"]) == ["c", "a", "b"]
    assert [list(one(["a", "c"])) for one in cheap_scores(f"{table}:x,y", "predictor")] == [[1, 3], [2, 0]]


def test_an_arch_that_is_not_in_the_table(table: Path) -> None:
    with pytest.raises(UsageError) as caught:
        ScoreTable(table, "x")(["a", "d"])
    assert str(caught.value) == (
        f"The table {table} must hold every arch of the space, got none for d; score the whole space. "
        "It holds 'b', which is none of them."
    )


def test_a_column_that_is_not_in_the_table(table: Path) -> None:
    with pytest.raises(UsageError) as caught:
        ScoreTable(table, "xx")
    assert (
        str(caught.value) == f"The table {table}: Unknown column 'xx'. Did you mean 'x'? Known: arch, x, y."
    )


def test_an_arch_that_stands_twice_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    pd.concat([FRAME, FRAME[:1]]).to_csv(path, index=False)
    with pytest.raises(UsageError) as caught:
        ScoreTable(path, "x")
    assert str(caught.value) == f"The table {path} must hold each arch once, got a twice; remove a row."


def test_no_table(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    with pytest.raises(UsageError, match="must be a readable CSV or Parquet file, got .*none.csv"):
        cheap_score(f"{path}:x", "area")


@pytest.mark.parametrize("given", [None, "", "naswot", "scores.csv:"])
def test_no_proxy(given: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        cheap_score(given, "area")
    assert str(caught.value) == (
        f"area needs a proxy that is known before an arch is evaluated, got {given!r}; give a function of a "
        "list of archs, or text such as proxy=scores.parquet:naswot or proxy=mine:score."
    )


def test_a_function_of_a_module() -> None:
    assert list(cheap_score("tests.searchers.toy:by_length", "area")(["7", "abc"])) == [7, 3]


def test_a_proxy_that_returns_too_few_numbers() -> None:
    with pytest.raises(UsageError) as caught:
        scores_of(lambda archs: [1.0], ["a", "b"])
    assert str(caught.value) == "A proxy must return one number per arch, got shape (1,) for 2 archs."


def test_equals_keep_their_order_and_none_is_fine() -> None:
    assert best_first(lambda archs: [0.0] * len(archs), ["b", "a"]) == ["b", "a"]
    assert best_first(lambda archs: pytest.fail("asked for nothing"), []) == []
