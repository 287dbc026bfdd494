"""Cells with two operations for each node, as DARTS and NASNet have them, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT

LONGEST = 300
"""Characters of a wrong arch that a message repeats."""

INPUTS = 2
"""Nodes 0 and 1 of a cell: what the last cell but one gave, and what the last one gave."""

JOINED = "concat"
"""Stands behind the edges of a node that puts them behind each other and does not add them."""

Edge = tuple[int, str]
"""The node that an edge comes from, and its operation."""


@dataclass(frozen=True)
class CellPlan:
    """A cell: nodes that each add two operations on earlier nodes, and what its output is made of.

    Args:
        nodes: the two edges of node 2, of node 3 and so on, those from smaller nodes first.
        concat: nodes whose maps are put behind each other as the output; None for all but the inputs.
        joined: nodes that put the maps of their two operations behind each other and do not add them; none
            in DARTS.
    """

    nodes: tuple[tuple[Edge, Edge], ...]
    concat: tuple[int, ...] | None = None
    joined: tuple[int, ...] = ()

    @property
    def output(self) -> tuple[int, ...]:
        """The nodes whose maps are the output."""
        return self.concat or tuple(range(INPUTS, INPUTS + len(self.nodes)))

    @property
    def ops(self) -> tuple[str, ...]:
        """The operations, two for each node."""
        return tuple(op for edges in self.nodes for _, op in edges)

    def written(self) -> str:
        """Returns the cell as `|op~0|op~1|+|op~0|op~2|+...`: a group for each node, sources ascending."""
        groups = []
        for node, edges in enumerate(self.nodes, INPUTS):
            parts = [f"{op}~{source}" for source, op in edges] + [JOINED] * (node in self.joined)
            groups.append(f"|{'|'.join(parts)}|")
        return "+".join(groups)

    @classmethod
    def of(cls, edges: Sequence[tuple[str, int]], concat: Sequence[int] | None = None) -> CellPlan:
        """Returns the cell of a list as code prints it: `(operation, source)`, two for each node."""
        pairs = (edges[place : place + 2] for place in range(0, len(edges), 2))
        nodes = tuple(tuple(sorted((source, op) for op, source in pair)) for pair in pairs)
        return cls(nodes, None if concat is None else tuple(concat))  # type: ignore[arg-type]  # two each


@dataclass(frozen=True)
class Genotype:
    """The two cells of a net: one that keeps the resolution, and one that halves it.

    It is written `normal:CELL;reduce:CELL`.
    """

    normal: CellPlan
    reduce: CellPlan

    @property
    def cells(self) -> tuple[CellPlan, CellPlan]:
        """The normal and the reduction cell."""
        return self.normal, self.reduce

    def with_cell(self, place: int, plan: CellPlan) -> Genotype:
        """Returns these cells with another one at `place`, 0 for the normal one."""
        return Genotype(plan, self.reduce) if place == 0 else Genotype(self.normal, plan)

    def written(self) -> str:
        """Returns both cells in one string without blanks."""
        return cells_written(self.normal.written(), self.reduce.written())


def cells_written(normal: str, reduce: str) -> str:
    """Returns two written cells in one string."""
    return f"normal:{normal};reduce:{reduce}"


_EDGE = re.compile(r"([a-z0-9_]+)~([0-9]{1,6})")
_CELLS = re.compile(r"normal:(\|[^;]*);reduce:(\|[^;]*)")


def read_genotype(arch: str) -> Genotype:
    """Returns the cells that `arch` writes.

    Raises:
        UsageError: it is not the canonical string of two cells.
    """
    TEXT.check("An arch", arch)
    genotype = read_cells(arch)
    if genotype is not None and not any(cell.joined for cell in genotype.cells):
        return genotype
    raise UsageError(
        "An arch of darts reads normal:CELL;reduce:CELL with a CELL such as |op~0|op~1|+|op~0|op~2|, a group "
        "for each node and in it two operations with the nodes they come from, ascending; got "
        f"{arch[:LONGEST]!r}."
    )


def read_cells(arch: str, *, any_order: bool = False) -> Genotype | None:
    """Returns the cells that `arch` writes, as `read_cell` does; None where it writes none."""
    found = _CELLS.fullmatch(arch)
    read = [read_cell(text, any_order=any_order) for text in found.groups()] if found else []
    cells = [cell for cell in read if cell is not None]
    return Genotype(*cells) if len(cells) == 2 else None


def read_cell(text: str, *, any_order: bool = False) -> CellPlan | None:
    """Returns the cell that `text` writes; None where it writes none.

    Args:
        text: what may be a cell.
        any_order: whether the two edges of a node may stand in any order, or only in theirs.
    """
    nodes, joined = [], []
    for node, group in enumerate(text.split("+"), INPUTS):
        parts = group.strip("|").split("|")
        if len(parts) == 3 and parts.pop() == JOINED:
            joined.append(node)
        edges = [_EDGE.fullmatch(edge) for edge in parts]
        known = sorted((int(edge[2]), edge[1]) for edge in edges if edge is not None)
        if len(edges) != 2 or len(known) != 2 or known[-1][0] >= node:
            return None
        nodes.append((known[0], known[1]))
    plan = CellPlan(tuple(nodes), joined=tuple(joined))
    return plan if any_order or plan.written() == text else None
