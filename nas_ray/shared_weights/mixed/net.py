"""What every trainable supernet is."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from nas_ray.shared_weights.mixed.coefficients import Coefficients
from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.spaces.edges import EdgeGraph

Place = tuple[int, int, int]
"""Graph, edge and operation by their numbers."""


class MixedNet(nn.Module, ABC):
    """One net with every operation on every edge of a space, of which a `Mix` says how much each counts.

    Attributes:
        graphs: those of the space, in whose order a mix has its tensors.
        cells: how many cells of each graph there are.
        outputs: nodes of a cell that make its output.
        partial: K, where one in K channels goes through the operations.
    """

    graphs: tuple[EdgeGraph, ...]
    cells: tuple[int, ...]
    outputs: tuple[int, ...]
    partial: int

    def coefficients(self, mix: Mix) -> list[Iterator[Coefficients]]:
        """Returns for each graph what its cells are told, in the order of the net."""
        return [self._of_graph(number, weights, mix) for number, weights in enumerate(mix.weights)]

    def _of_graph(self, number: int, weights: Tensor, mix: Mix) -> Iterator[Coefficients]:
        graph, bypass = self.graphs[number], self.partial > 1
        if weights.dim() == 3:
            return iter([Coefficients(graph, own, mix, number, self.outputs, bypass) for own in weights])
        return itertools.repeat(Coefficients(graph, weights, mix, number, self.outputs, bypass))

    @abstractmethod
    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Returns class scores `[B, classes]` of images `x [B, 3, H, W]`."""

    @abstractmethod
    def operation_parameters(self) -> Mapping[Place, list[nn.Parameter]]:
        """Returns the weights of each operation that has some, those of all cells together."""

    @abstractmethod
    def extract(self, arch: str) -> nn.Module:
        """Returns the plain net of `arch` with a copy of these weights, as the space builds it.

        Raises:
            UsageError: not an arch of the space.
        """
