"""The archs with the best scores: a table, and how to print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.report.magnitudes import shown_score
from nas_ray.searchers.fitness import parse_fitness
from nas_ray.terminal.console import Rows, put, say


def top_archs(
    scores: pd.DataFrame,
    names: Sequence[str],
    count: int,
    *,
    space: Sequence[str],
    accuracy: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Returns the best `count` archs, by the rank sum of all scores, or by the only one.

    Columns: `place` from 1, `index` in the space, `arch`, the scores, and with a benchmark `accuracy` in %
    and `rank`, 1 for the best of all archs that `accuracy` has. An arch with an undefined score is left out.

    Args:
        scores: one row per arch, with column `arch` and one per score; the first of equals is better.
        names: the scores.
        count: at most this many.
        space: all archs in the published order.
        accuracy: by arch.
    """
    rows = [{str(key): value for key, value in row.items()} for row in scores.to_dict("records")]
    fitness = parse_fitness(None, names)(rows)
    best = [place for place in np.argsort(-fitness, kind="stable")[:count] if np.isfinite(fitness[place])]
    table = scores.iloc[best][["arch", *names]].reset_index(drop=True)
    index = {arch: number for number, arch in enumerate(space)}
    table.insert(0, "index", [index[arch] for arch in table["arch"]])
    table.insert(0, "place", range(1, len(table) + 1))
    if accuracy is not None:
        known = np.array(list(accuracy.values()))
        table["accuracy"] = table["arch"].map(accuracy).astype(float)
        table["rank"] = [1 + int((known > value + 1e-9).sum()) for value in table["accuracy"]]
    return table


def print_top(table: pd.DataFrame, names: Sequence[str], title: str, console: Console) -> None:
    """Prints the result of `top_archs`, the arch last, since it is long."""
    say(console, f"\n{title}", "bold")
    shown = Rows(box=None)
    for head in ("", "index", *names, *(name for name in ("accuracy", "rank") if name in table)):
        shown.add_column(head, justify="right", no_wrap=True)
    shown.add_column("arch", overflow="fold")
    for row in table.to_dict("records"):
        cells = [f"{row['place']}", f"{row['index']:,}", *(shown_score(row[name]) for name in names)]
        if "accuracy" in row:
            cells += [f"{row['accuracy']:.2f}", f"{row['rank']:,}"]
        shown.add_row(*cells, str(row["arch"]))
    put(console, shown)
