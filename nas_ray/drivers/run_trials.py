"""Runs the trials of a search where its plan says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nas_ray.drivers.in_process import run_here
from nas_ray.drivers.plan import PROCESS, Budget, Listeners, Plan
from nas_ray.drivers.table import to_table
from nas_ray.drivers.tune_search import run_on_ray
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import Evaluator
from nas_ray.runs.journal import Journal
from nas_ray.searchers.base import ArchSearcher


def run_trials(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    plan: Plan,
    budget: Budget,
    listeners: Listeners,
    *,
    folder: Path,
    journal: Journal,
) -> pd.DataFrame:
    """Returns the rows of a search; Ray must be initialised where the plan names it.

    Args:
        searcher: a fresh searcher, or one that replayed the journal.
        evaluator: turns an arch into a row.
        plan: how trials are run.
        budget: what may be spent, with what the journal has.
        listeners: who hears of it.
        folder: of the run; must exist.
        journal: of the folder; gets every event before anything else happens with it.

    Raises:
        Cancelled: the listeners cancelled it.
        UsageError: the driver cannot do what is planned.
    """
    if plan.driver == PROCESS:
        if listeners.callbacks:
            raise UsageError(
                "Callbacks of Ray Tune need the driver ray; the driver process tells on_event and on_epoch, "
                "so leave callbacks out or take the other driver."
            )
        run_here(searcher, evaluator, plan, budget, listeners, journal)
    else:
        run_on_ray(searcher, evaluator, plan, budget, listeners, folder=folder, journal=journal)
    return to_table(searcher)
