"""What all interactive figures share: a title, a caption, the calm look, and safe text."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.report.kinds import Kind
from nas_ray.rows import final_archs

MOST_POINTS = 3000
"""Points in one figure; a page with more figures has fewer in each."""
POINTS_OF_PAGE = 16_000
LONGEST_LABEL = 42
"""Characters that fit beside an axis."""
INK, GREY, LINE = "#24292f", "#8a8f98", "#e4e7eb"
BORDERS = {"solid": "solid", "dash": "dashed", "dot": "dotted", "dashdot": "double"}
"""How CSS draws a line; it knows no other dashes."""
HOVER = "%{x:.6g}, %{y:.6g}<extra>%{fullData.name}</extra>"


@dataclass(frozen=True)
class KeyEntry:
    """What a colour stands for.

    Attributes:
        label: plain text.
        color: as CSS has it.
        dash: of a line, as plotly has it; `bar` for a bar.
    """

    label: str
    color: str
    dash: str = "solid"


@dataclass(frozen=True)
class Panel:
    """One figure of a page.

    Attributes:
        title: plain text above it.
        caption: plain text below it.
        plot: the figure itself.
        key: what its lines and bars are called, above it.
    """

    title: str
    caption: str
    plot: go.Figure
    key: tuple[KeyEntry, ...] = ()


def new_plot(x: str, y: str, *, height: int = 340) -> go.Figure:
    """Returns an empty figure with the names of its axes."""
    axis = {"gridcolor": LINE, "zeroline": False, "linecolor": GREY, "ticks": "outside", "automargin": True}
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "autosize": True,
            "margin": {"l": 60, "r": 12, "t": 34, "b": 48},  # buttons are above what is drawn
            "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "hovermode": "closest",
            "showlegend": False,  # names may be long; the page has keys that wrap
            "xaxis": {**axis, "title": {"text": shown(_short(x))}},
            "yaxis": {**axis, "title": {"text": shown(_short(y))}},
        }
    )


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 4] + " ..."


def shown(text: object) -> str:
    """Returns `text` as plotly shows it, which would take `<b>` and `<a>` in it for markup."""
    return html.escape(str(text), quote=False)


def accuracy_label(kinds: Sequence[Kind]) -> str:
    """Returns the name of the accuracy of all runs with its unit."""
    columns = {run.acc_column for kind in kinds for run in kind.runs if run.acc_source}
    return f"{columns.pop() if len(columns) == 1 else 'accuracy'} (%)"


def numbers(values: Any) -> list[float | None]:
    """Returns `values` as plain numbers, None where they are not finite."""
    return [float(value) if np.isfinite(value) else None for value in np.asarray(values, dtype=float)]


def sample(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Returns at most `most` of the rows, evenly spaced, in their order."""
    if len(rows) <= most:
        return rows
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))]


def said_sample(shown_rows: int, all_rows: int) -> str:
    """Returns a sentence where not every point is drawn, else nothing."""
    return f" Drawn are {shown_rows:,} of {all_rows:,} archs, evenly spaced." if shown_rows < all_rows else ""


def points(rows: pd.DataFrame, x: str, y: str, *, label: str, color: str) -> go.Scatter:
    """Returns a point for each row, with its arch for whoever points at it."""
    return go.Scatter(
        x=numbers(rows[x]),
        y=numbers(rows[y]),
        mode="markers",
        name=shown(label),
        customdata=[shown(arch) for arch in final_archs(rows)],
        hovertemplate="%{customdata}<br>" + HOVER,
        marker={"size": 5, "color": color, "opacity": 0.6},
    )


def numbered(name: str, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Returns panels as the page has them, with an id each."""
    return [
        {
            "id": f"{name}-{number_}",
            "title": panel.title,
            "caption": panel.caption,
            "key": [entry(one) for one in panel.key],
            "plot": panel.plot.to_plotly_json(),
        }
        for number_, panel in enumerate(panels, 1)
    ]


def entry(key: KeyEntry) -> dict[str, str]:
    """Returns an entry of a key as the page has it."""
    return {
        "color": key.color or "",
        "border": BORDERS.get(key.dash or "solid", "solid"),
        "label": key.label,
        "kind": "bar" if key.dash == "bar" else "line",
    }
