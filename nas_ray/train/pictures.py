"""The confusion matrix of the exported net, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from nas_ray.report.canvas import Axes, Figure, draw, new_figure
from nas_ray.terminal.text import one_line
from nas_ray.train.curves import DPI

_MOST_NAMES = 40
"""Classes whose names and numbers still fit into the picture."""
_LONGEST_NAME = 24
"""Characters of the name of a class in the picture."""


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
