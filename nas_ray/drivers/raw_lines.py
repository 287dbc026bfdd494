"""What Ray's compiled half writes to standard error, kept from the terminal, and the line that matters."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

_STANDARD_ERROR = 2
_PREFIX = re.compile(r"^\[[^\]]*\]\s*(?:\([^)]*\)\s*)?(?:[\w./]+\.(?:cc|h|py):\d+:\s*)?")
_TELLING = re.compile(
    r"fail|unable|cannot|can't|timed out|refused|mismatch|unauth|invalid|denied", re.IGNORECASE
)


class Heard:
    """What was written so far.

    Args:
        file: that it was written to; None where nothing is kept.
    """

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file

    def lines(self) -> list[str]:
        """Returns the lines without time, process and place in the source."""
        if self._file is None:
            return []
        size = os.fstat(self._file.fileno()).st_size
        text = os.pread(self._file.fileno(), size, 0).decode(errors="replace")
        return [line for raw in text.splitlines() if (line := _PREFIX.sub("", raw).strip())]


@contextlib.contextmanager
def raw_lines(*, kept: bool) -> Iterator[Heard]:
    """Keeps what is written to standard error beside Python, which itself writes on to the terminal.

    Args:
        kept: False lets everything pass.
    """
    if not kept:
        yield Heard(None)
        return
    with contextlib.ExitStack() as stack:
        try:
            terminal = os.dup(_STANDARD_ERROR)
        except OSError:  # it is closed
            yield Heard(None)
            return
        stack.callback(os.close, terminal)
        file = stack.enter_context(tempfile.TemporaryFile())
        if _writes_there(sys.stderr):
            stack.enter_context(contextlib.redirect_stderr(_text_to(terminal)))
        os.dup2(file.fileno(), _STANDARD_ERROR)
        stack.callback(os.dup2, terminal, _STANDARD_ERROR)
        yield Heard(file)


def telling(lines: Sequence[str]) -> str | None:
    """Returns the line that says what failed: the first one, of which the others come; None without one."""
    return next((line for line in lines if _TELLING.search(line)), None)


def _writes_there(stream: object) -> bool:
    try:
        return int(stream.fileno()) == _STANDARD_ERROR  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False


def _text_to(number: int) -> IO[str]:
    """Returns a stream that is left open, since loggers that are made meanwhile keep it."""
    return open(os.dup(number), "w", encoding="utf-8", errors="backslashreplace", buffering=1)
