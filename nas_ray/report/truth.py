"""Fronts that searches found beside the true front of a benchmark and a table of costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.benchmarks.costs import open_costs
from nas_ray.errors import UsageError
from nas_ray.report.attainment import SHARES, attainment_surface
from nas_ray.report.front import front_of
from nas_ray.report.kinds import Kind
from nas_ray.report.panels import HOVER, INK, Panel, accuracy_label, new_plot, numbers, shown
from nas_ray.report.run_data import RunData
from nas_ray.report.true_front import TrueFront
from nas_ray.rows import final_archs
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.pareto import Negated, column_of
from nas_ray.spaces.base import FiniteSpace
from nas_ray.spaces.named import open_space
from nas_ray.spaces.settings import arch_of

CAPTION = (
    "Black: the front of all archs of the benchmark. Lines: what half of the runs of a kind attained, dotted "
    "what a quarter and three quarters did; of a single run its front."
)


def every_cost(
    args: Mapping[str, Any], objectives: Sequence[Fitness], accuracy: Mapping[str, float]
) -> tuple[pd.DataFrame | None, list[str]]:
    """Returns all archs with accuracy and the costs among the objectives, and a note where that fails.

    Args:
        args: of the search, which name its tables of costs.
        objectives: of the search.
        accuracy: of every arch of the benchmark; empty where there is none.
    """
    texts = [str(text) for text in args.get("costs") or ()]
    names = [name for name in map(column_of, objectives) if name and ":" in name]
    if not texts or not names or not accuracy:
        return None, []
    try:
        space = open_space(str(args.get("space")))
        if not isinstance(space, FiniteSpace):
            return None, []
        costs = open_costs(texts, names, space)
    except UsageError as error:  # the tables are gone since, or are others
        return None, [f"No true front: the costs of the run cannot be used here ({error})"]
    table = pd.DataFrame(costs.values, columns=list(costs.columns)).assign(arch=list(space))
    return table.assign(accuracy=table["arch"].map(accuracy)), []


def truth_table(kinds: Sequence[Kind]) -> pd.DataFrame:
    """Returns, for each kind and cost, the medians of hypervolume ratio and IGD+ with their quartiles."""
    lines = []
    for kind, cost, truth, fronts in _found(kinds):
        quantiles = {
            name: np.quantile([measure(front) for front in fronts], [0.25, 0.5, 0.75])
            for name, measure in (("ratio", truth.ratio), ("IGD+", truth.igd_plus))
        }
        line: dict[str, Any] = {"kind": kind.label, "cost": cost, "runs": len(fronts)}
        for name, (low, middle, high) in quantiles.items():
            line[name] = f"{middle:.4f}"
            line[f"{name} quartiles"] = f"{low:.4f} to {high:.4f}" if len(fronts) > 1 else None
        lines.append({**line, "true front": len(truth.places)})
    return pd.DataFrame(lines)


def truth_panels(kinds: Sequence[Kind]) -> list[Panel]:
    """Returns a figure per cost: the true front, and what the runs of each kind attained."""
    plots: dict[str, go.Figure] = {}
    for kind, cost, truth, fronts in _found(kinds):
        if cost not in plots:
            plots[cost] = new_plot(f"{cost} (smaller is better)", accuracy_label(kinds))
            every = truth.values[truth.places]
            plots[cost].add_trace(_line(every, "true front", INK, "solid", marks=True))
        shares = SHARES if len(fronts) > 1 else (0.5,)
        for share in shares:
            surface = attainment_surface(fronts, share)
            said = kind.label if share == 0.5 else f"{kind.label}, {share:.0%} of the runs"
            dash = kind.dash if share == 0.5 else "dot"
            plots[cost].add_trace(_line(surface, said, kind.color, dash, width=2 if share == 0.5 else 1))
    return [
        Panel(f"Accuracy and {cost} beside the true front", CAPTION, plot) for cost, plot in plots.items()
    ]


def _found(kinds: Sequence[Kind]) -> Iterator[tuple[Kind, str, TrueFront, list[np.ndarray]]]:
    """Yields each kind and cost with the true front and, of each run, `[points, 2]` on its own."""
    for kind in kinds:
        first = kind.runs[0]
        if first.truth is None:
            continue
        for objective in first.objectives:
            name = column_of(objective)
            if isinstance(objective, Negated) and name in first.truth:
                truth = TrueFront(_values(first.truth, objective.name))
                yield kind, objective.name, truth, [_front(run, objective.name) for run in kind.runs]


def _front(run: RunData, cost: str) -> np.ndarray:
    """Returns accuracy and minus the cost of the archs on the front of a run that have both."""
    assert run.truth is not None
    archs = final_archs(front_of(run.rows, run.objectives)).map(arch_of)
    rows = run.truth.set_index("arch").reindex(archs)
    values = _values(rows, cost)
    return np.asarray(values[np.isfinite(values).all(axis=1)])


def _values(rows: pd.DataFrame, cost: str) -> np.ndarray:
    return np.column_stack([rows["accuracy"].to_numpy(float), -rows[cost].to_numpy(float)])


def _line(
    corners: np.ndarray, label: str, color: str, dash: str, *, marks: bool = False, width: float = 1.5
) -> go.Scatter:
    """Returns a staircase of accuracy over a cost."""
    order = np.argsort(-corners[:, 1], kind="stable")
    return go.Scatter(
        x=numbers(-corners[order, 1]),
        y=numbers(corners[order, 0]),
        mode="lines+markers" if marks else "lines",
        name=shown(label),
        line={"shape": "hv", "color": color, "dash": dash, "width": width},
        marker={"size": 5, "color": color},
        hovertemplate=HOVER,
    )
