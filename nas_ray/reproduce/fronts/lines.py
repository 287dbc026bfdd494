"""The table of a comparison by several objectives: what each searcher has of the true front, and how sure."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from nas_ray.report.latex import latex_table
from nas_ray.report.true_front import RULE
from nas_ray.reproduce.against import datasets_of
from nas_ray.reproduce.fronts.ground import Ground
from nas_ray.reproduce.latex import by_dataset
from nas_ray.reproduce.lines import facts
from nas_ray.reproduce.printing import as_markdown, finite, number
from nas_ray.reproduce.statistics import summarise
from nas_ray.reproduce.tables import Setting
from nas_ray.terminal.console import Rows, put, say

NAME = "compare"
HEADER = (
    "searcher", "dataset", "ratio +- std", "95 % of mean", "median", "IGD+", "95 % of mean", "points",
    "by test", "runs", "evaluations",
)  # fmt: skip
LEFT = HEADER[:2]


def lines_of(rows: Sequence[Setting], answers: pd.DataFrame, *, resamples: int) -> pd.DataFrame:
    """Returns a line per searcher and dataset.

    Columns: `setting`, `dataset`, then of the hypervolume ratio `mean`, `std`, `median`, `low` and `high` (95
        % of the mean) and `runs`; `igd_plus` with `igd_plus_low` and `igd_plus_high`, means; `points` on the
        front and `judged`, the ratio by another accuracy, means; `evaluations`, `seconds`.

    Args:
        rows: the searchers.
        answers: of `searching.Found`.
        resamples: draws of the bootstrap.
    """
    lines = []
    for row in rows:
        for dataset in datasets_of(answers):
            runs = answers[(answers["setting"] == row.title) & (answers["dataset"] == dataset)]
            ratio = summarise(runs["ratio"].to_numpy(float), resamples=resamples)
            far = summarise(runs["igd_plus"].dropna().to_numpy(float), resamples=resamples)
            means = {
                name: float(runs[name].mean()) for name in ("points", "judged", "evaluations", "seconds")
            }
            igd = {"igd_plus": far.mean, "igd_plus_low": far.low, "igd_plus_high": far.high}
            lines.append({"setting": row.title, "dataset": dataset, **facts(ratio), **igd, **means})
    return pd.DataFrame(lines)


def cells(line: pd.Series) -> list[str]:
    """Returns the cells of one line, as text."""
    return [
        str(line["setting"]), str(line["dataset"]),
        f"{number(line['mean'], 4)}" + (f" +- {number(line['std'], 4)}" if finite(line["std"]) else ""),
        f"{number(line['low'], 4)} to {number(line['high'], 4)}", number(line["median"], 4),
        number(line["igd_plus"], 4),
        f"{number(line['igd_plus_low'], 4)} to {number(line['igd_plus_high'], 4)}",
        number(line["points"], 1), number(line["judged"], 4), number(line["runs"], 0),
        number(line["evaluations"], 0),
    ]  # fmt: skip


def notes_of(known: Ground, scalar: Sequence[str], given: Sequence[str]) -> list[str]:
    """Returns the sentences below the table.

    Args:
        known: with the true fronts.
        scalar: searchers that maximise a scalar.
        given: further ones.
    """
    sizes = ", ".join(f"{len(truth.places)} archs on {name}" for name, truth in known.truths.items())
    notes = [f"Objectives: {known.objectives}. The true front: {sizes}.", RULE]
    if known.judged:
        name = known.test_column if known.measure == "test_acc" else known.measure
        notes.append(
            f"By test: the ratio of the archs that were found if {name} stands in the place of the accuracy "
            "that was searched, against the true front by it; means over the runs."
        )
    if scalar:
        notes.append(
            f"{', '.join(scalar)}: by random weights of an augmented Chebyshev scalarisation, drawn before "
            "every ask (random_weights)."
        )
    return [*notes, *given]


def kept(rows: Sequence[Sequence[str]]) -> list[int]:
    """Returns the places of the columns that are not empty."""
    return [place for place in range(len(HEADER)) if any(row[place] != "-" for row in rows)]


def show(title: str, lines: pd.DataFrame, notes: Sequence[str], console: Console) -> None:
    """Prints the table and its notes."""
    rows = [cells(line) for _, line in lines.iterrows()]
    places = kept(rows)
    shown = Rows(title=title, title_justify="left", box=None, header_style="bold")
    for name in (HEADER[place] for place in places):
        shown.add_column(name, justify="left" if name in LEFT else "right", no_wrap=name != "searcher")
    before = None
    for row in rows:
        again, before = row[0] == before, row[0]
        shown.add_row(*("" if again and not place else row[place] for place in places))
    put(console, shown)
    for note in notes:
        say(console, note, "dim")


def markdown(title: str, lines: pd.DataFrame, notes: Sequence[str]) -> str:
    """Returns the table and its notes as Markdown."""
    rows = [cells(line) for _, line in lines.iterrows()]
    places = kept(rows)
    table = as_markdown(
        [HEADER[place] for place in places], [[row[place] for place in places] for row in rows]
    )
    return "\n".join([f"### {title}", "", *table, "", *(f"- {note}" for note in notes), ""])


def latex(title: str, lines: pd.DataFrame, notes: Sequence[str]) -> str:
    """Returns the table as LaTeX, a column per dataset with the best mean ratio in bold."""
    heads, rows = by_dataset(lines, lines["setting"].tolist(), ".4f")
    return latex_table(heads, rows, caption=f"{title}.", name=NAME, notes=notes)
