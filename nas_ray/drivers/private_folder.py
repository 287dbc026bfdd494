"""The folder of a Ray that serves this process alone: private, short enough for sockets, removed after it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from nas_ray.drivers import ray_names
from nas_ray.drivers.addresses import temporary_folder
from nas_ray.errors import UsageError

PREFIX = "ray-"
LOCK = ".nas_ray.lock"
SHORT = (Path("/tmp"), Path("/var/tmp"))
"""Folders for sockets where that of the user is too long."""
LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
SOCKET = f"/r{ray_names.SOCKET}"
"""The longest socket below a private folder."""

_RANDOM = 8  # characters of tempfile
_LEAST_BYTES = 4 * 2**20  # of logs alone
_YOUNG_S = 60.0


class PrivateFolder:
    """A folder with mode 700 in `RAY_TMPDIR`, `TMPDIR` or /tmp.

    Ray, and again each of its workers, gives all rights to everyone on its own folders: they lie in this one.

    Attributes:
        path: the folder.
        inner: where Ray keeps sockets and logs.
        spill: for objects that do not fit into memory, if the user's folder is too long for sockets.

    Raises:
        UsageError: there is no place for one.
    """

    def __init__(self) -> None:
        wanted = temporary_folder()
        if _fits(wanted):
            self.spill = None
            self.path = _made(wanted)
        else:
            self.spill = _made(wanted)
            try:
                self.path = _made(next((place for place in SHORT if os.access(place, os.W_OK)), SHORT[0]))
            except UsageError as error:
                shutil.rmtree(self.spill, ignore_errors=True)
                raise UsageError(
                    f"Ray's sockets need a folder of at most {LONGEST_SOCKET - len(SOCKET) - _added()} "
                    f"characters, but {wanted} has {len(os.fsencode(wanted))}, and {error}"
                ) from error
        self.inner = self.path / "r"
        self._lock: IO[bytes] | None = (self.path / LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self, *, keep_logs: bool = False) -> None:
        """Removes all of it, or all but what Ray wrote."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        for folder in (self.spill, None if keep_logs else self.path):
            for _ in range(3):  # a process that is ending may write once more
                if folder is None or not folder.exists():
                    break
                shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Removes the folders of this user whose process was killed."""
    for folder in {temporary_folder(), *SHORT}:
        for lock in folder.glob(f"{PREFIX}*/{LOCK}"):
            with contextlib.suppress(OSError):
                stat = lock.parent.lstat()
                if stat.st_uid == os.getuid() and time.time() - stat.st_ctime > _YOUNG_S and not _held(lock):
                    shutil.rmtree(lock.parent, ignore_errors=True)


def _held(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _added() -> int:
    """Returns the characters that the name of a private folder adds."""
    return len(PREFIX) + _RANDOM + 1


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder.absolute())) + _added() + len(SOCKET) <= LONGEST_SOCKET


def _made(parent: Path) -> Path:
    """Returns a new private folder in `parent` that can be written."""
    made = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent.absolute()))
        if shutil.disk_usage(made).free < _LEAST_BYTES:  # a full disk may still make folders
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise UsageError(
            f"Ray keeps its files in {parent}, which must be writable, but: {error}; name a short folder "
            "with room in RAY_TMPDIR."
        ) from error
    return made
