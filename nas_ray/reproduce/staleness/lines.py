"""The lines of the study: what each row found on each dataset, how sure that is, and what it took."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nas_ray.report.latex import latex_table
from nas_ray.reproduce.latex import by_dataset
from nas_ray.reproduce.lines import facts
from nas_ray.reproduce.measures import TEST
from nas_ray.reproduce.printing import as_markdown, number, spread
from nas_ray.reproduce.staleness.table import NAME, condition, searcher_of
from nas_ray.reproduce.statistics import summarise
from nas_ray.reproduce.tables import Setting
from nas_ray.terminal.console import Console, Rows, put, say

HEADER = (
    "searcher", "rows", "dataset", "mean +- std", "95 % of mean", "median", "rank", "runs", "evaluations",
    "seconds",
)  # fmt: skip
LEFT = HEADER[:3]
EXPLAINED = (
    "Rank: median over the runs of the place of the found arch among all archs of the space by the reported "
    "accuracy, 1 for the best.",
    "Evaluations: all of them, those of known archs among them, which cost nothing again. Seconds: of the "
    "simulated clock when the last row came. Both are means over the runs.",
)


def lines_of(
    rows: Sequence[Setting],
    answers: pd.DataFrame,
    datasets: Sequence[str],
    test_column: str,
    *,
    resamples: int,
) -> pd.DataFrame:
    """Returns a line per row and dataset: accuracies in percent, `low` and `high` the interval of the mean.

    Args:
        rows: of the table.
        answers: of `searching.ANSWERS`.
        datasets: what is reported.
        test_column: what the benchmark calls its final accuracy.
        resamples: draws of the bootstrap.
    """
    lines = []
    for row in rows:
        for dataset in datasets:
            runs = answers[(answers["setting"] == row.title) & (answers["dataset"] == dataset)]
            found = summarise(runs["accuracy"].dropna().to_numpy(float), resamples=resamples)
            means = {name: float(runs[name].mean()) for name in ("evaluations", "seconds", "work")}
            kind = {
                "searcher": searcher_of(row),
                "workers": row.workers,
                "late": row.late,
                "dataset": dataset,
            }
            measure = test_column if row.measure == TEST else row.measure
            lines.append(
                {**kind, "measure": measure, **facts(found), "rank": float(runs["rank"].median()), **means}
            )
    return pd.DataFrame(lines)


def cells(line: pd.Series) -> list[str]:
    """Returns the cells of one line, as text."""
    return [
        str(line["searcher"]), condition(line["workers"], line["late"]), str(line["dataset"]),
        spread(line["mean"], line["std"]), f"{number(line['low'])} to {number(line['high'])}",
        number(line["median"]), number(line["rank"], 0), number(line["runs"], 0),
        number(line["evaluations"], 0), number(line["seconds"], 0),
    ]  # fmt: skip


def show(title: str, lines: pd.DataFrame, notes: Sequence[str], console: Console) -> None:
    """Prints the table and what must be said of it."""
    shown = Rows(title=title, title_justify="left", box=None, header_style="bold")
    for name in HEADER:
        shown.add_column(name, justify="left" if name in LEFT else "right", no_wrap=name != "searcher")
    before = ["", ""]
    for _, line in lines.iterrows():
        made = cells(line)
        again = [made[place] if made[: place + 1] != before[: place + 1] else "" for place in (0, 1)]
        before = made[:2]
        shown.add_row(*again, *made[2:])
    put(console, shown)
    for note in notes:
        say(console, note, "dim")


def markdown(title: str, lines: pd.DataFrame, notes: Sequence[str]) -> str:
    """Returns the table and its notes as Markdown."""
    rows = as_markdown(HEADER, [cells(line) for _, line in lines.iterrows()])
    return "\n".join([f"### {title}", "", *rows, "", *(f"- {note}" for note in notes), ""])


def latex(title: str, lines: pd.DataFrame, notes: Sequence[str]) -> str:
    """Returns the table as LaTeX, a column per dataset with the best mean in bold."""
    names = [
        f"{line['searcher']}, {condition(line['workers'], line['late'])}" for line in lines.to_dict("records")
    ]
    heads, rows = by_dataset(lines, names, ".2f")
    return latex_table(heads, rows, caption=f"{title}.", name=NAME, notes=notes)
