"""Interactive figures of how searches went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.report.curves import curve_of, quartiles
from nas_ray.report.expected import ORACLE
from nas_ray.report.kinds import Kind
from nas_ray.report.panels import (
    GREY,
    HOVER,
    MOST_POINTS,
    KeyEntry,
    Panel,
    accuracy_label,
    new_plot,
    numbers,
    points,
    sample,
    shown,
)
from nas_ray.report.references import reference_lines, reference_of, with_lines
from nas_ray.report.run_data import RunData
from nas_ray.report.search_curve import SHOWN
from nas_ray.report.standing import EXPLAINED, PERCENTILE, is_relative, standing

START = 0.1
"""Share of a search that the vertical axis of accuracy leaves out at first."""

OVER = {"evaluation": "evaluations", "finished_at": "seconds since the start of the search"}


def curve_panels(kinds: Sequence[Kind]) -> list[Panel]:
    """Returns the best so far, by fitness and by accuracy, over evaluations and over seconds.

    Kinds that are no searches are left out. Fitness is drawn where all searches maximised the same, and
    for several searches whose fitness is relative only if no accuracy is known.
    """
    searches = [kind for kind in kinds if kind.runs[0].is_search]
    if not searches:
        return []
    curves = {kind.label: [curve_of(run) for run in kind.runs] for kind in searches}
    runs = [run for kind in searches for run in kind.runs]
    labels = {"accuracy": accuracy_label(searches)}
    fitnesses = {str(run.fitness) for run in runs}
    if len(fitnesses) == 1 and not (
        len(runs) > 1 and _relative(runs) and any(run.acc_source for run in runs)
    ):
        labels = {"fitness": PERCENTILE if _relative(runs) else fitnesses.pop(), **labels}
    every = [curve for members in curves.values() for curve in members]
    return [
        _panel(searches, curves, over, value, labels[value])
        for value in labels
        for over in OVER
        if any(curve[value].notna().any() and curve[over].notna().any() for curve in every)
    ]


def _panel(
    kinds: Sequence[Kind], curves: dict[str, list[pd.DataFrame]], over: str, value: str, label: str
) -> Panel:
    plot = new_plot(OVER[over], label)
    runs = [run for kind in kinds for run in kind.runs]
    if len(runs) == 1 and value == "fitness":
        _add_evaluations(plot, runs[0], over)
    lines = {kind.label: quartiles(curves[kind.label], over, value) for kind in kinds}
    for kind in kinds:
        _add_kind(plot, kind, lines[kind.label])
    key = [KeyEntry(_called(kind), kind.color, kind.dash) for kind in kinds]
    if value == "accuracy":
        references = reference_lines(runs, over, plot)
        plot.add_traces(references)
        key += [KeyEntry(line.name, line.line.color, line.line.dash) for line in references]
        plot.update_yaxes(range=with_lines(late_range(list(lines.values())), references))
    what = "Fitness" if value == "fitness" else "Accuracy"
    title = f"{what} of the best arch so far against {OVER[over].split()[0]}"
    return Panel(title, _caption(kinds, value, over, runs), plot, tuple(key))


def late_range(lines: Sequence[pd.DataFrame]) -> list[float] | None:
    """Returns what the vertical axis shows at first: the values after the start, where searches are alike.

    Args:
        lines: of each kind, the place in the first column and `low`, `median`, `high`.
    """
    ends = [line.iloc[:, 0].max() for line in lines if len(line)]
    if not ends:
        return None
    late = pd.concat([line[line.iloc[:, 0] >= START * max(ends)] for line in lines])
    values = late[["low", "median", "high"]].to_numpy(float)
    if not np.isfinite(values).any():
        return None
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.08 * (high - low) or 1.0
    return [low - room, high + room]


def _add_evaluations(plot: go.Figure, run: RunData, over: str) -> None:
    numbered = {"evaluation": np.arange(1, len(run.rows) + 1) - run.given}
    rows = run.rows.assign(**numbered, **{SHOWN: standing(run.rows, run.fitness)}).iloc[run.given :]
    if over in rows:
        rows = sample(rows[np.isfinite(rows[SHOWN])], MOST_POINTS)
        plot.add_trace(points(rows, over, SHOWN, label="evaluation", color=GREY))


def _add_kind(plot: go.Figure, kind: Kind, curve: pd.DataFrame) -> None:
    over = str(curve.columns[0])
    line = {"color": kind.color, "width": 2, "dash": kind.dash, "shape": "hv"}
    several, label = len(kind.runs) > 1, _called(kind)
    x = numbers(curve[over])
    if several:
        for end, fill in (("high", None), ("low", "tonexty")):
            plot.add_trace(
                go.Scatter(
                    x=x,
                    y=numbers(curve[end]),
                    mode="lines",
                    line={"width": 0, "shape": "hv", "color": kind.color},
                    fill=fill,
                    fillcolor=_pale(kind.color),
                    hoverinfo="skip",
                )
            )
    plot.add_trace(
        go.Scatter(
            x=x,
            y=numbers(curve["median"]),
            mode="lines",
            name=shown(label),
            line=line,
            hovertemplate=HOVER,
        )
    )


def _called(kind: Kind) -> str:
    """Returns what the line of a kind is called."""
    count = len(kind.runs)
    return f"{kind.label}, median of {count}" if count > 1 else f"{kind.label}, best so far"


def _pale(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


def _relative(runs: Sequence[RunData]) -> bool:
    """Returns whether a fitness says nothing outside its own search."""
    return any(is_relative(run.fitness) for run in runs)


def _caption(kinds: Sequence[Kind], value: str, over: str, runs: Sequence[RunData]) -> str:
    said = []
    if value == "fitness":
        if _relative(runs):
            said.append(f"The {runs[0].fitness} as a percentile. {EXPLAINED}")
            said += ["Levels of different searches cannot be compared."] if len(runs) > 1 else []
        said += ["Grey points are the evaluations."] if len(runs) == 1 else []
        bad = sum(int((~np.isfinite(run.rows["fitness"].astype(float))).sum()) for run in runs)
        said += (
            [f"Failed or undefined and not drawn: {bad:,} of {sum(len(r.rows) for r in runs):,}."]
            if bad
            else []
        )
    else:
        said.append("The best arch so far by fitness, as the search itself could tell.")
        said.append("The axis fits what comes after the first tenth; a double click shows all.")
        said += [ORACLE] if over == "evaluation" and reference_of(runs) is not None else []
    if any(len(kind.runs) > 1 for kind in kinds):
        said.append("Lines are medians, bands the middle half of the runs, as far as all runs of a kind go.")
    return " ".join(said)
