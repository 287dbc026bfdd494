"""Steps in the space of DARTS: the neighbours of an arch, and an arch as decisions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from nas_ray.spaces.darts_cells import INPUTS, CellPlan, Edge, Genotype

NODES = 4
"""Nodes of a cell beside its two inputs."""

EDGES: tuple[tuple[int, int], ...] = tuple(
    (source, node) for node in range(INPUTS, INPUTS + NODES) for source in range(node)
)
"""The 14 edges `(from node, to node)` of a cell in the released order: by target, then by source."""

PLACE: dict[tuple[int, int], int] = {edge: place for place, edge in enumerate(EDGES)}
"""The place of each edge in `EDGES`."""

KEPT = 2
"""Incoming edges of a node that an arch has."""

Options = tuple[tuple[str, ...], ...]
"""Of one cell: the operations that an arch may have on each of the 14 edges."""


def neighbors(genotype: Genotype, options: Sequence[Options]) -> list[Genotype]:
    """Returns the cells with another operation on one edge, or with one edge from another node.

    An edge that moves keeps its operation. Where edges may take different operations and the new one lacks
    it, it becomes any that the old one lacks, so that there is a way back.
    """
    near = []
    for cell, plan in enumerate(genotype.cells):
        for place, edges in enumerate(plan.nodes):
            for old, other in (edges, edges[::-1]):
                for new in _moves(options[cell], place + INPUTS, old, other[0]):
                    first, second = sorted((new, other))
                    nodes = (*plan.nodes[:place], (first, second), *plan.nodes[place + 1 :])
                    near.append(genotype.with_cell(cell, CellPlan(nodes)))
    return near


def _moves(options: Options, node: int, edge: Edge, taken: int) -> list[Edge]:
    """Returns what may stand in the place of an edge of a node whose other edge comes from node `taken`."""
    source, op = edge
    here = options[PLACE[source, node]]
    moves = [(source, other) for other in here if other != op]
    for new in range(node):
        if new not in (source, taken):
            there = options[PLACE[new, node]]
            fitting = [op] if op in there else [other for other in there if other not in here]
            moves += [(new, other) for other in fitting]
    return moves


@dataclass(frozen=True)
class _Slot:
    """The decisions of one node."""

    cell: int
    node: int
    pairs: tuple[tuple[int, int], ...]
    ops: tuple[str, ...]

    @property
    def choices(self) -> tuple[tuple[str, ...], ...]:
        """The pair of nodes it reads, where there is a choice, and two operations."""
        return (*((tuple(map(_text, self.pairs)),) if len(self.pairs) > 1 else ()), self.ops, self.ops)


class Decisions:
    """Archs as 22 decisions: for each node the pair of nodes that it reads, and two operations.

    The first node of a cell has no pair to choose. Where the edges of a node may take different operations,
    of which each has equally many, one is said by its place among those of its edge: `0`, `1`.

    Args:
        options: of both cells.
    """

    def __init__(self, options: Sequence[Options]) -> None:
        self._options = options
        self._slots = tuple(
            _Slot(cell, node, tuple(itertools.combinations(range(node), 2)), _ops(cell_options, node))
            for cell, cell_options in enumerate(options)
            for node in range(INPUTS, INPUTS + NODES)
        )
        self.choices = tuple(choice for slot in self._slots for choice in slot.choices)

    def of(self, genotype: Genotype) -> tuple[str, ...]:
        """Returns the decisions of two cells."""
        made: list[str] = []
        for slot in self._slots:
            edges = genotype.cells[slot.cell].nodes[slot.node - INPUTS]
            made += [_text(tuple(source for source, _ in edges))] if len(slot.pairs) > 1 else []
            made += [slot.ops[self._known(slot, source).index(op)] for source, op in edges]
        return tuple(made)

    def assemble(self, decisions: Sequence[str]) -> Genotype:
        """Returns the two cells of decisions, each of which is an option."""
        rest = iter(decisions)
        plans: tuple[list[tuple[Edge, Edge]], ...] = ([], [])
        for slot in self._slots:
            pairs = {_text(pair): pair for pair in slot.pairs}
            pair = pairs[next(rest)] if len(pairs) > 1 else slot.pairs[0]
            one, other = ((source, self._known(slot, source)[slot.ops.index(next(rest))]) for source in pair)
            plans[slot.cell].append((one, other))
        normal, reduce = (CellPlan(tuple(nodes)) for nodes in plans)
        return Genotype(normal, reduce)

    def _known(self, slot: _Slot, source: int) -> tuple[str, ...]:
        return self._options[slot.cell][PLACE[source, slot.node]]


def _ops(options: Options, node: int) -> tuple[str, ...]:
    """Returns how the operations of the edges into `node` are said."""
    edges = [options[PLACE[source, node]] for source in range(node)]
    alike = all(edge == edges[0] for edge in edges)
    return edges[0] if alike else tuple(map(str, range(len(edges[0]))))


def _text(pair: Sequence[int]) -> str:
    return "+".join(map(str, pair))
