from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.report.summary import compare, print_summary, summarize
from nas_ray.spaces import NatsTss


class Toy:
    """A benchmark of four archs, two of them equal."""

    name, dataset, acc_column, acc_source = "toy", "cifar10", "test_acc", "toy test split"
    archs = NatsTss().archs[:4]
    accuracies = (90.0, 94.0, 94.0, 10.0)

    def __init__(self, listed: bool = True) -> None:
        self.listed = listed

    def test_acc(self, arch: str) -> float:
        return self.accuracies[self.archs.index(arch)]

    def all_test_acc(self) -> np.ndarray | None:
        return np.array(self.accuracies) if self.listed else None


def rows(*fitness: float, error: str | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial": range(len(fitness)),
            "arch": Toy.archs[: len(fitness)],
            "x": fitness,
            "fitness": fitness,
            "seconds": 2.0,
            "finished_at": np.arange(1, len(fitness) + 1) * 4.0,
            "reused": False,
            "error": error,
        }
    )


def summary(table: pd.DataFrame, best: int | None, benchmark: Toy | None) -> dict:
    row = None if best is None else table.iloc[best].to_dict()
    return summarize(table, best_row=row, proxies=["x"], benchmark=benchmark, wall_seconds=20.0, num_draws=2)  # type: ignore[arg-type]


def text(content: dict) -> str:
    stream = io.StringIO()
    print_summary(content, Console(file=stream, width=200))
    return stream.getvalue()


@pytest.mark.parametrize(("arch", "rank"), [(0, 3), (1, 1), (2, 1), (3, 4)])
def test_rank_one_is_best_and_equals_share_the_better_rank(arch: int, rank: int) -> None:
    assert compare(Toy.archs[arch], Toy(), 2)["rank"] == rank  # type: ignore[arg-type]


def test_numbers_by_hand() -> None:
    content = summary(rows(1.0, 3.0, 2.0), 1, Toy())
    assert content["archs_per_second"] == 2 / 8
    assert content["compute_seconds"] == 6.0
    # The maximum of two of {90, 94, 94, 10}: 94 in five of six pairs, 90 in one.
    assert content["benchmark"]["expected_random_search"] == pytest.approx((5 * 94 + 90) / 6)
    assert content["benchmark"]["expected_random_arch"] == pytest.approx(72.0)
    assert content["benchmark"]["best_arch"] == Toy.archs[1]
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_what_is_printed() -> None:
    printed = text(summary(rows(1.0, 3.0), 1, Toy()))
    for expected in (Toy.archs[1], "x 3", "94.00 % (toy test split)", "1 of 4", "2 in 8.0 s, 0.25 archs/s once the workers were up"):
        assert expected in printed


def test_a_benchmark_that_cannot_be_listed_says_how_to_get_the_rank() -> None:
    printed = text(summary(rows(1.0), 0, Toy(listed=False)))
    assert "90.00 % (toy test split)" in printed
    assert "export them with experiments/export_nats.py" in printed


def test_without_a_benchmark() -> None:
    printed = text(summary(rows(1.0), 0, None))
    assert "accuracy" not in printed


def test_all_failed() -> None:
    content = summary(rows(float("nan"), float("nan"), error="x: RuntimeError: broken"), None, Toy())
    assert content["arch"] is None
    assert text(content).strip() == "None of 2 evaluations succeeded: x: RuntimeError: broken"


def test_undefined_scores_become_null_and_a_dash() -> None:
    table = rows(1.0, 2.0).assign(y=[float("nan"), float("-inf")])
    content = summarize(
        table,
        best_row=table.iloc[1].to_dict(),
        proxies=["x", "y"],
        benchmark=None,
        wall_seconds=1.0,
        num_draws=2,
    )
    assert content["scores"] == {"x": 2.0, "y": None}
    assert "y -" in text(content)
