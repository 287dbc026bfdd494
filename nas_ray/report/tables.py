"""Tables of a page: formatted ones that are part of the text, and the one of all rows as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.report.cost import COSTS
from nas_ray.report.facts import UNKNOWN, number
from nas_ray.report.run_data import RunData
from nas_ray.report.standing import is_relative, standing
from nas_ray.rows import FOUND, GIVEN
from nas_ray.safe_files.tune_folder import CONFIG

PERCENTILE = "percentile"
"""The column of where an arch stands by a relative fitness among all of its run."""

FORMS = {
    "accuracy": ".2f",
    "best evaluated": ".2f",
    "lower quartile": ".2f",
    "median accuracy": ".2f",
    "upper quartile": ".2f",
    "spearman": ".3f",
    "kendall": ".3f",
    "params": ",.0f",
    "flops": ",.0f",
    "seconds": ",.1f",
}
"""How numbers of a column are written, if not with six digits."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, and `arch`, `text` or nothing for a number."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class PageTable:
    """A table as the page shows it."""

    heads: list[Cell]
    rows: list[list[Cell]]


def page_table(table: pd.DataFrame) -> PageTable:
    """Returns `table` as text; columns in which nothing is known are left out."""
    table = table.loc[:, table.notna().any()]
    kinds = {str(name): _kind(str(name), table[name]) for name in table}
    rows = [
        [_cell(value, name, kinds[name]) for name, value in zip(kinds, row, strict=True)]
        for row in table.itertuples(index=False, name=None)
    ]
    return PageTable([Cell(name, "text" if kind else "") for name, kind in kinds.items()], rows)


def _kind(name: str, values: pd.Series[Any]) -> str:
    if name.endswith("arch") or name == FOUND:
        return "arch"
    return "" if pd.api.types.is_numeric_dtype(values) else "text"


def _cell(value: Any, name: str, kind: str) -> Cell:
    if kind:
        return Cell(UNKNOWN if pd.isna(value) else str(value), kind)
    whole = isinstance(value, (int, np.integer))
    return Cell(f"{value:,}" if whole else number(value, FORMS.get(name)))


def top_table(run: RunData, count: int) -> PageTable:
    """Returns the best `count` different archs with everything known of them."""
    rows = run.top(count)
    judged = [] if is_relative(run.fitness) or str(run.fitness) in run.scores else ["fitness"]
    names = dict.fromkeys(["accuracy", "arch", FOUND, *judged, *run.scores, *COSTS])
    table = rows[[name for name in names if name in rows]].reset_index(drop=True)
    table.insert(0, "place", range(1, len(table) + 1))
    return page_table(table)


def all_rows(runs: Sequence[RunData]) -> dict[str, list[Any]]:
    """Returns `columns` and `rows` of all runs as plain values, None for what is not finite.

    Columns in which nothing is known are left out, and the accuracy carries its honest name.
    """
    accuracies = {run.acc_column for run in runs if run.acc_source}
    acc_column = accuracies.pop() if len(accuracies) == 1 else "accuracy"
    tables = []
    for run in runs:
        known = {acc_column: run.rows["accuracy"], PERCENTILE: standing(run.rows, run.fitness)}
        tables.append(run.rows.assign(**known, run=run.name))  # type: ignore[arg-type]
    scores = [name for run in runs for name in run.scores]
    beside = [name for table in tables for name in map(str, table) if name.startswith(f"{CONFIG}/")]
    order = ["run"] if len(runs) > 1 else []
    order += [acc_column, "arch", FOUND, *beside, *scores, *_judged(runs), *COSTS]
    order += [
        "trial",
        "seconds",
        "finished_at",
        "worker",
        "reused",
        GIVEN,
        "scored_as",
        "error",
        "error_kind",
    ]
    table = pd.concat(tables, ignore_index=True)
    names = [
        name
        for name in dict.fromkeys(order)
        if name in table
        and table[name].notna().any()
        and not (name in ("reused", GIVEN) and not table[name].eq(True).any())
        and not (name == "worker" and table[name].nunique() == 1)
    ]
    return {
        "columns": names,
        "rows": [list(row) for row in zip(*(_plain(table[n]) for n in names), strict=True)],
    }


def _judged(runs: Sequence[RunData]) -> list[str]:
    """Returns the columns of fitness: a relative one of one run says nothing beside that of another."""
    relative = any(is_relative(run.fitness) for run in runs)
    return [PERCENTILE] if relative and len(runs) > 1 else ["fitness", *([PERCENTILE] if relative else [])]


def _plain(values: pd.Series[Any]) -> list[Any]:
    """Returns a column as texts, truth values, whole numbers and finite floats, else None."""
    if pd.api.types.is_bool_dtype(values):
        return [bool(value) for value in values]
    if not pd.api.types.is_numeric_dtype(values):
        return [
            None if pd.isna(value) else value if isinstance(value, bool) else str(value) for value in values
        ]
    whole = pd.api.types.is_integer_dtype(values)
    return [None if pd.isna(x) or not np.isfinite(x) else int(x) if whole else float(x) for x in values]
