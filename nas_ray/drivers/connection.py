"""What connects a searcher to the driver of its search: clock, limits, journal, listeners."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from nas_ray.drivers.keeping import keeper_of, note_given
from nas_ray.drivers.plan import Budget, Listeners, Plan
from nas_ray.drivers.table import elapsed
from nas_ray.errors.checks import instance
from nas_ray.evaluation.base import EVALUATOR, EpochEvaluator, Evaluator
from nas_ray.rows import Event
from nas_ray.runs.journal import Journal
from nas_ray.searchers.base import ArchSearcher


def check_search(searcher: object, evaluator: object) -> None:
    """Checks what a driver is given to search with.

    Raises:
        UsageError: no searcher, or nothing that evaluates.
    """
    instance(ArchSearcher, "a searcher, a nas_ray.ArchSearcher").check("searcher", searcher)
    EVALUATOR.check("evaluator", evaluator)


@contextlib.contextmanager
def connected(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    plan: Plan,
    budget: Budget,
    listeners: Listeners,
    journal: Journal,
) -> Iterator[None]:
    """Attaches a searcher that lives by the clock of this machine; every event is in the journal first.

    A searcher that replayed a journal goes on at the time where that one stopped. Where the listeners cancel
    the search, it raises `Cancelled` when it is asked for the next trial.
    """
    note_given(searcher, journal)
    by_epochs = evaluator if isinstance(evaluator, EpochEvaluator) else None
    start = time.monotonic() - elapsed(searcher)

    def clock() -> float:
        return time.monotonic() - start

    def stop() -> bool:
        listeners.check()
        return budget.spent(searcher.num_asked, clock())

    def observe(event: Event) -> None:
        journal.append(event)
        if by_epochs and event["event"] == "tell":
            by_epochs.forget(event["row"]["arch"])
        if listeners.on_event:
            listeners.on_event(event)

    searcher.attach(
        observer=observe,
        stop=stop,
        clock=clock,
        watcher=listeners.on_epoch,
        archs_per_trial=plan.archs_per_trial,
        **keeper_of(searcher, journal.folder),
    )
    try:
        yield
    finally:
        searcher.attach()
