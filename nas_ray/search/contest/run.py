"""Carries out the entries that the folder lacks, and tells what every contestant came to."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import track

from nas_ray.drivers.lifecycle import ending_in, guarded
from nas_ray.images.spec import GENERATED
from nas_ray.process.side_by_side import side_by_side
from nas_ray.process.started import command_for
from nas_ray.report.contest_picture import draw_contest
from nas_ray.rows import ERROR
from nas_ray.runs.claim import claimed
from nas_ray.runs.kept_rows import KeptRows
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_table, write_text
from nas_ray.search.contest.args import StudyArgs
from nas_ray.search.contest.contestants import Contestant
from nas_ray.search.contest.entry import (
    KEYS,
    Entry,
    carry_out,
    costs_of,
    final_training,
    looked_for,
    opened,
    search_args,
    tidy,
)
from nas_ray.search.contest.lines import lines_of, show, to_latex, to_markdown
from nas_ray.search.contest.sets import ImageSet
from nas_ray.search.experiment import prepare
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import say_next
from nas_ray.terminal.text import about, counted

ENTRIES, TABLE = "entries", "contest"


def run(args: StudyArgs, console: Console) -> int:
    """Carries out entries, prints the table and writes it to the folder; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    args.check()
    out = args.out or Path("runs") / f"{args.experiment}-{time.strftime('%Y%m%d-%H%M%S')}"
    entries = entries_of(args, out)
    for entry in first_ones(entries):
        check(entry)
    with claimed(out, args.experiment):
        kept = KeptRows(out, ENTRIES, KEYS, ENTRIES)
        record = Record(out, args.experiment, args)

        def work() -> int:
            record.begin()
            introduce(args, entries, console)
            make([entry for entry in entries if entry.key not in kept], kept, args, console)
            record.wrote(ENTRIES)
            tell(pd.DataFrame([kept[entry.key] for entry in entries]), args, out, console)
            record.wrote(TABLE)
            record.end("finished")
            say(console, f"Folder: {out}")
            say_next(console, *_next(entries))
            return 0

        def done() -> str:
            return f" after {sum(entry.key in kept for entry in entries)} of {len(entries)} entries"

        ending = ending_in(out, "study", record.end, "finished entries", done=done)
        return guarded(work, ending, console)


def entries_of(args: StudyArgs, out: Path) -> list[Entry]:
    """Returns the entries: seed by seed, so that a contest that is stopped has all contestants.

    Raises:
        UsageError: unknown contestants or sets, or images that cannot be used.
    """
    sets, entrants = args.image_sets(), args.entrants()
    hashes = {one: opened(one, args.batch_size).sha256 for one in sets}
    return [
        Entry(args, out, one, who, seed, protocol(args, one, who, hashes[one]))
        for seed, one, who in itertools.product(range(args.seed, args.seed + args.seeds), sets, entrants)
    ]


def first_ones(entries: Sequence[Entry]) -> list[Entry]:
    """Returns entries with every contestant and every set among them."""
    known: set[Contestant | ImageSet] = set()
    found = []
    for entry in entries:
        if not {entry.contestant, entry.image_set} <= known:
            found.append(entry)
            known |= {entry.contestant, entry.image_set}
    return found


def protocol(args: StudyArgs, image_set: ImageSet, contestant: Contestant, sha256: str) -> str:
    """Returns what rows of one contestant on one set must have in common."""
    budget = [args.num_samples, args.time_budget_s] if contestant.searcher else []
    limits = [args.max_params, args.max_flops]
    images = [image_set.size, sha256]
    facts = [dataclasses.asdict(contestant), images, args.batch_size, args.recipe, budget, limits]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def check(entry: Entry) -> None:
    """Checks that a contestant can search a set, and that what it finds can be trained.

    Raises:
        UsageError: a space, searcher, fitness, recipe or limit that cannot be, or images without test part.
    """
    images = opened(entry.image_set, entry.args.batch_size)
    if entry.contestant.searcher:
        args = search_args(entry)
        space = prepare("search", args, args.searcher).space
    else:
        found = looked_for(entry, images)
        space = found.space
        assert found.arch is not None  # which a search alone may lack
        costs_of(found.arch, space, images)  # which builds it
    final_training(entry, space, images)


def introduce(args: StudyArgs, entries: Sequence[Entry], console: Console) -> None:
    """Prints what takes part, on what, and within which budget."""
    names, labels = (
        list(dict.fromkeys(of)) for of in zip(*((e.key[1], e.key[0]) for e in entries), strict=True)
    )
    say(console, f"{args.experiment}: {', '.join(names)}")
    for one in {entry.image_set: None for entry in entries}:
        named = "" if one.images == f"{GENERATED}:{one.label}" else f"{one.label}: "  # which says it all
        say(console, f"images     {named}{opened(one, args.batch_size).description}")
    say(console, f"search     at most {budget(args)}; then {args.recipe} on all training images")
    say(console, f"entries    {len(entries)}: {counted(args.seeds, 'seed')} of {len(names)} on {len(labels)}")


def budget(args: StudyArgs) -> str:
    """Returns what a search may spend."""
    limits = [f"{args.num_samples} evaluations"] if args.num_samples is not None else []
    limits += [f"{args.time_budget_s:g} s"] if args.time_budget_s is not None else []
    return " or ".join(limits)


def make(entries: Sequence[Entry], kept: KeptRows, args: StudyArgs, console: Console) -> None:
    """Carries out entries; what is finished is kept, whatever ends it."""
    if not entries:
        return
    by_key = {entry.key: entry for entry in entries}
    processes = min(args.num_cpus or os.cpu_count() or 1, len(entries))
    searched = sum(bool(entry.contestant.searcher) for entry in entries)
    if args.time_budget_s is not None and searched:
        seconds = searched * args.time_budget_s / processes
        say(console, f"time       {about(seconds)} of searches, and the trainings beside", "dim")
    with side_by_side(processes) as done:
        results = done(carry_out, entries)
        for row in track(results, "Entries", len(entries), console=error_console(), transient=True):
            kept.add(row)
            tidy(by_key[kept.key(row)])


def tell(rows: pd.DataFrame, args: StudyArgs, out: Path, console: Console) -> None:
    """Prints and writes the table and the picture, at once or not at all."""
    order = [one.name for one in args.entrants()]
    rows = rows.sort_values("contestant", key=lambda names: names.map(order.index), kind="stable")
    lines = lines_of(rows)
    title = f"{args.experiment}: {budget(args)} of search, {args.recipe}, {counted(args.seeds, 'seed')}"
    with staged(out) as beside:
        write_table(beside, lines, TABLE)
        write_text(beside / f"{TABLE}.md", to_markdown(lines, title))
        write_text(beside / f"{TABLE}.tex", to_latex(lines, title, args.experiment))
        draw_contest(lines, beside / f"{TABLE}.png", title)
    say(console)
    show(lines, title, console)
    if ERROR in rows and rows[ERROR].notna().any():
        first = rows[rows[ERROR].notna()].iloc[0]
        say(
            console,
            f"{first['contestant']} on {first['set']}, seed {first['seed']}: {first[ERROR]}",
            "yellow",
        )


def _next(entries: Sequence[Entry]) -> list[str]:
    """Returns the command that shows a search of the study."""
    searched = [entry for entry in entries if entry.contestant.searcher]
    if not searched:
        return []
    return [command_for("report", searched[0].place / "search")]
