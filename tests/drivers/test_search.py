"""Real trials on a real local Ray cluster."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.ray_compat import LOUD
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import tune_search
from nas_ray.evaluation.proxy_scores import Lookup, ProxyScores
from nas_ray.proxies import PROXIES
from nas_ray.runs.folder import read_run
from nas_ray.runs.journal import FILE_NAME, read_journal
from nas_ray.searchers import RandomSearch, RankSum, RegularizedEvolution, Row, Single, SkipRea
from nas_ray.spaces import NatsTss

SPACE = NatsTss(channels=4, cells=1)
SCORES = ("naswot", "synflow")


def evaluator(**proxies: object) -> ProxyScores:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(8, 3, 16, 16)).astype(np.float32)
    chosen = {name: PROXIES[name] for name in SCORES} | proxies
    return ProxyScores(SPACE, 10, inputs, rng.integers(10, size=8), chosen)  # type: ignore[arg-type]


def search(seed: int = 0) -> RegularizedEvolution:
    return RegularizedEvolution(SPACE, fitness=RankSum(SCORES), population=6, sample=3, seed=seed)


def scores_in_order(archs: list[str]) -> dict[str, list[float]]:
    evaluate, scores = evaluator(), {}
    for arch in archs:
        torch.rand(3)
        rows: list[Row] = []
        evaluate(arch, rows.append)
        scores[arch] = [rows[0][name] for name in SCORES]
    return scores


def test_scores_do_not_depend_on_order_or_on_what_was_random_before() -> None:
    archs = [SPACE.sample(np.random.default_rng(n)) for n in range(6)]
    tables = [scores_in_order(order) for order in (archs, archs[::-1])]
    assert tables[0] == tables[1]


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    evaluator()(SPACE[5], lambda row: None)
    assert torch.equal(torch.rand(2), expected)


def fails(net: object, inputs: object, targets: object) -> float:
    raise RuntimeError("boom\nsecond line")


def undefined(net: object, inputs: object, targets: object) -> float:
    return float("-inf")


def starved(net: object, inputs: object, targets: object) -> float:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")


def test_a_failure_is_a_row_and_the_other_scores_are_kept() -> None:
    rows: list[Row] = []
    evaluator(fails=fails, undefined=undefined, starved=starved)(SPACE[6111], rows.append)
    (row,) = rows
    assert row["error"] == "fails: RuntimeError: boom; undefined is -inf; starved: out of memory"
    assert row["error_kind"] == "out_of_memory"
    assert np.isnan(row["fails"])
    assert row["undefined"] == -np.inf
    assert np.isfinite([row["naswot"], row["synflow"]]).all()


def test_an_arch_that_cannot_be_built_is_a_row() -> None:
    rows: list[Row] = []
    evaluator()("nonsense", rows.append)
    assert "got 'nonsense'" in rows[0]["error"]
    assert np.isnan(rows[0]["naswot"])


def test_a_foreign_proxy_owns_its_net() -> None:
    def breaks(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        for parameter in net.parameters():
            parameter.data.zero_()
        return 0.0

    rows: list[Row] = []
    evaluator()(SPACE[6111], rows.append)
    last = ProxyScores(
        SPACE, 10, evaluator().inputs, evaluator().targets, {"breaks": breaks, "naswot": PROXIES["naswot"]}
    )
    last(SPACE[6111], rows.append)
    assert rows[0]["naswot"] == rows[1]["naswot"]


def test_simulate_charges_the_clock_and_stops_at_either_limit() -> None:
    benchmark = open_benchmark("nb201", "cifar10")
    assert benchmark is not None
    make = lambda: RegularizedEvolution(NatsTss(), fitness=Single(("valid_acc",)))  # noqa: E731
    by_count = simulate(make(), Lookup(benchmark, 200), num_samples=120)
    assert len(by_count) == 120
    np.testing.assert_allclose(by_count["seconds"].cumsum(), by_count["finished_at"])
    limit = float(by_count["finished_at"].iloc[40])
    by_time = simulate(make(), Lookup(benchmark, 200), seconds=limit)
    assert by_time["arch"].tolist() == by_count["arch"].tolist()[:41]


def test_tune_with_one_worker_equals_simulate(ray_started: None, tmp_path: Path) -> None:
    logged: list[str] = []
    listening = logging.Handler()
    listening.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in LOUD]
    level = logging.getLogger("ray.tune").level
    logging.getLogger("ray.tune").setLevel(logging.WARNING)  # as where the user has started Ray
    for logger in loggers:
        logger.addHandler(listening)
    hosted = tune_search(search(), evaluator(), folder=tmp_path, num_samples=25, max_concurrent=1)
    for logger in loggers:
        logger.removeHandler(listening)
        assert not logger.filters
    logging.getLogger("ray.tune").setLevel(level)
    assert not logged
    assert {path.name for path in tmp_path.iterdir()} == {
        *("journal.jsonl", "run.json", "best.json", "results.csv", "results.parquet")
    }
    assert read_run(tmp_path)["status"] == "finished"
    local = simulate(search(), evaluator(), num_samples=25)
    columns = ["trial", "arch", *SCORES, "fitness", "reused", "error"]
    pd.testing.assert_frame_equal(hosted[columns], local[columns], rtol=1e-6)
    assert not (tmp_path / "tune").exists()


def test_scores_are_equal_at_any_concurrency(ray_started: None, tmp_path: Path) -> None:
    tables = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        searcher = RandomSearch(SPACE, fitness=RankSum(SCORES))
        rows = tune_search(searcher, evaluator(), folder=folder, num_samples=12, max_concurrent=workers)
        tables.append(rows.sort_values("trial").reset_index(drop=True)[["trial", "arch", *SCORES, "fitness"]])
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow(faster="test_either_driver_goes_on_with_the_other_to_equal_rows")
def test_a_finished_search_is_extended_as_if_it_had_been_longer(ray_started: None, tmp_path: Path) -> None:
    tune_search(search(), evaluator(), folder=tmp_path, num_samples=9, max_concurrent=1)
    longer = search()
    longer.replay(read_journal(tmp_path / FILE_NAME))
    rows = tune_search(longer, evaluator(), folder=tmp_path, num_samples=14, max_concurrent=1)
    whole = simulate(search(), evaluator(), num_samples=14)
    assert rows["arch"].tolist() == whole["arch"].tolist()
    assert rows["finished_at"].is_monotonic_increasing


class DiesOnce:
    """An evaluator that kills its worker the first time that it sees one arch."""

    def __init__(self, arch: str, marker: Path, always: bool = False) -> None:
        self.arch, self.marker, self.always = arch, marker, always

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        if arch == self.arch and (self.always or not self.marker.exists()):
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        report({"x": float(len(arch)), "seconds": 0.0, "error": None})


@pytest.mark.slow(faster="test_trials_that_fail_are_failed_rows_and_the_search_goes_on")
@pytest.mark.parametrize("always", [False, True])
def test_a_worker_that_dies_does_not_end_the_search(ray_started: None, tmp_path: Path, always: bool) -> None:
    asked = simulate(
        RandomSearch(SPACE, fitness=Single(("x",))), DiesOnce("", tmp_path / "never"), num_samples=8
    )
    victim = asked["arch"][3]
    rows = tune_search(
        RandomSearch(SPACE, fitness=Single(("x",))),
        DiesOnce(victim, tmp_path / "died", always),
        folder=tmp_path,
        num_samples=8,
        max_concurrent=2,
    )
    assert (tmp_path / "died").exists()
    assert set(rows["arch"]) == set(asked["arch"])
    errors = {
        arch: error for arch, error in zip(rows["arch"], rows["error"], strict=True) if isinstance(error, str)
    }
    assert errors == ({victim: "the worker died before the trial ended"} if always else {})


@pytest.mark.slow(faster="test_no_searcher_leaves_the_limits")
def test_skip_filter_holds_in_a_real_search(ray_started: None, tmp_path: Path) -> None:
    searcher = SkipRea(SPACE, fitness=RankSum(SCORES), population=4, sample=2, min_skips=1, max_skips=2)
    rows = tune_search(searcher, evaluator(), folder=tmp_path, num_samples=12, max_concurrent=2)
    assert rows["arch"].str.count("skip_connect").between(1, 2).all()
