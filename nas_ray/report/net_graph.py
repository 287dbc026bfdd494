"""The graph of a net as a picture: layers in a column, what follows what as arcs beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from nas_ray.report.canvas import Axes, FancyArrowPatch, FancyBboxPatch, Figure, draw, new_figure
from nas_ray.spaces.graphs.graph import END, START, LayerGraph

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
"""One colour after the other for what leaves a node, distinguishable by the colour-blind.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

_STEP = 0.95
"""Inches from node to node."""
_HEIGHT, _LETTER, _LONGEST = 0.42, 0.088, 40
"""Inches of a node and of a letter in it, and letters that are written of a name."""
_NARROW, _SMALL_LETTER = 2.6, 0.064
"""Inches beside the graph at least, and of a letter of the properties there."""
_LETTERS, _LINES = 84, 6
"""Characters of a line of properties, and lines of a node."""
_VALUES = 6
"""Values of a property that are written."""


def draw_graph(graph: LayerGraph, path: Path) -> None:
    """Writes a picture of a graph to `path`.

    Arcs on the right go to layers that are first called later, arcs on the left to earlier ones and to the
    layer itself. Each has its count, and the wider it is the larger is its share of what leaves the layer.

    Args:
        graph: of a net.
        path: a file name that ends in a format of matplotlib, such as `.png`.
    """
    draw(path, lambda: _figure(graph))


def most_frequent(values: Mapping[str, int], most: int | None = None) -> str:
    """Returns values with their counts in a line, the most frequent first, at most so many of them."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    shown = [f"{value} ({count})" for value, count in ordered[:most]]
    rest = len(ordered) - len(shown)
    return ", ".join([*shown, *([f"{rest} more"] if rest else [])])


def _figure(graph: LayerGraph) -> Figure:
    nodes = [START, *graph.nodes, END]
    place = {node: -_STEP * number for number, node in enumerate(nodes)}
    edges = list(graph.edges())
    reach = {
        side: max(
            (_reach(place[a] - place[b]) for a, b, *_ in edges if _is_down(place, a, b) is side), default=0
        )
        for side in (True, False)
    }
    texts = {node: _node_text(graph, node) for node in nodes}
    half = (_LETTER * max(map(len, texts.values())) + 0.2) / 2
    left, right = -half - reach[False] - 0.45, half + reach[True] + 0.45
    top, bottom = 0.85, place[END] - 0.4
    beside = {node: _properties(graph, node) for node in graph.nodes}
    longest = max(len(line) for text in beside.values() for line in text.split("\n"))
    width = right - left + max(_NARROW, _SMALL_LETTER * longest + 0.2)
    figure = new_figure((width, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, left + width), ylim=(bottom, top))
    axes.set_axis_off()
    for source, target, count, share in edges:
        color = COLORS[nodes.index(source) % len(COLORS)]
        _draw_edge(axes, half, place[source], place[target], count, share, color)
    for number, node in enumerate(nodes):
        _draw_node(axes, half, place[node], texts[node], COLORS[number % len(COLORS)])
        axes.text(right, place[node], beside.get(node, ""), va="center", fontsize=7.5, linespacing=1.35)
    nets = "" if graph.nets == 1 else f"{graph.nets:,} nets, "
    title = f"{graph.name}: {nets}{graph.layers:,} calls of {len(graph.nodes)} kinds of layers"
    figure.text(0.15 / width, 1 - 0.15 / (top - bottom), title, va="top", fontsize=11, weight="bold")
    return figure


def _is_down(place: Mapping[str, float], source: str, target: str) -> bool:
    return place[target] < place[source]


def _reach(distance: float) -> float:
    """Returns how far an arc goes from the column, in inches: the longer it is, the farther."""
    return float(0.42 * max(abs(distance), 0.6) ** 0.75)


def _properties(graph: LayerGraph, node: str) -> str:
    lines = [f"{key}: {most_frequent(values, _VALUES)}" for key, values in graph.properties[node].items()]
    shown = [textwrap.shorten(line, _LETTERS, placeholder=" ...") for line in lines[:_LINES]]
    return "\n".join([*shown[: _LINES - 1], "..."] if len(lines) > _LINES else shown)


def _node_text(graph: LayerGraph, node: str) -> str:
    name = node if len(node) <= _LONGEST else f"{node[: _LONGEST - 3]}..."
    return name if node in (START, END) else f"{name}  {graph.calls(node):,}"


def _draw_node(axes: Axes, half: float, y: float, text: str, color: str) -> None:
    left, bottom = -half, y - _HEIGHT / 2
    box = FancyBboxPatch((left, bottom), 2 * half, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.12")
    box.set(facecolor="white", edgecolor=color, linewidth=1.6, zorder=4)
    axes.add_patch(box)
    axes.text(0, y, text, ha="center", va="center", fontsize=9, zorder=5)


def _draw_edge(
    axes: Axes, half: float, source: float, target: float, count: int, share: float, color: str
) -> None:
    down = target < source
    side = 1 if down else -1
    shift = _HEIGHT / 4 * (1 if source >= target else -1)
    start, end = source - shift, target + shift
    if source == target:
        start, end = source - _HEIGHT / 4, source + _HEIGHT / 4
    x, reach = side * half, _reach(source - target)
    length = abs(start - end)
    arrow = FancyArrowPatch(
        (x, start),
        (x, end),
        arrowstyle="-|>",
        connectionstyle=f"arc3,rad={-2 * reach / length}",
        linewidth=0.7 + 3.3 * share,
        mutation_scale=11 + 5 * share,
        shrinkA=0,
        shrinkB=0,
        color=color,
        alpha=0.85,
        zorder=1 + share,
    )
    axes.add_patch(arrow)
    apex = x + side * reach  # the middle of the quadratic Bezier curve that arc3 draws
    box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    middle = (start + end) / 2
    axes.text(
        apex, middle, f"{count:,}", ha="center", va="center", fontsize=8, color=color, bbox=box, zorder=3
    )
