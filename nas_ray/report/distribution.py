"""How scores are distributed: a histogram for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nas_ray.report.canvas import Figure, draw, new_figure

BINS = (8, 60)  # fewest and most
SPREAD = 100
"""A score whose largest size is this many times its median size does not fit on a linear axis."""


def histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns counts `[N]` and edges `[N + 1]`; the edges say whether the axis is linear or logarithmic.

    They are at equal ratios for values that span orders of magnitude, and zeros are left out. Where some are
    negative, they span the middle 98 % alone. So counts may not add up to all values.

    Args:
        values: finite numbers, at least one.
    """
    bins = int(np.clip(2 * np.sqrt(len(values)), *BINS))
    low, high, sizes = float(values.min()), float(values.max()), np.abs(values[values != 0])
    if len(sizes) and sizes.max() > SPREAD * np.median(sizes):
        if low >= 0:
            low = float(sizes.min())
            edges = np.geomspace(low, high, bins + 1)
            edges[0], edges[-1] = low, high
            return np.histogram(values, edges)[0], edges
        low, high = (float(limit) for limit in np.percentile(values, [1, 99]))
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # a constant
        low, high = low - (abs(low) / 2 or 1.0), high + (abs(high) / 2 or 1.0)
    edges = np.linspace(low, high, bins + 1)
    return np.histogram(values, edges)[0], edges


def draw_distributions(scores: pd.DataFrame, names: Sequence[str], path: Path) -> None:
    """Writes a picture with a histogram for each score, and how many archs it is undefined for."""
    draw(path, lambda: _histograms(scores, names))


def _histograms(scores: pd.DataFrame, names: Sequence[str]) -> Figure:
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure((3.8 * columns, 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        values = scores[name].to_numpy(dtype=float)
        finite = values[np.isfinite(values)]
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        left_out = {"undefined": len(values) - len(finite)}
        if len(finite):
            counts, edges = histogram(finite)
            axes.stairs(counts, edges, fill=True, color="#0072B2")
            axes.set_xscale("linear" if np.allclose(np.diff(edges), edges[1] - edges[0], atol=0) else "log")
            left_out["beyond the axis"] = len(finite) - int(counts.sum())
        else:
            axes.set(xticks=[], yticks=[])
        notes = [f"{count:,} {what}" for what, count in left_out.items() if count]
        axes.set_title(", ".join([name, *notes]), fontsize=10)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    figure.supylabel("archs", fontsize=9)
    return figure
