"""Pictures of one-shot searches: what their architecture weights become, epoch by epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from nas_ray.report.canvas import Axes, Figure, draw, new_figure

SKIP = "skip_connect"
MOST_METHODS = 16


def draw_course(epochs: pd.DataFrame, path: Path, accuracy: str | None = None) -> None:
    """Draws what methods find over their epochs: skip connections, accuracy where it is known, and entropy.

    Args:
        epochs: a row per search and epoch with `arch` (`METHOD,seed=S`), `epoch`, `skips`, `entropy`,
            `valid_acc` and `accuracy`, in percent and NaN where it is unknown; `lambda_max` may be there.
        path: of the picture; none is drawn where there are no epochs.
        accuracy: what the accuracy is, such as `test_acc`.
    """
    if len(epochs):
        draw(path, lambda: _course(epochs, accuracy))


def methods_of(asked: pd.Series[Any]) -> pd.Series[Any]:
    """Returns the methods, with their changes, of settings such as `darts1,seed=3`."""
    return asked.str.rpartition(",seed=")[0]


def _course(epochs: pd.DataFrame, accuracy: str | None) -> Figure:
    rows = epochs.assign(method=methods_of(epochs["arch"]))
    panels = {
        "skips": "skip connections of the arch found",
        **(
            {"accuracy": f"{accuracy or 'accuracy'} of the arch found (%)"}
            if rows["accuracy"].notna().any()
            else {}
        ),
        "valid_acc": "valid_acc of the supernet (%)",
        "entropy": "entropy of the weights (nats)",
    }
    if "lambda_max" in rows and rows["lambda_max"].notna().any():
        panels["lambda_max"] = "largest eigenvalue, lambda_max"
    figure = new_figure((4.0 * len(panels), 3.8), layout="constrained")
    for place, (column, label) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), place + 1)
        _means(axes, rows, column)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
        axes.spines[["top", "right"]].set_visible(False)
    methods = list(dict.fromkeys(rows["method"]))[:MOST_METHODS]
    lines = figure.axes[0].get_lines()
    figure.legend(
        [line for line in lines if line.get_label() in methods],
        methods,
        loc="outside lower center",
        ncols=min(6, len(methods)),
        frameon=False,
    )
    return figure


def _means(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    """Draws the mean over the seeds of each method, and every seed thin behind it."""
    for place, (method, of) in enumerate(rows.groupby("method", sort=False)):
        color = f"C{place % 10}"
        style = "-" if place < 10 else "--"
        for _, one in of.groupby("arch", sort=False):
            axes.plot(one["epoch"], one[column], style, color=color, linewidth=0.6, alpha=0.35, label="_")
        mean = of.groupby("epoch")[column].mean()
        axes.plot(mean.index, mean, style, color=color, linewidth=2, label=str(method))
