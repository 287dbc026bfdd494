"""Pictures of a table: accuracy against what was spent, or bars of skip connections."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_ray.images.datasets import DATASETS
from nas_ray.report.canvas import Axes, Figure, draw, new_figure
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.published import PUBLISHED, RECOMPUTED
from nas_ray.reproduce.tables import Setting, Table

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#8B4513")
DPI = 130
QUANTILES = (0.25, 0.5, 0.75)
MARKS = {PUBLISHED: "published (dots)", RECOMPUTED: "recomputed (squares)"}
LOWEST = 0.15
"""The share of the course of a search that the vertical axis leaves out, since all searches start low."""


def draw_curves(
    table: Table, curves: dict[str, pd.DataFrame], lines: pd.DataFrame, known: Known, path: Path
) -> None:
    """Writes median and quartiles of the runs against evaluations or seconds, a panel per dataset.

    Marks show the published means with their standard deviations, a dotted line the best of the benchmark.
    """
    draw(path, lambda: _curve_panels(table, curves, lines, known), dpi=DPI)


def _curve_panels(table: Table, curves: dict[str, pd.DataFrame], lines: pd.DataFrame, known: Known) -> Figure:
    figure = new_figure((12.5, 5.0), layout="constrained")
    panels = figure.subplots(1, len(DATASETS))
    for axes, dataset in zip(panels, DATASETS, strict=True):
        lowest = []
        for setting, colour in drawn(table):
            course = curves[setting.title]
            lowest.append(_draw_course(axes, setting, course[course["dataset"] == dataset], colour))
        _mark_published(axes, table, lines[lines["dataset"] == dataset])
        measure = table.settings[0].measure
        best = float(known.accuracy[dataset, measure].max())
        axes.axhline(best, color="#222222", linestyle=":", linewidth=1.5, label="best of all archs")
        told = lines.loc[lines["dataset"] == dataset, "published_mean"]
        low = float(np.nanmin([*lowest, *told.astype(float)]))
        axes.set_ylim(low - 0.03 * (best - low), best + 0.06 * (best - low))
        axes.set_title(f"{dataset} (best {best:.2f})", fontsize=10)
        by_seconds = table.settings[0].seconds is not None
        axes.set_xlabel("seconds charged" if by_seconds else "evaluations", fontsize=9)
        dress(axes)
    name = known.test_column if table.settings[0].measure == "test_acc" else table.settings[0].measure
    panels[0].set_ylabel(f"{name} (%)", fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    labels = [textwrap.fill(label, 60) for label in labels]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    marks = [words for kind, words in MARKS.items() if (lines["kind"] == kind).any()]
    said = "median and quartiles of the runs"
    said += f"; {' and '.join(marks)} means and deviations" if marks else ""
    figure.suptitle(f"{table.title}: {said}", fontsize=10)
    return figure


def drawn(table: Table) -> list[tuple[Setting, str]]:
    """Returns the settings that have a curve, with their colours."""
    rows = [setting for setting in table.settings if setting.drawn]
    return [(setting, COLOURS[place % len(COLOURS)]) for place, setting in enumerate(rows)]


def _draw_course(axes: Axes, setting: Setting, course: pd.DataFrame, colour: str) -> float:
    """Draws one setting and returns where its lower quartile is early in the search."""
    known = course.dropna(subset="accuracy").groupby("at")["accuracy"].quantile(np.array(QUANTILES)).unstack()
    low, middle, high = (known[quantile] for quantile in QUANTILES)
    random = setting.searcher == "random_search"
    axes.plot(known.index, middle, color=colour, linestyle="--" if random else "-", label=setting.title)
    axes.fill_between(known.index, low, high, color=colour, alpha=0.15, linewidth=0)
    early = known.index.max() * LOWEST
    return float(low[known.index >= early].iloc[0])


def _mark_published(axes: Axes, table: Table, lines: pd.DataFrame) -> None:
    """Marks each figure once, at the end of the first search that it belongs to."""
    colours = {setting.title: colour for setting, colour in drawn(table)}
    settings = {setting.title: setting for setting in table.settings}
    told = lines[lines["kind"].astype(bool)]
    ends = told["setting"].map(lambda title: settings[title].seconds or settings[title].evaluations)
    told = told.assign(at=ends.astype(float)).drop_duplicates(["at", "published_mean", "kind"])
    step = 0.012 * float(told["at"].max()) if len(told) else 0.0
    for _, same in told.groupby("at"):
        for shift, (_, line) in enumerate(same.iterrows()):
            error = line["published_std"] if np.isfinite(line["published_std"]) else None
            colour = colours.get(line["setting"], COLOURS[0])
            style: dict[str, Any] = {"fmt": "o" if line["kind"] == PUBLISHED else "s", "markersize": 4}
            at = line["at"] + shift * step
            axes.errorbar(at, line["published_mean"], error, color=colour, capsize=2, linewidth=1, **style)


def draw_skips(table: Table, bars: pd.DataFrame, known: Known, path: Path) -> None:
    """Writes bars of archs and accuracy by number and place of skips, and of the share of the top archs."""
    draw(path, lambda: _skip_panels(table, bars, known), dpi=DPI)


def _skip_panels(table: Table, bars: pd.DataFrame, known: Known) -> Figure:
    figure = new_figure((12.5, 7.0), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    numbers, places, shares = (bars[bars["kind_of_group"] == kind] for kind in ("number", "place", "share"))
    first = numbers[numbers["dataset"] == next(iter(DATASETS))]
    panels[0].bar(first["group"], first["runs"], color=COLOURS[0])
    panels[0].bar_label(panels[0].containers[0], fmt="{:,.0f}", fontsize=8)
    panels[0].set_ylabel("archs", fontsize=9)
    for axes, part in zip(panels[1:3], (numbers, places), strict=True):
        _grouped(axes, part)
        for dataset, colour in zip(DATASETS, COLOURS, strict=False):
            mean = float(known.accuracy[dataset, "test_acc"].mean())
            axes.axhline(mean, color=colour, linestyle="--", linewidth=1)
        axes.set_ylabel(f"mean {known.test_column} (%); dashed: a random arch", fontsize=9)
    _grouped(panels[3], shares)
    panels[3].set_ylabel("% of the top 100 archs", fontsize=9)
    best = ", ".join(f"{name} {known.accuracy[name, 'test_acc'].max():.2f}" for name in DATASETS)
    figure.suptitle(f"{table.title}; best of all archs: {best}", fontsize=10)
    for axes in panels:
        dress(axes)
    handles, labels = panels[3].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _grouped(axes: Axes, part: pd.DataFrame) -> None:
    names = list(dict.fromkeys(part["group"]))
    width = 0.8 / len(DATASETS)
    for number, (dataset, colour) in enumerate(zip(DATASETS, COLOURS, strict=False)):
        values = part[part["dataset"] == dataset].set_index("group").loc[names, "accuracy"]
        at = np.arange(len(names)) + (number - 1) * width
        axes.bar(at, values, width, color=colour, label=dataset)
    axes.set_xticks(range(len(names)), [name.split(" a ")[-1] for name in names])


def dress(axes: Axes) -> None:
    """Makes a panel plain."""
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
