"""Interactive figures of searches with several objectives: their fronts, and how these grew."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.report.curves import quartiles
from nas_ray.report.front import HYPERVOLUME, MOST_PANELS, Scale, course, front_of, title_of
from nas_ray.report.kinds import Kind
from nas_ray.report.magnitudes import spans_magnitudes
from nas_ray.report.panels import (
    HOVER,
    MOST_POINTS,
    Panel,
    new_plot,
    numbers,
    points,
    said_sample,
    sample,
    shown,
)
from nas_ray.report.run_data import RunData
from nas_ray.rows import FOUND, records
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.pareto import Negated, column_of, objective_values

Objectives = tuple[Fitness, ...]


def front_panels(kinds: Sequence[Kind]) -> list[Panel]:
    """Returns the front over each two objectives, and its hypervolume; equal objectives in one."""
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        if kind.runs[0].objectives:
            groups.setdefault(",".join(map(str, kind.runs[0].objectives)), []).append(kind)
    panels = []
    for members in groups.values():
        objectives = members[0].runs[0].objectives
        for first, second in list(combinations(objectives, 2))[:MOST_PANELS]:
            panels.append(_pair_panel(members, objectives, second, first))
        if (panel := _course_panel(members, objectives)) is not None:
            panels.append(panel)
    return panels


def front_table(run: RunData) -> pd.DataFrame:
    """Returns the front of a search with what the page shows of it."""
    front = front_of(run.rows, run.objectives)
    names = ["accuracy", "arch", FOUND, *filter(None, map(column_of, run.objectives))]
    return front[[name for name in dict.fromkeys(names) if name in front]]


def _pair_panel(kinds: Sequence[Kind], objectives: Objectives, across: Fitness, up: Fitness) -> Panel:
    x, y = str(column_of(across)), str(column_of(up))
    plot, drawn, total, values = new_plot(title_of(across), title_of(up)), 0, 0, []
    for kind in kinds:
        rows = pd.concat([run.distinct for run in kind.runs], ignore_index=True).reindex(
            columns=list(dict.fromkeys([*kind.runs[0].distinct.columns, x, y]))
        )
        some = sample(rows, MOST_POINTS // len(kinds))
        drawn, total = drawn + len(some), total + len(rows)
        values.append(rows[[x, y]].astype(float))
        plot.add_trace(points(some, x, y, label=kind.label, color=kind.color))
        every = pd.concat([run.rows for run in kind.runs], ignore_index=True)
        front = front_of(every, objectives).sort_values(x)
        line = points(front, x, y, label=f"front of {kind.label}", color=kind.color)
        line.update(marker={"size": 7, "opacity": 1})
        if len(objectives) == 2:
            shape = "hv" if isinstance(across, Negated) else "vh"
            line.update(mode="lines+markers", line={"shape": shape, "color": kind.color, "dash": kind.dash})
        plot.add_trace(line)
    known = pd.concat(values)
    known = known.loc[np.isfinite(known.to_numpy()).all(axis=1)]
    for name, scale in ((x, plot.update_xaxes), (y, plot.update_yaxes)):
        if spans_magnitudes(known[name].to_numpy()):
            scale(type="log", exponentformat="power")
    caption = "Large points are the front: no other arch beats one of them in all objectives."
    return Panel(f"{up} and {across}", caption + said_sample(drawn, total), plot)


def _course_panel(kinds: Sequence[Kind], objectives: Objectives) -> Panel | None:
    runs = [run for kind in kinds for run in kind.runs]
    everything = [objective_values(records(run.rows), objectives) for run in runs]
    scale = Scale.of(np.concatenate(everything))
    plot, any_line = new_plot("evaluations", "hypervolume of the front"), False
    for kind in kinds:
        curves = [course(run.rows, objectives, scale) for run in kind.runs]
        curve = quartiles(curves, "evaluation", "hypervolume")
        any_line = any_line or len(curve) > 0
        several = f", median of {len(curves)}" if len(curves) > 1 else ""
        plot.add_trace(
            go.Scatter(
                x=numbers(curve["evaluation"]),
                y=numbers(curve["median"]),
                mode="lines",
                name=shown(kind.label + several),
                line={"color": kind.color, "width": 2, "dash": kind.dash, "shape": "hv"},
                hovertemplate=HOVER,
            )
        )
    return Panel("Hypervolume against evaluations", HYPERVOLUME, plot) if any_line else None
