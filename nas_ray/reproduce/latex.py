"""A table of runs in LaTeX: a column per dataset, our mean with its interval, published figures below it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nas_ray.report.latex import Cell, Value, best_of, escaped, latex_table
from nas_ray.reproduce.printing import p_value
from nas_ray.reproduce.tables import Table

FORM = ".2f"
NOTE = "Mean and standard deviation over the runs, with the 95 % bootstrap interval of the mean below."
BOLD = "The best mean of a dataset is bold."


def latex(table: Table, lines: pd.DataFrame) -> str:
    """Returns the table as LaTeX.

    Args:
        table: what was run.
        lines: as `lines_of` returns them.
    """
    datasets = list(dict.fromkeys(lines["dataset"]))
    ours = lines.drop_duplicates(["setting", "dataset"])
    bold = _best(ours) if table.settings else set()
    rows: list[list[Cell]] = []
    for setting, group in lines.groupby("setting", sort=False):
        first = group.drop_duplicates("dataset").set_index("dataset")
        rows.append([escaped(setting), *(_ours(first, name, (setting, name) in bold) for name in datasets)])
        for kind, figures in _published(group):
            rows.append([rf"\quad {escaped(kind)}", *(_theirs(figures, name) for name in datasets)])
    measures = ", ".join(dict.fromkeys(map(str, lines["measure"])))
    notes = [NOTE, *([BOLD] if bold else []), f"Accuracy: {measures}."]
    heads = ["", *datasets]
    return latex_table(heads, rows, caption=f"{table.title}.", name=table.name, notes=notes)


def by_dataset(lines: pd.DataFrame, names: Sequence[str], form: str) -> tuple[list[str], list[list[Cell]]]:
    """Returns heads and rows, a column per dataset, with the best mean of each in bold.

    Args:
        lines: with `dataset`, `mean`, `std`, `low` and `high`; those of one name are a row.
        names: of the lines.
        form: of the numbers, by which equal ones are told.
    """
    datasets = list(dict.fromkeys(lines["dataset"]))
    made = lines.assign(best=False, name=names)
    for _, own in made.groupby("dataset"):
        made.loc[own.index, "best"] = best_of(own["mean"].tolist(), form)
    rows: dict[str, list[Cell]] = {}
    for line in made.to_dict("records"):
        value = Value(line["mean"], form, line["std"], line["low"], line["high"], line["best"])
        rows.setdefault(line["name"], [escaped(line["name"])]).append(value)
    return ["", *datasets], list(rows.values())


def differences_latex(title: str, lines: pd.DataFrame, rule: str, *, name: str) -> str:
    """Returns differences, as `differences` returns them, as LaTeX."""
    rows: list[list[Cell]] = [
        [
            f"{escaped(line['setting'])}, {escaped(line['dataset'])}",
            Value(line["difference"], "+.2f", low=line["low"], high=line["high"]),
            Value(line["wins"], ".0f"),
            f"${p}$" if (p := p_value(line["p"])) != "-" else p,
            escaped(line["verdict"]),
        ]
        for line in lines.to_dict("records")
    ]
    said = rule.replace("*", "")
    heads = ("", "Difference", "Wins %", "p", "")
    return latex_table(heads, rows, caption=f"{title}.", name=name, notes=[said])


def _best(ours: pd.DataFrame) -> set[tuple[object, object]]:
    """Returns setting and dataset of the best means; accuracies of different kinds are not compared."""
    found: set[tuple[object, object]] = set()
    for _, group in ours.groupby(["dataset", "measure"], sort=False):
        for setting, dataset, best in zip(
            group["setting"], group["dataset"], best_of(group["mean"].tolist(), FORM), strict=True
        ):
            if best:
                found.add((setting, dataset))
    return found


def _ours(lines: pd.DataFrame, dataset: str, best: bool) -> Cell:
    if dataset not in lines.index:
        return ""
    line = lines.loc[[dataset], ["mean", "std", "low", "high"]].to_numpy(dtype=float)[0]
    mean, std, low, high = map(float, line)
    return Value(mean, FORM, std=std, low=low, high=high, best=best)


def _published(group: pd.DataFrame) -> Sequence[tuple[str, pd.DataFrame]]:
    """Returns the published figures of a setting, by what they are; several of a kind follow each other."""
    theirs = group[group["kind"].fillna("") != ""]
    places = theirs.groupby("dataset", sort=False).cumcount()
    return [(str(part["kind"].iloc[0]), part.set_index("dataset")) for _, part in theirs.groupby(places)]


def _theirs(figures: pd.DataFrame, dataset: str) -> Cell:
    if dataset not in figures.index:
        return ""
    mean, std = figures.loc[[dataset], ["published_mean", "published_std"]].to_numpy(dtype=float)[0]
    return Value(float(mean), FORM, std=float(std))
