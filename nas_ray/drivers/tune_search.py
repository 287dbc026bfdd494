"""Runs a searcher over an evaluator on Ray Tune."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.keeping import keeper_of
from nas_ray.drivers.ray_client import over_client, search_at_head
from nas_ray.drivers.ray_compat import OF_TUNE
from nas_ray.evaluation.proxy_scores import EpochEvaluator, Evaluator
from nas_ray.rows import ERROR, ERROR_KIND, FOUND, LEADING, TRAILING, Event, Row, error_kind_of
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.messages import SCORE
from nas_ray.text import encodable

# Read by Ray Tune when it is imported or when a run starts.
TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # rows go to the journal, not to three files per trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C ends at once; the journal is already complete
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # Tune's own snapshots are not used to resume
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    **OF_TUNE,
}


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
    journal: Journal | None = None,
) -> pd.DataFrame:
    """Returns the rows of a search run as Ray Tune trials, in actors that are reused.

    A trial carries up to `archs_per_trial` archs and scores them together if the evaluator can
    (`ChunkScores`). They are asked for before any of them has a row and their rows arrive together: the
    search is that of `max_concurrent * archs_per_trial` parallel workers.

    Ray must be initialised. Over Ray Client, Tune runs at the head, and `searcher` gets the rows alone. Every
    event is in the journal of `folder` before anything else happens with it; a
    searcher that replayed a journal goes on where that one stopped.

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
        journal: the journal of `folder`, if the caller holds it already.
    """
    if over_client():
        with _held(journal, folder) as log:
            search_at_head(
                searcher,
                evaluator,
                journal=log,
                on_event=on_event,
                on_epoch=on_epoch,
                num_samples=num_samples,
                seconds=seconds,
                max_concurrent=max_concurrent,
                archs_per_trial=archs_per_trial,
                cpus_per_trial=cpus_per_trial,
                gpus_per_trial=gpus_per_trial,
                trial_timeout_s=trial_timeout_s,
                scheduler=scheduler,
            )
        return to_table(searcher)
    os.environ.update({name: os.environ.get(name, value) for name, value in TUNE_SETTINGS.items()})
    from ray import tune

    from nas_ray.drivers.scheduling import NewestFirst, teach, waiting_trials
    from nas_ray.drivers.trainable import ArchTrial, EpochTrial
    from nas_ray.drivers.tune_searcher import TuneSearcher

    by_epochs = evaluator if isinstance(evaluator, EpochEvaluator) else None
    scheduler = scheduler or NewestFirst()
    teach(scheduler, rows_of(searcher.events))
    log = journal or Journal(folder / FILE_NAME)
    start = time.monotonic() - elapsed(searcher)

    def clock() -> float:
        return time.monotonic() - start

    def stop() -> bool:
        enough = num_samples is not None and searcher.num_asked >= num_samples
        return enough or (seconds is not None and clock() >= seconds)

    def observe(event: Event) -> None:
        log.append(event)
        if by_epochs and event["event"] == "tell":
            by_epochs.forget(event["row"]["arch"])
        if on_event:
            on_event(event)

    searcher.attach(
        observer=observe,
        stop=stop,
        clock=clock,
        watcher=on_epoch,
        archs_per_trial=archs_per_trial,
        **keeper_of(searcher, folder),
    )
    ship_modules()
    trainable = tune.with_resources(
        tune.with_parameters(
            EpochTrial if by_epochs else ArchTrial,
            evaluator=evaluator,
            threads=max(1, int(cpus_per_trial)),
            timeout_s=trial_timeout_s,
        ),
        {"cpu": cpus_per_trial, "gpu": gpus_per_trial},
    )
    storage = _storage(folder)
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=TuneSearcher(searcher, metric=SCORE),
            scheduler=scheduler,
            num_samples=-1,  # the searcher says when it is finished
            max_concurrent_trials=max(max_concurrent, waiting_trials(scheduler)),
            reuse_actors=True,
            trial_dirname_creator=lambda trial: str(trial.trial_id),
            trial_name_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(storage),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(
                max_failures=1
            ),  # a worker that dies is replaced once per trial
        ),
    )
    try:
        tuner.fit()
    finally:
        searcher.attach()
        if journal is None:
            log.close()
        # Tune's own snapshots; the journal holds all there is
        shutil.rmtree(storage / "tune" if storage == folder.resolve() else storage, ignore_errors=True)
    return to_table(searcher)


def _held(journal: Journal | None, folder: Path) -> AbstractContextManager[Journal]:
    """Returns a context with the journal of `folder`: the caller's, which stays open, or one of its own."""
    return contextlib.nullcontext(journal) if journal else contextlib.closing(Journal(folder / FILE_NAME))


def _storage(folder: Path) -> Path:
    """Returns where Tune keeps its snapshots: not in `folder` if its name is no UTF-8, which Arrow needs."""
    place = folder.resolve()
    return place if encodable(str(place)) == str(place) else Path(tempfile.mkdtemp(prefix="nas_ray-"))


def elapsed(searcher: ArchSearcher) -> float:
    """Returns the seconds of search that the replayed rows already took."""
    return max((float(row.get("finished_at", 0.0)) for row in rows_of(searcher.events)), default=0.0)


def to_table(searcher: ArchSearcher) -> pd.DataFrame:
    """Returns one row per trial in order of arrival, with the final fitness relative to all of them."""
    rows, known = rows_of(searcher.events), searcher.rows_as_told()
    fitness = dict(zip([row["arch"] for row in known], searcher.fitness(known), strict=True))
    table = pd.DataFrame(
        [{**row, ERROR_KIND: error_kind_of(row), "fitness": fitness[row["arch"]]} for row in rows]
    )
    for name in (*LEADING, *TRAILING):
        if name not in table:
            table[name] = None
    first = [*LEADING, FOUND] if FOUND in table else [*LEADING]
    for name in ("worker", ERROR, ERROR_KIND, *first[len(LEADING) :]):
        table[name] = table[name].astype("string")  # the same type whether or not anything failed
    scores = [name for name in table if name not in (*first, *TRAILING)]
    return table[[*first, *scores, *TRAILING]]
