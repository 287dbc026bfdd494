"""The table of correlations as it is printed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from rich.table import Column
from rich.text import Text

from nas_ray.report.correlation import RANKS, TOPS, heads_of_controlled, number
from nas_ray.terminal.console import Rows, put


def print_table(table: pd.DataFrame, console: Console) -> None:
    """Prints the table of one dataset, best Spearman first, with the interval of that alone."""
    beyond = heads_of_controlled(table)
    heads = ("Spearman", "[95 %]", "Kendall", "in top 10 %", "nDCG", *beyond.values(), "best of 1, 10, 50")
    shown = Rows(Column("score", overflow="fold", min_width=24), box=None)
    for head in (*heads, "s/arch", "undefined"):
        shown.add_column(head, justify="right", no_wrap=True)
    for row in table.sort_values("spearman", ascending=False, na_position="last").to_dict("records"):
        rho, *others = (number(row[name]) for name in (*RANKS, *beyond))
        shown.add_row(
            str(row["score"]),
            rho,
            Text(f"{number(row['spearman_low'])} {number(row['spearman_high'])}", style="dim"),
            *others,
            " ".join(number(row[name], ".2f") for name in TOPS),
            number(row.get("seconds_per_arch", float("nan")), ".2g"),
            str(row["undefined"]),
        )
    put(console, shown)


def best_proxy(table: pd.DataFrame, given: Sequence[str]) -> str:
    """Returns which of the proxies `given` ranks best, as it was written; the first where none is known."""
    rho = table.set_index("score")["spearman"].fillna(-1.0)

    def value(proxy: str) -> float:
        name = proxy.rpartition(":")[2]
        return max((rho[column] for column in rho.index if column.partition(".")[0] == name), default=-1.0)

    return max(given, key=value)
