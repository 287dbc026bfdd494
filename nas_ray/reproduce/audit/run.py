"""Reads a table of results, holds it against a benchmark, and says which rows cannot be true."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Column

from nas_ray.benchmarks import Benchmark, open_benchmark
from nas_ray.benchmarks.table_files import check_writable, write_table
from nas_ray.errors import UsageError
from nas_ray.reproduce.audit.args import AuditArgs
from nas_ray.reproduce.audit.claims import TEST, VALID, Line, Measure, read_lines_of
from nas_ray.reproduce.audit.reachable import accuracies
from nas_ray.reproduce.audit.verdicts import BLAMED, FINE, IMPOSSIBLE, NOTE, Finding, judged
from nas_ray.reproduce.look_up import listed_space
from nas_ray.terminal.console import Rows, put, say
from nas_ray.terminal.text import counted

MEANS = (
    "By the benchmark's accuracies, means over training seeds. Results of single seeds may differ by some "
    "tenths of a point; --slack 0.5 allows for it."
)
FOUND = 1
"""Exit code where a row cannot be true."""


def run(args: AuditArgs, console: Console) -> int:
    """Prints the verdicts; returns 0, or 1 where a row cannot be true.

    Raises:
        UsageError: anything in `args` or the table that cannot work.
    """
    if args.out is not None:
        check_writable(args.out)
        for read, what in ((args.results, "the table of results"), (Path(args.benchmark), "the benchmark")):
            if args.out.exists() and read.exists() and args.out.samefile(read):
                raise UsageError(
                    f"The verdicts must go to a file of their own, got --out {args.out}, which is {what}; "
                    "name another."
                )
    lines, unread = read_lines_of(args.results, args.runs, args.searched)
    measures = list(dict.fromkeys(measure for line in lines for measure in line.claims))
    if not measures:
        raise UsageError(f"The table {args.results} must hold an accuracy, and all its cells are empty.")
    benchmarks = _benchmarks(args, measures)
    known = accuracies(benchmarks, measures)
    for dataset, benchmark in benchmarks.items():  # what values may be instead, and who is best by it
        others = [Measure(dataset, split) for split in (TEST, VALID)]
        for measure in [other for other in others if other not in known]:
            with suppress(UsageError):  # this benchmark does not have it
                known |= accuracies({dataset: benchmark}, [measure])
    found = judged(lines, known, args.slack)
    say(
        console,
        f"{args.results.name}: {counted(len(lines), 'row')}, held against "
        f"{next(iter(benchmarks.values())).name} ({len(next(iter(known.values()))):,} archs)",
    )
    if unread:
        say(console, f"not read: {', '.join(unread)}", "dim")
    put(console, _shown(found))
    say(console, _counts(lines, found))
    if not args.slack and any(finding.verdict == IMPOSSIBLE for finding in found):
        say(console, MEANS, "dim")
    if args.out is not None:
        write_table(_table(found), args.out)
        say(console, f"Verdicts: {args.out}")
    return FOUND if any(finding.verdict in BLAMED for finding in found) else 0


def _benchmarks(args: AuditArgs, measures: list[Measure]) -> dict[str, Benchmark]:
    space = listed_space(args.space)
    opened = {
        dataset: open_benchmark(args.benchmark, dataset, space)
        for dataset in dict.fromkeys(measure.dataset for measure in measures)
    }
    if any(benchmark is None for benchmark in opened.values()):
        raise UsageError(
            f"An audit needs the accuracy of all archs of {args.space}, got --benchmark {args.benchmark}; "
            "name a table."
        )
    return {dataset: benchmark for dataset, benchmark in opened.items() if benchmark is not None}


def _shown(found: list[Finding]) -> Rows:
    table = Rows(Column("row", justify="right"), "method", "verdict", "why", box=None, header_style="bold")
    before: Line | None = None
    for finding in found:
        first = ("", "") if finding.line is before else (str(finding.line.number), finding.line.name)
        table.add_row(*first, finding.verdict, finding.reason)
        before = finding.line
    return table


def _counts(lines: list[Line], found: list[Finding]) -> str:
    """Returns one sentence: how many rows have which verdict."""
    worst: dict[int, str] = {}
    for finding in found:
        if finding.verdict != NOTE:
            worst.setdefault(finding.line.number, finding.verdict)
    counts = Counter(worst.values())
    fine = counts.pop(FINE, 0)
    words = [f"{count} {verdict}" for verdict, count in counts.items()]
    return (
        f"{fine} of {counted(len(lines), 'row')} possible" + (f", {', '.join(words)}" if words else "") + "."
    )


def _table(found: list[Finding]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "row": finding.line.number,
                "method": finding.line.name,
                "verdict": finding.verdict,
                "why": finding.reason,
            }
            for finding in found
        ]
    )
