"""No command writes into a folder without looking at what it is, nor beside another process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock

from tests.guards.commands import COMMANDS, FOLDERS, refused, write_run


def content(folder: Path) -> dict[str, bytes]:
    """Returns what the files of `folder` hold, but for the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_folder_of_a_search_stays_as_it_is(name: str, files: Path, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "rea")
    before = content(folder)
    said = refused(name, *COMMANDS[name].tiny(files), "--out", folder)
    if COMMANDS[name].writes == "new":
        assert said == (
            f"The folder {folder} already holds a run; continue it with --resume {folder} or choose another "
            "--out."
        )
    else:
        assert said == (
            f"The folder {folder} holds a run of rea.py, which {name}.py would overwrite; choose another "
            "--out."
        )
    assert content(folder) == before


@pytest.mark.parametrize("held", ["train", "best_arch"])
@pytest.mark.parametrize("name", FOLDERS)
def test_the_folder_of_another_experiment_is_refused(
    name: str, held: str, files: Path, tmp_path: Path
) -> None:
    if name.startswith(held):
        return
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "experiment": held}))
    (tmp_path / "results.csv").write_text("kept")
    before = content(tmp_path)
    assert f"The folder {tmp_path} " in refused(name, *COMMANDS[name].tiny(files), "--out", tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.writes == "file"])
def test_a_file_of_a_run_is_not_replaced(name: str, files: Path, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "rea")
    before = content(folder)
    assert "another" in refused(name, *COMMANDS[name].tiny(files), "--out", folder / "results.csv")
    assert content(folder) == before


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_another_process_writes_is_refused(name: str, files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with FileLock(folder / ".lock"):
        said = refused(name, *COMMANDS[name].tiny(files), "--out", folder)
    assert said == f"Another process is writing the folder {folder}; wait for it or stop it."
    assert content(folder) == {}


def test_a_refused_resume_of_a_running_search_removes_nothing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "rea")
    (folder / "tune").mkdir()
    (folder / "tune" / "snapshot").touch()
    before = content(folder)
    with FileLock(folder / ".lock"):
        said = refused("rea", "--resume", folder)
    assert said == f"Another process is writing the folder {folder}; wait for it or stop it."
    assert content(folder) == before
