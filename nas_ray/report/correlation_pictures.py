"""Pictures of how well scores rank archs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from nas_ray.report.canvas import Axes, Figure, MaxNLocator, draw, new_figure
from nas_ray.report.correlation import BASELINES, spearman
from nas_ray.rows import final_archs

LONGEST = 34
"""Characters of the name of a score in one line."""
BLUE, GREY, RED = "#0072B2", "#9a9a9a", "#D55E00"


def draw_bars(tables: Mapping[str, pd.DataFrame], path: Path, about: str) -> None:
    """Writes a picture of Spearman's correlation of every score with its interval, a panel per dataset."""
    draw(path, lambda: _bar_panels(tables, about))


def _bar_panels(tables: Mapping[str, pd.DataFrame], about: str) -> Figure:
    first = next(iter(tables.values()))
    order = first.sort_values("spearman", na_position="first")["score"].tolist()
    lines = max(broken(name, LONGEST).count("\n") + 1 for name in order)
    row = 0.27 * max(1.0, 0.62 * lines)  # inches
    figure = new_figure((3.6 * len(tables) + 1.8, row * len(order) + 1.6), layout="constrained")
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    lowest = min(float(table["spearman_low"].min()) for table in tables.values())
    for axes, (dataset, table) in zip(panels, tables.items(), strict=True):
        _bars(axes, table.set_index("score").loc[order])
        axes.set_xlim(-1 if lowest < -0.25 else min(0.0, lowest) - 0.02, 1)
        axes.set_title(dataset, fontsize=10)
    figure.suptitle(about, fontsize=9)
    figure.supxlabel(
        "Spearman's rank correlation with accuracy and its 95 % bootstrap interval (grey: trivial baselines)",
        fontsize=9,
    )
    return figure


def broken(name: str, width: int) -> str:
    """Returns the name of a combination in lines of about `width` characters."""
    words = name.replace(":", ": ").replace(",", ", ")
    return name if len(name) <= width else textwrap.fill(words, width, break_long_words=False)


def _bars(axes: Axes, table: pd.DataFrame) -> None:
    names = table.index.tolist()
    value = table["spearman"].to_numpy()
    errors = np.abs(table[["spearman_low", "spearman_high"]].to_numpy().T - value)
    colors = [GREY if name in BASELINES else BLUE for name in names]
    axes.barh(
        [broken(name, LONGEST) for name in names],
        value,
        xerr=errors,
        color=colors,
        height=0.7,
        error_kw={"lw": 1, "capsize": 2},
    )
    for place in np.flatnonzero(np.isnan(value)):
        axes.text(0.02, float(place), "undefined or constant", va="center", fontsize=7.5, color=RED)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.axvline(0, color="#222222", lw=0.8)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", labelsize=8.5)


def draw_ranks(
    scores: pd.DataFrame, accuracy: Mapping[str, float], names: Sequence[str], path: Path, about: str
) -> None:
    """Writes a picture of accuracy against the rank by each score, a panel per score, best score first."""
    draw(path, lambda: _rank_panels(scores, accuracy, names, about))


def _rank_panels(
    scores: pd.DataFrame, accuracy: Mapping[str, float], names: Sequence[str], about: str
) -> Figure:
    truth = final_archs(scores).map(accuracy).to_numpy(dtype=float)
    values = {
        name: scores[name].to_numpy(dtype=float) if name in scores else np.full(len(truth), np.nan)
        for name in names
    }
    places = {name: rankdata(-np.where(np.isfinite(v), v, -np.inf)) for name, v in values.items()}
    rho = {name: spearman(-place, truth) for name, place in places.items()}
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure((max(5.5, 2.5 * columns), 2.2 * rows + 0.9), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    order = sorted(names, key=lambda name: -np.nan_to_num(rho[name], nan=-2))
    for axes, name in zip(panels, order, strict=False):
        _points(axes, places[name], truth, np.isfinite(values[name]))
        said = "" if np.isnan(rho[name]) else f"  \u03c1 = {rho[name]:.2f}"
        axes.set_title(broken(name, 30) + said, fontsize=9 if len(name) < 30 else 7)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes in panels[max(0, len(names) - columns) : len(names)]:
        axes.tick_params(labelbottom=True)
    figure.suptitle(about, fontsize=9)
    figure.supxlabel("rank by score (1 = best; red: score undefined)", fontsize=9)
    figure.supylabel("accuracy in %", fontsize=9)
    return figure


def _points(axes: Axes, place: np.ndarray, truth: np.ndarray, defined: np.ndarray) -> None:
    size = float(np.clip(60 / np.sqrt(len(truth)), 2, 6))
    for chosen, color in ((defined, BLUE), (~defined, RED)):
        axes.plot(place[chosen], truth[chosen], ".", markersize=size, color=color, alpha=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.spines[["top", "right"]].set_visible(False)
