"""Runs a searcher over an evaluator in this process: one trial after the other, without Ray."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from nas_ray.drivers.connection import connected
from nas_ray.drivers.loop import drive
from nas_ray.drivers.plan import Budget, Listeners, Plan
from nas_ray.drivers.work import ArchWork, work_for
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator
from nas_ray.process.time_limit import process_outlives
from nas_ray.runs.journal import Journal
from nas_ray.searchers.base import ArchSearcher

_TURN = threading.Lock()
"""Evaluations set torch's threads and the global random states, so searches of several threads take turns."""


def run_here(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    plan: Plan,
    budget: Budget,
    listeners: Listeners,
    journal: Journal,
) -> None:
    """Runs a search with the clock and limits of `tune_search` with one worker, and equal rows.

    Args:
        searcher: a fresh searcher, or one that replayed the journal.
        evaluator: turns an arch into a row; one that trains is left between epochs alone.
        plan: of the driver `process`.
        budget: what may be spent.
        listeners: who hears of it.
        journal: gets every event before anything else happens with it.

    Raises:
        Cancelled: the listeners cancelled it.
        UsageError: a limit on the time of a trial in a thread that cannot keep it.
    """
    if plan.trial_timeout_s is not None and threading.current_thread() is not threading.main_thread():
        raise UsageError(
            "The driver process can end a trial after trial_timeout_s in the main thread alone; leave it "
            "out, or take the driver ray."
        )
    work = work_for(evaluator, plan.trial_timeout_s)
    threads = max(1, int(plan.cpus_per_trial))

    def carry_out(trial_id: str, archs: Sequence[str]) -> tuple[float, dict[str, Any]]:
        work.take(archs)
        while not (result := _step(work, threads))["done"]:
            searcher.on_trial_result(trial_id, result)
            listeners.check()
        return 0.0, result

    with connected(searcher, evaluator, plan, budget, listeners, journal):
        drive(searcher, carry_out)


def _step(work: ArchWork, threads: int) -> dict[str, Any]:
    """Returns the result of a step, computed with as many threads as a worker of Ray has.

    Raises:
        KeyboardInterrupt: Ctrl-C, of which Lightning makes a `SystemExit`.
    """
    import torch

    with _TURN, process_outlives():
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return work.step()
        except SystemExit as error:  # what foreign code raises by itself is a failed row
            raise KeyboardInterrupt from error
        finally:
            torch.set_num_threads(before)
