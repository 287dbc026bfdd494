"""From arguments to a comparison by several objectives: runs, table, differences, picture."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import track

from nas_ray.drivers.lifecycle import ending_in, guarded
from nas_ray.errors import UsageError, unknown_name
from nas_ray.images.datasets import DATASETS
from nas_ray.process.started import command_for
from nas_ray.reproduce.against import differences
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.at_work import at_work
from nas_ray.reproduce.compare import check, compare, with_random
from nas_ray.reproduce.differing import say_differences
from nas_ray.reproduce.fronts.ground import Ground, Wanted, ground, wanted
from nas_ray.reproduce.fronts.lines import NAME, latex, lines_of, markdown, notes_of, show
from nas_ray.reproduce.fronts.picture import draw_fronts, surfaces
from nas_ray.reproduce.fronts.searching import Found, joined, search
from nas_ray.reproduce.fronts.settings import front_settings
from nas_ray.reproduce.look_up import know
from nas_ray.reproduce.measures import SHORT
from nas_ray.reproduce.run import told
from nas_ray.reproduce.runs import chunks
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_csv, write_parquet, write_text
from nas_ray.spaces import NatsTss
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import say_next


def compare_by(args: CompareArgs, console: Console) -> int:
    """Compares searchers by one thing or by several, as `args` say; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    if args.objectives is not None:
        return compare_fronts(args, console)
    if args.costs:
        raise UsageError(
            "--costs has no use without --objectives, such as accuracy,-latency:pixel2; name them."
        )
    return compare(args, console)


def compare_fronts(args: CompareArgs, console: Console) -> int:
    """Runs the searchers, prints the tables and writes them to the folder; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    what, table, scalar = comparison(args)
    known = ground(know([table], args.benchmark, args.scores_file, args.score_seconds), what, args.measure)
    out = args.out or Path("runs") / f"{args.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    with claimed(out, args.stem):
        record = Record(out, args.stem, args)

        def work() -> int:
            record.begin()
            found = make(args, table.settings, known)
            tell(args, table, known, scalar, found, out, console)
            record.wrote(NAME)
            record.end("finished")
            say(console, f"Folder: {out}")
            one = command_for(
                "search", "--searcher", "nsga2", "--searcher-args", "objectives=naswot,-latency_ms"
            )
            say_next(console, f"{one} --proxies naswot latency_ms --fitness naswot")
            return 0

        return guarded(work, ending_in(out, "run", record.end, "finished tables"), console)


def comparison(args: CompareArgs) -> tuple[Wanted, Table, list[str]]:
    """Returns the objectives, the searches, and which of these maximise a scalar with random weights.

    Raises:
        UsageError: an objective, a cost or a searcher that cannot be, or a number out of range.
    """
    if args.searched_on is not None:
        raise UsageError(
            "--searched-on has no use with --objectives: each dataset has its own front; leave it out."
        )
    check(_without_scores(args), SHORT)
    names = with_random(args.searchers)
    if args.against not in names:
        raise UsageError(f"--against: {unknown_name('searcher of this comparison', args.against, names)}")
    space = NatsTss()
    what = wanted(args, space)
    settings, scalar = front_settings(names, args, what, space, workers=args.workers)
    spent = f"{args.seconds:g} s" if args.seconds else f"{settings[0].evaluations} evaluations"
    at_once = f", {args.workers} at a time" if args.workers > 1 else ""
    title = f"{len(names)} searchers by {what.text.replace(',', ' and ')}, {spent}{at_once}"
    remarks = (what.remark,) if what.remark else ()
    return what, Table(NAME, title, "", remarks=remarks, settings=tuple(settings)), scalar


def _without_scores(args: CompareArgs) -> CompareArgs:
    """Returns `args` for the checks of a search by accuracy, which has no use for scores."""
    return dataclasses.replace(args, scores_file=())


def make(args: CompareArgs, rows: Sequence[Setting], known: Ground) -> Found:
    """Returns the runs of all searchers, made in processes."""
    _ = known.place  # which every run needs, and a pool is given
    datasets = tuple(DATASETS)
    tasks = [(row, tuple(seeds), datasets) for row in rows for seeds in chunks(range(args.seeds))]
    processes = min(args.num_cpus or os.cpu_count() or 1, len(tasks))
    with at_work(known, processes) as done:
        told_of = track(done(search, tasks), "Runs", len(tasks), console=error_console(), transient=True)
        return joined([found for _, found in told_of])


def tell(
    args: CompareArgs,
    table: Table,
    known: Ground,
    scalar: Sequence[str],
    found: Found,
    out: Path,
    console: Console,
) -> None:
    """Prints and writes the table, the differences, the surfaces and the picture, at once or not at all."""
    lines = lines_of(table.settings, found.answers, resamples=args.resamples)
    title = f"{table.name}: {table.title}"
    notes = notes_of(known, scalar, [*told(table, known, args), *table.remarks])
    attained = surfaces(known, found.fronts)
    points = found.answers.assign(accuracy=100 * found.answers["ratio"])
    with staged(out) as beside:
        write_csv(beside / f"{NAME}.csv", lines)
        show(title, lines, notes, console)
        say(console)
        against = differences(points, args.against, resamples=args.resamples)
        heading = f"Hypervolume ratio against {args.against}, in percent"
        text, tex = say_differences(heading, against, console, name=f"{NAME}-against")
        write_text(beside / f"{NAME}.md", markdown(title, lines, notes) + text)
        write_text(beside / f"{NAME}.tex", latex(table.title, lines, notes) + tex)
        write_parquet(beside / f"{NAME}-runs.parquet", found.answers)
        write_parquet(beside / f"{NAME}-found.parquet", found.fronts)
        write_csv(beside / f"{NAME}-fronts.csv", _with_archs(known, attained))
        draw_fronts(table.settings, known, attained, found.curves, table.title, beside / f"{NAME}.png")


def _with_archs(known: Ground, attained: pd.DataFrame) -> pd.DataFrame:
    """Returns the surfaces with the archs of the true fronts; corners of the others are of no single run."""
    archs = list(known.place)
    made = attained.assign(arch=pd.Series(pd.NA, index=attained.index, dtype="string"))
    for dataset, truth in known.truths.items():
        own = (made["setting"] == "true front") & (made["dataset"] == dataset)
        made.loc[own, "arch"] = [archs[place] for place in truth.places]
    return made
