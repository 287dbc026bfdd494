"""Which archs of a batch go through which operation of a weight-shared cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nas_ray.shared_weights.mixture import Mixture, weights_of
from nas_ray.spaces.nats_tss import EDGES


@dataclass(frozen=True)
class Group:
    """The archs of a batch that have the same live operation on one edge.

    Attributes:
        edge: number of the edge.
        source: node it comes from.
        target: node it goes to.
        op: the operation.
        size: archs of the batch, A.
        index: positions of the archs in the batch `[n]`, or None for all.
        span: the same as a slice, if the positions follow each other.
        weight: what the output is multiplied by in each `[n]`, float64, or None for 1.
    """

    edge: int
    source: int
    target: int
    op: str
    size: int
    index: Tensor | None
    span: slice | None
    weight: Tensor | None = None

    def weighted(self, values: Tensor) -> Tensor:
        """Returns `values [n, ...]` of the archs of this group, each times its weight."""
        if self.weight is None:
            return values
        return values * self.weight.to(values).view(-1, *[1] * (values.dim() - 1))

    def take(self, rows: Tensor) -> Tensor:
        """Returns the archs of this group out of `rows [A, ...]`, as a view if they follow each other."""
        if self.index is None:
            return rows
        return rows.index_select(0, self.index) if self.span is None else rows[self.span]

    def add(self, rows: Tensor | None, values: Tensor) -> Tensor:
        """Returns `rows [A, ...]`, None for zeros, with `values [n, ...]` added to the archs of this group.

        Where no gradients are recorded it works in place on `rows`, but never on `values`.
        """
        if self.index is None:
            return values.clone() if rows is None else rows + values
        if rows is None:
            rows = values.new_zeros(self.size, *values.shape[1:])
        if torch.is_grad_enabled() and (rows.requires_grad or values.requires_grad):
            return rows.index_add(0, self.index, values)
        if self.span is None:
            return rows.index_add_(0, self.index, values)
        rows[self.span] += values
        return rows


class Routes:
    """The groups of a batch of archs.

    Args:
        archs: the archs, each with one or several operations on an edge.
        device: where tensors are.
    """

    def __init__(self, archs: Sequence[Mixture], device: torch.device | str = "cpu") -> None:
        self.size = len(archs)
        members: dict[tuple[int, str], list[int]] = {}
        for position, arch in enumerate(archs):
            for step in arch.plan().steps:
                members.setdefault((step.edge, step.op), []).append(position)
        self.groups = []
        ordered = sorted(members.items())
        places = torch.tensor([place for _, own in ordered for place in own], dtype=torch.int64)
        there = places.to(device, non_blocking=True)  # all at once, and a GPU is not waited for
        indices = torch.split(there, [len(own) for _, own in ordered])
        for ((edge, op), own), of_group in zip(ordered, indices, strict=True):
            index = None if len(own) == self.size else of_group
            together = own[-1] - own[0] + 1 == len(own)
            span = slice(own[0], own[-1] + 1) if together else None
            weight = weights_of([archs[place] for place in own], edge, op)
            weight = None if weight is None else weight.to(device)
            self.groups.append(Group(edge, *EDGES[edge], op, self.size, index, span, weight))

    def into(self, node: int) -> Iterator[Group]:
        """Yields the groups of the edges into `node`."""
        return (group for group in self.groups if group.target == node)

    def out_of(self, node: int) -> Iterator[Group]:
        """Yields the groups of the edges out of `node`."""
        return (group for group in self.groups if group.source == node)
