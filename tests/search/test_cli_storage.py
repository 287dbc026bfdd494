"""Searches whose run folder lies on a storage, as a user runs them."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from nas_ray.runs.journal import read_journal
from tests.commands.next_line import next_commands
from tests.guards.commands import call, refused
from tests.search.test_cli import command, wait_for_rows

SEARCH = ["--proxies", "params,tests.cluster.pauses:pauses", "--images", "digits", "--batch-size", "4"]


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return tmp_path / "far" / "run"


@pytest.mark.ray
@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(
            *(signal.SIGKILL, -9),
            marks=pytest.mark.slow(faster="test_a_run_cut_after_any_event_ends_as_the_whole_one"),
        ),
        pytest.param(
            *(signal.SIGTERM, 130),
            marks=pytest.mark.slow(faster="test_a_signal_ends_it_as_ctrl_c_does"),
        ),
    ],
)
def test_a_stopped_search_goes_on_on_another_machine(
    end: signal.Signals,
    code: int,
    far: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = [*SEARCH, "--benchmark", "none", "--num-samples", 14, "--out", f"file://{far}"]
    process = subprocess.Popen(
        command("random_search", *wanted), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_for_rows(process, far, 4)
    process.send_signal(end)
    said = process.communicate(timeout=100)[0]
    assert process.returncode == code, said
    before = read_journal(far / "journal.jsonl")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    done = call("random_search", "--resume", f"file://{far}", "--driver", "process")
    assert done.code == 0, done.err
    assert f"folder     file://{far}" in done.out
    assert next_commands(done.out)[0].endswith(f" --resume file://{far}")
    events = read_journal(far / "journal.jsonl")
    assert events[: len(before)] == before
    told = [event["trial"] for event in events if event["event"] == "tell"]
    assert sorted(told) == list(range(14))
    assert len(pd.read_parquet(far / "results.parquet")) == 14


def test_a_run_on_a_storage_that_is_there_is_refused(far: Path) -> None:
    far.mkdir(parents=True)
    (far / "run.json").write_text("{}")
    assert refused("random_search", *SEARCH[2:], "--proxies", "params", "--out", f"file://{far}") == (
        f"The folder file://{far} already holds a run; continue it with --resume file://{far} or choose "
        "another --out."
    )


def test_no_run_on_the_storage_is_said(far: Path) -> None:
    assert (
        refused("rea", "--resume", f"file://{far}") == f"A run is needed at file://{far}, and there is none."
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("score_space", ["--num-archs", "2", "--images", "digits", "--out"]),
        ("correlate", ["--num-archs", "10", "--proxies", "params", "--images", "digits", "--out"]),
        ("train", ["--arch", "resnet-20", "--images", "digits", "--out"]),
        ("train", ["--resume"]),
        ("report", []),
    ],
)
def test_other_experiments_make_no_folder_named_after_a_scheme(
    name: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(name, *arguments, "s3://bucket/a") == (
        "A folder of this machine is needed here, got s3://bucket/a; only searches and two_stage.py write "
        "to a storage, so give a folder and copy it."
    )
    assert list(tmp_path.iterdir()) == []
