"""Ray that does not start, in every command that starts it."""

from __future__ import annotations

from pathlib import Path

import pytest
import ray

from nas_ray.drivers.local_ray import LIMITS
from tests.guards.commands import COMMANDS, RAY, call


@pytest.mark.parametrize("name", RAY)
def test_it_is_one_sentence_and_no_run_is_left_running(
    name: str, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**options: object) -> None:
        raise OSError("validate_socket_filename failed: AF_UNIX path length\nand more")

    monkeypatch.setattr(ray, "init", init)
    ended = call(name, *COMMANDS[name].tiny(files), "--out", COMMANDS[name].out(tmp_path))
    assert ended.code == 2, ended
    told = "validate_socket_filename failed: AF_UNIX path length"
    assert ended.err.endswith(f"error: Ray cannot start on this machine: {told}; {LIMITS}\n")
    assert "Traceback" not in ended.err
    run = COMMANDS[name].out(tmp_path) / "run.json"
    assert not run.exists() or '"status": "failed"' in run.read_text()
