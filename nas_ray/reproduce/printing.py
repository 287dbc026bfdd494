"""A table on the console, and the same as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console, RenderableType
from rich.text import Text

from nas_ray.reproduce.statistics import AGREES, DIFFERS, RULE
from nas_ray.reproduce.tables import Table
from nas_ray.terminal.console import Rows, put, say
from nas_ray.terminal.text import table_cell

HEADER = (
    "row", "dataset", "mean +- std", "95 % of mean", "median", "runs", "evaluations", "seconds", "theirs",
    "runs", "seconds", "p", "",
)  # fmt: skip
STYLES = {AGREES: "green", DIFFERS: "red"}


def cells(line: pd.Series) -> list[str]:
    """Returns the cells of one line, as text."""
    theirs = ""
    if line["kind"]:
        theirs = spread(line["published_mean"], line["published_std"])
        theirs += "" if line["kind"] == "published" else f" ({line['kind']})"
    return [
        str(line["setting"]), str(line["dataset"]), spread(line["mean"], line["std"]),
        f"{number(line['low'])} to {number(line['high'])}" if finite(line["low"]) else "-",
        number(line["median"]), number(line["runs"], 0), number(line["evaluations"], 0),
        number(line["seconds"], 0), theirs, number(line["published_runs"], 0),
        str(line["published_seconds"]) if line["kind"] else "", p_value(line["p"]), str(line["verdict"]),
    ]  # fmt: skip


def notes(table: Table, lines: pd.DataFrame, given: Sequence[str]) -> list[str]:
    """Returns the sentences below the table: source, accuracy, remarks, reasons and the rule."""
    measures = ", ".join(dict.fromkeys(str(name) for name in lines["measure"]))
    reasons = lines.loc[lines["verdict"].astype(bool), "reason"].dropna().unique()
    compared = [f"Cannot be compared: {reason}." for reason in reasons if reason]
    source = [f"Source: {table.source}."] if table.source else []
    rule = [RULE] if lines["verdict"].astype(bool).any() else []
    return [*source, f"Accuracy: {measures}.", *given, *table.remarks, *compared, *rule]


def show(table: Table, lines: pd.DataFrame, given: Sequence[str], console: Console) -> None:
    """Prints the table and its notes."""
    shown = Rows(title=f"{table.name}: {table.title}", title_justify="left", box=None, header_style="bold")
    rows = [cells(line) for _, line in lines.iterrows()]
    kept = filled(rows)
    for name in (HEADER[place] for place in kept):
        text = name in ("row", "dataset", "")
        shown.add_column(name, justify="left" if text else "right", no_wrap=name != "row")
    before = None
    for row in rows:
        again, before = row[0] == before, row[0]
        style = STYLES.get(row[-1], "dim")
        made: list[RenderableType] = ["" if again else row[0], *row[1:-1], Text(row[-1], style=style)]
        shown.add_row(*(made[place] for place in kept))
    put(console, shown)
    for note in notes(table, lines, given):
        say(console, note, "dim")


def markdown(table: Table, lines: pd.DataFrame, given: Sequence[str]) -> str:
    """Returns the table and its notes as Markdown."""
    rows = [cells(line) for _, line in lines.iterrows()]
    kept = filled(rows)
    text = [f"### `{table.name}`: {table.title}", ""]
    text += as_markdown([HEADER[place] for place in kept], [[row[place] for place in kept] for row in rows])
    return "\n".join([*text, "", *(f"- {note}" for note in notes(table, lines, given)), ""])


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table."""
    head = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return head + ["| " + " | ".join(map(table_cell, row)) + " |" for row in rows]


def filled(rows: Sequence[Sequence[str]]) -> list[int]:
    """Returns the places of the columns that are not empty."""
    return [place for place in range(len(HEADER)) if any(row[place] not in ("", "-") for row in rows)]


def finite(value: object) -> bool:
    """Returns whether `value` is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def number(value: float, digits: int = 2) -> str:
    """Returns `value` as text, `-` if there is none."""
    return f"{value:,.{digits}f}" if finite(value) else "-"


def spread(mean: float, std: float) -> str:
    """Returns a mean with its standard deviation, if there is one."""
    return number(mean) + (f" +- {number(std)}" if finite(std) else "")


def p_value(p: float) -> str:
    """Returns a p-value as text."""
    if not finite(p):
        return "-"
    return "<.001" if p < 0.001 else f"{p:.3f}"
