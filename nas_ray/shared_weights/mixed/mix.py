"""How much each operation of each edge counts in a trainable supernet: all that a method says to the net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.spaces.edges import EdgeGraph, EdgeSpace


@dataclass(frozen=True)
class Mix:
    """The weights of operations and edges; of each there is one tensor per graph of the space.

    Args:
        weights: `[E, O]`: what the output of an operation is multiplied by; gradients flow. `[N, E, O]` says
            it for each of the N cells of a graph by itself.
        active: bool `[E, O]` on the CPU: what is computed at all; None for everything. What is not active
            counts zero, has no gradient, and costs nothing.
        edges: `[E]`: what the sum of an edge is multiplied by (PC-DARTS); None for 1.
        skip: weight of an auxiliary skip connection beside every edge (DARTS-).
        drop_skip: rate of the dropout behind skip connections that keep the size, in training mode (P-DARTS).
        inactive_as_scalar: the weights of operations that are not active are added to the sum of the edge as
            numbers, so that they have a gradient; their value should be zero (GDAS on NATS-TSS, as released).
    """

    weights: tuple[Tensor, ...]
    active: tuple[Tensor, ...] | None = None
    edges: tuple[Tensor, ...] | None = None
    skip: float | Tensor = 0.0
    drop_skip: float = 0.0
    inactive_as_scalar: bool = False


def check_mix(mix: Mix, graphs: Sequence[EdgeGraph], cells: Sequence[int]) -> None:
    """Checks that a mix says something of each operation of each graph.

    Args:
        mix: what is checked.
        graphs: the graphs of a space.
        cells: how many cells of each graph a net has.

    Raises:
        UsageError: other numbers of tensors, other shapes, or a mask that is no mask on the CPU.
    """
    for what, tensors in (("weights", mix.weights), ("active", mix.active), ("edges", mix.edges)):
        if tensors is None:
            continue
        if len(tensors) != len(graphs):
            raise UsageError(
                f"A mix needs {what} for each of {len(graphs)} graphs, which are "
                f"{', '.join(graph.name for graph in graphs)}; got {len(tensors)}."
            )
        for graph, number, tensor in zip(graphs, cells, tensors, strict=True):
            shapes: list[tuple[int, ...]] = [graph.shape[:1] if what == "edges" else graph.shape]
            shapes += [(number, *graph.shape)] if what == "weights" else []
            if tuple(tensor.shape) not in shapes:
                raise UsageError(
                    f"The {what} of a mix for the graph {graph.name} must have the shape "
                    f"{' or '.join(map(str, map(list, shapes)))}, got {list(tensor.shape)}."
                )
            if what == "active" and (tensor.dtype != torch.bool or tensor.device.type != "cpu"):
                raise UsageError(
                    f"The operations that are active must be said by a bool tensor on the CPU, got one of "
                    f"{tensor.dtype} on {tensor.device}."
                )


def one_hot(space: EdgeSpace, arch: str, dtype: torch.dtype | None = None) -> Mix:
    """Returns the mix that computes `arch` and nothing else, without gradients.

    Raises:
        UsageError: not an arch of the space.
    """
    chosen = tuple(
        marked(graph, tuple((edge, graph.ops.index(op)) for edge, op in of_cell.items()))
        for graph, of_cell in zip(space.graphs(), space.to_edges(arch), strict=True)
    )
    return Mix(tuple(mask.to(dtype or torch.get_default_dtype()) for mask in chosen), chosen)


def marked(graph: EdgeGraph, places: Sequence[tuple[int, int]]) -> Tensor:
    """Returns bool `[E, O]` that is true at these `(edge, operation)`."""
    mask = torch.zeros(graph.shape, dtype=torch.bool)
    for place in places:
        mask[place] = True
    return mask
