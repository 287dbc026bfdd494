"""What every trainable supernet is."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas_ray.shared_weights.mixed.cell import MixedCell
from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.mix import Mix, check_mix
from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.edges import EdgeGraph

Place = tuple[int, int, int]
"""Graph, edge and operation by their numbers."""


@dataclass(frozen=True)
class MixedSize:
    """How large a trainable supernet is.

    Attributes:
        num_classes: outputs.
        channels: width of the first cells; None for that of the space.
        cells: how many; of a stage for NATS-TSS; None for those of the space.
        partial: K, where one in K channels goes through the operations and the others pass by (PC-DARTS).
    """

    num_classes: int
    channels: int | None = None
    cells: int | None = None
    partial: int = 1


class MixedNet(nn.Module, ABC):
    """One net with every operation on every edge of a space, of which a `Mix` says how much each counts.

    Attributes:
        space: whose archs it holds, in its own size.
        num_classes: outputs.
        graphs: those of the space, in whose order a mix has its tensors.
        body: the cells, and what is between them.
        cells: how many cells of each graph there are.
        outputs: nodes of a cell that make its output.
        partial: K, where one in K channels goes through the operations.
    """

    space: SearchSpace
    num_classes: int
    graphs: tuple[EdgeGraph, ...]
    body: nn.ModuleList
    cells: tuple[int, ...]
    outputs: tuple[int, ...]
    partial: int

    def coefficients(self, mix: Mix) -> list[Iterator[Coefficients]]:
        """Returns for each graph what its cells are told, in the order of the net.

        Raises:
            UsageError: the mix is of other graphs.
        """
        check_mix(mix, self.graphs, self.cells)
        return [self._of_graph(number, weights, mix) for number, weights in enumerate(mix.weights)]

    def _of_graph(self, number: int, weights: Tensor, mix: Mix) -> Iterator[Coefficients]:
        graph, bypass = self.graphs[number], self.partial > 1
        if weights.dim() == 3:
            return iter([Coefficients(graph, own, mix, number, self.outputs, bypass) for own in weights])
        return itertools.repeat(Coefficients(graph, weights, mix, number, self.outputs, bypass))

    @abstractmethod
    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores `[B, classes]` of images `x [B, 3, H, W]`."""

    def operation_parameters(self) -> Mapping[Place, list[nn.Parameter]]:
        """Returns the weights of each operation that has some, those of all cells together."""
        found: dict[Place, list[nn.Parameter]] = {}
        for cell in self.body:
            if isinstance(cell, MixedCell):
                number = self.graphs.index(cell.graph)
                for edge, own in enumerate(cell.edges):
                    for op, module in own.items():  # type: ignore[operator]
                        place = number, edge, cell.graph.ops.index(op)
                        if weights := list(module.parameters()):
                            found.setdefault(place, []).extend(weights)
        return found

    @abstractmethod
    def source(self, arch: str) -> Callable[[str], str]:
        """Returns the function from names of parameters of the plain net of `arch` to names in this net.

        Raises:
            UsageError: not an arch of the space.
        """

    def extract(self, arch: str) -> nn.Module:
        """Returns the plain net of `arch` with a copy of these weights and statistics.

        Raises:
            UsageError: not an arch of the space.
        """
        find = self.source(arch)
        with torch.random.fork_rng(devices=[]):
            plain = self.space.build(arch, self.num_classes)
        plain.to(next(self.parameters()))
        own = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        with torch.no_grad():
            for name, value in (*plain.named_parameters(), *plain.named_buffers()):
                known = own.get(find(name))
                if known is not None:  # BN of cells has none in a supernet
                    value.copy_(known)
        return plain
