"""Searches as a function: one after the other in a process, cancelled and resumed, leaving no trace."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nas_ray
from nas_ray import Budget, Experiment, Listeners, Plan, ProxyScores, UsageError, run_experiment
from nas_ray.benchmarks import open_benchmark
from nas_ray.drivers.simulation import simulate
from nas_ray.proxies import PROXIES
from nas_ray.rows import Row
from nas_ray.runs.folder import read_run
from nas_ray.runs.journal import read_journal
from nas_ray.search.finish import Outcome
from nas_ray.searchers import ArchSearcher, LocalSearch, RankSum, RegularizedEvolution, Single
from nas_ray.spaces import NatsTss

SPACE = NatsTss(channels=4, cells=1)
SCORES = ("naswot", "synflow")
HERE = Plan(driver="process")
ON_RAY = Plan()
SAME = ["trial", "arch", *SCORES, "fitness", "reused", "error"]


def evaluator() -> ProxyScores:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(8, 3, 16, 16)).astype(np.float32)
    return ProxyScores(SPACE, 10, inputs, rng.integers(10, size=8), {name: PROXIES[name] for name in SCORES})


def evolution(seed: int = 0) -> ArchSearcher:
    return RegularizedEvolution(SPACE, fitness=RankSum(SCORES), population=6, sample=3, seed=seed)


def local_search() -> ArchSearcher:
    return LocalSearch(SPACE, fitness=RankSum(SCORES), seed=4)


def experiment(searcher: ArchSearcher, num_samples: int = 14, **options: Any) -> Experiment:
    budget = Budget(num_samples=num_samples)
    return Experiment(space=SPACE, searcher=searcher, evaluator=evaluator(), budget=budget, **options)


def assert_equal(rows: pd.DataFrame, others: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(rows[SAME], others[SAME], rtol=1e-6)


def surroundings() -> dict[str, object]:
    """What a search must leave as it was."""
    signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
    here = (os.getcwd(), list(sys.argv), torch.get_num_threads(), torch.initial_seed())
    return {"environment": dict(os.environ), "signals": signals, "here": here}


def in_thread(work: Callable[[], Outcome]) -> Outcome:
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_two_searches_of_one_process_are_those_that_each_is_alone(tmp_path: Path) -> None:
    run_two(HERE, tmp_path)


@pytest.mark.slow(faster="test_two_searches_of_one_process_are_those_that_each_is_alone")
def test_two_searches_on_ray_are_those_that_each_is_alone(ray_started: None, tmp_path: Path) -> None:
    run_two(ON_RAY, tmp_path)


def run_two(plan: Plan, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    before = surroundings()
    first = run_experiment(experiment(evolution()), plan, tmp_path / "a")
    second = in_thread(lambda: run_experiment(experiment(local_search()), plan, tmp_path / "b"))
    assert surroundings() == before
    assert (first.status, second.status) == ("finished", "finished")
    torch.set_num_threads(1)
    assert_equal(first.rows, simulate(evolution(), evaluator(), num_samples=14))
    assert_equal(second.rows, simulate(local_search(), evaluator(), num_samples=14))


def test_it_leaves_the_run_folder_of_a_command(tmp_path: Path) -> None:
    benchmark = open_benchmark("nb201", "cifar10")
    found = run_experiment(
        experiment(evolution(), benchmark=benchmark, name="mine"), HERE, tmp_path, pictures=True
    )
    names = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    files = {"journal.jsonl", "run.json", "results.parquet", "results.csv", "best.json"}
    assert names == files | {"cell.png", "search.png"}
    info = read_run(tmp_path)
    assert (info["experiment"], info["status"], info["scores"]) == ("mine", "finished", list(SCORES))
    assert info["args"]["driver"] == "process"
    stored = pd.read_parquet(tmp_path / "results.parquet")
    assert stored["arch"].tolist() == found.rows["arch"].tolist()
    assert stored["valid_acc"].between(5, 100).all()
    assert found.best is not None
    assert json.loads((tmp_path / "best.json").read_text())["arch"] == found.best["arch"]


def test_a_report_reads_its_folder(tmp_path: Path) -> None:
    from tests.guards.commands import call

    run_experiment(experiment(evolution(), benchmark=open_benchmark("nb201", "cifar10")), HERE, tmp_path)
    ended = call("report", tmp_path)
    assert ended.code == 0, ended.err
    assert (tmp_path / "report.html").is_file()


def test_a_cancelled_search_goes_on_to_equal_numbers(tmp_path: Path) -> None:
    cancel_and_go_on(HERE, tmp_path)


def test_a_search_cancelled_on_ray_goes_on_to_equal_numbers(ray_started: None, tmp_path: Path) -> None:
    cancel_and_go_on(ON_RAY, tmp_path)


def cancel_and_go_on(plan: Plan, tmp_path: Path) -> None:
    before = surroundings()
    rows, enough, cancel = [0], threading.Event(), threading.Event()

    def count(event: dict[str, Any]) -> None:
        rows[0] += event["event"] == "tell"
        if rows[0] == 5:
            enough.set()
            cancel.wait()

    def canceller() -> None:  # another thread, as that of a service
        enough.wait()
        cancel.set()

    thread = threading.Thread(target=canceller)
    thread.start()
    listeners = Listeners(on_event=count, cancelled=cancel.is_set)
    cancelled = run_experiment(experiment(evolution()), plan, tmp_path, listeners)
    thread.join()
    assert cancelled.status == read_run(tmp_path)["status"] == "cancelled"
    assert len(cancelled.rows) == len(pd.read_parquet(tmp_path / "results.parquet")) == 5
    assert cancelled.best is not None
    resumed = run_experiment(experiment(evolution()), HERE, tmp_path)  # by the other driver as well
    assert surroundings() == before
    assert resumed.status == read_run(tmp_path)["status"] == "finished"
    assert_equal(resumed.rows, simulate(evolution(), evaluator(), num_samples=14))
    events = read_journal(tmp_path / "journal.jsonl")
    assert [event["trial"] for event in events if event["event"] == "ask"] == list(range(14))


@pytest.mark.ray
@pytest.mark.slow(faster="test_a_search_cancelled_on_ray_goes_on_to_equal_numbers")
def test_a_trial_that_runs_is_not_waited_for(ray_started: None, tmp_path: Path) -> None:
    """It would take ten minutes; the worker is free for the next search."""

    def slow(arch: str, report: Callable[[Row], None]) -> None:
        import time

        time.sleep(600)

    cancel = threading.Event()
    wanted = Experiment(space=SPACE, searcher=evolution(), evaluator=slow, budget=Budget(3))
    asked = Listeners(lambda event: threading.Timer(3, cancel.set).start(), cancelled=cancel.is_set)
    assert run_experiment(wanted, ON_RAY, tmp_path / "slow", asked).status == "cancelled"
    events = read_journal(tmp_path / "slow" / "journal.jsonl")
    assert [event["event"] for event in events] == ["ask"]
    assert len(run_experiment(experiment(evolution(), 2), Plan(max_concurrent=2), tmp_path / "b").rows) == 2


def test_a_search_that_is_cancelled_at_once_has_no_rows(tmp_path: Path) -> None:
    found = run_experiment(experiment(evolution()), HERE, tmp_path, Listeners(cancelled=lambda: True))
    assert (found.status, len(found.rows), found.best) == ("cancelled", 0, None)
    assert len(run_experiment(experiment(evolution()), HERE, tmp_path).rows) == 14


def test_a_finished_search_is_extended(tmp_path: Path) -> None:
    run_experiment(experiment(evolution(), 9), HERE, tmp_path)
    longer = run_experiment(experiment(evolution(), 14), HERE, tmp_path)
    assert_equal(longer.rows, simulate(evolution(), evaluator(), num_samples=14))
    assert read_run(tmp_path)["args"]["num_samples"] == 14


def test_searches_of_two_threads_take_turns(tmp_path: Path) -> None:
    """Their scores depend on global random states, which each of them sets."""
    found: dict[int, Outcome] = {}

    def search(seed: int) -> None:
        found[seed] = run_experiment(experiment(evolution(seed)), HERE, tmp_path / str(seed))

    threads = [threading.Thread(target=search, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        assert_equal(found[seed].rows, simulate(evolution(seed), evaluator(), num_samples=14))


class Raises(RegularizedEvolution):
    """Raises when it hears of its third row."""

    def tell(self, arch: str, row: Row) -> None:
        if len(self.history) == 3:
            raise ZeroDivisionError("of the searcher")
        super().tell(arch, row)


def test_what_a_searcher_raises_loses_no_row(tmp_path: Path) -> None:
    options = {"fitness": RankSum(SCORES), "population": 6, "sample": 3}
    with pytest.raises(ZeroDivisionError, match="of the searcher"):
        run_experiment(experiment(Raises(SPACE, **options)), HERE, tmp_path)  # type: ignore[arg-type]
    assert read_run(tmp_path)["status"] == "failed"
    assert len(pd.read_parquet(tmp_path / "results.parquet")) == 3
    mended = run_experiment(experiment(evolution()), HERE, tmp_path)
    assert_equal(mended.rows, simulate(evolution(), evaluator(), num_samples=14))


def test_ctrl_c_keeps_the_rows(tmp_path: Path) -> None:
    def interrupt(event: dict[str, Any]) -> None:
        if event["event"] == "tell" and event["trial"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_experiment(experiment(evolution()), HERE, tmp_path, Listeners(on_event=interrupt))
    assert read_run(tmp_path)["status"] == "interrupted"
    assert len(pd.read_parquet(tmp_path / "results.parquet")) == 4


def test_a_folder_of_another_search_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    run_experiment(experiment(evolution(), 5), HERE, tmp_path)
    journal = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(UsageError, match="holds a run of the experiment 'experiment', not of 'mine'"):
        run_experiment(experiment(evolution(), name="mine"), HERE, tmp_path)
    with pytest.raises(UsageError, match="cannot be continued: Trial 0 of the journal is"):
        run_experiment(experiment(evolution(seed=5)), HERE, tmp_path)
    with pytest.raises(UsageError, match="made with archs_per_trial=1 and cannot go on with 4"):
        run_experiment(experiment(evolution()), Plan(driver="process", archs_per_trial=4), tmp_path)
    changed = experiment(evolution())
    changed.evaluator.inputs = changed.evaluator.inputs + 1  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="scored another minibatch than its evaluator gives now"):
        run_experiment(changed, HERE, tmp_path)
    assert (tmp_path / "journal.jsonl").read_bytes() == journal
    assert read_run(tmp_path)["status"] == "finished"


def test_a_searcher_is_used_once(tmp_path: Path) -> None:
    once = experiment(evolution(), 3)
    run_experiment(once, HERE, tmp_path / "a")
    with pytest.raises(UsageError, match="a searcher that has not begun, and this one has asked for 3 archs"):
        run_experiment(once, HERE, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_ray_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    with pytest.raises(UsageError, match=r"needs a Ray that is initialised; call ray\.init\(\) first"):
        run_experiment(experiment(evolution()), ON_RAY, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_public_names() -> None:
    assert {"Experiment", "Plan", "Budget", "Listeners", "run_experiment"} <= set(nas_ray.__all__)


@pytest.mark.parametrize(
    ("given", "kept", "failed"),
    [
        ({"curve": [1, 2.5]}, {"curve": "[1, 2.5]"}, False),
        ({"more": {"a": {"b": 1}}}, {"more": '{"a": {"b": 1}}'}, False),
        ({"note": "\ud800"}, {"note": "\\ud800"}, False),
        ({"seconds": None}, {}, True),
        ({"seconds": "1"}, {}, True),
        ({"seconds": True}, {}, True),
        ({"x": "high"}, {}, True),
        ({"x": True}, {}, True),
    ],
)
def test_whatever_a_row_holds_it_is_kept_and_the_search_goes_on(
    given: dict[str, Any], kept: dict[str, Any], failed: bool, tmp_path: Path
) -> None:
    def odd(arch: str, report: Callable[[Row], None]) -> None:
        report({"x": float(len(arch) % 3), "seconds": 0.0, "error": None, **given})

    def one(count: int) -> Experiment:
        space = NatsTss()
        searcher = LocalSearch(space, fitness=Single(("x",)))
        return Experiment(space=space, searcher=searcher, evaluator=odd, budget=Budget(count))

    assert len(run_experiment(one(3), HERE, tmp_path).rows) == 3
    rows = run_experiment(one(5), HERE, tmp_path).rows  # what was written can be read
    assert len(rows) == 5
    assert rows["error"].notna().all() if failed else rows["error"].isna().all()
    assert not np.isfinite(rows["fitness"].astype(float)).any() if failed else True
    for name, value in kept.items():
        assert set(rows[name]) == {value}


def test_an_empty_folder_is_no_folder() -> None:
    with pytest.raises(UsageError, match="needs a folder, got ''"):
        run_experiment(experiment(evolution()), HERE, "")
