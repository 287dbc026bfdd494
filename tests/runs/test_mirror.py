from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from nas_ray.runs import mirror
from nas_ray.runs.folder import write_json
from nas_ray.runs.mirror import CLAIM, NotDelivered, run_folder
from nas_ray.runs.storage import working_folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mirror, "PAUSE_S", 0.02)
    monkeypatch.setattr(mirror, "SHARE", 0.0)
    monkeypatch.setattr(mirror, "PATIENCE_S", 0.3)


@pytest.fixture
def far(tmp_path: Path) -> Path:
    return tmp_path / "far" / "run"


def until(happens: Callable[[], bool]) -> None:
    for _ in range(1000):
        if happens():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def say(folder: Path, journal: str, status: str = "running") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "run.json", {"format": 1, "status": status})
    (folder / "journal.jsonl").write_text(journal)


def text(folder: Path) -> str:
    path = folder / "journal.jsonl"
    return path.read_text() if path.exists() else ""


def take_away(far: Path) -> Path:
    """Puts a file in the place of the folder above the run, so that every access to it fails."""
    kept = far.parent.rename(far.parents[1] / "kept")
    far.parent.touch()
    return kept


def bring_back(far: Path, kept: Path) -> None:
    far.parent.unlink()
    kept.rename(far.parent)


def test_a_folder_is_given_as_it_is(tmp_path: Path) -> None:
    with run_folder(tmp_path / "run", new=True) as folder:
        assert folder == tmp_path / "run"
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_arrives_while_the_run_goes_on(far: Path) -> None:
    with run_folder(f"file://{far}", new=True) as folder:
        say(folder, "1\n")
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "large.pt").touch()
        until(lambda: text(far) == "1\n")
        say(folder, "1\n2\n")
        until(lambda: text(far) == "1\n2\n")
        say(folder, "1\n2\n3\n", "finished")
    assert {path.name for path in far.iterdir()} == {"run.json", "journal.jsonl", CLAIM}
    assert text(far) == "1\n2\n3\n"
    assert not folder.exists()  # it is finished and delivered


def test_a_run_that_left_nothing_leaves_nothing_there(far: Path) -> None:
    def start_badly() -> None:
        with run_folder(f"file://{far}", new=True) as folder:
            say(folder, "1\n")
            until(lambda: text(far) == "1\n")
            for path in folder.iterdir():
                path.unlink()
            raise UsageError("bad")

    with pytest.raises(UsageError, match="^bad$"):
        start_badly()
    assert list(far.iterdir()) == []


def test_a_working_folder_that_is_removed_takes_nothing_from_the_storage(far: Path) -> None:
    uri = f"file://{far}"

    def lose() -> None:
        with run_folder(uri, new=True) as folder, contextlib.suppress(KeyboardInterrupt):
            say(folder, "1\n")
            until(lambda: text(far) == "1\n")
            shutil.rmtree(folder)
            until(lambda: False)  # it is interrupted, as if another process had claimed the run

    with pytest.raises(NotDelivered) as caught:
        lose()
    assert str(caught.value) == (
        f"The run {uri} ended because its working folder {working_folder(uri)} was removed; what had reached "
        f"the storage is there, so go on with --resume {uri}."
    )
    assert text(far) == "1\n"
    with run_folder(uri, new=False) as folder:
        assert text(folder) == "1\n"


def test_a_run_is_not_overwritten(far: Path) -> None:
    say(far, "1\n")
    with pytest.raises(UsageError) as caught, run_folder(f"file://{far}", new=True):
        pass
    assert str(caught.value) == (
        f"The folder file://{far} already holds a run; continue it with --resume file://{far} or choose "
        "another --out."
    )
    assert text(far) == "1\n"


def test_a_storage_that_comes_back_gets_all(far: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with run_folder(f"file://{far}", new=True) as folder:
        say(folder, "1\n")
        until(lambda: text(far) == "1\n")
        kept = take_away(far)
        say(folder, "1\n2\n")
        said = ""
        for _ in range(1000):
            said += capsys.readouterr().err
            if said:
                break
            time.sleep(0.02)
        time.sleep(0.2)
        said += capsys.readouterr().err
        bring_back(far, kept)
        until(lambda: text(far) == "1\n2\n")
    assert said.count("is away") == 1
    assert said.startswith(f"The storage of file://{far} is away (")


def test_what_could_not_be_delivered_is_kept_and_delivered_by_a_resumed_run(far: Path) -> None:
    folder, kept = working_folder(f"file://{far}"), far.parents[1] / "kept"

    def lose_the_storage() -> None:
        with run_folder(f"file://{far}", new=True):
            say(folder, "1\n")
            until(lambda: text(far) == "1\n")
            take_away(far)
            say(folder, "1\n2\n", "finished")

    with pytest.raises(NotDelivered) as caught:
        lose_the_storage()
    assert caught.value.exit_code == 1
    message = str(caught.value)
    assert message.startswith(f"The run must reach file://{far}, but for 0.3 s: NotADirectoryError: ")
    assert message.endswith(
        f"; it is whole in {folder}. Bring the storage back, then deliver it with --resume file://{far}."
    )
    bring_back(far, kept)
    with run_folder(f"file://{far}", new=False) as again:
        assert text(again) == "1\n2\n"
    assert text(far) == "1\n2\n"


def test_what_never_reached_the_storage_is_not_overwritten(far: Path) -> None:
    folder = working_folder(f"file://{far}")
    say(folder, "1\n")
    with pytest.raises(UsageError) as caught, run_folder(f"file://{far}", new=True):
        pass
    assert str(caught.value) == (
        f"The folder {folder} holds a run of file://{far} that did not reach it; continue it with --resume "
        f"file://{far}, or remove that folder."
    )
    assert text(folder) == "1\n"


def test_the_last_to_claim_a_run_has_it(far: Path) -> None:
    folder = working_folder(f"file://{far}")

    def be_replaced() -> None:
        with run_folder(f"file://{far}", new=True):
            say(folder, "1\n")
            until(lambda: text(far) == "1\n")
            with contextlib.suppress(KeyboardInterrupt):
                (far / CLAIM).write_text("another")
                until(lambda: False)
            say(far, "1\n7\n")
            say(folder, "1\n2\n")

    with pytest.raises(NotDelivered) as caught:
        be_replaced()
    assert str(caught.value) == (
        f"Another process continues the run file://{far}, so this one ended; what it did is in {folder}."
    )
    assert text(far) == "1\n7\n"
    assert text(folder) == "1\n2\n"


def test_a_second_process_of_this_machine_is_refused(far: Path) -> None:
    code = f"from nas_ray.runs.mirror import *\nwith run_folder('file://{far}', new=False): pass"
    with run_folder(f"file://{far}", new=True) as folder:
        say(folder, "1\n")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert f"Another process is writing the run file://{far}; wait for it or stop it." in done.stderr


def test_a_storage_that_is_away_at_the_start_is_said(far: Path) -> None:
    far.parent.touch()
    with pytest.raises(UsageError) as caught, run_folder(f"file://{far}", new=True):
        pass
    assert str(caught.value).startswith(f"The storage of file://{far} must be reachable, but: NotADirectory")
