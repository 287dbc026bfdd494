"""What is said on a terminal or into a pipe, in one place, so that no name can break it.

Names of folders, classes, archs and searchers are text: nothing in them is markup, an emoji or a command of
a terminal. Where nobody listens any more - a closed pipe, a full disk - a run goes on without saying more.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from nas_ray.terminal.text import visible

__all__ = [
    "BarColumn",
    "Console",
    "MofNCompleteColumn",
    "Progress",
    "ProgressColumn",
    "Rows",
    "error_console",
    "field",
    "headed",
    "output",
    "put",
    "say",
    "say_error",
    "standard_streams",
    "tell",
]


def output(piped: int | None = None) -> Console:
    """Returns the console of standard output, `piped` columns wide where that is no terminal."""
    return Console(width=None if sys.stdout is not None and sys.stdout.isatty() else piped, **_PLAIN)


def error_console() -> Console:
    """Returns the console of standard error, for what is not the result."""
    return Console(stderr=True, **_PLAIN)


_PLAIN: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}


def say(console: Console, text: object = "", style: str = "", *, wrapped: bool = False) -> None:
    """Prints `text` as it is, in lines that the terminal breaks and a copy does not.

    Args:
        console: any; its markup does not apply.
        text: what unprintable characters it has are shown as escapes; a `Text` of rich is printed as it is.
        style: of rich, such as `bold` or `yellow`.
        wrapped: break lines between words instead, as sentences are read best.
    """
    shown = text if isinstance(text, Text) else Text(visible(text), style=style)
    console.print(shown, soft_wrap=not wrapped)


def headed(head: object, rest: object) -> Text:
    """Returns a text that begins bold."""
    return Text.assemble((visible(head), "bold"), visible(rest))


def put(console: Console, table: Rows | Padding) -> None:
    """Prints a table, as wide as the console is."""
    console.print(table)


class Rows(Table):
    """A table whose heads, cells and title are text, and not markup."""

    def __init__(self, *heads: Any, title: str | None = None, **options: Any) -> None:
        shown = None if title is None else Text(visible(title), style="table.title")
        super().__init__(*heads, title=shown, **options)
        for column in self.columns:
            column.header = _cell(column.header)

    def add_column(self, header: RenderableType = "", *others: Any, **options: Any) -> None:
        """Adds a column."""
        super().add_column(_cell(header), *others, **options)

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Adds a row of texts."""
        super().add_row(*map(_cell, cells), **options)


def _cell(value: Any) -> Any:
    return Text(visible(value)) if isinstance(value, str) else value


def field(template: str) -> TextColumn:
    """Returns a column of a progress bar that shows text as it is."""
    return TextColumn(template, markup=False)


def tell(text: object) -> None:
    """Prints one line on standard output, from any process."""
    _write(sys.stdout, text)


def say_error(text: object) -> None:
    """Prints one line on standard error, from any process."""
    _write(sys.stderr, text)


def _write(stream: TextIO | None, text: object) -> None:
    if stream is not None:
        print(visible(text), file=steady(stream), flush=True)


class Steady:
    """A stream that never fails: once it cannot be written, what is printed is dropped.

    What cannot be encoded is written as an escape. A closed pipe is the choice of whoever closed it; any
    other reason is told once, on standard error.

    Args:
        stream: the stream; everything but writing is its own.
        name: begins the sentence about its loss; None says nothing.
    """

    def __init__(self, stream: TextIO, name: str | None = None) -> None:
        self._stream = stream
        self._name = name
        self._lost = False
        with contextlib.suppress(Exception):  # no file, or a stream of others
            if getattr(stream, "errors", "") in ("strict", "surrogateescape", "surrogatepass"):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        """Returns what else the stream has."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes `text`, at once, so that a failure shows here and not when the process ends."""
        if not self._lost:
            try:
                self._stream.write(text)
                if "\n" in text:
                    self._stream.flush()
            except (OSError, ValueError) as error:  # the latter where it has been closed
                self._lose(error)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Writes all `lines`."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hands what is written to the operating system."""
        if not self._lost:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def _lose(self, error: Exception) -> None:
        self._lost = True
        with contextlib.suppress(Exception):  # what is still in its buffer must not fail at the end
            number = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
        if self._name and isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            why = error.strerror or error
            say_error(f"{self._name} cannot be written ({why}); what is printed is lost, and nothing else.")


def steady(stream: TextIO, name: str | None = None) -> TextIO:
    """Returns `stream`, made steady."""
    return stream if isinstance(stream, Steady) else cast(TextIO, Steady(stream, name))


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Makes standard output and standard error steady, and opens those that are closed to nowhere."""
    before = sys.stdout, sys.stderr
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # or the next file that is opened would be standard output
            os.open(os.devnull, os.O_RDWR)
    with contextlib.ExitStack() as opened:
        out, err = (
            opened.enter_context(open(os.devnull, "w", encoding="utf-8")) if stream is None else stream
            for stream in before
        )
        sys.stdout, sys.stderr = steady(out, "Standard output"), steady(err)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before
