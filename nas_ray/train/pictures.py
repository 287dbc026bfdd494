"""Pictures of a training: learning curves of all seeds, and the confusion matrix of the exported net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

_MOST_NAMES = 40
"""Classes whose names and numbers still fit into the picture."""


def draw_curves(curves: Mapping[str, pd.DataFrame], path: Path, title: str) -> None:
    """Draws accuracy and loss per epoch, a line per net.

    Args:
        curves: `curve.csv` of each net, by what the legend says.
        path: PNG file to write.
        title: of the picture.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for number, (label, curve) in enumerate(curves.items()):
        for axes, name in zip(panels, ("acc", "loss"), strict=True):
            colour = f"C{number % 10}"
            axes.plot(curve["epoch"], curve[f"train_{name}"], colour, alpha=0.35, linewidth=1)
            if f"valid_{name}" in curve:
                axes.plot(curve["epoch"], curve[f"valid_{name}"], colour, label=label)
    panels[0].set_ylabel("accuracy, %")
    panels[1].set_ylabel("cross-entropy, nats")
    for axes in panels:
        axes.set_xlabel("epoch (pale: training images, strong: held-out images)")
        axes.grid(alpha=0.3)
    if panels[0].get_legend_handles_labels()[0]:
        panels[0].legend(fontsize="small")
    figure.suptitle(title)
    figure.savefig(path, dpi=120, format="png")


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Returns how many test images of each class (rows) were taken for each class (columns)."""
    counts = confusion_matrix(labels, predicted, labels=np.arange(len(classes)))
    return pd.DataFrame(counts, index=list(classes), columns=list(classes))


def draw_confusion(counts: pd.DataFrame, path: Path, title: str) -> None:
    """Draws the confusion matrix, in shares of each true class."""
    totals = counts.to_numpy().sum(1, keepdims=True)
    shares = counts.to_numpy() / np.maximum(totals, 1)
    fits = len(counts) <= _MOST_NAMES
    side = min(14.0, 3.5 + 0.45 * len(counts))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    shown = ConfusionMatrixDisplay(shares, display_labels=counts.columns if fits else None)
    shown.plot(
        ax=axes,
        cmap="Blues",
        include_values=fits,
        values_format=".2f",
        xticks_rotation="vertical" if fits else None,
    )
    if not fits:
        axes.set_xticks([])
        axes.set_yticks([])
    for text in axes.texts:
        text.set_fontsize(7)
    axes.set_title(title)
    figure.savefig(path, dpi=120, format="png")
