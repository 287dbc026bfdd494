"""The result of a search as it is printed: the best arch, what it is worth, what it cost, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from nas_ray.report.cells import cell_text
from nas_ray.report.expected import ORACLE_SAYS
from nas_ray.report.magnitudes import shown_perplexity, shown_score
from nas_ray.report.standing import is_relative, rank_of
from nas_ray.searchers.columns import Negated
from nas_ray.terminal.console import Rows, headed, put, say

if TYPE_CHECKING:
    import pandas as pd

    from nas_ray.searchers.fitness import Fitness

# For terminals that know no box-drawing characters; one character each, so that columns stay aligned.
_ASCII = str.maketrans("─│┌┐└┘├┴┬╭╮╰╯┄┊▶▼▲", "-|+++++++....-:>v^")


@dataclass(frozen=True)
class Course:
    """A search whose summary is printed.

    Attributes:
        rows: all of them.
        best: the fittest.
        fitness: what it maximised.
        head: what the fittest is.
    """

    rows: pd.DataFrame
    best: Mapping[str, Any]
    fitness: Fitness
    head: str = "Best arch"


def print_summary(
    summary: Mapping[str, Any], console: Console, course: Course | None = None, *, introduced: bool = False
) -> None:
    """Prints the result of `summarize`: the best arch and its cell, its worth, the cost, and what failed.

    Args:
        summary: of a search.
        console: where to.
        course: what tells where scores and fitness of the best arch stand among all; None if it is not known.
        introduced: whether it was printed before what the accuracy is.
    """
    if summary["arch"] is None:
        say(console, _nothing_found(summary), "bold red", wrapped=True)
        return
    index = "" if summary["index"] is None else f" (index {summary['index']:,})"
    say(console, headed(course.head if course else Course.head, index))
    if summary.get("label"):
        say(console, summary["label"], "bold cyan")
    say(console, summary["arch"], "cyan")
    if summary["asked"] is not None:
        say(console, f"found by {summary['asked']}", "dim")
    drawing = cell_text(summary["arch"])
    if drawing != summary["arch"]:
        text = Text(drawing.translate(_ASCII) if console.options.ascii_only else drawing, no_wrap=True)
        text.highlight_regex(r"none|[┄┊]+", "dim")
        text.highlight_regex(r"\w+_\w+(_\w+)?", "bold")
        say(console)
        say(console, text)
    put(console, Padding(_table(summary, course), (1, 0)))
    for line, style in _remarks(summary, introduced):
        say(console, line, style, wrapped=True)


def _table(summary: Mapping[str, Any], course: Course | None) -> Rows:
    table = Rows(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim")
    for name, score in summary["scores"].items():
        judged = course is not None and score is not None and name in getattr(course.fitness, "names", ())
        table.add_row(name, shown_score(score), _place(name, course) if judged else "score")
    if course is not None and (held_out := shown_perplexity(course.best)):
        table.add_row("perplexity", held_out, "of the held-out text")
    if said := _fitness(summary, course):
        table.add_row("fitness", *said, end_section=True)
    if summary["benchmark"] is not None:
        table.add_row()
        _add_worth(table, summary)
    table.add_row()
    words = {"reused": "reused", "failures": "failed", "undefined": "undefined"}
    counts = [f"{summary[key]:,} {word}" for key, word in words.items() if summary[key]]
    if summary.get("given"):
        counts.insert(0, f"after {summary['given']:,} rows that were given")
    table.add_row("evaluations", f"{summary['evaluations']:,}", ", ".join(counts))
    table.add_row("compute", _seconds(summary["compute_seconds"]), "sum over trials")
    rate = summary["archs_per_second"]
    speed = "" if rate is None else f"{rate:.2f} archs/s after the first"
    table.add_row("search", _seconds(summary["search_seconds"]), speed)
    table.add_row("in all", _seconds(summary["wall_seconds"]), "with the start")
    return table


def _place(name: str, course: Course | None) -> str:
    """Returns where the best arch stands by a score."""
    if course is None:
        return "score"
    smallest = isinstance(course.fitness, Negated)
    return f"{rank_of(course.best, course.rows, name, smallest=smallest)} by this score"


def _fitness(summary: Mapping[str, Any], course: Course | None) -> tuple[str, str] | None:
    """Returns what is said of the fitness, None where it is one of the scores, which are there.

    One that is relative says nothing as a number: the best has the best rank by it.
    """
    if course is None:
        return shown_score(summary["fitness"]), "larger is better"
    if str(course.fitness) in summary["scores"]:
        return None
    by = f"by {course.fitness}"
    return ("best", by) if is_relative(course.fitness) else (shown_score(summary["fitness"]), by)


def _add_worth(table: Rows, summary: Mapping[str, Any]) -> None:
    rank, size = summary["rank"], summary["num_archs"]
    share = "" if rank is None else f"rank {rank:,} of {size:,}, top {100 * rank / size:.2g} %"
    missing = "not in the benchmark" if summary["accuracy"] is None else share
    table.add_row(summary["acc_column"], _percent(summary["accuracy"]), missing)
    if size is None:
        return
    table.add_row("best of benchmark", _percent(summary["benchmark_best_accuracy"]))
    table.add_row(
        "one random arch", _percent(summary["random_arch_accuracy"]), "expected, without any information"
    )
    if summary["oracle_random_accuracy"] is not None:
        draws = f"best of {_count(min(summary['num_draws'], size), 'random arch')}"
        table.add_row(
            draws, _percent(summary["oracle_random_accuracy"]), "expected, if an oracle picks the best"
        )


def _remarks(summary: Mapping[str, Any], introduced: bool) -> list[tuple[str, str]]:
    remarks = []
    if summary["oracle_random_accuracy"] is not None:
        remarks.append((ORACLE_SAYS, "dim"))
    if summary["acc_source"] is not None:
        if not introduced:
            remarks.append((f"{summary['acc_column']}: {summary['acc_source']}.", "dim"))
        if summary["num_archs"] is None:
            how = "Rank, best and expectation need the accuracy of every arch: export the table with"
            remarks.append((f"{how} nas-ray export-nats to get them.", "yellow"))
    if summary["failures"]:
        what, first = _count(summary["failures"], "evaluation"), _first_line(summary["first_error"])
        remarks.append((f"{what} failed; the first was {first}", "yellow"))
    if summary["undefined"]:
        what = f"{_count(summary['undefined'], 'evaluation')} without error had no finite fitness."
        remarks.append((what, "yellow"))
    return remarks


def _nothing_found(summary: Mapping[str, Any]) -> str:
    count = _count(summary["evaluations"], "evaluation")
    if not summary["evaluations"]:
        return "No evaluation finished, so there is no best arch."
    if summary["first_error"] is None:
        return f"There is no best arch, since none of {count} had a finite fitness; no error was reported."
    first = _first_line(summary["first_error"])
    return f"There is no best arch, since none of {count} succeeded; the first error was {first}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} %"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} s"
