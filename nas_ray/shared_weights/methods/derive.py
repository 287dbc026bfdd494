"""From strengths of operations and edges to an arch, by the published rule of the space."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from nas_ray.spaces.edges import Chosen, EdgeGraph

NONE, SKIP = "none", "skip_connect"

Rows = list[list[float]]


def strongest(
    graph: EdgeGraph, strengths: Tensor, edges: Tensor | None = None, most_skips: int | None = None
) -> Chosen:
    """Returns the operations that an arch has on the edges of `graph`.

    Where an arch has all edges, each has its strongest operation, and `none` is one as the others. Where it
    has some, those of a node are kept whose strongest operation but `none` is the strongest, and each has
    that operation. Of equal ones the first counts, in the order of the graph.

    Source: the published searches of Dong and Yang, "NAS-Bench-201", ICLR 2020, and of Liu et al., "DARTS",
    ICLR 2019, section 2.4. Strengths are those after the softmax, in which `none` takes part, so it lowers
    the others of its edge.
    Differs: NaN is weaker than every number.

    Args:
        graph: the cell.
        strengths: `[E, O]`, such as the softmax of architecture parameters.
        edges: `[E]`: strengths of edges, which multiply those of their operations (PC-DARTS).
        most_skips: skip connections that the cell may have at most; the weakest of more are taken out one by
            one, and what then is strongest comes in (P-DARTS).
    """
    rows = _rows(graph, strengths, edges)
    chosen = _choose(graph, rows)
    while most_skips is not None:
        skips = [edge for edge, op in chosen.items() if op == SKIP]
        if len(skips) <= most_skips or not _others(graph, rows, skips):
            break
        skip = graph.ops.index(SKIP)
        rows[min(skips, key=lambda edge: rows[edge][skip])][skip] = -math.inf
        chosen = _choose(graph, rows)
    return chosen


def skip_connections(chosen: Chosen) -> int:
    """Returns how many skip connections a cell has."""
    return sum(op == SKIP for op in chosen.values())


def _rows(graph: EdgeGraph, strengths: Tensor, edges: Tensor | None) -> Rows:
    """Returns the strengths as numbers, without those of operations that an arch cannot have."""
    values = strengths.detach().cpu().double()
    if edges is not None:
        values = values * edges.detach().cpu().double()[:, None]
    rows: Rows = values.nan_to_num(nan=-math.inf).tolist()
    for row, possible in zip(rows, _possible(graph), strict=True):
        row[:] = [value if may else -math.inf for value, may in zip(row, possible, strict=True)]
    return rows


def _possible(graph: EdgeGraph) -> list[list[bool]]:
    """Returns which operations an arch may have on each edge."""
    return [
        [may and (graph.kept is None or op != NONE) for op, may in zip(graph.ops, row, strict=True)]
        for row in graph.mask
    ]


def _choose(graph: EdgeGraph, rows: Rows) -> dict[int, str]:
    kept: list[int] = []
    for node in graph.nodes:
        incoming = graph.incoming(node)
        ordered = sorted(incoming, key=lambda edge: -max(rows[edge]))  # stable, so of equal ones the first
        kept += ordered[: len(incoming) if graph.kept is None else graph.kept]
    possible = _possible(graph)
    return {edge: graph.ops[_first_largest(rows[edge], possible[edge])] for edge in sorted(kept)}


def _first_largest(row: Sequence[float], possible: Sequence[bool]) -> int:
    """Returns the place of the largest number; of what is possible the first, if no number is left."""
    return possible.index(True) if max(row) == -math.inf else row.index(max(row))


def _others(graph: EdgeGraph, rows: Rows, skips: Sequence[int]) -> bool:
    """Returns whether some edge with a skip connection may have another operation instead."""
    skip = graph.ops.index(SKIP)
    return any(value > -math.inf for edge in skips for place, value in enumerate(rows[edge]) if place != skip)
