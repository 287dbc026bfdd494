"""Every picture is made here: with settings of its own, as a file that is whole, and never at a run's cost.

No other module imports matplotlib. A picture does not depend on what a user, a notebook or a working
directory says about pictures; no window is involved; and what keeps one from being drawn is a line on
standard error, since the numbers behind it are in a table.
"""

from __future__ import annotations

import contextlib
import math
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
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, MaxNLocator, ScalarFormatter

__all__ = ["Axes", "FancyArrowPatch", "Figure", "LogFormatter", "MaxNLocator", "draw", "new_figure"]

_LONGEST_SIDE, _MOST_PIXELS = 60_000, 50_000_000
"""What a picture may have; a larger one is drawn with fewer dots per inch."""


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
            options: dict[str, Any] = {"dpi": min(dpi, most), "facecolor": "white"}
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
