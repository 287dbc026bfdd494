"""What every trainable supernet is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from nas_ray.shared_weights.mixed.mix import Mix
from nas_ray.spaces.edges import EdgeGraph

Place = tuple[int, int, int]
"""Graph, edge and operation by their numbers."""


class MixedNet(nn.Module, ABC):
    """One net with every operation on every edge of a space, of which a `Mix` says how much each counts.

    Attributes:
        graphs: those of the space, in whose order a mix has its tensors.
        cells: how many cells each graph has.
    """

    graphs: tuple[EdgeGraph, ...]
    cells: tuple[int, ...]

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
