"""Runs a searcher over an evaluator on Ray Tune."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.callbacks import TUNE, check_callbacks, clear
from nas_ray.drivers.connection import check_search, connected
from nas_ray.drivers.local_ray import is_local
from nas_ray.drivers.plan import RAY, Budget, Listeners, Plan
from nas_ray.drivers.ray_client import over_client, search_at_head
from nas_ray.drivers.ray_compat import as_workers_are
from nas_ray.drivers.recorded import recorded, run_info, search_args
from nas_ray.drivers.table import to_table
from nas_ray.drivers.tune_surroundings import tune_surroundings
from nas_ray.errors import encodable
from nas_ray.evaluation.base import Evaluator
from nas_ray.rows import Event, Row
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.searchers.base import ArchSearcher


def tune_search(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    *,
    folder: Path,
    num_samples: int | None = None,
    seconds: float | None = None,
    max_concurrent: int = 1,
    archs_per_trial: int = 1,
    cpus_per_trial: float = 1,
    gpus_per_trial: float = 0,
    trial_timeout_s: float | None = None,
    scheduler: Any = None,
    on_event: Callable[[Event], None] | None = None,
    on_epoch: Callable[[list[Row]], None] | None = None,
    callbacks: Sequence[Any] = (),
    journal: Journal | None = None,
) -> pd.DataFrame:
    """Returns the rows of a search run as Ray Tune trials, in actors that are reused.

    A trial carries up to `archs_per_trial` archs and scores them together if the evaluator can
    (`ChunkScores`). They are asked for before any of them has a row and their rows arrive together: the
    search is that of `max_concurrent * archs_per_trial` parallel workers.

    Ray must be initialised. Over Ray Client, Tune runs at the head, and `searcher` gets the rows alone. Every
    event is in the journal of `folder` before anything else happens with it; a
    searcher that replayed a journal goes on where that one stopped. The folder becomes that of a run, with
    `run.json`, `results.*` and `best.json`, as reports and trainings take it.

    Args:
        searcher: a fresh searcher, or one that replayed the journal of `folder`.
        evaluator: turns an arch into a row; pickled once.
        folder: where the journal is kept; must exist.
        num_samples: evaluations to make in all, repeated archs and those already in the journal included.
        seconds: seconds of search, those already in the journal included, after which no new evaluation
            starts.
        max_concurrent: trials in flight; hyperband keeps all of a band in flight, of which it runs as many at
            a time as there are resources for.
        archs_per_trial: most archs of one trial.
        cpus_per_trial: CPU cores reserved for a trial.
        gpus_per_trial: share of a GPU reserved for a trial.
        trial_timeout_s: seconds that the evaluation of an arch may take; what takes longer is a failed row.
        scheduler: of Ray Tune, which stops trials of an `EpochEvaluator` early; None stops nothing. A stopped
            trial's row is that of its last epoch.
        on_event: called with every event, for progress.
        on_epoch: called with the rows of trials that are still trained, for progress.
        callbacks: of Ray Tune, such as loggers (`ray.tune.Callback`). They see each result with the arch and
            the columns of its row; what they write for a trial is kept in `folder/tune_logs`, but over Ray
            Client, where they are at the head.
        journal: the journal of `folder`, if the caller holds it already and keeps the run: then nothing else
            is written.
    """
    check_search(searcher, evaluator)
    folder = Path(folder)
    plan = Plan(
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        archs_per_trial=archs_per_trial,
        trial_timeout_s=trial_timeout_s,
        scheduler=None if scheduler is None else lambda: scheduler,
    )
    budget = Budget(num_samples, seconds)
    with contextlib.ExitStack() as kept:
        log = kept.enter_context(_held(journal, folder))
        if journal is None:  # its caller keeps a run of its own
            args = search_args(searcher, budget, driver=RAY, archs_per_trial=archs_per_trial)
            info = run_info("tune_search", searcher, evaluator, args)
            kept.enter_context(recorded(folder, searcher, info))
        run_on_ray(
            searcher,
            evaluator,
            plan,
            budget,
            Listeners(on_event, on_epoch, callbacks=callbacks),
            folder=folder,
            journal=log,
        )
    return to_table(searcher)


def run_on_ray(
    searcher: ArchSearcher,
    evaluator: Evaluator,
    plan: Plan,
    budget: Budget,
    listeners: Listeners,
    *,
    folder: Path,
    journal: Journal,
) -> None:
    """Runs a search as Ray Tune trials; `tune_search` says how, and `run_trials` what the arguments are.

    Raises:
        Cancelled: the listeners cancelled it; its trials are ended.
    """
    check_callbacks(listeners.callbacks)
    if over_client():
        search_at_head(searcher, evaluator, plan, budget, listeners, journal=journal, run=run_on_ray)
        return
    storage = _storage(folder)
    try:
        with (
            tune_surroundings(),
            as_workers_are() if is_local() else contextlib.nullcontext(),
            connected(searcher, evaluator, plan, budget, listeners, journal),
        ):
            _tuner(searcher, evaluator, plan, listeners, storage).fit()
    finally:
        clear(storage, folder.resolve(), keep=bool(listeners.callbacks))


def _tuner(
    searcher: ArchSearcher, evaluator: Evaluator, plan: Plan, listeners: Listeners, storage: Path
) -> Any:
    """Returns the `Tuner` of a connected searcher."""
    ship_modules()
    from ray import tune

    from nas_ray.drivers.cancelling import Cancelling
    from nas_ray.drivers.row_searcher import RowSearcher
    from nas_ray.drivers.scheduling import NewestFirst, teach, waiting_trials
    from nas_ray.drivers.trainable import ArchTrial

    scheduler = plan.scheduler() if plan.scheduler else NewestFirst()
    teach(scheduler, rows_of(searcher.events), getattr(evaluator, "metric_column", "valid_acc"))
    trainable = tune.with_resources(
        tune.with_parameters(
            ArchTrial,
            evaluator=evaluator,
            threads=max(1, int(plan.cpus_per_trial)),
            timeout_s=plan.trial_timeout_s,
            flat=bool(listeners.callbacks),
        ),
        {"cpu": plan.cpus_per_trial, "gpu": plan.gpus_per_trial},
    )
    return tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=RowSearcher(searcher),
            scheduler=scheduler,
            num_samples=-1,  # the searcher says when it is finished
            max_concurrent_trials=max(plan.max_concurrent, waiting_trials(scheduler)),
            reuse_actors=True,
            trial_dirname_creator=lambda trial: str(trial.trial_id),
            trial_name_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=tune.RunConfig(
            name=TUNE,
            storage_path=str(storage),
            verbose=0,
            callbacks=[*([Cancelling(listeners)] if listeners.cancelled else []), *listeners.callbacks],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(
                max_failures=1
            ),  # a worker that dies is replaced once per trial
        ),
    )


def _held(journal: Journal | None, folder: Path) -> AbstractContextManager[Journal]:
    """Returns a context with the journal of `folder`: the caller's, which stays open, or one of its own."""
    return contextlib.nullcontext(journal) if journal else contextlib.closing(Journal(folder / FILE_NAME))


def _storage(folder: Path) -> Path:
    """Returns where Tune keeps its snapshots: not in `folder` if its name is no UTF-8, which Arrow needs."""
    place = folder.resolve()
    return place if encodable(str(place)) == str(place) else Path(tempfile.mkdtemp(prefix="nas_ray-"))
