"""Pictures of a training: learning curves of all seeds, and the confusion matrix of the exported net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

_MOST_NAMES = 40
"""Classes whose names and numbers still fit into the picture."""
_LONGEST_NAME = 24
"""Characters of the name of a class in the picture."""


def draw_curves(curves: Mapping[str, Sequence[pd.DataFrame]], path: Path, title: str) -> None:
    """Draws accuracy and loss per epoch: a colour per arch, a line per seed.

    Args:
        curves: `curve.csv` of every net, by the label of its arch.
        path: PNG file to write.
        title: of the picture.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for number, (label, nets) in enumerate(curves.items()):
        for axes, name in zip(panels, ("acc", "loss"), strict=True):
            for seed, curve in enumerate(nets):
                color = f"C{number % 10}"
                axes.plot(curve["epoch"], curve[f"train_{name}"], linestyle=":", linewidth=1, color=color)
                if f"valid_{name}" in curve:
                    axes.plot(curve["epoch"], curve[f"valid_{name}"], color=color)
                if seed == 0:
                    axes.plot([], [], color=color, label=label)
    panels[0].set_ylabel("accuracy, %")
    panels[1].set_ylabel("cross-entropy, nats")
    panels[1].set_yscale("log")
    panels[1].yaxis.set_major_formatter("{x:g}")
    panels[1].yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    for axes in panels:
        axes.set_xlabel("epoch (dotted: training images, drawn through: held-out images)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize="small")
    figure.suptitle(title)
    figure.savefig(path, dpi=120, format="png")


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Returns how many test images of each class (rows) were taken for each class (columns)."""
    counts = confusion_matrix(labels, predicted, labels=np.arange(len(classes)))
    return pd.DataFrame(counts, index=list(classes), columns=list(classes))


def _short(names: Sequence[object]) -> list[str]:
    """Returns names of classes that leave room for the picture."""
    lines = (" ".join(str(name).split()) for name in names)
    return [line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 3]}..." for line in lines]


def draw_confusion(counts: pd.DataFrame, path: Path, title: str) -> None:
    """Draws the confusion matrix, in shares of each true class."""
    totals = counts.to_numpy().sum(1, keepdims=True)
    shares = counts.to_numpy() / np.maximum(totals, 1)
    fits = len(counts) <= _MOST_NAMES
    side = min(14.0, 3.5 + 0.45 * len(counts))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    shown = ConfusionMatrixDisplay(shares, display_labels=_short(list(counts.columns)) if fits else None)
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
    if fits:
        for text, count in zip(shown.text_.flat, counts.to_numpy().flat, strict=True):
            text.set(fontsize=7, visible=bool(count))
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)  # a name with $ is a name
    shown.im_.set_clim(0, 1)
    shown.im_.colorbar.set_label("share of the images of the true class")
    figure.suptitle(title, wrap=True, parse_math=False)
    figure.savefig(path, dpi=120, format="png")
