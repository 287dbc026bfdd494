"""Where the nodes of a recurrent cell stand while it is computed fused, and the parts of what they keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from nas_ray.spaces.rnn.cells import ACTIVATIONS, RecurrentCell


@dataclass(frozen=True)
class Group:
    """Nodes that read one node; they stand side by side among the states, sorted by their activations.

    Attributes:
        source: place of the node that is read; None for the state before the step, which node 0 reads.
        first: place of the first of them.
        members: their numbers.
        runs: `(activation, from, to)` of the nodes of the group, from 0.
    """

    source: int | None
    first: int
    members: tuple[int, ...]
    runs: tuple[tuple[str, int, int], ...]

    @cached_property
    def size(self) -> int:
        """How many they are."""
        return len(self.members)

    @cached_property
    def places(self) -> slice:
        """Where they stand."""
        return slice(self.first, self.first + self.size)


@dataclass(frozen=True)
class Layout:
    """Where the nodes of a cell stand.

    Attributes:
        groups: in an order in which each node is made before it is read; node 0 first.
        averaged: places whose mean is the output.
        size: how many places there are.
    """

    groups: tuple[Group, ...]
    averaged: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, cell: RecurrentCell) -> Layout:
        """Returns the layout of a cell."""
        place, groups = {0: 0}, [Group(None, 0, (0,), (("tanh", 0, 1),))]
        for source in range(len(cell.nodes) + 1):
            nodes = [number for number, (_, own) in enumerate(cell.nodes, 1) if own == source]
            nodes.sort(key=lambda number: ACTIVATIONS.index(cell.nodes[number - 1][0]))
            if not nodes:
                continue
            first = len(place)
            place.update(zip(nodes, range(first, first + len(nodes)), strict=True))
            ops = [cell.nodes[number - 1][0] for number in nodes]
            runs = tuple((op, ops.index(op), ops.index(op) + ops.count(op)) for op in dict.fromkeys(ops))
            groups.append(Group(place[source], first, tuple(nodes), runs))
        return cls(tuple(groups), tuple(sorted(place[node] for node in cell.outputs)), len(place))

    @cached_property
    def averages_all(self) -> bool:
        """Whether the output is the mean of all nodes but the one that reads the input."""
        return self.averaged == tuple(range(1, self.size))


class Seat(NamedTuple):
    """Where a group stands among the states of a step, or among the gradients of them.

    Attributes:
        source: the node that is read, `[B, H]`; None for the state before the step.
        nodes: its own, `[n, B, H]`.
    """

    source: Tensor | None
    nodes: Tensor

    def read(self, before: Tensor) -> Tensor:
        """Returns the node that is read, or the state `before` the step."""
        return before if self.source is None else self.source


def seats(layout: Layout, states: Tensor) -> list[Seat]:
    """Returns the seat of each group, as views of `states [N, B, H]`."""
    sources = [None if group.source is None else states[group.source] for group in layout.groups]
    return [Seat(one, states[group.places]) for one, group in zip(sources, layout.groups, strict=True)]


class Halves(NamedTuple):
    """What a product gives for a group.

    Attributes:
        gates, candidates: of its nodes, `[n, B, H]`.
        runs: the candidates of each activation.
    """

    gates: Tensor
    candidates: Tensor
    runs: list[Tensor]

    @classmethod
    def of(cls, group: Group, both: Tensor) -> Halves:
        """Returns the views of `both [B, 2 n H]`."""
        gates, candidates = both.view(both.shape[0], 2, group.size, -1).movedim(0, 2).unbind()
        one = len(group.runs) == 1
        runs = [candidates] if one else [candidates[low:high] for _, low, high in group.runs]
        return cls(gates, candidates, runs)


def joined(group: Group, weights: Sequence[Tensor], width: int) -> Tensor:
    """Returns the weights of a group as one matrix `[2 n H, H]`: of all gates, and then of all candidates."""
    own = [weights[member] for member in group.members]
    if group.size == 1:
        return own[0]
    return torch.cat([*(one[:width] for one in own), *(one[width:] for one in own)])


def chosen(layout: Layout, places: Tensor) -> Tensor:
    """Returns the nodes `[n, B, H]` whose mean is the output; as a view, where that is possible."""
    return places[1:] if layout.averages_all else places[list(layout.averaged)]
