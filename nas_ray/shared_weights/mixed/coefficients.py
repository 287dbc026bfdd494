"""A mix as the cells of a net use it: what each operation counts on each edge, and what is left out."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.shared_weights.mixed.plan import CellPlan, Mask, plan
from nas_ray.spaces.edges import EdgeGraph


class Coefficients:
    """What one cell, or all cells of a graph, are told by a mix.

    Args:
        graph: the cell.
        weights: `[E, O]`, of operations.
        mix: where everything else is read.
        number: that of the graph in the mix.
        outputs: nodes that are asked for.
        bypass: whether some channels pass by the operations.

    Attributes:
        plan: what to compute.
        drop_skip: rate of the dropout behind skip connections.
    """

    def __init__(
        self,
        graph: EdgeGraph,
        weights: Tensor,
        mix: Mix,
        number: int,
        outputs: tuple[int, ...],
        bypass: bool = False,
    ) -> None:
        self.graph = graph
        self.edges = None if mix.edges is None else mix.edges[number]
        self.weights = weights if self.edges is None else weights * self.edges[:, None]
        self.drop_skip = mix.drop_skip
        self.has_skip = isinstance(mix.skip, Tensor) or mix.skip != 0
        self._skip = mix.skip
        self._active = active_of(
            graph, weights, self.edges, None if mix.active is None else mix.active[number]
        )
        self._scalars = mix.inactive_as_scalar and mix.active is not None
        self.plan: CellPlan = plan(graph, self._active, outputs, self.has_skip or bypass, self._scalars)
        self._channels: dict[tuple[tuple[int, ...], str, int], Tensor] = {}

    @cached_property
    def _rows(self) -> list[list[Tensor]]:
        return [list(row.unbind()) for row in self.weights.unbind()]

    @cached_property
    def of_edges(self) -> list[Tensor] | None:
        """What whole edges count; None where all count 1."""
        return None if self.edges is None else list(self.edges.unbind())

    @cached_property
    def of_skips(self) -> list[Tensor]:
        """What the auxiliary skip connection of each edge counts."""
        ones = self.weights.new_ones(len(self.graph.edges)) if self.edges is None else self.edges
        return list((ones * self._skip).unbind())

    @cached_property
    def scalars(self) -> dict[int, Tensor]:
        """For each node the sum of what operations that are not active count; empty where they count zero."""
        if not self._scalars:
            return {}
        rest = torch.tensor(self.graph.mask) & ~torch.tensor(self._active)
        of_edges = (self.weights * rest.to(self.weights.device, non_blocking=True)).sum(1).unbind()
        return {
            node: torch.stack([of_edges[edge] for edge in self.graph.incoming(node)]).sum()
            for node in self.graph.nodes
        }

    def of(self, edge: int, op: str) -> Tensor:
        """Returns what an operation counts, as a number."""
        return self._rows[edge][self.graph.ops.index(op)]

    def channels(self, edges: tuple[int, ...], op: str, width: int) -> Tensor:
        """Returns what an operation counts on these edges, `width` times for each: `[len(edges) * width]`."""
        key = edges, op, width
        if key not in self._channels:
            own = torch.stack([self.of(edge, op) for edge in edges])
            self._channels[key] = own.repeat_interleave(width)
        return self._channels[key]


def active_of(graph: EdgeGraph, weights: Tensor, edges: Tensor | None, active: Tensor | None) -> Mask:
    """Returns which operations count: those that an edge may take, are active, and have no weight of zero.

    Weights with a gradient, and those on a GPU, which would be waited for, are not looked at.
    """
    mask = torch.tensor(graph.mask)
    if active is not None:
        mask &= active
    for seen in (weights, None if edges is None else edges[:, None]):
        if seen is not None and not seen.requires_grad and seen.device.type == "cpu":
            mask &= seen != 0
    return tuple(map(tuple, mask.tolist()))
