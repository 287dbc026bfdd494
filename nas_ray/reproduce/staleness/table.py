"""The rows of the study: every searcher with each number of workers, and with each fixed lateness."""

from __future__ import annotations

import dataclasses
import hashlib

from nas_ray.reproduce.compare import check, setting, with_random
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.look_up import longest_held
from nas_ray.reproduce.measures import SHORT, trained_for
from nas_ray.reproduce.staleness.args import WORK, StalenessArgs
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.spaces import FiniteSpace

NAME = "staleness"


def table_of(args: StalenessArgs, space: FiniteSpace) -> Table:
    """Returns the table that `args` describe.

    Raises:
        UsageError: an unknown or repeated searcher, a bad option, or a number out of range.
    """
    args.check()
    if args.by is not None and not trained_for(args.by) and args.searched_on == StalenessArgs.searched_on:
        args = dataclasses.replace(args, searched_on=None)  # a score knows no dataset
    check(args, SHORT if args.by is None else args.by)
    by, remark = longest_held(args.benchmark, space) if args.by is None else (args.by, "")
    settings = tuple(
        row
        for text in with_random(args.named)
        for row in rows_of(setting(text, args, by, space, pooled=args.budget == WORK), args)
    )
    where = "" if not trained_for(by) else f" on {args.searched_on or 'each dataset'}"
    title = f"searches by {by}{where} whose rows come late, {spent(args)}"
    return Table(NAME, title, "", remarks=(remark,) if remark else (), settings=settings)


def spent(args: StalenessArgs) -> str:
    """Returns what a run may spend, in words."""
    whose = "of all workers together" if args.budget == WORK else "of the clock"
    seconds = "" if args.seconds is None else f"{args.seconds:,g} s {whose}"
    count = "" if args.evaluations is None else f"{args.evaluations:,} evaluations"
    return " or ".join(filter(None, (seconds, count)))


def rows_of(base: Setting, args: StalenessArgs) -> list[Setting]:
    """Returns a searcher with each number of workers, then with one worker and each fixed lateness."""
    conditions = [(workers, 0) for workers in args.workers_of_rows]
    conditions += [(1, late) for late in args.lateness_of_rows]
    return [
        dataclasses.replace(
            base, title=f"{base.title}, {condition(workers, late)}", workers=workers, late=late
        )
        for workers, late in conditions
    ]


def condition(workers: int, late: int) -> str:
    """Returns how late rows are, in words."""
    if late:
        return f"{late} ask{'s' if late > 1 else ''} late"
    return f"{workers} worker{'s' if workers > 1 else ''}"


def searcher_of(row: Setting) -> str:
    """Returns the searcher of a row as its user wrote it."""
    return row.title.removesuffix(f", {condition(row.workers, row.late)}")


def baselines(table: Table) -> dict[str, str]:
    """Returns for each row that of the same searcher with the fewest workers, where that is another row."""
    fewest: dict[str, Setting] = {}
    for row in table.settings:
        best = fewest.setdefault(searcher_of(row), row)
        if (row.late, row.workers) < (best.late, best.workers):
            fewest[searcher_of(row)] = row
    found = {row.title: fewest[searcher_of(row)].title for row in table.settings}
    return {title: other for title, other in found.items() if title != other}


def protocol(args: StalenessArgs, table: Table, known: Known) -> str:
    """Returns what runs must have in common to stand in one table: what they may spend, see and report."""
    first, held = table.settings[0], hashlib.sha256()
    for columns in (known.accuracy, known.seconds):
        for key in sorted(columns):
            held.update(repr(key).encode())
            held.update(columns[key].tobytes())
    for scores in known.scores:
        for name in sorted(scores):
            held.update(scores[name].tobytes())
    facts = (
        args.space, first.by, first.searched_on or "each dataset", first.measure, spent(args),
        args.score_seconds, held.hexdigest()[:16],
    )  # fmt: skip
    return "; ".join(map(str, facts))
