"""Archs as chosen operations on the edges of graphs; asked by one-shot methods, which choose all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nas_ray.spaces.base import SearchSpace

Chosen = Mapping[int, str]
"""Of one graph: the place of an edge in `EdgeGraph.edges`, and its operation; other edges are not there."""


@dataclass(frozen=True)
class EdgeGraph:
    """All edges that a cell may have, and the operations that each may take.

    Nodes are numbered from 0, inputs first; each edge goes from a smaller to a larger number.

    Args:
        name: what it is called where a space has several, such as `normal` and `reduce`.
        ops: operations of an edge, in the space's order; those named `none` give nothing.
        edges: `(source, target)`, in the space's order.
        inputs: nodes that are given to the cell; no edge ends there.
        kept: how many incoming edges of a node an arch has; None for all of them.
        allowed: for each edge the operations that it may take, where edges differ; None for all of `ops`.
    """

    name: str
    ops: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    inputs: int = 1
    kept: int | None = None
    allowed: tuple[tuple[str, ...], ...] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Edges and operations: the shape of everything that is said of each operation of each edge."""
        return len(self.edges), len(self.ops)

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that are computed, in their order."""
        return tuple(sorted({target for _, target in self.edges}))

    def options(self, edge: int) -> tuple[str, ...]:
        """Returns the operations that the edge at this place may take, in the order of `ops`."""
        return self.ops if self.allowed is None else self.allowed[edge]

    @property
    def mask(self) -> tuple[tuple[bool, ...], ...]:
        """Whether each operation of each edge may be taken, in this `shape`."""
        return tuple(tuple(op in self.options(edge) for op in self.ops) for edge in range(len(self.edges)))

    def incoming(self, node: int) -> tuple[int, ...]:
        """Returns the places of the edges that end in `node`."""
        return tuple(place for place, (_, target) in enumerate(self.edges) if target == node)


@runtime_checkable
class EdgeSpace(SearchSpace, Protocol):
    """A space whose archs are operations on the edges of one or more cells; asked by one-shot methods."""

    def graphs(self) -> tuple[EdgeGraph, ...]:
        """Returns the cells, in a fixed order."""

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        """Returns the arch with these operations, one mapping for each graph.

        Raises:
            UsageError: they make no arch of the space.
        """

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        """Returns the operations of `arch`, so that `from_edges(to_edges(arch)) == arch`.

        Raises:
            UsageError: not an arch of the space.
        """
