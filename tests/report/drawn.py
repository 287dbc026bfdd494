"""Figures as they were drawn, and which of their texts a reader would not see whole."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from nas_ray.report import canvas

SLACK = 1.5
"""Pixels that letters may stand over, such as a part of a serif."""


def drawn_by(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Returns a list that every figure drawn from now on is added to."""
    figures: list[Figure] = []
    fit = canvas._fit

    def kept(figure: Figure) -> None:
        fit(figure)
        figures.append(figure)

    monkeypatch.setattr(canvas, "_fit", kept)
    return figures


def clipped(figure: Figure) -> list[str]:
    """Returns the texts of a figure that its edges cut, or that lie over another title or label."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    width, height = figure.bbox.size
    titles, others = _texts(figure)
    found = []
    for text in (*titles, *others):
        box = text.get_window_extent(renderer)
        if min(box.x0, box.y0) < -SLACK or box.x1 > width + SLACK or box.y1 > height + SLACK:
            found.append(f"outside: {text.get_text()!r} {box.bounds} of {width} x {height}")
    for one, other in combinations(titles, 2):
        boxes = [text.get_window_extent(renderer).padded(-SLACK) for text in (one, other)]
        if boxes[0].overlaps(boxes[1]):
            found.append(f"over one another: {one.get_text()!r} and {other.get_text()!r}")
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [tick.label1 for tick in axis._update_ticks() if tick.label1.get_visible()]
            boxes = [label.get_window_extent(renderer) for label in labels]
            pairs = zip(labels, boxes, boxes[1:], strict=False)
            crowded = [label.get_text() for label, one, other in pairs if one.padded(-SLACK).overlaps(other)]
            found += [f"names at an axis over one another: {crowded}"] if crowded and axes.axison else []
    return found


def _texts(figure: Figure) -> tuple[list[Text], list[Text]]:
    """Returns titles and labels, and all other texts that are drawn."""
    titles: list[Any] = [figure._suptitle, figure._supxlabel, figure._supylabel]  # type: ignore[attr-defined]
    others: list[Any] = [text for text in figure.texts if text not in titles]
    legends = [*figure.legends]
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        titles.append(axes.title)
        others += axes.texts
        legends += [axes.get_legend()] if axes.get_legend() else []
        if axes.axison:
            titles += [axes.xaxis.label, axes.yaxis.label]
            ticks = [tick for axis in (axes.xaxis, axes.yaxis) for tick in axis._update_ticks()]
            others += [tick.label1 for tick in ticks if tick.label1.get_visible()]
            others += [axes.xaxis.get_offset_text(), axes.yaxis.get_offset_text()]
    others += [text for legend in legends for text in legend.get_texts()]
    shown = [[text for text in kind if text is not None and text.get_text()] for kind in (titles, others)]
    return shown[0], shown[1]
