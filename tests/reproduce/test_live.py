"""Live runs: real nets in real trials."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from nas_ray.drivers.plan import Plan
from nas_ray.errors import UsageError
from nas_ray.reproduce import run as reproduce
from nas_ray.reproduce.args import ReproduceArgs
from nas_ray.reproduce.live import LiveRuns, slug
from nas_ray.reproduce.measures import SHORT
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.spaces import NatsTss
from tests.reproduce.synthetic import write_files

ROWS = (Setting("params, random search", "random_search", "rank_sum:synflow,params", evaluations=4),)
TABLE = Table("tiny", "a search", "", settings=ROWS)


def args_for(folder: Path, **changes: object) -> ReproduceArgs:
    write_files(str(folder))
    given: dict[str, object] = {
        "benchmark": str(folder / "nats.csv"), "scores": "live", "images": "digits", "batch_size": 8,
        "time_budget_s": 1.0, "seeds": 2, "resamples": 20, "out": folder / "out", "num_cpus": 1,
        "archs_per_trial": 5,
    }  # fmt: skip
    return ReproduceArgs(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.slow(faster="test_scores_are_computed_on_the_device_of_the_plan")
def test_runs_have_their_own_weights_and_are_kept(ray_started: None, tmp_path: Path) -> None:
    args, said = args_for(tmp_path), io.StringIO()
    console = Console(file=said, width=200)
    assert reproduce.run(args, [TABLE], console) == 0
    files = sorted((tmp_path / "out" / "live").rglob("*.parquet"))
    assert [f"{path.parent.name}/{path.name}" for path in files] == [
        f"params-random-search/{seed}.parquet" for seed in (0, 1)
    ]
    rows = [pd.read_parquet(path) for path in files]
    assert [len(table) for table in rows] == [4, 4]
    assert set(rows[0]["synflow"]).isdisjoint(rows[1]["synflow"])  # other archs, and other weights
    lines = pd.read_csv(tmp_path / "out" / "tiny.csv")
    assert set(lines["runs"]) == {2}
    assert "Scores are live" in said.getvalue()
    stamps = [path.stat().st_mtime_ns for path in files]
    assert reproduce.run(args, [TABLE], console) == 0  # nothing is run again
    assert [path.stat().st_mtime_ns for path in files] == stamps
    with pytest.raises(UsageError, match="holds live runs with batch_size 8, but now it is 16"):
        reproduce.run(args_for(tmp_path, batch_size=16), [TABLE], console)


def test_only_tables_of_searches_by_proxies_can_be_live(tmp_path: Path) -> None:
    short = Table("short", "", "", settings=(Setting("a", "rea", SHORT, evaluations=5),))
    with pytest.raises(UsageError, match="needs tables of searches by proxies and test accuracy, got short"):
        LiveRuns.of(args_for(tmp_path), [TABLE, short])


def test_numbers_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--time-budget-s must be above 0"):
        LiveRuns.of(args_for(tmp_path, time_budget_s=0.0), [TABLE])


def test_titles_become_folders() -> None:
    assert slug("SynFlow, REA: skip forced to 0->3") == "synflow-rea-skip-forced-to-0-3"


@pytest.mark.parametrize("together", [1, 5])
def test_scores_are_computed_on_the_device_of_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    runs = LiveRuns.of(args_for(tmp_path, archs_per_trial=together), [TABLE])
    assert runs is not None
    placed: list[str] = []

    def search(searcher: object, evaluator: Any, **options: object) -> pd.DataFrame:
        placed.append(evaluator.accelerator)
        return pd.DataFrame({"arch": ["a"]})

    monkeypatch.setattr("nas_ray.reproduce.live.tune_search", search)
    known: Any = SimpleNamespace(space=NatsTss(), costs=None)
    for seed, gpus in enumerate((0.0, 0.5)):
        plan = Plan(gpus_per_trial=gpus)
        runs._search(known, ROWS[0], "cifar10", seed, folder=tmp_path, plan=plan)
    assert placed == ["cpu", "gpu"]
