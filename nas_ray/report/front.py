"""The front of a search with several objectives: its rows, how it grew, and a picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.report.canvas import Axes, Figure, MaxNLocator, draw, new_figure
from nas_ray.report.magnitudes import spans_magnitudes
from nas_ray.rows import given_in, records
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.hypervolume import MOST_OBJECTIVES, growth
from nas_ray.searchers.pareto import Negated, column_of, objective_values, pareto_front

MOST_PANELS = 6
HYPERVOLUME = (
    "Hypervolume: the share of the box between the worst and the best of each objective among all evaluated "
    "that the front dominates."
)

_ORANGE, _GREY = "#D55E00", "#8a8f98"


def front_of(rows: pd.DataFrame, objectives: Sequence[Fitness]) -> pd.DataFrame:
    """Returns the different archs that no other dominates, the best in the first objective first.

    Of archs that are equal in all objectives it has the one that came first.
    """
    rows = _with_columns(rows[~rows["reused"].eq(True)], objectives)
    front = pareto_front(rows, objectives)
    front = front[~front["arch"].duplicated()]  # one that failed first may have been again
    if front.empty:
        return front
    values = objective_values(records(front), objectives)
    _, places = np.unique(values, axis=0, return_index=True)
    places = np.sort(places)
    order = places[np.argsort(-values[places, 0], kind="stable")]
    return front.iloc[order].reset_index(drop=True)


def _with_columns(rows: pd.DataFrame, objectives: Sequence[Fitness]) -> pd.DataFrame:
    """Returns rows in which what no evaluation got as far as is unknown."""
    names = filter(None, map(column_of, objectives))
    return rows.assign(**{name: np.nan for name in names if name not in rows})


@dataclass(frozen=True)
class Scale:
    """From values of objectives to 0, the worst evaluated, and 1, the best.

    Attributes:
        logarithmic: which objectives count by their logarithm, since they span magnitudes.
        low: the worst.
        high: the best.
    """

    logarithmic: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Scale:
        """Returns the scale of all evaluated `values [n, objectives]`."""
        known = values[np.isfinite(values).all(axis=1)]
        if not len(known):
            nothing = np.zeros(values.shape[1])
            return cls(nothing.astype(bool), nothing, nothing)
        wide = np.array([spans_magnitudes(np.abs(column)) for column in known.T])
        logs = _logs(known, wide)
        return cls(wide, logs.min(axis=0), logs.max(axis=0))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Returns `values [n, objectives]` on this scale; an objective that never differs is 1."""
        known = np.isfinite(values).all(axis=1)
        scaled = np.full(values.shape, -np.inf)
        spread = self.high - self.low
        one = np.where(spread > 0, spread, 1.0)
        scaled[known] = np.where(spread > 0, (_logs(values[known], self.logarithmic) - self.low) / one, 1.0)
        return scaled


def _logs(values: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """Returns values with the logarithm of what is wide; that of a negated one is negated."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(wide, np.sign(values) * np.log(np.abs(values)), values)


def course(rows: pd.DataFrame, objectives: Sequence[Fitness], scale: Scale | None = None) -> pd.DataFrame:
    """Returns the `hypervolume` (0 to 1) of the front after every `evaluation`; it never falls.

    Args:
        rows: of a search in the order of arrival.
        objectives: what is large, at most four: of more the table is empty.
        scale: None means that of `rows`.
    """
    if not len(rows) or not 1 < len(objectives) <= MOST_OBJECTIVES:
        return pd.DataFrame({"evaluation": pd.Series(dtype=int), "hypervolume": pd.Series(dtype=float)})
    values = objective_values(records(rows), objectives)
    volumes = growth((scale or Scale.of(values))(values))
    given = given_in(rows)
    evaluations = np.arange(1, len(rows) + 1) - given
    return pd.DataFrame({"evaluation": evaluations, "hypervolume": volumes}).iloc[max(0, given - 1) :]


def title_of(objective: Fitness) -> str:
    """Returns the name of an objective with its direction."""
    if column_of(objective) is None:
        return str(objective)
    return f"{column_of(objective)} ({'smaller' if isinstance(objective, Negated) else 'larger'} is better)"


def draw_front(
    rows: pd.DataFrame, path: Path, *, objectives: Sequence[Fitness], front: pd.DataFrame | None = None
) -> None:
    """Writes a picture of the front over each two objectives, and of its hypervolume over evaluations.

    Args:
        rows: of a search in the order of arrival.
        path: a file name that ends in a format of matplotlib, such as `.png`.
        objectives: what the search maximised.
        front: `front_of` these, where it is known.
    """
    front = front_of(rows, objectives) if front is None else front
    draw(path, lambda: _panels(rows, objectives, front))


def _panels(rows: pd.DataFrame, objectives: Sequence[Fitness], front: pd.DataFrame) -> Figure:
    named = [objective for objective in objectives if column_of(objective)]
    pairs = list(combinations(named, 2))[:MOST_PANELS]
    grown = course(rows, objectives)
    count = len(pairs) + bool(len(grown))
    across = min(count, 2) or 1
    down = -(-count // across) or 1
    figure = new_figure((4.4 * across, 3.4 * down + 0.3))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.06)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel, (first, second) in zip(panels, pairs, strict=False):
        _draw_pair(panel, _with_columns(rows, objectives), front, second, first, line=len(objectives) == 2)
    if len(grown):
        _draw_course(panels[len(pairs)], grown)
    for panel in panels[count:]:
        panel.set_visible(False)
    caption = f"Front: {len(front):,} archs that no other beats in everything. " + (
        HYPERVOLUME if len(grown) else ""
    )
    figure.supxlabel(textwrap.fill(caption, 62 * across), fontsize=7, color="#555555")
    return figure


def _draw_pair(
    axes: Axes, rows: pd.DataFrame, front: pd.DataFrame, across: Fitness, up: Fitness, *, line: bool
) -> None:
    x, y = str(column_of(across)), str(column_of(up))
    every = rows[[x, y]].astype(float)
    every = every.loc[np.isfinite(every.to_numpy()).all(axis=1)]
    best = front[[x, y]].astype(float).sort_values(x)
    dots: dict[str, Any] = {"markersize": 3.5, "mew": 0, "color": _GREY, "alpha": 0.6}
    axes.plot(every[x], every[y], "o", label="evaluated", **dots)
    marks: dict[str, Any] = {
        "color": _ORANGE,
        "markersize": 5.5,
        "mew": 0.7,
        "mec": "white",
        "linewidth": 1.5,
    }
    if line:  # until the next point the one before is what can be had at that cost
        marks["drawstyle"] = "steps-post" if isinstance(across, Negated) else "steps-pre"
        axes.plot(best[x], best[y], "o-", label="front", **marks)
    else:
        axes.plot(best[x], best[y], "o", label="front", **marks)
    for name, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if spans_magnitudes(every[name].to_numpy()):
            scale("log")
    axes.set_xlabel(title_of(across), fontsize=9)
    axes.set_ylabel(title_of(up), fontsize=9)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), frameon=False, ncols=2, fontsize=8)
    _dress(axes)


def _draw_course(axes: Axes, grown: pd.DataFrame) -> None:
    axes.step(grown["evaluation"], grown["hypervolume"], where="post", color=_ORANGE, linewidth=1.7)
    axes.set_xlabel("evaluations", fontsize=9)
    axes.set_ylabel("hypervolume of the front", fontsize=9)
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _dress(axes)


def _dress(axes: Axes) -> None:
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set_fontsize(8)
