"""The settings of docs/finding_trials.md, down to the training of the arch that a trial found."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from nas_ray.drivers.keeping import replay_run
from nas_ray.drivers.simulation import simulate
from nas_ray.drivers.tune_search import to_table, tune_search
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.html_report import write_report
from nas_ray.report.read_runs import read_runs
from nas_ray.runs.folder import create_run
from nas_ray.runs.journal import FILE_NAME, read_journal
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.experiment import Prepared, prepare
from nas_ray.search.finish import finish, show
from nas_ray.search.session import describe
from nas_ray.searchers import RandomSearch, RegularizedEvolution, Single
from nas_ray.spaces import NatsTss
from nas_ray.train.args import parse
from nas_ray.train.run import train
from tests.docs.blocks import blocks

CODE = next(block.text for block in blocks("docs/finding_trials.md") if block.file == "settings.py")
SPACE = NatsTss()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of the page."""
    (tmp_path / "settings.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import settings  # type: ignore[import-not-found]

    yield settings
    del sys.modules["settings"]


def experiment_of(settings: ModuleType) -> Prepared:
    """A search over the settings of the page, as the command line prepares one."""
    args = SearchArgs(
        space="settings:Settings",
        fidelity="epochs:1",
        images="digits",
        benchmark="nb201",
        proxies=("naswot",),
    )
    return dataclasses.replace(prepare("one_shot", args, RandomSearch), evaluator=settings.one_shot)


def made(settings: ModuleType, experiment: Prepared, folder: Path) -> None:
    """Makes the folder of a run."""
    info = {**describe(experiment), "status": "running"}
    create_run(folder, info)


def test_the_setting_of_a_row_gives_it_again(settings: ModuleType) -> None:
    searcher = RandomSearch(settings.Settings(), fitness=Single(("valid_acc",)))
    rows = simulate(searcher, settings.one_shot, num_samples=2)
    assert list(rows.columns[:3]) == ["arch", "found", "valid_acc"]
    best = rows.iloc[0]
    reported: list[dict[str, Any]] = []
    settings.one_shot(best["arch"], reported.append)
    assert len(reported) == 2
    assert reported[-1]["found"] == best["found"]


def test_a_searcher_learns_from_settings(settings: ModuleType) -> None:
    searcher = RegularizedEvolution(
        settings.Settings(), fitness=Single(("valid_acc",)), population=2, sample=1
    )
    rows = simulate(searcher, settings.one_shot, num_samples=4)
    assert all(row["arch"].startswith("toy,") and row["found"] in SPACE for row in searcher.history)
    assert rows["found"].notna().all()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_started")
@pytest.mark.slow(faster="test_a_searcher_learns_from_settings")
def test_from_ray_to_the_trained_net(settings: ModuleType, tmp_path: Path) -> None:
    experiment, folder = experiment_of(settings), tmp_path / "run"
    made(settings, experiment, folder)
    tune_search(experiment.searcher, settings.one_shot, folder=folder, num_samples=2)
    again = experiment_of(settings)  # another process goes on
    replay_run(again.searcher, folder)
    assert to_table(again.searcher)["found"].equals(to_table(experiment.searcher)["found"])
    tune_search(again.searcher, settings.one_shot, folder=folder, num_samples=4)
    assert all(event["row"]["found"] in SPACE for event in read_journal(folder / FILE_NAME) if "row" in event)
    console = Console(record=True, width=200)
    assert show(finish(again, folder, 1.0), again, console) == 0
    check_folder(folder, console.export_text())
    args = parse("", [str(folder), "--recipe", "epochs:1", "--seeds", "1", "--formats", "none"])
    small = dataclasses.replace(args, num_threads=1, proxies=("params",), out=tmp_path / "trained")
    assert train(small, Console(quiet=True)) == 0
    best = json.loads((folder / "best.json").read_text())
    assert pd.read_csv(tmp_path / "trained" / "results.csv")["arch"].tolist() == [best["arch"]]


def check_folder(folder: Path, said: str) -> None:
    """All that is left says what was found."""
    rows = pd.read_parquet(folder / "results.parquet")
    row = rows.loc[rows["fitness"].idxmax()]
    best = json.loads((folder / "best.json").read_text())
    assert (best["arch"], best["asked"]) == (row["found"], row["arch"])
    assert best["index"] == SPACE.index(row["found"])
    assert best["accuracy"] == pytest.approx(row["benchmark_valid_acc"])
    assert rows["benchmark_valid_acc"].notna().all()
    assert best["rank"] >= 1
    assert f"found by {row['arch']}" in said
    assert (folder / "cell.png").stat().st_size > 0
    assert (folder / "search.png").stat().st_size > 0
    (run,) = read_runs(folder, Accuracies())
    assert run.rows["accuracy"].notna().all()
    page = write_report([folder]).read_text(encoding="utf-8")
    assert row["found"] in page
    assert "found by" in page
    assert "<svg" in page
