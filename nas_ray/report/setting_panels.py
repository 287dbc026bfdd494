"""Interactive figures of the settings that searches drew: importance, and parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from nas_ray.errors import UsageError
from nas_ray.report.panels import INK, Panel, new_plot, numbers, shown
from nas_ray.report.run_data import RunData
from nas_ray.report.settings import ABOUT, SettingRows, caution, importance_table, setting_rows, ticks_of
from nas_ray.spaces.settings import named_space

MOST_RUNS = 6
"""Runs of one page whose settings are shown."""


def setting_panels(runs: Sequence[RunData]) -> list[Panel]:
    """Returns two figures for each run that searched settings and trained by them."""
    panels: list[Panel] = []
    for run in runs:
        rows = _rows(run)
        if rows is not None and len(panels) < 2 * MOST_RUNS:
            title = f"{run.name}: " if len(runs) > 1 else ""
            panels += [_importance(rows, title), _parallel(rows, title, str(run.fitness))]
    return panels


def _rows(run: RunData) -> SettingRows | None:
    if run.settings.get("fidelity") is None:  # nothing depended on them
        return None
    try:
        settings = named_space(run.space)[1]
        return setting_rows(run.rows, settings) if settings else None
    except (UsageError, KeyError):  # a run that was changed by hand
        return None


def _importance(rows: SettingRows, title: str) -> Panel:
    table = importance_table(rows)[::-1]
    plot = new_plot("variance explained, %", "", height=120 + 34 * len(table))
    plot.add_trace(
        go.Bar(
            x=numbers(100 * table["share"]),
            y=[shown(name) for name in table["setting"]],
            orientation="h",
            marker={"color": "#0072B2"},
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    )
    return Panel(f"{title}Importance of each setting", f"{ABOUT} {caution(rows)}".strip(), plot)


def _parallel(rows: SettingRows, title: str, fitness: str) -> Panel:
    places = rows.places()
    dimensions = []
    for number, (name, setting) in enumerate(rows.settings.items()):
        ticks = ticks_of(setting)
        column = np.where(np.isfinite(places[:, number]), places[:, number], -0.1)
        dimensions.append(
            {
                "label": shown(name),
                "values": numbers(column),
                "range": [-0.1 if (column < 0).any() else 0.0, 1.0],
                "tickvals": [height for height, _ in ticks],
                "ticktext": [shown(text) for _, text in ticks],
            }
        )
    dimensions.append({"label": shown(fitness), "values": numbers(rows.fitness)})
    plot = new_plot("", "", height=380)
    line = {
        "color": numbers(rows.heights()),
        "colorscale": [[0, "#dbe5ee"], [0.7, "#0072B2"], [1, "#D55E00"]],
    }
    plot.add_trace(go.Parcoords(dimensions=dimensions, line=line, labelfont={"color": INK}))
    caption = "Each line is a point, orange where the fitness is best; drag along an axis to choose lines. "
    missing = " A line below an axis has no such setting." if np.isnan(places).any() else ""
    return Panel(f"{title}Parallel coordinates", f"{caption.strip()}{missing}", plot)
