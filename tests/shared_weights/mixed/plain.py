"""The usual form of a supernet of NATS-TSS: a module for each operation of each edge, none left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed import Mix, MixedNet

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
SKIP = 1


class Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 0.0


def block(width: int, kernel: int) -> nn.Module:
    norm = nn.BatchNorm2d(width, affine=False, track_running_stats=False)
    return nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, kernel, padding=kernel // 2, bias=False), norm)


class Edge(nn.Module):
    """One edge: `beta * (sum of weighted operations, with what passes by, + skip * x)`."""

    def __init__(self, width: int, partial: int) -> None:
        super().__init__()
        own = width // partial
        self.own, self.partial = own, partial
        pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.ops = nn.ModuleList([Zero(), nn.Identity(), block(own, 1), block(own, 3), pool])

    def forward(self, x: Tensor, place: int, cell: int, mix: Mix) -> Tensor:
        weights = mix.weights[0][cell] if mix.weights[0].dim() == 3 else mix.weights[0]
        narrow = x[:, : self.own]
        total = torch.zeros_like(narrow)
        for number, op in enumerate(self.ops):
            weight = weights[place, number]
            if mix.active is None or mix.active[0][place, number]:
                total = total + weight * op(narrow)
            elif mix.inactive_as_scalar:
                total = total + weight
        if self.partial > 1:
            whole = torch.cat([total, x[:, self.own :]], 1)
            order = [part * self.own + channel for channel in range(self.own) for part in range(self.partial)]
            total = whole[:, order]
        total = total + mix.skip * x
        return total if mix.edges is None else mix.edges[0][place] * total


class Cell(nn.Module):
    def __init__(self, width: int, partial: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(Edge(width, partial) for _ in EDGES)

    def forward(self, x: Tensor, cell: int, mix: Mix) -> Tensor:
        nodes = [x]
        for node in (1, 2, 3):
            nodes.append(
                sum(
                    self.edges[place](nodes[source], place, cell, mix)
                    for place, (source, target) in enumerate(EDGES)
                    if target == node
                )
            )
        return nodes[3]


class Reduction(nn.Module):
    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()

        def own(inputs: int, stride: int) -> nn.Module:
            conv = nn.Conv2d(inputs, wide, 3, stride, 1, bias=False)
            return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(wide))

        self.first, self.second = own(narrow, 2), own(wide, 1)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(narrow, wide, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.second(self.first(x))


class Plain(nn.Module):
    """The net with the weights of `net`, which has them in the same order."""

    def __init__(self, net: MixedNet, channels: int, cells: int, partial: int = 1, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        body: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                body.append(Reduction(width // 2, width))
            body += [Cell(width, partial) for _ in range(cells)]
        self.body = nn.ModuleList(body)
        self.norm = nn.BatchNorm2d(4 * channels)
        self.classifier = nn.Linear(4 * channels, classes)
        mine, theirs = list(self.parameters()), list(net.parameters())
        assert [one.shape for one in mine] == [one.shape for one in theirs]
        with torch.no_grad():
            for one, other in zip(mine, theirs, strict=True):
                one.copy_(other)
        self.to(theirs[0].dtype)

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        x, cell = self.stem(x), 0
        for block in self.body:
            if isinstance(block, Cell):
                x, cell = block(x, cell, mix), cell + 1
            else:
                x = block(x)
        return self.classifier(torch.relu(self.norm(x)).mean((2, 3)))
