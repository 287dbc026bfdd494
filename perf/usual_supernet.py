"""The usual form of a supernet: a module for each operation of each edge, and a product of each map."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed import MixedNet
from nas_ray.shared_weights.mixed.cell import MixedCell
from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.darts import BATCH_NORM, DartsMixedCell
from nas_ray.spaces import darts_ops, ops


def usual_form(net: MixedNet, channels_last: bool) -> MixedNet:
    """Returns a copy of `net`, with equal weights, that computes every operation of every edge by itself.

    Args:
        net: a supernet without partial channels.
        channels_last: order of maps in memory; False is that of most released code.
    """
    copied = copy.deepcopy(net)
    for cell in copied.body:
        if isinstance(cell, MixedCell):
            edges = [
                [operation(cell, edge, op) for op in cell.graph.options(edge)]
                for edge in range(len(cell.graph.edges))
            ]
            cell.nodes = partial(nodes, cell, edges)  # type: ignore[method-assign]
    if not channels_last:
        copied.to(memory_format=torch.contiguous_format)
        copied.stem.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(),))
    return copied


def operation(cell: MixedCell, edge: int, op: str) -> nn.Module:
    """Returns the module of an operation, with the weights of `cell` where it has some."""
    own: nn.ModuleDict = cell.edges[edge]  # type: ignore[assignment]
    if op in own:
        return own[op]
    if isinstance(cell, DartsMixedCell):
        stride = cell.stride(cell.graph.edges[edge][0])
        return darts_ops.make_op(op, cell.width, stride, BATCH_NORM, norm_pools=True)
    return ops.make_op(op, cell.width)


def nodes(
    cell: MixedCell, edges: Sequence[Sequence[nn.Module]], inputs: Sequence[Tensor], how: Coefficients
) -> dict[int, Tensor]:
    """Returns the nodes of a cell as sums of products."""
    values = dict(enumerate(inputs))
    for node in cell.graph.nodes:
        values[node] = sum(
            sum(
                weight * op(values[source]) for op, weight in zip(edges[edge], how.weights[edge], strict=True)
            )
            for edge, (source, target) in enumerate(cell.graph.edges)
            if target == node
        )
    return values
