"""The tables of `nas-ray record` as they are printed, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from nas_ray.images.datasets import DATASETS
from nas_ray.report.intervals import Interval
from nas_ray.reproduce.record.judging import PUBLISHED
from nas_ray.terminal.console import Rows, put, say
from nas_ray.terminal.text import code_span, markdown_table

MEASURES = {"spearman": "Spearman", "kendall": "Kendall"}


def _cells(lines: pd.DataFrame, measure: str) -> list[str]:
    """Returns the values of one score on the datasets, with their intervals where there are any."""
    by = lines.set_index("dataset")
    cells = []
    for dataset in by.index:
        line = by.loc[dataset]
        interval = Interval(*(float(line[f"{measure}{end}"]) for end in ("", "_low", "_high")))
        cells.append(f"{interval:.3f}".replace("0.", "."))
    return cells


def _groups(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    groups = []
    for title in table["archs"].unique():
        own = table[table["archs"] == title]
        groups.append((f"{title}: {int(own['number'].iloc[0]):,} archs", own))
    return groups


def _rows(own: pd.DataFrame, space: str) -> list[tuple[str, list[str]]]:
    """Returns a row per score: both measures on each dataset; then what was published."""
    rows = []
    for who in own["score"].unique():
        lines = own[own["score"] == who]
        rows.append((str(who), [" / ".join(_cells(lines, measure)) for measure in MEASURES]))
    if space in PUBLISHED:
        known = [PUBLISHED[space][measure] for measure in MEASURES]
        datasets = list(own["dataset"].unique())
        told = [" / ".join(f"{one[name]:.3f}".lstrip("0") for name in datasets) for one in known]
        rows.append(("published, best without labels", told))
    return rows


def show(table: pd.DataFrame, space: str, said: Sequence[str], console: Console) -> None:
    """Prints the correlations of each group of archs, with 95 % intervals over initialisations."""
    for sentence in said:
        say(console, sentence)
    datasets = " / ".join(name for name in DATASETS if name in set(table["dataset"]))
    for title, own in _groups(table):
        shown = Rows("score", *(f"{head}, {datasets}" for head in MEASURES.values()), title=title, box=None)
        for who, cells in _rows(own, space):
            shown.add_row(who, *cells)
        put(console, shown)


def to_markdown(table: pd.DataFrame, space: str) -> str:
    """Returns the correlations as Markdown, a table per group of archs."""
    blocks = []
    for title, own in _groups(table):
        rows = [[code_span(who) if who.isidentifier() else who, *cells] for who, cells in _rows(own, space)]
        blocks.append("\n".join([f"{title}\n", *markdown_table(["score", *MEASURES.values()], rows)]))
    return "\n\n".join(blocks) + "\n"


def show_regret(table: pd.DataFrame, console: Console) -> None:
    """Prints what the arch costs that each score likes best within a budget of parameters, in points."""
    for title, own in _groups(table):
        shown = Rows("dataset", "budget", "archs", *own["score"].unique(), title=f"Regret, {title}", box=None)
        for (dataset, budget), lines in own.groupby(["dataset", "budget"], sort=False):
            cells = [f"{value:.2f}" for value in lines["regret"]]
            most = f"{budget:.0%}, {lines['params'].iloc[0]:,.0f}"
            shown.add_row(str(dataset), most, f"{int(lines['archs_within'].iloc[0]):,}", *cells)
        put(console, shown)
