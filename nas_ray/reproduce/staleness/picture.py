"""The picture of the study: what was found by how late rows came, over evaluations, and over the clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.report.canvas import Axes, Figure, draw, new_figure
from nas_ray.reproduce.pictures import COLOURS, DPI, dress
from nas_ray.reproduce.staleness.table import condition, searcher_of
from nas_ray.reproduce.tables import Setting

STYLES = ("-", "--", "-.", ":")
POINTS = 120
AXES = (("evaluation", "evaluations"), ("finished_at", "simulated seconds"))
EARLY = 0.45
"""The share of the points of a course, on a logarithmic axis, that the vertical axis leaves out."""


def draw_study(
    rows: Sequence[Setting], lines: pd.DataFrame, courses: pd.DataFrame, title: str, path: Path
) -> None:
    """Writes the picture: a column per dataset, means with 95 % intervals.

    Args:
        rows: of the table.
        lines: as `lines_of` returns them.
        courses: of `searching.COURSES`.
        title: of the figure.
        path: of the file.
    """
    draw(path, lambda: _figure(rows, lines, courses, title), dpi=DPI)


def _figure(rows: Sequence[Setting], lines: pd.DataFrame, courses: pd.DataFrame, title: str) -> Figure:
    datasets = list(dict.fromkeys(lines["dataset"]))
    figure = new_figure((4.4 * len(datasets) + 1, 10.5), layout="constrained")
    panels = figure.subplots(3, len(datasets), squeeze=False)
    searchers = list(dict.fromkeys(map(searcher_of, rows)))
    conditions = list(dict.fromkeys((row.workers, row.late) for row in rows))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(searchers)}
    styles = {one: STYLES[place % len(STYLES)] for place, one in enumerate(conditions)}
    for column, dataset in enumerate(datasets):
        _ends(panels[0][column], lines[lines["dataset"] == dataset], colours, conditions)
        panels[0][column].set_title(dataset, fontsize=10)
        own = courses[courses["dataset"] == dataset]
        for place, (axis, said) in enumerate(AXES, start=1):
            _courses(panels[place][column], rows, own, axis, colours, styles)
            panels[place][column].set_xlabel(said, fontsize=9)
    for axes in panels.ravel():
        dress(axes)
    for axes in panels[:, 0]:
        axes.set_ylabel(f"{lines['measure'].iloc[0]} (%)", fontsize=9)
    _legend(figure, panels[0][0], colours, styles)
    figure.suptitle(f"{title}: means and 95 % intervals", fontsize=10)
    return figure


def _ends(
    axes: Axes, lines: pd.DataFrame, colours: dict[str, str], conditions: Sequence[tuple[int, int]]
) -> None:
    """Draws what was found, by how late rows came; fixed lateness stands apart."""
    place = {one: at for at, one in enumerate(conditions)}
    for shift, (name, colour) in enumerate(colours.items()):
        own = lines[lines["searcher"] == name]
        own = own.assign(at=[place[key] for key in zip(own["workers"], own["late"], strict=True)])
        for late in (False, True):
            part = own[(own["late"] > 0) == late]
            at = part["at"] + 0.06 * (shift - (len(colours) - 1) / 2)
            error = np.abs(part[["low", "high"]].to_numpy(float).T - part["mean"].to_numpy(float))
            style: dict[str, Any] = {
                "fmt": "s" if late else "o-",
                "markersize": 4,
                "capsize": 2,
                "linewidth": 1.2,
            }
            axes.errorbar(at, part["mean"], np.nan_to_num(error), color=colour, **style)
    axes.set_xticks(range(len(conditions)), [condition(*one) for one in conditions])


def _courses(
    axes: Axes,
    rows: Sequence[Setting],
    courses: pd.DataFrame,
    axis: str,
    colours: dict[str, str],
    styles: dict[tuple[int, int], str],
) -> None:
    """Draws the mean of the answers over `axis`, from where every run has one."""
    lows = []
    for row in rows:
        own = courses[courses["setting"] == row.title]
        at, mean, half = mean_course(own, axis)
        if not len(at):
            continue
        colour, style = colours[searcher_of(row)], styles[row.workers, row.late]
        axes.plot(at, mean, color=colour, linestyle=style, linewidth=1.2)
        axes.fill_between(at, mean - half, mean + half, color=colour, alpha=0.1, linewidth=0)
        lows.append(float(mean[int(EARLY * len(at))]))
    axes.set_xscale("log")
    axes.minorticks_off()
    if lows:
        high = max(float(line.get_ydata().max()) for line in axes.get_lines())  # type: ignore[union-attr]
        axes.set_ylim(min(lows) - 0.02 * (high - min(lows)), high + 0.08 * (high - min(lows)) + 1e-3)


def mean_course(courses: pd.DataFrame, axis: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns points of `axis`, the mean accuracy of the answers there, and half its 95 % interval.

    The points `[N]` are spaced evenly on a logarithmic scale, from where every run has an answer to where the
    last ends; a run that has ended keeps its answer.

    Args:
        courses: of one row on one dataset; runs without an answer are left out.
        axis: a column, ascending within a run.
    """
    known = courses.dropna(subset="accuracy")
    runs = [
        (run[axis].to_numpy(float), run["accuracy"].to_numpy(float))
        for _, run in known.groupby("seed", sort=False)
    ]
    if not runs:
        return np.array([]), np.array([]), np.array([])
    first, last = max(at[0] for at, _ in runs), max(at[-1] for at, _ in runs)
    points = np.geomspace(max(first, 1e-3), max(last, first, 1e-3), POINTS)
    points[-1] = max(points[-1], last)
    held = np.array([values[np.searchsorted(at, points + 1e-9, side="right") - 1] for at, values in runs])
    spread = held.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(POINTS)
    return points, held.mean(axis=0), 1.96 * spread / np.sqrt(len(runs))


def _legend(figure: Figure, axes: Axes, colours: dict[str, str], styles: dict[tuple[int, int], str]) -> None:
    """Says which colour is which searcher, and which line how late rows came."""
    handles = [axes.plot([], [], color=colour, label=name)[0] for name, colour in colours.items()]
    for one, style in styles.items():
        handles.append(axes.plot([], [], linestyle=style, label=condition(*one), color="#555555")[0])
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
