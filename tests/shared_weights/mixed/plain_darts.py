"""The usual form of a supernet of DARTS: a module for each operation of each edge, none left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed import Mix, MixedNet

EDGES = tuple((source, node) for node in range(2, 6) for source in range(node))


def norm(width: int) -> nn.Module:
    return nn.BatchNorm2d(width, affine=False, track_running_stats=False)


def conv(inputs: int, outputs: int, kernel: int = 1, *rest: int, groups: int = 1) -> nn.Module:
    return nn.Conv2d(inputs, outputs, kernel, *rest, groups=groups, bias=False)


def depthwise(width: int, kernel: int, stride: int, dilation: int = 1) -> list[nn.Module]:
    pad = (kernel - 1) // 2 * dilation
    first = conv(width, width, kernel, stride, pad, dilation, groups=width)
    return [nn.ReLU(), first, conv(width, width), norm(width)]


class Halved(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.one, self.two = conv(inputs, outputs // 2, 1, 2), conv(inputs, outputs // 2, 1, 2)
        self.norm = norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        return self.norm(torch.cat([self.one(x), self.two(x[:, :, 1:, 1:])], 1))


def operation(name: str, width: int, stride: int) -> nn.Module | None:
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    if name.startswith("sep"):
        return nn.Sequential(*depthwise(width, kernel, stride), *depthwise(width, kernel, 1))
    if name.startswith("dil"):
        return nn.Sequential(*depthwise(width, kernel, stride, 2))
    if name.startswith("max"):
        return nn.Sequential(nn.MaxPool2d(3, stride, 1), norm(width))
    if name.startswith("avg"):
        return nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), norm(width))
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Halved(width, width)
    if name in ("conv_1x1", "conv_3x3"):
        return nn.Sequential(nn.ReLU(), conv(width, width, kernel, stride, kernel // 2), norm(width))
    assert name == "conv_7x1_1x7"
    one = nn.Conv2d(width, width, (1, 7), (1, stride), (0, 3), bias=False)
    two = nn.Conv2d(width, width, (7, 1), (stride, 1), (3, 0), bias=False)
    return nn.Sequential(nn.ReLU(), one, two, norm(width))


class Edge(nn.Module):
    def __init__(
        self, ops: tuple[str, ...], options: tuple[str, ...], width: int, stride: int, k: int
    ) -> None:
        super().__init__()
        self.names, self.k, self.own, self.stride = ops, k, width // k, stride
        self.ops = nn.ModuleDict(
            {op: operation(op, self.own, stride) for op in ops if op in options and op != "none"}
        )

    def forward(self, x: Tensor, weights: Tensor, active: Tensor | None, as_scalar: bool) -> Tensor:
        total, rest = 0.0, x[:, self.own :]
        for number, op in enumerate(self.names):
            if active is not None and not active[number]:
                total = total + weights[number] * as_scalar
            elif op in self.ops:
                total = total + weights[number] * self.ops[op](x[:, : self.own])
        if self.stride == 2 and self.k > 1:
            rest = torch.nn.functional.max_pool2d(rest, 2)
        if not isinstance(total, Tensor) or total.dim() == 0:
            size = x.shape[2] // self.stride
            total = total + x.new_zeros(x.shape[0], self.own, size, size)
        if self.k == 1:
            return total
        order = [part * self.own + channel for channel in range(self.own) for part in range(self.k)]
        return torch.cat([total, rest], 1)[:, order]


class Cell(nn.Module):
    def __init__(self, graph, widths, width, k, reduction, after) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        plain = nn.Sequential(nn.ReLU(), conv(widths[0], width), norm(width))
        self.zero = Halved(widths[0], width) if after else plain
        self.one = nn.Sequential(nn.ReLU(), conv(widths[1], width), norm(width))
        strides = [2 if reduction and source < 2 else 1 for source, _ in EDGES]
        self.edges = nn.ModuleList(
            Edge(graph.ops, graph.options(place), width, stride, k) for place, stride in enumerate(strides)
        )
        self.beside = nn.ModuleList(Halved(width, width) if s == 2 else nn.Identity() for s in strides)
        self.number = int(reduction)

    def forward(self, two: Tensor, one: Tensor, mix: Mix) -> Tensor:
        number, nodes = self.number, [self.zero(two), self.one(one)]
        active = None if mix.active is None else mix.active[number]
        for node in range(2, 6):
            total = 0.0
            for place, (source, target) in enumerate(EDGES):
                if target == node:
                    x = nodes[source]
                    own = None if active is None else active[place]
                    out = self.edges[place](x, mix.weights[number][place], own, mix.inactive_as_scalar)
                    out = out + mix.skip * self.beside[place](x)
                    total = total + (out if mix.edges is None else mix.edges[number][place] * out)
            nodes.append(total)
        return torch.cat(nodes[2:], 1)


class PlainDarts(nn.Module):
    """The net with the weights of `net`, which has them in the same order."""

    def __init__(self, net: MixedNet, channels: int, cells: int, k: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 3 * channels, 3, 1, 1), nn.BatchNorm2d(3 * channels))
        two = one = 3 * channels
        self.cells, after = nn.ModuleList(), False
        for place in range(cells):
            reduction = place in (cells // 3, 2 * cells // 3)
            channels *= 2 if reduction else 1
            self.cells.append(Cell(net.graphs[int(reduction)], (two, one), channels, k, reduction, after))
            two, one, after = one, 4 * channels, reduction
        self.classifier = nn.Linear(one, 10)
        mine, theirs = list(self.parameters()), list(net.parameters())
        assert [one.shape for one in mine] == [one.shape for one in theirs]
        with torch.no_grad():
            for own, other in zip(mine, theirs, strict=True):
                own.copy_(other)
        self.to(theirs[0].dtype)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        two = one = self.stem(x)
        for cell in self.cells:
            two, one = one, cell(two, one, mix)
        return self.classifier(one.mean((2, 3)))
