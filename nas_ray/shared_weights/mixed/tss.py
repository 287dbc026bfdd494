"""The trainable supernet of NATS-TSS."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.shared_weights.mixed.net import MixedNet, Place
from nas_ray.shared_weights.supernet import CONVOLUTIONS, name_in_supernet
from nas_ray.spaces.nats_tss import EDGES, OPS, NatsTss, to_ops
from nas_ray.spaces.ops import ResidualReduction, conv_block, make_op
from nas_ray.spaces.stems import make_stem


class MixedCell(nn.Module):
    """Every operation on every edge of one cell of width `channels`; BN in batch mode without scale."""

    def __init__(self, channels: int, partial: int = 1) -> None:
        super().__init__()
        self.partial = partial
        wide = channels // partial
        self.edges = nn.ModuleList(
            nn.ModuleDict({op: conv_block(wide, wide, kernel) for op, kernel in CONVOLUTIONS.items()})
            for _ in EDGES
        )
        for edge in self.edges:
            for block in edge.values():  # type: ignore[operator]
                block[2] = nn.BatchNorm2d(wide, affine=False, track_running_stats=False)
        self.pool = make_op("avg_pool_3x3", wide)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns the last node of `x [B, C, H, W]`."""
        nodes = {0: x}
        for place, (source, target) in enumerate(EDGES):
            out = self.edge(place, nodes[source], mix)
            nodes[target] = nodes[target] + out if target in nodes else out
        return nodes[EDGES[-1][1]]

    def edge(self, place: int, x: Tensor, mix: Mix) -> Tensor:
        """Returns the weighted sum of the operations of an edge."""
        mixed, rest = x[:, : x.shape[1] // self.partial], x[:, x.shape[1] // self.partial :]
        total = torch.zeros_like(mixed)
        for number, op in enumerate(OPS):
            weight = mix.weights[0][place, number]
            if mix.active is not None and not mix.active[0][place, number]:
                total = total + weight if mix.inactive_as_scalar else total
            elif op == "skip_connect":
                total = total + weight * F.dropout(mixed, mix.drop_skip, self.training)
            elif op == "avg_pool_3x3":
                total = total + weight * self.pool(mixed)
            elif op != "none":
                total = total + weight * self.edges[place][op](mixed)  # type: ignore[index]
        if self.partial > 1:
            total = shuffled(torch.cat([total, rest], 1), self.partial)
        if mix.skip is not None:
            total = total + mix.skip * x
        return total if mix.edges is None else total * mix.edges[0][place]


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Returns `x [B, C, H, W]` with its channels dealt out: one of each of `groups` parts in turn."""
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


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
        self.cells = (3 * self.space.cells,)
        widths = tuple(factor * self.space.channels for factor in (1, 2, 4))
        self.stem = make_stem(space.stem, widths[0])
        body: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                body.append(ResidualReduction(widths[stage - 1], width))
            body += [MixedCell(width, partial) for _ in range(self.space.cells)]
        self.body = nn.ModuleList(body)
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(widths[-1], num_classes)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores `[B, classes]`."""
        x = self.stem(x)
        number = 0
        for block in self.body:
            if isinstance(block, MixedCell):
                x = block(x, mix.of_cell(0, number))
                number += 1
            else:
                x = block(x)
        logits: Tensor = self.classifier(self.head(x))
        return logits

    def operation_parameters(self) -> Mapping[Place, list[nn.Parameter]]:
        """Returns the weights of each convolution, those of all cells together."""
        found: dict[Place, list[nn.Parameter]] = {}
        for cell in self.body:
            if isinstance(cell, MixedCell):
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
