"""Interactive figures of one-shot searches: what each epoch gave, and the weights of all operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.report.kinds import COLORS, DASHES
from nas_ray.report.one_shot_pictures import methods_of
from nas_ray.report.panels import KeyEntry, Panel, new_plot, numbers, shown
from nas_ray.report.run_data import RunData
from nas_ray.safe_files.tables import read_table

EPOCHS_FILE, WEIGHTS_FILE = "epochs.csv", "weights.parquet"
"""What a run of one-shot searches leaves: a row per search and epoch, and one per operation of every edge."""

WORDS = frozenset({"arch", "found", "graph", "source", "target", "op"})
"""Columns of texts; all others are numbers."""

_MOST_WEIGHTS = 8
"""Figures of weights, each of one search and one cell."""
_ROW, _ROOM = 13, 110
"""Pixels of a line of such a figure, and of what is around them."""
_COLUMNS = {
    "accuracy": ("accuracy (%)", "Accuracy of the arch that each epoch gave"),
    "skips": ("skip connections", "Skip connections of the arch that each epoch gave"),
    "valid_acc": ("valid_acc (%)", "Validation accuracy of the supernet"),
    "entropy": ("entropy (nats)", "Entropy of the architecture weights"),
}
_ON_REQUEST = {"lambda_max": ("lambda_max", "Largest eigenvalue of the validation loss")}


def one_shot_panels(runs: Sequence[RunData]) -> list[Panel]:
    """Returns what one-shot searches were after each epoch; none of other runs, or without their files."""
    panels: list[Panel] = []
    for run in runs:
        columns = ("arch", "epoch", "found", *_COLUMNS)
        if (epochs := _table(run, EPOCHS_FILE, columns, tuple(_ON_REQUEST))) is not None:
            of_run = "" if len(runs) == 1 else f" ({run.name})"
            panels += [
                _epochs(epochs, column, label, title + of_run)
                for column, (label, title) in {**_COLUMNS, **_ON_REQUEST}.items()
                if column in epochs and epochs[column].notna().any()
            ]
            columns = ("arch", "epoch", "graph", "source", "target", "op", "weight")
            weights = _table(run, WEIGHTS_FILE, columns)
            panels += [] if weights is None else _weights(weights, of_run)
    return panels


def _table(
    run: RunData, name: str, columns: Sequence[str], on_request: Sequence[str] = ()
) -> pd.DataFrame | None:
    """Returns these columns of a table of a run; None where it is not there, empty, or lacks some.

    Columns `on_request` may be missing.
    """
    path = run.folder / name
    if run.experiment != "one_shot" or not path.is_file():
        return None
    try:
        table = read_table(path)
    except Exception:  # whatever a reader may raise on any bytes; the rest of the report does not need it
        return None
    if not set(columns) <= set(table.columns) or not len(table):
        return None
    columns = [*columns, *(column for column in on_request if column in table)]
    words = {name: table[name].astype(str) for name in columns if name in WORDS}
    known = {name: pd.to_numeric(table[name], errors="coerce") for name in columns if name not in WORDS}
    return pd.DataFrame({**words, **known})[columns].dropna(subset=["epoch"])


def _epochs(epochs: pd.DataFrame, column: str, label: str, title: str) -> Panel:
    plot = new_plot("epoch", label)
    methods, key = methods_of(epochs["arch"]), []
    for place, method in enumerate(dict.fromkeys(methods)):
        style = {"color": COLORS[place % len(COLORS)], "dash": DASHES[place // len(COLORS) % len(DASHES)]}
        key.append(KeyEntry(str(method), **style))
        for arch, one in epochs[methods == method].groupby("arch", sort=False):
            plot.add_trace(
                go.Scatter(
                    x=numbers(one["epoch"]),
                    y=numbers(one[column]),
                    mode="lines+markers",
                    name=shown(arch),
                    line={**style, "width": 1.5},
                    marker={"size": 4},
                    customdata=[shown(found) for found in one["found"]],
                    hovertemplate="%{customdata}<br>epoch %{x}, %{y:.6g}<extra>%{fullData.name}</extra>",
                )
            )
    plot.update_xaxes(**_whole(epochs["epoch"]))
    caption = "One line for each search; point at an epoch for the arch that it gave."
    return Panel(title, caption, plot, tuple(key))


def _weights(weights: pd.DataFrame, of_run: str) -> list[Panel]:
    """Returns a figure for the first search of each method and each cell."""
    searches = pd.Series(weights["arch"].unique())
    first = searches[~methods_of(searches).duplicated()]
    found = [
        _heatmap(
            weights[(weights["arch"] == arch) & (weights["graph"] == graph)], str(arch), str(graph), of_run
        )
        for arch in first
        for graph in weights["graph"].unique()
    ]
    return found[:_MOST_WEIGHTS]


def _heatmap(rows: pd.DataFrame, arch: str, graph: str, of_run: str) -> Panel:
    edge = rows["source"].astype(str) + " to " + rows["target"].astype(str) + "  " + rows["op"].astype(str)
    table = rows.assign(edge=edge).pivot_table(
        index="edge", columns="epoch", values="weight", sort=False, dropna=False
    )
    plot = new_plot("epoch", "", height=_ROOM + _ROW * len(table))
    values: Any = np.asarray(table.to_numpy(dtype=float))
    plot.add_trace(
        go.Heatmap(
            x=numbers(table.columns),
            y=[shown(name) for name in table.index],
            z=[numbers(line) for line in values],
            colorscale="Viridis",
            colorbar={"title": {"text": "weight"}, "thickness": 12},
            hovertemplate="%{y}<br>epoch %{x}, %{z:.4f}<extra></extra>",
        )
    )
    plot.update_yaxes(autorange="reversed", tickfont={"size": 10})
    plot.update_xaxes(**_whole(rows["epoch"]))
    caption = (
        "Each line is an operation of an edge, from a node to a later one; what is chosen becomes light."
    )
    return Panel(f"Weights of {arch}, {graph}{of_run}", caption, plot)


def _whole(epochs: pd.Series[Any]) -> dict[str, Any]:
    """Returns ticks at whole epochs, about ten of them."""
    return {"tickformat": "d", "tick0": 0, "dtick": max(1, round(float(epochs.max()) / 10))}
