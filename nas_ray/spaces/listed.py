"""Some archs of a space, as a finite space of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_ray.spaces.base import SearchSpace, fitted_space

if TYPE_CHECKING:
    from torch import nn


class Listed:
    """The archs `archs` of `space`, in their order; the nets are those of `space`.

    Args:
        space: builds them.
        archs: different ones.
        schedules: epochs of their trainings, the one that counts last.
    """

    def __init__(self, space: SearchSpace, archs: Sequence[str], schedules: Sequence[int]) -> None:
        self.space = space
        self.archs = tuple(archs)
        self.schedules = tuple(schedules)

    def for_image_size(self, image_size: int) -> Listed:
        """Returns the same archs with the nets for square images of `image_size` pixels."""
        return Listed(fitted_space(self.space, image_size), self.archs, self.schedules)

    def __len__(self) -> int:
        return len(self.archs)

    def __iter__(self) -> Iterator[str]:
        return iter(self.archs)

    def __contains__(self, arch: object) -> bool:
        return arch in self.archs

    def sample(self, rng: np.random.Generator) -> str:
        """Returns an arch drawn uniformly."""
        return self.archs[int(rng.integers(len(self.archs)))]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`."""
        return self.space.build(arch, num_classes)
