"""Makes the runs that the folder lacks, and tells what searches lose by rows that come late."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from nas_ray.drivers.lifecycle import ending_in, guarded
from nas_ray.process.started import SEARCHES, command_for
from nas_ray.reproduce.against import differences
from nas_ray.reproduce.at_work import at_work
from nas_ray.reproduce.differing import say_differences
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.look_up import know, listed_space
from nas_ray.reproduce.run import told
from nas_ray.reproduce.runs import chunks
from nas_ray.reproduce.staleness.args import StalenessArgs
from nas_ray.reproduce.staleness.foretold import foretold
from nas_ray.reproduce.staleness.kept import KeptRuns
from nas_ray.reproduce.staleness.lines import EXPLAINED, latex, lines_of, markdown, show
from nas_ray.reproduce.staleness.picture import draw_study
from nas_ray.reproduce.staleness.searching import Task, search
from nas_ray.reproduce.staleness.table import NAME, baselines, protocol, table_of
from nas_ray.reproduce.tables import Table
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_csv, write_text
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import options_of, say_next

AGAINST = "Against the same searcher with the fewest workers"


def run(args: StalenessArgs, console: Console) -> int:
    """Makes the runs, prints the tables and writes them to the folder; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    space = listed_space(args.space)
    table = table_of(args, space)
    out = args.out or Path("runs") / f"{args.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    searched = [row.searched_on for row in table.settings[:1] if row.searched_on is not None]
    datasets = tuple(dict.fromkeys((*args.datasets, *searched)))
    given = (args.benchmark, args.scores_file, args.score_seconds)
    known = know([table], *given, space=space, datasets=datasets)
    with claimed(out, args.stem):
        kept = KeptRuns(out, NAME, protocol(args, table, known), args.datasets)
        record = Record(out, args.stem, args)

        def work() -> int:
            record.begin()
            make(args, table, known, kept, console)
            tell(args, table, known, kept, out, console)
            record.wrote(NAME)
            record.end("finished")
            say(console, f"Folder: {out}")
            words = options_of(args, "benchmark")
            first = args.named[0].partition(",")[0]
            one = command_for(first) if first in SEARCHES else command_for("search", "--searcher", first)
            say_next(console, command_for("compare", *args.named, *words), one)
            return 0

        return guarded(work, ending_in(out, "study", record.end, "finished runs"), console)


def make(args: StalenessArgs, table: Table, known: Known, kept: KeptRuns, console: Console) -> None:
    """Makes the runs that are missing; what is finished is kept, whatever ends it."""
    missing = kept.missing(table.settings, args.seeds)
    if not missing:
        return
    _ = known.place, known.ranks  # which every run needs, and a pool is given
    processes = args.num_cpus or os.cpu_count() or 1
    try:
        say(console, f"time       {foretold(known, missing, args.datasets, kept, processes)}", "dim")
        tasks = [Task(row, tuple(part), args.datasets) for row, seeds in missing for part in chunks(seeds)]
        with at_work(known, min(processes, max(1, len(tasks)))) as done:
            for _, found in track(
                done(search, tasks), "Runs", len(tasks), console=error_console(), transient=True
            ):
                kept.add(found)
    finally:
        kept.write()


def tell(
    args: StalenessArgs, table: Table, known: Known, kept: KeptRuns, out: Path, console: Console
) -> None:
    """Prints and writes the table, the differences and the picture, at once or not at all."""
    answers, courses = kept.tables(table.settings, args.seeds)
    lines = lines_of(table.settings, answers, args.datasets, known.test_column, resamples=args.resamples)
    title = f"{table.name}: {table.title}"
    notes = notes_of(args, table, known, lines["measure"].unique().tolist())
    with staged(out) as beside:
        write_csv(beside / f"{NAME}.csv", lines)
        show(title, lines, notes, console)
        say(console)
        found = differences(answers, baselines(table), resamples=args.resamples)
        write_csv(beside / f"{NAME}-against.csv", found)
        text, tex = say_differences(AGAINST, found, console, name=f"{NAME}-against")
        write_text(beside / f"{NAME}.md", markdown(title, lines, notes) + text)
        write_text(beside / f"{NAME}.tex", latex(table.title, lines, notes) + tex)
        draw_study(table.settings, lines, courses, table.title, beside / f"{NAME}.png")


def notes_of(args: StalenessArgs, table: Table, known: Known, measures: Sequence[str]) -> list[str]:
    """Returns the sentences below the table."""
    return [f"Accuracy: {', '.join(measures)}.", *told(table, known, args), *table.remarks, *EXPLAINED]
