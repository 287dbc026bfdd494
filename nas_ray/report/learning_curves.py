"""The learning curves of trained archs as a picture."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nas_ray.report.canvas import Figure, draw, new_figure


def draw_learning_curves(rows: pd.DataFrame, path: Path) -> None:
    """Draws `valid_acc` against epochs for all `rows` with a `curve`, the first of them in front.

    Args:
        rows: with `arch` and `curve`, the valid_acc in percent of all epochs separated by spaces, best first.
        path: of the picture.
    """
    draw(path, lambda: _learning_curves(rows))


def _learning_curves(rows: pd.DataFrame) -> Figure:
    curves = [
        [float(value) for value in str(curve).split()]
        for curve in rows.get("curve", pd.Series(dtype=str)).dropna()
        if str(curve).strip()
    ]
    figure = new_figure((6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for number, curve in reversed(list(enumerate(curves))):
        epochs = range(1, len(curve) + 1)
        best = number == 0
        style = {"color": "C0", "linewidth": 2.2, "zorder": 3} if best else {"color": "0.65", "linewidth": 1}
        axes.plot(epochs, curve, marker="o", markersize=4 if best else 2.5, **style)  # type: ignore[arg-type]
    if curves:
        axes.plot([], [], color="C0", linewidth=2.2, label="best arch")
        if len(curves) > 1:
            axes.plot([], [], color="0.65", label=f"{len(curves) - 1} others")
        axes.legend(loc="lower right", frameon=False)
    axes.set_xlabel("epochs")
    axes.set_ylabel("valid_acc (%)")
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    axes.spines[["top", "right"]].set_visible(False)
    return figure
