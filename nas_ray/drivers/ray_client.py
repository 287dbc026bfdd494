"""Searches over Ray Client: Tune runs at the head of the cluster, and every event comes back at once."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.keeping import note_given
from nas_ray.drivers.plan import Budget, Cancelled, Listeners, Plan
from nas_ray.drivers.ray_compat import is_client
from nas_ray.drivers.ray_names import HEAD_NODE
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator, InFolder
from nas_ray.rows import Event
from nas_ray.runs.journal import FILE_NAME, Journal
from nas_ray.searchers.base import ArchSearcher

AT_HEAD = {"num_cpus": 0, "resources": {HEAD_NODE: 0.001}}
"""Where Tune and the mailbox run: on the head, which stays, and without taking a core from trials."""
POLL_S = 0.5
EVENT, EPOCH = "event", "epoch"


def check_started() -> None:
    """Checks that this process has started a Ray or joined one; Tune would start another by itself.

    Raises:
        UsageError: it has not.
    """
    if "ray" in sys.modules:
        import ray

        if ray.is_initialized():
            return
    raise UsageError(
        "The driver ray needs a Ray that is initialised; call ray.init() first, or take the driver process."
    )


def over_client() -> bool:
    """Returns whether this process joined its cluster by Ray Client (`ray://`)."""
    return "ray" in sys.modules and is_client()


class Mailbox:
    """An actor that keeps what the search at the head has to say until the client has read it."""

    def __init__(self) -> None:
        self._mail: list[tuple[str, Any]] = []

    def put(self, kind: str, content: Any) -> None:
        """Takes an event, or the rows of trials with epochs left."""
        self._mail.append((kind, content))

    def since(self, count: int) -> list[tuple[str, Any]]:
        """Returns everything but the first `count` entries, so that a lost answer can be asked for again."""
        return self._mail[count:]


def search_at_head(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    plan: Plan,
    budget: Budget,
    listeners: Listeners,
    *,
    journal: Journal,
    run: Callable[..., None],
) -> None:
    """Runs a search in a task at the head; journal, rows and progress are this process's own.

    The task works on copies. Here `searcher` gets their history and events, for tables; it asks no more. The
    task ends with the connection. Unfinished trainings leave no checkpoints, as there is no folder that all
    see.

    Args:
        searcher: as for `run_trials`.
        evaluator: as for `run_trials`.
        plan: as for `run_trials`.
        budget: as for `run_trials`.
        listeners: hear of everything here.
        journal: gets every event as it arrives.
        run: runs it at the head, called as `run_on_ray`.

    Raises:
        Cancelled: the listeners cancelled it; the task is ended.
    """
    import ray
    from ray.exceptions import RayTaskError

    ship_modules()
    note_given(searcher, journal)
    if isinstance(evaluator, InFolder):
        evaluator = evaluator.without_folder()
    mailbox = ray.remote(**AT_HEAD)(Mailbox).remote()
    task = ray.remote(**AT_HEAD, max_retries=0)(_search).remote(
        mailbox, run, searcher, evaluator, plan, budget, listeners.callbacks
    )
    reader = Reader(mailbox, searcher, journal, listeners)
    # Events are taken in a thread: Ctrl-C ends the waiting, and never an event half taken.
    with ThreadPoolExecutor(1) as thread:
        try:
            while not ray.wait([task], timeout=POLL_S)[0]:
                thread.submit(reader.read).result()
                listeners.check()
            thread.submit(reader.read).result()
            ray.get(task)
        except RayTaskError as error:
            raise error.cause or error from error
        except Cancelled:
            ray.cancel(task, force=True)
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(Exception):  # the connection may be what ended
                thread.submit(reader.read).result()
            raise


class Reader:
    """Brings what arrives in a mailbox to the journal and the searcher of this process."""

    def __init__(
        self,
        mailbox: Any,
        searcher: ArchSearcher,
        journal: Journal,
        listeners: Listeners,
    ) -> None:
        self._mailbox, self._searcher, self._journal = mailbox, searcher, journal
        self._listeners = listeners
        self._count = 0

    def read(self) -> None:
        """Takes what is new."""
        import ray

        for kind, content in ray.get(self._mailbox.since.remote(self._count)):
            self._count += 1
            if kind == EVENT:
                self._follow(content)
            elif self._listeners.on_epoch:
                self._listeners.on_epoch(content)

    def _follow(self, event: Event) -> None:
        self._journal.append(event)
        self._searcher.follow(event)
        if self._listeners.on_event:
            self._listeners.on_event(event)


def _search(
    mailbox: Any,
    run: Callable[..., None],
    searcher: ArchSearcher,
    evaluator: Evaluator,
    plan: Plan,
    budget: Budget,
    callbacks: Sequence[Any] = (),
) -> None:
    """The task at the head; an event waits until the mailbox has it."""
    import ray

    listeners = Listeners(
        on_event=lambda event: ray.get(mailbox.put.remote(EVENT, event)),
        on_epoch=lambda rows: ray.get(mailbox.put.remote(EPOCH, rows)),
        callbacks=callbacks,
    )
    with tempfile.TemporaryDirectory(prefix="nas_ray-") as name:
        folder = Path(name)
        with contextlib.closing(Journal(folder / FILE_NAME)) as journal:
            run(searcher, evaluator, plan, budget, listeners, folder=folder, journal=journal)
