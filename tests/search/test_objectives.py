"""Searches with several objectives as commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.runs.folder import read_run
from nas_ray.searchers import pareto_front
from nas_ray.spaces import NatsTss
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


PLSEARCH = (
    "--driver",
    "process",
    "--batch-size",
    4,
    "--benchmark",
    "nb201",
    "--searcher",
    "pareto_local_search",
)


@pytest.fixture
def latency(tmp_path: Path) -> Path:
    """A table of two devices, joined by the order of the archs."""
    costs = np.array([float(arch.count("nor_conv") + 1) for arch in NatsTss()])
    pd.DataFrame({"pixel2": costs, "pixel3": costs[::-1]}).to_csv(tmp_path / "t_latency.csv", index=False)
    return tmp_path / "t_latency.csv"


def test_a_cost_from_a_table_is_an_objective_and_a_killed_search_goes_on(
    tmp_path: Path, latency: Path
) -> None:
    wanted = ("--objectives", "naswot,-latency:pixel2", "--costs", latency, "--searcher-args", "start=4")
    made = ("--proxies", "naswot", "--fitness", "naswot", *wanted, "--num-samples")
    whole, part = tmp_path / "whole", tmp_path / "part"
    ended = call("search", *PLSEARCH, *made, 10, "--out", whole)
    assert ended.code == 0, ended.err
    rows = pd.read_parquet(whole / "results.parquet")
    assert rows["latency:pixel2"].tolist() == [arch.count("nor_conv") + 1 for arch in rows["arch"]]
    assert set(pd.read_parquet(whole / "front.parquet")["arch"]) == set(
        pareto_front(rows, "naswot,-latency:pixel2")["arch"]
    )
    assert read_run(whole)["objectives"] == ["naswot", "-latency:pixel2"]
    assert call("search", *PLSEARCH, *made, 6, "--out", part).code == 0
    ended = call("search", "--resume", part, "--num-samples", 10)
    assert ended.code == 0, ended.err
    assert pd.read_parquet(part / "results.parquet")["arch"].tolist() == rows["arch"].tolist()
    assert call("report", whole).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--objectives naswot,-latency:pixel_2 --costs T", "Did you mean 'latency:pixel2'"),
        ("--objectives naswot,latency:pixel2 --costs T", "would be maximised; write -latency:pixel2"),
        ("--objectives naswot,-naswot", "Each objective must be named once, got naswot twice"),
        ("--objectives naswot,-latency:pixel2", "needs a table that holds it, got no --costs"),
        ("--costs T", "--costs has no use without --objectives"),
        ("--objectives naswot,-flops --costs T --proxies naswot flops", "--costs has no use without"),
        ("--objectives accuracy,-latency:pixel2 --costs T", "Unknown objective 'valid_acc'"),
        ("--objectives naswot,-latency:pixel2 --costs nowhere.csv", "but there is no file"),
        ("--objectives a,-b --searcher-args objectives=a,-b", "Objectives are given once"),
        ("--objectives naswot,-latency:pixel2 --costs T --searcher rea", "random_weights --searcher-args of"),
        ("--objectives naswot,-latency:pixel2 --costs T --space darts", "whose archs can be listed"),
    ],
)  # fmt: skip
def test_costs_that_cannot_be_are_one_sentence(tmp_path: Path, latency: Path, words: str, said: str) -> None:
    given = [str(latency) if word == "T" else word for word in words.split()]
    searcher = () if "--searcher" in given else ("--searcher", "nsga2")
    proxies = () if "--proxies" in given else ("--proxies", "naswot")
    where = ("--driver", "process", "--batch-size", 4, "--out", tmp_path / "run")
    ended = call("search", *given, *searcher, *proxies, *where)
    assert ended.code == 2, ended.out
    assert said in " ".join(ended.err.split())
    assert not (tmp_path / "run").exists()
