"""How scores are distributed: a histogram for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

BINS = 60
LINEAR = 10 / 9  # decades that the linear part of matplotlib's symlog takes on each side
SPREAD = 100
"""A score whose largest size is this many times its median size is drawn on a logarithmic axis."""


def histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, str, float]:
    """Returns counts `[BINS]`, edges `[BINS + 1]`, the scale of the axis, and where `symlog` is linear.

    The edges are at equal distances on the axis.

    Args:
        values: finite numbers, at least one.
    """
    sizes = np.abs(values[values != 0])
    middle = float(np.median(sizes)) if len(sizes) else 1.0
    wide = len(sizes) > 0 and sizes.max() > SPREAD * middle
    if wide and values.min() > 0:
        scale, edges = "log", np.geomspace(values.min(), values.max(), BINS + 1)
    elif wide:
        scale = "symlog"
        low, high = (_signed_log(limit / middle) for limit in (values.min(), values.max()))
        edges = middle * _signed_exp(np.linspace(low, high, BINS + 1))
    else:
        scale, edges = "linear", np.histogram_bin_edges(values, BINS)
    edges[0], edges[-1] = min(edges[0], values.min()), max(edges[-1], values.max())
    return np.histogram(values, edges)[0], edges, scale, middle


def _signed_log(value: float) -> float:
    """Returns what matplotlib's `symlog` does to a value, in units of where it is linear."""
    if abs(value) <= 1:
        return value * LINEAR
    return float(np.sign(value) * (LINEAR + np.log10(abs(value))))


def _signed_exp(values: np.ndarray) -> np.ndarray:
    sizes = np.abs(values)
    return np.where(sizes <= LINEAR, values / LINEAR, np.sign(values) * 10 ** (sizes - LINEAR))


def draw_distributions(scores: pd.DataFrame, names: Sequence[str], path: Path) -> None:
    """Writes a picture with a histogram for each score, and how many archs it is undefined for."""
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.8 * columns, 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        values = scores[name].to_numpy(dtype=float)
        finite = values[np.isfinite(values)]
        undefined = len(values) - len(finite)
        axes.set_title(f"{name}, {undefined:,} undefined" if undefined else name, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        if len(finite):
            counts, edges, scale, middle = histogram(finite)
            axes.stairs(counts, edges, fill=True, color="#0072B2")
            axes.set_xscale(scale, **({"linthresh": middle} if scale == "symlog" else {}))
        else:
            axes.text(0.5, 0.5, "no arch has it", ha="center", transform=axes.transAxes, fontsize=9)
            axes.set(xticks=[], yticks=[])
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    figure.supylabel("archs", fontsize=9)
    figure.savefig(path, dpi=150, facecolor="white")
