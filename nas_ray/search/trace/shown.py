"""Graphs of nets on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Column

from nas_ray.errors import UsageError
from nas_ray.report.net_graph import most_frequent
from nas_ray.spaces.graphs.graph import LayerGraph
from nas_ray.terminal.console import Rows, put, say

MOST_SHOWN = 3
"""Nets that are shown each; of more there is a line each."""
MOST_VALUES = 8
"""Values of a property that are shown."""


def show(graphs: Mapping[str, LayerGraph], refused: Mapping[str, UsageError], console: Console) -> None:
    """Prints the graphs, and why nets have none."""
    if len(graphs) > MOST_SHOWN + 1:  # the last is that of all
        put(console, overview(graphs))
    else:
        for graph in graphs.values():
            put(console, transitions(graph))
            put(console, properties(graph))
    for name, error in refused.items():
        say(console, f"not traced: {name}: {error}")


def overview(graphs: Mapping[str, LayerGraph]) -> Rows:
    """Returns a table with a line for each graph."""
    right = [Column(head, justify="right") for head in ("layers", "kinds", "transitions")]
    table = Rows(Column("net"), *right, Column("kinds of layers, by calls"), box=None, header_style="bold")
    for name, graph in graphs.items():
        calls = {node: graph.calls(node) for node in graph.nodes}
        counts = (graph.layers, len(graph.nodes), len(list(graph.edges())))
        table.add_row(name, *map(str, counts), most_frequent(calls, 4))
    return table


def transitions(graph: LayerGraph) -> Rows:
    """Returns the edges of a graph as a table."""
    heads = (Column("from"), Column("to"), Column("count", justify="right"), Column("share", justify="right"))
    table = Rows(*heads, title=graph.name, title_justify="left", box=None, header_style="bold")
    before = None
    for node, target, count, share in graph.edges():
        table.add_row("" if node == before else node, target, str(count), f"{share:.1%}")
        before = node
    return table


def properties(graph: LayerGraph) -> Rows:
    """Returns the properties of a graph as a table."""
    heads = (Column("layer"), Column("calls", justify="right"), Column("property"), Column("values (calls)"))
    table = Rows(*heads, box=None, header_style="bold")
    for node, of_kind in graph.properties.items():
        first = (node, str(graph.calls(node)))
        for key, values in of_kind.items() or (("-", {}),):
            table.add_row(*first, key, most_frequent(values, MOST_VALUES))
            first = ("", "")
    return table
