"""The steps of a search whose folder is claimed: replay it, drive it, leave it."""

from __future__ import annotations

import time
from pathlib import Path

from nas_ray.drivers.keeping import replay_run
from nas_ray.drivers.plan import Listeners, Plan
from nas_ray.drivers.run_trials import run_trials
from nas_ray.drivers.table import to_table
from nas_ray.errors import UsageError
from nas_ray.errors import describe as describe_error
from nas_ray.images.identity import IMAGES, check_unchanged
from nas_ray.runs.folder import read_run, unmake_run, update_run, write_table
from nas_ray.runs.journal import Journal, rows_of
from nas_ray.search.base import MINIBATCH, Experiment
from nas_ray.search.estimation import in_run


def drive(experiment: Experiment, plan: Plan, folder: Path, listeners: Listeners, journal: Journal) -> None:
    """Runs the trials of an experiment whose folder is claimed and whose journal was replayed.

    Raises:
        Cancelled: the listeners cancelled it.
    """
    run_trials(
        experiment.searcher,
        in_run(experiment.evaluator, plan.accelerator, folder),
        plan,
        experiment.budget,
        listeners,
        folder=folder,
        journal=journal,
    )


def replay(experiment: Experiment, folder: Path) -> None:
    """Brings the searcher to where the journal of `folder` ends.

    Raises:
        UsageError: the minibatch is another one, or the journal does not fit the experiment.
    """
    info, seen = read_run(folder), experiment.seen
    if info.get(MINIBATCH) != seen.get(MINIBATCH):
        raise UsageError(
            f"The run {folder} scored another minibatch than {experiment.source} gives now; "
            "bring the same back, or start a new run."
        )
    check_unchanged(info, {key: seen[key] for key in (IMAGES,) if key in seen}, f"The run {folder}")
    try:
        replay_run(experiment.searcher, folder)
    except Exception as error:  # a searcher of the user may raise anything
        why = error if isinstance(error, ValueError) else describe_error(error)
        raise UsageError(f"The run {folder} cannot be continued: {why}") from error


def leave(experiment: Experiment, folder: Path, status: str, began: float, *, new: bool = False) -> None:
    """Writes the rows so far; a new run that failed before any goes, so that its folder can be used again."""
    if new and not experiment.searcher.begun and status == "failed":
        unmake_run(folder)
        return
    update_run(folder, status=status, wall_seconds=wall_seconds(folder, began))
    write_table(folder, to_table(experiment.searcher))


def wall_seconds(folder: Path, began: float) -> float:
    """Returns the seconds that this process and those before it spent on the run."""
    before: float = read_run(folder).get("wall_seconds") or 0.0
    return before + time.monotonic() - began


def wall_since(folder: Path, began: float, experiment: Experiment, before: int) -> float:
    """Returns `wall_seconds`, of which this process adds none where it evaluated nothing.

    Args:
        folder: of the run.
        began: when this process began.
        experiment: as it ended.
        before: rows that it began with.
    """
    made = len(rows_of(experiment.searcher.events)) > before
    return wall_seconds(folder, began if made else time.monotonic())
