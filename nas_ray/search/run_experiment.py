"""One search as a function, in whatever program calls it: makes or continues a run folder."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nas_ray.drivers.keeping import note_given
from nas_ray.drivers.plan import RAY, Cancelled, Listeners, Plan
from nas_ray.drivers.ray_client import check_started
from nas_ray.drivers.recorded import search_args
from nas_ray.drivers.table import to_table
from nas_ray.errors import UsageError, printable
from nas_ray.errors.checks import instance
from nas_ray.proxies.forms import later_forms
from nas_ray.report.summary import best_row
from nas_ray.runs.claim import Opens, claimed
from nas_ray.runs.folder import FILE_NAME as RUN
from nas_ray.runs.folder import create_run, read_run, update_run
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.search.base import Experiment as Experiment
from nas_ray.search.estimation import weights_of
from nas_ray.search.finish import Outcome, finish
from nas_ray.search.steps import drive, leave, replay, wall_since

CANCELLED = "cancelled"


def run_experiment(
    experiment: Experiment,
    plan: Plan,
    folder: str | Path,
    listeners: Listeners | None = None,
    *,
    pictures: bool = False,
) -> Outcome:
    """Runs a search and returns what it found; one whose journal is in `folder` goes on where it stopped.

    The folder is that of a command: `journal.jsonl`, `run.json`, `results.parquet`, `results.csv` and
    `best.json`. It may be called in any thread; signals, arguments and working directory are left alone, as
    is Ray, which must be initialised for the driver `ray`. The driver `process` needs none. Tune finds its
    settings in the environment while it runs. Searches of several threads in this process take turns.

    Args:
        experiment: with a searcher that has not begun.
        plan: how trials are run; of another plan than before, a resumed run must keep `archs_per_trial`.
        folder: of this machine; made if need be.
        listeners: who hears of it, and may cancel it: then the status is `cancelled`, all rows are kept, and
            another call continues.
        pictures: draw the best cell and the search as well.

    Raises:
        UsageError: there is no Ray where the plan needs one, the folder cannot be used, or its journal is of
            another search.
        Exception: what the searcher raises; the rows so far are kept.
    """
    instance(Experiment, "an Experiment").check("experiment", experiment)
    instance(Plan, "a Plan").check("plan", plan)
    instance(Listeners, "Listeners").or_none.check("listeners", listeners)
    given, folder, listeners, began = folder, Path(folder), listeners or Listeners(), time.monotonic()
    if given == "":
        raise UsageError("An experiment needs a folder, got ''; name one.")
    if experiment.searcher.num_asked:
        raise UsageError(
            "An experiment needs a searcher that has not begun, and this one has asked for "
            f"{experiment.searcher.num_asked} archs; make it anew."
        )
    if plan.driver == RAY:
        check_started()
    resumed = os.path.lexists(folder / RUN)
    if resumed:
        _check_resumable(experiment, plan, folder)
    with (
        claimed(folder, experiment.name, Opens.RESUMED if resumed else Opens.NEW),
        contextlib.closing(_opened(experiment, plan, folder, resumed)) as journal,
    ):
        before = len(rows_of(experiment.searcher.events))
        try:
            drive(experiment, plan, folder, listeners, journal)
            return finish(experiment, folder, wall_since(folder, began, experiment, before), pictures)
        except Cancelled:
            leave(experiment, folder, CANCELLED, began)
            rows = to_table(experiment.searcher)
            return Outcome(CANCELLED, rows, best_row(rows), {})
        except BaseException as error:
            stopped = isinstance(error, (KeyboardInterrupt, SystemExit))
            with contextlib.suppress(OSError, UsageError):  # there is what there is
                leave(experiment, folder, "interrupted" if stopped else "failed", began, new=not resumed)
            raise


def _opened(experiment: Experiment, plan: Plan, folder: Path, resumed: bool) -> Journal:
    """Returns the journal of a claimed folder, replayed if it was there."""
    if not resumed:
        create_run(folder, _info(experiment, plan))
        journal = Journal(folder / FILE_NAME)
        note_given(experiment.searcher, journal)
        return journal
    check_own_files(folder)
    journal = Journal(folder / FILE_NAME)
    try:
        replay(experiment, folder)
        kept = read_run(folder).get("args")
        args = _info(experiment, plan)["args"] | (kept if isinstance(kept, dict) else {})
        update_run(folder, status="running", args=args | asdict(experiment.budget))
    except BaseException:
        journal.close()
        raise
    return journal


def _check_resumable(experiment: Experiment, plan: Plan, folder: Path) -> None:
    info = read_run(folder)
    made = printable([info.get("experiment")])[0]
    if made != experiment.name:
        raise UsageError(
            f"The folder {folder} holds a run of the experiment {made!r}, not of {experiment.name!r}; choose "
            "another folder."
        )
    args = info.get("args")
    before = args.get("archs_per_trial", 1) if isinstance(args, dict) else 1
    if before != plan.archs_per_trial:
        raise UsageError(
            f"The run {folder} was made with archs_per_trial={printable([before])[0]} and cannot go on with "
            f"{plan.archs_per_trial}; keep it, or start a new run."
        )


def _info(experiment: Experiment, plan: Plan) -> dict[str, Any]:
    """Returns what `run.json` says of an experiment of a program; reports read its `args`."""
    args = search_args(
        experiment.searcher,
        experiment.budget,
        driver=plan.driver,
        archs_per_trial=plan.archs_per_trial,
    )
    return {
        "experiment": experiment.name,
        "status": "running",
        "args": {
            **args,
            "space": type(experiment.space).__name__,
            "dataset": getattr(experiment.benchmark, "dataset", "unknown"),
        },
        "scores": experiment.scores,
        "objectives": experiment.objectives,
        "forms": later_forms(experiment.scores),
        "weights": weights_of(experiment.evaluator),
        "stem": getattr(experiment.space, "stem", None),
        "benchmark": getattr(experiment.benchmark, "acc_source", None),
        **experiment.seen,
    }
