"""GPUs that Ray hands out by their numbers alone: placement, with workers that stay on the CPU."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
import ray

import nas_ray
from nas_ray.drivers import cluster, resources
from nas_ray.drivers.local_ray import stop_ray
from nas_ray.drivers.pool import score_chunks
from nas_ray.drivers.resources import Request, check_request, make_plan, start_ray
from nas_ray.errors import UsageError
from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss
from tests.guards.commands import refused

SPACE = NatsTss(4, 1)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "local_gpus", lambda: 2)


def visible() -> float:
    """Returns the number of the only GPU that this process may use."""
    number = float(os.environ["CUDA_VISIBLE_DEVICES"])  # fails where there are several or none
    assert [float(given) for given in ray.get_gpu_ids()] == [number]
    return number


def says_its_gpu(arch: str, report: Callable[[dict[str, object]], None]) -> None:
    time.sleep(0.2)  # so that both workers are at work
    report({"score": visible(), "error": None})


def gpus_of(archs: Sequence[str]) -> pd.DataFrame:
    time.sleep(0.2)
    found = {"arch": list(archs), "score": visible(), "seconds": 0.1, "error": None, "error_kind": None}
    return pd.DataFrame(found)


@pytest.mark.ray
@pytest.mark.slow(faster="test_trials_never_need_more_of_a_gpu_than_there_is")
def test_a_worker_sees_the_gpu_that_it_was_given(two_gpus: None, tmp_path: Path) -> None:
    plan = start_ray(Request(num_cpus=2, gpus_per_trial=1.0))
    try:
        assert (plan.gpus, plan.gpus_per_trial, plan.max_concurrent) == (2, 1.0, 2)
        whole = searched(tmp_path / "whole", 1.0)
        shared = searched(tmp_path / "shared", 0.5)
        chunks = [[arch] for arch in whole["arch"]]
        pooled = pd.concat([rows for _, rows in score_chunks(gpus_of, chunks, plan, columns=["score"])])
    finally:
        stop_ray()
    assert one_to_one(whole)
    assert set(pooled["score"]) == {0.0, 1.0}
    assert shared["score"].groupby(shared["worker"]).nunique().eq(1).all()
    assert set(shared["score"]) <= {0.0, 1.0}
    for rows in (whole, shared, pooled):
        assert rows["error"].isna().all()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ  # of the driver


def searched(folder: Path, share: float) -> pd.DataFrame:
    folder.mkdir()
    searcher = RandomSearch(SPACE, fitness=Single(("score",)), seed=0)
    return nas_ray.tune_search(
        searcher, says_its_gpu, folder=folder, num_samples=6, max_concurrent=2, gpus_per_trial=share
    )


def one_to_one(rows: pd.DataFrame) -> bool:
    """Returns whether two workers had a GPU each, and always the same."""
    return len(rows[["worker", "score"]].drop_duplicates()) == rows["worker"].nunique() == 2


def test_more_gpus_than_there_are_are_refused_before_anything_starts(two_gpus: None, tmp_path: Path) -> None:
    said = (
        "--num-gpus 3 was asked for, but this machine has 2 GPUs; lower it, or give --address of a cluster "
        "that has them (--wait-for-gpus SECONDS, if they come later)."
    )
    with pytest.raises(UsageError) as caught:
        check_request(Request(num_gpus=3))
    assert str(caught.value) == said
    out = tmp_path / "run"
    options = ("--benchmark", "none", "--images", "digits", "--batch-size", "4", "--out", out)
    assert refused("rea", "--num-gpus", "3", *options) == said
    assert refused("rea", "--num-gpus", "1", "--gpus-per-trial", "2", *options) == (
        "--gpus-per-trial 2 does not fit into the 1 GPUs that the search may use."
    )
    assert not out.exists()


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3, 0.25, 0.1])
def test_trials_never_need_more_of_a_gpu_than_there_is(share: float) -> None:
    plan = make_plan(Request(gpus_per_trial=share), 64, 2, "this machine")
    per_gpu = plan.max_concurrent / 2
    assert per_gpu * share <= 1 + 1e-9 < (per_gpu + 1) * share + 1e-9


@pytest.fixture
def growing(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, float]]]:
    """A cluster that has 0, 1, 2 and then always 2 GPUs; returns what it was asked for."""
    asked: list[list[dict[str, float]]] = []
    seen = iter([(4, 0.0), (4, 1.0)])
    monkeypatch.setattr(cluster, "_resources", lambda: next(seen, (4, 2.0)))
    monkeypatch.setattr(cluster, "_request", asked.append)
    monkeypatch.setattr(cluster, "POLL_S", 0.01)
    monkeypatch.setattr(resources, "connect", lambda address, options: None)
    monkeypatch.setattr(resources, "stop_ray", lambda: None)
    return asked


def test_gpus_that_come_later_are_asked_for_and_waited_for(growing: list[list[dict[str, float]]]) -> None:
    plan = start_ray(Request(address="head:1", num_gpus=2, wait_for_gpus=60.0))
    assert (plan.gpus, plan.max_concurrent) == (2, 4)
    assert growing == [[{"CPU": 1, "GPU": 1}] * 2, []]  # and in the end nothing more


def test_gpus_that_do_not_come_are_said(growing: list[list[dict[str, float]]]) -> None:
    with pytest.raises(UsageError, match="--num-gpus 3 was asked for, but the cluster at head:1 has 2 GPUs"):
        start_ray(Request(address="head:1", num_gpus=3, wait_for_gpus=0.2))
    assert growing[-1] == []


def test_without_waiting_what_is_there_counts(growing: list[list[dict[str, float]]]) -> None:
    with pytest.raises(UsageError, match="--num-gpus 1 was asked for, but the cluster at head:1 has 0 GPUs"):
        start_ray(Request(address="head:1", num_gpus=1))
    assert not growing
