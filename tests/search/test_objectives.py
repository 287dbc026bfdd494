"""Searches with several objectives as commands."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nas_ray.runs.folder import read_run
from nas_ray.searchers import pareto_front
from tests.guards.commands import call

HERE = ("--driver", "process", "--batch-size", 4, "--benchmark", "nb201", "--searcher", "nsga2")


def test_a_search_with_two_objectives_ends_with_their_front(tmp_path: Path) -> None:
    run, wanted = tmp_path / "run", "naswot,-latency_ms"
    made = ("--proxies", "naswot", "latency_ms", "--fitness", "naswot", "--num-samples", 8, "--out", run)
    ended = call("search", *HERE, *made, "--searcher-args", f"objectives={wanted}", "population=4")
    assert ended.code == 0, ended.err
    rows, front = (pd.read_parquet(run / f"{name}.parquet") for name in ("results", "front"))
    assert set(front["arch"]) == set(pareto_front(rows, wanted)["arch"])
    assert pd.read_csv(run / "front.csv")["arch"].tolist() == front["arch"].tolist()
    assert front["naswot"].is_monotonic_decreasing
    assert f"{len(front)} of {rows['arch'].nunique()} archs, by naswot and -latency_ms" in ended.out
    assert "Hypervolume " in ended.out
    assert read_run(run)["objectives"] == ["naswot", "-latency_ms"]
    assert (run / "front.png").stat().st_size > 10_000
    reported = call("report", run)
    assert reported.code == 0, reported.err
    assert "Front of the objectives" in (run / "report.html").read_text(encoding="utf-8")


def test_an_objective_that_is_not_computed_is_told(tmp_path: Path) -> None:
    options = (
        "--proxies",
        "naswot",
        "--searcher-args",
        "objectives=naswot,-flops",
        "--out",
        tmp_path / "run",
    )
    ended = call("search", *HERE, *options)
    assert ended.code == 2
    assert "Unknown objective 'flops'" in ended.err
    assert "Add a proxy with --proxies." in ended.err
    assert not (tmp_path / "run").exists()


def test_an_objective_of_a_training_needs_one(tmp_path: Path) -> None:
    words = (
        "--searcher-args",
        "objectives=naswot,valid_acc",
        "--proxies",
        "naswot",
        "--out",
        tmp_path / "run",
    )
    ended = call("search", *HERE, *words)
    assert ended.code == 2
    assert "Unknown objective 'valid_acc'" in ended.err
    assert "Train with --fidelity." in ended.err


@pytest.mark.slow(faster="test_a_search_with_two_objectives_ends_with_their_front")
def test_what_only_an_objective_looks_at_is_computed_beside_trainings(tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ("--proxies", "flops", "--fidelity", "epochs:1", "--num-samples", 1, "--out", run)
    ended = call("search", *HERE, *options, "--searcher-args", "objectives=valid_acc,-flops")
    assert ended.code == 0, ended.err
    assert pd.read_parquet(run / "front.parquet")[["valid_acc", "flops"]].notna().all().all()
