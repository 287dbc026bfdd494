"""Any searchers on the same data with many seeds: a table without published figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
from rich.console import Console

from nas_ray.errors import UsageError, unknown_name
from nas_ray.images.datasets import DATASETS
from nas_ray.process.plugins import resolve
from nas_ray.reproduce.against import RULE, differences
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.latex import differences_latex
from nas_ray.reproduce.measures import SHORT, TEST
from nas_ray.reproduce.printing import p_value
from nas_ray.reproduce.run import run
from nas_ray.reproduce.runs import fitness_of
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.searchers import SEARCHERS
from nas_ray.searchers.named import make_searcher
from nas_ray.searchers.options import parse_options, parts_of
from nas_ray.spaces import NatsTss
from nas_ray.terminal.console import Rows, put, say
from nas_ray.terminal.ranges import check_ranges
from nas_ray.terminal.text import table_cell

RANDOM = "random_search"
EVALUATIONS = 200
HEADER = ("searcher", "dataset", "difference", "95 %", "wins %", "p", "")


def compare(args: CompareArgs, console: Console) -> int:
    """Runs the searchers, prints the tables and writes them to the folder; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    table = comparison(args)
    return run(args, [table], console, partial(said_of_differences, args, console))


def comparison(args: CompareArgs) -> Table:
    """Returns the table of searches that `args` describe.

    Raises:
        UsageError: an unknown or repeated searcher, a bad option, or a number out of range.
    """
    check(args)
    names = list(args.searchers) + ([] if RANDOM in args.searchers else [RANDOM])
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise UsageError(f"Each searcher must be named once, got {repeated.pop()} twice; leave one out.")
    if args.against not in names:
        raise UsageError(f"--against: {unknown_name('searcher of this comparison', args.against, names)}")
    settings = tuple(setting(name, args) for name in names)
    spent = f"{args.seconds:g} s" if args.seconds else f"{settings[0].evaluations} evaluations"
    at_once = f", {args.workers} at a time" if args.workers > 1 else ""
    own = "each dataset by its own" if args.searched_on is None else f"all on {args.searched_on}"
    where = f" ({own})" if args.by == SHORT else ""
    return Table(
        "compare",
        f"{len(names)} searchers by {args.by}{where}, {spent}{at_once}",
        "",
        settings=settings,
    )


def check(args: CompareArgs) -> None:
    """Checks what does not depend on data.

    Raises:
        UsageError: a number out of range, or an unknown dataset or measure.
    """
    check_ranges(args)
    if not args.by.strip() or args.by in ("test_acc", "valid_acc", "valid_acc_200"):
        raise UsageError(
            f"--by must be {SHORT}, freerea, or stored scores such as naswot or rank_sum:naswot,synflow; got "
            f"{args.by!r}, which no search may see or no table holds."
        )
    if args.by == SHORT and args.scores_file:
        raise UsageError(f"--scores-file has no use with --by {SHORT}; give --by a score, or leave it out.")
    if args.measure not in (TEST, SHORT):
        raise UsageError(unknown_name("measure", args.measure, [TEST, SHORT]))
    if args.searched_on is not None and args.searched_on not in DATASETS:
        raise UsageError(unknown_name("dataset", args.searched_on, list(DATASETS)))
    if args.searched_on is not None and args.by != SHORT:
        raise UsageError(
            f"--searched-on needs --by {SHORT}, got --by {args.by}, which knows no dataset; leave it out."
        )


def setting(text: str, args: CompareArgs) -> Setting:
    """Returns the searches of one searcher, given as `NAME,option=value,...`.

    Raises:
        UsageError: it cannot be made.
    """
    name, texts = parts_of(text)
    kind = resolve("searcher", name, SEARCHERS, "nas_ray.searchers")
    options = parse_options(kind, texts)
    make_searcher(name, NatsTss(), fitness=fitness_of(args.by), **options)  # told now, not by a process
    no_limit = args.seconds is not None and args.evaluations is None
    return Setting(
        text,
        name,
        args.by,
        options,
        workers=args.workers,
        evaluations=None if no_limit else args.evaluations or EVALUATIONS,
        seconds=args.seconds,
        measure=args.measure,
        searched_on=args.searched_on,
    )


def said_of_differences(
    args: CompareArgs, console: Console, table: Table, answers: pd.DataFrame
) -> tuple[str, str]:
    """Prints how all searchers differ from the one they are tested against; returns Markdown and LaTeX."""
    found = differences(answers, args.against, resamples=args.resamples)
    if found.empty:
        return "", ""
    lines = [cells(line) for _, line in found.iterrows()]
    title = f"Against {args.against}"
    shown = Rows(title=title, title_justify="left", box=None, header_style="bold")
    for place, name in enumerate(HEADER):
        shown.add_column(name, justify="left" if place in (0, 1, 6) else "right")
    for line in lines:
        shown.add_row(*line)
    put(console, shown)
    say(console, RULE, "dim")
    text = "\n".join(["", f"### {title}", "", *as_markdown(lines), "", f"- {RULE}", ""])
    return text, "\n" + differences_latex(args.against, found, RULE)


def as_markdown(lines: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table."""
    head = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return head + ["| " + " | ".join(map(table_cell, line)) + " |" for line in lines]


def cells(line: pd.Series) -> list[str]:
    """Returns one difference as text."""
    return [
        str(line["setting"]), str(line["dataset"]), f"{line['difference']:+.2f}",
        f"{line['low']:+.2f} to {line['high']:+.2f}", f"{line['wins']:.0f}", p_value(line["p"]),
        str(line["verdict"]),
    ]  # fmt: skip
