from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nas_ray.drivers import private_folder
from nas_ray.drivers.private_folder import LOCK, LONGEST_SOCKET, SOCKET, PrivateFolder, sweep
from nas_ray.errors import UsageError


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder that is short enough for sockets, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_TMPDIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)


def test_it_is_private_and_short_and_goes(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(short / "made"))
    folder = PrivateFolder()
    assert folder.path.parent == short / "made"
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.spill is None
    assert len(str(folder.path) + SOCKET) <= LONGEST_SOCKET
    (folder.inner / "session").mkdir(parents=True)
    folder.remove()
    assert not folder.path.exists()


def test_logs_are_kept_if_wanted(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(short))
    folder = PrivateFolder()
    folder.remove(keep_logs=True)
    assert folder.path.parent == short
    assert folder.path.exists()


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
def test_a_folder_too_long_for_sockets_takes_what_is_spilled(
    variable: str, tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_folder, "SHORT", (short / "not there", short))
    long = tmp_path / ("long" * 10)
    monkeypatch.setenv(variable, str(long))
    folder = PrivateFolder()
    assert folder.path.parent == short
    assert folder.spill is not None
    assert folder.spill.parent == long
    assert stat.S_IMODE(folder.spill.stat().st_mode) == 0o700
    folder.remove()
    assert not folder.path.exists()
    assert not folder.spill.exists()


def test_no_short_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 10)
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(private_folder, "SHORT", (Path("/proc/none"),))
    with pytest.raises(UsageError) as caught:
        PrivateFolder()
    room = LONGEST_SOCKET - len(SOCKET) - len("/ray-12345678")
    assert str(caught.value).startswith(
        f"Ray's sockets need a folder of at most {room} characters, but {long} has {len(str(long))}, and Ray "
        "keeps its files in /proc/none, which must be writable, but: [Errno"
    )
    assert list(long.iterdir()) == []


def test_a_folder_that_cannot_be_written(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (short / "file").touch()
    monkeypatch.setenv("RAY_TMPDIR", str(short / "file"))
    with pytest.raises(
        UsageError, match=r"which must be writable, but: \[Errno 17\] .*; name a short folder"
    ):
        PrivateFolder()


def test_a_full_disk(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(short)
    monkeypatch.setenv("RAY_TMPDIR", str(short))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage._replace(free=2**21))
    with pytest.raises(
        UsageError, match="but: .*No space left on device; name a short folder with room in RAY"
    ):
        PrivateFolder()
    assert list(short.iterdir()) == []


def test_folders_of_killed_processes_are_removed(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(short))
    monkeypatch.setattr(private_folder, "SHORT", ())
    killed = (
        "import os; from nas_ray.drivers.private_folder import PrivateFolder\n"
        "folder = PrivateFolder(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], check=False)
    [left] = short.iterdir()
    mine = PrivateFolder()
    (short / "ray-foreign").mkdir()
    sweep()
    assert left.exists()  # too young: its process may be about to lock it
    monkeypatch.setattr(private_folder, "_YOUNG_S", -1.0)
    sweep()
    assert sorted(short.iterdir()) == sorted([mine.path, short / "ray-foreign"])
    assert os.path.exists(mine.path / LOCK)
    mine.remove()
