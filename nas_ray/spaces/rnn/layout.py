"""Where the nodes of a recurrent cell stand while it is computed fused, and the parts of what they keep."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nas_ray.spaces.rnn.cells import ACTIVATIONS, RecurrentCell


@dataclass(frozen=True)
class Group:
    """Nodes that read one node; they stand side by side among the states, sorted by their activations.

    Attributes:
        source: place of the node that is read.
        first: place of the first of them.
        members: their numbers among the weights.
        runs: `(activation, from, to)` of the nodes of the group, from 0.
    """

    source: int
    first: int
    members: tuple[int, ...]
    runs: tuple[tuple[str, int, int], ...]

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.members)


@dataclass(frozen=True)
class Layout:
    """Where the nodes of a cell stand.

    Attributes:
        groups: in an order in which each node is made before it is read.
        averaged: places whose mean is the output.
        size: how many places there are.
    """

    groups: tuple[Group, ...]
    averaged: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, cell: RecurrentCell) -> Layout:
        """Returns the layout of a cell."""
        place, groups = {0: 0}, []
        for source in range(len(cell.nodes) + 1):
            nodes = [number for number, (_, own) in enumerate(cell.nodes, 1) if own == source]
            nodes.sort(key=lambda number: ACTIVATIONS.index(cell.nodes[number - 1][0]))
            if not nodes:
                continue
            first = len(place)
            place.update(zip(nodes, range(first, first + len(nodes)), strict=True))
            ops = [cell.nodes[number - 1][0] for number in nodes]
            runs = tuple((op, ops.index(op), ops.index(op) + ops.count(op)) for op in dict.fromkeys(ops))
            groups.append(Group(place[source], first, tuple(number - 1 for number in nodes), runs))
        return cls(tuple(groups), tuple(sorted(place[node] for node in cell.outputs)), len(place))

    @property
    def averages_all(self) -> bool:
        """Whether the output is the mean of all nodes but the one that reads the input."""
        return self.averaged == tuple(range(1, self.size))


FIRST = (("tanh", 0, 1),)
"""The activation of node 0."""


def joined(group: Group, weights: tuple[Tensor, ...], width: int) -> Tensor:
    """Returns the weights of a group as one matrix `[2 n H, H]`: of all gates, and then of all candidates."""
    if group.size == 1:
        return weights[group.members[0]]
    own = [weights[member] for member in group.members]
    return torch.cat([*(one[:width] for one in own), *(one[width:] for one in own)])


def halves(both: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns gates and candidates `[n, B, H]` of `[B, 2 n H]`; `[B, H]` where n is 1."""
    one, other = both.chunk(2, 1)
    if count == 1:
        return one, other
    shape = len(both), count, -1
    return one.view(shape).transpose(0, 1), other.view(shape).transpose(0, 1)
