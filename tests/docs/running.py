"""Runs the blocks of a page as they stand, one after the other, as somebody would who follows it."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import tyro

from nas_ray.commands import names
from nas_ray.terminal.command_line import check_args
from tests.docs.blocks import PROGRAMS, ROOT, Block, blocks
from tests.docs.needs import missing
from tests.guards.commands import Ended, call

BY_DAY = 15.0
"""Seconds; what takes longer on one core runs at night."""
BY_NIGHT = 600.0
"""Seconds; what takes longer is only read: its words must be arguments of the command."""
OUTSIDE = (("pip",), ("python", "-m"), ("ray",), ("sbatch",), ("export",), ("source",), ("bash",), ("cd",))
"""How commands begin that are no program of this project."""


class Parsed(Exception):
    """The arguments of a command were read."""

    def __init__(self, args: Any) -> None:
        super().__init__()
        self.args_of = args


@dataclass
class Walk:
    """What happened on a page.

    Attributes:
        page: its file.
        folder: the working directory.
        names: what its Python defined.
        ran: blocks that were run.
        read: blocks of which only the words were read, with the reason.
        said: what each command printed, by its words.
    """

    page: str
    folder: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    ran: list[Block] = field(default_factory=list)
    read: dict[Block, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


def follow(page: str, folder: Path, data: Path | None, *, most: float = BY_DAY) -> Walk:
    """Runs the blocks of `page` in `folder`, which is the working directory.

    Args:
        page: its file, from the root.
        folder: an empty one.
        data: folder of real data, or None.
        most: seconds; blocks that say that they take longer are only read. A block that uses what one of
            these would have left says how long it takes, too.
    """
    walk = Walk(page, folder)
    for block in blocks(page):
        if block.language == "text" or (block.language == "toml" and not block.file):
            continue
        lacks = missing(block.needs, folder, data)
        long = block.seconds is not None and block.seconds > most
        if lacks or long:
            walk.read[block] = f"needs {', '.join(lacks)}" if lacks else f"takes {block.seconds:.0f} s"
            read(block, folder)
            continue
        with told(block):
            run(block, walk)
        walk.ran.append(block)
    return walk


@contextlib.contextmanager
def told(block: Block) -> Iterator[None]:
    """Says where the block stands that fails."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            error.add_note(f"in {block}:\n{block.text}") if hasattr(error, "add_note") else None
        raise


def run(block: Block, walk: Walk) -> None:
    """Runs a block."""
    if block.file:
        path = walk.folder / block.file
        before = path.read_text(encoding="utf-8") + "\n\n" if path.exists() else ""
        path.write_text(before + block.text, encoding="utf-8")
        sys.modules.pop(path.stem, None)
        if path.suffix == ".py":
            importlib.invalidate_caches()
            importlib.import_module(path.stem)
    elif block.language == "python":
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(compile(block.text, str(block), "exec"), walk.names)
        walk.said[str(block)] = said.getvalue()
    else:
        for words in block.commands:
            if outside(words):
                continue
            ended = called(words)
            assert ended.code == 0, f"{block}: {' '.join(words)}\n{ended.out}\n{ended.err}"
            walk.said[" ".join(words)] = ended.out


def read(block: Block, folder: Path) -> None:
    """Reads the words of the commands of a block as their programs would, or compiles its Python."""
    if block.language == "python":
        compile(block.text, str(block), "exec")
        return
    for words in block.commands if block.language == "bash" else ():
        with told(block):
            assert words[0] in PROGRAMS, f"{words[0]} is none of {', '.join(PROGRAMS)}"
            if not outside(words):
                parse(words)


def parse(words: list[str]) -> None:
    """Lets the program read its words and ends it there; checks numbers and names."""
    if {"--help", "--version"} & set(words):
        assert called(words).code == 0, words
        return
    if "--resume" in words:  # such a command reads the run first
        place = words.index("--resume")
        words = words[:place] + words[place + 2 :]
    real = tyro.cli

    def only(*given: Any, **options: Any) -> Any:
        raise Parsed(real(*given, **options))

    def plain(parser: argparse.ArgumentParser, *_: Any) -> Any:
        known, unknown = parser.parse_known_args()
        assert not unknown, unknown
        raise Parsed(known)

    try:
        with mock.patch("tyro.cli", only), mock.patch("argparse.ArgumentParser.parse_args", plain):
            ended = called(words)
    except Parsed as done:
        if words[0] == "nas-ray" or "/experiments/" in f"/{words[1]}":
            check_args(done.args_of)
            with mock.patch.object(names, "CHECKS", {}), mock.patch.object(names, "check_paths"):
                names.check_names(done.args_of)  # whose files and clusters may not be here
        return
    raise AssertionError(f"{' '.join(words)} ends without reading its arguments: {ended}")


def outside(words: list[str]) -> bool:
    """Returns whether a command is no program of this project."""
    return any(tuple(words[: len(begin)]) == begin for begin in OUTSIDE)


def called(words: list[str]) -> Ended:
    """Runs a command in this process."""
    plain = {"COLUMNS": "140"}
    if words[0] == "nas-ray":
        return call(None, *words[1:], environment=plain)
    program, script, *arguments = words
    assert program == "python", words
    assert (ROOT / script).is_file(), f"there is no {script}"
    if script.startswith("experiments/"):
        return call(Path(script).stem, *arguments, environment=plain)
    return of_script(ROOT / script, arguments)


def of_script(path: Path, arguments: list[str]) -> Ended:
    """Runs a script as `python PATH` would."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", [str(path), *arguments]),
        mock.patch.object(sys, "path", [str(path.parent), str(ROOT), *sys.path]),
    ):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Ended(code, out.getvalue(), err.getvalue())
