"""One search as a process: prepare it or replay it, run it, and leave a run folder whatever happens."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from nas_ray.drivers.keeping import replay_run
from nas_ray.drivers.lifecycle import Ending, begin_ray, guarded
from nas_ray.drivers.progress import SearchProgress
from nas_ray.drivers.resources import Plan
from nas_ray.drivers.tune_search import to_table, tune_search
from nas_ray.errors import UsageError
from nas_ray.errors import describe as describe_error
from nas_ray.images.identity import IMAGES, check_unchanged
from nas_ray.proxies.forms import later_forms
from nas_ray.runs.claim import Opens, claimed
from nas_ray.runs.folder import create_run, read_run, unmake_run, update_run, write_table
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.runs.kept import lost
from nas_ray.runs.mirror import run_folder
from nas_ray.runs.resume import resume_command
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.estimation import keep_forms, scheduler_of
from nas_ray.search.estimation import place as place_evaluator
from nas_ray.search.experiment import Experiment, introduce, prepare
from nas_ray.search.finish import finish
from nas_ray.searchers import ArchSearcher
from nas_ray.terminal.console import error_console, say


def run(
    name: str,
    args: SearchArgs,
    searcher: str | Callable[..., ArchSearcher],
    console: Console,
    *,
    began: float | None = None,
) -> int:
    """Runs or resumes one search and returns the exit code.

    Args:
        name: of the experiment.
        args: from the command line.
        searcher: name of a searcher, `module:class`, or a class.
        console: where the summary goes.
        began: `time.monotonic()` of the start of the process, for the time in all.

    Raises:
        UsageError: bad input.
    """
    began = time.monotonic() if began is None else began
    args = args.smoked() if args.smoke and args.resume is None else args
    experiment = prepare(name, args, searcher)
    place = run_place(args, name)
    with (
        opened_run(args, place, name, lambda: describe(experiment)) as folder,
        contextlib.closing(Journal(folder / FILE_NAME)) as journal,
    ):
        if args.resume:
            replay(experiment, folder)
        return guarded(
            lambda: _search(experiment, folder, place, console, began, journal),
            _ending(experiment, folder, place, began),
            console,
        )


@contextlib.contextmanager
def opened_run(
    args: SearchArgs, place: str | Path, name: str, info: Callable[[], dict[str, Any]]
) -> Iterator[Path]:
    """Gives the folder of the run at `place` to this process alone: a new one, or the one to resume.

    Args:
        args: from the command line.
        place: folder or URI.
        name: of the experiment.
        info: returns what `run.json` of a new run says.

    Raises:
        UsageError: the folder cannot be used.
    """
    opens = Opens.RESUMED if args.resume else Opens.NEW
    with run_folder(place, new=not args.resume) as folder, claimed(folder, name, opens):
        if args.resume:
            check_own_files(folder)
        else:
            create_run(folder, info())
        yield folder


def run_place(args: SearchArgs, name: str) -> str | Path:
    """Returns the folder or URI of the run that `args` ask for."""
    return args.resume or args.out or Path("runs") / f"{name}-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"


def _ending(experiment: Experiment, folder: Path, place: str | Path, began: float) -> Ending:
    """Returns what a search leaves and says where it ends early."""
    args = experiment.args
    return Ending(
        "search",
        lambda status: _leave(experiment, folder, status, began),
        done=lambda: f" after {_evaluations(experiment)}",
        kept="nothing is lost",
        where=lambda: f"what was evaluated is kept in {place}" if experiment.searcher.events else "",
        lost=lambda: lost(place, folder, file=FILE_NAME),
        go_on=lambda: resume_command(place, args.address),
        verbose=args.verbose,
    )


def _evaluations(experiment: Experiment) -> str:
    """Returns `1 evaluation` or `2 evaluations`."""
    count = len(rows_of(experiment.searcher.events))
    return f"{count} evaluation{'' if count == 1 else 's'}"


def _leave(experiment: Experiment, folder: Path, status: str, began: float) -> None:
    """Writes the rows so far; a run that has none leaves nothing, so that its folder can be used again."""
    if not experiment.searcher.events and experiment.args.resume is None and status == "failed":
        unmake_run(folder)
        return
    update_run(folder, status=status, wall_seconds=_wall_seconds(folder, began))
    write_table(folder, to_table(experiment.searcher))


IMAGE_FACTS = ("source", "description", "note", "num_classes", "image_size", "skipped")
"""What `run.json` says about the images."""


def stored_form(args: SearchArgs) -> dict[str, Any]:
    """Returns the arguments as `run.json` keeps them."""
    return dataclasses.asdict(dataclasses.replace(args, resume=None, verbose=False))


def describe(experiment: Experiment) -> dict[str, Any]:
    """Returns what `run.json` says about the experiment."""
    return {
        "experiment": experiment.name,
        "status": "running",
        "args": stored_form(experiment.args),
        "scores": experiment.scores,
        "forms": later_forms(experiment.scores),
        "images": {key: getattr(experiment.images, key) for key in IMAGE_FACTS},
        "stem": getattr(experiment.space, "stem", None),
        "minibatch_sha256": experiment.batch_fingerprint,
        IMAGES: experiment.images.sha256,
        "benchmark": getattr(experiment.benchmark, "acc_source", None),
    }


def replay(experiment: Experiment, folder: Path) -> None:
    """Brings the searcher to where the journal of `folder` ends, and its proxies to the forms of the run.

    Raises:
        UsageError: the minibatch is another one, or the journal does not fit the arguments.
    """
    info = read_run(folder)
    if info.get("minibatch_sha256") != experiment.batch_fingerprint:
        raise UsageError(
            f"The run {folder} scored another minibatch than {experiment.images.source} gives now; "
            "bring the same images back, or start a new run."
        )
    check_unchanged(info, {IMAGES: experiment.images.sha256}, f"The run {folder}")
    keep_forms(experiment.evaluator, info.get("forms"))
    try:
        replay_run(experiment.searcher, folder)
    except Exception as error:  # a searcher of the user may raise anything
        why = error if isinstance(error, ValueError) else describe_error(error)
        raise UsageError(f"The run {folder} cannot be continued: {why}") from error


def _search(
    experiment: Experiment, folder: Path, place: str | Path, console: Console, began: float, journal: Journal
) -> int:
    before = len(rows_of(experiment.searcher.events))
    seen = {IMAGES: experiment.images.sha256}  # which a run of an earlier version did not note
    update_run(folder, status="running", args=stored_form(experiment.args), **seen)
    errors = error_console()
    plan = begin_ray(experiment.request, errors, verbose=experiment.args.verbose)
    introduce(experiment, plan.where, place, console)
    _drive(experiment, plan, folder, errors, journal)
    made = len(rows_of(experiment.searcher.events)) > before
    wall_seconds = _wall_seconds(folder, began if made else time.monotonic())
    code = finish(experiment, folder, console, wall_seconds=wall_seconds, gpus_per_trial=plan.gpus_per_trial)
    say(console, f"Run folder: {place}")
    return code


def _wall_seconds(folder: Path, began: float) -> float:
    """Returns the seconds that this process and those before it spent on the run."""
    before: float = read_run(folder).get("wall_seconds") or 0.0
    return before + time.monotonic() - began


def _drive(experiment: Experiment, plan: Plan, folder: Path, errors: Console, journal: Journal) -> None:
    args = experiment.args
    place_evaluator(experiment.evaluator, "gpu" if plan.gpus_per_trial else "cpu", folder)
    with SearchProgress(errors, experiment.num_samples, experiment.fitness, experiment.label) as progress:
        progress.replayed(rows_of(experiment.searcher.events))
        tune_search(
            experiment.searcher,
            experiment.evaluator,
            folder=folder,
            num_samples=experiment.num_samples,
            seconds=args.time_budget_s,
            max_concurrent=plan.max_concurrent,
            archs_per_trial=args.archs_per_trial,
            cpus_per_trial=plan.cpus_per_trial,
            gpus_per_trial=plan.gpus_per_trial,
            trial_timeout_s=args.trial_timeout_s,
            scheduler=scheduler_of(args),
            on_event=progress,
            on_epoch=progress.trained,
            journal=journal,
        )
