"""Callbacks of Ray Tune on our searches: what they see, what they leave, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from nas_ray.drivers.callbacks import LOGS, clear
from nas_ray.drivers.plan import Budget, Listeners, Plan
from nas_ray.drivers.trainable import flat_result
from nas_ray.drivers.tune_search import tune_search
from nas_ray.errors import UsageError
from nas_ray.search.base import Experiment
from nas_ray.search.run_experiment import run_experiment
from nas_ray.searchers import RandomSearch, Single
from nas_ray.searchers.messages import epoch_result, result_of
from tests.searchers.toy import Line


def evaluate(arch: str, report: Any) -> None:
    """Scores an arch of `Line` by its number; the last fails."""
    if arch == "3":
        raise ValueError("no such net")
    report({"x": float(arch), "seconds": 0.0, "error": None})


def search(**options: Any) -> RandomSearch:
    return RandomSearch(Line(4), fitness=Single(("x",)), **options)


def test_a_callback_sees_every_trial_and_loggers_leave_files(ray_started: None, tmp_path: Path) -> None:
    from ray import tune
    from ray.tune.logger import CSVLoggerCallback, JsonLoggerCallback

    class Mine(tune.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.seen: list[tuple[str, Any]] = []

        def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            self.seen.append(("start", trial.config["arch"]))

        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
            self.seen.append(("result", {**result}))

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            self.seen.append(("complete", trial.config["arch"]))

    mine = Mine()
    searcher = search()
    rows = tune_search(
        searcher, evaluate, folder=tmp_path, callbacks=[mine, JsonLoggerCallback(), CSVLoggerCallback()]
    )
    assert sorted(rows["arch"]) == list("0123")
    for kind in ("start", "complete"):
        assert sorted(arch for said, arch in mine.seen if said == kind) == list("0123")
    results = {result["arch"]: result for said, result in mine.seen if said == "result"}
    assert [results[arch]["x"] for arch in "012"] == [0.0, 1.0, 2.0]
    assert results["3"]["error"] == "ValueError: no such net"
    assert all(set(row) <= {*rows.columns} - {"rows", "score", "done"} for row in searcher.history)
    written = {path.name: path for path in (tmp_path / LOGS).rglob("*") if path.is_file()}
    assert {"result.json", "progress.csv", "params.json"} <= set(written)
    logged = [
        json.loads(path.read_text().splitlines()[-1]) for path in (tmp_path / LOGS).rglob("result.json")
    ]
    assert sorted(line["arch"] for line in logged) == list("0123")
    assert not list(tmp_path.rglob("*.pkl"))
    assert not (tmp_path / "tune").exists()


def test_nothing_is_left_without_callbacks(tmp_path: Path) -> None:
    for keep in (False, True):
        trial = tmp_path / "tune" / "0a"
        trial.mkdir(parents=True)
        for path in (trial / "params.pkl", trial / "result.json", trial.parent / "tuner.pkl"):
            path.touch()
        clear(tmp_path, tmp_path, keep=keep)
        left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
        assert left == ([f"{LOGS}/0a/result.json"] if keep else [])


def test_what_is_written_beside_the_run_comes_into_it(tmp_path: Path) -> None:
    storage, folder = tmp_path / "storage", tmp_path / "run"
    (storage / "tune" / "0a").mkdir(parents=True)
    (storage / "tune" / "0a" / "log").write_text("said")
    clear(storage, folder, keep=True)
    assert (folder / LOGS / "0a" / "log").read_text() == "said"
    assert not storage.exists()


def test_a_flat_result_keeps_what_is_tunes() -> None:
    row = {"x": 1.0, "score": 2.0, "pid": 3, "config": 4, "valid_acc": 5.0, "epochs": 1, "error": None}
    once = flat_result(result_of([row]), ["a"])
    assert (once["arch"], once["x"], once["score"], once["done"]) == ("a", 1.0, 2.0, True)
    assert not {"pid", "config"} & set(once)
    assert once["rows"] == [row]
    epoch = flat_result(epoch_result(row, 2), ["a"])
    assert (epoch["score"], epoch["valid_acc"], epoch["done"]) == (5.0, 5.0, False)
    several = result_of([row, row])
    assert flat_result(several, ["a", "b"]) is several
    assert math.isnan(flat_result(epoch_result({"error": "no"}, 2), ["a"])["score"])


@pytest.mark.parametrize("given", [print, "tensorboard", Listeners])
def test_what_is_no_callback_is_refused(given: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^Each of callbacks must be a ray\.tune\.Callback, such as a logg"):
        tune_search(search(), evaluate, folder=tmp_path, callbacks=[given])


def test_the_driver_process_has_none(tmp_path: Path) -> None:
    experiment = Experiment(
        space=Line(4), searcher=search(), evaluator=evaluate, budget=Budget(num_samples=2)
    )
    with pytest.raises(UsageError, match=r"^Callbacks of Ray Tune need the driver ray; the driver process t"):
        run_experiment(experiment, Plan(driver="process"), tmp_path / "run", Listeners(callbacks=[print]))
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_full_disk_loses_logs_and_no_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tune" / "run" / "trial").mkdir(parents=True)
    (tmp_path / "tune" / "run" / "trial" / "result.json").write_text("{}")
    (tmp_path / LOGS).write_text("no folder")
    clear(tmp_path, tmp_path, keep=True)
    assert f"What callbacks wrote is not kept in {tmp_path / LOGS}" in "".join(
        capsys.readouterr().err.split("\n")
    )
    assert not (tmp_path / "tune").exists()
