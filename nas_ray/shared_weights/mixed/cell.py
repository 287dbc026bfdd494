"""The nodes of a cell in which every edge mixes its operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.sums import Total
from nas_ray.spaces.edges import EdgeGraph


class MixedCell(nn.Module, ABC):
    """Every operation on every edge of a cell; what a space adds is how its operations read a node.

    Args:
        graph: the nodes and edges.
        channels: C, width of a node.
        partial: K, where C / K channels go through the operations, and the others pass by.
    """

    def __init__(self, graph: EdgeGraph, channels: int, partial: int) -> None:
        super().__init__()
        self.graph, self.channels, self.partial = graph, channels, partial
        self.width = channels // partial

    @abstractmethod
    def read(
        self,
        source: int,
        x: Tensor,
        ops: Mapping[str, tuple[int, ...]],
        totals: Mapping[int, Total],
        how: Coefficients,
    ) -> None:
        """Adds what edges make of the node `source` to the totals of the nodes where they end.

        Args:
            source: the node.
            x: its channels that go through operations.
            ops: for each operation the edges on which it reads the node.
            totals: by node.
            how: what each counts.
        """

    def auxiliary(self, edge: int, x: Tensor) -> Tensor:
        """Returns the auxiliary skip connection beside an edge, of all channels of the node that it reads."""
        return x

    def bypass(self, edge: int, x: Tensor) -> Tensor:
        """Returns what passes by the operations of an edge, of all channels of the node that it reads."""
        return x

    def size(self, inputs: Sequence[Tensor]) -> torch.Size:
        """Returns the shape of the nodes."""
        return inputs[0].shape

    def nodes(self, inputs: Sequence[Tensor], how: Coefficients) -> dict[int, Tensor]:
        """Returns the inputs, and every node that is wanted and not zero, `[B, C, H, W]`."""
        values = dict(enumerate(inputs))
        mixed = {node: Total() for node in self.graph.nodes}
        passed = {node: Total() for node in self.graph.nodes}
        skipped = mixed if self.partial == 1 else {node: Total() for node in self.graph.nodes}
        for node in range(max(self.graph.nodes) + 1):
            if node in mixed:
                if node not in how.plan.reached:
                    continue
                values[node] = self._finished(node, inputs, mixed, passed, skipped, how)
            if node in how.plan.groups:
                self.read(node, values[node][:, : self.width], how.plan.groups[node], mixed, how)
                self._pass(node, values[node], passed, skipped, how)
        return values

    def _pass(
        self,
        source: int,
        x: Tensor,
        passed: Mapping[int, Total],
        skipped: Mapping[int, Total],
        how: Coefficients,
    ) -> None:
        """Adds what edges carry beside their operations."""
        for edge, (start, target) in enumerate(self.graph.edges):
            if start != source:
                continue
            if self.partial > 1:
                beside = self.bypass(edge, x)
                if how.of_edges is None:
                    passed[target].add(beside, mine=False)
                else:
                    passed[target].add_scaled(beside, how.of_edges[edge])
            if how.has_skip:
                skipped[target].add_scaled(self.auxiliary(edge, x), how.of_skips[edge])

    def _finished(
        self,
        node: int,
        inputs: Sequence[Tensor],
        mixed: Mapping[int, Total],
        passed: Mapping[int, Total],
        skipped: Mapping[int, Total],
        how: Coefficients,
    ) -> Tensor:
        """Returns the node whose totals are complete."""
        shape = self.size(inputs)
        total, like = mixed[node], inputs[0]
        if node in how.scalars:
            total.add_number(how.scalars[node])
        narrow = (shape[0], self.width, *shape[2:])
        if self.partial == 1:
            return total.value(like, narrow)
        rest = passed[node].value(like, shape)[:, self.width :]
        value = shuffled(torch.cat([total.value(like, narrow), rest], 1), self.partial)
        if how.has_skip:
            skipped[node].add(value, mine=True)
            value = skipped[node].value(like, shape)
        return value


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Returns `x [B, C, H, W]` with its channels dealt out: one of each of `groups` parts in turn."""
    batch, channels, height, width = x.shape
    parts = x.view(batch, groups, channels // groups, height, width)
    return parts.transpose(1, 2).reshape(x.shape).contiguous(memory_format=torch.channels_last)
