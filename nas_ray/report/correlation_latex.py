"""The table of correlations in LaTeX."""

from __future__ import annotations

import pandas as pd

from nas_ray.report.correlation import RANKS, TOPS, heads_of_controlled
from nas_ray.report.latex import Cell, Value, best_of, escaped, latex_table

HEADS = {
    "spearman": "Spearman",
    "kendall": "Kendall",
    "spearman_top10pct": "Top 10 %",
    "ndcg": "nDCG",
    "best_of_top1": "Best of 1",
    "best_of_top10": "Best of 10",
    "best_of_top50": "Best of 50",
}
NOTES = (
    "Below each value its bootstrap interval; the largest of a column is bold.",
    "Top 10 %: Spearman within the best tenth of the archs.",
    "Best of N: the best accuracy in percent among the N archs of highest score.",
)

OF_CONTROLLED = {
    "same_size": "Same size: concordant minus discordant of the pairs whose parameters differ by below 10 %.",
    "partial": "Given ...: Spearman's partial correlation given that baseline.",
}


def to_latex(table: pd.DataFrame, title: str, name: str) -> str:
    """Returns the table of one dataset in LaTeX, best Spearman first, each value with its interval.

    Args:
        table: as `correlate` returns it.
        title: what was compared, with what.
        name: of the table, for its label.
    """
    table = table.sort_values("spearman", ascending=False, na_position="last")
    columns: list[list[Cell]] = [[rf"\texttt{{{escaped(score)}}}" for score in table["score"]]]
    beyond = heads_of_controlled(table)
    heads = {**HEADS, **beyond}
    judged = (*RANKS, *beyond, *TOPS)
    for statistic in judged:
        form = ".2f" if statistic in TOPS else ".3f"
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
    names = ("Score", *(heads[statistic].capitalize() for statistic in judged), "s/arch")
    notes = [*NOTES, *(OF_CONTROLLED[statistic] for statistic in beyond), *said]
    return latex_table(names, rows, caption=f"{title}.", name=name, notes=notes)
