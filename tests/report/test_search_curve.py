from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from nas_ray.benchmarks.base import known_accuracy
from nas_ray.report.search_curve import best_so_far, draw_search
from nas_ray.report.standing import best_standing, standing
from nas_ray.searchers.fitness import RankSum, Single
from tests.report.drawn import drawn_by
from tests.report.toy import ARCHS, Toy, make_rows, toy

X = Single(("x",))


def test_the_best_leads_and_the_first_of_equals_stays() -> None:
    curve = best_so_far(make_rows([1.0, 3.0, 3.0, 2.0]), Toy().test_acc, fitness=X)
    assert curve["evaluation"].tolist() == [1, 2, 3, 4]
    assert curve["finished_at"].tolist() == [4.0, 8.0, 12.0, 16.0]
    assert curve["trial"].tolist() == [0, 1, 1, 1]
    assert curve["accuracy"].tolist() == [90.0, 94.0, 94.0, 94.0]
    assert curve["fitness"].tolist() == [1.0, 3.0, 3.0, 3.0]


def test_what_was_given_is_where_the_line_begins() -> None:
    rows = make_rows([1.0, 3.0, 2.0, 4.0])
    rows["given"] = [True, True, False, False]
    curve = best_so_far(rows, Toy().test_acc, fitness=X)
    assert curve["evaluation"].tolist() == [0, 1, 2]
    assert curve["fitness"].tolist() == [3.0, 3.0, 4.0]
    only = best_so_far(rows[:2], None, fitness=X)
    assert only["evaluation"].tolist() == [0]


def test_a_relative_fitness_is_that_of_its_time() -> None:
    rows = make_rows([3.0, 5.0, 4.0, 0.5], y=[3.0, 1.0, 0.5, 2.0])
    fitness = RankSum(("x", "y"))
    rows["fitness"] = fitness(rows.to_dict("records"))
    # Ranks in x + y after two rows: 1+2, 2+1; after three: 1+3, 3+2, 2+1; after four: 2+4, 4+2, 3+1, 1+3.
    assert rows["fitness"].tolist() == [6.0, 6.0, 4.0, 4.0]
    curve = best_so_far(rows, None, fitness=fitness)
    assert curve["trial"].tolist() == [0, 0, 1, 0]
    assert curve["accuracy"].isna().all()


def test_a_repeated_arch_does_not_count_twice() -> None:
    seen: list[int] = []

    def fitness(rows: Sequence[dict[str, Any]]) -> np.ndarray:
        seen.append(len(rows))
        return np.array([row["x"] for row in rows])

    rows = make_rows([1.0, 2.0, 1.0, 3.0], archs=(ARCHS[0], ARCHS[1], ARCHS[0], ARCHS[2]))
    rows["reused"] = [False, False, True, False]
    curve = best_so_far(rows, None, fitness=fitness)
    assert curve["trial"].tolist() == [0, 1, 1, 3]
    assert seen == [1, 2, 3]


def test_undefined_rows_never_lead() -> None:
    curve = best_so_far(
        make_rows([np.nan, -np.inf, 1.0, np.nan]), Toy().test_acc, fitness=lambda rows: column(rows)
    )
    assert curve["trial"].isna().tolist() == [True, True, False, False]
    assert curve["arch"].tolist()[2:] == [ARCHS[2]] * 2
    assert curve["accuracy"].isna().tolist() == [True, True, False, False]


def column(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    return np.array([row["x"] for row in rows], dtype=float)


def test_the_benchmark_is_asked_once_per_incumbent() -> None:
    benchmark = Toy()
    best_so_far(make_rows([1.0, 3.0, 2.0, 0.0]), benchmark.test_acc, fitness=X)
    assert benchmark.asked == [ARCHS[0], ARCHS[1]]


def test_long_searches_are_sampled_only_if_fitness_is_relative() -> None:
    values = np.random.default_rng(0).permutation(700).astype(float)
    rows = make_rows(values.tolist(), archs=tuple(str(i) for i in range(700)))
    every = best_so_far(rows, None, fitness=X)
    assert every["fitness"].tolist() == np.maximum.accumulate(values).tolist()
    sparse = best_so_far(rows, None, fitness=RankSum(("x",)))
    assert 100 < len(sparse) <= 200
    assert sparse["evaluation"].iloc[[0, -1]].tolist() == [1, 700]
    expected = every.set_index("evaluation").loc[sparse["evaluation"], "trial"]
    assert sparse["trial"].tolist() == expected.tolist()


def test_an_arch_outside_the_benchmark_has_no_accuracy() -> None:
    assert known_accuracy(toy(), ARCHS[0]) == 90.0
    assert np.isnan(known_accuracy(toy(), "elsewhere"))


@pytest.mark.parametrize(
    "rows",
    [
        make_rows([1.0, 3.0, 2.0, 0.0]),
        make_rows([1.0]),
        make_rows([np.nan, 1.0, np.nan, 2.0]),
        make_rows([np.nan, np.nan, -np.inf], error="ValueError: no"),
        make_rows([0.0, 1e-3, 1e12, 7.0]),
        make_rows([1e-3, 1.0, 1e12, 7.0]),
        make_rows([5.0, 6.0], archs=("elsewhere", "nowhere")),
        make_rows([]),
    ],
    ids=["plain", "one", "undefined", "failed", "wide with zero", "wide", "outside", "none"],
)
@pytest.mark.parametrize(("benchmark", "height"), [(None, 435), (toy(), 810), (toy(listed=False), 810)])
@pytest.mark.filterwarnings("error")
def test_picture_is_drawn(rows: pd.DataFrame, benchmark: Any, height: int, tmp_path: Path) -> None:
    draw_search(rows, tmp_path / "search.png", fitness=X, fitness_label="x", benchmark=benchmark)
    picture = imread(tmp_path / "search.png")
    assert picture.shape[:2] == (height, 900)
    assert 0.003 < (picture[..., :3].min(axis=2) < 0.9).mean() < 0.3


def test_a_relative_fitness_is_shown_as_a_percentile_that_never_falls() -> None:
    rows = make_rows([3.0, 5.0, 4.0, 0.5, 4.0], (*ARCHS, ARCHS[0]), y=[3.0, 1.0, 0.5, 2.0, 3.0])
    rows.loc[4, "reused"] = True
    rows.loc[3, "fitness"] = -np.inf
    rows.loc[:2, "fitness"] = [6.0, 6.0, 4.0]
    rows.loc[4, "fitness"] = 6.0
    shown = standing(rows, RankSum(("x", "y")))
    # Four archs: the undefined one is no better than any, the third beats it, two share the top.
    np.testing.assert_array_equal(shown, [100.0, 100.0, 50.0, np.nan, 100.0])
    np.testing.assert_array_equal(standing(rows, X), [6.0, 6.0, 4.0, np.nan, 6.0])
    np.testing.assert_array_equal(best_standing(shown[::-1])[::-1], [100.0] * 5)
    np.testing.assert_array_equal(best_standing(np.array([np.nan, 2.0, 1.0])), [np.nan, 2.0, 2.0])


def test_the_picture_has_the_line_of_one_random_arch_and_says_what_the_oracle_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = drawn_by(monkeypatch)
    rows = make_rows([3.0, 5.0, 4.0, 0.5])
    draw_search(rows, tmp_path / "x.png", fitness=lambda rows: column(rows), benchmark=toy())
    top, bottom = drawn[0].axes
    assert top.get_ylabel() == "fitness: percentile of all evaluated"
    line = next(one for one in top.get_lines() if one.get_label() == "best so far")
    np.testing.assert_array_equal(line.get_ydata(), [50.0, 100.0, 100.0, 100.0])
    labels = [text.get_text() for text in bottom.get_legend().get_texts()]
    assert "one random arch (72.00 %)" in labels
    assert "Oracle random search draws" in drawn[0].get_supxlabel().replace("\n", " ")
