"""Carries a run folder to the storage that it belongs on, while the run goes on."""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import platform
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from nas_ray.errors import UsageError, describe
from nas_ray.process.shell import place_word
from nas_ray.runs.claim import locked
from nas_ray.runs.folder import FILE_NAME, JOURNAL, make_folder, occupied, read_run
from nas_ray.runs.kept import lost
from nas_ray.runs.storage import Storage, fetch, files_of, is_uri, storage_errors, unreachable, working_folder
from nas_ray.terminal.console import say_error

PATIENCE_S = 120.0
"""How long the end of a run waits for a storage that is away."""
PAUSE_S = 2.0
"""Seconds between two deliveries; more if a delivery itself takes long."""
SHARE = 10.0
"""A delivery is followed by so many times its own duration without one."""
SETTLED_S = 0.1
"""Seconds after which files that are gone are looked at again."""
CLAIM = ".writer.json"
"""Says which process writes a run."""


class NotDelivered(UsageError):
    """A run is complete on this machine but not on its storage."""

    exit_code = 1


class TakenOver(Exception):
    """Another process has claimed the run."""


class Removed(Exception):
    """The working folder was removed while the run went on."""


@contextlib.contextmanager
def run_folder(place: str | Path, *, new: bool) -> Iterator[Path]:
    """Gives the folder of this machine for the run at `place`; what is written there reaches the storage.

    Args:
        place: a folder, which is given as it is, or a URI.
        new: the run starts here; else what is on the storage is fetched first.

    Raises:
        UsageError: the storage cannot be reached, holds a run already or none, or another process of this
            machine writes the run.
        NotDelivered: the run has ended, but its files could not be brought to the storage.
    """
    if not is_uri(place):
        yield Path(place)
        return
    storage, folder = Storage(str(place)), working_folder(str(place))
    with _alone(folder, storage.uri):
        if new:
            _check_free(storage, folder)
        else:
            fetch(storage, folder)
        mirror = Mirror(storage, folder)
        mirror.start()
        try:
            yield folder
        except BaseException:
            try:
                mirror.close()
            except NotDelivered as error:  # beside what ended the run
                say_error(error)
            raise
        mirror.close()
        _tidy(folder)


def run_to_resume(place: str | Path) -> Path:
    """Returns a folder that holds what is known of the run at `place`, its `run.json` above all."""
    if not is_uri(place):
        return Path(place)
    storage, folder = Storage(str(place)), working_folder(str(place))
    with _alone(folder, storage.uri):
        fetch(storage, folder)
    return folder


@contextlib.contextmanager
def _alone(folder: Path, uri: str) -> Iterator[None]:
    """Keeps other processes of this machine out of a working folder."""
    make_folder(folder.parent)
    with locked(folder.with_name(f"{folder.name}.lock"), f"the run {uri}"):
        yield


def _check_free(storage: Storage, folder: Path) -> None:
    try:
        taken = any(storage.read(name) is not None for name in (FILE_NAME, JOURNAL))
    except storage_errors() as error:
        raise unreachable(storage.uri, error) from error
    if taken:
        raise UsageError(occupied(storage.uri))
    if files_of(folder):
        raise UsageError(
            f"The folder {folder} holds a run of {storage.uri} that did not reach it; continue it with "
            f"--resume {place_word(storage.uri)}, or remove that folder."
        )


def _tidy(folder: Path) -> None:
    """Removes a working folder whose run is finished and delivered, or that holds none."""
    if not (folder / FILE_NAME).exists() or read_run(folder).get("status") == "finished":
        shutil.rmtree(folder, ignore_errors=True)


class Mirror:
    """Copies what changes in `folder` to `storage`, from a thread, until it is closed.

    A storage that is away is tried again; the run does not wait for it. The run belongs to the process that
    claimed it last: if another one does so, this one delivers nothing more and is interrupted.

    Args:
        storage: where the run belongs.
        folder: where it is made.
    """

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage, self._folder = storage, folder
        self._claim = json.dumps({"id": uuid.uuid4().hex, "host": platform.node(), "process": os.getpid()})
        self._delivered: dict[str, tuple[int, int]] = {}
        self._problem: Exception | None = None
        self._ending = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)

    def start(self) -> None:
        """Claims the run and begins to deliver.

        Raises:
            UsageError: the storage cannot be written.
        """
        try:
            self._storage.write(CLAIM, self._claim.encode())
        except storage_errors() as error:
            raise unreachable(self._storage.uri, error) from error
        self._thread.start()

    def close(self) -> None:
        """Delivers all that is left, waiting for the storage if it is away.

        Raises:
            NotDelivered: it did not come back, or another process has claimed the run.
        """
        self._deadline = time.monotonic() + PATIENCE_S
        self._ending.set()
        self._thread.join(PATIENCE_S + PAUSE_S)
        uri, problem = self._storage.uri, self._problem
        gone = lost(uri, self._folder)
        if isinstance(problem, TakenOver):
            raise NotDelivered(
                f"Another process continues the run {uri}, so this one ended; "
                f"{gone or f'what it did is in {self._folder}'}."
            )
        if isinstance(problem, Removed):
            raise NotDelivered(
                f"The run {uri} ended because its working folder {self._folder} was removed; what had "
                f"reached the storage is there, so go on with --resume {uri}."
            )
        if problem is not None or self._thread.is_alive():
            why = describe(problem) if problem else "no answer"
            raise NotDelivered(
                f"The run must reach {uri}, but for {PATIENCE_S:g} s: {why}; "
                f"{gone or f'it is whole in {self._folder}'}. "
                f"Bring the storage back, then deliver it with --resume {place_word(uri)}."
            )

    def _work(self) -> None:
        while True:
            ending = self._ending.is_set()
            began, pause = time.monotonic(), PAUSE_S
            try:
                self._deliver(everything=ending)
                self._problem = None
                if ending:
                    return
                pause = max(PAUSE_S, SHARE * (time.monotonic() - began))
            except (TakenOver, Removed) as error:
                self._problem = error
                if not ending:
                    _thread.interrupt_main()
                return
            except storage_errors() as error:
                self._tell(error)
                if ending and time.monotonic() >= self._deadline:
                    return
            time.sleep(pause) if ending else self._ending.wait(pause)

    def _tell(self, error: Exception) -> None:
        """Says once that the storage is away."""
        if self._problem is None:
            say_error(
                f"The storage of {self._storage.uri} is away ({describe(error)}); the run goes on and is "
                f"delivered later from {self._folder}."
            )
        self._problem = error

    def _deliver(self, *, everything: bool) -> None:
        """Brings what changed since the last delivery, or all files, and removes what is gone."""
        self._check_claim()
        found = files_of(self._folder)
        stamps = {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}
        for name in sorted(found, key=lambda name: (name != FILE_NAME, name)):
            if everything or self._delivered.get(name) != stamps[name]:
                try:
                    content = (self._folder / name).read_bytes()
                except FileNotFoundError:  # removed meanwhile
                    continue
                self._storage.write(name, content)
                self._delivered[name] = stamps[name]
        missing = self._delivered.keys() - found.keys()
        if missing:
            time.sleep(SETTLED_S)  # a folder that is being removed loses its files first
            if not self._folder.is_dir():
                raise Removed
        for name in missing:
            self._storage.delete(name)
            del self._delivered[name]
        if everything and not found:
            self._storage.delete(CLAIM)

    def _check_claim(self) -> None:
        claim = self._storage.read(CLAIM)
        if claim is None:  # the folder on the storage was removed: everything goes there again
            self._delivered.clear()
            self._storage.write(CLAIM, self._claim.encode())
        elif claim != self._claim.encode():
            raise TakenOver
