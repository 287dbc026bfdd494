"""The picture of a comparison by several objectives: the true front, what was attained, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.report.attainment import SHARES, attainment_surface
from nas_ray.report.canvas import Axes, Figure, draw, new_figure
from nas_ray.report.front import title_of
from nas_ray.reproduce.fronts.ground import Ground
from nas_ray.reproduce.pictures import COLOURS, DPI, QUANTILES, dress
from nas_ray.reproduce.tables import Setting
from nas_ray.searchers.pareto import Negated, parse_objectives

EARLY = 0.1
"""The share of the range of the true front, from its cheap end, that the vertical axis may leave out."""


def surfaces(known: Ground, fronts: pd.DataFrame) -> pd.DataFrame:
    """Returns what was attained: a line per corner, as `setting`, `dataset`, `share` and two objectives.

    The true front has the setting `true front` and share 1; of more than two objectives it is all there is.

    Args:
        known: with the true fronts.
        fronts: of `searching.Found`.
    """
    names = known.objectives.split(",")
    signs = np.array([-1.0 if name.startswith("-") else 1.0 for name in names])
    columns = [name.removeprefix("-") for name in names]
    tables = []
    for dataset, truth in known.truths.items():
        parts = {("true front", 1.0): truth.values[truth.places]}
        own = fronts[fronts["dataset"] == dataset]
        for setting in dict.fromkeys(own["setting"]) if len(names) == 2 else ():
            runs = [
                truth.values[[known.place[arch] for arch in run["arch"]]]
                for _, run in own[own["setting"] == setting].groupby("seed")
            ]
            parts |= {(setting, share): attainment_surface(runs, share) for share in SHARES}
        for (setting, share), corners in parts.items():
            of: dict[str, Any] = {"setting": setting, "dataset": dataset, "share": share}
            tables.append(pd.DataFrame(corners * signs, columns=columns).assign(**of))
    return pd.concat(tables, ignore_index=True)[["setting", "dataset", "share", *columns]]


def draw_fronts(
    rows: Sequence[Setting],
    known: Ground,
    attained: pd.DataFrame,
    curves: pd.DataFrame,
    title: str,
    path: Path,
) -> None:
    """Writes the picture, a column per dataset: fronts above, of two objectives, and the course below.

    Args:
        rows: the searchers.
        known: with the true fronts.
        attained: of `surfaces`.
        curves: of `searching.Found`.
        title: of the figure.
        path: of the file.
    """
    draw(path, lambda: _figure(rows, known, attained, curves, title), dpi=DPI)


def _figure(
    rows: Sequence[Setting], known: Ground, attained: pd.DataFrame, curves: pd.DataFrame, title: str
) -> Figure:
    datasets, pair = list(known.truths), len(known.objectives.split(",")) == 2
    figure = new_figure((4.4 * len(datasets) + 1, 4.6 * (1 + pair)), layout="constrained")
    panels = figure.subplots(1 + pair, len(datasets), squeeze=False)
    colours = {row.title: COLOURS[place % len(COLOURS)] for place, row in enumerate(rows)}
    for column, dataset in enumerate(datasets):
        if pair:
            _fronts(panels[0][column], known, attained[attained["dataset"] == dataset], colours)
        _course(panels[-1][column], rows, curves[curves["dataset"] == dataset], colours)
        panels[0][column].set_title(dataset, fontsize=10)
    panels[-1][0].set_ylabel("hypervolume, share of the true front's", fontsize=9)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    said = "median attainment surfaces with quartiles, and " if pair else ""
    figure.suptitle(f"{title}: {said}medians and quartiles of the runs", fontsize=10)
    return figure


def _fronts(axes: Axes, known: Ground, attained: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draws the true front and the surfaces of each searcher, the second objective across."""
    up, across = parse_objectives(known.objectives)
    y, x = (name.removeprefix("-") for name in known.objectives.split(","))
    small = isinstance(across, Negated), isinstance(up, Negated)
    truth = attained[attained["setting"] == "true front"]
    cheap, dear = truth[x].min(), truth[x].max()
    ends = (cheap, dear + 0.06 * (dear - cheap)) if small[0] else (cheap - 0.06 * (dear - cheap), dear)
    at = np.linspace(*ends, 600)
    lows = [truth[y].max()]
    for setting, colour in colours.items():
        heights = {
            share: _height(part[[x, y]].to_numpy(float), at, small)
            for share, part in attained[attained["setting"] == setting].groupby("share")
        }
        if 0.5 not in heights:
            continue
        axes.plot(at, heights[0.5], color=colour, linewidth=1.4, drawstyle="steps-post", label=setting)
        if {0.25, 0.75} <= heights.keys():
            axes.fill_between(
                at, heights[0.75], heights[0.25], color=colour, alpha=0.15, linewidth=0, step="post"
            )
        early = cheap + EARLY * (dear - cheap) if small[0] else dear - EARLY * (dear - cheap)
        seen = heights[0.5][(at >= early) if small[0] else (at <= early)]
        lows += [float(np.nanmin(seen))] if np.isfinite(seen).any() else []
    line = _height(truth[[x, y]].to_numpy(float), at, small)
    axes.plot(at, line, color="#222222", linewidth=0.8, drawstyle="steps-post")
    axes.plot(truth[x], truth[y], "o", color="#222222", markersize=3, label="true front")
    best, worst = float(truth[y].max()), min(lows)
    if not small[1]:
        axes.set_ylim(worst - 0.08 * (best - worst), best + 0.06 * (best - worst))
    axes.set_xlim(ends[0] - 0.03 * (dear - cheap), ends[1])
    axes.set_xlabel(title_of(across), fontsize=9)
    axes.set_ylabel(title_of(up), fontsize=9)
    dress(axes)


def _height(corners: np.ndarray, at: np.ndarray, small: tuple[bool, bool]) -> np.ndarray:
    """Returns `[at]`, the best second coordinate of `corners [n, 2]` at each first; NaN for none."""
    x, y = corners[:, 0] * (1 if small[0] else -1), corners[:, 1] * (-1 if small[1] else 1)
    order = np.argsort(x, kind="stable")
    best = np.append(-np.inf, np.maximum.accumulate(y[order])) if len(x) else np.array([-np.inf])
    found = best[np.searchsorted(x[order], at * (1 if small[0] else -1), side="right")]
    return np.asarray(np.where(np.isfinite(found), found * (-1 if small[1] else 1), np.nan))


def _course(axes: Axes, rows: Sequence[Setting], curves: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draws the ratio over evaluations or seconds."""
    lows = []
    for row in rows:
        own = (
            curves[curves["setting"] == row.title]
            .groupby("at")["ratio"]
            .quantile(np.array(QUANTILES))
            .unstack()
        )
        low, middle, high = (own[quantile] for quantile in QUANTILES)
        dashed = row.searcher == "random_search"
        axes.plot(
            own.index, middle, color=colours[row.title], linestyle="--" if dashed else "-", label=row.title
        )
        axes.fill_between(own.index, low, high, color=colours[row.title], alpha=0.15, linewidth=0)
        lows.append(float(low[own.index >= EARLY * own.index.max()].iloc[0]))
    axes.axhline(1.0, color="#222222", linestyle=":", linewidth=1.2)
    bottom = min(lows)
    axes.set_ylim(bottom - 0.05 * (1 - bottom), 1 + 0.05 * (1 - bottom))
    axes.set_xlabel("seconds charged" if rows[0].seconds is not None else "evaluations", fontsize=9)
    dress(axes)
