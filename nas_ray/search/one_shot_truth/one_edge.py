"""A space of one edge, for which images of `generated:pairs` have one right answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError, unknown_name
from nas_ray.shared_weights.mixed.cell import MixedCell
from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.shared_weights.mixed.net import MixedNet
from nas_ray.spaces.edges import Chosen, EdgeGraph
from nas_ray.spaces.ops import Zero, conv_block

KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3, "nor_conv_5x5": 5}
OPS = ("none", "skip_connect", *KERNELS)
RIGHT, SHORTCUT = "nor_conv_5x5", "nor_conv_3x3"
"""What tells the classes of `generated:pairs` apart always, and as often as the shortcut is right."""


class OneEdge:
    """The five archs of one edge with one operation: none, skip, or a convolution 1, 3 or 5 pixels wide.

    The net is a 1x1 convolution with BN, the edge, BN, ReLU, global average pooling and a linear classifier:
    nothing but the edge joins pixels, and behind it only a mean does. Convolutions are ReLU, convolution, BN.
    An arch is the name of its operation.

    Args:
        channels: width.
    """

    name = "one-edge"

    def __init__(self, channels: int = 8) -> None:
        if channels < 1:
            raise UsageError(f"channels must be at least 1, got {channels}.")
        self.channels = channels

    def __contains__(self, arch: object) -> bool:
        return arch in OPS

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an operation drawn uniformly."""
        return OPS[int(rng.integers(len(OPS)))]

    def neighbors(self, arch: str) -> list[str]:
        """Returns all other operations."""
        return [op for op in OPS if op != self._checked(arch)]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`."""
        return OneEdgeNet(self._checked(arch), num_classes, self.channels)

    def graphs(self) -> tuple[EdgeGraph, ...]:
        """Returns the graph of one edge."""
        return (EdgeGraph("edge", OPS, ((0, 1),)),)

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        """Returns the arch with this operation on its edge.

        Raises:
            UsageError: not one operation of the space.
        """
        ops = [op for graph in chosen for op in graph.values()]
        return self._checked(ops[0] if len(ops) == 1 else ", ".join(ops))

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        """Returns the operation of the edge."""
        return ({0: self._checked(arch)},)

    @staticmethod
    def _checked(arch: str) -> str:
        if arch not in OPS:
            raise UsageError(unknown_name("arch of one-edge", arch, list(OPS)))
        return arch


def operation(op: str, channels: int) -> nn.Module:
    """Returns an operation of the edge; `[B, C, H, W] -> [B, C, H, W]`."""
    if op in KERNELS:
        return conv_block(channels, channels, KERNELS[op])
    return Zero() if op == "none" else nn.Identity()


def around(channels: int, num_classes: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Returns what is before the edge and behind it: stem, head and classifier."""
    stem = nn.Sequential(nn.Conv2d(3, channels, 1, bias=False), nn.BatchNorm2d(channels))
    head = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return stem, head, nn.Linear(channels, num_classes)


class OneEdgeNet(nn.Module):
    """The net of one arch; `[B, 3, H, W] -> [B, classes]`."""

    def __init__(self, arch: str, num_classes: int, channels: int) -> None:
        super().__init__()
        self.stem, self.head, self.classifier = around(channels, num_classes)
        self.edge = operation(arch, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        logits: Tensor = self.classifier(self.head(self.edge(self.stem(x))))
        return logits


class OneEdgeCell(MixedCell):
    """All operations of the edge; BN in batch mode without scale and shift."""

    def __init__(self, graph: EdgeGraph, channels: int, partial: int) -> None:
        super().__init__(graph, channels, partial)
        made = {op: operation(op, self.width) for op in OPS if op != "none"}
        for op in KERNELS:
            made[op].register_module("2", nn.BatchNorm2d(self.width, affine=False, track_running_stats=False))
        self.edges = nn.ModuleList([nn.ModuleDict(made)])

    def forward(self, x: Tensor, how: Coefficients) -> Tensor:
        """Returns the sum of the edge."""
        nodes = self.nodes([x], how)
        return nodes.get(1, torch.zeros_like(x))


class OneEdgeMixedNet(MixedNet):
    """All archs of `OneEdge` in one net; `[B, 3, H, W] -> [B, classes]`."""

    def __init__(self, space: OneEdge, num_classes: int, channels: int, partial: int) -> None:
        super().__init__()
        self.space = OneEdge(channels)
        self.num_classes = num_classes
        self.graphs = space.graphs()
        self.cells, self.outputs, self.partial = (1,), (1,), partial
        self.stem, self.head, self.classifier = around(channels, num_classes)
        self.body = nn.ModuleList([OneEdgeCell(self.graphs[0], channels, partial)])
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores."""
        how = next(self.coefficients(mix)[0])
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        logits: Tensor = self.classifier(self.head(self.body[0](x, how)))
        return logits

    def source(self, arch: str) -> Callable[[str], str]:
        """Returns where the parameters of the plain net of `arch` are here."""
        return lambda name: (
            name.replace("edge.", f"body.0.edges.0.{arch}.") if name.startswith("edge.") else name
        )


def one_edge_net(
    space: OneEdge,
    num_classes: int,
    *,
    channels: int | None = None,
    cells: int | None = None,
    partial: int = 1,
) -> OneEdgeMixedNet:
    """Returns a new supernet of `OneEdge`, called as `mixed_net`; there is one cell.

    Raises:
        UsageError: the channels cannot be divided by `partial`.
    """
    wide = channels or space.channels
    if wide % partial:
        raise UsageError(f"The channels must be a multiple of the partial channels {partial}, got {wide}.")
    return OneEdgeMixedNet(space, num_classes, wide, partial)
