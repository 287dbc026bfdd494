"""What settings beside archs had to do with the fitness: importance, and parallel coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nas_ray.report.canvas import Axes, Figure, draw, new_figure
from nas_ray.searchers.recipes.coordinates import cells
from nas_ray.searchers.recipes.fanova import main_effects
from nas_ray.spaces.conditional import Setting
from nas_ray.spaces.settings import settings_of

FEWEST = 4
"""Different points below which nothing is said."""
PER_SETTING = 10
"""Points for each setting below which shares are shown with a caution, as so many are the usual size of a
design by which a response to several inputs is learned.

Source: Loeppky, Sacks and Welch, Choosing the sample size of a computer experiment, 2009.
"""
TOGETHER = "several together"
ABOUT = (
    "Share of the variance of the fitness over the whole space that each setting explains by itself, by a "
    "random forest on the points that were evaluated (functional analysis of variance)."
)
TICKS = 5
"""Values written along an axis, of a setting with more of them."""
MOST_LINES, MOST_POINTS = 400, 1_000
"""Lines of a picture, and points that a forest is fitted to."""
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#8a8f98"


@dataclass(frozen=True)
class SettingRows:
    """The different points of a search that have a fitness.

    Attributes:
        settings: what each may be.
        values: of each point by name; what a point does not have is missing.
        fitness: `[points]`, finite.
    """

    settings: Mapping[str, Setting]
    values: list[dict[str, str]]
    fitness: np.ndarray

    def places(self) -> np.ndarray:
        """Returns `[points, settings]` from 0, the first value, to 1, the last; NaN where there is none."""
        return np.array(
            [[_place(self.settings[name], one.get(name)) for name in self.settings] for one in self.values]
        )

    def heights(self) -> np.ndarray:
        """Returns `[points]` fitness from 0, the worst, to 1, the best."""
        low, high = float(self.fitness.min()), float(self.fitness.max())
        return (self.fitness - low) / (high - low) if high > low else np.ones_like(self.fitness)


def setting_rows(rows: pd.DataFrame, settings: Mapping[str, Setting]) -> SettingRows | None:
    """Returns the different points of a table of rows with a finite fitness; None where they are few.

    Args:
        rows: with `arch` and `fitness`.
        settings: of the space that was searched.
    """
    known = rows[np.isfinite(rows["fitness"].to_numpy(dtype=float)) & ~rows["arch"].duplicated()]
    if len(known) < FEWEST:
        return None
    values = [settings_of(point) for point in known["arch"]]
    return SettingRows(settings, values, known["fitness"].to_numpy(dtype=float))


def importance_table(rows: SettingRows) -> pd.DataFrame:
    """Returns columns `setting` and `share`, the largest first, and what they explain only together.

    Of very many points some count, evenly spaced in the order of arrival.
    """
    places = np.unique(np.linspace(0, len(rows.values) - 1, MOST_POINTS).round().astype(int))
    points = cells(rows.settings, [rows.values[place] for place in places])
    shares = main_effects(points, rows.fitness[places])
    order = np.argsort(-shares, kind="stable")
    names = list(rows.settings)
    table = [(names[place], float(shares[place])) for place in order]
    left = max(0.0, 1.0 - float(shares.sum())) if shares.any() else 0.0
    return pd.DataFrame([*table, (TOGETHER, left)], columns=["setting", "share"])


def caution(rows: SettingRows) -> str:
    """Returns the sentence that few points say little of what matters; nothing where they are enough."""
    points, settings = len(rows.values), len(rows.settings)
    if points >= PER_SETTING * settings:
        return ""
    few = f"{points:,} points say little of {settings} setting{'' if settings == 1 else 's'}"
    return f"{few}: trust these shares from about {PER_SETTING * settings:,} points on."


def ticks_of(setting: Setting) -> list[tuple[float, str]]:
    """Returns places along the axis of a setting, and the values there."""
    last = len(setting.texts) - 1
    if last < TICKS:
        return [(place / last if last else 0.5, text) for place, text in enumerate(setting.texts)]
    places = sorted({round(share * last) for share in np.linspace(0, 1, TICKS)})
    return [(place / last, setting.texts[place]) for place in places]


def draw_importance(table: pd.DataFrame, path: Path, *, note: str = "") -> None:
    """Writes a picture of `importance_table` with a note below it, such as a `caution`."""
    draw(path, lambda: _bars(table, note))


def draw_parallel(rows: SettingRows, path: Path, *, fitness: str) -> None:
    """Writes a picture with an axis for each setting, and a line for each point.

    Args:
        rows: the points; of very many, evenly spaced ones by their fitness.
        path: of the picture.
        fitness: what the points are judged by.
    """
    draw(path, lambda: _parallel(rows, fitness))


def _bars(table: pd.DataFrame, note: str) -> Figure:
    figure = new_figure((6.4, 1.2 + 0.38 * len(table)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table))[::-1]
    colors = [_GREY if name == TOGETHER else _BLUE for name in table["setting"]]
    axes.barh(places, 100 * table["share"], color=colors, height=0.62)
    axes.set_yticks(places, [name if len(name) <= 24 else f"{name[:21]}..." for name in table["setting"]])
    axes.set_xlabel("variance explained, %")
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("What matters among the settings")
    if note:
        figure.supxlabel(note, fontsize=8, color=_GREY)
    return figure


def _parallel(rows: SettingRows, fitness: str) -> Figure:
    names = list(rows.settings)
    figure = new_figure((max(5.0, 1.6 * (len(names) + 1)), 4.2), layout="constrained")
    axes = figure.subplots()
    heights = rows.heights()
    lines = np.column_stack([rows.places(), heights])
    order = np.argsort(heights, kind="stable")
    if len(order) > MOST_LINES:
        order = order[np.unique(np.linspace(0, len(order) - 1, MOST_LINES).round().astype(int))]
    best_place = int(np.argmax(heights))  # the first of equals, as everywhere
    for place in [*(other for other in order if other != best_place), best_place]:
        best = place == best_place
        axes.plot(
            range(len(names) + 1), lines[place], color=_ORANGE if best else _BLUE,
            alpha=1.0 if best else 0.08 + 0.5 * float(heights[place]) ** 2, linewidth=2.0 if best else 1.0,
            marker="o", markersize=2.5, zorder=3 if best else 2,
        )  # fmt: skip
    for at, name in enumerate(names):
        _write(axes, at, ticks_of(rows.settings[name]))
    low, high = float(rows.fitness.min()), float(rows.fitness.max())
    _write(axes, len(names), [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")])
    axes.set_xticks(range(len(names) + 1), [_broken(name) for name in [*names, fitness]])
    axes.set_xlim(-0.15, len(names) + 0.6)
    axes.set_yticks([])
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_title("Each line is a point; the best one is orange")
    return figure


def _write(axes: Axes, at: int, ticks: list[tuple[float, str]]) -> None:
    axes.axvline(at, color=_GREY, linewidth=0.8, zorder=1)
    for height, text in ticks:
        axes.text(at + 0.04, height, text[:14], fontsize=7, va="center", zorder=4)


def _broken(name: str) -> str:
    return "\n".join(name[begin : begin + 16] for begin in range(0, len(name), 16))[:51]


def _place(setting: Setting, value: str | None) -> float:
    if value is None:
        return float("nan")
    last = len(setting.texts) - 1
    return setting.place(value) / last if last else 0.5
