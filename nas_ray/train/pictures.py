"""Pictures of a training: learning curves of all seeds, and the confusion matrix of the exported net."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from nas_ray.report.canvas import Axes, Figure, LogFormatter, MaxNLocator, draw, new_figure
from nas_ray.terminal.text import one_line

DPI = 120
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
    draw(path, lambda: _curve_panels(curves, title), dpi=DPI)


def _curve_panels(curves: Mapping[str, Sequence[pd.DataFrame]], title: str) -> Figure:
    figure = new_figure((11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for number, (label, nets) in enumerate(curves.items()):
        for axes, name in zip(panels, ("acc", "loss"), strict=True):
            for seed, curve in enumerate(nets):
                color, mark = f"C{number % 10}", "o" if len(curve) == 1 else None  # no line has one point
                trained = curve[f"train_{name}"]
                axes.plot(
                    curve["epoch"],
                    trained,
                    linestyle=":",
                    linewidth=1,
                    color=color,
                    marker=mark,
                    fillstyle="none",
                )
                if f"valid_{name}" in curve:
                    axes.plot(curve["epoch"], curve[f"valid_{name}"], color=color, marker=mark)
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
    handles, labels = panels[0].get_legend_handles_labels()
    labels = [textwrap.fill(label, 60) for label in labels]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    figure.suptitle(title)
    return figure


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Returns how many test images of each class (rows) were taken for each class (columns)."""
    counts = confusion_matrix(labels, predicted, labels=np.arange(len(classes)))
    return pd.DataFrame(counts, index=list(classes), columns=list(classes))


def _short(names: Sequence[object]) -> list[str]:
    """Returns names of classes that leave room for the picture."""
    lines = map(one_line, names)
    return [line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 3]}..." for line in lines]


def draw_confusion(counts: pd.DataFrame, path: Path, title: str) -> None:
    """Draws the confusion matrix, in shares of each true class."""
    draw(path, lambda: _confusion_figure(counts, title), dpi=DPI)


def _confusion_figure(counts: pd.DataFrame, title: str) -> Figure:
    totals = counts.to_numpy().sum(1, keepdims=True)
    shares = counts.to_numpy() / np.maximum(totals, 1)
    side = min(14.0, 3.5 + 0.45 * len(counts))
    figure = new_figure((side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, ax=axes).set_label("share of the images of the true class")
    axes.set(xlabel="Predicted label", ylabel="True label", xticks=[], yticks=[])
    if len(counts) <= _MOST_NAMES:
        places, names = range(len(counts)), _short(list(counts.columns))
        axes.set_xticks(places, names, rotation="vertical")
        axes.set_yticks(places, names)
        _write_shares(axes, shares, counts.to_numpy())
    figure.suptitle(title)
    return figure


def _write_shares(axes: Axes, shares: np.ndarray, counts: np.ndarray) -> None:
    """Writes the shares that are not zero, light on dark and dark on light."""
    light, dark = (axes.images[0].cmap(shade) for shade in (0.0, 1.0))
    middle = (shares.max() + shares.min()) / 2
    for row, column in np.argwhere(counts):
        share = shares[row, column]
        color = dark if share < middle else light
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=7, color=color)
