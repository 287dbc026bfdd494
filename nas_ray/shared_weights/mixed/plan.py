"""What has to be computed in a cell of which some operations are not active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from nas_ray.spaces.edges import EdgeGraph

NONE = "none"

Mask = tuple[tuple[bool, ...], ...]
"""For each edge and operation whether it is meant."""


@dataclass(frozen=True)
class CellPlan:
    """The operations of a cell that have an effect on its output.

    Attributes:
        groups: for each node that is read, in their order, the edges on which each operation reads it.
        passing: whether all edges carry something beside their operations.
        reached: nodes that are not zero.
    """

    groups: Mapping[int, Mapping[str, tuple[int, ...]]]
    passing: bool
    reached: frozenset[int]


@lru_cache(maxsize=4_096)
def plan(graph: EdgeGraph, active: Mask, outputs: tuple[int, ...], passing: bool, scalars: bool) -> CellPlan:
    """Returns what to compute.

    Args:
        graph: the cell.
        active: operations that count.
        outputs: nodes that are asked for.
        passing: every edge carries something beside its operations, such as an auxiliary skip connection.
        scalars: operations that are not active still add a number, so that no node is zero.
    """
    live = [
        [op for op, counts in zip(graph.ops, row, strict=True) if counts and op != NONE] for row in active
    ]
    carries = [bool(ops) or passing for ops in live]
    reached = set(range(graph.inputs))
    for node in graph.nodes:
        if scalars or any(carries[edge] and graph.edges[edge][0] in reached for edge in graph.incoming(node)):
            reached.add(node)
    wanted = set(outputs)
    for node in reversed(graph.nodes):
        if node in wanted:
            wanted |= {graph.edges[edge][0] for edge in graph.incoming(node) if carries[edge]}
    groups: dict[int, dict[str, list[int]]] = {}
    for edge, (source, target) in enumerate(graph.edges):
        if source in reached and target in wanted and carries[edge]:
            own = groups.setdefault(source, {})
            for op in live[edge]:
                own.setdefault(op, []).append(edge)
    frozen = {
        source: {op: tuple(edges) for op, edges in own.items()} for source, own in sorted(groups.items())
    }
    return CellPlan(frozen, passing, frozenset(reached & wanted))
