"""A worker that waits for its first trial has imported what it needs, and is the one that the trial takes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import ray

from nas_ray.drivers import ray_compat, warm
from nas_ray.drivers.local_ray import await_worker, stop_ray
from nas_ray.drivers.resources import Request, start_ray
from nas_ray.drivers.tune_search import tune_search
from nas_ray.searchers import RandomSearch, Single
from nas_ray.spaces import NatsTss


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "heavy_one.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(warm, "PACKAGES", ("no_such_package", "heavy_one"))
    monkeypatch.setattr(warm, "busy", threading.Event())
    monkeypatch.setattr(warm, "PAUSE_S", 0.01)
    yield "heavy_one"
    sys.modules.pop("heavy_one", None)


def test_what_is_there_is_imported_after_a_pause_for_one_core(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    warm._import()
    assert package in sys.modules
    assert os.environ["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # the user's own
    warm._import()
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_a_worker_that_has_something_else_to_do_imports_nothing(package: str) -> None:
    warm.busy.set()
    warm._import()
    assert package not in sys.modules


def test_modules_of_the_user_are_imported_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_preload_python_modules", "theirs")
    assert ray_compat.warm_workers() == {"RAY_preload_python_modules": "theirs,nas_ray.drivers.warm"}
    monkeypatch.delenv("RAY_preload_python_modules")
    assert ray_compat.warm_workers() == {"RAY_preload_python_modules": "nas_ray.drivers.warm"}


def made_by(arch: str, report: object) -> None:
    """Says who evaluates an arch, and what it had imported before."""
    there = sys.modules["nas_ray.drivers.warm"]
    there.imports.join(60)
    report({"score": 1.0, "process": os.getpid(), "imported": not there.busy.is_set()})  # type: ignore[operator]


@pytest.mark.ray
def test_the_first_trial_takes_a_worker_that_is_up(tmp_path: Path) -> None:
    start_ray(Request(num_cpus=2, num_gpus=0), gpus=0, wait=False, warm=True)
    try:
        await_worker()
        deadline = time.monotonic() + 60
        while len(up := workers()) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        rows = tune_search(
            RandomSearch(NatsTss(), fitness=Single(("score",))), made_by, folder=tmp_path, num_samples=1
        )
        assert ray.is_initialized()
    finally:
        stop_ray()
    assert set(rows["process"]) <= up
    assert rows["imported"].all()


def workers() -> set[int]:
    """Returns the workers of the Ray of this process that wait for something to do."""
    found = psutil.Process().children(recursive=True)
    return {process.pid for process in found if "ray::IDLE" in " ".join(process.cmdline())}
