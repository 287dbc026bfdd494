"""Nothing that is said is markup, and nothing fails where it cannot be said."""

from __future__ import annotations

import ast
import io
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

import nas_ray
from nas_ray.terminal.console import Rows, Steady, field, output, put, say, say_error, standard_streams, tell
from nas_ray.terminal.text import visible

HOSTILE = [
    "r3[/a]",
    "[x]",
    "[bold red]",
    "[link=https://a.b]c",
    ":smile:",
    "\x1b[31mred",
    os.fsdecode(b"caf\xe9"),
    "a\\[b]",
    "[/]",
    "x" * 300,
]


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=60)  # with the markup that rich has by itself


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_text_is_said_as_it_is(text: str, console: Console) -> None:
    say(console, f"Run folder: {text}", "yellow")
    assert printed(console) == f"Run folder: {visible(text)}\n"


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=ascii)
def test_cells_heads_and_titles_are_text(text: str, console: Console) -> None:
    table = Rows("a", text, title=text, title_justify="left", box=None)
    table.add_column(text)
    table.add_row("1", text, text)
    put(console, table)
    assert printed(console).count(visible(text)) == 5


def test_a_progress_bar_shows_text(console: Console) -> None:
    from rich.progress import Progress

    with Progress(field("{task.description}"), console=console, transient=False) as bar:
        bar.add_task("a[/b] :smile:")
    assert "a[/b] :smile:" in printed(console)


class Full(io.StringIO):
    """A stream that cannot be written."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BrokenPipeError(32, "Broken pipe"), ""),
        (ValueError("I/O operation on closed file"), ""),
        (
            OSError(28, "No space left on device"),
            "Standard output cannot be written (No space left on device); what is printed is lost, "
            "and nothing else.\n",
        ),
    ],
)
def test_output_that_goes_away_is_told_once_or_not_at_all(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    err = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Full(error))
    monkeypatch.setattr(sys, "stderr", err)
    with standard_streams():
        for _ in range(3):
            tell("a line")
            say(output(), "another")
            print("a third")
    assert err.getvalue() == said


def test_errors_that_cannot_be_said_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full(OSError(28, "No space left on device")))
    with standard_streams():
        say_error("an error")
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, None)  # as they are where a shell closed them
    with standard_streams():
        tell("a line")
        say_error("an error")
        print("a line", file=sys.stderr)
        say(output(), "another")


def test_the_streams_come_back() -> None:
    before = sys.stdout, sys.stderr
    with standard_streams():
        assert isinstance(sys.stdout, Steady)
    assert (sys.stdout, sys.stderr) == before


def test_what_cannot_be_encoded_is_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    with standard_streams():
        tell("größe")
        say(output(), "日本")
        print("ü")
    assert raw.getvalue() == b"gr\\xf6\\xdfe\n\\u65e5\\u672c\n\\xfc\n"


ROOT = Path(nas_ray.__file__).parents[1]
SOURCES = [*(ROOT / "nas_ray").rglob("*.py"), *(ROOT / "experiments").glob("*.py")]
MADE_HERE = {
    "Console",
    "TextColumn",
    "Table",
    "Table.grid",
    "from_markup",
    "Text.from_markup",
    "print",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_is_said_through_one_module(path: Path) -> None:
    if path.name == "console.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    rich = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("rich")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        made = name in MADE_HERE and (name in rich or name == "print")
        assert not made, f"line {node.lineno}: {name}(...) is for terminal/console.py; see what it offers"
        assert not name.endswith(".print"), f"line {node.lineno}: use say, put, tell or say_error"
