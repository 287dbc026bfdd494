"""The trainable supernet of NATS-TSS."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial as partially

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.batch_run import POOL
from nas_ray.shared_weights.mixed.cell import MixedCell, Operation
from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.shared_weights.mixed.net import MixedNet, MixedSize
from nas_ray.shared_weights.supernet import CONVOLUTIONS, name_in_supernet
from nas_ray.spaces.edges import EdgeGraph
from nas_ray.spaces.nats_tss import NatsTss, to_ops
from nas_ray.spaces.ops import ResidualReduction, conv_block
from nas_ray.spaces.plans import OUTPUT
from nas_ray.spaces.stems import make_stem


class TssMixedCell(MixedCell):
    """Every operation on every edge of one cell of NATS-TSS; BN in batch mode without scale and shift."""

    def __init__(self, graph: EdgeGraph, channels: int, partial: int = 1) -> None:
        super().__init__(graph, channels, partial)
        self.edges = nn.ModuleList(
            nn.ModuleDict(
                {
                    "skip_connect": nn.Identity(),
                    **{op: convolution(self.width, kernel) for op, kernel in CONVOLUTIONS.items()},
                }
            )
            for _ in graph.edges
        )

    def forward(self, x: Tensor, how: Coefficients) -> Tensor:
        """Returns the last node of `x [B, C, H, W]`."""
        nodes = self.nodes([x], how)
        return nodes[OUTPUT] if OUTPUT in nodes else torch.zeros_like(x)

    def free(self, source: int, op: str) -> Operation | None:
        """Returns the average pooling."""
        return POOL if op == "avg_pool_3x3" else None


def convolution(channels: int, kernel_size: int) -> nn.Sequential:
    """Returns the published block with BN that has no weights and keeps nothing."""
    block = conv_block(channels, channels, kernel_size)
    block[2] = nn.BatchNorm2d(channels, affine=False, track_running_stats=False)
    return block


class TssMixedNet(MixedNet):
    """All archs of NATS-TSS in one net, in the published skeleton: `[B, 3, H, W] -> [B, classes]`.

    BN in the cells is in batch mode without scale and shift, that of the skeleton as in a plain net.

    Args:
        space: whose cells these are.
        size: of the net.
    """

    def __init__(self, space: NatsTss, size: MixedSize) -> None:
        super().__init__()
        own = NatsTss(size.channels or space.channels, size.cells or space.cells, space.stem)
        self.space = own
        self.graphs = space.graphs()
        self.num_classes, self.partial = size.num_classes, size.partial
        widths = tuple(factor * own.channels for factor in (1, 2, 4))
        self.stem = make_stem(space.stem, widths[0])
        body: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                body.append(ResidualReduction(widths[stage - 1], width))
            body += [TssMixedCell(self.graphs[0], width, self.partial) for _ in range(own.cells)]
        self.body = nn.ModuleList(body)
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(widths[-1], self.num_classes)
        self.cells = (len(widths) * own.cells,)
        self.outputs = (OUTPUT,)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores `[B, classes]`."""
        hows = self.coefficients(mix)
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.body:
            x = block(x, next(hows[0])) if isinstance(block, TssMixedCell) else block(x)
        logits: Tensor = self.classifier(self.head(x))
        return logits

    def source(self, arch: str) -> Callable[[str], str]:
        """Returns the function from names of parameters of the plain net of `arch` to names in this net."""
        return partially(name_in_supernet, ops=to_ops(arch))
