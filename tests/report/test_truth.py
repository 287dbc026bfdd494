"""The true front in a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray import open_benchmark
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.kinds import kinds_of
from nas_ray.report.read_runs import read_runs
from nas_ray.report.true_front import TrueFront
from nas_ray.report.truth import truth_panels, truth_table
from nas_ray.spaces import NatsTss
from tests.guards.commands import call

ARCHS = list(NatsTss())
COST = np.array([float(arch.count("nor_conv")) + 1 for arch in ARCHS])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("truth")
    pd.DataFrame({"pixel2": COST}).to_csv(folder / "t_latency.csv", index=False)
    made = [folder / "a", folder / "b"]
    for seed, out in enumerate(made):
        words = (
            "--searcher",
            "pareto_local_search",
            "--proxies",
            "params",
            "--fitness",
            "params",
            "--seed",
            seed,
        )
        costs = ("--objectives", "params,-latency:pixel2", "--costs", folder / "t_latency.csv")
        where = (
            "--driver",
            "process",
            "--benchmark",
            "nb201",
            "--num-samples",
            6,
            "--batch-size",
            2,
            "--out",
            out,
        )
        ended = call("search", *words, *costs, *where)
        assert ended.code == 0, ended.err
    return made


def test_fronts_of_searches_are_beside_that_of_all_archs(runs: list[Path]) -> None:
    kinds = kinds_of([run for folder in runs for run in read_runs(folder, Accuracies())])
    assert len(kinds) == 1
    benchmark = open_benchmark("nb201", "cifar10")
    assert benchmark is not None
    every = benchmark.all_test_acc()
    assert every is not None
    values = np.column_stack([every, -COST])
    truth, place = TrueFront(values), {arch: number for number, arch in enumerate(ARCHS)}
    ratios, distances = [], []
    for folder in runs:
        front = pd.read_parquet(folder / "front.parquet")
        found = values[[place[arch] for arch in front["arch"]]]
        ratios.append(truth.ratio(found))
        distances.append(truth.igd_plus(found))
    (line,) = truth_table(kinds).to_dict("records")
    assert line["ratio"] == f"{np.median(ratios):.4f}"
    assert line["IGD+"] == f"{np.median(distances):.4f}"
    assert (line["cost"], line["runs"], line["true front"]) == ("latency:pixel2", 2, len(truth.places))
    (panel,) = truth_panels(kinds)
    drawn = panel.plot.data
    assert len(drawn) == 1 + 3
    assert sorted(drawn[0].y) == sorted(every[truth.places].tolist())


@pytest.mark.slow(faster="test_fronts_of_searches_are_beside_that_of_all_archs")
def test_a_page_says_it_and_a_table_that_is_gone_is_a_note(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert call("report", *runs, "--out", page).code == 0
    assert "True front" in page.read_text(encoding="utf-8")
    table = runs[0].parent / "t_latency.csv"
    kept = table.read_bytes()
    table.unlink()
    try:
        assert call("report", *runs, "--out", page).code == 0
    finally:
        table.write_bytes(kept)
    text = page.read_text(encoding="utf-8")
    assert "No true front: the costs of the run cannot be used here" in text
    assert "Front of the objectives" in text
