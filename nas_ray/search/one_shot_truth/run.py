"""Makes the searches, and tells how often each method found what is right."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import track

from nas_ray.drivers.lifecycle import ending_in, guarded
from nas_ray.errors import UsageError
from nas_ray.process.side_by_side import side_by_side
from nas_ray.process.started import command_for
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_table
from nas_ray.safe_files.tables import read_own_table
from nas_ray.search.one_shot_truth.args import TruthArgs
from nas_ray.search.one_shot_truth.searching import Task, search
from nas_ray.search.one_shot_truth.table import completed, how_often, show
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import say_next
from nas_ray.terminal.ranges import check_ranges

EXPERIMENT = "one_shot_truth"
SEARCHES, FOUND = "searches", "found"
KEYS = tuple(Task.__annotations__)
FOUND_OUT = ("arch", "supernet_acc", "seconds")
"""Columns of a search: what it is, and what it found."""


def run(args: TruthArgs, console: Console) -> int:
    """Makes the searches that the folder lacks, prints and writes their tables; returns the exit code.

    Raises:
        UsageError: an unknown method, or a number that cannot be.
    """
    tasks = tasks_of(args)
    out = args.out or Path("runs") / f"one-shot-truth-{time.strftime('%Y%m%d-%H%M%S')}"
    with claimed(out, EXPERIMENT):
        rows = earlier(out, tasks)
        record = Record(out, EXPERIMENT, args)

        def keep() -> None:
            with staged(out) as beside:
                write_table(beside, table_of(rows, tasks), SEARCHES)

        def work() -> int:
            record.begin()
            missing = grouped([task for task in tasks if task not in rows])
            processes = min(args.num_cpus or os.cpu_count() or 1, len(missing))
            with side_by_side(processes) as made:
                for some in track(
                    made(_searches, missing), "Searches", len(missing), console=error_console()
                ):
                    rows.update({task_of(row): row for row in some})
                    keep()
            found = how_often(table_of(rows, tasks))
            with staged(out) as beside:
                write_table(beside, found, FOUND)
            for name in (SEARCHES, FOUND):
                record.wrote(name)
            show(found, args, console)
            record.end("finished")
            say(console, f"Folder: {out}")
            best = found.groupby("method", sort=False)["right"].mean().idxmax()
            say_next(console, command_for("one_shot", "--method", str(best)))
            return 0

        ending = ending_in(
            out,
            "comparison",
            record.end,
            "finished searches",
            done=lambda: f" after {len(rows)} of {len(tasks)} searches",
        )
        return guarded(work, ending, console)


def tasks_of(args: TruthArgs) -> list[Task]:
    """Returns the searches: by strength of the shortcut, then seed, then method.

    Raises:
        UsageError: a method, a strength or a number that cannot be, or nothing to do.
    """
    check_ranges(args)
    if not args.methods or not args.strengths:
        raise UsageError("Methods and shortcuts must be named, one of each at least.")
    for name, given in (("methods", args.methods), ("shortcuts", args.strengths)):
        if len(set(given)) < len(given):
            raise UsageError(f"The {name} must all be different, got {' '.join(map(str, given))}.")
    methods = [completed(text, args) for text in args.methods]
    size = (args.steps, args.batch_size, args.channels, args.num_images)
    every = itertools.product(args.strengths, range(args.seeds), methods)
    return [Task(method, shortcut, seed, *size) for shortcut, seed, method in every]


def grouped(tasks: Sequence[Task]) -> list[list[Task]]:
    """Returns the tasks in groups that share their images, which a process makes once."""
    by_images = itertools.groupby(tasks, lambda task: (task.shortcut, task.seed))
    return [list(group) for _, group in by_images]


def earlier(out: Path, tasks: Sequence[Task]) -> dict[Task, dict[Any, Any]]:
    """Returns the rows of these searches that a folder holds already.

    Raises:
        UsageError: its table cannot be read.
    """
    path = out / f"{SEARCHES}.parquet"
    if not path.exists():
        return {}
    wanted = set(tasks)
    table = read_own_table(path, "this command", "searches")
    if not {*KEYS, *FOUND_OUT} <= set(table.columns):
        return {}
    rows = {task_of(row): row for row in map(dict, table.to_dict("records"))}
    return {task: row for task, row in rows.items() if task in wanted}


def task_of(row: Mapping[Any, Any]) -> Task:
    """Returns the search that a row tells of."""
    return Task(**{key: row[key] for key in KEYS})


def table_of(rows: Mapping[Task, Mapping[Any, Any]], tasks: Sequence[Task]) -> pd.DataFrame:
    """Returns the rows of searches in their order."""
    made = [rows[task] for task in tasks if task in rows]
    return pd.DataFrame(made, columns=[*KEYS, *FOUND_OUT])


def _searches(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    return [search(task) for task in tasks]
