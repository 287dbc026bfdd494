"""A run whose searcher keeps its state: written now and then, and where a resumed search begins."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_ray.errors import describe
from nas_ray.errors.checks import whole
from nas_ray.rows import Event
from nas_ray.runs.journal import FILE_NAME, Journal, read_journal
from nas_ray.runs.writing import write_atomically
from nas_ray.safe_files.plain_state import packed, read_plain
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.kept import Kept, Stateful
from nas_ray.terminal.console import say_error

STATE, STATE_BEFORE = "searcher_state.npz", "searcher_state.before.npz"
"""The last state and the one before, since a storage may hold a state that is newer than its journal."""


def replay_run(searcher: ArchSearcher, folder: Path) -> None:
    """Brings a new searcher to where the journal of `folder` ends, from the last kept state that fits it.

    A state that is damaged or of another run is told in a line and not used: all events are replayed.

    Raises:
        UsageError: the journal cannot be read.
        ValueError: the events come from a search with other arguments.
    """
    events = read_journal(folder / FILE_NAME)
    loaded = isinstance(searcher, Stateful) and _load_state(searcher, folder, events)
    try:
        searcher.replay(events)
    except Exception as error:  # a searcher of the user may raise anything
        if not loaded:
            raise
        why = error if isinstance(error, ValueError) else describe(error)
        raise ValueError(
            f"{why} This may come from the state that was kept; remove {folder / STATE} and "
            f"{folder / STATE_BEFORE}, and all of the search is replayed."
        ) from error


def _load_state(searcher: ArchSearcher, folder: Path, events: Sequence[Event]) -> bool:
    """Loads the last state that can be; returns whether one was."""
    said, loaded = "", False
    for path in (folder / STATE, folder / STATE_BEFORE):
        if not os.path.lexists(path):
            continue
        try:
            searcher.load_kept(*read_kept(path, events))
            loaded = True
            said = said and f"{said}; an earlier one is used."
            break
        except Exception as error:  # a searcher of the user may raise anything
            why = error if isinstance(error, ValueError) else describe(error)
            said = said or f"The state {path} of the searcher is not used ({why})"
    else:
        said = said and f"{said}; all of the search is replayed."
    if said:
        say_error(said)
    return loaded


def write_kept(path: Path, kept: Kept, events: int, digest: str) -> None:
    """Writes the state of a searcher after so many events with that digest, at once or not at all.

    Raises:
        UsageError: it is not made of plain values, arrays and tensors.
        OSError: the file cannot be written.
    """
    content = packed({**kept._asdict(), "events": events, "digest": digest})
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def read_kept(path: Path, events: Sequence[Event]) -> tuple[Kept, Sequence[Event]]:
    """Returns the state in a file, and those of `events` that led to it.

    Raises:
        ValueError: it is damaged, or what led to it is no beginning of `events`.
    """
    content = read_plain(path)
    try:
        count, wanted = content.pop("events"), content.pop("digest")
        kept = Kept(**content)
        first = events[: int(count)]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError("it is damaged") from error
    digest = Digest()
    digest.add(first)
    if len(first) != count or digest.value != wanted:
        raise ValueError("it does not fit the journal")
    return kept, first


class Digest:
    """A hash of events, which goes on with further ones."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, events: Sequence[Event]) -> None:
        """Takes the next events."""
        self.count += len(events)
        for event in events:
            self._hash.update(json.dumps(event).encode() + b"\n")

    @property
    def value(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()


class StateKeeper:
    """Keeps the state of a searcher in `folder` whenever it has taken `keep_every` further events.

    Where it cannot be kept any more the search goes on, since the journal alone suffices.

    Args:
        folder: of the run.
        searcher: one with `state` and `load_state`, which has replayed what the folder holds.

    Raises:
        UsageError: its state is none that can be kept, or `keep_every` is less than one.
    """

    def __init__(self, folder: Path, searcher: ArchSearcher) -> None:
        whole(1).check("keep_every", searcher.keep_every)
        self._folder, self._every = folder, searcher.keep_every
        self._digest = Digest()
        self._digest.add(searcher.events)
        self._count = self._digest.count
        if not searcher.num_asked:
            packed(searcher.kept()._asdict())  # told before anything is evaluated; later the journal suffices

    def __call__(self, searcher: ArchSearcher) -> None:
        """Takes a searcher that has taken one more event."""
        self._count += 1
        if not self._every or self._count // self._every == self._digest.count // self._every:
            return
        self._digest.add(searcher.events_from(self._digest.count))
        try:
            self._keep(searcher.kept())
        except Exception as error:  # a searcher of the user may raise anything
            say_error(
                f"The state of the searcher is not kept any more ({describe(error)}); the search goes on, "
                "and resumed it will replay more of its events."
            )
            self._every = 0

    def _keep(self, kept: Kept) -> None:
        path = self._folder / STATE
        with contextlib.suppress(FileNotFoundError):
            path.replace(self._folder / STATE_BEFORE)
        write_kept(path, kept, self._digest.count, self._digest.value)


def note_given(searcher: ArchSearcher, journal: Journal) -> None:
    """Puts the rows that a new search was given into its journal, where it begins."""
    if journal.empty and not searcher.num_asked:
        for event in searcher.events:
            journal.append(event)


def keeper_of(searcher: ArchSearcher, folder: Path) -> dict[str, Any]:
    """Returns the connection for `attach` that keeps the state of a searcher, if it has one.

    Raises:
        UsageError: as `StateKeeper`.
    """
    return {"keeper": StateKeeper(folder, searcher)} if isinstance(searcher, Stateful) else {}
