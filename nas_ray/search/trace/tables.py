"""Graphs of nets as rows of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nas_ray.spaces.graphs.graph import LayerGraph


def transition_rows(graph: LayerGraph) -> Iterator[dict[str, Any]]:
    """Yields a row for every edge of a graph, the share of what leaves a node in percent."""
    for node, target, count, share in graph.edges():
        yield {"net": graph.name, "from": node, "to": target, "count": count, "share_percent": 100 * share}


def property_rows(graph: LayerGraph) -> Iterator[dict[str, Any]]:
    """Yields a row for every value of every property of a graph."""
    for node, of_kind in graph.properties.items():
        for key, values in of_kind.items():
            for value, count in values.items():
                yield {"net": graph.name, "layer": node, "property": key, "value": value, "count": count}
