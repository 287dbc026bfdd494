"""What the operations of several edges make of the node that all of them read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.depthwise import depthwise
from nas_ray.shared_weights.mixed.sums import Total, normed
from nas_ray.spaces.edges import EdgeGraph


class Reading:
    """One node as operations see it, and the totals of the nodes where their edges end.

    Args:
        x: the node `[B, C, H, W]`.
        graph: which edges there are.
        totals: by node.
        how: what each operation counts.
        training: whether there is dropout.
    """

    def __init__(
        self, x: Tensor, graph: EdgeGraph, totals: Mapping[int, Total], how: Coefficients, training: bool
    ) -> None:
        self.x, self.graph, self.totals, self.how, self.training = x, graph, totals, how, training

    @cached_property
    def active(self) -> Tensor:
        """The node behind the ReLU with which all convolutions begin."""
        return F.relu(self.x)

    def add(self, op: str, edges: tuple[int, ...], modules: Sequence[nn.Module]) -> None:
        """Adds one operation of several edges, whose weights are those of `modules`."""
        chains = [convolutions(module) for module in modules]
        if chains[0]:
            self._add_convolutions(op, edges, chains)
            return
        for edge, module in zip(edges, modules, strict=True):
            own = self._dropped() if isinstance(module, nn.Identity) else module(self.x)
            self._end(edge).add_scaled(own, self.how.of(edge, op))

    def add_shared(self, op: str, edges: tuple[int, ...], operation: Callable[[Tensor], Tensor]) -> None:
        """Adds an operation without weights, which is the same on all edges."""
        made = operation(self.x)
        for edge in edges:
            self._end(edge).add_scaled(made, self.how.of(edge, op))

    def _end(self, edge: int) -> Total:
        return self.totals[self.graph.edges[edge][1]]

    def _dropped(self) -> Tensor:
        return F.dropout(self.x, self.how.drop_skip) if self.training and self.how.drop_skip else self.x

    def _add_convolutions(
        self, op: str, edges: tuple[int, ...], chains: Sequence[Sequence[Sequence[nn.Conv2d]]]
    ) -> None:
        """Adds convolutions with BN behind them; those of all edges are computed side by side."""
        maps, number, last = self.active, len(edges), len(chains[0]) - 1
        for stage, blocks in enumerate(zip(*chains, strict=True)):
            for place, layers in enumerate(zip(*blocks, strict=True)):
                maps = side_by_side(maps, layers, apart=stage + place > 0)
            if stage < last:
                maps = F.relu(normed(maps))
        maps = normed(maps, self.how.channels(edges, op, maps.shape[1] // number))
        for edge, own in zip(edges, [maps] if number == 1 else maps.chunk(number, 1), strict=True):
            self._end(edge).add(own, mine=number == 1)


def convolutions(module: nn.Module) -> list[list[nn.Conv2d]]:
    """Returns the convolutions of each block of ReLU, convolutions and BN; nothing for other operations."""
    if not isinstance(module, nn.Sequential):
        return []
    if isinstance(module[0], nn.ReLU):
        return [[layer for layer in module if isinstance(layer, nn.Conv2d)]]
    return [block for child in module for block in convolutions(child)]


def side_by_side(x: Tensor, layers: Sequence[nn.Conv2d], *, apart: bool) -> Tensor:
    """Returns the maps of n convolutions of one kind behind each other, `[B, n D, H', W']`.

    Args:
        x: `[B, C, H, W]`, that all of them read; their own `[B, n C, H, W]` where they are `apart`.
        layers: the convolutions.
        apart: whether each has its own input.
    """
    first, number = layers[0], len(layers)
    stride, dilation, padding = pair(first.stride), pair(first.dilation), pair(first.padding)
    if stride == dilation and stride != (1, 1):  # only every second pixel is looked at
        x = x[:, :, :: stride[0], :: stride[1]].contiguous(memory_format=torch.channels_last)
        padding = padding[0] // stride[0], padding[1] // stride[1]
        stride = dilation = (1, 1)
    groups = first.groups * number if apart or first.groups > 1 else 1
    if not apart and groups > 1 and number > 1:
        x = torch.cat([x] * number, 1)
    weight = first.weight if number == 1 else torch.cat([layer.weight for layer in layers])
    if stride == (1, 1) and groups == len(weight) == x.shape[1]:
        return depthwise(x, weight, padding, dilation)
    return F.conv2d(x, weight, None, stride, padding, dilation, groups)


def pair(value: object) -> tuple[int, int]:
    """Returns a setting of a convolution as a number for each direction."""
    assert isinstance(value, tuple)
    return value
