"""One search as a process: prepare it or replay it, run it, and leave a run folder whatever happens."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nas_ray.drivers.keeping import note_given
from nas_ray.drivers.lifecycle import Ending, begin, guarded
from nas_ray.drivers.plan import Listeners
from nas_ray.drivers.progress import SearchProgress
from nas_ray.images.identity import IMAGES
from nas_ray.process.started import command_for
from nas_ray.proxies.forms import later_forms
from nas_ray.rows import GIVEN
from nas_ray.runs.claim import Opens, claimed
from nas_ray.runs.folder import create_run, update_run
from nas_ray.runs.journal import FILE_NAME, Journal, rows_of
from nas_ray.runs.kept import lost
from nas_ray.runs.mirror import run_folder
from nas_ray.runs.resume import resume_command
from nas_ray.runs.storage import is_uri
from nas_ray.safe_files.foreign import check_own_files
from nas_ray.search.arguments import RunnableArgs, SearchArgs
from nas_ray.search.base import Experiment
from nas_ray.search.estimation import weights_of
from nas_ray.search.experiment import Runnable, introduce, prepare
from nas_ray.search.foretold import expected, time_lines
from nas_ray.search.steps import drive, leave, wall_since
from nas_ray.search.steps import replay as replay
from nas_ray.searchers import ArchSearcher
from nas_ray.spaces.needs import stem_of
from nas_ray.terminal.console import error_console
from nas_ray.terminal.next_steps import say_next

if TYPE_CHECKING:
    from nas_ray.search.finish import Outcome

After = Callable[["Outcome", Experiment, Path, Console], None]
"""What follows the summary of a finished run, in its folder."""


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
    return run_prepared(prepare(name, args, searcher), console, began=began)


def run_prepared(experiment: Runnable, console: Console, *, began: float, after: After | None = None) -> int:
    """Runs or resumes a checked experiment and returns the exit code.

    Args:
        experiment: its arguments say the folder.
        console: where the summary goes.
        began: `time.monotonic()` of the start of the process.
        after: shows and writes what this kind of experiment has beside tables and the best arch; None for a
            front, where there is one.

    Raises:
        UsageError: the folder cannot be used, or what it holds does not fit.
    """
    args, name = experiment.args, experiment.name
    place = run_place(args, name)
    with (
        opened_run(args, place, name, lambda: describe(experiment)) as folder,
        contextlib.closing(Journal(folder / FILE_NAME)) as journal,
    ):
        if args.resume:
            replay(experiment, folder)
        else:
            note_given(experiment.searcher, journal)
        return guarded(
            lambda: _search(experiment, folder, place, console, began, journal, after),
            _ending(experiment, folder, place, began),
            console,
        )


@contextlib.contextmanager
def opened_run(
    args: RunnableArgs, place: str | Path, name: str, info: Callable[[], dict[str, Any]]
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


def run_place(args: RunnableArgs, name: str) -> str | Path:
    """Returns the folder or URI of the run that `args` ask for; a new one is called after the searcher."""
    searcher = getattr(args, "searcher", None) if name == "search" else None
    stem = re.sub(r"\W+", "-", str(searcher).rpartition(":")[2]) if searcher else name
    return args.resume or args.out or Path("runs") / f"{stem}-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"


def next_of(place: str | Path, args: RunnableArgs, *, found: bool) -> list[str]:
    """Returns the commands that a finished run at `place` is good for.

    Args:
        place: folder or URI.
        args: of the search.
        found: whether there is a best arch.
    """
    if is_uri(place):  # which neither a report nor a training reads
        return [resume_command(place, args.address)]
    return [command_for("report", Path(place)), *([command_for("train", Path(place))] if found else [])]


def _ending(experiment: Runnable, folder: Path, place: str | Path, began: float) -> Ending:
    """Returns what a search leaves and says where it ends early."""
    args = experiment.args
    return Ending(
        "search",
        lambda status: leave(experiment, folder, status, began, new=args.resume is None),
        done=lambda: f" after {_evaluations(experiment)}",
        kept="nothing is lost",
        where=lambda: f"what was evaluated is kept in {place}" if experiment.searcher.begun else "",
        lost=lambda: lost(place, folder, file=FILE_NAME),
        go_on=lambda: resume_command(place, args.address),
        verbose=args.verbose,
    )


def _evaluations(experiment: Runnable) -> str:
    """Returns `1 evaluation` or `2 evaluations`."""
    count = sum(not row.get(GIVEN) for row in rows_of(experiment.searcher.events))
    return f"{count} evaluation{'' if count == 1 else 's'}"


IMAGE_FACTS = ("source", "description", "note", "num_classes", "image_size", "skipped")
"""What `run.json` says about the images."""


def stored_form(args: RunnableArgs) -> dict[str, Any]:
    """Returns the arguments as `run.json` keeps them."""
    return dataclasses.asdict(dataclasses.replace(args, resume=None, verbose=False))


def describe(experiment: Runnable) -> dict[str, Any]:
    """Returns what `run.json` says about the experiment."""
    return {
        "experiment": experiment.name,
        "status": "running",
        **({"started_from": experiment.started_from} if experiment.started_from else {}),
        "args": stored_form(experiment.args),
        "scores": experiment.scores,
        "objectives": experiment.objectives,
        "forms": later_forms(experiment.scores),
        "weights": weights_of(experiment.evaluator),
        "images": {key: getattr(experiment.images, key) for key in IMAGE_FACTS},
        "stem": stem_of(experiment.space),
        **experiment.seen,
        "benchmark": getattr(experiment.benchmark, "acc_source", None),
    }


def _search(
    experiment: Runnable,
    folder: Path,
    place: str | Path,
    console: Console,
    began: float,
    journal: Journal,
    after: After | None,
) -> int:
    before = len(rows_of(experiment.searcher.events))
    seen = {IMAGES: experiment.images.sha256}  # which a run of an earlier version did not note
    update_run(folder, status="running", args=stored_form(experiment.args), **seen)
    errors = error_console()
    plan = experiment.planned(begin(experiment.request, errors, verbose=experiment.args.verbose))
    space, left = experiment.searcher.space, (experiment.num_samples or 0) - before
    time_left = time_lines(expected(experiment.evaluator, space, left, experiment.request, plan))
    introduce(experiment, plan.where, place, console, time_left)
    with SearchProgress(errors, experiment.num_samples, experiment.fitness, experiment.label) as progress:
        progress.replayed(rows_of(experiment.searcher.events))
        drive(experiment, plan, folder, Listeners(progress, progress.trained), journal)
    from nas_ray.search.finish import finish, show, show_front  # whose pictures no trial waits for

    outcome = finish(experiment, folder, wall_since(folder, began, experiment, before))
    code = show(outcome, experiment, console, plan.gpus_per_trial)
    (after or show_front)(outcome, experiment, folder, console)
    say_next(console, *next_of(place, experiment.args, found=outcome.best is not None))
    return code
