"""The command line of the search experiments: parse, run, resume, and end with the right exit code."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import tyro
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.experiment import Experiment, SearchArgs, introduce, prepare
from nas_ray.finish import finish, write_rows
from nas_ray.journal import FILE_NAME, Journal, read_journal, rows_of
from nas_ray.progress import SearchProgress
from nas_ray.resources import Plan, start_ray
from nas_ray.runs import create_run, read_run, update_run
from nas_ray.search import to_table, tune_search
from nas_ray.searchers import ArchSearcher

A = TypeVar("A", bound=SearchArgs)

CHANGEABLE = {
    *("num_samples", "time_budget_s", "num_gpus", "gpus_per_trial", "num_cpus", "max_concurrent", "address"),
    *("resume", "verbose", "benchmark"),
}
"""What a resumed run may change: limits, resources and the report, nothing that changes the search itself."""
PATHS = {"out", "resume"}
MISUSE, INTERRUPTED = 2, 130


def main(
    args_type: type[A], make_searcher: Callable[..., ArchSearcher], *, name: str, description: str
) -> NoReturn:
    """Runs an experiment from the command line and exits.

    Exit codes: 0 done, 1 no evaluation succeeded, 2 bad input, 130 interrupted.

    Args:
        args_type: dataclass of the arguments.
        make_searcher: see `prepare`.
        name: of the experiment, kept in the run folder.
        description: first paragraph of `--help`.
    """
    with reported_errors():
        args = parse(args_type, name, description)
        sys.exit(run(name, args, make_searcher, Console()))


@contextlib.contextmanager
def reported_errors() -> Iterator[None]:
    """Turns a `UsageError` into one line on standard error and exit code 2."""
    try:
        yield
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(MISUSE)


def parse(args_type: type[A], name: str, description: str, argv: Sequence[str] | None = None) -> A:
    """Returns the command line's arguments; with `--resume`, those of that run and what was given on top.

    Raises:
        UsageError: the run is of another experiment, or an argument was given that it cannot change.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    folder = _resumed_folder(argv)
    if folder is None:
        return absolute(tyro.cli(args_type, args=argv, description=description))
    info = read_run(folder)
    if info.get("experiment") != name:
        raise UsageError(
            f"{folder} is a run of {info.get('experiment')}.py; resume it with that script, not {name}.py."
        )
    stored = stored_args(args_type, info["args"], folder)
    given = absolute(tyro.cli(args_type, args=argv, description=description, default=stored))
    for field in dataclasses.fields(stored):
        before, now = getattr(stored, field.name), getattr(given, field.name)
        if field.name not in CHANGEABLE and before != now:
            option = field.name.replace("_", "-")
            raise UsageError(
                f"The run {folder} was made with --{option} {before} and cannot go on with {now}; "
                f"leave --{option} out, or start a new run."
            )
    return dataclasses.replace(given, resume=folder)


def _resumed_folder(argv: list[str]) -> Path | None:
    for place, word in enumerate(argv):
        if word == "--resume" and place + 1 < len(argv):
            return Path(argv[place + 1])
        if word.startswith("--resume="):
            return Path(word.removeprefix("--resume="))
    return None


def stored_args(args_type: type[A], stored: Any, folder: Path) -> A:
    """Returns the arguments kept in `run.json`.

    Raises:
        UsageError: they are not arguments of this experiment.
    """
    try:
        values: dict[str, Any] = dict(stored)
        values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        values |= {key: Path(values[key]) for key in PATHS if values.get(key)}
        return args_type(**values)
    except (TypeError, AttributeError) as error:
        raise UsageError(f"{folder} was made by another version: {error}; start a new run.") from error


def absolute(args: A) -> A:
    """Returns `args` with absolute paths, so that a run can be resumed from another working directory."""
    kind, colon, path = args.images.partition(":")
    images = f"{kind}:{os.path.abspath(os.path.expanduser(path))}" if colon else args.images
    benchmark = os.path.abspath(args.benchmark) if os.path.exists(args.benchmark) else args.benchmark
    return dataclasses.replace(args, images=images, benchmark=benchmark)


def run(name: str, args: SearchArgs, make_searcher: Callable[..., ArchSearcher], console: Console) -> int:
    """Runs or resumes one search and returns the exit code.

    Raises:
        UsageError: bad input.
    """
    args = args.smoked() if args.smoke and args.resume is None else args
    experiment = prepare(name, args, make_searcher)
    folder = (
        args.resume or args.out or Path("runs") / f"{name}-{args.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
    )
    if args.resume:
        replay(experiment, folder)
    else:
        create_run(folder, describe(experiment))
    with interruptible():
        try:
            return _search(experiment, folder, console)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut the last lines short
            _stop_ray()
            write_rows(folder, to_table(experiment.searcher), experiment.benchmark)
            update_run(folder, status="interrupted")
            done = len(rows_of(experiment.searcher.events))
            console.print(
                f"\nInterrupted after {done} evaluations; nothing is lost. Continue with:", highlight=False
            )
            console.print(f"  {resume_command(folder)}", highlight=False, soft_wrap=True)
            return INTERRUPTED
        finally:
            _stop_ray()


def resume_command(folder: Path) -> str:
    """Returns the command that continues the run in `folder`."""
    return f"python {shlex.quote(sys.argv[0])} --resume {shlex.quote(str(folder))}"


def describe(experiment: Experiment) -> dict[str, Any]:
    """Returns what `run.json` says about the experiment."""
    args = dataclasses.asdict(dataclasses.replace(experiment.args, resume=None, verbose=False))
    return {
        "experiment": experiment.name,
        "status": "running",
        "args": args,
        "scores": experiment.scores,
        "images": {"source": experiment.images.source, "description": experiment.images.description},
        "minibatch_sha256": experiment.batch_fingerprint,
        "benchmark": getattr(experiment.benchmark, "acc_source", None),
    }


def replay(experiment: Experiment, folder: Path) -> None:
    """Brings the searcher to where the journal of `folder` ends.

    Raises:
        UsageError: the minibatch is another one, or the journal does not fit the arguments.
    """
    if read_run(folder).get("minibatch_sha256") != experiment.batch_fingerprint:
        raise UsageError(
            f"The run {folder} scored another minibatch than {experiment.images.source} gives now; "
            "bring the same images back, or start a new run."
        )
    try:
        experiment.searcher.replay(read_journal(folder / FILE_NAME) if (folder / FILE_NAME).exists() else [])
    except (ValueError, KeyError) as error:
        raise UsageError(f"The run {folder} cannot be continued: {error}") from error


def _search(experiment: Experiment, folder: Path, console: Console) -> int:
    Journal(folder / FILE_NAME).close()  # fails here, before Ray starts, if another process writes this run
    update_run(folder, status="running")
    began = time.monotonic()
    errors = Console(stderr=True)
    with errors.status("starting Ray ...") if errors.is_terminal else contextlib.nullcontext():
        plan = start_ray(experiment.request, verbose=experiment.args.verbose)
    introduce(experiment, plan.where, folder, console)
    _drive(experiment, plan, folder, errors)
    _stop_ray()
    return finish(experiment, folder, console, wall_seconds=time.monotonic() - began)


def _drive(experiment: Experiment, plan: Plan, folder: Path, errors: Console) -> None:
    experiment.evaluator.accelerator = "gpu" if plan.gpus_per_trial else "cpu"
    with SearchProgress(errors, experiment.num_samples, experiment.fitness, experiment.label) as progress:
        progress.replayed(rows_of(experiment.searcher.events))
        tune_search(
            experiment.searcher,
            experiment.evaluator,
            folder=folder,
            num_samples=experiment.num_samples,
            seconds=experiment.args.time_budget_s,
            max_concurrent=plan.max_concurrent,
            cpus_per_trial=plan.cpus_per_trial,
            gpus_per_trial=plan.gpus_per_trial,
            on_event=progress,
        )


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Makes SIGTERM end the search as Ctrl-C does."""

    def interrupt(number: int, frame: Any) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop_ray() -> None:
    """Ends Ray's processes, if Ray was started."""
    if "ray" in sys.modules:
        import ray

        ray.shutdown()
