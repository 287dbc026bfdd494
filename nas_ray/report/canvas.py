"""Every picture is made here: with settings of its own, as a file that is whole, and never at a run's cost.

No other module imports matplotlib. A picture does not depend on what a user, a notebook or a working
directory says about pictures; no window is involved; and what keeps one from being drawn is a line on
standard error, since the numbers behind it are in a table.
"""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nas_ray.errors import describe
from nas_ray.process.inherited import import_matplotlib
from nas_ray.runs.writing import write_atomically
from nas_ray.terminal.console import say_error
from nas_ray.terminal.text import visible

import_matplotlib()

# ruff: noqa: E402  # the import above comes first
import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, MaxNLocator, ScalarFormatter

__all__ = [
    "Axes",
    "FancyArrowPatch",
    "FancyBboxPatch",
    "Figure",
    "LogFormatter",
    "MaxNLocator",
    "draw",
    "new_figure",
]

_LONGEST_SIDE, _MOST_PIXELS = 60_000, 50_000_000
"""What a picture may have; a larger one is drawn with fewer dots per inch."""
_FITTING_STEPS, _SMALLEST, _EDGE, _FEWEST_LETTERS = 8, 5.0, 0.98, 12
"""Tries to make texts fit, the smallest size of letters for that, the share of its room that a text takes at
most, and the letters of a line at least."""
_PARTS = re.compile(r"[^_,:;.|/+]*[_,:;.|/+]|[^_,:;.|/+]+")
"""What a long word is broken into."""


def new_figure(size: tuple[float, float], **options: Any) -> Figure:
    """Returns an empty figure of `size` inches, on a canvas that needs no window.

    Args:
        size: width and height.
        options: of matplotlib's `Figure`, such as `layout`.
    """
    figure = Figure(figsize=size, **options)
    FigureCanvasAgg(figure)
    return figure


def draw(path: Path, make: Callable[[], Figure], *, dpi: float = 150) -> None:
    """Writes the figure that `make` returns, or says on standard error why there is no picture.

    Args:
        path: a file name that ends in a format of matplotlib, such as `.png`; an old file is replaced.
        make: makes the figure; any text in it is text, and not TeX.
        dpi: dots per inch, where that does not make too many.
    """
    try:
        with _own_settings():
            figure = make()
            _show_text_as_it_is(figure)
            width, height = figure.get_size_inches()
            most = min(_LONGEST_SIDE / max(width, height), math.sqrt(_MOST_PIXELS / (width * height)))
            figure.set_dpi(min(dpi, most))  # letters are as wide as whole pixels make them
            _fit(figure)
            options: dict[str, Any] = {"dpi": figure.dpi, "facecolor": "white"}
            write_atomically(path, lambda temporary: figure.savefig(temporary, **options))
    except Exception as error:  # there are many reasons, and none is worth a run
        say_error(f"The picture {path.name} cannot be drawn ({describe(error)}); everything else is there.")


@contextlib.contextmanager
def _own_settings() -> Iterator[None]:
    """Draws with matplotlib's own defaults, whatever its configuration says, and without its warnings."""
    defaults: dict[Any, Any] = dict(matplotlib.rcParamsDefault.items())
    del defaults["backend"]  # which would look for a window
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as of letters that a font lacks
        with matplotlib.rc_context(defaults):
            yield


def _show_text_as_it_is(figure: Figure) -> None:
    """Makes names with `$` no formulas, and those with unprintable characters visible.

    The numbers along an axis are matplotlib's own, and may be formulas.
    """
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
        text.set_text(visible(text.get_text()))
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        if isinstance(axis.get_major_formatter(), ScalarFormatter | LogFormatter):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                tick.label1.set_parse_math(True)
                tick.label2.set_parse_math(True)


def _fit(figure: Figure) -> None:
    """Breaks titles and labels that are wider than their room into lines, as they are measured."""
    whole: dict[Text, str] = {}
    for _ in range(_FITTING_STEPS):
        figure.draw_without_rendering()
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        wide = [
            (text, share)
            for text, room, upright in _titles(figure)
            if text.get_text() and (share := _share(text, renderer, room, upright)) > _EDGE
        ]
        if not wide:
            return
        for text, share in wide:
            _narrow(text, whole.setdefault(text, text.get_text()), share)


def _titles(figure: Figure) -> Iterator[tuple[Text, float, bool]]:
    """Yields titles and labels with the room that each has, in pixels, and whether it runs upwards."""
    width, height = figure.bbox.size
    upright = getattr(figure, "_supylabel")  # noqa: B009  # of which mypy knows nothing
    for text in figure.texts:  # with the titles and labels of the figure itself
        at = width * float(text.get_position()[0])
        centred = text.get_horizontalalignment() == "center"
        room = height if text is upright else 2 * min(at, width - at) if centred else width - at
        yield text, room, text is upright
    for axes in figure.axes:
        grid = axes.get_subplotspec()
        rows, columns = grid.get_gridspec().get_geometry() if grid else (1, 1)
        x, y = (axes.bbox.x0 + axes.bbox.x1) / 2, (axes.bbox.y0 + axes.bbox.y1) / 2
        for text in (axes.title, axes.xaxis.label):
            yield text, min(axes.bbox.width if columns > 1 else width, 2 * x, 2 * (width - x)), False
        yield axes.yaxis.label, min(height / rows, 2 * y, 2 * (height - y), 1.25 * axes.bbox.height), True


def _share(text: Text, renderer: Any, room: float, upright: bool) -> float:
    """Returns how much of its room a text takes."""
    box = text.get_window_extent(renderer)
    return float(box.height if upright else box.width) / room


def _narrow(text: Text, whole: str, share: float) -> None:
    """Breaks a text, `whole` at first, into shorter lines, or makes its letters smaller where none are."""
    before = text.get_text()
    longest = max(map(len, before.split("\n")))
    most = max(_FEWEST_LETTERS, int(longest / share * _EDGE) - 1)
    after = "\n".join(line for part in whole.split("\n") for line in broken(part, most))
    if after == before:
        text.set_fontsize(max(_SMALLEST, 0.9 * float(text.get_fontsize())))
    text.set_text(after)


def broken(text: str, most: int) -> list[str]:
    """Returns `text` in lines of at most `most` characters, between words, else behind `_`, `,` etc."""
    lines = [""]
    for word in re.findall(r"\S+\s*", text) or [text]:
        parts = [word] if len(word.rstrip()) <= most else re.findall(_PARTS, word)
        for piece in [part[i : i + most] for part in parts for i in range(0, len(part), most)]:
            if len((lines[-1] + piece).rstrip()) > most and lines[-1]:
                lines.append("")
            lines[-1] += piece
    return [line.rstrip() for line in lines]
