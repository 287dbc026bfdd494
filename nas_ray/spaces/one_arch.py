"""One arch of a space as a space of its own, beside which settings are searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.spaces.base import (
    CostClassSpace,
    CostSpace,
    ImageSizedSpace,
    IndexedSpace,
    LabelledSpace,
    StemmedSpace,
)
from nas_ray.spaces.filtered_parts import FILTERED
from nas_ray.spaces.needs import is_member
from nas_ray.spaces.wrapping import Wrapping

if TYPE_CHECKING:
    from torch import nn

    from nas_ray.spaces.base import SearchSpace

ABOUT_NETS = (IndexedSpace, LabelledSpace, ImageSizedSpace, StemmedSpace, CostSpace, CostClassSpace)
"""What can be asked of one arch; it makes no decisions."""


class OneArch(Wrapping):
    """The arch `arch` of `space` and no other.

    Args:
        space: builds it.
        arch: one of its archs.

    Raises:
        UsageError: it is none.
    """

    PARTS: ClassVar[Mapping[type, type]] = MappingProxyType({asked: FILTERED[asked] for asked in ABOUT_NETS})

    def __init__(self, space: SearchSpace, arch: str) -> None:
        if not is_member(space, arch):
            raise UsageError(
                f"{arch!r} is no arch of the space {getattr(space, 'name', type(space).__name__)}."
            )
        self.space = space
        self.arch = arch

    def over(self, space: SearchSpace) -> OneArch:
        """Returns the same arch in another space of these archs."""
        return OneArch(space, self.arch)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        yield self.arch

    def __contains__(self, arch: object) -> bool:
        return arch == self.arch

    def sample(self, rng: np.random.Generator) -> str:
        """Returns the arch."""
        return self.arch

    def neighbors(self, arch: str) -> list[str]:
        """Returns nothing: settings beside it have all neighbours."""
        return []

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net `[B, 3, H, W] -> [B, num_classes]`."""
        return self.space.build(arch, num_classes)
