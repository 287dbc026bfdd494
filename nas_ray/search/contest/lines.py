"""The lines of a contest: what each contestant came to on each set, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.table import Column

from nas_ray.report.intervals import Interval, over_seeds, within_percent
from nas_ray.report.latex import Cell, Value, best_of, escaped, latex_table
from nas_ray.terminal.console import Console, Rows, put, say
from nas_ray.terminal.text import markdown_table

FORM = ".1f"
SPENT = ("evaluations", "search_seconds", "train_seconds", "params", "flops")
"""Means that a line has beside its accuracy."""
NOTE = (
    "Accuracy on the test images in percent after the final training: mean, and in brackets its 95 % t "
    "interval over the seeds. An entry without a net counts as a guess."
)


def lines_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns a line per contestant and set: `mean`, `low` and `high`, and what was spent.

    Args:
        rows: of entries, as `entry.carry_out` returns them, in the order of the table.
    """
    lines = []
    for (contestant, where), own in rows.groupby(["contestant", "set"], sort=False):
        accuracy = own["test_acc"].astype(float).fillna(own["guess"].astype(float))
        found = within_percent(over_seeds(accuracy.tolist()))
        lines.append(
            {
                "contestant": contestant,
                "set": where,
                "mean": found.mean,
                "low": found.low,
                "high": found.high,
                "seeds": len(own),
                "failed": int(own["test_acc"].isna().sum()),
                "guess": float(own["guess"].iloc[0]),
                **{name: float(own[name].astype(float).mean()) for name in SPENT},
            }
        )
    return pd.DataFrame(lines)


def shown(line: Mapping[Hashable, Any]) -> str:
    """Returns the accuracy of a line with its interval."""
    return format(Interval(line["mean"], line["low"], line["high"]), FORM)


def _by_contestant(lines: pd.DataFrame) -> dict[str, dict[str, dict[Hashable, Any]]]:
    found: dict[str, dict[str, dict[Hashable, Any]]] = {}
    for line in lines.to_dict("records"):
        found.setdefault(line["contestant"], {})[line["set"]] = line
    return found


def _heads(lines: pd.DataFrame) -> list[str]:
    return ["contestant", *dict.fromkeys(lines["set"]), "evaluations", "search s", "training s", "weights"]


def _cells(name: str, own: Mapping[str, Mapping[Hashable, Any]], sets: Sequence[str]) -> list[str]:
    accuracies = [shown(own[one]) if one in own else "-" for one in sets]
    mean = pd.DataFrame(list(own.values()))[list(SPENT)].mean()
    searched = mean["evaluations"] > 0
    spent = [f"{mean['evaluations']:.0f}", f"{mean['search_seconds']:.0f}"] if searched else ["-", "-"]
    weights = "-" if math.isnan(mean["params"]) else f"{mean['params']:,.0f}"
    return [name, *accuracies, *spent, f"{mean['train_seconds']:.0f}", weights]


def show(lines: pd.DataFrame, title: str, console: Console) -> None:
    """Prints the table, a column for each set."""
    first, *others = _heads(lines)
    table = Rows(Column(first, overflow="fold", min_width=14), title=title, title_justify="left", box=None)
    for head in others:
        table.add_column(head, justify="right")
    sets = list(dict.fromkeys(lines["set"]))
    for name, own in _by_contestant(lines).items():
        table.add_row(*_cells(name, own, sets))
    put(console, table)
    say(console, f"{NOTE} {_guesses(lines)}", "dim", wrapped=True)
    if lost := int(lines["failed"].sum()):
        say(console, f"{lost} of {int(lines['seeds'].sum())} entries have no trained net.", "yellow")


def _guesses(lines: pd.DataFrame) -> str:
    """Returns the accuracy of a guess on each set, as a sentence."""
    of = lines.drop_duplicates("set")
    told = (f"{where} {guess:{FORM}}" for where, guess in zip(of["set"], of["guess"], strict=True))
    return f"A guess: {', '.join(told)}."


def to_markdown(lines: pd.DataFrame, title: str) -> str:
    """Returns the table as Markdown."""
    heads, sets = _heads(lines), list(dict.fromkeys(lines["set"]))
    rows = [_cells(name, own, sets) for name, own in _by_contestant(lines).items()]
    table = "\n".join(markdown_table(heads, rows))
    return f"{title}\n\n{table}\n\n{NOTE} {_guesses(lines)}\n"


def to_latex(lines: pd.DataFrame, title: str, name: str) -> str:
    """Returns the table as LaTeX, the best mean of each set in bold."""
    made = lines.assign(best=False)
    for _, own in lines.groupby("set", sort=False):
        made.loc[own.index, "best"] = best_of(own["mean"].tolist(), FORM)
    sets = list(dict.fromkeys(lines["set"]))
    rows: list[list[Cell]] = []
    for contestant, of in _by_contestant(made).items():
        values = [
            Value(of[one]["mean"], FORM, low=of[one]["low"], high=of[one]["high"], best=of[one]["best"])
            if one in of
            else "--"
            for one in sets
        ]
        rows.append([escaped(contestant), *values])
    notes = [NOTE, _guesses(lines), "The best is bold."]
    return latex_table(["", *sets], rows, caption=f"{title}.", name=name, notes=notes)
