"""The space of what one-shot trials are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_ray.spaces.base import SearchSpace

if TYPE_CHECKING:
    import numpy as np
    from torch import nn


class MethodSettings:
    """Methods with their seeds, such as `gdas,seed=3`; what they find are archs of another space.

    Args:
        found_in: that space.
        settings: the members.
    """

    def __init__(self, found_in: SearchSpace, settings: Sequence[str]) -> None:
        self.found_in = found_in
        self.settings = tuple(settings)

    def sample(self, rng: np.random.Generator) -> str:
        """Returns one of the settings."""
        return self.settings[int(rng.integers(len(self.settings)))]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns the net of an arch that was found; a setting has none."""
        return self.found_in.build(arch, num_classes)

    def label(self, arch: str) -> str:
        """Returns the setting as it is written."""
        return arch
