"""The front of a search as it is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.report.front import course
from nas_ray.report.magnitudes import shown_score
from nas_ray.rows import final_arch
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.pareto import column_of
from nas_ray.terminal.console import Rows, headed, put, say

SHOWN = 10
"""Rows of a front that a terminal shows."""


def print_front(
    front: pd.DataFrame,
    rows: pd.DataFrame,
    objectives: Sequence[Fitness],
    console: Console,
    label: Callable[[str], str] = str,
) -> None:
    """Prints the front of a search and its hypervolume.

    Args:
        front: `front_of` these.
        rows: of the search in the order of arrival.
        objectives: what it maximised.
        console: where to.
        label: a short name of an arch.
    """
    names = " and ".join(map(str, objectives))
    if front.empty:
        say(console, f"There is no front, since no evaluation has all of {names}.", "yellow", wrapped=True)
        return
    say(console, headed("Front", f": {len(front):,} of {rows['arch'].nunique():,} archs, by {names}"))
    columns = [name for name in map(column_of, objectives) if name]
    known = [name for name in map(str, front) if name.endswith("_acc") and name not in columns]
    table = Rows("arch", box=None, header_style="bold")
    for name in (*columns, *known):
        table.add_column(name, justify="right")
    places = _spread(len(front), SHOWN)
    for row in front.iloc[places].to_dict("records"):
        numbers = [
            *(shown_score(_float(row[name])) for name in columns),
            *("-" if pd.isna(row[name]) else f"{row[name]:.2f}" for name in known),
        ]
        table.add_row(label(final_arch(row)), *numbers)
    put(console, table)
    said = (
        [f"Shown are {len(places)} of {len(front):,}, evenly; all are in front.csv."]
        if len(places) < len(front)
        else []
    )
    grown = course(rows, objectives)
    said += [f"Hypervolume {grown['hypervolume'].iloc[-1]:.3f} of 1."] if len(grown) else []
    if said:
        say(console, " ".join(said), "dim", wrapped=True)


def _spread(count: int, most: int) -> np.ndarray:
    """Returns at most `most` places of `count`, with both ends."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _float(value: Any) -> float | None:
    return float(value) if pd.notna(value) else None
