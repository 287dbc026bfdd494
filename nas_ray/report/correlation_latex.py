"""The table of correlations in LaTeX."""

from __future__ import annotations

import pandas as pd

from nas_ray.report.correlation import STATISTICS
from nas_ray.report.latex import Cell, Value, best_of, escaped, latex_table

HEADS = (
    "Score",
    "Spearman",
    "Kendall",
    "Top 10 %",
    "nDCG",
    "Best of 1",
    "Best of 10",
    "Best of 50",
    "s/arch",
)
NOTES = (
    "Below each value its bootstrap interval; the largest of a column is bold.",
    "Top 10 %: Spearman within the best tenth of the archs.",
    "Best of N: the best accuracy in percent among the N archs of highest score.",
)


def to_latex(table: pd.DataFrame, title: str, name: str) -> str:
    """Returns the table of one dataset in LaTeX, best Spearman first, each value with its interval.

    Args:
        table: as `correlate` returns it.
        title: what was compared, with what.
        name: of the table, for its label.
    """
    table = table.sort_values("spearman", ascending=False, na_position="last")
    columns: list[list[Cell]] = [[rf"\texttt{{{escaped(score)}}}" for score in table["score"]]]
    for place, statistic in enumerate(STATISTICS):
        form = ".3f" if place < 4 else ".2f"
        values = table[[statistic, f"{statistic}_low", f"{statistic}_high"]].astype(float).to_numpy().tolist()
        bold = best_of([value for value, _, _ in values], form)
        columns.append(
            [
                Value(value, form, low=low, high=high, best=best)
                for (value, low, high), best in zip(values, bold, strict=True)
            ]
        )
    seconds = table.get("seconds_per_arch", pd.Series(float("nan"), table.index))
    columns.append([Value(float(one), ".2g") for one in seconds])
    rows = [list(row) for row in zip(*columns, strict=True)]
    undefined = table.loc[table["undefined"] > 0, ["score", "undefined"]].itertuples(index=False)
    said = [
        f"{score} is undefined for {count:,} archs, which counts as the worst." for score, count in undefined
    ]
    return latex_table(HEADS, rows, caption=f"{title}.", name=name, notes=[*NOTES, *said])
