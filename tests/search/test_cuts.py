"""A search whose journal ends after any of its events goes on as if it had not been stopped.

What is cut here in this process is what SIGKILL leaves of a run: `run.json` of the start, and a journal that
ends after some event, or in the middle of one. Real kills, one for each kind of storage, are in
`tests/search/test_cli.py`, `tests/search/test_cli_storage.py` and `tests/cluster/test_client.py`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nas_ray.drivers.simulation import simulate
from nas_ray.runs.folder import create_run, read_run
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.search.arguments import ReaArgs
from nas_ray.search.experiment import Experiment, prepare
from nas_ray.search.session import describe, replay
from nas_ray.search.steps import leave

MEASURED = ["seconds", "finished_at", "worker"]
SAMPLES = 5


def experiment(archs_per_trial: int) -> Experiment:
    args = ReaArgs(
        images="digits", batch_size=4, population=3, sample=2, num_samples=SAMPLES, benchmark="none",
        archs_per_trial=archs_per_trial, proxies=("params", "synflow"), fitness="rank_sum:params,synflow",
    )  # fmt: skip
    return prepare("rea", args, "rea")


@pytest.fixture(scope="module", params=[1, 3])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, Path, pd.DataFrame]:
    """Archs per trial, the folder of a search that was left alone, and its rows."""
    made, folder = experiment(request.param), tmp_path_factory.mktemp("whole") / "run"
    create_run(folder, describe(made))
    rows = simulate(made.searcher, made.evaluator, num_samples=SAMPLES, archs_per_trial=request.param)
    journal = Journal(folder / FILE_NAME)
    for event in made.searcher.events:
        journal.append(event)
    journal.close()
    return request.param, folder, rows


def resumed(whole: Path, folder: Path, journal: str, archs_per_trial: int) -> pd.DataFrame:
    """Returns the rows of a run of which `journal` is left."""
    folder.mkdir()
    (folder / "run.json").write_bytes((whole / "run.json").read_bytes())
    (folder / FILE_NAME).write_text(journal)
    again = experiment(archs_per_trial)
    replay(again, folder)
    before = read_journal(folder / FILE_NAME)
    rows = simulate(again.searcher, again.evaluator, num_samples=SAMPLES, archs_per_trial=archs_per_trial)
    assert again.searcher.events[: len(before)] == before
    return rows


@pytest.mark.parametrize(
    "torn",
    [
        pytest.param(
            False,
            id="after",
            marks=pytest.mark.slow(faster="test_a_run_cut_after_any_event_ends_as_the_whole_one"),
        ),
        pytest.param(True, id="within"),
    ],
)
def test_a_run_cut_after_any_event_ends_as_the_whole_one(
    whole: tuple[int, Path, pd.DataFrame], tmp_path: Path, torn: bool
) -> None:
    archs_per_trial, folder, rows = whole
    lines = (folder / FILE_NAME).read_text().splitlines(keepends=True)
    assert len(lines) == 2 * SAMPLES
    for count in range(len(lines)):
        rest = lines[count][: len(lines[count]) // 2] if torn else ""
        table = resumed(folder, tmp_path / str(count), "".join(lines[:count]) + rest, archs_per_trial)
        pd.testing.assert_frame_equal(
            table.drop(columns=MEASURED),
            rows.drop(columns=MEASURED),
            rtol=1e-5,
            obj=f"cut after {count} events",
        )


def test_a_failed_search_whose_copy_elsewhere_had_rows_stays(
    whole: tuple[int, Path, pd.DataFrame], tmp_path: Path
) -> None:
    """As over Ray Client: the searcher here follows events, and never asks."""
    archs_per_trial, folder, rows = whole
    made = experiment(archs_per_trial)
    create_run(tmp_path / "run", describe(made))
    leave(made, tmp_path / "run", "failed", 0.0, new=True)
    assert not (tmp_path / "run" / "run.json").exists()  # nothing was evaluated
    create_run(tmp_path / "run", describe(made))
    for event in read_journal(folder / FILE_NAME):
        made.searcher.follow(event)
    leave(made, tmp_path / "run", "failed", 0.0, new=True)
    assert read_run(tmp_path / "run")["status"] == "failed"
    assert pd.read_parquet(tmp_path / "run" / "results.parquet")["arch"].tolist() == rows["arch"].tolist()
