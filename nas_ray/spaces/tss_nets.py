"""The nets of NATS-TSS: a cell as a graph, and the published skeleton around it."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.spaces.ops import ResidualReduction, make_op
from nas_ray.spaces.plans import EDGES, plan_cell, skip_spans
from nas_ray.spaces.stems import SMALL, make_stem


class Cell(nn.Module):
    """A dense cell: node j is the sum of `op(node i)` over its edges; `[B, C_in, H, W] -> [B, C, H, W]`.

    The edges from the input change the width, where `channels_in` (C_in) is given and another.
    """

    def __init__(self, ops: tuple[str, ...], channels: int, channels_in: int | None = None) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            make_op(op, channels, channels if source else channels_in)
            for (source, _), op in zip(EDGES, ops, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns the last node."""
        nodes = {0: x}
        for (source, target), op in zip(EDGES, self.edges, strict=True):
            out = op(nodes[source])
            nodes[target] = nodes[target] + out if target in nodes else out
        return nodes[EDGES[-1][1]]


class TssNet(nn.Module):
    """The published macro skeleton around one cell; `[B, 3, H, W] -> [B, num_classes]`.

    Stem (as published a 3x3 convolution and BN), three stages of `cells` cells at C, 2 C, 4 C channels with a
    residual reduction between them, BN, ReLU, global average pooling, linear classifier. `skip_spans` says
    for each `skip_connect` of the cell how many nodes it reaches ahead, `live_ops` which operations of the
    cell the output sees, and `live_paths` those on each path through the cell.
    """

    def __init__(
        self, ops: tuple[str, ...], num_classes: int, channels: int, cells: int, stem: str = SMALL
    ) -> None:
        super().__init__()
        self.skip_spans = skip_spans(ops)
        plan = plan_cell(ops)
        self.live_ops, self.live_paths = plan.ops, plan.paths
        widths = (channels, 2 * channels, 4 * channels)
        self.stem = make_stem(stem, channels)
        body: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                body.append(ResidualReduction(widths[stage - 1], width))
            body += [Cell(ops, width) for _ in range(cells)]
        self.body = nn.Sequential(*body)
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(widths[-1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        logits: Tensor = self.classifier(self.head(self.body(self.stem(x))))
        return logits
