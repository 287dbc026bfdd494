"""The append-only journal of a search: one JSON line per event, so that a killed search loses nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_ray.errors import UsageError
from nas_ray.rows import MEASURED, Event
from nas_ray.runs.folder import JOURNAL

FILE_NAME = JOURNAL

BEGINNING = b'{"event": "'
"""How every line begins."""

PATIENCE_S, PAUSE_S = 120.0, 1.0
"""How long a storage that cannot be written is waited for, and how often it is tried."""


class Journal:
    """Appends events to `path`, flushed one by one; locked while open, so that one process writes a run.

    Args:
        path: the file; a last line that a kill cut short is removed first.

    Raises:
        UsageError: another process is writing it, it cannot be written, or it is no journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.parent
        try:
            self._file = open(path, "ab", buffering=0, opener=_no_link)  # noqa: SIM115 - close() closes it
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another process is writing the run {path.parent}; wait for it or stop it."
            ) from error
        except OSError as error:
            raise UsageError(f"The journal {path} must be writable, but: {error}.") from error
        self._size = len(_complete_lines(path))
        if self._size < self._file.seek(0, os.SEEK_END):
            read_journal(path)  # only a journal is cut
            self._file.truncate(self._size)

    @property
    def empty(self) -> bool:
        """Whether it has no event."""
        return not self._size

    def append(self, event: Event) -> None:
        """Writes one event and hands it to the operating system, so that SIGKILL cannot take it back.

        A full disk or a storage that is away is waited for, for `PATIENCE_S` seconds.

        Raises:
            UsageError: it did not come back.
        """
        line = json.dumps(event).encode() + b"\n"
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._write(line)
                return
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise UsageError(
                        f"The journal {self._path} must be writable, but for {PATIENCE_S:g} s: {error}; free "
                        "space or bring the storage back, then continue with --resume."
                    ) from error
            time.sleep(PAUSE_S)

    def _write(self, line: bytes) -> None:
        """Writes a whole line, or leaves the file as it was and raises."""
        try:
            written = self._file.write(line)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _no_link(path: str, flags: int) -> int:
    """Opens a file of its own: a link would have what it leads to cut, and a FIFO would block for ever."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return descriptor


def _complete_lines(path: Path) -> bytes:
    return _parted(path)[0]


def _parted(path: Path) -> tuple[bytes, bytes]:
    """Returns the complete lines of a file, and what follows them."""
    content = path.read_bytes() if path.exists() else b""
    complete = content.rfind(b"\n") + 1
    return content[:complete], content[complete:]


def read_journal(path: Path) -> list[Event]:
    """Returns the events of the journal at `path`, without a last line that a kill cut short.

    Raises:
        UsageError: unreadable, a line is no event, or what was cut short is the beginning of none.
    """
    try:
        complete, rest = _parted(path)
        lines = complete.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The journal {path} cannot be read: {error}.") from error
    cut = rest.rstrip(b"\0")  # as a machine that lost its power may leave it
    if not (cut.startswith(BEGINNING) or BEGINNING.startswith(cut)):
        raise UsageError(
            f"The journal {path} ends with {cut[:40]!r}, which is no beginning of an event; the file is no "
            "journal, or was changed."
        )
    return [_event(line, number, path) for number, line in enumerate(lines, 1)]


def _event(line: str, number: int, path: Path) -> Event:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        event = None
    if not _is_event(event):
        raise UsageError(
            f"Line {number} of the journal {path} is not an event: {line[:80]!r}; the file was changed."
        )
    return dict(event)


def _is_event(event: Any) -> bool:
    if not isinstance(event, dict) or not isinstance(event.get("trial"), int):
        return False
    if event.get("event") == "ask":
        return isinstance(event.get("arch"), str)
    return event.get("event") in ("tell", "given") and is_row(event.get("row"))


def is_row(row: Any) -> bool:
    """Returns whether `row` is flat: texts, truth values, and numbers that a float can hold."""
    if not isinstance(row, dict) or not all(
        isinstance(row.get(name, 0.0), (int, float)) for name in MEASURED
    ):
        return False
    return all(
        value is None
        or isinstance(value, (str, bool, float))
        or (isinstance(value, int) and abs(value) < 2**63)
        for value in row.values()
    )


def rows_of(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Returns the rows of the events in order of arrival, those that the search was given first."""
    return [event["row"] for event in events if event["event"] != "ask"]
