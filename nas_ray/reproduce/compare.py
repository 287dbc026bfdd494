"""Any searchers on the same data with many seeds: a table without published figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
from rich.console import Console

from nas_ray.errors import UsageError, unknown_name
from nas_ray.images.datasets import DATASETS
from nas_ray.process.plugins import resolve
from nas_ray.process.started import SEARCHES, command_for
from nas_ray.reproduce.against import differences
from nas_ray.reproduce.args import CompareArgs, SearchedArgs
from nas_ray.reproduce.differing import say_differences
from nas_ray.reproduce.look_up import longest_held
from nas_ray.reproduce.measures import SHORT, TEST, TRAINED, scores_for, trained_for
from nas_ray.reproduce.over_settings import over_settings, say_over_settings
from nas_ray.reproduce.run import run
from nas_ray.reproduce.runs import fitness_of
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.searchers import SEARCHERS
from nas_ray.searchers.named import make_searcher
from nas_ray.searchers.options import parse_options, parts_of
from nas_ray.spaces import NatsTss, SearchSpace
from nas_ray.terminal.ranges import check_ranges

RANDOM = "random_search"
EVALUATIONS = 200


def compare(args: CompareArgs, console: Console) -> int:
    """Runs the searchers, prints the tables and writes them to the folder; returns the exit code.

    Raises:
        UsageError: anything in `args` that cannot work.
    """
    table = comparison(args)
    first = parts_of(args.searchers[0])[0] if args.searchers else RANDOM
    search = command_for(first) if first in SEARCHES else command_for("search", "--searcher", first)
    then = (search, command_for("reproduce", "--list"))
    return run(args, [table], console, partial(said_of_differences, args, console), then)


def comparison(args: CompareArgs) -> Table:
    """Returns the table of searches that `args` describe.

    Raises:
        UsageError: an unknown or repeated searcher, a bad option, or a number out of range.
    """
    check(args, SHORT if args.by is None else args.by)
    names = with_random(args.searchers)
    if args.against not in names:
        raise UsageError(f"--against: {unknown_name('searcher of this comparison', args.against, names)}")
    by, remark = longest_held(args.benchmark) if args.by is None else (args.by, "")
    settings = tuple(setting(name, args, by, NatsTss(), workers=args.workers) for name in names)
    spent = f"{args.seconds:g} s" if args.seconds else f"{settings[0].evaluations} evaluations"
    at_once = f", {args.workers} at a time" if args.workers > 1 else ""
    own = "each dataset by its own" if args.searched_on is None else f"all on {args.searched_on}"
    where = f" ({own})" if trained_for(by) else ""
    return Table(
        "compare",
        f"{len(names)} searchers by {by}{where}, {spent}{at_once}",
        "",
        remarks=(remark,) if remark else (),
        settings=settings,
    )


def with_random(searchers: Sequence[str]) -> list[str]:
    """Returns the searchers with random search among them.

    Raises:
        UsageError: one is named twice.
    """
    names = [*searchers] + ([] if RANDOM in searchers else [RANDOM])
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise UsageError(f"Each searcher must be named once, got {repeated.pop()} twice; leave one out.")
    return names


def check(args: SearchedArgs, by: str) -> None:
    """Checks what does not depend on data.

    Args:
        args: from the command line.
        by: what searches maximise.

    Raises:
        UsageError: a number out of range, or an unknown dataset or measure.
    """
    check_ranges(args)
    if not by.strip() or by in (TEST, "valid_acc"):
        raise UsageError(
            f"--by must be {' or '.join(TRAINED)}, freerea, or stored scores such as naswot or "
            f"rank_sum:naswot,synflow; got {by!r}, which no search may see or no table holds."
        )
    if not scores_for(by) and args.scores_file:
        raise UsageError(f"--scores-file has no use with --by {by}; give --by a score, or leave it out.")
    if args.measure not in (TEST, *TRAINED):
        raise UsageError(unknown_name("measure", args.measure, [TEST, *TRAINED]))
    if args.searched_on is not None and args.searched_on not in DATASETS:
        raise UsageError(unknown_name("dataset", args.searched_on, list(DATASETS)))
    if args.searched_on is not None and not trained_for(by):
        raise UsageError(
            f"--searched-on needs --by {' or '.join(TRAINED)}, got --by {by}, which knows no dataset; leave "
            "it out."
        )


def setting(text: str, args: SearchedArgs, by: str, space: SearchSpace, **further: Any) -> Setting:
    """Returns the searches of one searcher, given as `NAME,option=value,...`.

    Args:
        text: the searcher.
        args: what it may spend, and what is reported.
        by: what it maximises.
        space: where it searches.
        further: of the setting.

    Raises:
        UsageError: it cannot be made.
    """
    name, texts = parts_of(text)
    kind = resolve("searcher", name, SEARCHERS, "nas_ray.searchers")
    options = parse_options(kind, texts)
    make_searcher(name, space, fitness=fitness_of(by), **options)  # told now, not by a process
    no_limit = args.seconds is not None and args.evaluations is None
    return Setting(
        text,
        name,
        by,
        options,
        evaluations=None if no_limit else args.evaluations or EVALUATIONS,
        seconds=args.seconds,
        measure=args.measure,
        searched_on=args.searched_on,
        **further,
    )


def said_of_differences(
    args: CompareArgs, console: Console, table: Table, answers: pd.DataFrame
) -> tuple[str, str]:
    """Prints how searchers differ from the one they are tested against, and what settings are worth.

    Returns Markdown and LaTeX.
    """
    found = differences(answers, args.against, resamples=args.resamples)
    said = say_differences(f"Against {args.against}", found, console, name="compare-against")
    searchers = {row.title: row.searcher for row in table.settings}
    worth = say_over_settings(over_settings(answers, searchers, resamples=args.resamples), console)
    return said[0] + worth[0], said[1] + worth[1]
