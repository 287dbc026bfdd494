"""A space of few edges with smooth operations, and its supernet: all that a method needs of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.shared_weights.mixed import Mix, MixedNet
from nas_ray.spaces.edges import Chosen, EdgeGraph

OPS = ("none", "skip_connect", "tanh", "sine")
SIZE = 4
"""Images are `[B, 3, 4, 4]`."""


class TinySpace:
    """Three edges between three nodes; `kept` makes it one or two cells that keep so many edges of a node."""

    name = "tiny"

    def __init__(self, kept: int | None = None) -> None:
        self.kept = kept

    def graphs(self) -> tuple[EdgeGraph, ...]:
        if self.kept is None:
            return (EdgeGraph("cell", OPS, ((0, 1), (0, 2), (1, 2))),)
        edges = ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
        return tuple(EdgeGraph(name, OPS, edges, 2, self.kept) for name in ("normal", "reduce"))

    def sample(self, rng: object) -> str:
        raise NotImplementedError

    def build(self, arch: str, num_classes: int) -> nn.Module:
        raise NotImplementedError

    def from_edges(self, chosen: Sequence[Chosen]) -> str:
        return ";".join(" ".join(f"{edge}:{op}" for edge, op in sorted(cell.items())) for cell in chosen)

    def to_edges(self, arch: str) -> tuple[Chosen, ...]:
        cells = (cell.split() for cell in arch.split(";"))
        return tuple({int(one.split(":")[0]): one.split(":")[1] for one in cell} for cell in cells)


class TinyNet(MixedNet):
    """`cells` cells of each graph one behind the other, on vectors of `channels` numbers."""

    def __init__(
        self, space: TinySpace, num_classes: int, channels: int | None, cells: int | None, partial: int
    ) -> None:
        super().__init__()
        width, number = channels or 12, cells or 2
        if width % partial:
            raise UsageError("The channels must be a multiple of partial.")
        self.graphs, self.cells = space.graphs(), (number,) * len(space.graphs())
        self.part = width // partial
        self.stem = nn.Linear(3 * SIZE * SIZE, width)
        self.ops = nn.ModuleList(
            nn.ModuleList(nn.ModuleDict(self._edge(self.part)) for _ in graph.edges)
            for graph in self.graphs
            for _ in range(number)
        )
        self.classifier = nn.Linear(width, num_classes)

    @staticmethod
    def _edge(width: int) -> dict[str, nn.Module]:
        return {op: nn.Linear(width, width) for op in OPS[2:]}

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        x = self.stem(x.flatten(1)).tanh()
        for place, ops in enumerate(self.ops):
            graph = place // self.cells[0]
            x = x + self._cell(graph, ops, x, of_cell(mix, graph, place % self.cells[0]))
        return self.classifier(x)

    def _cell(self, graph: int, ops: nn.ModuleList, x: Tensor, mix: Mix) -> Tensor:
        own = self.graphs[graph]
        nodes = dict.fromkeys(range(own.inputs), x)
        for edge, (source, target) in enumerate(own.edges):
            out = self._mixed(graph, edge, ops[edge], nodes[source], mix)
            nodes[target] = nodes[target] + out if target in nodes else out
        return nodes[own.nodes[-1]]

    def _mixed(self, graph: int, edge: int, ops: nn.ModuleDict, x: Tensor, mix: Mix) -> Tensor:
        mixed, rest = x[:, : self.part], x[:, self.part :]
        total = torch.zeros_like(mixed)
        for number, op in enumerate(OPS):
            weight = mix.weights[graph][edge, number]
            if mix.active is not None and not mix.active[graph][edge, number]:
                total = total + weight if mix.inactive_as_scalar else total
            elif op == "skip_connect":
                total = total + weight * nn.functional.dropout(mixed, mix.drop_skip, self.training)
            elif op == "tanh":
                total = total + weight * ops[op](mixed).tanh()
            elif op == "sine":
                total = total + weight * ops[op](mixed).sin()
        total = torch.cat([total, rest], 1) + mix.skip * x
        return total if mix.edges is None else total * mix.edges[graph][edge]

    def operation_parameters(self) -> Mapping[tuple[int, int, int], list[nn.Parameter]]:
        found: dict[tuple[int, int, int], list[nn.Parameter]] = {}
        for place, ops in enumerate(self.ops):
            for edge, of_edge in enumerate(ops):
                for op in OPS[2:]:
                    key = (place // self.cells[0], edge, OPS.index(op))
                    found.setdefault(key, []).extend(of_edge[op].parameters())
        return found

    def extract(self, arch: str) -> nn.Module:
        raise NotImplementedError

    def source(self, name: str, arch: str) -> str | None:
        raise NotImplementedError


def of_cell(mix: Mix, graph: int, number: int) -> Mix:
    own = mix.weights[graph]
    if own.ndim == 2:
        return mix
    return replace(mix, weights=(*mix.weights[:graph], own[number], *mix.weights[graph + 1 :]))


def tiny_net(
    space: TinySpace,
    num_classes: int,
    *,
    channels: int | None = None,
    cells: int | None = None,
    partial: int = 1,
) -> TinyNet:
    return TinyNet(space, num_classes, channels, cells, partial)


def batches(number: int, size: int = 8, classes: int = 3, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Returns so many batches whose classes can be learned."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(number):
        images = torch.randn(size, 3, SIZE, SIZE, generator=generator)
        made.append((images, (images[:, 0].sum((1, 2)) > 0).long() + (images[:, 1, 0, 0] > 0.5).long()))
    return made
