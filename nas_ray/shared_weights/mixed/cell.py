"""The nodes of a cell in which every edge mixes its operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.reading import Reading
from nas_ray.shared_weights.mixed.sums import Total
from nas_ray.spaces.edges import EdgeGraph

Operation = Callable[[Tensor], Tensor]


class MixedCell(nn.Module):
    """Every operation on every edge of a cell; a space adds its operations and what goes in and out.

    Args:
        graph: the nodes and edges.
        channels: C, width of a node.
        partial: K, where C / K channels go through the operations, and the others pass by.

    Attributes:
        edges: for each edge its operations by name, but for those that `free` has.
    """

    edges: nn.ModuleList

    def __init__(self, graph: EdgeGraph, channels: int, partial: int) -> None:
        super().__init__()
        self.graph, self.channels, self.partial = graph, channels, partial
        self.width = channels // partial

    def free(self, source: int, op: str) -> Operation | None:
        """Returns an operation that all edges from a node share, since it has no weights; None for others."""
        return None

    def auxiliary(self, edge: int, x: Tensor) -> Tensor:
        """Returns the auxiliary skip connection beside an edge, of all channels of the node that it reads."""
        return x

    def bypass(self, edge: int, x: Tensor) -> Tensor:
        """Returns what passes by the operations of an edge, of all channels of the node that it reads."""
        return x

    def shape(self, inputs: Sequence[Tensor]) -> tuple[int, ...]:
        """Returns the shape of the nodes."""
        return tuple(inputs[0].shape)

    def nodes(self, inputs: Sequence[Tensor], how: Coefficients) -> dict[int, Tensor]:
        """Returns the inputs, and every node that is wanted and not zero, `[B, C, H, W]`."""
        values = dict(enumerate(inputs))
        sums = Sums(self, self.shape(inputs), how)
        for node in range(max(self.graph.nodes) + 1):
            if node >= self.graph.inputs:
                if node not in how.plan.reached:
                    continue
                values[node] = sums.finished(node, inputs[0])
            if node in how.plan.groups:
                x = values[node]
                sums.read(node, x if self.partial == 1 else x[:, : self.width])
                sums.carry(node, x)
        return values


class Sums:
    """What has come together at the nodes of a cell.

    Args:
        cell: the cell.
        shape: of its nodes.
        how: what everything counts.
    """

    def __init__(self, cell: MixedCell, shape: tuple[int, ...], how: Coefficients) -> None:
        self.cell, self.shape, self.how = cell, shape, how
        nodes = cell.graph.nodes
        self.mixed = {node: Total() for node in nodes}  # of operations, as wide as these
        self.passed = {node: Total() for node in nodes}  # by them, as wide as a node
        self.beside = self.mixed if cell.partial == 1 else {node: Total() for node in nodes}

    def read(self, source: int, x: Tensor) -> None:
        """Adds what operations make of a node, of which they are given the channels `x`."""
        cell = self.cell
        reading = Reading(x, cell.graph, self.mixed, self.how, cell.training)
        for op, edges in self.how.plan.groups[source].items():
            shared = cell.free(source, op)
            if shared is not None:
                reading.add_shared(op, edges, shared)
            else:
                reading.add(op, edges, [cell.edges[edge][op] for edge in edges])  # type: ignore[index]

    def carry(self, source: int, x: Tensor) -> None:
        """Adds what edges carry of a node beside their operations."""
        cell, how = self.cell, self.how
        for edge, (start, target) in enumerate(cell.graph.edges):
            if start != source:
                continue
            if cell.partial > 1:
                passing = cell.bypass(edge, x)
                if how.of_edges is None:
                    self.passed[target].add(passing, mine=False)
                else:
                    self.passed[target].add_scaled(passing, how.of_edges[edge])
            if how.has_skip:
                self.beside[target].add_scaled(cell.auxiliary(edge, x), how.of_skips[edge])

    def finished(self, node: int, like: Tensor) -> Tensor:
        """Returns a node to which everything was added."""
        total, width = self.mixed[node], self.cell.width
        if node in self.how.scalars:
            total.add_number(self.how.scalars[node])
        value = total.value(like, (self.shape[0], width, *self.shape[2:]))
        if self.cell.partial == 1:
            return value
        rest = self.passed[node].value(like, self.shape)[:, width:]
        value = shuffled(torch.cat([value, rest], 1), self.cell.partial)
        if self.how.has_skip:
            self.beside[node].add(value, mine=True)
            value = self.beside[node].value(like, self.shape)
        return value


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Returns `x [B, C, H, W]` with its channels dealt out: one of each of `groups` parts in turn."""
    batch, channels, height, width = x.shape
    parts = x.view(batch, groups, channels // groups, height, width)
    return parts.transpose(1, 2).reshape(x.shape).contiguous(memory_format=torch.channels_last)
