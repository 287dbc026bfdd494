"""The picture of a contest: the accuracy of each contestant with its interval, a panel per set of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from nas_ray.report.canvas import Axes, Figure, draw, new_figure

BLUE, GREY = "#0072B2", "#9a9a9a"
ROW = 0.32
"""Inches of a contestant."""


def draw_contest(lines: pd.DataFrame, path: Path, about: str) -> None:
    """Writes the picture.

    Args:
        lines: with `contestant`, `set`, `mean`, `low`, `high` and `guess`, in percent; intervals may be NaN.
        path: of the file.
        about: title of the figure.
    """
    draw(path, lambda: _figure(lines, about))


def _figure(lines: pd.DataFrame, about: str) -> Figure:
    sets, names = (list(dict.fromkeys(lines[column])) for column in ("set", "contestant"))
    figure = new_figure((3.0 * len(sets) + 1.8, ROW * len(names) + 1.6), layout="constrained")
    panels = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, sets, strict=True):
        _points(axes, lines[lines["set"] == name], names)
        axes.set_title(name, fontsize=10)
    figure.suptitle(about, fontsize=9)
    figure.supxlabel("test accuracy in %, mean and 95 % interval over seeds (grey: a guess)", fontsize=9)
    return figure


def _points(axes: Axes, own: pd.DataFrame, names: list[str]) -> None:
    places = [names.index(name) for name in own["contestant"]]
    mean = own["mean"].to_numpy(float)
    error = np.nan_to_num(np.abs(own[["low", "high"]].to_numpy(float).T - mean))
    axes.axvline(float(own["guess"].iloc[0]), color=GREY, lw=1, ls="--")
    axes.errorbar(mean, places, xerr=error, fmt="o", color=BLUE, markersize=4, capsize=2, linewidth=1.2)
    axes.set_yticks(range(len(names)), names, fontsize=8.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
