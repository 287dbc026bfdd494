from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from nas_ray.benchmarks import open_benchmark
from nas_ray.report.search_curve import best_so_far, draw_search, steps
from nas_ray.searchers import RankSum, Single
from nas_ray.spaces import NatsTss

SPACE = NatsTss()


def table(scores: list[float], **columns: list[float]) -> pd.DataFrame:
    rows = pd.DataFrame({"arch": [SPACE[i] for i in range(len(scores))], "x": scores, **columns})
    return rows.assign(
        finished_at=np.arange(len(rows)) * 0.5, fitness=Single(("x",))(rows.to_dict("records"))
    )


def test_incumbents_by_hand() -> None:
    nan = float("nan")
    curve = best_so_far(
        table([nan, 1.0, 3.0, 2.0, 3.0, 4.0]), Single(("x",)), {SPACE[i]: 90.0 + i for i in range(6)}
    )
    assert list(curve["evaluation"]) == [2, 3, 4, 5, 6]  # the first failed: no incumbent yet
    assert list(curve["accuracy"]) == [91.0, 92.0, 92.0, 92.0, 95.0]  # the first of two equals stays
    assert list(curve["finished_at"]) == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_a_relative_fitness_is_seen_as_it_was_then() -> None:
    """After two rows a and b tie and a stays; c changes the order of a and b, but not the past."""
    rows = table([2.0, 1.0, 0.0], y=[1.0, 2.0, 1.5])
    curve = best_so_far(rows, RankSum(("x", "y")))
    assert list(curve["arch"]) == [SPACE[0], SPACE[0], SPACE[1]]  # rank sums 2; 3 3; 4 5 3


def test_long_searches_are_thinned_out() -> None:
    assert steps(4) == [1, 2, 3, 4]
    thinned = steps(20_000)
    assert thinned[0] == 1
    assert thinned[-1] == 20_000
    assert 150 < len(thinned) <= 200


def test_all_failed_gives_an_empty_curve() -> None:
    assert best_so_far(table([float("nan")] * 3), Single(("x",)), {}).empty


@pytest.mark.parametrize(
    "scores", [[1.0], [float("nan"), 2.0, 1.0], list(np.geomspace(1, 1e40, 30)), [float("nan")]]
)
@pytest.mark.parametrize("name", ["nb201", "none"])
def test_pictures_are_drawn(scores: list[float], name: str, tmp_path: Path) -> None:
    benchmark = open_benchmark(name, "cifar10")
    draw_search(table(scores), Single(("x",)), benchmark, tmp_path / "search.png")
    picture = imread(tmp_path / "search.png")
    assert picture.shape[0] == (960 if benchmark else 540)
    assert (picture[..., :3].min(axis=2) < 0.9).mean() > 0.01
