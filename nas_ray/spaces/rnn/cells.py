"""A recurrent cell of DARTS as data: its nodes, the node that each reads, and its string."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT
from nas_ray.spaces.darts_cells import LONGEST

NONE = "none"
OPS: tuple[str, ...] = (NONE, "tanh", "relu", "sigmoid", "identity")
"""What an edge may take while a cell is searched for, in the released order; no arch has `none`."""
ACTIVATIONS = OPS[1:]
"""What a node of an arch may do."""

_NODE = re.compile(r"([a-z]+)~([0-9]{1,6})")

Node = tuple[str, int]
"""An activation, and the number of the node that is read."""


@dataclass(frozen=True)
class RecurrentCell:
    """Nodes 1 to N of a cell, each with an activation and an earlier node that it reads; node 0 is the input.

    Node 0 is made of the embedded word and of the output h of the step before: with a sigmoid c and an
    activation f, `s_0 = h + c_0 * (tanh(.) - h)`, and `s_i = s_j + c_i * (f_i(.) - s_j)` with j what i reads.

    Attributes:
        nodes: `(activation, predecessor)` of node 1, 2, ...
        averaged: nodes whose mean is the output; None for all of `nodes`.
    """

    nodes: tuple[Node, ...]
    averaged: tuple[int, ...] | None = None

    @property
    def outputs(self) -> tuple[int, ...]:
        """The nodes whose mean is the output."""
        return tuple(range(1, len(self.nodes) + 1)) if self.averaged is None else self.averaged

    def written(self) -> str:
        """Returns `|tanh~0|relu~1|...|`."""
        return "".join(f"|{op}~{source}" for op, source in self.nodes) + "|"


def read_cell(arch: str, nodes: int) -> RecurrentCell:
    """Returns the cell that a string such as `|tanh~0|relu~1|...|` is.

    Raises:
        UsageError: it is none of so many nodes.
    """
    TEXT.check("An arch", arch)
    parts = arch[1:-1].split("|")
    read = [_NODE.fullmatch(part) for part in parts]
    found = [(one[1], int(one[2])) for one in read if one is not None]
    well = len(arch) > 1 and arch[0] == arch[-1] == "|" and len(found) == len(parts) == nodes
    cell = RecurrentCell(tuple(found))
    if not well or cell.written() != arch:
        raise UsageError(
            f"An arch of darts-rnn is {nodes} nodes such as |tanh~0|relu~1|...|, each an activation and the "
            f"number of an earlier node, got {arch[:LONGEST]!r}."
        )
    return checked(cell, nodes)


def checked(cell: RecurrentCell, nodes: int) -> RecurrentCell:
    """Returns `cell`, known to be one of the space.

    Raises:
        UsageError: it has other activations, or reads nodes that come later.
    """
    if len(cell.nodes) != nodes:
        raise UsageError(f"A cell of darts-rnn has {nodes} nodes, got {len(cell.nodes)}.")
    for number, (op, source) in enumerate(cell.nodes, 1):
        if op not in ACTIVATIONS:
            raise UsageError(
                f"A node of darts-rnn must have one of {', '.join(ACTIVATIONS)}, got {op} at node {number}."
            )
        if not 0 <= source < number:
            raise UsageError(f"Node {number} of darts-rnn must read a node before it, got {source}.")
    return cell


def short(nodes: Sequence[Node]) -> str:
    """Returns how often each activation stands in a cell, and how deep it is, for people."""
    depth = [0]
    for _, source in nodes:
        depth.append(depth[source] + 1)
    counts = {op: sum(own == op for own, _ in nodes) for op in ACTIVATIONS}
    listed = " ".join(f"{count} {op}" for op, count in counts.items() if count)
    return f"{listed}, depth {max(depth)}"
