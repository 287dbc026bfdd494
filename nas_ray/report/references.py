"""What accuracies are compared with in a figure of a page: one random arch, an oracle, the best of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from nas_ray.report.expected import expected_best, expected_random_arch
from nas_ray.report.panels import GREY, HOVER
from nas_ray.report.run_data import RunData

DRAWS = 60
"""Places at which the line of the oracle is computed."""
_SLATE, _GREEN = "#6b7280", "#009E73"


def reference_of(runs: Sequence[RunData]) -> np.ndarray | None:
    """Returns the accuracies of all archs of the benchmark of `runs`; None where they have no common one."""
    if len({(run.dataset, run.acc_source) for run in runs}) != 1:
        return None
    return runs[0].every_accuracy


def reference_lines(runs: Sequence[RunData], over: str, plot: go.Figure) -> list[go.Scatter]:
    """Returns the lines of one random arch, of random search by an oracle, and of the best of the benchmark.

    Args:
        runs: in the figure.
        over: `evaluation` or another axis, on which an oracle, which takes no time, has no place.
        plot: with the lines of the runs, which say how far the axis goes.
    """
    every = reference_of(runs)
    ends = [max(trace.x) for trace in plot.data if len(trace.x)]
    if every is None or not ends:
        return []
    end = float(max(ends))
    start = 1.0 if over == "evaluation" else 0.0
    flat = {"x": [start, end], "mode": "lines", "hovertemplate": HOVER}
    one, best = expected_random_arch(every), float(every.max())
    lines = [
        go.Scatter(y=[one, one], name="one random arch", line={"color": GREY, "width": 1.5}, **flat),
        go.Scatter(y=[best, best], name="best of benchmark", line={"color": _GREEN, "dash": "dot"}, **flat),
    ]
    if over != "evaluation":
        return lines
    draws = np.unique(np.geomspace(1, max(1, end), DRAWS).round().astype(int))
    oracle = [expected_best(every, int(count), replace=False) for count in draws]
    line = {"color": _SLATE, "dash": "dash", "width": 1.5}
    return [
        *lines,
        go.Scatter(x=draws.tolist(), y=oracle, mode="lines", name="oracle", line=line, hovertemplate=HOVER),
    ]


def with_lines(shown: list[float] | None, lines: Sequence[go.Scatter]) -> list[float] | None:
    """Returns the range of an axis that shows the `lines` as well."""
    if shown is None or not lines:
        return shown
    values = [float(value) for line in lines for value in line.y]
    low, high = min(shown[0], *values), max(shown[1], *values)
    room = 0.04 * (high - low)
    return [low - room if low < shown[0] else low, high + room if high > shown[1] else high]
