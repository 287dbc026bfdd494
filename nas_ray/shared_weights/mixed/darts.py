"""The trainable supernet of DARTS and of the spaces made of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial as partially

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.batch_run import POOL
from nas_ray.shared_weights.mixed.cell import MixedCell, Operation
from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.shared_weights.mixed.net import MixedNet, MixedSize
from nas_ray.shared_weights.mixed.plan import NONE
from nas_ray.shared_weights.mixed.sums import normed
from nas_ray.spaces.darts import Darts
from nas_ray.spaces.darts_nets import make_stems, reductions
from nas_ray.spaces.darts_ops import FactorizedReduction, make_op, pointwise
from nas_ray.spaces.edges import EdgeGraph
from nas_ray.spaces.stems import STRIDED

BATCH_NORM = partially(nn.BatchNorm2d, affine=False, track_running_stats=False)
"""BN in batch mode without scale and shift."""

FREE = ("avg_pool_3x3", "max_pool_3x3")
"""Operations without weights; behind them is BN."""


class DartsMixedCell(MixedCell):
    """Every operation on every edge of one cell of DARTS, of what the last two cells gave.

    Args:
        graph: the cell.
        widths: channels of what the last cell but one and the last cell gave.
        channels: C.
        partial: K.
        reduction: whether the cell halves the resolution.
        after_reduction: whether the last cell did.
    """

    def __init__(
        self,
        graph: EdgeGraph,
        widths: tuple[int, int],
        channels: int,
        partial: int,
        *,
        reduction: bool,
        after_reduction: bool,
    ) -> None:
        super().__init__(graph, channels, partial)
        self.reduction = reduction
        before = FactorizedReduction if after_reduction else pointwise
        self.inputs = nn.ModuleList(
            [before(widths[0], channels, BATCH_NORM), pointwise(widths[1], channels, BATCH_NORM)]
        )
        self.edges = nn.ModuleList(
            nn.ModuleDict(
                {
                    op: make_op(op, self.width, self.stride(source), BATCH_NORM)
                    for op in graph.options(edge)
                    if op not in (NONE, *FREE)
                }
            )
            for edge, (source, _) in enumerate(graph.edges)
        )
        self.halved = nn.ModuleDict(
            {
                str(edge): FactorizedReduction(channels, channels, BATCH_NORM)
                for edge, (source, _) in enumerate(graph.edges)
                if self.stride(source) == 2
            }
        )

    def stride(self, source: int) -> int:
        """Returns the stride of the operations that read a node."""
        return 2 if self.reduction and source < self.graph.inputs else 1

    def forward(self, two: Tensor, one: Tensor, how: Coefficients) -> Tensor:
        """Returns the computed nodes behind each other, `[B, n C, H, W]`."""
        inputs = [self.inputs[0](two), self.inputs[1](one)]
        nodes = self.nodes(inputs, how)
        zeros = inputs[0].new_zeros(()).expand(self.shape(inputs))
        return torch.cat([nodes.get(node, zeros) for node in self.graph.nodes], 1)

    def shape(self, inputs: Sequence[Tensor]) -> tuple[int, ...]:
        """Returns the shape of the nodes that are computed."""
        batch, channels, height, width = inputs[0].shape
        half = 2 if self.reduction else 1
        return batch, channels, -(-height // half), -(-width // half)

    def free(self, source: int, op: str) -> Operation | None:
        """Returns pooling with BN behind it, the statistics of which are the same for all edges."""
        if op not in FREE:
            return None
        return partially(pooled, op=op, stride=self.stride(source))

    def auxiliary(self, edge: int, x: Tensor) -> Tensor:
        """Returns the node, where an edge halves it by a reduction of its own."""
        name = str(edge)
        halved: Tensor = self.halved[name](x) if name in self.halved else x
        return halved

    def bypass(self, edge: int, x: Tensor) -> Tensor:
        """Returns the node, or its larger pixels where an edge halves it."""
        source, _ = self.graph.edges[edge]
        return F.max_pool2d(x, 2, ceil_mode=True) if self.stride(source) == 2 else x


def pooled(x: Tensor, op: str, stride: int) -> Tensor:
    """Returns 3x3 pooling of `x [B, C, H, W]` and BN."""
    if op == "max_pool_3x3":
        return normed(F.max_pool2d(x, 3, stride, padding=1))
    if stride == 1:
        return normed(POOL(x))
    return normed(F.avg_pool2d(x, 3, stride, padding=1, count_include_pad=False))


class DartsMixedNet(MixedNet):
    """All archs of DARTS in one net, in the released skeleton: `[B, 3, H, W] -> [B, classes]`.

    Source: Liu et al., "DARTS", ICLR 2019, and the released search: cells at a third and two thirds halve the
    resolution, BN of cells has no scale and no shift and follows pools.
    Differs: BN of cells is in batch mode in evaluation as well. Reductions for auxiliary skip connections are
    always there, and have no gradient where the mix has none.

    Args:
        space: whose cells these are.
        size: of the net.
    """

    def __init__(self, space: Darts, size: MixedSize) -> None:
        super().__init__()
        own = copy.copy(space)
        own.channels, own.cells = size.channels or space.channels, size.cells or space.cells
        self.space = self.darts = own
        self.graphs, self.num_classes, self.partial = space.graphs(), size.num_classes, size.partial
        self.outputs = self.graphs[0].nodes
        places = reductions(own.cells)
        self.cells = (own.cells - len(places), len(places))
        self.stem, self.second_stem, two = make_stems(space.stem, own.channels)
        one, width, after = two, own.channels, space.stem == STRIDED
        self.body = nn.ModuleList()
        for place in range(own.cells):
            reduction = place in places
            width *= 2 if reduction else 1
            graph = self.graphs[int(reduction)]
            cell = DartsMixedCell(
                graph, (two, one), width, size.partial, reduction=reduction, after_reduction=after
            )
            self.body.append(cell)
            two, one, after = one, len(self.outputs) * width, reduction
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(one, size.num_classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores `[B, classes]`."""
        hows = self.coefficients(mix)
        two = self.stem(x.contiguous(memory_format=torch.channels_last))
        one = self.second_stem(two)
        for cell in self.body:
            two, one = one, cell(two, one, next(hows[self.graphs.index(cell.graph)]))
        logits: Tensor = self.classifier(self.head(one))
        return logits

    def source(self, arch: str) -> Callable[[str], str]:
        """Returns the function from names of parameters of the plain net of `arch` to names in this net.

        The plain net has no BN behind pools, which is there in a search alone.
        """
        chosen = [sorted(cell.items()) for cell in self.darts.to_edges(arch)]
        return partially(self._source, chosen)

    def _source(self, chosen: Sequence[Sequence[tuple[int, str]]], name: str) -> str:
        """Returns where the parameter `name` of a plain net is here."""
        parts = name.split(".")
        if parts[0] != "cells":
            return name
        parts[0] = "body"
        if parts[2] == "edges":
            cell = self.body[int(parts[1])]
            edge, op = chosen[self.graphs.index(cell.graph)][int(parts[3])]
            parts[3:4] = [str(edge), op]
        return ".".join(parts)
