"""A folder is claimed before anything is written in it: for one process, and for one experiment."""

from __future__ import annotations

import contextlib
import enum
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nas_ray.errors import UsageError, describe, printable
from nas_ray.process.started import started
from nas_ray.runs.folder import FILE_NAME, JOURNAL, make_folder, occupied, read_run
from nas_ray.runs.writing import remove_unfinished

LOCK = ".lock"
CORRELATE = {"proxies", "fitness", "datasets", "archs"}
"""What `run.json` of `correlate.py` held before it named its experiment."""

WITHOUT = "remove that file alone, and the same command goes on with what is whole beside it"
"""What to do where `run.json` of a study is damaged, whose rows are in tables of their own."""


class Opens(enum.Enum):
    """What a command does with its folder."""

    NEW = "makes it"
    RESUMED = "goes on with a run that is there"
    AGAIN = "makes it, or goes on with, or makes again, what the same experiment left there"


@contextlib.contextmanager
def claimed(folder: Path, experiment: str, opens: Opens = Opens.AGAIN) -> Iterator[None]:
    """Keeps other processes and other experiments out of `folder`, which is made if need be.

    A refusal leaves everything as it was, and a folder that this call made and nothing was written in goes.

    Args:
        folder: of this machine.
        experiment: as `run.json` names it.
        opens: what is to be done with it.

    Raises:
        UsageError: another process writes it, it holds another experiment, a run already or none (see
            `Opens`), or it cannot be written.
    """
    made = not folder.exists()
    if opens is Opens.RESUMED:
        read_run(folder)  # says that there is none, before a folder is made
    make_folder(folder)
    try:
        with locked(folder / LOCK, f"the folder {folder}"):
            check_experiment(folder, experiment, opens)
            remove_unfinished(folder)
            yield
    except OSError as error:
        if not _is_of(folder, error):
            raise
        raise UsageError(
            f"The folder {folder} must be writable, but: {describe(error)}; make room, or choose another "
            "--out."
        ) from error
    finally:
        if made:
            _remove_empty(folder)


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Holds the lock file `path`, which stays there; a process that dies, however, gives it back.

    Raises:
        UsageError: another process holds it, or it cannot be made.
    """
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"Another process is writing {what}; wait for it or stop it.") from error
    except OSError as error:
        raise UsageError(f"The lock {path} must be writable, but: {describe(error)}.") from error
    try:
        yield
    finally:
        lock.release()


def check_experiment(folder: Path, experiment: str, opens: Opens) -> None:
    """Checks that `folder` may be written by `experiment`.

    Raises:
        UsageError: it holds another experiment, or a run where a new one is to be made.
    """
    holds = [name for name in (FILE_NAME, JOURNAL) if os.path.lexists(folder / name)]
    if opens is Opens.NEW and holds:
        raise UsageError(occupied(folder))
    if not holds or opens is Opens.NEW:
        return
    info = _info(folder, opens) if FILE_NAME in holds else None
    made = None if info is None else experiment_of(info)
    if made != experiment or (opens is Opens.AGAIN and JOURNAL in holds):
        called = started().called
        held = "a search" if made is None else f"a run of {called(made)}"
        raise UsageError(
            f"The folder {folder} holds {held}, which {called(experiment)} would overwrite; choose "
            "another --out."
        )


def _info(folder: Path, opens: Opens) -> dict[str, Any]:
    return read_run(folder, otherwise=WITHOUT) if opens is Opens.AGAIN else read_run(folder)


def experiment_of(info: Mapping[str, Any]) -> str | None:
    """Returns the experiment that wrote `run.json`, None where it does not say."""
    if "experiment" in info:
        return printable([info["experiment"]])[0]
    return "correlate" if info.keys() >= CORRELATE else None


def _is_of(folder: Path, error: OSError) -> bool:
    """Returns whether `error` tells of a file in `folder`, or of a full disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return isinstance(error.filename, str) and Path(error.filename).absolute().is_relative_to(
        folder.absolute()
    )


def _remove_empty(folder: Path) -> None:
    """Removes a folder that nothing was written in, but the lock."""
    with contextlib.suppress(OSError):
        if [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
        folder.rmdir()
