"""How the summary of a training is kept and shown: intervals as columns, and cells as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from nas_ray.report.intervals import Interval
from nas_ray.terminal.console import Rows, put

_ENDS = ("", "_low", "_high")


def interval_columns(name: str, interval: Interval | None) -> dict[str, float]:
    """Returns an interval as the columns NAME, `NAME_low` and `NAME_high`, all NaN where there is none."""
    values = (math.nan,) * 3 if interval is None else (interval.mean, interval.low, interval.high)
    return {f"{name}{end}": value for end, value in zip(_ENDS, values, strict=True)}


def interval_cell(row: Mapping[Any, Any], name: str) -> str:
    """Returns the interval in these columns of a row as text."""
    interval = Interval(*(row[f"{name}{end}"] for end in _ENDS))
    return "-" if math.isnan(interval.mean) else str(interval)


def print_table(heads: Sequence[str], cells: Sequence[Sequence[str]], console: Console) -> None:
    """Prints a table whose first column has names, and the others numbers."""
    table = Rows(box=None)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", no_wrap=not place)
    for row in cells:
        table.add_row(*row)
    put(console, table)
