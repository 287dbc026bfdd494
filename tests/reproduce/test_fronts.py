"""Searchers with several objectives against the true front of a table."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.report.attainment import attainment_surface
from nas_ray.report.true_front import TrueFront
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.fronts.run import compare_by, compare_fronts, comparison
from nas_ray.searchers import ArchSearcher
from tests.reproduce.synthetic import SPACE, benchmark_table

ARCHS = list(SPACE)
COST = np.array([5.0 * arch.count("3x3") + arch.count("1x1") + 1 for arch in ARCHS])


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tables")
    benchmark_table().to_parquet(folder / "nats.parquet")
    pd.DataFrame({"arch": ARCHS, "phone": COST, "watch": COST[::-1]}).to_parquet(folder / "t_ms.parquet")
    return {"benchmark": str(folder / "nats.parquet"), "costs": (str(folder / "t_ms.parquet"),)}


class Walk(ArchSearcher):
    """One of a user, with a single fitness."""

    def ask(self) -> str:
        if not self.history:
            return self.space.sample(self.rng)
        best = int(np.argmax(self.fitness_of(range(len(self.history)))))
        return str(self.rng.choice(self.space.neighbors(self.history[best]["arch"])))  # type: ignore[attr-defined]


def test_a_comparison_has_ratio_distance_and_surfaces(tables: dict[str, Any], tmp_path: Path) -> None:
    args = CompareArgs(
        searchers=("nsga2,population=5", "pareto_local_search,start=5", f"{__name__}:Walk"), seeds=3,
        evaluations=30, objectives="accuracy,-ms:phone", resamples=20, num_cpus=1,
        out=tmp_path / "out", **tables,
    )  # fmt: skip
    said = io.StringIO()
    assert compare_fronts(args, Console(file=said, width=250)) == 0
    out = tmp_path / "out"
    lines = pd.read_csv(out / "compare.csv")
    assert len(lines) == 4 * 3
    assert lines["mean"].between(0.2, 1).all()
    assert (lines["evaluations"] == 30).all()
    text = said.getvalue()
    assert "Objectives: valid_acc_12,-ms:phone. The true front:" in text
    assert f"{__name__}:Walk: by random weights of an augmented Chebyshev scalarisation" in text
    assert "By test: the ratio of the archs that were found if test_acc stands in the place" in text
    assert "the reference point is the worst of all objectives" in text
    runs, found = (pd.read_parquet(out / f"compare-{name}.parquet") for name in ("runs", "found"))
    made = benchmark_table()
    values = np.column_stack([made["cifar10_valid_acc_12"], -COST])
    truth, place = TrueFront(values), {arch: number for number, arch in enumerate(ARCHS)}
    fronts = {
        key: values[[place[arch] for arch in run["arch"]]]
        for key, run in found[found["dataset"] == "cifar10"].groupby(["setting", "seed"])
    }
    own = runs[runs["dataset"] == "cifar10"].set_index(["setting", "seed"])
    for key, front in fronts.items():
        assert own.loc[key, "ratio"] == pytest.approx(truth.ratio(front))
        assert own.loc[key, "igd_plus"] == pytest.approx(truth.igd_plus(front))
    attained = pd.read_csv(out / "compare-fronts.csv")
    true = attained[(attained["setting"] == "true front") & (attained["dataset"] == "cifar10")]
    assert true["arch"].tolist() == [ARCHS[at] for at in truth.places]
    half = attained[(attained["setting"] == "nsga2,population=5") & (attained["share"] == 0.5)]
    half = half[half["dataset"] == "cifar10"]
    expected = attainment_surface([fronts["nsga2,population=5", seed] for seed in range(3)], 0.5)
    np.testing.assert_allclose(half[["valid_acc_12", "ms:phone"]], expected * [1, -1])
    assert (out / "compare.png").stat().st_size > 30_000
    assert r"\label{tab:compare}" in (out / "compare.tex").read_text(encoding="utf-8")
    assert "| pareto_local_search,start=5 | cifar10 |" in (out / "compare.md").read_text(encoding="utf-8")


@pytest.mark.slow(faster="test_a_comparison_has_ratio_distance_and_surfaces")
def test_three_objectives_without_a_test(tables: dict[str, Any], tmp_path: Path) -> None:
    args = CompareArgs(
        searchers=("pareto_local_search,start=5",), seeds=2, evaluations=12, measure="valid_acc_200",
        num_cpus=1, objectives="valid_acc_200,-ms:phone,-ms:watch", resamples=20,
        out=tmp_path / "out", **tables,
    )  # fmt: skip
    assert compare_fronts(args, Console(quiet=True)) == 0
    lines = pd.read_csv(tmp_path / "out" / "compare.csv")
    assert lines["judged"].isna().all()
    assert lines["mean"].between(0.1, 1).all()
    fronts = pd.read_csv(tmp_path / "out" / "compare-fronts.csv")
    assert set(fronts["setting"]) == {"true front"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objectives": "accuracy"}, "--objectives must name at least two things"),
        ({"objectives": "accuracy,-ms:fone"}, "Unknown cost 'ms:fone'. Did you mean 'ms:phone'?"),
        ({"objectives": "accuracy,ms:phone"}, "without a minus it would be maximised; write -ms:phone"),
        ({"objectives": "accuracy,-ms:phone,-ms:phone"}, "must be named once, got ms:phone twice"),
        ({"objectives": "accuracy,valid_acc_12"}, "must be named once, got valid_acc_12 twice"),
        ({"objectives": "-accuracy,-ms:phone"}, "An accuracy must be large, got the objective -accuracy"),
        ({"objectives": "-ms:watch,-ms:phone"}, "One of --objectives must be evaluated"),
        ({"objectives": "accuracy,,-ms:phone"}, "Objectives must be scores separated by commas"),
        ({"costs": ()}, "The cost ms:phone needs a table that holds it, got no --costs"),
        ({"by": "naswot"}, "must be valid_acc_12 or valid_acc_200, got naswot"),
        ({"by": "naswto"}, "--by says what accuracy stands for"),
        ({"searched_on": "cifar10"}, "--searched-on has no use with --objectives"),
        ({"searchers": ("nsga2,objectives=a,-b",)}, "of all searchers are those of --objectives"),
        ({"searchers": ("nsga3",)}, "Did you mean 'nsga2'?"),
        ({"searchers": ("random_weights,of=nsga2",)}, "needs a searcher of one fitness, got nsga2"),
        ({"searchers": ("rea,populaton=3",)}, "Did you mean 'population'?"),
        ({"against": "rea"}, "Unknown searcher of this comparison 'rea'"),
        ({"workers": 0}, "--workers must be from 1"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(tables: dict[str, Any], change: dict[str, object], said: str) -> None:
    make: Callable[..., CompareArgs] = CompareArgs
    args = dataclasses.replace(
        make(searchers=("nsga2",), objectives="accuracy,-ms:phone", **tables), **change
    )
    with pytest.raises(UsageError) as error:
        comparison(args)
    assert said in str(error.value)


def test_costs_without_objectives_are_told() -> None:
    with pytest.raises(UsageError, match="--costs has no use without --objectives"):
        compare_by(CompareArgs(costs=("t_ms.csv",)), Console(quiet=True))
