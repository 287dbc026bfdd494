"""A full disk costs no result that is complete, and is told in a sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest

from tests.guards.commands import AT_NIGHT, COMMANDS, FOLDERS, call
from tests.night import by_day

KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path, left: int) -> None:
    """Leaves `left` bytes of room on the disk."""
    space = os.statvfs(disk)
    (disk / "ballast").write_bytes(b"x" * (space.f_bavail * space.f_frsize - left))


@pytest.mark.parametrize("left", [0, 4 * KIB])
@pytest.mark.parametrize(
    "name", by_day(COMMANDS, COMMANDS.keys() - AT_NIGHT, faster="test_a_disk_that_is_full_from_the_start")
)
def test_a_disk_that_is_full_from_the_start(
    name: str, left: int, disk: Path, files: Path, tmp_path: Path
) -> None:
    command = COMMANDS[name]
    if left and command.ray:
        pytest.skip("it would start Ray")
    if left and name in ("audit", "export_nats", "predict"):
        pytest.skip("its table of three rows or one has room there")
    out = command.out(disk)
    if command.writes != "file":
        out.mkdir()
    fill(disk, left)
    ended = call(name, *command.tiny(files), "--out", out)
    assert ended.code in (1, 2), ended
    lines = ended.err.strip().splitlines()
    assert lines[-1].startswith("error: ")
    assert "No space left on device" in lines[-1]
    assert "Traceback" not in ended.out + ended.err
    assert not list(disk.rglob(".[0-9]*-*"))


def test_a_training_on_a_full_disk_leaves_no_writer(disk: Path, files: Path) -> None:
    at_exit: list[Callable[[], object]] = []
    out = disk / "made"
    out.mkdir()
    fill(disk, 4 * KIB)
    with mock.patch("tensorboardX.writer.atexit.register", at_exit.append):
        ended = call("train", *COMMANDS["train"].tiny(files), "--out", out)
    assert ended.code in (1, 2), ended
    assert at_exit  # the disk was full after the training had begun
    for finish in at_exit:
        finish()


AGAIN = {
    "compare_searchers": "compare-runs.parquet",
    "staleness": "staleness-runs.parquet",
    "choose_score": "choices.parquet",
    "record": "record.parquet",
    "one_shot_truth": "searches.parquet",
    "compare_estimates": "estimates.parquet",
    "unseen": "contest.parquet",
    "contest": "contest.parquet",
    "reproduce": "skips-counts.csv",
    "trace": "transitions.parquet",
}


def files_of(out: Path) -> dict[str, bytes]:
    """Returns what the files of a folder hold, but for `run.json`."""
    return {
        path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.name != "run.json"
    }


@pytest.mark.parametrize(
    "name",
    by_day(
        AGAIN,
        AGAIN.keys() - AT_NIGHT,
        faster="test_a_second_run_that_ends_for_want_of_space_leaves_the_first",
    ),
)
def test_a_second_run_that_ends_for_want_of_space_leaves_the_first(
    name: str, disk: Path, files: Path
) -> None:
    command = COMMANDS[name]
    out = command.out(disk)
    assert call(name, *command.tiny(files), "--out", out).code == 0
    before = files_of(out)
    assert AGAIN[name] in before
    fill(disk, 8 * KIB)
    ended = call(name, *command.tiny(files), "--out", out)
    assert ended.code in (1, 2), ended
    assert "No space left on device" in ended.err
    assert files_of(out) == before
    if AGAIN[name].endswith(".parquet"):
        assert len(pd.read_parquet(out / AGAIN[name]))


def test_every_command_that_makes_its_tables_again_is_tried() -> None:
    again = {name for name in FOLDERS if COMMANDS[name].writes == "folder" and not COMMANDS[name].ray}
    assert again == {*AGAIN, "check_proxy"}  # whose page alone is larger than the disk
