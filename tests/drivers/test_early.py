"""Ray starts while a command is imported, where that is certainly what the command will need."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from nas_ray.drivers import early
from nas_ray.drivers.plan import Plan
from nas_ray.drivers.resources import Request
from nas_ray.errors import UsageError

WANTED = Request(num_cpus=1, client=True)


class Starts:
    """Stands for Ray: notes what is started and ended."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.error: UsageError | None = None
        self.there = True

    def start(self, request: Request, **options: Any) -> Plan:
        if self.error:
            raise self.error
        self.told.append((request, options))
        return Plan(where="this machine")


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    made = Starts()
    for name, stand_in in {
        "start_ray": made.start,
        "stop_ray": lambda: made.told.append("stopped"),
        "await_worker": lambda: made.told.append("awaited"),
        "imported_ray": lambda: SimpleNamespace(is_initialized=lambda: made.there),
        "end_as_ctrl_c": lambda: None,
        "local_gpus": lambda: 0,
        "certainly_no_gpus": lambda: True,
    }.items():
        monkeypatch.setattr(early, name, stand_in)
    monkeypatch.delitem(sys.modules, "torch")  # as in a process that has just begun
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(early, "_started", None)
    return made


def test_it_is_taken_once_its_worker_is_up(starts: Starts) -> None:
    early.start_early(WANTED, ["tests.drivers.nowhere"])  # what cannot be imported is told by who needs it
    assert starts.told == [(WANTED, {"verbose": False, "gpus": 0, "wait": False, "warm": True})]
    assert early.started_early(WANTED) == Plan(where="this machine")
    assert starts.told[1:] == ["awaited"]
    assert early.started_early(WANTED) is None


def test_one_that_was_ended_meanwhile_is_not_taken(starts: Starts) -> None:
    early.start_early(WANTED, [])
    starts.there = False
    assert early.started_early(WANTED) is None
    assert "awaited" not in starts.told


def test_nothing_starts_where_imports_hide_variables(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "4")
    early.start_early(WANTED, [])
    assert starts.told == []


def test_another_one_is_ended(starts: Starts) -> None:
    early.start_early(WANTED, [])
    assert early.started_early(replace(WANTED, num_cpus=2)) is None
    assert starts.told[1:] == ["stopped"]


def test_gpus_that_were_not_to_be_seen_end_it(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    early.start_early(WANTED, [])
    monkeypatch.setattr(early, "local_gpus", lambda: 1)
    assert early.started_early(WANTED) is None
    assert starts.told[1:] == ["stopped"]


def test_a_start_that_fails_is_left_to_the_one_that_is_needed(starts: Starts) -> None:
    starts.error = UsageError("Ray cannot start on this machine.")
    early.start_early(WANTED, [])
    assert early.started_early(WANTED) is None
    assert starts.told == []


@pytest.mark.parametrize(
    "request_",
    [
        Request(driver="process"),
        Request(address="10.0.0.1:6379"),
        Request(num_gpus=2),
        Request(num_cpus=10**6),
        Request(gpus_per_trial=0.5),
    ],
)
def test_nothing_starts_that_is_not_certain(request_: Request, starts: Starts) -> None:
    early.start_early(request_, [])
    assert starts.told == []


def test_nothing_starts_where_gpus_must_be_counted_or_all_is_there(
    starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", object())
    early.start_early(WANTED, [])
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(early, "certainly_no_gpus", lambda: False)
    early.start_early(WANTED, [])
    assert starts.told == []
