"""Whatever ends a command, it ends with one sentence, its exit code, and a folder that says so."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from unittest import mock

import pytest

from nas_ray.errors import UsageError
from tests.guards.commands import COMMANDS, FOLDERS, call


def status(folder: Path) -> str | None:
    """Returns what `run.json` says of how the run ended; None where nothing was left."""
    if not (folder / "run.json").exists():
        return None
    info = json.loads((folder / "run.json").read_text())
    return str(info.get("status", info.get("runs", [{}])[-1].get("status")))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_ends_it_as_ctrl_c_does(name: str, files: Path, tmp_path: Path) -> None:
    def stop(*args: object, **options: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal was ignored")

    command = COMMANDS[name]
    out = command.out(tmp_path)
    with mock.patch(command.work, stop):
        ended = call(name, *command.tiny(files), "--out", out)
    assert ended.code == 130, ended
    assert "Traceback" not in ended.out + ended.err
    assert "Interrupted" in ended.out + ended.err
    if command.writes == "file":
        assert not out.exists()
    else:
        assert status(out) == "interrupted"
        assert str(out) in ended.out.splitlines()[-1]  # the command that goes on


FAILURES = {
    "usage": (UsageError("No such thing; do another."), "No such thing; do another."),
    "other": (RuntimeError("first\nsecond"), "RuntimeError: first"),
}


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_failure_is_one_sentence(name: str, kind: str, files: Path, tmp_path: Path) -> None:
    error, says = FAILURES[kind]
    command = COMMANDS[name]
    out = command.out(tmp_path)
    with mock.patch(command.work, side_effect=error):
        ended = call(name, *command.tiny(files), "--out", out)
    assert ended.code in (1, 2), ended
    line = ended.err.strip().splitlines()[-1]
    assert line.startswith("error: ")
    assert says in line
    assert line.endswith(".")
    assert "Traceback" not in ended.out + ended.err
    if command.writes != "file":
        assert status(out) in ("failed", None)
    if command.writes == "new" and command.ray:
        assert not out.exists()  # nothing was evaluated: the same command can be given again


@pytest.mark.parametrize("name", FOLDERS)
def test_what_ended_with_a_failure_can_be_begun_again(name: str, files: Path, tmp_path: Path) -> None:
    command = COMMANDS[name]
    for _ in range(2):
        with mock.patch(command.work, side_effect=RuntimeError("again")):
            out = command.out(tmp_path)
            begun = command.resumes and out.exists()
            given = ["--resume", out] if begun else [*command.tiny(files), "--out", out]
            ended = call(name, *given)
        assert "again" in ended.err, ended
