"""The trainable supernet of NATS-TSS."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.batch_run import POOL
from nas_ray.shared_weights.mixed.cell import MixedCell
from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.shared_weights.mixed.net import MixedNet, Place
from nas_ray.shared_weights.mixed.sums import Total, dropped, normed, parts, together
from nas_ray.shared_weights.supernet import CONVOLUTIONS, name_in_supernet
from nas_ray.spaces.edges import EdgeGraph
from nas_ray.spaces.nats_tss import EDGES, OPS, NatsTss, to_ops
from nas_ray.spaces.ops import ResidualReduction, conv_block
from nas_ray.spaces.plans import OUTPUT
from nas_ray.spaces.stems import make_stem


class TssMixedCell(MixedCell):
    """Every operation on every edge of one cell of NATS-TSS; BN in batch mode without scale and shift."""

    def __init__(self, graph: EdgeGraph, channels: int, partial: int = 1) -> None:
        super().__init__(graph, channels, partial)
        self.edges = nn.ModuleList(
            nn.ModuleDict({op: convolution(self.width, kernel) for op, kernel in CONVOLUTIONS.items()})
            for _ in graph.edges
        )

    def forward(self, x: Tensor, how: Coefficients) -> Tensor:
        """Returns the last node of `x [B, C, H, W]`."""
        nodes = self.nodes([x], how)
        return nodes[OUTPUT] if OUTPUT in nodes else torch.zeros_like(x)

    def read(
        self,
        source: int,
        x: Tensor,
        ops: Mapping[str, tuple[int, ...]],
        totals: Mapping[int, Total],
        how: Coefficients,
    ) -> None:
        """Adds what edges make of a node: all convolutions with the same kernel are one."""
        active = F.relu(x) if any(op in CONVOLUTIONS for op in ops) else x
        for op, edges in ops.items():
            ends = [totals[self.graph.edges[edge][1]] for edge in edges]
            if op in CONVOLUTIONS:
                weights = [weight_of(self.edges[edge], op) for edge in edges]
                maps = F.conv2d(active, together(weights), padding=CONVOLUTIONS[op] // 2)
                maps = normed(maps, how.channels(edges, op, self.width))
                for total, own in zip(ends, parts(maps, len(edges)), strict=True):
                    total.add(own, mine=len(edges) == 1)
                continue
            made = POOL(x) if op == "avg_pool_3x3" else x
            for edge, total in zip(edges, ends, strict=True):
                own = made if op == "avg_pool_3x3" else dropped(x, how.drop_skip, self.training)
                total.add_scaled(own, how.of(edge, op))


def weight_of(edge: nn.Module, op: str) -> Tensor:
    """Returns the weight of a convolution; no parameter where `functional_call` gives another tensor."""
    weight: Tensor = edge.get_submodule(f"{op}.1").weight  # type: ignore[assignment]
    return weight


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
        num_classes: outputs.
        channels: width of the first stage; None for that of the space.
        cells: cells of a stage; None for those of the space.
        partial: K, where one in K channels goes through the operations and the others pass by (PC-DARTS).
    """

    def __init__(
        self,
        space: NatsTss,
        num_classes: int,
        channels: int | None = None,
        cells: int | None = None,
        partial: int = 1,
    ) -> None:
        super().__init__()
        self.space = NatsTss(channels or space.channels, cells or space.cells, space.stem)
        self.graphs = space.graphs()
        self.num_classes = num_classes
        widths = tuple(factor * self.space.channels for factor in (1, 2, 4))
        self.stem = make_stem(space.stem, widths[0])
        body: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                body.append(ResidualReduction(widths[stage - 1], width))
            body += [TssMixedCell(self.graphs[0], width, partial) for _ in range(self.space.cells)]
        self.body = nn.ModuleList(body)
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(widths[-1], num_classes)
        self.cells = (len(widths) * self.space.cells,)
        self.outputs, self.partial = (OUTPUT,), partial
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores `[B, classes]`."""
        hows = self.coefficients(mix)
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.body:
            x = block(x, next(hows[0])) if isinstance(block, TssMixedCell) else block(x)
        logits: Tensor = self.classifier(self.head(x))
        return logits

    def operation_parameters(self) -> Mapping[Place, list[nn.Parameter]]:
        """Returns the weights of each convolution, those of all cells together."""
        found: dict[Place, list[nn.Parameter]] = {}
        for cell in self.body:
            if isinstance(cell, TssMixedCell):
                for edge in range(len(EDGES)):
                    for op in CONVOLUTIONS:
                        own = cell.get_submodule(f"edges.{edge}.{op}").parameters()
                        found.setdefault((0, edge, OPS.index(op)), []).extend(own)
        return found

    def extract(self, arch: str) -> nn.Module:
        """Returns the plain net of `arch` with a copy of these weights, as the space builds it.

        Raises:
            UsageError: not an arch of the space.
        """
        ops = to_ops(arch)
        with torch.random.fork_rng(devices=[]):
            net = self.space.build(arch, self.num_classes).to(self.classifier.weight)
        own = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        with torch.no_grad():
            for name, value in {**dict(net.named_parameters()), **dict(net.named_buffers())}.items():
                source = own.get(name_in_supernet(name, ops))
                if source is not None:  # BN of cells has none here
                    value.copy_(source)
        return net
