"""Differences between searchers as they are told: on the console, as Markdown and as LaTeX."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from nas_ray.reproduce.against import RULE
from nas_ray.reproduce.latex import differences_latex
from nas_ray.reproduce.printing import as_markdown, p_value
from nas_ray.terminal.console import Rows, put, say

HEADER = ("searcher", "dataset", "difference", "95 %", "wins %", "p", "")


def say_differences(title: str, found: pd.DataFrame, console: Console, *, name: str) -> tuple[str, str]:
    """Prints differences; returns them as Markdown and as LaTeX, nothing where there are none.

    Args:
        title: says from what.
        found: as `differences` returns them.
        console: where they are shown.
        name: of the table in LaTeX.
    """
    if found.empty:
        return "", ""
    lines = [cells(line) for _, line in found.iterrows()]
    shown = Rows(title=title, title_justify="left", box=None, header_style="bold")
    for place, head in enumerate(HEADER):
        shown.add_column(head, justify="left" if place in (0, 1, 6) else "right")
    for line in lines:
        shown.add_row(*line)
    put(console, shown)
    say(console, RULE, "dim")
    text = "\n".join(["", f"### {title}", "", *as_markdown(HEADER, lines), "", f"- {RULE}", ""])
    return text, "\n" + differences_latex(title, found, RULE, name=name)


def cells(line: pd.Series) -> list[str]:
    """Returns one difference as text."""
    return [
        str(line["setting"]), str(line["dataset"]), f"{line['difference']:+.2f}",
        f"{line['low']:+.2f} to {line['high']:+.2f}", f"{line['wins']:.0f}", p_value(line["p"]),
        str(line["verdict"]),
    ]  # fmt: skip
