"""The picture of the learning curves of a training: all archs and seeds."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from nas_ray.report.canvas import Axes, Figure, LogFormatter, MaxNLocator, draw, new_figure
from nas_ray.train.base_job import Job
from nas_ray.train.damage import read_curve
from nas_ray.train.module import net_folder

CURVES: Final = "curves.png"
DPI: Final = 120
Curves = Mapping[str, Sequence[pd.DataFrame]]
"""`curve.csv` of every net, by the label of its arch."""


@dataclass(frozen=True)
class Drawn:
    """What the two panels show.

    Attributes:
        what: the examples, such as `images`.
        columns: by the name of a column, without `train_` and `valid_`, what it is; the second has a
            logarithmic axis.
    """

    what: str
    columns: Mapping[str, str]


OF_IMAGES: Final = Drawn("images", {"acc": "accuracy, %", "loss": "cross-entropy, nats"})
OF_TEXT: Final = Drawn("text", {"nats": "nats of a token", "perplexity": "perplexity"})


def curves_of(job: Job, folder: Path) -> dict[str, list[pd.DataFrame]]:
    """Returns the curves of all nets of a training, by the label of the arch.

    Raises:
        UsageError: one is damaged.
    """
    return {
        candidate.label: [read_curve(net_folder(folder, candidate, seed)) for seed in job.seeds]
        for candidate in job.candidates
    }


def draw_curves(curves: Curves, path: Path, title: str, drawn: Drawn = OF_IMAGES) -> None:
    """Draws what is learned per epoch: a colour per arch, a line per seed.

    Args:
        curves: of all nets.
        path: PNG file to write.
        title: of the picture.
        drawn: what is shown.
    """
    draw(path, lambda: _panels(curves, title, drawn), dpi=DPI)


def _panels(curves: Curves, title: str, drawn: Drawn) -> Figure:
    figure = new_figure((11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, (name, words) in zip(panels, drawn.columns.items(), strict=True):
        for number, (label, nets) in enumerate(curves.items()):
            for curve in nets:
                _line(axes, curve, name, f"C{number % 10}")
            axes.plot([], [], color=f"C{number % 10}", label=label)
        axes.set_ylabel(words)
        axes.set_xlabel(f"epoch (dotted: training {drawn.what}, drawn through: held-out {drawn.what})")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    panels[1].set_yscale("log")
    panels[1].yaxis.set_major_formatter("{x:g}")
    panels[1].yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    handles, labels = panels[0].get_legend_handles_labels()
    labels = [textwrap.fill(label, 60) for label in labels]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    figure.suptitle(title)
    return figure


def _line(axes: Axes, curve: pd.DataFrame, name: str, color: str) -> None:
    mark = "o" if len(curve) == 1 else None  # no line has one point
    trained = curve[f"train_{name}"]
    axes.plot(curve["epoch"], trained, linestyle=":", linewidth=1, color=color, marker=mark, fillstyle="none")
    if f"valid_{name}" in curve:
        axes.plot(curve["epoch"], curve[f"valid_{name}"], color=color, marker=mark)
