"""Every command does its work whatever others left around it, and whatever its folder is called.

One run of each command has it all at once: variables of Slurm and torchrun, a backend of a notebook, standard
output that cannot be written, and a name that is markup, TeX, an emoji, a line break and no UTF-8.
"""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.commands import AT_NIGHT, COMMANDS, RAY, ROOT, call
from tests.night import by_day

OTHERS = {
    "SLURM_JOB_ID": "4711",
    "SLURM_NTASKS": "4",
    "SLURM_PROCID": "2",
    "SLURM_LOCALID": "2",
    "SLURM_NODEID": "0",
    "RANK": "3",
    "WORLD_SIZE": "8",
    "MASTER_PORT": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
NAME = os.fsdecode(b"r3[/a] [x] :smile: $\\frac$ it's\nno caf\xe9")


class Gone(io.TextIOBase):
    """Standard output whose reader has gone."""

    encoding = "ascii"  # type: ignore[assignment]

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


ALIKE = ("random_search", "rea", "skip_rea", "reinforce")
"""Scripts that are `search.py` but for a searcher; Ray takes its time to start."""


@pytest.mark.ray
def test_a_search_ends_well_among_others_with_a_ray_of_its_own(files: Path, tmp_path: Path) -> None:
    ends_well("search", files, tmp_path)


@pytest.mark.parametrize("name", [name for name in RAY if name not in (*ALIKE, "search")])
@pytest.mark.slow(faster="test_a_search_ends_well_among_others_with_a_ray_of_its_own")
def test_a_command_on_ray_ends_well_among_others(
    name: str, ray_started: None, files: Path, tmp_path: Path
) -> None:
    ends_well(name, files, tmp_path)


@pytest.mark.parametrize(
    "name",
    by_day(
        [name for name in COMMANDS if name not in RAY],
        COMMANDS.keys() - AT_NIGHT,
        faster="test_a_command_ends_well_among_others",
    ),
)
def test_a_command_ends_well_among_others(name: str, files: Path, tmp_path: Path) -> None:
    ends_well(name, files, tmp_path)


def ends_well(name: str, files: Path, tmp_path: Path) -> None:
    command = COMMANDS[name]
    folder = tmp_path / NAME
    folder.mkdir(parents=True)
    out = command.out(folder)
    ended = call(name, *command.tiny(files), "--out", out, environment=OTHERS, stdout=Gone())
    assert (ended.code, "Traceback" in ended.err) == (0, False), ended.err
    assert "cannot be" not in ended.err, ended.err
    assert out.is_file() if command.writes == "file" else (out / "run.json").is_file()
    if name == "train":
        assert (out / "model_card.md").is_file()
        assert list(out.glob("nets/*/tensorboard/events*"))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_printed_whoever_listens(name: str) -> None:
    ended = call(name, "--help", stdout=Gone())
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("ends", ["| head -1", ">&-", "> /dev/full", "2>&- >&-"])
def test_a_process_ends_quietly(ends: str) -> None:
    command = shlex.join([sys.executable, str(ROOT / "experiments" / "reproduce.py"), "--list"])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} {ends}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    full = "Standard output cannot be written (No space left on device)" if "full" in ends else ""
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(full) if full else not done.stderr
