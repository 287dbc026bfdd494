"""The walk-through for images of one's own by day: the commands of the page, with a tiny budget."""

from __future__ import annotations

import contextlib
import io
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks
from tests.docs.checks import own_data
from tests.docs.running import Walk, called

PAGE = "docs/own_data.md"
TINY = {
    "--num-samples 60": (
        "--num-samples 4 --population 3 --sample 2 --batch-size 8 --driver process --space small:small"
    ),
    "--recipe epochs:15:flip=false --seeds 3": (
        "--recipe epochs:1:data_fraction=0.1 --seeds 2 --num-threads 1"
    ),
    "--num-samples 9": "--num-samples 2 --batch-size 8 --driver process --proxies synflow",
}
SMALL = "from nas_ray.spaces import NatsTss\n\ndef small():\n    return NatsTss(channels=4, cells=1)\n"


def until_what_came_of_it() -> list[Block]:
    """Returns the blocks of the walk itself; figures follow it."""
    every = blocks(PAGE)
    return list(every[: next(place for place, block in enumerate(every) if "freerea" in block.text)])


@pytest.mark.slow(faster="test_a_page_by_day")
def test_the_walk_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "small.py").write_text(SMALL, encoding="utf-8")
    make, use = (block.text for block in until_what_came_of_it() if block.language == "python")
    commands = [shlex.join(words) for block in until_what_came_of_it() for words in commands_of(block)]
    assert len(commands) == 4
    for long, short in TINY.items():
        assert sum(long in command for command in commands) == 1
        commands = [command.replace(long, short) for command in commands]
    exec(make, {})
    for command in commands:
        ended = called(shlex.split(command))
        assert ended.code == 0, ended
    own_data(Walk(PAGE, tmp_path))
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(use.replace('model.pt"', 'model.pt", space=small.small()'), {"small": import_module("small")})
    assert f"[{len(list((tmp_path / 'digits' / '3').iterdir()))} rows x 3 columns]" in said.getvalue()


def commands_of(block: Block) -> list[list[str]]:
    return block.commands if block.language == "bash" else []
