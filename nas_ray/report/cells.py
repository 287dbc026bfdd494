"""One cell of NATS-TSS as a drawing for the terminal and as a picture."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import networkx as nx

from nas_ray.report.canvas import Axes, FancyArrowPatch, Figure, draw, new_figure
from nas_ray.spaces.settings import arch_of

NODES = ("in", "1", "2", "out")
"""The nodes of the cell."""

EDGES: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The edges in the order of the arch string."""

OP_COLORS = {
    "none": "#9a9a9a",
    "skip_connect": "#0072B2",
    "nor_conv_1x1": "#E69F00",
    "nor_conv_3x3": "#D55E00",
    "avg_pool_3x3": "#009E73",
}
"""One colour per operation, distinguishable by the colour-blind.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

# Repeated here, as nas_ray.spaces needs torch and a report does not; the tests compare the two.
_ARCH = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|"

_GAP = 17  # columns between two boxes
_BOX_WIDTHS = (8, 5, 5, 7)
_BOX_LEFTS = (0, 25, 47, 69)
_CENTERS = (4, 27, 49, 72)
_BOX_ROW = 3  # the top border of the boxes
_ROWS = 8


def cell_graph(arch: str) -> nx.DiGraph[int] | None:
    """Returns the cell, nodes 0-3 and an attribute `op` on each of 6 edges; None if it is not of NATS-TSS.

    The cell of a point is that of its arch.
    """
    arch = arch_of(arch)
    ops = re.findall(r"(\w+)~\d", arch)
    if len(ops) != len(EDGES) or not set(ops) <= set(OP_COLORS) or _ARCH.format(*ops) != arch:
        return None
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(NODES)))
    for (source, target), op in zip(EDGES, ops, strict=True):
        graph.add_edge(source, target, op=op)
    return graph


def cell_text(arch: str) -> str:
    """Returns a drawing of the cell in box-drawing characters, 76 columns wide; `none` edges are dotted.

    An arch of any other space is returned as it is.
    """
    graph = cell_graph(arch)
    if graph is None:
        return arch
    grid = [[" "] * (_BOX_LEFTS[-1] + _BOX_WIDTHS[-1]) for _ in range(_ROWS)]
    for node in graph:
        _put_box(grid, node)
    edges: list[tuple[int, int, str]] = list(graph.edges(data="op"))
    for source, target, op in edges:
        if target == source + 1:
            line = f"{f' {op} ':┄^{_GAP}}" if op == "none" else f"{f' {op} ':─^{_GAP - 1}}▶"
            _put(grid, _BOX_ROW + 1, _BOX_LEFTS[target] - _GAP, line)
            if op != "none":
                _put(grid, _BOX_ROW + 1, _BOX_LEFTS[target] - _GAP - 1, "├")
    _put_arc(grid, 0, _BOX_ROW, 2, _CENTERS[3], graph[0][3]["op"])
    _put_arc(grid, 1, _BOX_ROW, 5, _CENTERS[2], graph[0][2]["op"])
    _put_arc(grid, _ROWS - 1, _BOX_ROW + 2, _CENTERS[1], _CENTERS[3], graph[1][3]["op"])
    return "\n".join("".join(row).rstrip() for row in grid)


def _put(grid: list[list[str]], row: int, column: int, text: str) -> None:
    grid[row][column : column + len(text)] = text


def _put_box(grid: list[list[str]], node: int) -> None:
    left, inner = _BOX_LEFTS[node], _BOX_WIDTHS[node] - 2
    _put(grid, _BOX_ROW, left, f"┌{'─' * inner}┐")
    _put(grid, _BOX_ROW + 1, left, f"│{NODES[node]:^{inner}}│")
    _put(grid, _BOX_ROW + 2, left, f"└{'─' * inner}┘")


def _put_arc(grid: list[list[str]], row: int, border: int, start: int, end: int, op: str) -> None:
    """Draws an edge that runs along `row` and meets two boxes at their `border` row."""
    above, dotted = row < border, op == "none"
    line, post = ("┄", "┊") if dotted else ("─", "│")
    corners = "╭╮" if above else "╰╯"
    _put(grid, row, start, corners[0] + f"{f' {op} ':{line}^{end - start - 1}}" + corners[1])
    between = range(row + 1, border) if above else range(border + 1, row)
    for r in between:
        grid[r][start] = grid[r][end] = post
    if not dotted:
        grid[between[-1] if above else between[0]][end] = "▼" if above else "▲"
        grid[border][start] = "┴" if above else "┬"


_POSITIONS = ((0.0, 0.0), (2.0, 0.0), (4.0, 0.0), (6.0, 0.0))
_BENDS = {(0, 2): -0.32, (0, 3): -0.54, (1, 3): 0.36}  # the others are straight; no two edges meet
_LABELS = ("input", "1", "2", "output")


def has_cell(arch: str) -> bool:
    """Returns whether a picture of `arch` shows a cell, and not its text."""
    return cell_graph(arch) is not None


def draw_cell(arch: str, path: Path, *, index: int | None = None) -> None:
    """Writes a picture of the cell to `path`; an arch of any other space is drawn as its text.

    Args:
        arch: canonical string.
        path: a file name that ends in a format of matplotlib, such as `.png`.
        index: position of the arch in its space, for the title.
    """
    draw(path, lambda: _cell_figure(arch, index))


def _cell_figure(arch: str, index: int | None) -> Figure:
    parts = [arch_of(arch), arch.removeprefix(arch_of(arch))]  # settings on lines of their own
    lines = [line for part in parts for line in textwrap.wrap(part, 104)]
    title = "\n".join([*([] if index is None else [f"arch {index}"]), *lines])
    graph = cell_graph(arch)
    if graph is None:
        figure = new_figure((7.2, 0.8 + 0.2 * title.count("\n")))
        figure.text(
            0.5, 0.5, title, ha="center", va="center", family="monospace", fontsize=7.5, linespacing=1.5
        )
    else:
        figure = new_figure((7.2, 3.3))
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.86))
        axes.set(xlim=(-0.6, 6.6), ylim=(-1.05, 1.85), aspect="equal")
        axes.set_axis_off()
        edges: list[tuple[int, int, str]] = list(graph.edges(data="op"))
        for source, target, op in edges:
            _draw_edge(axes, source, target, op)
        for node in graph:
            _draw_node(axes, node)
        figure.text(
            0.5, 0.97, title, ha="center", va="top", family="monospace", fontsize=7.5, linespacing=1.5
        )
    return figure


def _draw_node(axes: Axes, node: int) -> None:
    x, y = _POSITIONS[node]
    axes.plot(x, y, "o", markersize=42, color="white", mec="#222222", mew=1.4, zorder=3)
    axes.text(x, y, _LABELS[node], ha="center", va="center", fontsize=10, zorder=4)


def _draw_edge(axes: Axes, source: int, target: int, op: str) -> None:
    (x0, y0), (x1, y1) = _POSITIONS[source], _POSITIONS[target]
    bend, dotted = _BENDS.get((source, target), 0.0), op == "none"
    arrow = FancyArrowPatch(
        (x0, y0),
        (x1, y1),
        arrowstyle="-" if dotted else "-|>",
        connectionstyle=f"arc3,rad={bend}",
        linestyle=":" if dotted else "-",
        linewidth=1.2 if dotted else 2.2,
        mutation_scale=16,
        shrinkA=21,
        shrinkB=22,
        color=OP_COLORS[op],
        zorder=1,
    )
    axes.add_patch(arrow)
    # The middle of the quadratic Bezier curve that arc3 draws.
    x, y = (x0 + x1) / 2 + bend * (y1 - y0) / 2, (y0 + y1) / 2 - bend * (x1 - x0) / 2
    box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none"}
    color = "#777777" if dotted else "#222222"
    axes.text(x, y, op, ha="center", va="center", fontsize=8.5, color=color, bbox=box, zorder=2)
