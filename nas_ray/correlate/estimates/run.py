"""Judges the archs that the folder lacks, and tells what each estimate says of the longer training."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from nas_ray.correlate.estimates.args import EstimatesArgs
from nas_ray.correlate.estimates.judging import (
    KEYS,
    LONG,
    PARTS,
    SCORES,
    SHORT,
    Piece,
    World,
    drawn,
    forget,
    judge,
    protocols,
    world_of,
)  # fmt: skip
from nas_ray.correlate.estimates.mixtures import with_mixtures
from nas_ray.drivers.lifecycle import ending_in, guarded
from nas_ray.errors import UsageError
from nas_ray.process.side_by_side import side_by_side
from nas_ray.process.started import command_for
from nas_ray.proxies.plugin import score_names
from nas_ray.report.correlation import correlate, to_markdown
from nas_ray.report.correlation_latex import to_latex
from nas_ray.report.correlation_pictures import draw_bars, draw_ranks
from nas_ray.report.correlation_table import best_proxy, print_table
from nas_ray.rows import ERROR
from nas_ray.runs.claim import claimed
from nas_ray.runs.kept_rows import KeptRows
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_table, write_text
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.next_steps import options_of, say_next
from nas_ray.terminal.text import about, counted

EXPERIMENT = "compare_estimates"
ARCHS, ESTIMATES = "archs", "estimates"
MEASURED = 3
"""Archs of which the time is foretold."""


def run(args: EstimatesArgs, console: Console) -> int:
    """Judges archs, prints the table and writes it to the folder; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    args.check()
    world = world_of(args)
    if args.mixed not in score_names(world.scores.proxies):
        raise UsageError(f"--mixed must be one of --proxies, got {args.mixed}; add it there.")
    archs = drawn(args, world)
    out = args.out or Path("runs") / f"compare-estimates-{time.strftime('%Y%m%d-%H%M%S')}"
    with claimed(out, EXPERIMENT):
        kept = {part: KeptRows(out, part, KEYS, part) for part in PARTS}
        same = protocols(args, world)
        record = Record(out, EXPERIMENT, args)
        every = [Piece(args, out, part, arch, same[part]) for arch in archs for part in PARTS]

        def work() -> int:
            record.begin()
            say(console, introduction(args, world, len(archs)))
            missing = [piece for piece in every if piece.key not in kept[piece.part]]
            make(missing, kept, args.num_cpus or os.cpu_count() or 1, console)
            rows = joined({part: [kept[part][arch, same[part]] for arch in archs] for part in PARTS})
            tell(rows, args, world, out, console)
            record.wrote(ESTIMATES)
            record.end("finished")
            return 0

        def done() -> str:
            return f" after {sum(piece.key in kept[piece.part] for piece in every)} of {len(every)} parts"

        return guarded(work, ending_in(out, "comparison", record.end, "finished parts", done=done), console)


def introduction(args: EstimatesArgs, world: World, count: int) -> str:
    """Returns what is compared with what."""
    limits = {"weights": args.max_params, "multiply-adds": args.max_flops}
    told = [f"at most {most:,.0f} {what}" for what, most in limits.items() if most is not None]
    trained = len(world.long.train_indices)
    archs = ", ".join([f"{count} archs of {args.space}", *told])
    return "\n".join(
        [
            archs,
            f"images     {world.images.description}",
            f"short      {args.short}: {world.short.described()}",
            f"long       {args.long}: {counted(world.long.until, 'epoch')} on {trained:,} images, judged on "
            f"{len(world.images.test_images):,} test images",
        ]
    )


def make(pieces: Sequence[Piece], kept: Mapping[str, KeptRows], processes: int, console: Console) -> None:
    """Judges archs; what is finished is kept, whatever ends it."""
    if not pieces:
        return
    processes = min(processes, len(pieces))
    say(console, f"time       {foretold(pieces, processes)}", "dim")
    with side_by_side(processes) as done:
        results = track(done(judge, pieces), "Parts", len(pieces), console=error_console(), transient=True)
        for piece, row in results:
            kept[piece.part].add(row)
            forget(piece)
    for part in PARTS:
        shutil.rmtree(pieces[0].folder / part, ignore_errors=True)  # of checkpoints, which are gone


def foretold(pieces: Sequence[Piece], processes: int) -> str:
    """Returns how long the trainings will take, by a few steps of some archs."""
    trainings = [piece for piece in pieces if piece.part != SCORES]
    places = np.linspace(0, len(trainings) - 1, min(MEASURED, len(trainings))).astype(int)
    seconds = []
    for piece in (trainings[place] for place in dict.fromkeys(places.tolist())):
        world = world_of(piece.args)
        try:
            found = (world.short if piece.part == "short" else world.long).foretold(piece.arch, threads=1)
        except Exception:  # of which its row will tell
            continue
        seconds.append(found.epochs * found.epoch_seconds)
    if not seconds:
        return f"{len(pieces)} parts, unknown how long"
    each = float(np.mean(seconds))
    together = f", {processes} at a time" if processes > 1 else ""
    return f"{about(each * len(trainings) / processes)}: {len(trainings)} trainings of {each:.1f} s{together}"


def joined(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Returns a row per arch: scores, and the accuracies of both trainings, in percent."""
    scores, short, long = (pd.DataFrame(rows[part]) for part in PARTS)
    found = scores.drop(columns=["protocol", "seconds", ERROR])
    errors = pd.concat([table[ERROR] for table in (scores, short, long)], axis=1).astype(object)
    return found.assign(
        **{SHORT: short["accuracy"], LONG: long["accuracy"]},
        long_seconds=long["seconds"],
        valid_acc_seconds=short["seconds"],
        error=errors.bfill(axis=1).iloc[:, 0],
    )


def tell(rows: pd.DataFrame, args: EstimatesArgs, world: World, out: Path, console: Console) -> None:
    """Prints and writes the table of all estimates, at once or not at all.

    Raises:
        UsageError: hardly any arch could be trained.
    """
    lost = rows[LONG].isna()
    if lost.all():
        raise UsageError(
            f"Archs must be trained to compare, but all {len(rows)} failed: {rows[ERROR].iloc[0]}."
        )
    truth = dict(zip(rows["arch"], rows[LONG].fillna(0.0), strict=True))
    made, mixtures = with_mixtures(rows, args.mixed, args.lambdas)
    scores = score_names(world.scores.proxies)
    judged = [*scores, SHORT, *mixtures]
    table = correlate(made, truth, judged, resamples=args.resamples, seed=args.seed)
    title = f"{len(rows)} archs of {args.space}, {world.images.description}; {args.short} against {args.long}"
    with staged(out) as beside:
        write_table(beside, made, ARCHS)
        write_table(beside, table, ESTIMATES)
        write_text(beside / f"{ESTIMATES}.md", to_markdown(table, title))
        write_text(beside / f"{ESTIMATES}.tex", to_latex(table, title, ESTIMATES))
        draw_bars({"test accuracy": table}, beside / f"{ESTIMATES}.png", title)
        draw_ranks(made, truth, judged, beside / "ranks.png", title)
    say(console, f"\nRank correlation with the test accuracy after {args.long}")
    print_table(table, console)
    if lost.any():
        say(
            console,
            f"{int(lost.sum())} of {len(rows)} archs could not be trained and count as 0 %.",
            "yellow",
        )
    say(console, f"Folder: {out}")
    proxy = best_proxy(table, args.names)
    words = options_of(args, "images", "dataset", "image_size", "max_flops", "max_params")
    say_next(console, command_for("random_search", "--space", args.space, "--proxies", proxy, *words))
