"""One page about a proxy: what is wrong with it, pictures of it, and every call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nas_ray.correlate.check_proxy.pieces import ORDERS, SEEDS, WHOLE, first, sizes
from nas_ray.correlate.check_proxy.subject import Finding, Subject
from nas_ray.report.facts import Fact
from nas_ray.report.html_report import page_of
from nas_ray.report.magnitudes import spans_magnitudes
from nas_ray.report.panels import KeyEntry, Panel, new_plot, numbered, numbers, shown
from nas_ray.report.sections import Section
from nas_ray.report.tables import page_table

BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
COLOURS = (BLUE, ORANGE, GREEN)


def page(
    title: str,
    said: str,
    facts: Sequence[Fact],
    found: Mapping[str, Sequence[Finding]],
    subjects: Sequence[Subject],
    calls: pd.DataFrame,
) -> str:
    """Returns the page.

    Args:
        title: plain text.
        said: in one line, what was found.
        facts: what was checked, on what.
        found: by column, worst first.
        subjects: one for each column.
        calls: a row for each call.
    """
    several = len(subjects) > 1
    sections = [Section("about", "What was checked", facts=list(facts))]
    for place, subject in enumerate(subjects):
        beside = f": {subject.column}" if several else ""
        table = page_table(findings_table(found[subject.column]).drop(columns="figure"))
        sections.append(Section(f"found-{place}", f"What was found{beside}, worst first", tables=[table]))
        panels = numbered(f"panel-{place}", _panels(subject))
        sections.append(Section(f"pictures-{place}", f"Pictures{beside}", panels=panels))
    about = "Every call, on a fresh net. A click on a head sorts; a second one turns the order round."
    rows: dict[str, list[Any]] = {
        "columns": list(calls.columns),
        "rows": [list(map(_plain, row)) for row in calls.to_numpy(object)],
    }
    sections.append(Section("all-calls", "All calls", about, columns=list(calls.columns)))
    return page_of(title, f"{said[:1].upper()}{said[1:]}; page made by nas_ray", [], sections, rows)


def findings_table(found: Sequence[Finding]) -> pd.DataFrame:
    """Returns a row for each finding."""
    return pd.DataFrame(
        [
            {"verdict": one.verdict, "check": one.check, "why": one.reason, "figure": one.figure}
            for one in found
        ]
    )


def _plain(value: object) -> object:
    """Returns a cell as the page takes it: what is not finite is not known."""
    known = not isinstance(value, float) or math.isfinite(value)
    return value.item() if isinstance(value, np.generic) else value if known else None


def _panels(subject: Subject) -> list[Panel]:
    made: list[Callable[[Subject], Panel | None]] = [
        _accuracy,
        _size,
        _seeds,
        _images,
        _orders,
        _precision,
        _cost,
    ]
    return [panel for make in made if (panel := make(subject)) is not None]


def _accuracy(subject: Subject) -> Panel | None:
    if subject.accuracy is None:
        return None
    plot = new_plot(subject.column, "accuracy (%)")
    _points(plot, subject, subject.archs, subject.scores(subject.archs), subject.accuracy)
    return Panel("Score and accuracy", f"A point is an arch; {subject.source}.", plot)


def _size(subject: Subject) -> Panel | None:
    facts = [subject.facts(arch) for arch in subject.archs]
    plot = new_plot("parameters", subject.column)
    params = np.array([math.nan if one is None else one.params for one in facts])
    _points(plot, subject, subject.archs, params, subject.scores(subject.archs))
    _logarithmic(plot, y=subject.scores(subject.archs))
    return Panel("Parameters and score", "A point is an arch.", plot)


def _seeds(subject: Subject) -> Panel:
    """Returns the scores of each arch over seeds, archs in the order of their first scores."""
    plot = new_plot("archs, by the score of the first seed", subject.column)
    order = np.argsort(subject.scores(subject.few))
    for what, seed, colour in (("weights", "init_seed", BLUE), ("images", "batch_seed", ORANGE)):
        table = subject.table(subject.few, **{seed: SEEDS})[:, order]
        places = np.tile(
            np.arange(1, table.shape[1] + 1) + (0.15 if seed == "batch_seed" else -0.15), len(table)
        )
        names = [subject.few[place] for place in order] * len(table)
        _points(plot, subject, names, places, table.ravel(), name=what, colour=colour)
    _logarithmic(plot, y=subject.scores(subject.few))
    key = (KeyEntry("other weights", BLUE, "bar"), KeyEntry("other images", ORANGE, "bar"))
    said = f"{SEEDS} scores of each arch, with other weights and with other images; it is best if they agree."
    return Panel("Luck", said, plot, key)


def _images(subject: Subject) -> Panel:
    """Returns the score of each arch over the number of images."""
    plot = new_plot("images", subject.column)
    every = [*sizes(subject.batch), subject.batch]
    for arch in subject.few:
        values = [subject.score(arch, images=first(size)) for size in every[:-1]] + [subject.score(arch)]
        plot.add_trace(
            go.Scatter(
                x=every,
                y=numbers(values),
                mode="lines+markers",
                name=shown(arch),
                line={"color": BLUE, "width": 1},
                marker={"size": 5},
                hovertemplate=f"{shown(arch)}<br>%{{x}} images, %{{y:.6g}}<extra></extra>",
            )
        )
    plot.update_xaxes(type="log", tickvals=every, ticktext=list(map(str, every)))
    _logarithmic(plot, y=subject.scores(subject.few))
    return Panel(
        "Number of images", "A line is an arch; where all lines meet, archs are not told apart.", plot
    )


def _orders(subject: Subject) -> Panel | None:
    base = subject.scores(subject.fewer, images=WHOLE, double=True)
    if not np.isfinite(base).any():
        return None
    plot = new_plot("score of the images in order", "in another order")
    _diagonal(plot, base)
    for kind, colour in zip(ORDERS, COLOURS, strict=False):
        values = subject.scores(subject.fewer, images=kind, double=True)
        _points(plot, subject, subject.fewer, base, values, name=kind, colour=colour)
    key = tuple(KeyEntry(kind, colour, "bar") for kind, colour in zip(ORDERS, COLOURS, strict=False))
    return Panel(
        "Order of the images", "In float64; points beside the line are scores that depend on it.", plot, key
    )


def _precision(subject: Subject) -> Panel | None:
    double = subject.scores(subject.fewer, images=WHOLE, double=True)
    if not np.isfinite(double).any():
        return None
    plot = new_plot("float64", "float32")
    _diagonal(plot, double)
    _points(plot, subject, subject.fewer, double, subject.scores(subject.fewer))
    return Panel("Precision", "The same call in both.", plot)


def _cost(subject: Subject) -> Panel | None:
    there = [
        (arch, one) for arch in subject.archs if (one := subject.main(arch)) and one.facts and not one.ended
    ]
    if not there:
        return None
    plot = new_plot("one forward pass (s)", "one score (s)")
    forward = np.array([one.facts.forward_s for _, one in there if one.facts])
    seconds = np.array([one.seconds for _, one in there])
    _points(plot, subject, [arch for arch, _ in there], forward, seconds)
    return Panel("Time", f"Of {subject.batch} images, on one thread.", plot)


def _diagonal(plot: go.Figure, values: np.ndarray) -> None:
    known = values[np.isfinite(values)]
    ends = [float(known.min()), float(known.max())]
    plot.add_trace(
        go.Scatter(x=ends, y=ends, mode="lines", line={"color": "#8a8f98", "dash": "dot"}, hoverinfo="skip")
    )


def _points(
    plot: go.Figure,
    subject: Subject,
    archs: Sequence[str],
    x: np.ndarray,
    y: np.ndarray,
    name: str = "",
    colour: str = BLUE,
) -> None:
    plot.add_trace(
        go.Scatter(
            x=numbers(x),
            y=numbers(y),
            mode="markers",
            name=shown(name or subject.column),
            customdata=[shown(arch) for arch in archs],
            hovertemplate="%{customdata}<br>%{x:.6g}, %{y:.6g}<extra>%{fullData.name}</extra>",
            marker={"size": 6, "color": colour},
        )
    )


def _logarithmic(plot: go.Figure, y: np.ndarray) -> None:
    if spans_magnitudes(y[np.isfinite(y)]):
        plot.update_yaxes(type="log", exponentformat="power")
