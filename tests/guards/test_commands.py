"""The table of commands is whole, and their smallest runs work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guards.commands import COMMANDS, SCRIPTS, call


def test_every_script_is_in_the_table() -> None:
    assert sorted(COMMANDS) == SCRIPTS


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not command.ray])
def test_the_smallest_run_works(name: str, files: Path, tmp_path: Path) -> None:
    command = COMMANDS[name]
    ended = call(name, *command.tiny(files), "--out", command.out(tmp_path))
    assert ended.code == 0, ended
    assert command.out(tmp_path).exists()
