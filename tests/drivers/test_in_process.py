"""The driver in this process: rows, limits and interruptions as those of Ray with one worker."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nas_ray.drivers.plan import Budget, Cancelled, Listeners, Plan
from nas_ray.drivers.run_trials import run_trials
from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError
from nas_ray.rows import Row
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.searchers import ArchSearcher, RegularizedEvolution, Single
from nas_ray.searchers.given import GivenArchs
from nas_ray.spaces import NatsTss

SPACE = NatsTss()
ARCHS = SPACE.archs[:4]
HERE = Plan(driver="process")


def evaluate(arch: str, report: Callable[[Row], None]) -> None:
    report({"score": float(SPACE.index(arch)), "seconds": 0.1, "error": None})


def given() -> ArchSearcher:
    return GivenArchs(SPACE, fitness=Single(("score",)), archs=ARCHS)


def evolution() -> ArchSearcher:
    return RegularizedEvolution(SPACE, fitness=Single(("score",)), population=5, sample=2, seed=3)


def run(
    searcher: ArchSearcher,
    folder: Path,
    evaluator: Any = evaluate,
    plan: Plan = HERE,
    budget: Budget | None = None,
    listeners: Listeners | None = None,
) -> Any:
    with contextlib.closing(Journal(folder / FILE_NAME)) as journal:
        return run_trials(
            searcher,
            evaluator,
            plan,
            budget or Budget(),
            listeners or Listeners(),
            folder=folder,
            journal=journal,
        )


@pytest.mark.parametrize("archs_per_trial", [1, 4])
def test_it_asks_for_what_simulate_asks_for(archs_per_trial: int, tmp_path: Path) -> None:
    plan = Plan(driver="process", archs_per_trial=archs_per_trial)
    rows = run(evolution(), tmp_path, plan=plan, budget=Budget(40))
    again = simulate(evolution(), evaluate, num_samples=40, archs_per_trial=archs_per_trial)
    assert rows["arch"].tolist() == again["arch"].tolist()
    assert rows["finished_at"].is_monotonic_increasing
    assert rows["finished_at"].max() < again["finished_at"].max()  # the clock is that of the machine


@pytest.mark.parametrize("events", range(12))
def test_a_search_that_was_killed_after_any_event_goes_on_to_equal_rows(events: int, tmp_path: Path) -> None:
    whole = run(evolution(), tmp_path, budget=Budget(6))
    path = tmp_path / FILE_NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:events]))
    resumed = evolution()
    resumed.replay(read_journal(path))
    rows = run(resumed, tmp_path, budget=Budget(6))
    assert rows["arch"].tolist() == whole["arch"].tolist()
    assert rows["fitness"].tolist() == whole["fitness"].tolist()


def test_seconds_are_those_of_the_machine(tmp_path: Path) -> None:
    def slow(arch: str, report: Callable[[Row], None]) -> None:
        time.sleep(0.06)
        evaluate(arch, report)

    rows = run(evolution(), tmp_path, slow, budget=Budget(seconds=0.2))
    assert 1 <= len(rows) <= 4


def test_a_failure_is_a_row_and_what_takes_too_long_as_well(tmp_path: Path) -> None:
    def some(arch: str, report: Callable[[Row], None]) -> None:
        if arch == ARCHS[1]:
            raise ValueError("no such net")
        if arch == ARCHS[2]:
            while True:
                time.sleep(0.01)
        evaluate(arch, report)

    rows = run(given(), tmp_path, some, plan=Plan(driver="process", trial_timeout_s=0.5))
    assert rows["error"].fillna("").tolist() == [
        "",
        "ValueError: no such net",
        "timed out after 0.5 s",
        "",
    ]
    assert rows["error_kind"].fillna("").tolist() == ["", "raised", "timed_out", ""]


def test_a_limit_of_time_does_not_end_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs in foreign code ends a worker of Ray, but is waited for here."""
    armed: list[float] = []
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda seconds, **options: armed.append(seconds))
    run(given(), tmp_path, plan=Plan(driver="process", trial_timeout_s=5))
    assert not armed


def test_a_limit_of_time_needs_the_main_thread(tmp_path: Path) -> None:
    raised: list[Exception] = []

    def search() -> None:
        try:
            run(given(), tmp_path, plan=Plan(driver="process", trial_timeout_s=5))
        except UsageError as error:
            raised.append(error)

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert [str(error) for error in raised] == [
        "The driver process can end a trial after trial_timeout_s in the main thread alone; leave it out, or "
        "take the driver ray."
    ]


class Training:
    """Three epochs of an arch; notes which were trained, and keeps what is not forgotten."""

    until = 3

    def __init__(self) -> None:
        self.trained: list[tuple[str, int]] = []
        self.kept: dict[str, int] = {}

    def __call__(self, arch: str, report: Callable[[Row], None]) -> None:
        for row in self.epochs(arch):
            report(row)

    def epochs(self, arch: str) -> Iterator[Row]:
        for epoch in range(self.kept.get(arch, 0) + 1, self.until + 1):
            self.trained.append((arch, epoch))
            self.kept[arch] = epoch
            yield {"score": 10.0 * epoch, "valid_acc": 10.0 * epoch, "epochs": epoch, "error": None}

    def forget(self, arch: str) -> None:
        self.kept.pop(arch)


def test_epochs_run_in_order_and_a_cancelled_training_goes_on_after_its_last(tmp_path: Path) -> None:
    training, seen = Training(), list[Row]()
    listeners = Listeners(on_epoch=seen.extend, cancelled=lambda: len(seen) == 4)  # in the second arch
    with pytest.raises(Cancelled):
        run(given(), tmp_path, training, listeners=listeners)
    assert training.kept == {ARCHS[1]: 2}
    resumed = given()
    resumed.replay(read_journal(tmp_path / FILE_NAME))
    rows = run(resumed, tmp_path, training)
    assert training.trained == [(arch, epoch) for arch in ARCHS for epoch in (1, 2, 3)]
    assert rows["epochs"].tolist() == [3, 3, 3, 3]
    assert not training.kept


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"driver": "proces"},
            r"Unknown driver 'proces'\. Did you mean 'process'\? Known: process, ray\.",
        ),
        (
            {"driver": "process", "max_concurrent": 2},
            r"The driver process runs one trial after the other, so max_concurrent must be 1, got 2; take "
            r"the driver ray for more\.",
        ),
        ({"driver": "process", "scheduler": object}, "A scheduler of Ray Tune needs the driver ray; "),
        ({"trial_timeout_s": 0}, r"trial_timeout_s must be a number larger than 0 or None, got 0\."),
    ],
)
def test_a_plan_says_what_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Plan(**options)


@pytest.mark.parametrize("given", [{"num_samples": -1}, {"num_samples": 1.5}, {"seconds": "1"}])
def test_a_budget_is_numbers(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"must be a (whole )?number of at least 0 or None, got"):
        Budget(**given)
