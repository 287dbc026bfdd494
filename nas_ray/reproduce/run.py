"""From arguments to tables: runs, lines, pictures."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from nas_ray.drivers.lifecycle import ending_in, guarded
from nas_ray.reproduce.args import RunsArgs
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.latex import latex
from nas_ray.reproduce.lines import lines_of
from nas_ray.reproduce.live import LiveRuns
from nas_ray.reproduce.look_up import know
from nas_ray.reproduce.measures import TRAINED, scores_for, trained_for
from nas_ray.reproduce.pictures import draw_curves, draw_skips
from nas_ray.reproduce.printing import markdown, show
from nas_ray.reproduce.runs import Runner, Runs, runner
from nas_ray.reproduce.tables import Table
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_parquet, write_text
from nas_ray.terminal.console import error_console, field, say
from nas_ray.terminal.next_steps import say_next
from nas_ray.terminal.ranges import check_ranges

Further = Callable[[Table, pd.DataFrame], tuple[str, str]]
"""`further(table, answers)` prints what else is to be said and returns it as Markdown and as LaTeX."""


def run(
    args: RunsArgs,
    tables: list[Table],
    console: Console,
    further: Further | None = None,
    then: Sequence[str] = (),
) -> int:
    """Runs `tables`, prints them and writes them to the folder; returns the exit code.

    Args:
        args: data and number of runs.
        tables: what to run.
        console: where tables are shown.
        further: what follows each table, from its runs.
        then: commands to name at the end.

    Raises:
        UsageError: a number out of range, or data that lack something.
    """
    check_ranges(args)
    out = args.out or Path("runs") / f"{args.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    live = LiveRuns.of(args, tables)
    known = know(tables, args.benchmark, args.scores_file, args.score_seconds, live=live is not None)
    with claimed(out, args.stem):
        record = Record(out, args.stem, args)
        ending = ending_in(out, "run", record.end, "finished tables")

        def work() -> int:
            record.begin()
            with _runner(known, live, args, tables, out, console) as make:
                for table in tables:
                    _whole(table, told(table, known, args, live), known, make, args, out, console, further)
                    record.wrote(table.name)
            record.end("finished")
            say(console, f"Folder: {out}")
            say_next(console, *then)
            return 0

        return guarded(work, ending, console)


def _runner(
    known: Known,
    live: LiveRuns | None,
    args: RunsArgs,
    tables: list[Table],
    out: Path,
    console: Console,
) -> AbstractContextManager[Runner]:
    """Returns what gives the runs: live ones, or those of as many processes as there is use for."""
    if live is not None:
        return live.runner(known, out, console)
    searched = any(table.settings for table in tables)
    return runner(known, (args.num_cpus or os.cpu_count() or 1) if searched else 1)


def _whole(
    table: Table,
    given: list[str],
    known: Known,
    make: Runner,
    args: RunsArgs,
    out: Path,
    console: Console,
    further: Further | None,
) -> None:
    """Makes, prints and writes one table with all that belongs to it, at once or not at all."""
    with staged(out) as beside:
        lines, answers = reproduce(table, known, make, args, out, beside)
        lines.to_csv(beside / f"{table.name}.csv", index=False)
        show(table, lines, given, console)
        say(console)
        texts = (markdown(table, lines, given), latex(table, lines))
        said = ("", "") if further is None else further(table, answers)
        for kind, text, more in zip(("md", "tex"), texts, said, strict=True):
            write_text(beside / f"{table.name}.{kind}", text + more)


def told(table: Table, known: Known, args: RunsArgs, live: LiveRuns | None = None) -> list[str]:
    """Returns what must be said of the data that the table was computed from."""
    notes = [f"Final accuracy of {known.source}."]
    if live is not None:
        return [*notes, *live.notes]
    if table.scores:
        notes.append(told_of_scores(table, len(args.scores_file)))
    charged = [row for row in table.settings if row.charged and scores_for(row.by)]
    if charged:
        notes.append(f"{args.score_seconds:g} seconds are charged for the scores of one arch.")
    for by in sorted({name for row in table.settings for name in trained_for(row.by)}):
        notes.append(
            f"Seconds are those of training for {TRAINED[by]} epochs and validation, as the benchmark has "
            "them."
        )
    return notes


def told_of_scores(table: Table, sets: int) -> str:
    """Returns what must be said of `sets` sets of stored scores."""
    names = ", ".join(table.scores)
    if sets == 1:
        return (
            f"Stored scores ({names}): one set for all three datasets and all runs. The runs differ in the "
            "archs they draw alone, so our spread lacks that between initialisations, and a difference may "
            "be one of initialisations."
        )
    return (
        f"Stored scores ({names}): {sets} sets, each of its own initialisation and images; the run with "
        f"seed s takes set s mod {sets}, for all three datasets."
    )


def reproduce(
    table: Table, known: Known, make: Runner, args: RunsArgs, out: Path, beside: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the lines and the single runs of a table, and writes its picture and the runs to `beside`.

    Where something ends the runs, those of finished rows are written to `out`.
    """
    if table.analysis is not None:
        lines, bars = table.analysis(known)
        draw_skips(table, bars, known, beside / f"{table.name}.png")
        return lines, pd.DataFrame()
    runs: dict[str, Runs] = {}
    try:
        all_runs(table, make, args.seeds, runs)
    except BaseException:
        if runs:
            _keep_unfinished(joined_runs(runs), out, table.name)
        raise
    answers = joined_runs(runs)
    write_parquet(beside / f"{table.name}-runs.parquet", answers)
    lines = pd.concat(
        [
            lines_of(row, runs[row.title].answers, known.test_column, resamples=args.resamples)
            for row in table.settings
        ],
        ignore_index=True,
    )
    curves = {title: made.curves for title, made in runs.items()}
    draw_curves(table, curves, lines, known, beside / f"{table.name}.png")
    return lines, answers


def joined_runs(runs: dict[str, Runs]) -> pd.DataFrame:
    """Returns one line per run and dataset."""
    answers = pd.concat([made.answers.assign(setting=title) for title, made in runs.items()])
    return answers.astype({"arch": "string"})


def _keep_unfinished(answers: pd.DataFrame, out: Path, name: str) -> None:
    """Writes the runs of some rows, beside those of a finished table if there are any."""
    whole = out / f"{name}-runs.parquet"
    path = out / f"{name}-runs-unfinished.parquet" if (out / f"{name}.csv").exists() else whole
    with contextlib.suppress(OSError):  # what ended the runs is told, and may be a full disk
        write_parquet(path, answers)


def all_runs(table: Table, make: Runner, seeds: int, runs: dict[str, Runs]) -> None:
    """Adds the runs of every row to `runs`, by its title."""
    columns = (field("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=error_console(), transient=True) as progress:
        task = progress.add_task(table.name, total=seeds * len(table.settings))
        for setting in table.settings:
            bare = dataclasses.replace(setting, published=(), no_comparison="")
            made = make(bare, seeds, lambda count: progress.advance(task, count))
            runs[setting.title] = made
            if not progress.console.is_terminal:
                done = made.answers["seed"].nunique() if "seed" in made.answers else seeds
                say(progress.console, f"{table.name}: {setting.title}, {done} runs")
